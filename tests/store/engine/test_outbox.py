"""The outbox on each kind of server: in order, at once, again, taken over, given up, handed back."""

import asyncio
import time
from pathlib import Path

import pytest

from store.engine import keys
from store.engine.effects import Drop, Effect, Retry, RetryPolicy, SendResult
from store.engine.outbox import Outbox, OutboxStats
from store.server.connection import Store, StoreUnavailable
from tests import servers
from tests.outbox_rig import QUICK, TAG, Recorder, append, running, server_ms, settled, take, write
from tests.servers import eventually


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, ["yours", "owned"]),
        ("other|+500|1|1", ["owned", "owned"]),
        ("other|-500|1|1", ["yours", "owned"]),
        ("|+500|3|0", ["waiting", "waiting"]),
        ("|-500|3|0", ["yours", "owned"]),
    ],
)
async def test_append_says_who_sends(store: Store, field: str | None, expected: list[str]) -> None:
    now = await server_ms(store)
    if field:
        owner, ends, tries, doubt = field.split("|")
        until = now + 60 * int(ends)
        await store.call("HSET", keys.owners(TAG), "c", f"{owner}|{until}|{tries}|{doubt}")
        await store.call("ZADD", keys.wake(TAG), until, "ob|c")
    assert await append(store, "c", 1, 2, owner="me", lease=9.0) == expected
    assert await store.call("LLEN", keys.outbox(TAG, "c")) == 2
    owner, ends, tries, doubt = (await store.call("HGET", keys.owners(TAG), "c")).decode().split("|")
    assert await store.call("ZSCORE", keys.wake(TAG), "ob|c") == int(ends)
    if expected[0] == "yours":
        assert owner == "me"
        assert now + 9_000 <= int(ends) <= now + 11_000
    if field:
        assert [tries, doubt] == field.split("|")[2:]  # taking it over hides nothing of what was tried


async def test_the_writer_sends_at_once_and_in_order(store: Store) -> None:
    sender = Recorder()
    async with running(store, sender) as outbox:
        await write(outbox, store, "a", *range(20))
        await write(outbox, store, "b", 0)
        await write(outbox, store, "a", *range(20, 30))
        await settled(store)
    assert sender.of("a") == list(range(30))
    assert sender.of("b") == [0]
    assert not any(doubt for *_, doubt in sender.seen)


async def test_a_pressed_process_sends_a_few_at_a_time_and_everything_in_the_end(store: Store) -> None:
    first = asyncio.Event()
    sender, pressed = Recorder(gate=first), True
    async with running(store, sender, sends=128, pressed=lambda: pressed) as outbox:
        for conv in range(30):
            await write(outbox, store, f"c{conv}", *range(3))
        await eventually(lambda: sender.now == 2)  # one of 64
        await asyncio.sleep(0.1)
        assert sender.most == 2
        pressed, sender.gate = False, asyncio.Event()
        first.set()
        await eventually(lambda: sender.now > 2)  # what was held back begins without being asked for again
        sender.gate.set()
        await settled(store)
    assert {tuple(sender.of(f"c{conv}")) for conv in range(30)} == {(0, 1, 2)}


async def test_two_writers_of_one_conversation_keep_its_order(store: Store) -> None:
    sender = Recorder()
    async with running(store, sender) as one, running(store, sender) as two:
        for n in range(200):
            await write((one, two)[n % 3 == 0], store, "c", n)
            if n % 7 == 0:
                await asyncio.sleep(0.001)
        await settled(store)
    assert sender.seen == [("c", n, False) for n in range(200)]


async def test_a_failing_and_a_hanging_conversation_hold_up_no_other(store: Store) -> None:
    sender, stuck = Recorder([Retry(60, "429")]), Recorder(gate=asyncio.Event())
    async with running(store, sender) as outbox:
        await write(outbox, store, "limited", 1, 2)
        async with running(store, stuck, lease=60, send_timeout=20) as other:
            await write(other, store, "hangs", 1)
            await write(outbox, store, "fine", *range(5))
            await eventually(lambda: sender.of("fine") == list(range(5)))
    assert sender.of("limited") == [1]


