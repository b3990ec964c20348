"""Processes that tell stages of promises are killed, again and again: each stage is told once, in order, and its line
stands once in the desk's thread."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import orjson
import pytest

from domain.accounts.account import Account
from domain.support.channels import Channel
from domain.support.desk import next_action_at
from domain.support.ticket import Origin, TicketDraft
from domain.support.tickets import create
from handlers.support import ticket_changes
from playground.server import serve
from playground.slack.find import visible_text
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel as Room
from playground.slack.world import Message, User
from playground.slack.world import World as SlackWorld
from store.engine import keys
from store.engine.accounts import Accounts, AccountSnapshot
from store.engine.commit import Cell, Change
from store.engine.outbox import Outbox, OutboxStats, new_owner
from store.server.connection import Store
from store.support.tickets import Tickets
from tests import present
from tests.bot.slack.peer import MANIFEST, SCOPES, SECRET
from tests.faults.crowd import Crowd
from tests.faults.teller import moved, services
from tests.handlers.world import NOW, company
from tests.servers import Farm

ACCOUNTS: Final = 8
TICKETS: Final = 125  # of an account
PROCESSES: Final = 4
KILLS: Final = 8
MINUTES: Final = 60  # promised
SPEED: Final = 360.0  # so that those are ten seconds
STAGES: Final = ("stage_half", "stage_warning", "stage_breach")
EVENTS: Final = (
    *STAGES,
    "climbed",
)  # a breach tells the policy's first level, which is told once more, ten minutes later
LINES: Final = ("Half of", "Four fifths", "missed", "level 1, round 2")  # what the thread says of each
PATIENCE: Final = 60.0
TELLER: Final = "tests.faults.teller"


def firm(n: int) -> Account:
    """An account with a desk, which promises an answer within the hour."""
    return company(
        id=f"firm{n}",
        inventory=[],
        promises={"email": MINUTES},
        workspaces=[{"platform": "slack", "id": f"T{n}"}],
        desk={"platform": "slack", "workspace": f"T{n}", "channel": f"C{n}"},
        escalation={"levels": [{"people": ["sam"], "minutes": 10}]},
        people=[
            {"id": "max", "name": "Max", "slack": f"UMAX{n}", "seat": "sales"},
            {"id": "sam", "name": "Sam", "slack": f"USAM{n}", "seat": "core", "specialist": True},
        ],
    )


@asynccontextmanager
async def slack() -> AsyncIterator[PretendSlack]:
    world = SlackWorld()
    for n in range(ACCOUNTS):
        world.add_workspace(f"T{n}", f"Firm {n}", scopes=SCOPES, bot_name="Switchboard")
        for name in ("max", "sam"):
            world.add_user(User(f"U{name.upper()}{n}", f"T{n}", f"{name}{n}", name.title(), f"{name}{n}@example.com"))
        world.add_channel(Room(f"C{n}", f"T{n}", f"desk{n}", [f"USAM{n}"]))
    pretend = PretendSlack(
        world, MANIFEST, events_url="http://127.0.0.1:9/slack/events", signing_secret=SECRET, limited=False
    )
    async with serve(pretend):
        yield pretend
    assert pretend.journal.refused() == []


class Firms:
    """The accounts on a store, and their tickets."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.helds: list[AccountSnapshot] = []
        # What is said is left to the processes: this lease is over at once.
        self.cell = Cell(store, "test", 1, lambda _tag, _conversation: None)
        self.tickets = Tickets(self.cell)
        self.services = services(store, self.cell, lambda: now)

    async def open(self, pretend: PretendSlack) -> None:
        accounts = Accounts(self.store)
        # Long before, so that no card is drawn for that.
        await accounts.apply([firm(n) for n in range(ACCOUNTS)], NOW - timedelta(days=1))
        for n in range(ACCOUNTS):
            snapshot = present(await accounts.get(f"firm{n}"))
            self.helds.append(snapshot)
            install = {"token": pretend.world.workspaces[f"T{n}"].token, "at": 0.0}
            await self.store.call("SET", keys.dir_install("slack", f"T{n}"), orjson.dumps(install))

    async def write(self, n: int, now: datetime) -> None:
        """A ticket by email, as the form makes one."""
        snapshot = self.helds[n]
        person = present(snapshot.account.person("max"))
        draft = TicketDraft(
            channel=Channel.EMAIL,
            language="en",
            overview="Nobody can log in",
            description="All of us, since nine.",
            email="max@example.com",
            where=Origin(platform="slack", workspace=f"T{n}", user=f"UMAX{n}"),
        )
        number = await self.tickets.take_number(snapshot)
        after = create(number, snapshot.account, person, draft, now)
        effects = await ticket_changes.build_effects(self.services, snapshot, after, f"made {n} {number}", now)
        change = Change(f"made {n} {number}", person.id, now, "", tuple(effects))
        await self.tickets.create(snapshot, after, change, next_action_at(snapshot.account, after.ticket))

    async def told(self) -> list[tuple[str, ...]]:
        """Of each ticket, the stages that its timeline has."""
        found = []
        for snapshot in self.helds:
            async for filed in self.tickets.walk(snapshot):
                entries = await self.tickets.timeline(snapshot, filed.value, 100)
                found.append(tuple(e.value.what for e in entries if e.value.kind == "event"))
        return found

    async def audited(self) -> int:
        """Stages that were committed."""
        found = 0
        for snapshot in self.helds:
            rows = await self.store.call("XRANGE", snapshot.keys.audit, "-", "+")
            found += sum(orjson.loads(row[1])["what"] == "ticket.stage" for _, row in rows)
        return found

    async def waiting(self) -> int:
        """Deadlines of tickets that are still to come, or to be met."""
        return sum([await self.store.call("ZCARD", keys.due(tag)) for tag in {snapshot.tag for snapshot in self.helds}])


