"""Calendars: business hours with their zone, holidays and exceptions, or around the clock.

Durations are elapsed time. A moment is open if the local time then is within the hours of its local day: an hour that
the zone repeats is open twice, one that it skips does not exist.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from domain.accounts.account import Account
from domain.accounts.hours import WEEK, Hours, parse_span
from domain.policy import WORKDAY_HOURS, WORKDAYS

_DAY: Final = timedelta(days=1)
_HORIZON: Final = 366  # days; a calendar without an open hour for so long never opens
_FURTHEST: Final = 1_100  # days that `add` looks ahead
_PROBE: Final = timedelta(hours=6)  # no zone changes its offset twice within this time
_REACH: Final = timedelta(hours=18)  # a local day is within the UTC day of that date, extended by this on both sides

Span = tuple[datetime, datetime]  # in UTC, the end not included

DEFAULT_HOURS: Final = Hours.model_validate(dict.fromkeys(WORKDAYS, WORKDAY_HOURS))


@dataclass(frozen=True)
class Calendar:
    """Open spans of days. `weekly` None: around the clock. `closed`: whether a day, in `zone`, does not count."""

    zone: ZoneInfo
    weekly: Hours | None = None
    closed: Callable[[date], bool] | None = None

    @property
    def day_minutes(self) -> int:
        """Open minutes of a business day: the mean over the weekdays that are open, rounded; 0 if none is."""
        return 1440 if self.weekly is None else _day_minutes(self.weekly)

    def is_open(self, at: datetime) -> bool:
        return any(begin <= at < end for begin, end in self._spans(at.astimezone(self.zone).date()))

    def next_open(self, at: datetime) -> datetime | None:
        """The first open moment at or after `at`, in UTC; None if there is none within a year."""
        at = at.astimezone(UTC)
        for begin, end in self._from(at, _HORIZON):
            if end > at:
                return max(begin, at)
        return None

    def add(self, start: datetime, length: timedelta) -> datetime | None:
        """The moment, in UTC, at which `length` of open time has passed since `start`; None if the calendar never gets
        there.

        It lies in the span that completes the length, whose end counts. For no length, it is the first open moment.
        """
        start = start.astimezone(UTC)
        if self.weekly is None and self.closed is None:
            return start + length
        left, last = length, start
        for opens, closes in self._from(start, _FURTHEST):
            if closes <= start:
                continue
            begin = max(opens, start)
            if begin - last > _HORIZON * _DAY:
                return None
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
            last = closes
        return None

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Open time from `begin` to `end`; zero if `end` is not later."""
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        if end <= begin:
            return timedelta()
        if self.weekly is None and self.closed is None:
            return end - begin
        total = timedelta()
        for opens, closes in self._from(begin, (end - begin).days + 2):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, begin))
        return total

    def left_out(self, begin: datetime, end: datetime) -> tuple[date, ...]:
        """Holidays and exceptions from `begin` to `end` that would otherwise have been open."""
        if self.closed is None:
            return ()
        first, last = begin.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        days = (first + number * _DAY for number in range(min((last - first).days, _FURTHEST) + 1))
        return tuple(day for day in days if self.closed(day) and (self.weekly is None or self._hours(day)))

    def _hours(self, day: date) -> tuple[str, ...]:
        spans: tuple[str, ...] = ("00:00-24:00",) if self.weekly is None else getattr(self.weekly, WEEK[day.weekday()])
        return spans

    def _from(self, at: datetime, days: int) -> Iterator[Span]:
        """Open spans in order, from the day of `at` on."""
        day = at.astimezone(self.zone).date()
        for number in range(days + 1):
            try:
                yield from self._spans(day + number * _DAY)
            except OverflowError:  # after year 9999
                return

    def _spans(self, day: date) -> tuple[Span, ...]:
        if self.closed is not None and self.closed(day):
            return ()
        return _open(self._hours(day), self.zone, day)


@dataclass(frozen=True, slots=True)
class _HolidayRule:
    """Whether a day is a holiday. A value class, so that calendars with the same holidays are equal, as caches need."""

    country: str
    added: tuple[date, ...]
    removed: tuple[date, ...]

    def __call__(self, day: date) -> bool:
        return day in self.added or (day not in self.removed and day in _public(self.country, day.year))


def business(account: Account) -> Calendar:
    """The account's business hours, or the default ones (D), in its zone, without the public holidays of its country as
    the account has amended them."""
    days = account.holidays
    return Calendar(account.zone, account.hours or DEFAULT_HOURS, _HolidayRule(account.country, days.add, days.remove))


def around_the_clock(account: Account) -> Calendar:
    """24 hours on 7 days, holidays included, without the account's response-time exceptions (S 2025-08-21: guaranteed
    responses are subject to them)."""
    return Calendar(account.zone, None, account.excepted if account.response_exceptions else None)


@lru_cache(maxsize=1_024)
def _day_minutes(weekly: Hours) -> int:
    days = [sum(b - a for a, b in map(parse_span, getattr(weekly, name))) for name in WEEK]
    opened = [day for day in days if day]
    return round(sum(opened) / len(opened)) if opened else 0


@lru_cache(maxsize=512)
def _public(country: str, year: int) -> Mapping[date, str]:
    """Public holidays of a whole country; none for one that nobody keeps a list of."""
    try:
        return dict(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return {}


@lru_cache(maxsize=8_192)
def _open(hours: tuple[str, ...], zone: ZoneInfo, day: date) -> tuple[Span, ...]:
    """The UTC spans in which the local day is `day` and the local time is within `hours`, in order; adjacent spans are
    merged."""
    midnight = datetime.combine(day, time(), UTC)
    found: list[Span] = []
    for since, until, offset in _offsets(midnight - _REACH, midnight + _DAY + _REACH, zone):
        for begin, end in map(parse_span, hours):
            opens = max(since, midnight + timedelta(minutes=begin) - offset)
            closes = min(until, midnight + timedelta(minutes=end) - offset)
            if opens >= closes:
                continue
            if found and found[-1][1] == opens:
                found[-1] = (found[-1][0], closes)
            else:
                found.append((opens, closes))
    return tuple(found)


def _offsets(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches between two moments with one UTC offset each: from, until, offset."""
    since, offset, at = begin, _offset(begin, zone), begin
    while at < end:
        probe = min(at + _PROBE, end)
        if (new := _offset(probe, zone)) != offset:
            change = _change(at, probe, zone)
            yield since, change, offset
            since, offset = change, new
        at = probe
    yield since, end, offset


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two others at which the offset changes, to the second."""
    old = _offset(before, zone)
    first, last = 0, int((after - before).total_seconds())
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(before + timedelta(seconds=middle), zone) == old:
            first = middle
        else:
            last = middle
    return before + timedelta(seconds=last)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
