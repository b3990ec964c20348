"""Who looks at which cell, and what comes of what is due there."""

import asyncio
import contextlib

import pytest

from store.engine import keys
from store.engine.outbox import Outbox, new_owner
from store.engine.sweep import Sweep
from store.server.connection import Store
from tests import servers
from tests.outbox_rig import TAG, Recorder, append, running, server_ms
from tests.servers import eventually


async def test_processes_share_the_cells_and_inherit_them(store: Store) -> None:
    async with contextlib.AsyncExitStack() as stack:
        boxes: list[Outbox] = [
            await stack.enter_async_context(running(store, Recorder(), sweep=True, lease=60)) for _ in range(3)
        ]

        def shares(outboxes: list[Outbox]) -> bool:
            cells = [tag for outbox in outboxes for tag in outbox.cells]
            return sorted(cells) == sorted(keys.CELLS) and max(len(box.cells) for box in outboxes) < 256

        await eventually(lambda: shares(boxes))
        assert sorted(len(box.cells) for box in boxes) == [85, 85, 86]
        await boxes.pop().drain(1)
        await eventually(lambda: shares(boxes))


async def test_a_process_that_died_loses_its_share(store: Store) -> None:
    async with running(store, Recorder(), sweep=True) as living:
        await store.call("ZADD", keys.dir_process(), await server_ms(store), "ghost")
        await eventually(lambda: len(living.cells) == 128)
        await eventually(lambda: len(living.cells) == 256)
        assert await store.call("ZSCORE", keys.dir_process(), "ghost") is None


async def test_other_kinds_are_told_to_their_hook_and_left_where_they_are(store: Store) -> None:
    told: list[tuple[str, str]] = []
    now = await server_ms(store)
    await store.call("ZADD", keys.wake(TAG), now - 10, "sla|ticket|7", now + 600_000, "sla|later", now, "other|x")

    def hook(tag: str, member: str) -> None:
        told.append((tag, member))
        if len(told) == 1:
            raise RuntimeError("a hook's mistake")

    async with running(store, Recorder(), sweep=True, on_due={"sla|": hook}):
        await eventually(lambda: len(told) >= 2)
    assert set(told) == {(TAG, "ticket|7")}
    assert await store.call("ZCARD", keys.wake(TAG)) == 3


async def test_what_nobody_looks_after_crowds_nobody_out(store: Store) -> None:
    old = [word for n in range(900) for word in (n, f"other|{n}")]
    await store.call("ZADD", keys.wake(TAG), *old)
    for n in range(100):
        await append(store, f"c{n}", 1, lease=0.001)
    sender = Recorder()
    async with running(store, sender, sweep=True):
        await eventually(lambda: len(sender.seen) == 100)
    assert len(set(sender.seen)) == 100


async def test_a_cancelled_sweep_ends(store: Store) -> None:
    outbox = Outbox(store, {}, owner=new_owner())
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: len(asyncio.all_tasks()) == 1)  # what is asked of the store comes to its end


@pytest.mark.parametrize("kind", ["sla", "", "a|b|", "a|b"])
async def test_a_hooks_kind_ends_at_its_first_bar(kind: str, farm: servers.Farm) -> None:
    store = await Store.open(farm.fresh("embedded"))
    with pytest.raises(ValueError, match="bar"):
        Sweep(store, "me", {kind: lambda tag, member: None}, period=1, life=3)
    await store.aclose()
