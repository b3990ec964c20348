"""What is kept of an account: reported, exported, and taken out again, by the command line."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.settings import read_settings
from bot.wiring import Repositories, open_repositories
from domain.support import desk
from domain.support import tickets as life
from domain.support.channels import Channel
from domain.support.desk import find_ended_promise, next_action_at
from domain.support.ticket import FileRef, Origin, Ticket, TicketChange, TicketDraft
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change
from store.engine.values import Versioned
from tests import ROOT, present
from tests.bot.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("applied")

SAM = "      - {id: sam, name: Sam, slack: U9, seat: core, specialist: true}\n"


class Seed:
    """Writes tickets as a bot that served would have."""

    def __init__(self, kept: Repositories, snapshot: AccountSnapshot) -> None:
        self.kept, self.snapshot = kept, snapshot

    async def create(self, who: str, overview: str, at_days: int = 1) -> Versioned[Ticket]:
        person = present(self.snapshot.account.person(who))
        self.now = datetime.now(UTC) - timedelta(days=at_days)
        where = Origin(platform="slack", workspace="T1", user="U2")
        file = FileRef(id="F1", name="a.png", ref="https://files.example.com/secret")
        draft = TicketDraft(
            Channel.CHAT, "en", overview, "It is a kumquat.", email="max@example.com", where=where, files=(file,)
        )
        number = await self.kept.tickets.take_number(self.snapshot)
        after = life.create(number, self.snapshot.account, person, draft, self.now)
        change = Change(None, person.id, self.now)
        await self.kept.tickets.create(
            self.snapshot, after, change, next_action_at(self.snapshot.account, after.ticket)
        )
        return await self.filed(number)

    async def filed(self, number: int) -> Versioned[Ticket]:
        return present(await self.kept.tickets.get(self.snapshot, number))

    async def replace(self, before: Versioned[Ticket], after: TicketChange, minutes: int) -> Versioned[Ticket]:
        account, at = self.snapshot.account, self.now + timedelta(minutes=minutes)
        done = find_ended_promise(account, before.value, after.ticket, at)
        wake = next_action_at(account, after.ticket)
        await self.kept.tickets.replace(
            self.snapshot, before, after, "ticket.changed", Change(None, "sam", at), wake, outcome=done
        )
        return await self.filed(before.value.number)


def seed(tickets: int, who: str = "max", at_days: int = 1) -> None:
    """Tickets by chat, each answered by Sam and closed."""

    async def run() -> None:
        async with open_repositories(read_settings()) as kept:
            snapshot = present(await kept.accounts.get("acme"))
            sam, person = snapshot.account.person("sam"), snapshot.account.person(who)
            assert sam is not None
            assert person is not None
            work = Seed(kept, snapshot)
            for n in range(tickets):
                filed = await work.create(who, f"drosophila {n}", at_days)
                at = work.now + timedelta(minutes=3)
                filed = await work.replace(filed, desk.reply_desk(filed.value, sam, "Hello Max", (), at), 3)
                await work.replace(filed, life.close_person(filed.value, person, at), 4)

    asyncio.run(run())


@pytest.fixture
def staffed(run: Run, applied: Path) -> Path:
    """With a specialist, open around the clock."""
    hours = ", ".join(f'{day}: "00:00-24:00"' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    more = f"{SAM}    hours: {{{hours}}}\n    inventory"
    text = applied.read_text().replace("    inventory", more)
    applied.write_text(text)
    said = run("accounts", "apply", str(applied))
    assert said.status == 0, said.err
    return applied


def test_a_report_of_promises(run: Run, staffed: Path) -> None:
    assert run("report", "sla", "acme").out.endswith("no promise ended\n")
    seed(4)
    said = run("report", "sla")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].endswith("4 promises ended")
    assert lines[1] == "all: 4 kept, 0 broken, 0 not waited for"
    (sam,) = [line for line in lines if line.startswith("Sam")]
    assert sam.split() == ["Sam", "4", "0", "0", "█" * 20, "100", "%", "3.0", "min", "3.0", "min"]
    data = json.loads(run("report", "sla", "acme", "--json").out)
    assert data["kinds"]["first_response"] == {
        "kept": 4,
        "broken": 0,
        "left": 0,
        "first_response": {"count": 4, "median": 3.0, "p90": 3.0},
    }
    assert [(p["person"], p["name"], p["kept"]) for p in data["people"]] == [("sam", "Sam", 4)]
    early = run("report", "sla", "acme", "--from", "2026-01-01", "--to", "2026-01-31")
    assert early.out.strip() == "acme, 2026-01-01 to 2026-01-31: no promise ended"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("report", "sla", "acne"), "did you mean “acme”"),
        (("report", "sla", "acme", "--from", "yesterday"), "--from must be a day such as 2026-11-02"),
        (("report", "sla", "acme", "--from", "2026-02-02", "--to", "2026-02-01"), "--from 2026-02-02 is after"),
        (("report", "sla", "acme", "--from", "2999-02-02"), "in the future"),
        (("people", "erase", "acme", "nobody"), "acme has no person “nobody”"),
        (("people", "erase", "acne", "max"), "did you mean “acme”"),
        (("people", "erase", "acme"), "Missing argument"),
        (("export", "acne"), "did you mean “acme”"),
        (("export", "acme", "/nowhere/x"), "can't be written"),
    ],
)
def test_wrong_calls_are_one_line(run: Run, call: tuple[str, ...], expected: str) -> None:
    assert expected.replace("“", '"').replace("”", '"') in run(*call).refused().replace("“", '"').replace("”", '"')


def test_everything_comes_as_lines(run: Run, staffed: Path) -> None:
    seed(3)
    assert run("blocklist", "export", "acme").status == 0
    Path("b.csv").write_text("number\n+441214960777\n")
    Path("n.csv").write_text("number,assigned_to\n+442079460900,max\n")
    assert run("blocklist", "import", "acme", "b.csv").status == 0
    assert run("numbers", "import", "acme", "n.csv").status == 0
    said = run("export", "acme", "out.jsonl")
    assert (said.status, said.out) == (0, "")
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["ticket"] == 3
    assert kinds["message"] == 9  # each: asked, answered, closed
    assert kinds["promise"] == 3
    assert (kinds["number"], kinds["number_event"], kinds["blocklist_entry"]) == (1, 1, 1)
    assert lines[0]["account"]["id"] == "acme"
    assert "files.example.com" not in Path("out.jsonl").read_text()  # what opens a file by itself stays here
    assert lines[-1]["kind"] == "end"
    assert sum(lines[-1]["lines"].values()) == len(lines) - 1
    documented = (ROOT / "docs" / "export.md").read_text()
    assert [kind for kind in kinds if f"| `{kind}` |" not in documented] == []
    assert run("export", "acme").out.splitlines()[:2] == Path("out.jsonl").read_text().splitlines()[:2]
    assert not Path("out.jsonl.part").exists()


def test_erased_and_again(run: Run, staffed: Path) -> None:
    seed(2)
    said = run("people", "erase", "acme", "max")
    assert said.status == 0
    assert said.out.startswith("acme: 2 tickets and ")
    assert said.err.strip().endswith("take them out of it and apply it again")
    assert run("people", "erase", "acme", "max").out.startswith("acme: 0 tickets and 0 messages emptied")
    data = json.loads(run("report", "sla", "acme", "--json").out)
    assert (data["total"]["kept"], data["people"][0]["kept"]) == (2, 2)


def test_who_is_no_longer_listed_is_erased_by_the_id_they_had(run: Run, staffed: Path) -> None:
    seed(1)
    lines = [line for line in staffed.read_text().splitlines(keepends=True) if "id: max," not in line]
    staffed.write_text("".join(lines))
    assert run("accounts", "apply", str(staffed)).status == 0
    said = run("people", "erase", "acme", "max")
    assert said.out.startswith("acme: 1 ticket and ")
    assert said.err == ""
    assert words_left(run) == []
    # Nobody else goes for a name that begins like theirs.
    assert "no person" in run("people", "erase", "acme", "max").refused()
    assert "maxine" in run("accounts", "show", "acme").out


def words_left(run: Run) -> list[str]:
    out = run("export", "acme").out
    return [word for word in ("drosophila", "kumquat", 'Max"', "Hello Max", "max@example.com", '"U2"') if word in out]


def test_killed_at_any_time_it_goes_on(run: Run, staffed: Path, tmp_path: Path) -> None:
    """kill -9 again and again: the next start goes on where it was, and in the end nothing is left."""
    seed(150)
    lines = [line for line in staffed.read_text().splitlines(keepends=True) if "id: max," not in line]
    command = [sys.executable, "-m", "bot", "people", "erase", "acme", "max"]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    kills = 0
    for wait in (0.6, 0.7, 0.8, 0.9):
        child = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.wait(20)
    assert kills > 0
    assert run("people", "erase", "acme", "max").status == 0
    staffed.write_text("".join(lines))
    assert run("accounts", "apply", str(staffed)).status == 0
    assert words_left(run) == []
