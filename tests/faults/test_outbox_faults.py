"""Processes that write and deliver are killed, again and again: nothing is lost, order stays, repeats are marked."""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import orjson
import pytest

from store.engine import keys
from store.engine.outbox import Outbox, OutboxStats, new_owner
from store.server.connection import Store
from tests.faults.crowd import Crowd
from tests.servers import Farm

CONVERSATIONS: Final = 50
EACH: Final = 40
PROCESSES: Final = 4
KILLS: Final = 12


class Row(NamedTuple):
    n: int
    owner: str
    in_doubt: bool
    at: float


class Sink:
    """Notes every send that arrives, before it answers; one in twenty it refuses, unnoted."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.strange: list[str] = []
        self._random = random.Random(7)

    @property
    def arrived(self) -> int:
        return sum(len({row.n for row in rows}) for rows in self.rows.values())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    break  # cut off by a kill: it did not arrive
                if self._random.random() < 0.05:
                    writer.write(b"busy\n")
                    continue
                told = orjson.loads(line)
                conv, _, n = told["id"].rpartition(":")
                if conv != told["conv"]:
                    self.strange.append(told["id"])
                self.rows[conv].append(Row(int(n), told["owner"], told["in_doubt"], time.monotonic()))
                await asyncio.sleep(self._random.random() * 0.02)
                writer.write(b"ok\n")
        writer.close()


@contextlib.asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[int]:
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def pid(owner: str) -> int:
    return int(owner.split(":")[1])


def check(sink: Sink, killed: set[int]) -> int:
    """Everything arrived, in order; a repeat follows a send by a killed process and says so. How many repeats."""
    assert not sink.strange
    repeats = 0
    for rows in sink.rows.values():
        highest = 0
        for before, row in zip([None, *rows], rows, strict=False):
            if row.n == highest:
                repeats += 1
                assert before is not None
                assert pid(before.owner) in killed, "repeated without a crash"
                assert row.in_doubt, "repeated without a warning"
            else:
                assert row.n == highest + 1, "out of order, or lost"
                highest = row.n
        assert highest == EACH, "lost at the end"
    assert len(sink.rows) == CONVERSATIONS
    return repeats


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embedded", "cluster"])
async def test_kills_lose_nothing_and_repeat_only_what_was_flying(farm: Farm, kind: str) -> None:
    url = farm.fresh(kind)
    store = await Store.open(url)
    outbox = Outbox(store, {}, owner=new_owner())
    sink = Sink()
    async with listening(sink) as port:
        crowd = Crowd("tests.faults.process", url, port, CONVERSATIONS, EACH, 0.01, patience=6)
        try:
            async with asyncio.timeout(25):
                for _ in range(PROCESSES):
                    await crowd.start()
                for _ in range(KILLS):
                    await asyncio.sleep(random.uniform(0.3, 0.7))
                    await crowd.kill(random.choice(crowd.living))
                    await crowd.start()
                # The last to arrive may have been sent by a process that was killed: then it comes once more.
                while sink.arrived < CONVERSATIONS * EACH or (await outbox.stats()).depth:  # noqa: ASYNC110 # others do it
                    await asyncio.sleep(0.1)
                codes = await crowd.end()
        finally:
            await crowd.end()
    assert codes == [0] * PROCESSES
    assert check(sink, crowd.killed) <= KILLS * CONVERSATIONS
    assert await outbox.stats() == OutboxStats(0, 0.0, 0)
    assert not any([await store.call("ZCARD", keys.wake(tag)) for tag in keys.CELLS])
    await store.aclose()
