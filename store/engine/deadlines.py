"""Deadlines: what must happen at a time, done by whichever process lives then, each once.

A deadline is a member of its cell's `due` set, scored with its time by the bot's clock, written by the commit that
makes it necessary (`Plan.set_deadline`). The sweep sees it coming, so that a process takes it when its time is there;
taking it moves its score to the end of a lease, and that score is the fence: meeting the deadline is a commit that
compares it (`Plan.meet_deadline`), so a process that was held up past its lease changes nothing. One whose process died
comes again when the lease is over. Several that came while nobody looked are taken in the order of their times.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

import structlog

from store.engine import keys
from store.engine.once import attempt_key
from store.engine.values import from_ms, to_ms
from store.server.connection import ServerError, Store, StoreUnavailable
from store.server.scripts import script

_TAKE = script("engine/due_take")
_SETTLE = script("engine/due_settle")

TICKETS: Final = "ticket"  # the kind of tickets' deadlines: the account's record moves them too
BARRED: Final = "barred"  # one of that kind: what the blocklist rejects has changed, and cards of callbacks say so
_BATCH: Final = 64  # taken from a cell at once
_BEHIND: Final = 16  # acted on at once, from which on they go before what is sent
_AHEAD: Final = 2_000  # ms for which the next deadline of a cell is waited for here; the sweep sees later ones
_TOGETHER: Final = 0.1  # seconds between two takings of a cell: what comes meanwhile is taken together

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline that was taken. `at`: when it was due (one taken over from the dead: when their lease ended);
    `fence`: what its score must still be when it is met, ms."""

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
    """How the set names a deadline. Kind and account hold no bar."""
    return f"{kind}|{account}|{name}"


async def next_deadline(store: Store, tag: str, kind: str, account: str, after: datetime) -> datetime | None:
    """When the first deadline of a kind and an account comes that is not due at a moment, in UTC; None where there is
    none among the next hundred of its cell."""
    args = (f"({to_ms(after)}", "+inf", "BYSCORE", "LIMIT", 0, 100, "WITHSCORES")
    rows = await store.call("ZRANGE", keys.due(tag), *args)
    mine = deadline_member(kind, account, "")
    moments = (from_ms(float(score)) for name, score in rows if str(name, "utf-8").startswith(mine))
    return next(moments, None)


# Acts on a deadline and meets it. What it raises is logged, and the deadline comes again after its lease.
DeadlineHandler: TypeAlias = Callable[[Deadline], Awaitable[None]]


