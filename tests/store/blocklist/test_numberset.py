"""Packed sets of numbers: whatever is added, removed and split meanwhile, by whomever, they hold what a set would."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from domain.blocklist import Direction
from store.blocklist.blocklist import Blocklist
from store.blocklist.numberset import BATCH, FULL, LONG, ImportBatch, SetState, buckets, level_for, set_of
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, GuardFailed
from store.server.connection import Store
from tests.handlers.world import NOW

BOTH, IN, OUT = Direction.BOTH, Direction.INBOUND, Direction.OUTBOUND


def client(store: Store) -> Blocklist:
    return Blocklist(Cell(store, "us", 10_000, lambda _tag, _conv: None))


async def state(store: Store, snapshot: AccountSnapshot, which: str = "b") -> SetState:
    fields = (f"k:{which}", f"c:{which}", f"n:{which}")
    found = await store.call("HMGET", snapshot.keys.blocked_sets, *fields)
    return SetState(*(int(x or 0) for x in found))


async def blocked(blocklist: Blocklist, snapshot: AccountSnapshot, number: int) -> bool:
    return (await blocklist.check(snapshot, f"+{number}", IN, NOW)).blocked


async def everything(blocklist: Blocklist, snapshot: AccountSnapshot) -> list[int]:
    return [int(entry.value[1:]) async for entry in blocklist.export(snapshot)]


def some_numbers(dice: random.Random, count: int) -> list[int]:
    """As lists have them: runs, round ones, scattered ones, a few long ones, and doubles."""
    run = dice.randrange(44_20_0000_0000, 44_20_9999_0000)
    round_ = dice.randrange(10**6) * 10**6
    found = [run + n for n in range(count // 3)]
    found += [round_ + n * 1000 for n in range(1, count // 3)]
    found += [dice.randrange(10**9, 10**13) for _ in range(count // 3)]
    found += [dice.randrange(LONG, 10**15) for _ in range(count // 50)]
    found += dice.choices(found, k=10) if found else [44]
    dice.shuffle(found)
    return found


async def test_an_add_in_doubt_counts_though_the_account_changed_before_it_was_repeated(
    store: Store, snapshot: AccountSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = store._execute

    async def lose_the_reply(key: str | None, packed: bytes, until: float) -> Any:
        reply = await execute(key, packed, until)
        if b"EVAL" not in packed or reply[0] != b"ok":
            return reply
        monkeypatch.undo()
        await store.call("HSET", snapshot.keys.account, "rev", "another")
        return await execute(key, packed, until)

    monkeypatch.setattr(store, "_execute", lose_the_reply)
    added = await client(store).bulk(snapshot, [441, 442], BOTH)
    assert (added.added, added.there) == (2, 0)
    assert await store.call("HGET", snapshot.keys.account, "rev") == b"another"


@pytest.mark.parametrize("seed", range(3))
async def test_it_holds_what_a_set_would_whoever_adds_removes_and_splits(
    store: Store, snapshot: AccountSnapshot, seed: int
) -> None:
    dice = random.Random(seed)  # no secret
    clients = [client(store) for _ in range(3)]
    model: set[int] = set()
    for step in range(40):
        one = dice.choice(clients)
        what = dice.random()
        if what < 0.35:
            batch = some_numbers(dice, dice.choice([3, 300, 2_000, 4_800]))
            assert await dice.choice(clients).count_present(snapshot, batch, BOTH) == len(set(batch) & model)
            added = await one.bulk(snapshot, batch, BOTH)
            assert added.added == len(set(batch) - model)
            assert added.added + added.there == len(batch)
            model.update(batch)
        elif what < 0.6 and model:
            for number in dice.sample(sorted(model), min(20, len(model))):
                await one.remove(snapshot, f"number|+{number}", Change(None, "ada", NOW))
                model.remove(number)
            with pytest.raises(GuardFailed):
                await one.remove(snapshot, "number|+4420", Change(None, "ada", NOW))
        elif what < 0.8 and (now := await state(store, snapshot)).size:
            # A split that is left half done: it goes on with whoever adds next.
            one.sets.learn(snapshot, "b", now)
            await one.sets.grow(snapshot, "b", 1)
        asked = dice.sample(sorted(model), min(30, len(model))) + some_numbers(dice, 60)
        for number in asked:
            reader = dice.choice(clients)
            assert await blocked(reader, snapshot, number) is (number in model), (step, number)
    assert sorted(await everything(client(store), snapshot)) == sorted(model)
    assert sum((await clients[0].counts(snapshot)).imported.values()) == len(model)


async def test_a_reader_finds_every_number_at_every_moment_of_growing(store: Store, snapshot: AccountSnapshot) -> None:
    dice = random.Random(7)  # no secret
    known = [44_000_000_000 + 37 * n for n in range(2_500)]
    await client(store).bulk(snapshot, known, BOTH)
    adding = True

    async def add(start: int) -> int:
        mine, added = client(store), 0
        for n in range(12):
            first = start + n * 1_100
            added += (await mine.bulk(snapshot, range(first, first + 1_100), BOTH)).added
        return added

    async def read() -> int:
        mine, looked = client(store), 0
        while adding:
            assert await blocked(mine, snapshot, dice.choice(known))
            assert not await blocked(mine, snapshot, 44_000_000_001 + 37 * dice.randrange(2_000))
            looked += 1
        return looked

    async def walk() -> int:
        mine, walked = client(store), 0
        while adding:
            found = await everything(mine, snapshot)
            assert len(found) == len(set(found))
            assert set(known) <= set(found)
            walked += 1
        return walked

    readers = [asyncio.create_task(work()) for work in (read, read, walk)]
    # Two add the same run, so that each number is new to one of them.
    counts = await asyncio.gather(add(10**11), add(10**11), add(2 * 10**11))
    adding = False
    assert all(await asyncio.gather(*readers))
    assert sum(counts) == 2 * 12 * 1_100
    assert sorted(await everything(client(store), snapshot)) == sorted(
        {*known, *range(10**11, 10**11 + 13_200), *range(2 * 10**11, 2 * 10**11 + 13_200)}
    )
    assert (await state(store, snapshot)).level >= 3


async def test_buckets_stay_small_enough_to_be_packed(store: Store, snapshot: AccountSnapshot) -> None:
    blocklist = client(store)
    for start in range(0, 60_000, 5_000):
        await blocklist.bulk(snapshot, range(44_20_0000_0000 + start, 44_20_0000_0000 + start + 5_000), BOTH)
        now = await state(store, snapshot)
        assert now.size <= 1.1 * FULL * buckets(now.level)
        names = [snapshot.keys.blocked_bucket("b", str(now.level), str(n)) for n in range(0, now.buckets, 5)]
        assert {await store.call("OBJECT", "ENCODING", name) for name in names if name} <= {b"intset", None}


async def test_room_that_is_reserved_is_used_and_nothing_is_split(store: Store, snapshot: AccountSnapshot) -> None:
    blocklist = client(store)
    await blocklist.reserve(snapshot, BOTH, 100_000)
    assert (await state(store, snapshot)).level == level_for(100_000)
    for start in range(0, 30_000, BATCH):
        await client(store).bulk(snapshot, range(10**11 + start, 10**11 + start + BATCH), BOTH)
    assert await state(store, snapshot) == SetState(level_for(100_000), 0, 30_000)
    await client(store).reserve(snapshot, BOTH, 100_000)
    assert await state(store, snapshot) == SetState(level_for(130_000), 0, 30_000)
    assert sorted(await everything(client(store), snapshot)) == [*range(10**11, 10**11 + 30_000)]


async def test_a_set_that_was_emptied_begins_small_again(store: Store, snapshot: AccountSnapshot) -> None:
    old = client(store)
    await old.bulk(snapshot, range(10**11, 10**11 + 3_000), BOTH)
    assert (await state(store, snapshot)).level > 0
    change = Change(None, "ada", NOW)
    for first in range(10**11, 10**11 + 3_000, 50):
        await asyncio.gather(*(old.remove(snapshot, f"number|+{n}", change) for n in range(first, first + 50)))
    assert await state(store, snapshot) == SetState()
    assert await everything(client(store), snapshot) == []
    assert (await client(store).bulk(snapshot, [44], BOTH)).added == 1
    assert (await old.bulk(snapshot, [44, 45], BOTH)).added == 1
    assert await state(store, snapshot) == SetState(0, 0, 2)
    assert await blocked(old, snapshot, 44)


async def test_directions_and_long_numbers_are_sets_of_their_own(store: Store, snapshot: AccountSnapshot) -> None:
    blocklist = client(store)
    long = 88_123_456_789_012
    await blocklist.bulk(snapshot, [long, 44], IN)
    await blocklist.bulk(snapshot, [long, 44], OUT)
    assert [(await state(store, snapshot, which)).size for which in "iIoObB"] == [1, 1, 1, 1, 0, 0]
    assert set_of("b", 10**13 - 1) == "b"
    assert set_of("b", 10**13) == "B"
    await blocklist.remove(snapshot, f"number|+{long}", Change(None, "ada", NOW))
    assert [(await state(store, snapshot, which)).size for which in "iIoO"] == [1, 0, 1, 0]


async def test_an_import_killed_anywhere_goes_on_where_it_was(store: Store, snapshot: AccountSnapshot) -> None:
    numbers: Sequence[int] = [*range(10**11, 10**11 + 20_000), *range(10**14, 10**14 + 500)]
    batches = [numbers[n : n + 2_500] for n in range(0, len(numbers), 2_500)]
    dice = random.Random(3)  # no secret
    at = 0
    while at < len(batches):
        task = asyncio.create_task(client(store).bulk(snapshot, batches[at], BOTH, ImportBatch("i1", at)))
        await asyncio.sleep(dice.random() * 0.03)
        task.cancel()
        try:
            done = await task
        except asyncio.CancelledError:
            continue
        at += 1
        assert done.added_in_all + done.there_in_all == sum(len(batch) for batch in batches[:at])
    assert done.added_in_all == len(numbers)
    assert sorted(await everything(client(store), snapshot)) == sorted(numbers)


def test_levels() -> None:
    assert [level_for(n) for n in (0, 1, 2_800, 2_801, 25_200, 25_201, 10**6, 10**7)] == [0, 0, 0, 1, 2, 3, 6, 8]
    assert all(FULL * buckets(level_for(n)) >= n for n in range(0, 10**6, 997))
