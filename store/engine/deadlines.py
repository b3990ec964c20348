"""Deadlines: what must happen at a time, once, whichever process runs then.

A deadline is a member of its cell's `due` set; its score is its time by the bot's clock. The commit that makes it
necessary sets it (`Plan.set_deadline`), and the sweep finds it when it is due. Taking a deadline moves its score to the
end of a lease. That score is its fencing token: the commit that meets the deadline compares it (`Plan.meet_deadline`),
so a process that was delayed past its lease changes nothing. If the process dies, the deadline is due again when the
lease ends. Overdue deadlines are taken in the order of their times.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

import structlog

from store.engine import keys
from store.engine.keys import attempt_key
from store.engine.values import from_ms, to_ms
from store.server.connection import ServerError, Store, StoreUnavailable
from store.server.scripts import script

_TAKE = script("engine/due_take")
_SETTLE = script("engine/due_settle")

TICKETS: Final = "ticket"  # the kind of tickets' deadlines: the account's record moves them too
BARRED: Final = "barred"  # one of that kind: update the callback cards, because the blocklist has changed
_BATCH: Final = 64  # taken from a cell at once
_BEHIND: Final = 16  # being handled at once, above which sending effects waits
_AHEAD: Final = 2_000  # ms in which the next deadline of a cell is awaited by a timer; the sweep finds later ones
_TOGETHER: Final = 0.1  # seconds at least between two takings from a cell, so that deadlines are taken together

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline that was taken. `at`: when it was due, or when the lease of a process that died with it ended;
    `fence`: its fencing token, the score it must still have when it is met, ms."""

    tag: str
    kind: str
    account: str
    name: str
    at: datetime
    fence: int

    @property
    def member(self) -> str:
        return deadline_member(self.kind, self.account, self.name)


def deadline_member(kind: str, account: str, name: str) -> str:
    """The deadline's member in the set. Kind and account contain no bar."""
    return f"{kind}|{account}|{name}"


async def next_deadline(store: Store, tag: str, kind: str, account: str, after: datetime) -> datetime | None:
    """The time, in UTC, of an account's first deadline of a kind after a moment; None if it is not among the next
    hundred of its cell."""
    args = (f"({to_ms(after)}", "+inf", "BYSCORE", "LIMIT", 0, 100, "WITHSCORES")
    rows = await store.call("ZRANGE", keys.due(tag), *args)
    mine = deadline_member(kind, account, "")
    moments = (from_ms(float(score)) for name, score in rows if str(name, "utf-8").startswith(mine))
    return next(moments, None)


# Handles a deadline and meets it. What it raises is logged, and the deadline is due again after its lease.
DeadlineHandler: TypeAlias = Callable[[Deadline], Awaitable[None]]