async def test_a_platform_that_asks_for_time_gets_it(store: Store) -> None:
    sender = Recorder([Retry(0.4, "429"), Retry(0.2, "429"), Retry(0.2, "429")])
    async with running(store, sender, policy=RetryPolicy(first=0.05, tries=2, doubt=0.0)) as outbox:
        await write(outbox, store, "c", 1)
        await eventually(lambda: len(sender.seen) == 1)
        await asyncio.sleep(0.05)
        assert await append(store, "c", 2) == ["waiting"]
        await settled(store)
    # Three refusals against two tries: waits that were asked for don't count.
    assert sender.seen == [("c", 1, False)] * 4 + [("c", 2, False)]
    assert [gap >= least for gap, least in zip(sender.gaps, (0.4, 0.2, 0.2, 0), strict=True)] == [True] * 4
    assert sender.gaps[0] < 1.0


async def test_failures_back_off_and_are_given_up_after_so_many_tries(store: Store) -> None:
    sender = Recorder([Retry(None, "HTTP 500")] * 4)
    async with running(store, sender, policy=RetryPolicy(first=0.1, tries=4, doubt=0.0, jitter=lambda: 0.0)) as outbox:
        await write(outbox, store, "c", 1, 2)
        await settled(store)
        assert sender.of("c") == [1, 1, 1, 1, 2]
        assert [gap >= least for gap, least in zip(sender.gaps, (0.1, 0.2, 0.4, 0), strict=True)] == [True] * 4
        (dead,) = await outbox.dead(10)
        assert (dead.tag, dead.conv, dead.kind, dead.id) == (TAG, "c", "note", "c:1")
        assert dead.reason == "after 4 tries: HTTP 500"
        assert abs(dead.at * 1000 - await server_ms(store)) < 5_000
        assert (await outbox.stats()).dead == 1


async def test_failures_are_given_up_after_so_long(store: Store) -> None:
    sender = Recorder([Retry(0.05, "429")] * 100)
    async with running(store, sender, policy=RetryPolicy(first=0.05, age=0.3)) as outbox:
        await write(outbox, store, "c", 1)
        await settled(store)
        (dead,) = await outbox.dead(10)
        assert dead.reason.endswith("s: 429")


async def test_what_can_never_arrive_makes_way_at_once(store: Store) -> None:
    sender = Recorder([Drop("channel_not_found")])
    async with running(store, sender) as outbox:
        await write(outbox, store, "c", 1, 2)
        await write(outbox, store, "d", 1, kind="fax")
        await store.call("RPUSH", keys.outbox(TAG, "e"), b"\xff nonsense")
        await write(outbox, store, "e", 2)
        await eventually(lambda: len(sender.seen) == 3)
        reasons = {dead.conv: dead.reason for dead in await outbox.dead(10)}
        assert reasons == {"c": "channel_not_found", "e": "not readable"}
        assert sorted(sender.seen) == [("c", 1, False), ("c", 2, False), ("e", 2, False)]


@pytest.mark.parametrize("kind", ["hangs", "raises", "times out itself"])
async def test_a_send_without_an_answer_is_in_doubt_when_repeated(store: Store, kind: str) -> None:
    sender = Recorder(gate=asyncio.Event()) if kind == "hangs" else Recorder()
    if kind != "hangs":
        sender.answers = [RuntimeError("reset") if kind == "raises" else TimeoutError(), Retry(0.05, "429")]
    async with running(store, sender, send_timeout=0.2) as outbox:
        await write(outbox, store, "c", 1, 2)
        await eventually(lambda: len(sender.seen) == 2)
        sender.gate = None
        await settled(store)
    assert sender.seen[0] == ("c", 1, False)
    repeats = [row for row in sender.seen[1:] if row[1] == 1]
    assert repeats
    assert all(doubt for *_, doubt in repeats)
    assert sender.seen[-1] == ("c", 2, False)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_dead_owners_conversation_is_taken_over(store: Store, begun: bool) -> None:
    """In doubt only if a send had begun."""
    await append(store, "c", 1, 2, lease=0.6)
    if begun:
        await take(store, "c", lease=0.6)
    sender, started = Recorder(), asyncio.get_running_loop().time()
    async with running(store, sender, sweep=True):
        await settled(store)
    assert sender.seen == [("c", 1, begun), ("c", 2, False)]
    assert 0.4 < sender.times[0] - started < 2.0


async def test_an_append_after_the_lease_takes_over_too(store: Store) -> None:
    await append(store, "c", 1, lease=0.01)
    await take(store, "c", lease=0.01)
    await asyncio.sleep(0.05)
    sender = Recorder()
    async with running(store, sender) as outbox:
        await write(outbox, store, "c", 2)
        await settled(store)
    assert sender.seen == [("c", 1, True), ("c", 2, False)]


