"""The time of a demo: the real one plus what somebody moved it forward. It goes back only by starting anew."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

Json = dict[str, Any]
MOST: Final = timedelta(days=5 * 366)  # ahead of the real time; calendars and calculations hold beyond it
PAST: Final = timedelta(seconds=1)  # so that what comes at the moment aimed at has come


@dataclass(frozen=True, slots=True)
class Jump:
    """A way to move the clock forward. `to` gives the moment aimed at, aware; for None the person reads `nothing`."""

    id: str
    label: str
    to: Callable[[datetime], Awaitable[datetime | None]]
    nothing: str = ""


class JumpRefused(LookupError):
    """There is no moment to move to, or it can't be saved. `str()` is worded for people."""


class Clock:
    """Called, it gives the time: aware, in UTC. How far it is ahead is saved in `path` before anybody sees it.

    Args:
        base: the real time.
        path: the file; where it is missing or broken, the clock is not ahead.
        jumps: the ways to move it forward.
    """

    def __init__(self, base: Callable[[], datetime], path: Path, jumps: tuple[Jump, ...]) -> None:
        self._base, self._path = base, path
        self._jumps = {jump.id: jump for jump in jumps}
        self._ahead = _read(path)
        self._going = asyncio.Lock()
        self.listeners: list[Callable[[], None]] = []

    def __call__(self) -> datetime:
        return self._base() + self._ahead

    def seconds(self) -> float:
        """The same, since 1970."""
        return self().timestamp()

    def state(self) -> Json:
        """What the page shows: seconds ahead of the real time, and the jumps."""
        ways = [{"id": jump.id, "label": jump.label} for jump in self._jumps.values()]
        return {"ahead": self._ahead.total_seconds(), "jumps": ways}

    async def forward(self, id: Any) -> None:
        """Moves the clock forward by the jump `id`. Raises JumpRefused, or LookupError for an id that is none."""
        jump = self._jumps[str(id)]
        async with self._going:  # of two at once, the second goes on from where the first has come
            now = self()
            aim = await jump.to(now)
            if aim is None:
                raise JumpRefused(jump.nothing)
            ahead = self._ahead + max(timedelta(), aim - now) + PAST
            if ahead > MOST:
                raise JumpRefused("The demo is years ahead already. Start it with --fresh to come back.")
            self._keep(ahead)
            self._ahead = ahead
        for listener in self.listeners:
            listener()

    def _keep(self, ahead: timedelta) -> None:
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            with part.open("wb") as file:
                file.write(orjson.dumps({"ahead": ahead.total_seconds()}))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise JumpRefused(f"{self._path} can't be written: {error.strerror}.") from None


def _read(path: Path) -> timedelta:
    try:
        ahead = timedelta(seconds=float(orjson.loads(path.read_bytes())["ahead"]))
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return timedelta()
    return min(max(ahead, timedelta()), MOST)