class Deadlines:
    """Create in the event loop it runs in; the sweep calls `look`; stop with `drain`.

    Args:
        now: the bot's clock.
        lease: seconds that a deadline is a process's; also how late another comes when that process dies.
        at_once: acted on at the same time, in this process.
    """

    def __init__(self, store: Store, now: Callable[[], datetime], *, lease: float = 15.0, at_once: int = 256) -> None:
        self._store = store
        self._now = now
        self._lease = round(lease * 1000)
        self._room = asyncio.Semaphore(at_once)
        self._fires: dict[str, DeadlineHandler] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._soon: dict[str, float | None] = {}  # when the next one of a cell comes (ms), if the last taking saw it
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._acting: dict[asyncio.Task[None], Deadline] = {}
        self._draining = False

    def on(self, kind: str, fire: DeadlineHandler) -> None:
        """Who acts on deadlines of a kind. Raises ValueError for a second claim, or a kind with a bar."""
        if kind in self._fires or "|" in kind:
            raise ValueError(f"{kind!r} is claimed already, or has a bar.")
        self._fires[kind] = fire

    def clock(self) -> int:
        """The bot's time in ms, for the sweep."""
        return to_ms(self._now())

    def behind(self) -> bool:
        """Whether many that have come are still acted on: what was told of them can be sent a moment later."""
        return len(self._acting) > _BEHIND

    def sweep_cell(self, tag: str, first: str = "") -> None:
        """Takes what has come in a cell and acts on it, until nothing more has; not before `first` (ms by the bot's
        clock), when the first one comes. Returns at once."""
        if self._draining or not self._fires:
            return
        if first and (wait := int(float(first)) - self.clock()) > 0:
            self._later(tag, wait / 1000)
        elif tag in self._looking:
            self._again.add(tag)
        else:
            self._looking[tag] = asyncio.create_task(self._drain_cell(tag), name=f"deadlines {tag}")

    def _later(self, tag: str, seconds: float) -> None:
        """Looks in so many seconds, or when a timer that is sooner says so."""
        loop = asyncio.get_running_loop()
        when, timer = loop.time() + seconds, self._timers.get(tag)
        if self._draining or (timer is not None and timer.when() <= when):
            return
        if timer is not None:
            timer.cancel()
        self._timers[tag] = loop.call_at(when, self._come, tag)

    def _come(self, tag: str) -> None:
        del self._timers[tag]
        self.sweep_cell(tag)

    async def settle(self, due: Deadline, again: datetime | None = None) -> bool:
        """Meets a deadline that changed nothing, or sets when it comes again. False: it is somebody else's by now."""
        return await self._settle(due, "" if again is None else to_ms(again))

    async def renew(self, due: Deadline) -> Deadline | None:
        """The same deadline with a fresh lease, for work that takes long; None: it is somebody else's by now."""
        fence = max(self.clock() + self._lease, due.fence + 1)
        return replace(due, fence=fence) if await self._settle(due, fence) else None

    async def _settle(self, due: Deadline, score: str | int) -> bool:
        names = [keys.due(due.tag), attempt_key(due.tag)]
        return bool(await self._store.run(_SETTLE, names, [due.member, due.fence, score]))

    async def drain(self, timeout: float) -> None:
        """Take nothing new, let what is acted on end for `timeout` seconds, give the rest back."""
        self._draining = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._looking.values():
            task.cancel()
        await asyncio.gather(*self._looking.values(), return_exceptions=True)
        if not self._acting:
            return
        left = dict(self._acting)
        _, late = await asyncio.wait(left, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        kept = [self.settle(left[task], self._now()) for task in late]
        await asyncio.gather(*kept, return_exceptions=True)

    async def _drain_cell(self, tag: str) -> None:
        try:
            while True:
                self._again.discard(tag)
                found = await self._take(tag)
                for due in found:
                    await self._room.acquire()
                    task = asyncio.create_task(self._act(due), name=f"deadline {due.kind}")
                    self._acting[task] = due
                    task.add_done_callback(self._acted)
                if len(found) < _BATCH and tag not in self._again:
                    if (soon := self._soon.get(tag)) is not None:
                        self._later(tag, max((soon - self.clock()) / 1000, _TOGETHER))
                    return
        except (StoreUnavailable, ServerError) as error:
            log.warning("deadlines.store_unavailable", cell=tag, reason=str(error))
        finally:
            del self._looking[tag]

    def _acted(self, task: "asyncio.Task[None]") -> None:
        del self._acting[task]
        self._room.release()

    async def _act(self, due: Deadline) -> None:
        try:
            await self._fires[due.kind](due)
        except (StoreUnavailable, ServerError) as error:
            log.warning("deadlines.store_unavailable", kind=due.kind, cell=due.tag, reason=str(error))
        except Exception:
            log.exception("deadlines.failed", kind=due.kind, account=due.account)

    async def _take(self, tag: str) -> list[Deadline]:
        kinds = [f"{kind}|" for kind in self._fires]
        args: list[str | int] = [self.clock(), self._lease, _BATCH, _AHEAD, *kinds]
        soon, *reply = await self._store.run(_TAKE, [keys.due(tag), attempt_key(tag)], args)
        self._soon[tag] = float(soon) if soon else None
        found = []
        for raw, at, fence in zip(reply[::3], reply[1::3], reply[2::3], strict=True):
            kind, account, name = str(raw, "utf-8").split("|", 2)
            found.append(Deadline(tag, kind, account, name, from_ms(float(at)), int(fence)))
        return found
