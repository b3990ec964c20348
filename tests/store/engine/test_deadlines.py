"""Deadlines on real servers: taken once, in order, taken over from the dead, fenced."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import LEASE_LOST, Cell, GuardFailed, Plan
from store.engine.deadlines import Deadline, Deadlines, next_deadline
from store.engine.sweep import Sweep
from store.server.connection import Store
from tests.handlers.world import NOW
from tests.servers import eventually


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def cell(store: Store, deadlines: Deadlines | None = None) -> Cell:
    return Cell(
        store, "test", 15_000, lambda _tag, _conv: None, deadlines.sweep_cell if deadlines else lambda _tag: None
    )


async def waiting(store: Store, snapshot: AccountSnapshot) -> dict[str, int]:
    rows = await store.call("ZRANGE", keys.due(snapshot.tag), 0, -1, "WITHSCORES")
    return {name.decode(): int(score) for name, score in rows}


async def test_what_has_come_is_acted_on_in_order_and_what_has_not_stays(
    store: Store, snapshot: AccountSnapshot
) -> None:
    clock, met = Clock(), []
    deadlines = Deadlines(store, clock, at_once=1)

    async def fire(due: Deadline) -> None:
        met.append((due.name, due.at))
        await deadlines.settle(due)

    deadlines.on("test", fire)
    plan = Plan(snapshot)
    times = {name: NOW + timedelta(seconds=s) for name, s in (("late", 30), ("first", -20), ("second", -10))}
    for name, at in times.items():
        plan.set_deadline("test", name, at)
    await cell(store).commit(plan)
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(met) == 2, "both are met")
    assert met == [("first", times["first"]), ("second", times["second"])]
    clock.later(31)
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(met) == 3, "the third is met")
    assert await waiting(store, snapshot) == {}
    await deadlines.drain(1)


async def test_what_is_about_to_come_is_taken_when_its_time_is_there(store: Store, snapshot: AccountSnapshot) -> None:
    late: dict[str, float] = {}
    deadlines = Deadlines(store, lambda: datetime.now(UTC))

    async def fire(due: Deadline) -> None:
        late[due.name] = (datetime.now(UTC) - due.at).total_seconds()
        await deadlines.settle(due)

    deadlines.on("test", fire)
    first = datetime.now(UTC) + timedelta(seconds=0.3)
    plan = Plan(snapshot)
    for n in range(3):
        plan.set_deadline("test", str(n), first + timedelta(seconds=0.2 * n))
    await cell(store).commit(plan.set_deadline("test", "far", first + timedelta(hours=1)))
    # The sweep says when the first one comes, once; a look before that finds nothing, and loses nothing.
    deadlines.sweep_cell(snapshot.tag, str(int(first.timestamp() * 1000)))
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(late) == 3, "all three")
    assert all(0 <= seconds < 5 for seconds in late.values()), late
    assert set(await waiting(store, snapshot)) == {"test|acme|far"}
    await deadlines.drain(1)
    assert not deadlines._timers


async def test_the_sweep_tells_of_a_deadline_before_it_comes(store: Store, snapshot: AccountSnapshot) -> None:
    told: list[tuple[str, str]] = []
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await cell(store).commit(
        Plan(snapshot).set_deadline("test", "soon", soon).set_deadline("test", "later", soon + timedelta(hours=1))
    )
    sweep = Sweep(
        store,
        "me",
        {"due|": lambda tag, first: told.append((tag, first))},
        period=0.6,
        life=3,
        clock=lambda: int(datetime.now(UTC).timestamp() * 1000),
    )
    task = asyncio.create_task(sweep.run())
    await eventually(lambda: told, "it is told")
    sweep.stop()
    await task
    assert set(told) == {(snapshot.tag, str(int(soon.timestamp() * 1000)))}
    assert datetime.now(UTC) < soon


async def test_a_commit_with_a_deadline_that_has_come_acts_on_it_at_once(
    store: Store, snapshot: AccountSnapshot
) -> None:
    deadlines, met = Deadlines(store, Clock()), asyncio.Event()

    async def fire(due: Deadline) -> None:
        await deadlines.settle(due)
        met.set()

    deadlines.on("test", fire)
    await cell(store, deadlines).commit(Plan(snapshot).set_deadline("test", "now", NOW, soon=True))
    async with asyncio.timeout(10):
        await met.wait()
    await deadlines.drain(1)


async def test_many_processes_act_on_each_once(store: Store, snapshot: AccountSnapshot) -> None:
    clock, met = Clock(), []
    crowd = [Deadlines(store, clock) for _ in range(4)]
    for one in crowd:

        async def fire(due: Deadline, one: Deadlines = one) -> None:
            await asyncio.sleep(0)
            if await one.settle(due):
                met.append(due.name)

        one.on("test", fire)
    for start in range(0, 300, 100):
        plan = Plan(snapshot)
        for n in range(start, start + 100):
            plan.set_deadline("test", str(n), NOW)
        await cell(store).commit(plan)
    for one in crowd:
        one.sweep_cell(snapshot.tag)
    await eventually(lambda: len(met) >= 300, "all are met")
    assert sorted(met, key=int) == [str(n) for n in range(300)]
    await asyncio.gather(*(one.drain(1) for one in crowd))


async def test_the_dead_are_taken_over_from_and_change_nothing_afterwards(
    store: Store, snapshot: AccountSnapshot
) -> None:
    clock, taken = Clock(), []
    slow, quick = Deadlines(store, clock), Deadlines(store, clock)
    changes = cell(store)

    async def hangs(due: Deadline) -> None:
        taken.append(due)
        await asyncio.sleep(60)

    mark = snapshot.keys.names

    async def acts(due: Deadline) -> None:
        taken.append(due)
        await changes.commit(Plan(snapshot).meet_deadline(due).write("HSET", mark, "who", "quick"))

    slow.on("test", hangs)
    quick.on("test", acts)
    await changes.commit(Plan(snapshot).set_deadline("test", "it", NOW))
    slow.sweep_cell(snapshot.tag)
    await eventually(lambda: len(taken) == 1, "it is taken")
    quick.sweep_cell(snapshot.tag)
    await asyncio.sleep(0.05)
    assert len(taken) == 1  # a lease runs
    clock.later(16)
    quick.sweep_cell(snapshot.tag)
    await eventually(lambda: len(taken) == 2, "it is taken over")
    assert await store.call("HGET", mark, "who") == b"quick"
    with pytest.raises(GuardFailed) as failed:
        await changes.commit(Plan(snapshot).meet_deadline(taken[0]).write("HSET", mark, "who", "slow"))
    assert failed.value.guard == LEASE_LOST
    assert not await slow.settle(taken[0], NOW)
    assert await waiting(store, snapshot) == {}
    await asyncio.gather(slow.drain(0), quick.drain(1))


async def test_a_lease_is_renewed_by_its_holder_alone(store: Store, snapshot: AccountSnapshot) -> None:
    clock = Clock()
    deadlines = Deadlines(store, clock)
    seen: list[Deadline | None] = []

    async def long(due: Deadline) -> None:
        clock.later(10)
        renewed = await deadlines.renew(due)
        seen.extend([renewed, await deadlines.renew(due)])
        assert renewed is not None
        await deadlines.settle(renewed, NOW + timedelta(hours=1))

    deadlines.on("test", long)
    await cell(store).commit(Plan(snapshot).set_deadline("test", "it", NOW))
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(seen) == 2, "it is renewed")
    assert seen[0] is not None
    assert seen[1] is None
    await deadlines.drain(1)
    assert await waiting(store, snapshot) == {"test|acme|it": int((NOW + timedelta(hours=1)).timestamp() * 1000)}


async def test_what_fails_comes_again_after_its_lease(store: Store, snapshot: AccountSnapshot) -> None:
    clock, tries = Clock(), []
    deadlines = Deadlines(store, clock)

    async def fails(due: Deadline) -> None:
        tries.append(due)
        if len(tries) == 1:
            raise RuntimeError("for the test")
        await deadlines.settle(due)

    deadlines.on("test", fails)
    await cell(store).commit(Plan(snapshot).set_deadline("test", "a|b", NOW))
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(tries) == 1, "it is tried")
    await asyncio.sleep(0.02)
    clock.later(15)
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: len(tries) == 2, "it is tried again")
    assert tries[1].name == "a|b"
    await deadlines.drain(1)


async def test_stopping_gives_back_what_is_not_done(store: Store, snapshot: AccountSnapshot) -> None:
    clock, taken = Clock(), []
    deadlines = Deadlines(store, clock)

    async def hangs(due: Deadline) -> None:
        taken.append(due)
        await asyncio.sleep(60)

    deadlines.on("test", hangs)
    await cell(store).commit(Plan(snapshot).set_deadline("test", "it", NOW))
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: taken, "it is taken")
    await deadlines.drain(0.01)
    assert await waiting(store, snapshot) == {"test|acme|it": int(NOW.timestamp() * 1000)}


async def test_kinds_of_a_newer_version_are_left_alone(store: Store, snapshot: AccountSnapshot) -> None:
    met = []
    deadlines = Deadlines(store, Clock())

    async def fire(due: Deadline) -> None:
        met.append(due.name)
        await deadlines.settle(due)

    deadlines.on("test", fire)
    with pytest.raises(ValueError, match="claimed"):
        deadlines.on("test", fire)
    await cell(store).commit(Plan(snapshot).set_deadline("newer", "x", NOW).set_deadline("test", "y", NOW))
    deadlines.sweep_cell(snapshot.tag)
    await eventually(lambda: met == ["y"], "ours is met")
    await deadlines.drain(1)
    assert list(await waiting(store, snapshot)) == ["newer|acme|x"]


async def test_the_soonest_is_the_first_of_its_kind_and_account_that_is_still_to_come(
    store: Store, snapshot: AccountSnapshot
) -> None:
    assert await next_deadline(store, snapshot.tag, "ticket", "acme", NOW) is None
    at = int(NOW.timestamp() * 1000)
    for name, score in (("ticket|acme|1", at), ("other|acme|2", at + 1), ("ticket|acme2|3", at + 2)):
        await store.call("ZADD", keys.due(snapshot.tag), score, name)
    assert await next_deadline(store, snapshot.tag, "ticket", "acme", NOW) is None
    await store.call("ZADD", keys.due(snapshot.tag), at + 9_000, "ticket|acme|4", at + 8_000, "ticket|acme|5")
    assert await next_deadline(store, snapshot.tag, "ticket", "acme", NOW) == NOW + timedelta(seconds=8)
