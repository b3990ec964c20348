"""Looks at every cell about once a second; the processes share the cells.

Each process sends heartbeats and ranks itself among the living; cell i belongs to rank i mod count. Just after a
process has started or ended, a cell may be looked at twice or not at all. That does no harm: a look only reads, and
what it finds is taken under its own lease.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import structlog

from store.engine import keys
from store.server.connection import ServerError, Store, StoreUnavailable
from store.server.scripts import script

_DUE = script("engine/outbox_due")
_BEAT = script("engine/outbox_beat")

_LIMIT: Final = 64  # due members of each kind that a look returns
_STEPS: Final = 32  # parts of a round, so that the looks are spread over it
_SHUN: Final = 2.0  # seconds after which a cell that could not be read is looked at again

# Gets cell and member, without its kind. It must return without waiting. What stays due is passed again.
OnDue: TypeAlias = Callable[[str, str], None]

log = structlog.get_logger(__name__)


class Sweep:
    """Calls `on_due` for what is due, in a loop.

    Args:
        on_due: by kind, which is the beginning of members of `wake` up to and including the bar, such as `ob|`. That of
            `due|` gets the time (ms) of a cell's first deadline if it comes before the cell is looked at again.
        clock: the bot's time, ms, for deadlines.
        period: seconds between two looks at a cell.
        life: seconds for which a heartbeat counts.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        on_due: Mapping[str, OnDue],
        *,
        period: float,
        life: float,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        wrong = [kind for kind in on_due if kind.partition("|")[1:] != ("|", "")]
        if wrong:
            raise ValueError(f"{wrong[0]!r} must end at its first bar.")
        self._store = store
        self._owner = owner
        self._on_due = on_due
        self._clock = clock
        self._period = period
        self._life_ms = round(life * 1000)
        self._ahead = round(2 * period * 1000)  # ms within which the cell is looked at again, even if a look is missed
        self._rank, self._count = 0, 1
        self._stopping = asyncio.Event()
        self._looking: set[str] = set()
        self._shunned: dict[str, float] = {}

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that this process looks at."""
        return keys.CELLS[self._rank :: self._count]

    async def run(self) -> None:
        """Loop until `stop` or cancelled. Continues through outages of the store."""
        async with asyncio.TaskGroup() as group:
            await self._beat()
            group.create_task(self._beats(), name="heartbeat")
            while not self._stopping.is_set():
                await self._round(group)

    def stop(self) -> None:
        self._stopping.set()

    async def leave(self) -> None:
        """Let the others share this process's cells at once."""
        try:
            await self._store.call("ZREM", keys.dir_process(), self._owner)
        except (StoreUnavailable, ServerError) as error:
            log.warning("sweep.left_unsaid", reason=str(error))

    async def _beats(self) -> None:
        while not await self._stopped(self._period):
            await self._beat()

    async def _beat(self) -> None:
        try:
            reply = await self._store.run(_BEAT, [keys.dir_process()], [self._owner, self._life_ms])
        except (StoreUnavailable, ServerError):
            return  # the looks log it; the rank stays
        living = sorted(name.decode() for name in reply)
        rank = (living.index(self._owner), len(living))
        if rank != (self._rank, self._count):
            self._rank, self._count = rank
            log.info("sweep.shared", rank=self._rank, processes=self._count)

    async def _round(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        started, cells = loop.time(), self.cells
        for step in range(_STEPS):
            for tag in cells[step::_STEPS]:
                # A slow cell delays only its own next look.
                if tag not in self._looking and self._shunned.get(tag, 0.0) <= loop.time():
                    self._looking.add(tag)
                    group.create_task(self._look(tag), name=f"look {tag}")
            if await self._stopped(started + self._period * (step + 1) / _STEPS - loop.time()):
                return

    async def _look(self, tag: str) -> None:
        try:
            args: list[str | int] = [_LIMIT, self._clock(), self._ahead, *self._on_due]
            due = await self._store.run(_DUE, [keys.wake(tag), keys.due(tag)], args)
        except (StoreUnavailable, ServerError) as error:
            if not self._shunned:
                log.warning("sweep.store_unavailable", cell=tag, reason=str(error))
            self._shunned[tag] = asyncio.get_running_loop().time() + _SHUN
            return
        finally:
            self._looking.discard(tag)
        if self._shunned.pop(tag, None) is not None:
            if not self._shunned:
                log.info("sweep.store_available")
            return  # let owners that survived the outage settle first
        for member in due:
            kind, bar, rest = member.decode(errors="replace").partition("|")
            try:
                self._on_due[kind + bar](tag, rest)
            except Exception:
                log.exception("sweep.hook_failed", kind=kind, cell=tag)

    async def _stopped(self, wait: float) -> bool:
        """Wait up to `wait` seconds; whether to stop."""
        if self._stopping.is_set():
            return True
        try:
            async with asyncio.timeout(max(wait, 0.0)):
                return await self._stopping.wait()
        except TimeoutError:
            return False
