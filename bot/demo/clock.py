"""The clock of the demo: the bot's own, which the page can fast-forward."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from bot.settings import Settings
from bot.wiring import clock as real
from domain.accounts.account import Account
from domain.calendars import business
from playground.clock import Clock, Jump

FAR: Final = timedelta(days=30)  # what is due later is housekeeping, not what somebody waits for
START: Final = datetime(1970, 1, 1, tzinfo=UTC)
PATIENCE: Final = 30  # tenths of a second
Soonest = Callable[[datetime], Awaitable[datetime | None]]


def clock(path: Path, settings: Settings, account: Account, soonest: Soonest, *, fresh: bool) -> Clock:
    """The time as the last run left it in `path`, or the real one. `soonest`: the first deadline of a ticket after a
    moment."""
    if fresh:
        path.unlink(missing_ok=True)

    async def deadline(now: datetime) -> datetime | None:
        found = await soonest(START)
        for _ in range(PATIENCE):  # what has come already is about to be acted on, and sets what comes next
            if found is None or found > now:
                break
            await asyncio.sleep(0.1)
            found = await soonest(START)
        return found if found is not None and found <= now + FAR else None

    async def day(now: datetime) -> datetime | None:
        local = now.astimezone(account.zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), account.zone)
        return business(account).next_open(midnight.astimezone(UTC))

    ways = (
        Jump("quarter", "+15 minutes", _later(timedelta(minutes=15))),
        Jump("hour", "+1 hour", _later(timedelta(hours=1))),
        Jump("deadline", "Next deadline", deadline, "No ticket has a deadline in the next 30 days."),
        Jump("day", "Next working day", day, "The account has no working day within a year."),
    )
    return Clock(real(settings), path, ways)


def _later(by: timedelta) -> Soonest:
    async def to(now: datetime) -> datetime:
        return now + by

    return to
