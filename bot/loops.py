"""Background loops beside the requests: they start with the process, restart after a failure and stop with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bot.metrics import Metrics
from bot.telemetry import logger, new_correlation
from store.engine.outbox import OutboxStats
from store.server.connection import StoreUnavailable

_LOG = logger(__name__)
_AGAIN: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the nth restart in a row; then the last
_STEADY: Final = 60.0  # seconds of running after which a failure counts as the first in a row
_TICK: Final = 0.25
_LATE: Final = 2.0  # seconds without a tick after which the process is not ready
_MEASURE: Final = 15.0  # seconds between looks at the outbox
_MEASURE_TIMEOUT: Final = 5.0


class Loops:
    """Named background tasks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run `run` until it returns or `stop` is called; start it again after a pause when it fails."""
        self._tasks[name] = asyncio.create_task(self._keep(name, run), name=name)

    def failing(self) -> list[str]:
        """Names of the loops that are pausing after a failure."""
        return sorted(self._failing)

    async def stop(self, timeout: float = 3.0) -> None:
        """Cancel all and wait for them, at most `timeout` seconds."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout)
            for task in late:
                _LOG.warning("a loop does not end", loop=task.get_name())
        self._tasks.clear()

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        in_a_row = 0
        loop = asyncio.get_running_loop()
        while True:
            new_correlation()
            began = loop.time()
            try:
                await run()
            except Exception:  # noqa: BLE001 - the loop must go on after any error
                in_a_row = 0 if loop.time() - began > _STEADY else in_a_row
                pause = _AGAIN[min(in_a_row, len(_AGAIN) - 1)]
                in_a_row += 1
                _LOG.exception("a loop failed and starts again", loop=name, in_seconds=pause)
                self._metrics.restarts.labels(name).inc()
                self._failing.add(name)
                await asyncio.sleep(pause)
                self._failing.discard(name)
            else:
                return


class Ticker:
    """Measures how late the event loop wakes up, for the metrics; `/readyz` asks whether it still does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._last = asyncio.get_running_loop().time()

    @property
    def alive(self) -> bool:
        return asyncio.get_running_loop().time() - self._last < _LATE

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK
            await asyncio.sleep(_TICK)
            self._last = loop.time()
            self._metrics.lag.set(max(0.0, self._last - due))


async def measure(stats: Callable[[], Awaitable[OutboxStats]], metrics: Metrics) -> None:
    """Set the outbox's gauges every `_MEASURE` seconds, for ever."""
    while True:
        try:
            async with asyncio.timeout(_MEASURE_TIMEOUT):
                seen = await stats()
        except (TimeoutError, StoreUnavailable) as error:
            _LOG.warning("the outbox could not be measured", why=str(error) or "no answer in time")
        else:
            metrics.outbox_depth.set(seen.depth)
            metrics.outbox_age.set(seen.oldest_age_s)
            metrics.outbox_dead.set(seen.dead)
            metrics.outbox_seen.set_to_current_time()
        await asyncio.sleep(_MEASURE)
