"""The transactional outbox: effects written with the change that causes them, delivered in order per conversation.

The commit appends an effect and returns whether this process sends it at once (`Outbox.deliver_soon`), the owner of the
lease will, or the conversation backs off. `Outbox.run` finds what is left: leases that ended because their process
died, back-offs that are over. No effect is lost, each conversation keeps its order, and only effects that were being
sent when a process died are sent again, as in doubt.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from store.engine import keys
from store.engine.delivery import Delivery
from store.engine.effects import OnEnded, RetryPolicy, Sender
from store.engine.sweep import OnDue, Sweep
from store.engine.values import pairs
from store.server.connection import Store
from store.server.scripts import script

_DEPTH = script("engine/outbox_depth")
_VOID = script("engine/outbox_void")
_BEATS: Final = 5  # periods without a heartbeat after which other processes take over a process's cells
_LISTS: Final = 500  # conversations that one call counts
_AT_ONCE: Final = 16  # cells read at once

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """Effects that wait, seconds since the oldest of them was written (0 if none waits), dead letters."""

    depth: int
    oldest_age_s: float
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An effect that was given up. `at`: when, in seconds since 1970 by the server's clock."""

    tag: str
    conv: str
    kind: str
    id: str
    reason: str
    at: float


def new_owner() -> str:
    """A unique name for this start of this process: host, process id, eight random bytes."""
    return f"{socket.gethostname().replace('|', '-')}:{os.getpid()}:{secrets.token_hex(8)}"


class Outbox:
    """Create in the event loop it runs in; start `run` as a task; stop with `drain`.

    Args:
        senders: by kind. An effect without a sender is tried again, as a process of a newer release may have one.
        owner: from `new_owner`; the same that commits present.
        lease: seconds; also how late another process takes a conversation whose process died. At least 10 s if a
            failover is not to be noticed.
        send_timeout: seconds; a send without a result by then is in doubt.
        sends: maximum in flight.
        pressed: whether the process has more urgent work than sending now; then only a few sends are in flight.
        period: seconds between two looks at a cell.
        policies: retry policies by kind, where it is not `policy`.
        ended: by kind, called when an effect was sent or given up; may be filled until `run`.
        on_due: what else the sweep calls for due members of `wake`, by kind (`store/engine/sweep.py`).
        clock: the bot's time, ms, for deadlines.

    Raises:
        ValueError: a send could outlive the lease; the owner contains a bar.
    """

    def __init__(
        self,
        store: Store,
        senders: Mapping[str, Sender],
        *,
        owner: str,
        lease: float = 15.0,
        send_timeout: float = 10.0,
        sends: int = 256,
        policy: RetryPolicy | None = None,
        policies: Mapping[str, RetryPolicy] | None = None,
        ended: Mapping[str, OnEnded] | None = None,
        pressed: Callable[[], bool] = lambda: False,
        period: float = 1.0,
        on_due: Mapping[str, OnDue] | None = None,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        if not 0 < send_timeout <= lease * 0.8:
            raise ValueError(f"A lease of {lease:g} s does not outlast sends of {send_timeout:g} s by a quarter.")
        if not owner or "|" in owner:
            raise ValueError("An owner is a name without a bar.")
        self.owner = owner
        self.lease = lease
        self._store = store
        policy = policy or RetryPolicy()
        self._doubt = round(policy.doubt * 1000)
        self._delivery = Delivery(
            store,
            senders,
            owner=owner,
            lease=lease,
            send_timeout=send_timeout,
            sends=sends,
            policy=policy,
            policies=policies if policies is not None else {},
            ended=ended if ended is not None else {},
            pressed=pressed,
        )
        hooks = {**(on_due or {}), "ob|": self._delivery.enqueue}
        self._sweep = Sweep(store, owner, hooks, period=period, life=_BEATS * period, clock=clock)

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that this process sweeps."""
        return self._sweep.cells

    def deliver_soon(self, tag: str, conv: str) -> None:
        """Deliver a conversation after a commit returned "yours", now or when a task is free. Returns at once."""
        self._delivery.enqueue(tag, conv)

    async def take_over(self, then: float) -> int:
        """End all leases from before `then` (seconds since 1970), when no other process of this store was alive, and
        forget those processes. A lease that ends later than any from before can stays. Returns how many were ended.
        About 260 small calls. Raises StoreUnavailable."""
        latest = round((then + self.lease) * 1000)

        async def void(tag: str) -> int:
            ended: int = await self._store.run(_VOID, [keys.wake(tag), keys.owners(tag)], [self._doubt, latest])
            return ended

        await self._store.call("DEL", keys.dir_process())
        return sum(await _each(void))

    async def run(self) -> None:
        """Sweep until drained or cancelled. Continues through outages of the store."""
        await self._sweep.run()

    async def drain(self, timeout: float) -> None:
        """Begin no more sends, wait up to `timeout` seconds for those in flight, give leases and cells back."""
        self._sweep.stop()
        await self._delivery.drain(timeout)
        await self._sweep.leave()

    async def stats(self) -> OutboxStats:
        """Over all cells, in about 500 small calls. Raises StoreUnavailable."""
        cells = await _each(self._cell_stats)
        return OutboxStats(
            depth=sum(cell.depth for cell in cells),
            oldest_age_s=max(cell.oldest_age_s for cell in cells),
            dead=sum(cell.dead for cell in cells),
        )

    async def dead(self, limit: int) -> list[DeadLetter]:
        """The last `limit` dead letters, latest first. Raises StoreUnavailable."""

        async def of(tag: str) -> list[DeadLetter]:
            rows = await self._store.call("XREVRANGE", keys.dead(tag), "+", "-", "COUNT", limit)
            return [_dead(tag, id, values) for id, values in rows]

        everywhere = [row for rows in await _each(of) for row in rows]
        return sorted(everywhere, key=lambda row: row.at, reverse=True)[:limit]

    async def _cell_stats(self, tag: str) -> OutboxStats:
        dead = await self._store.call("XLEN", keys.dead(tag))
        waiting = await self._store.call("HKEYS", keys.owners(tag))
        depth = oldest = 0
        for start in range(0, len(waiting), _LISTS):
            lists = [keys.outbox(tag, conv.decode()) for conv in waiting[start : start + _LISTS]]
            more, age = await self._store.run(_DEPTH, lists)
            depth, oldest = depth + more, max(oldest, age)
        return OutboxStats(depth, oldest / 1000, dead)


def _dead(tag: str, id: bytes, values: list[bytes]) -> DeadLetter:
    row = {name.decode(): value.decode() for name, value in pairs(values)}
    return DeadLetter(tag, row["conv"], row["kind"], row["id"], row["reason"], int(id.split(b"-")[0]) / 1000)


async def _each(ask: Callable[[str], Coroutine[Any, Any, _T]]) -> list[_T]:
    """What `ask` returns for each cell; a few at a time."""
    found: list[_T] = []
    for start in range(0, len(keys.CELLS), _AT_ONCE):
        try:
            async with asyncio.TaskGroup() as group:
                few = [group.create_task(ask(tag)) for tag in keys.CELLS[start : start + _AT_ONCE]]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        found += [one.result() for one in few]
    return found
