"""What goes by itself: old tickets, and an erasure that nobody ended."""

from datetime import timedelta
from typing import Any

import pytest

from domain.support import desk
from domain.support import tickets as life
from handlers.admin.erasure import ErasureRunner
from handlers.support.retention import AT_ONCE, RetentionJob, erasure_redraw
from handlers.support.ticket_job import TicketJob as TicketClock
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.deadlines import Deadline, Deadlines
from store.engine.posts import Ledger, MessageRef, Posts, record_messages
from store.privacy.erasure import ERASE, Erasure
from store.server.connection import Store
from store.support.promise_records import PromiseRecords
from store.support.ticket_reads import KIND
from store.support.tickets import RETENTION, RETIME, Tickets
from tests.handlers.world import PEOPLE, WORKSPACE, World, company
from tests.servers import Cluster, Farm
from tests.store.privacy.test_erasing import scanned
from tests.store.support.test_tickets import LENA, SAM, Office


@pytest.fixture
async def office(store: Store) -> Office:
    world = World(store)
    world.cell = Cell(store, "command", 1, lambda _tag, _conv: None)
    await world.apply(company(people=[*PEOPLE, SAM, LENA]))
    return Office(world, await world.snapshot())


async def work(office: Office) -> int:
    """Deadlines that have come, done by a process; how many that were."""
    world = office.world
    deadlines = Deadlines(world.store, lambda: world.now)
    erasing = Erasure(world.cell, world.numbers, Posts(world.cell), erasure_redraw(lambda: world.now))
    RetentionJob(world.services(), deadlines).register()
    ErasureRunner(world.services(), deadlines, erasing).register()
    done = 0
    while found := await deadlines._take(office.snapshot.tag):
        for due in found:
            done += 1
            await deadlines._handlers[due.kind](due)
    return done


async def keep(office: Office, days: int | None) -> None:
    await office.world.apply(company(people=[*PEOPLE, SAM, LENA], retention_days=days))
    office.snapshot = await office.world.snapshot()


async def closed(office: Office, count: int) -> None:
    sam, max_ = office.person("sam"), office.person("max")
    for _ in range(count):
        filed = await office.create("max", "The piano")
        await office.replace(filed, desk.reply_desk(filed.value, sam, "Tuned", (), office.world.now))
        filed = await office.filed(filed.value.number)
        await office.replace(filed, life.close_person(filed.value, max_, office.world.now))


async def test_tickets_closed_before_the_rule_go_in_steps_and_still_count(office: Office) -> None:
    await closed(office, AT_ONCE + 3)
    filed = await office.create("max", "Still open")
    await office.tickets.star(office.snapshot, office.person("max"), 2, True, office.change())
    place = MessageRef("slack", WORKSPACE, "CDESK:1.1")
    plan = Plan(office.snapshot)
    record_messages(
        plan,
        [
            ("ticket:2:desk", place),
            *((f"ticket:2:m{n}:desk", MessageRef("slack", WORKSPACE, f"CDESK:2.{n}")) for n in range(700)),
        ],
    )
    await office.world.cell.commit(plan)
    await keep(office, 30)
    await office.tickets.schedule_retention(office.snapshot, office.world.now)
    assert await work(office) == 1  # nothing is old enough
    office.world.now += timedelta(days=30)
    assert await work(office) == 1
    assert len([f async for f in office.tickets.walk(office.snapshot)]) == 4
    office.world.now += timedelta(seconds=3)
    assert await work(office) == 1
    assert [f.value.number async for f in office.tickets.walk(office.snapshot)] == [filed.value.number]
    call = office.world.store.call
    assert await call("HLEN", office.snapshot.keys.tickets) == 1
    assert await call("EXISTS", office.snapshot.keys.timeline(2)) == 0
    assert await call("EXISTS", office.snapshot.keys.posts("ticket:2")) == 0
    assert await call("HLEN", office.snapshot.keys.posted) == 0
    assert await call("EXISTS", office.snapshot.keys.inbox("max", "fav")) == 0
    found = await office.tickets.find(office.snapshot, office.person("ada"), "piano", everyone=True, offset=0, count=5)
    assert found.total == 0
    rows = PromiseRecords(office.world.cell)
    assert len([row async for row in rows.in_month(office.snapshot, "2026-11")]) == AT_ONCE + 3
    assert await rows.count_removed(office.snapshot, "2026-11") == AT_ONCE + 3


class Late(Tickets):
    """While the posts of a ticket are forgotten, a sender notes where one more is."""

    late = True

    async def _forget_posts(self, snapshot: AccountSnapshot, number: int) -> bool:
        some = await super()._forget_posts(snapshot, number)
        if not some and self.late:
            self.late = False
            place = MessageRef("slack", WORKSPACE, "CDESK:late.1")
            await Ledger(self._cell.store).record(snapshot.tag, "acme", f"ticket:{number}:m9:desk", place)
        return some


