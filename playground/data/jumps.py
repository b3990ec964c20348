"""The demo's clock: the bot's own, which the page moves forward."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Final

from playground.clock import Clock, Jump

FAR: Final = timedelta(days=30)  # what is due later is housekeeping, not what somebody waits for
START: Final = datetime(1970, 1, 1, tzinfo=UTC)
PATIENCE: Final = 30  # tenths of a second
NextMoment = Callable[[datetime], Awaitable[datetime | None]]


def clock(
    path: Path,
    base: Callable[[], datetime],
    zone: tzinfo,
    next_open: Callable[[datetime], datetime | None],
    next_deadline: NextMoment,
    *,
    fresh: bool,
) -> Clock:
    """The time as the last run left it in `path`, or the real one. All moments are aware.

    Args:
        path: the file with how far the clock is ahead; `fresh` deletes it first.
        base: the real time.
        zone: in which the account's days begin.
        next_open: the first moment of the account's business hours from a moment on, if there is one.
        next_deadline: the first deadline of a ticket after a moment, if there is one.
    """
    if fresh:
        path.unlink(missing_ok=True)

    async def deadline(now: datetime) -> datetime | None:
        found = await next_deadline(START)
        for _ in range(PATIENCE):  # one that has passed is about to be acted on, which sets the next one
            if found is None or found > now:
                break
            await asyncio.sleep(0.1)
            found = await next_deadline(START)
        return found if found is not None and found <= now + FAR else None

    async def working_day(now: datetime) -> datetime | None:
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        return next_open(datetime.combine(tomorrow, time(), zone).astimezone(UTC))

    jumps = (
        Jump("quarter", "+15 minutes", _later(timedelta(minutes=15))),
        Jump("hour", "+1 hour", _later(timedelta(hours=1))),
        Jump("deadline", "Next deadline", deadline, "No ticket has a deadline in the next 30 days."),
        Jump("day", "Next working day", working_day, "The account has no working day within a year."),
    )
    return Clock(base, path, jumps)


def _later(by: timedelta) -> NextMoment:
    async def to(now: datetime) -> datetime:
        return now + by

    return to
