"""A process that serves until it is told to stop: signals, the event loop, and bounds on how long stopping takes."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import uvloop

from bot.app import App, running
from bot.settings import Settings
from bot.telemetry import configure_logs, logger

_LOG = logger(__name__)
STOP_TIMEOUT: Final = 15.0  # seconds from the first signal to the end, whatever hangs
HASTY_TIMEOUT: Final = 3.0  # seconds from the second

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

# Takes an event that is set when stopping must hasten; returns the running app.
Start = Callable[[asyncio.Event], AbstractAsyncContextManager[App]]


def run_serve(settings: Settings) -> int:
    """`switchboard serve`. Raises InputError, OperationError if it can't start."""
    configure_logs(settings.log_level)

    # Logged once it runs: if it can't start, the line that says why must stand alone.
    def ready(app: App) -> None:
        if settings.clock_offset:
            _LOG.warning("the clock is moved: for rehearsals only", seconds=settings.clock_offset)
        for line in settings.describe():
            _LOG.info(line)
        _LOG.info("ready", url=app.url)

    return serve_until_stopped(lambda hasten: running(settings, hasten=hasten), ready)


def serve_until_stopped(start: Start, ready: Callable[[App], None]) -> int:
    """Enter `start`, call `ready`, and leave in order on SIGTERM or Ctrl-C; a second signal hastens.

    Returns the exit status: 0, or 1 if something had to be abandoned. Raises what starting raises.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(start, ready))


async def _serve(start: Start, ready: Callable[[App], None]) -> int:
    stop, hasten = asyncio.Event(), asyncio.Event()

    def signalled(number: signal.Signals) -> None:
        _LOG.info("stopping", signal=number.name)
        (hasten if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, signalled, number)
    started = False

    async def life() -> None:
        nonlocal started
        async with start(hasten) as app:
            started = True
            gc.collect()
            gc.freeze()  # modules and wiring are never freed: the collector need not walk them
            ready(app)
            await stop.wait()

    task = asyncio.create_task(life(), name="life")
    await _first(None, task, stop)
    if not task.done():
        if not started:  # interrupted while starting
            task.cancel()
        await _first(STOP_TIMEOUT, task, hasten)
        if not task.done() and hasten.is_set():
            await asyncio.wait({task}, timeout=HASTY_TIMEOUT)
        if not task.done():
            _LOG.error("stopping took too long; what is left is abandoned")
            task.cancel()
            await asyncio.wait({task}, timeout=HASTY_TIMEOUT)
            return 1
    if not task.cancelled():
        task.result()
    return 0


async def _first(timeout: float | None, task: "asyncio.Task[None]", event: asyncio.Event) -> None:
    """Return when the task has ended, the event is set, or the time is up."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({task, waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
