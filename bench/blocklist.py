"""`python -m bench blocklist`: memory, look-up and import of blocked numbers, as imported lists have them.

Each size is loaded into a fresh embedded server, in random order and sorted. Bytes a number are the growth of the
server's `used_memory`; the look-up is `Blocklist.check` beside a GET over the same connection; the import is beside
redis-py's pipelines of plain `SADD` to the same kind of server.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final

import redis

from bench.records import fresh_store
from domain.accounts.account import Account
from domain.blocklist import Direction
from store.blocklist.blocklist import Blocklist
from store.blocklist.numberset import BATCH, ImportBatch
from store.engine.accounts import Accounts, AccountSnapshot
from store.engine.commit import Cell
from store.server.connection import Store

SIZES: Final = (1_000, 25_000, 26_000, 1_000_000, 10_000_000)
GROWN: Final = 1_000_000
LOOKED_UP: Final = (1_000, 1_000_000, 10_000_000)
AT_LEAST: Final = 100_000  # numbers that are measured: small lists are loaded for several accounts
PLAIN: Final = 300_000
ROUNDS: Final = 9
LOOKUPS: Final = 400
NOW: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT: Final = {
    "id": "acme",
    "name": "Acme GmbH",
    "created_on": "2024-03-05",
    "country": "GB",
    "timezone": "Europe/London",
    "subscription": {"line": "sales", "tier": "professional"},
}
# Mobile numbers of three countries, 11 to 13 digits; steps of `_STEP` modulo 10^9 repeat none.
_BASES: Final = (447_000_000_000, 12_000_000_000, 4_915_000_000_000)
_STEP: Final = 618_033_989


@dataclass(slots=True)
class Measurement:
    """The results of a size: bytes a number, numbers a second, and µs of a check and of a GET."""

    size: int
    order: str
    bytes_each: float
    rate: float
    check: float = 0.0
    get: float = 0.0


def numbers(size: int, *, ordered: bool) -> list[int]:
    """Distinct numbers of three countries, in random order or sorted."""
    found = [_BASES[n % 3] + n * _STEP % 1_000_000_000 for n in range(size)]
    return sorted(found) if ordered else found


async def blocklist() -> None:
    plain_rate, plain_bytes = await plain()
    print("\nblocked numbers, imported; embedded Valkey, every write on the disk before it is answered\n")
    heads = f"{'numbers':>12}{'order':>8}{'bytes each':>12}{'imported/s':>12}{'of plain':>10}"
    print(heads + f"{'check µs':>10}{'of a GET':>10}")
    print(f"{PLAIN:12,}{'SADD':>8}{plain_bytes:12.2f}{plain_rate:12,.0f}{1:10.2f}   redis-py, pipelines of {BATCH:,}")
    times = []
    cases = [(size, order) for size in SIZES for order in ("random", "sorted")]
    for size, order in (*cases, (GROWN, "grown")):
        row = await loaded(size, order)
        show(row, plain_rate)
        if row.check:
            times.append(row.check / row.get)
    print(f"\na decision with 10,000,000 numbers against 1,000, in GETs: {times[-1] / times[0]:.2f}")


async def loaded(size: int, order: str) -> Measurement:
    """Measure a size. `order`: random, sorted, or grown, which is random without reserving the size."""
    given = numbers(size, ordered=order == "sorted")
    async with fresh_store() as (store, _, _):
        snapshots = await companies(store, 1 + max(1, AT_LEAST // size))
        listed = Blocklist(Cell(store, "bench", 1, lambda _tag, _conversation: None))
        await load(
            listed, snapshots.pop(), given[:100_000]
        )  # the server knows the scripts, its buffers have their size
        before = await used(store)
        began = time.perf_counter()
        for snapshot in snapshots:
            await load(listed, snapshot, given, reserved=order != "grown")
        seconds = time.perf_counter() - began
        count = size * len(snapshots)
        row = Measurement(size, order, (await used(store) - before) / count, count / seconds)
        if size in LOOKED_UP and order == "random":
            row.check, row.get = await looked_up(store, snapshots[0], listed, given)
        return row


async def companies(store: Store, count: int) -> list[AccountSnapshot]:
    accounts = Accounts(store)
    await accounts.apply([Account.model_validate({**ACCOUNT, "id": f"acme-{n}"}) for n in range(count)], NOW)
    return [snapshot for n in range(count) if (snapshot := await accounts.get(f"acme-{n}")) is not None]


async def load(listed: Blocklist, snapshot: AccountSnapshot, given: Sequence[int], *, reserved: bool = True) -> None:
    if reserved:  # as an import does, which knows how long its file is
        await listed.reserve(snapshot, Direction.BOTH, len(given))
    for batch, start in enumerate(range(0, len(given), BATCH)):
        await listed.bulk(snapshot, given[start : start + BATCH], Direction.BOTH, ImportBatch("bench", batch))


async def used(store: Store) -> int:
    """The bytes that the data takes: without the slow log, and after the two idle seconds that free buffers."""
    await store.call("SLOWLOG", "RESET")
    await asyncio.sleep(3)
    await store.info()
    return (await store.info())["memory"]


async def looked_up(
    store: Store, snapshot: AccountSnapshot, listed: Blocklist, given: Sequence[int]
) -> tuple[float, float]:
    """Medians in µs of a check and of a GET, by turns; every second number is not blocked."""
    dice = random.Random(1)  # no secret
    await store.call("SET", "sb:bench", "x" * 20)
    checks, gets = [], []
    for _ in range(ROUNDS):
        asked = [f"+{dice.choice(given) + (n % 2) * 10**12}" for n in range(LOOKUPS)]
        began = time.perf_counter()
        for number in asked:
            await listed.check(snapshot, number, Direction.INBOUND, NOW)
        checks.append((time.perf_counter() - began) / LOOKUPS * 1e6)
        began = time.perf_counter()
        for _ in asked:
            await store.call("GET", "sb:bench")
        gets.append((time.perf_counter() - began) / LOOKUPS * 1e6)
    return median(checks), median(gets)


async def plain() -> tuple[float, float]:
    """Numbers a second and bytes a number of a plain set of the numbers as text."""
    given = numbers(PLAIN, ordered=False)
    async with fresh_store() as (store, url, _):
        before = (await store.info())["memory"]
        seconds = await asyncio.to_thread(_sadd, url, given)
        return PLAIN / seconds, (await used(store) - before) / PLAIN


def _sadd(url: str, given: Sequence[int]) -> float:
    with redis.Redis.from_url(url) as client:
        began = time.perf_counter()
        for start in range(0, len(given), BATCH):
            pipeline = client.pipeline(transaction=False)
            for number in given[start : start + BATCH]:
                pipeline.sadd("sb:bench:plain", f"+{number}")
            pipeline.execute()
        return time.perf_counter() - began


def show(row: Measurement, plain_rate: float) -> None:
    line = f"{row.size:12,}{row.order:>8}{row.bytes_each:12.2f}{row.rate:12,.0f}{row.rate / plain_rate:10.2f}"
    print(line + (f"{row.check:10.1f}{row.check / row.get:10.2f}" if row.check else ""), flush=True)
