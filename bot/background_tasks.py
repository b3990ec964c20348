"""Work that goes on after an answer, tracked so that stopping waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot.telemetry import logger

_T = TypeVar("_T")
_log = logger(__name__)


class BackgroundTasks:
    """Holds tasks that nobody else refers to. The error of one is logged, once."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, job: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start a job; the caller may await it, or leave it."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def drain(self, timeout: float) -> bool:
        """Wait for all jobs and those that they start; cancel the rest after `timeout` seconds.

        Returns whether all ended in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while self._tasks and (left := end - loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
            await asyncio.sleep(0)
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return not rest

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("work after an answer failed", exc_info=error)


async def within(task: "asyncio.Task[Any]", seconds: float) -> None:
    """Return when the task is done, or after so many seconds: `asyncio.wait` for one task, in half its time."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    task.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
        task.remove_done_callback(wake)