async def test_nothing_leads_to_a_dropped_tickets_posts_or_from_them(
    office: Office, farm: Farm, request: pytest.FixtureRequest
) -> None:
    await closed(office, 2)
    ledger, tag = Ledger(office.world.store), office.snapshot.tag
    for n in range(450):
        for number in (1, 2):
            place = MessageRef("slack", WORKSPACE, f"CDESK:{number}.{n}")
            await ledger.record(tag, "acme", f"ticket:{number}:m{n}:desk", place)
    filed = await office.filed(1)
    await Late(office.world.cell).drop(office.snapshot, filed, None, office.change())
    running = farm.get(request.node.callspec.params["store"])
    servers = running.nodes if isinstance(running, Cluster) else [running]
    names = {name.decode() for server in servers for name in scanned(server)}
    assert office.snapshot.keys.posts("ticket:1") not in names
    assert office.snapshot.keys.timeline(1) not in names
    back = await office.world.store.call("HGETALL", office.snapshot.keys.posted)
    assert len(back) == 450, "the other ticket's"
    assert {value for value in back.values() if value.startswith(b"ticket:1:")} == set()
    due = await office.world.store.call("ZRANGE", keys.due(tag), 0, -1)
    assert f"{KIND}|acme|1".encode() not in due


async def test_without_a_rule_nothing_goes(office: Office) -> None:
    await closed(office, 1)
    await office.tickets.schedule_retention(office.snapshot, office.world.now)
    office.world.now += timedelta(days=3_000)
    assert await work(office) == 1
    assert await work(office) == 0
    assert (await office.filed(1)).value.number == 1


async def test_an_erasure_that_nobody_ended_is_ended(office: Office) -> None:
    await closed(office, 3)
    erasing = Erasure(
        office.world.cell, office.world.numbers, Posts(office.world.cell), erasure_redraw(lambda: office.world.now)
    )
    kept: Any = await erasing.begin(office.snapshot, ("max", "slack:UMAX"), ("Max Miller",), office.world.now)
    await erasing.step(office.snapshot, kept, office.world.now)  # and the command is killed
    assert await work(office) == 0
    office.world.now += timedelta(minutes=2)
    for _ in range(20):
        if not await erasing.under_way(office.snapshot):
            break
        await work(office)
        office.world.now += timedelta(seconds=90)
    assert not await erasing.under_way(office.snapshot)
    assert (await office.filed(3)).value.name == "—"
    due = await office.world.store.call("ZRANGE", keys.due(office.snapshot.tag), 0, -1)
    assert not [d for d in due if d.decode().startswith((f"{ERASE}|", f"{RETENTION}|", f"{KIND}|"))]


class Process:
    """One that does all that is due of tickets."""

    def __init__(self, office: Office) -> None:
        world = office.world
        self.office, self.deadlines = office, Deadlines(world.store, lambda: world.now)
        services = world.services()
        erasing = Erasure(world.cell, world.numbers, Posts(world.cell), erasure_redraw(lambda: world.now))
        RetentionJob(services, self.deadlines).register()
        ErasureRunner(services, self.deadlines, erasing).register()
        TicketClock(services, self.deadlines).register()

    async def take(self) -> list[Deadline]:
        return list(await self.deadlines._take(self.office.snapshot.tag))

    async def fire(self, found: list[Deadline]) -> None:
        for due in found:
            await self.deadlines._handlers[due.kind](due)

    async def work(self) -> None:
        while found := await self.take():
            await self.fire(found)


@pytest.fixture
async def retiming(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Five closed tickets and an open one, of an account whose first rule has just come, looked at two at a time."""
    monkeypatch.setattr("handlers.support.ticket_job.RETIMED", 2)
    await closed(office, 5)
    await office.create("max", "Still open")
    await Process(office).work()
    await keep(office, 30)
    return office


async def shorter(office: Office) -> None:
    """A week instead of a month, and that week is over."""
    await keep(office, 7)
    await office.tickets.schedule_retention(office.snapshot, office.world.now)
    office.world.now += timedelta(days=7, minutes=1)


async def gone_once(office: Office) -> None:
    assert [f.value.number async for f in office.tickets.walk(office.snapshot)] == [6]
    assert await PromiseRecords(office.world.cell).count_removed(office.snapshot, "2026-11") == 5
    due = {str(d, "utf-8") for d in await office.world.store.call("ZRANGE", keys.due(office.snapshot.tag), 0, -1)}
    assert not due & {f"{KIND}|acme|{n}" for n in range(1, 6)}
    assert not [d for d in due if d.startswith(f"{KIND}|acme|{RETIME}")]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("stretch", [1, 2, 3])
async def test_killed_while_tickets_are_retimed_and_a_shorter_rule_comes(
    retiming: Office, monkeypatch: pytest.MonkeyPatch, stretch: int, committed: bool
) -> None:
    office, done, retime = retiming, 0, Tickets.reschedule

    async def dies(*args: Any) -> None:
        nonlocal done
        done += 1
        if done == stretch and not committed:
            raise KeyboardInterrupt
        await retime(*args)
        if done == stretch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Tickets, "reschedule", dies)
        with pytest.raises(KeyboardInterrupt):
            await Process(office).work()
    await shorter(office)
    await Process(office).work()
    await gone_once(office)


async def test_who_lost_the_lease_while_a_shorter_rule_came_does_nothing(retiming: Office) -> None:
    office = retiming
    late = Process(office)
    found = await late.take()
    assert [due.name for due in found] == [RETIME]
    await shorter(office)
    other = Process(office)
    mine = await other.take()
    stale = [*found, *await Process(office).take()]
    await other.fire(mine)
    await late.fire(stale)  # it wakes up, and finds that it is somebody else's, or done
    await other.work()
    office.world.now += timedelta(minutes=5)
    await late.fire([*stale, *mine])
    await other.work()
    await gone_once(office)
