"""`switchboard report gaps`: what people asked and no article answered. It holds nothing of who asked."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import click

from bot.cli.common import echo_json, get_account, parse_day
from bot.errors import InputError
from bot.settings import Settings
from bot.wiring import clock, open_repositories
from domain import policy
from domain.support.questions import week
from store.support.questions import QuestionWeek

SHOWN: Final = 50  # questions, for people; programs get all


def gaps(settings: Settings, *, account: str, since: str | None, as_json: bool) -> None:
    """Print the report, from the week of the day `since` (2026-11-02) on, or of all that is kept. Raises InputError."""
    begin = parse_day("--since", since)

    async def run() -> list[QuestionWeek]:
        async with open_repositories(settings) as kept:
            snapshot = await get_account(kept, account)
            weeks = _weeks(clock(settings)().astimezone(snapshot.account.zone), begin)
            return await kept.asking.weeks(snapshot, [week(snapshot.account, day) for day in weeks])

    seen = asyncio.run(run())
    if as_json:
        echo_json(as_data(account, seen))
        return
    asked, unanswered = sum(each.asked for each in seen), sum(each.unanswered for each in seen)
    span = f"{seen[0].week} to {seen[-1].week}" if len(seen) > 1 else seen[0].week
    click.echo(f"{account}, {span}: {asked:,} asked, {unanswered:,} without an answer")
    rows = totals(seen)
    for text, count in rows[:SHOWN]:
        click.echo(f"{count:>5}  {text}")
    if len(rows) > SHOWN:
        click.echo(f"… +{len(rows) - SHOWN}; --json gives all")


def as_data(account: str, seen: Sequence[QuestionWeek]) -> dict[str, object]:
    return {
        "account": account,
        "asked": sum(each.asked for each in seen),
        "unanswered": sum(each.unanswered for each in seen),
        "questions": [{"question": text, "count": count} for text, count in totals(seen)],
        "weeks": [{"week": each.week, "asked": each.asked, "unanswered": each.unanswered} for each in seen],
    }


def totals(seen: Sequence[QuestionWeek]) -> list[tuple[str, int]]:
    """The questions of all weeks together, the most frequent first."""
    counts: dict[str, int] = {}
    for each in seen:
        for text, count in each.questions:
            counts[text] = counts.get(text, 0) + count
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def _weeks(now: datetime, begin: date | None) -> list[datetime]:
    """A moment in each week that is kept, the oldest first, the current one last."""
    if begin is not None and begin > now.date():
        raise InputError(f"--since {begin} is in the future")
    days = [now - timedelta(weeks=back) for back in reversed(range(policy.GAP_WEEKS))]
    return [day for day in days if begin is None or day.date() + timedelta(days=6 - day.weekday()) >= begin]