class Deadlines:
    """Create in the event loop it runs in; the sweep calls `sweep_cell`; stop with `drain`.

    Args:
        now: the bot's clock.
        lease: seconds; also how late another process takes a deadline whose process died.
        at_once: maximum handled at the same time in this process.
    """

    def __init__(self, store: Store, now: Callable[[], datetime], *, lease: float = 15.0, at_once: int = 256) -> None:
        self._store = store
        self._now = now
        self._lease = round(lease * 1000)
        self._room = asyncio.Semaphore(at_once)
        self._handlers: dict[str, DeadlineHandler] = {}
        self._sweeping: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._next: dict[str, float | None] = {}  # time of a cell's next deadline (ms), if the last taking saw it
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[asyncio.Task[None], Deadline] = {}
        self._draining = False

    def on(self, kind: str, handler: DeadlineHandler) -> None:
        """Register the handler of a kind. Raises ValueError if it has one, or contains a bar."""
        if kind in self._handlers or "|" in kind:
            raise ValueError(f"{kind!r} is claimed already, or has a bar.")
        self._handlers[kind] = handler

    def clock(self) -> int:
        """The bot's time, ms."""
        return to_ms(self._now())

    def behind(self) -> bool:
        """Whether many due deadlines are still being handled, so that sending effects can wait a moment."""
        return len(self._running) > _BEHIND

    def sweep_cell(self, tag: str, first: str = "") -> None:
        """Take and handle a cell's deadlines until none is due, from `first` on, the time of the first one (ms by
        the bot's clock). Returns at once."""
        if self._draining or not self._handlers:
            return
        if first and (wait := int(float(first)) - self.clock()) > 0:
            self._later(tag, wait / 1000)
        elif tag in self._sweeping:
            self._again.add(tag)
        else:
            self._sweeping[tag] = asyncio.create_task(self._drain_cell(tag), name=f"deadlines {tag}")

    def _later(self, tag: str, seconds: float) -> None:
        """Sweep the cell in so many seconds, unless a timer does it sooner."""
        loop = asyncio.get_running_loop()
        when, timer = loop.time() + seconds, self._timers.get(tag)
        if self._draining or (timer is not None and timer.when() <= when):
            return
        if timer is not None:
            timer.cancel()
        self._timers[tag] = loop.call_at(when, self._timer_ended, tag)

    def _timer_ended(self, tag: str) -> None:
        del self._timers[tag]
        self.sweep_cell(tag)

    async def settle(self, deadline: Deadline, again: datetime | None = None) -> bool:
        """Remove a deadline whose handling changed nothing, or set it to `again`. False: the lease was lost."""
        return await self._settle(deadline, "" if again is None else to_ms(again))

    async def renew(self, deadline: Deadline) -> Deadline | None:
        """The same deadline with a new lease, for long work; None: the lease was lost."""
        fence = max(self.clock() + self._lease, deadline.fence + 1)
        return replace(deadline, fence=fence) if await self._settle(deadline, fence) else None

    async def _settle(self, deadline: Deadline, score: str | int) -> bool:
        names = [keys.due(deadline.tag), attempt_key(deadline.tag)]
        return bool(await self._store.run(_SETTLE, names, [deadline.member, deadline.fence, score]))

    async def drain(self, timeout: float) -> None:
        """Take no more deadlines, wait up to `timeout` seconds for those being handled, give the rest back."""
        self._draining = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._sweeping.values():
            task.cancel()
        await asyncio.gather(*self._sweeping.values(), return_exceptions=True)
        if not self._running:
            return
        left = dict(self._running)
        _, late = await asyncio.wait(left, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        returns = [self.settle(left[task], self._now()) for task in late]
        await asyncio.gather(*returns, return_exceptions=True)

    async def _drain_cell(self, tag: str) -> None:
        try:
            while True:
                self._again.discard(tag)
                found = await self._take(tag)
                for deadline in found:
                    await self._room.acquire()
                    task = asyncio.create_task(self._handle(deadline), name=f"deadline {deadline.kind}")
                    self._running[task] = deadline
                    task.add_done_callback(self._finished)
                if len(found) < _BATCH and tag not in self._again:
                    if (following := self._next.get(tag)) is not None:
                        self._later(tag, max((following - self.clock()) / 1000, _TOGETHER))
                    return
        except (StoreUnavailable, ServerError) as error:
            log.warning("deadlines.store_unavailable", cell=tag, reason=str(error))
        finally:
            del self._sweeping[tag]

    def _finished(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        self._room.release()

    async def _handle(self, deadline: Deadline) -> None:
        try:
            await self._handlers[deadline.kind](deadline)
        except (StoreUnavailable, ServerError) as error:
            log.warning("deadlines.store_unavailable", kind=deadline.kind, cell=deadline.tag, reason=str(error))
        except Exception:
            log.exception("deadlines.failed", kind=deadline.kind, account=deadline.account)

    async def _take(self, tag: str) -> list[Deadline]:
        kinds = [f"{kind}|" for kind in self._handlers]
        args: list[str | int] = [self.clock(), self._lease, _BATCH, _AHEAD, *kinds]
        following, *reply = await self._store.run(_TAKE, [keys.due(tag), attempt_key(tag)], args)
        self._next[tag] = float(following) if following else None
        found = []
        for raw, at, fence in zip(reply[::3], reply[1::3], reply[2::3], strict=True):
            kind, account, name = str(raw, "utf-8").split("|", 2)
            found.append(Deadline(tag, kind, account, name, from_ms(float(at)), int(fence)))
        return found
