"""The records of a report's period, totalled; for the chat and the command line."""

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from domain.support.report import Report, months
from store.engine.accounts import AccountSnapshot
from store.support.promise_records import PromiseRecords

DAYS: Final = 30  # the default period
YEARS_BACK: Final = 2  # rows are kept for 25 months
BREATH: Final = 2_000  # records between yields to the event loop
_DAYS: Final = re.compile(r"([1-9][0-9]{0,2})(?: days?)?", re.IGNORECASE)
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class DateRange(NamedTuple):
    """Days, both included, in the account's zone."""

    first: date
    last: date


class ReportData(NamedTuple):
    """`removed`: tickets created in the months of the period that are deleted by now."""

    span: DateRange
    report: Report
    removed: int


def parse_date_range(text: str, today: date) -> DateRange | None:
    """ "", "7", "30 days", "this month", "last month", "2026-10"; None for anything else."""
    said = " ".join(text.lower().split())
    first = today.replace(day=1)
    if not said:
        return DateRange(today - timedelta(days=DAYS - 1), today)
    if said in {"month", "this month"}:
        return DateRange(first, today)
    if said == "last month":
        last = first - timedelta(days=1)
        return DateRange(last.replace(day=1), last)
    if (found := _DAYS.fullmatch(said)) is not None:
        return DateRange(today - timedelta(days=int(found[1]) - 1), today)
    if (found := _MONTH.fullmatch(said)) is not None:
        begin = date(int(found[1]), int(found[2]), 1)
        end = (begin + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return DateRange(begin, min(end, today)) if begin <= today else None
    return None


def clamp_date_range(span: DateRange, today: date) -> DateRange:
    """The part of the range that records are kept for."""
    return DateRange(max(span.first, today.replace(year=today.year - YEARS_BACK, day=1)), span.last)


async def load_report(outcomes: PromiseRecords, snapshot: AccountSnapshot, span: DateRange) -> ReportData:
    """Read the records of the period and total them. Raises AccountChanged."""
    zone, report, removed, count = snapshot.account.zone, Report(), 0, 0
    for month in months(_noon(span.first), _noon(span.last)):
        removed += await outcomes.count_removed(snapshot, month)
        async for row in outcomes.in_month(snapshot, month):
            if span.first <= row.at.astimezone(zone).date() <= span.last:
                report.add(row)
            count += 1
            if count % BREATH == 0:
                await asyncio.sleep(0)
    return ReportData(span, report, removed)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 # a day on the account's clock, for its month