async def over(firms: Firms, outbox: Outbox) -> None:
    """Waits until everything is told and sent."""
    async with asyncio.timeout(PATIENCE):
        while await firms.waiting() or (await outbox.stats()).depth:  # noqa: ASYNC110 # in other processes
            await asyncio.sleep(0.2)


def threads(pretend: PretendSlack, n: int) -> dict[str, list[Message]]:
    """What stands below each card of a desk, in order."""
    rows = pretend.world.messages[f"C{n}"]
    cards = [row.ts for row in rows if not row.thread_ts or row.thread_ts == row.ts]
    return {card: [row for row in rows if row.thread_ts == card and row.ts != card] for card in cards}


def in_order(lines: list[Message]) -> bool:
    """Whether they say each stage and step once, in order."""
    return len(lines) == len(LINES) and all(part in visible_text(line) for part, line in zip(LINES, lines, strict=True))


async def agree(firms: Firms, pretend: PretendSlack, outbox: Outbox, each: int) -> None:
    """Each stage once on its timeline, once in the books, once in the desk's thread; nothing was given up."""
    assert await firms.told() == [EVENTS] * each * ACCOUNTS
    assert await firms.audited() == len(STAGES) * each * ACCOUNTS
    for n in range(ACCOUNTS):
        found = threads(pretend, n)
        assert len(found) == each
        assert all(in_order(lines) for lines in found.values())
    assert await outbox.stats() == OutboxStats(0, 0.0, 0)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_kills_lose_no_stage_and_tell_none_twice(farm: Farm) -> None:
    dice = random.Random(18)  # no secret
    url = farm.fresh("embedded")
    store = await Store.open(url)
    outbox = Outbox(store, {}, owner=new_owner())
    since = time.time()
    now = moved(since, SPEED)
    async with slack() as pretend:
        firms = Firms(store, NOW)
        await firms.open(pretend)
        crowd = Crowd(TELLER, url, pretend.api_url, since, SPEED, patience=8)
        try:
            for _ in range(PROCESSES):
                await crowd.start()
            for _ in range(TICKETS):
                for n in range(ACCOUNTS):
                    await firms.write(n, now())
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.5, 1.5))
                await crowd.kill(dice.choice(crowd.living))
                await crowd.start()
            await over(firms, outbox)
            codes = await crowd.end()
        finally:
            await crowd.end()
        await agree(firms, pretend, outbox, TICKETS)
        for n in range(ACCOUNTS):
            # Each line to a person once too; it is looked for among the latest, so a kill may repeat one.
            told = [visible_text(m) for m in pretend.world.messages[f"DSAM{n}"]]
            lines = 2 * TICKETS  # the breach, and the policy's second round
            assert len(set(told)) == lines
            assert len(told) <= lines + KILLS
    assert codes == [0] * PROCESSES
    await store.aclose()


@pytest.mark.slow
async def test_all_were_dead_over_several_stages_and_one_catches_up_in_order(farm: Farm) -> None:
    each = 5
    url = farm.fresh("embedded")
    store = await Store.open(url)
    outbox = Outbox(store, {}, owner=new_owner())
    async with slack() as pretend:
        firms = Firms(store, NOW)
        await firms.open(pretend)
        for n in range(ACCOUNTS):
            for _ in range(each):
                await firms.write(n, NOW)
        # The clock stands three hours later.
        crowd = Crowd(TELLER, url, pretend.api_url, time.time() - 3 * 3600 / SPEED, SPEED, patience=8)
        try:
            await crowd.start()
            await over(firms, outbox)
            assert await crowd.end() == [0]
        finally:
            await crowd.end()
        await agree(firms, pretend, outbox, each)
    await store.aclose()
