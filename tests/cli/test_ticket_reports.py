"""`switchboard report sla` and `switchboard export`."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.settings import read
from bot.wiring import records
from domain import tickets
from domain.accounts import Person
from domain.agenda import ended, next_look
from domain.channels import Channel
from domain.tickets import Draft, FileRef
from store.numbers import Change
from store.tickets import Filed
from tests.cli.conftest import Run

CANARY = "https://files.example.com/secret"
SAM = Person(id="sam", name="Sam", specialist=True)


async def answered(*minutes: int) -> None:
    """Chats of Max, each answered after so many minutes."""
    async with records(read({}, None)) as kept:
        held = await kept.accounts.get("acme")
        assert held is not None
        max_ = held.account.person("max")
        assert max_ is not None
        now = datetime.now(UTC)
        for took in minutes:
            number = await kept.tickets.number(held)
            file = FileRef(id="f", name="a.png", ref=CANARY)
            draft = Draft(Channel.CHAT, "en", "Nobody hears me", "Since nine", files=(file,))
            after = tickets.create(number, held.account, max_, draft, now)
            await kept.tickets.create(held, after, Change(None, "max", now), next_look(held.account, after.ticket))
            found = await kept.tickets.get(held, number)
            assert isinstance(found, Filed)
            at = now + timedelta(minutes=took)
            reply = tickets.reply_desk(found.ticket, SAM, "Here", (), at)
            made = ended(held.account, found.ticket, reply.ticket, at)
            assert made is not None
            made = made._replace(at=now, kept=took < 5, took=float(took))  # whatever the hour of this test is
            await kept.tickets.replace(held, found, reply, "replied", Change(None, "sam", at), None, outcome=made)


def test_promises_are_told_by_kind_channel_and_person(run: Run, applied: Path) -> None:
    asyncio.run(answered(1, 2, 3, 30))
    said = run("report", "sla", "acme")
    assert said.status == 0
    assert "3 kept, 1 broken" in said.out.splitlines()[0]
    assert {"first response", "chat", "sam"} <= {line.split("  ")[0].strip() for line in said.out.splitlines()}
    assert "█" in said.out
    data = json.loads(run("report", "sla", "acme", "--json").out)
    assert data["by_channel"] == [{"name": "chat", "kept": 3, "broken": 1, "neither": 0, "median": 2.0, "most": 30.0}]


def test_a_month_without_promises_says_so(run: Run, applied: Path) -> None:
    assert "2020-01: no promise has ended" in run("report", "sla", "acme", "--month", "2020-01").out


@pytest.mark.parametrize(
    ("args", "why"),
    [(("acme", "--month", "May"), "is no month"), (("acmee",), "did you mean"), ((), "Missing argument")],
)
def test_a_wrong_report_is_refused(run: Run, applied: Path, args: tuple[str, ...], why: str) -> None:
    assert why in run("report", "sla", *args).refused()


def test_an_export_is_every_ticket_with_its_timeline(run: Run, applied: Path) -> None:
    asyncio.run(answered(1, 2))
    said = run("export", "acme").out
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row["ticket"]["number"] for row in rows] == [1, 2]
    assert [message["text"] for message in rows[0]["timeline"]] == ["Since nine", "Here"]
    assert CANARY not in said, "what opens a file by itself stays here"
    assert "there is no account" in run("export", "nobody").refused()