async def test_an_effect_that_kills_its_senders_is_given_up(store: Store) -> None:
    await append(store, "c", 1, 2, lease=0.001)
    for n in range(3):
        await asyncio.sleep(0.01)
        assert (await take(store, "c", owner=f"ghost{n}", lease=0.001))[0] == b"held"
    sender = Recorder()
    async with running(store, sender, sweep=True, policy=RetryPolicy(tries=3, doubt=0.0)) as outbox:
        await settled(store)
        (dead,) = await outbox.dead(1)
    assert sender.seen == [("c", 2, False)]
    assert (dead.id, dead.reason) == ("c:1", "after 3 tries that nobody saw end")


async def test_who_lost_the_lease_cannot_settle(store: Store) -> None:
    slow, quick = Recorder(gate=asyncio.Event()), Recorder()
    async with running(store, slow, lease=60, send_timeout=10) as one, running(store, quick) as two:
        await write(one, store, "c", 1, 2, 3)
        await eventually(lambda: len(slow.seen) == 1)
        field = (await store.call("HGET", keys.owners(TAG), "c")).decode().split("|")
        await store.call("HSET", keys.owners(TAG), "c", "|".join([field[0], "1", *field[2:]]))  # long over
        quick.gate = asyncio.Event()
        two.deliver_soon(TAG, "c")
        await eventually(lambda: len(quick.seen) == 1)
        assert slow.gate
        slow.gate.set()
        await asyncio.sleep(0.1)
        assert await store.call("LLEN", keys.outbox(TAG, "c")) == 3  # nothing was acknowledged
        quick.gate.set()
        await settled(store)
    assert slow.seen == [("c", 1, False)]
    assert quick.seen == [("c", 1, True), ("c", 2, False), ("c", 3, False)]


async def test_a_send_that_ended_is_not_repeated_by_its_own_process(store: Store) -> None:
    """Its lease ran out meanwhile, and it was this process that took the conversation again."""
    sender = Recorder(gate=asyncio.Event())
    async with running(store, sender) as outbox:
        await write(outbox, store, "c", 1, 2)
        await eventually(lambda: len(sender.seen) == 1)
        await take(store, "c", owner=outbox.owner)
        assert sender.gate
        sender.gate.set()
        await settled(store)
    assert sender.of("c") == [1, 2]


async def test_a_lease_that_a_send_would_outlive_is_renewed_first(store: Store) -> None:
    sender = Recorder()

    async def block(effect: Effect, in_doubt: bool) -> SendResult:
        if effect.conv == "blocks" and not sender.seen:
            time.sleep(0.8)  # noqa: ASYNC251 # holds the whole process up between the other's lease and its send
        else:
            _, ends, *_ = (await store.call("HGET", keys.owners(TAG), effect.conv)).split(b"|")
            left.append((int(ends) - await server_ms(store)) / 1000)
        return await sender(effect, in_doubt)

    left: list[float] = []
    async with running(store, block) as outbox:
        await append(store, "waits", 1, owner=outbox.owner)
        await append(store, "blocks", 1, owner=outbox.owner)
        outbox.deliver_soon(TAG, "blocks")
        outbox.deliver_soon(TAG, "waits")
        await settled(store)
    assert sender.of("waits") == [1]
    assert left[0] > 0.5


async def test_sends_in_flight_are_bounded_and_all_arrive(store: Store) -> None:
    sender = Recorder(gate=asyncio.Event())
    async with running(store, sender, sends=3) as outbox:
        for n in range(12):
            await write(outbox, store, f"c{n}", 1)
        await eventually(lambda: sender.most == 3)
        await asyncio.sleep(0.05)
        assert len(sender.seen) == 3
        assert sender.gate
        sender.gate.set()
        await settled(store)
    assert sorted(conv for conv, *_ in sender.seen) == sorted(f"c{n}" for n in range(12))
    assert sender.most == 3


async def test_a_long_conversation_lets_others_in(store: Store) -> None:
    sender = Recorder()
    async with running(store, sender, sends=1) as outbox:
        await write(outbox, store, "long", *range(100))
        await write(outbox, store, "short", 1)
        await settled(store)
    assert sender.of("long") == list(range(100))
    assert sender.seen.index(("short", 1, False)) < 50


async def test_draining_lets_sends_end_and_gives_the_rest_back(store: Store) -> None:
    sender, heir = Recorder(gate=asyncio.Event()), Recorder()
    async with running(store, sender, sends=1, lease=60, send_timeout=10) as outbox:
        await write(outbox, store, "flying", 1, 2)
        await write(outbox, store, "queued", 1)
        await eventually(lambda: len(sender.seen) == 1)
        draining = asyncio.create_task(outbox.drain(5))
        await asyncio.sleep(0.05)
        await write(outbox, store, "late", 1)
        assert sender.gate
        sender.gate.set()
        await draining
        assert sender.seen == [("flying", 1, False)]
        async with running(store, heir, sweep=True):
            await settled(store)
    assert sorted(heir.seen) == [("flying", 2, False), ("late", 1, False), ("queued", 1, False)]


async def test_draining_cuts_off_what_does_not_end(store: Store) -> None:
    sender, heir = Recorder(gate=asyncio.Event()), Recorder()
    async with running(store, sender, lease=60, send_timeout=10) as outbox:
        await write(outbox, store, "c", 1)
        await eventually(lambda: len(sender.seen) == 1)
        async with asyncio.timeout(5):
            await outbox.drain(0.1)
        assert sender.now == 0
        async with running(store, heir, sweep=True):
            await settled(store)
    assert heir.seen == [("c", 1, True)]


async def test_stats_count_what_waits(store: Store) -> None:
    async with running(store, Recorder()) as outbox:
        assert await outbox.stats() == OutboxStats(0, 0.0, 0)
        for number, tag in enumerate(keys.CELLS[::50]):
            await append(store, "c", *range(number + 1), tag=tag)
        await asyncio.sleep(0.1)
        stats = await outbox.stats()
    assert stats.depth == 21
    assert 0.1 <= stats.oldest_age_s < 5
    assert stats.dead == 0


async def test_an_outage_of_the_store_repeats_and_loses_nothing(tmp_path: Path) -> None:
    """A send that ended while the store was away is settled when it is back, before others may take it over."""
    options = ("--port", 0, "--appendonly", "yes", "--appendfsync", "always")
    server = servers.start(tmp_path, *options, sock=True)
    store = await Store.open(server.url, timeout=0.3)
    sender, rival = Recorder(gate=asyncio.Event()), Recorder()
    try:
        async with running(store, sender, lease=1.5, send_timeout=1.2) as outbox, running(store, rival, sweep=True):
            await write(outbox, store, "c", 1, 2)
            await eventually(lambda: sender.of("c") == [1])
            await append(store, "orphan", 1, lease=0.5)
            server.kill()
            with pytest.raises(StoreUnavailable):
                await outbox.stats()
            assert sender.gate
            sender.gate.set()
            await asyncio.sleep(1.5)  # past the lease
            server = await asyncio.to_thread(servers.start, tmp_path, *options, sock=True)
            await settled(store)
    finally:
        await store.aclose()
        server.stop()
    assert sender.seen == [("c", 1, False), ("c", 2, False)]
    assert rival.seen == [("orphan", 1, False)]


@pytest.mark.parametrize(
    ("owner", "lease", "send_timeout"), [("", 15, 10), ("a|b", 15, 10), ("a", 10, 10), ("a", 10, 0)]
)
async def test_times_and_names_that_cannot_work_are_refused(
    owner: str, lease: float, send_timeout: float, farm: servers.Farm
) -> None:
    store = await Store.open(farm.fresh("embedded"))
    with pytest.raises(ValueError, match=r"lease|owner"):
        Outbox(store, {}, owner=owner, lease=lease, send_timeout=send_timeout, policy=QUICK)
    await store.aclose()


async def test_who_is_alone_ends_the_leases_of_the_dead_but_none_taken_since(store: Store) -> None:
    """A lease of a minute is taken over at once, unless it is newer than the moment of being alone."""
    gate = asyncio.Event()
    dead = Recorder(gate=gate)
    async with running(store, dead, lease=60, send_timeout=10) as outbox:
        await write(outbox, store, "c", 1)
        await eventually(lambda: len(dead.seen) == 1)
        heir = Recorder()
        async with running(store, heir, lease=60, send_timeout=10, sweep=True) as other:
            assert await other.take_over(time.time() - 3600) == 0
            assert await other.take_over(time.time() + 1) == 1
            await eventually(lambda: heir.seen == [("c", 1, True)])
        gate.set()


async def test_what_may_have_arrived_is_not_tried_again_at_once(store: Store) -> None:
    sender = Recorder(gate=asyncio.Event())
    async with running(store, sender, policy=RetryPolicy(first=0.01, doubt=0.6), send_timeout=0.1, lease=5) as outbox:
        await write(outbox, store, "c", 1)
        await eventually(lambda: len(sender.seen) == 1)
        began = time.monotonic()
        await eventually(lambda: len(sender.seen) == 2)
        assert time.monotonic() - began > 0.5
