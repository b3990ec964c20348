"""Business hours, held against a clock that is read minute by minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import Account
from domain.accounts.hours import Hours
from domain.calendars import Calendar, around_the_clock, business
from tests.domain.samples import account

MINUTE = timedelta(minutes=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def calendar(zone: str, hours: dict[str, object] | None, closed: tuple[str, ...] = ()) -> Calendar:
    days = {date.fromisoformat(day) for day in closed}
    return Calendar(ZoneInfo(zone), None if hours is None else Hours.model_validate(hours), days.__contains__)


def german(**changes: Any) -> Account:
    return account(country="DE", timezone="Europe/Berlin", **changes)


# ── Read off by hand ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "length", "due", "why"),
    [
        ("2026-11-16T10:00+01:00", 480, "2026-11-17T10:00+01:00", "a day on"),
        ("2026-11-16T09:00+01:00", 480, "2026-11-16T17:00+01:00", "filled at closing time, not at midnight"),
        ("2026-11-16T17:00+01:00", 480, "2026-11-17T17:00+01:00", "begun at closing time"),
        ("2026-11-16T23:30+01:00", 5, "2026-11-17T09:05+01:00", "outside of the hours: from the next opening"),
        ("2026-11-20T16:00+01:00", 120, "2026-11-23T10:00+01:00", "over a weekend"),
        ("2026-11-21T12:00+01:00", 0, "2026-11-23T09:00+01:00", "nothing to pass: the next opening"),
        ("2026-12-24T16:00+01:00", 120, "2026-12-28T10:00+01:00", "over Christmas"),
        ("2026-12-31T16:00+01:00", 120, "2027-01-04T10:00+01:00", "over New Year, and the list of another year"),
        ("2026-03-27T16:30+01:00", 60, "2026-03-30T09:30+02:00", "over the hour that is skipped"),
        ("2026-10-23T16:30+02:00", 60, "2026-10-26T09:30+01:00", "over the hour that is repeated"),
        ("2026-05-15T17:00+02:00", 480, "2026-05-18T17:00+02:00", "no midnight there either"),
    ],
)
def test_deadlines_in_business_hours(start: str, length: int, due: str, why: str) -> None:
    found = business(german()).add(at(start), timedelta(minutes=length))
    assert found == at(due), why


@pytest.mark.parametrize(
    ("country", "zone", "day", "closed"),
    [
        ("PL", "Europe/Warsaw", "2026-12-24", True),
        ("PL", "Europe/Warsaw", "2026-12-23", False),
        ("JP", "Asia/Tokyo", "2026-09-22", True),
        ("JP", "Asia/Tokyo", "2026-09-24", False),
        ("US", "America/New_York", "2026-07-03", True),  # the 4th is a Saturday
        ("GB", "Europe/London", "2026-12-28", True),  # Boxing Day is one
        ("DE", "Europe/Berlin", "2026-12-24", False),
        ("AC", "Atlantic/St_Helena", "2026-12-25", False),  # nobody keeps a list
    ],
)
def test_public_holidays(country: str, zone: str, day: str, closed: bool) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    assert business(account(country=country, timezone=zone)).is_open(noon) is not closed


def test_an_account_adds_and_removes_holidays() -> None:
    acme = german(holidays={"add": ["2026-12-24"], "remove": ["2026-12-25"]})
    hours = business(acme)
    assert not hours.is_open(at("2026-12-24T12:00+01:00"))
    assert hours.is_open(at("2026-12-25T12:00+01:00"))
    assert hours.left_out(at("2026-12-23T12:00+01:00"), at("2026-12-28T12:00+01:00")) == (date(2026, 12, 24),)


@pytest.mark.parametrize(
    ("zone", "day", "hours", "open_minutes", "why"),
    [
        ("Europe/Berlin", "2026-03-29", "00:00-24:00", 1380, "a day of 23 hours"),
        ("Europe/Berlin", "2026-10-25", "00:00-24:00", 1500, "a day of 25 hours"),
        ("Europe/Berlin", "2026-03-29", "02:00-03:00", 0, "wholly in the hour that is skipped"),
        ("Europe/Berlin", "2026-03-29", "02:30-04:00", 60, "begins inside it"),
        ("Europe/Berlin", "2026-03-29", "01:00-02:30", 60, "ends inside it"),
        ("Europe/Berlin", "2026-10-25", "02:00-03:00", 120, "the hour that is repeated"),
        ("Europe/Berlin", "2026-10-25", "02:30-04:00", 120, "begins inside it: half past two comes twice"),
        ("Europe/Berlin", "2026-10-25", "01:00-02:30", 120, "ends inside it"),
        ("Australia/Lord_Howe", "2026-10-04", "00:00-24:00", 1410, "half an hour is skipped"),
        ("Australia/Lord_Howe", "2026-04-05", "00:00-24:00", 1470, "half an hour is repeated"),
        ("America/Havana", "2026-03-08", "00:00-24:00", 1380, "midnight itself is skipped"),
        ("America/Havana", "2026-11-01", "00:00-24:00", 1500, "midnight itself is repeated"),
        ("America/Havana", "2026-10-31", "00:00-24:00", 1440, "the day before is none the longer"),
        ("America/Santiago", "2026-04-04", "20:00-24:00", 300, "the last hour of a day is repeated"),
        ("Asia/Kathmandu", "2026-06-01", "09:00-17:00", 480, "an offset of 5:45"),
        ("Pacific/Apia", "2011-12-30", "00:00-24:00", 0, "a day that never was"),
        ("Pacific/Chatham", "2026-09-27", "02:00-04:00", 60, "skipped at a quarter to three"),
    ],
)
def test_days_on_which_the_clock_is_changed(zone: str, day: str, hours: str, open_minutes: int, why: str) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    whole = calendar(zone, dict.fromkeys(WEEK, hours), closed=())
    only = Calendar(whole.zone, whole.weekly, lambda other: other.isoformat() != day)
    span = (noon - timedelta(days=2), noon + timedelta(days=2))
    assert only.between(*span) == open_minutes * MINUTE, why
    if open_minutes:
        assert only.add(span[0], open_minutes * MINUTE) == max(
            moment + MINUTE for moment in every_minute(*span) if only.is_open(moment)
        )


def test_a_calendar_that_never_opens_has_no_deadline_and_no_end_to_its_search() -> None:
    for never in (
        Calendar(ZoneInfo("UTC"), Hours()),
        Calendar(ZoneInfo("UTC"), None, lambda _: True),
        Calendar(ZoneInfo("UTC"), Hours(mon=("09:00-17:00",)), lambda day: day.weekday() == 0),
    ):
        assert never.next_open(at("2026-11-16T10:00Z")) is None
        assert never.add(at("2026-11-16T10:00Z"), MINUTE) is None
        assert never.add(at("2026-11-16T10:00Z"), timedelta()) is None
        assert never.between(at("2026-11-16T10:00Z"), at("2027-11-16T10:00Z")) == timedelta()
        assert not never.is_open(at("2026-11-16T10:00Z"))


def test_a_calendar_that_is_hardly_open_gets_there_or_says_that_it_does_not() -> None:
    sparse = calendar("UTC", {"mon": "09:00-09:01"})
    assert sparse.add(at("2026-11-16T00:00Z"), 3 * MINUTE) == at("2026-11-30T09:01Z")
    assert sparse.add(at("2026-11-16T00:00Z"), 480 * MINUTE) is None


def test_around_the_clock_but_for_exceptions() -> None:
    plain = around_the_clock(german())
    assert plain.add(at("2026-12-25T23:50+01:00"), 30 * MINUTE) == at("2026-12-26T00:20+01:00")
    acme = german(response_exceptions=["2026-12-26", {"from": "2026-12-31", "to": "2027-01-02"}])
    excepted = around_the_clock(acme)
    assert excepted.add(at("2026-12-25T23:50+01:00"), 30 * MINUTE) == at("2026-12-27T00:20+01:00")
    assert excepted.add(at("2027-01-01T08:00+01:00"), 30 * MINUTE) == at("2027-01-03T00:30+01:00")
    assert excepted.left_out(at("2026-12-25T00:00+01:00"), at("2027-01-03T00:00+01:00")) == tuple(
        date.fromisoformat(day) for day in ("2026-12-26", "2026-12-31", "2027-01-01", "2027-01-02")
    )
    assert business(acme).is_open(at("2026-12-31T12:00+01:00")), "exceptions are the guarantees' alone"


@pytest.mark.parametrize(
    ("hours", "length"),
    [
        ({"mon": "09:00-17:00"}, 480),
        ({"mon": ["09:00-12:00", "13:00-17:00"], "fri": "09:00-12:00"}, 300),
        ({"mon": "00:00-24:00"}, 1440),
        ({}, 0),
        (None, 1440),
    ],
)
def test_how_long_a_business_day_is(hours: dict[str, object] | None, length: int) -> None:
    assert calendar("UTC", hours).day_minutes == length


# ── Any zone, any hours, minute by minute ───────────────────────────────────────────────────────────────────────


ZONES = (
    *("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Havana"),
    *("America/Santiago", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Beirut", "Asia/Tehran", "Africa/Cairo"),
    *("Africa/Casablanca", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Chatham", "Pacific/Kiritimati"),
    *("Pacific/Apia", "Pacific/Marquesas", "Atlantic/Azores", "America/Nuuk", "Antarctica/Troll"),
)


def every_minute(begin: datetime, end: datetime) -> Iterator[datetime]:
    moment = begin
    while moment < end:
        yield moment
        moment += MINUTE


def wall_says_open(
    hours: dict[str, list[str]] | None, closed: frozenset[date], zone: ZoneInfo, moment: datetime
) -> bool:
    """Whether that minute counts: what a person with the list of hours and a clock on the wall would say."""
    wall = moment.astimezone(zone)
    if wall.date() in closed:
        return False
    if hours is None:
        return True
    shown = f"{wall:%H:%M}"
    return any(
        begin <= shown < end for begin, _, end in (span.partition("-") for span in hours.get(f"{wall:%a}".lower(), []))
    )


@st.composite
def spans(draw: st.DrawFn) -> list[str]:
    quarters = sorted(draw(st.sets(st.integers(0, 96), max_size=4)))
    edges = quarters[: len(quarters) // 2 * 2]
    return [
        f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}" for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


@lru_cache
def changes(zone: str, year: int) -> list[datetime]:
    """Days, in UTC, on which a zone changes its clock; the first of the year where it never does."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, (now, then) in zip(days, pairwise(offsets), strict=False) if now != then] or days[:1]


@st.composite
def changing_days(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment some hours around one of its changes of the clock where it has any that year."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(changes(zone, draw(st.sampled_from((2011, 2024, 2025, 2026))))))
    return zone, day + timedelta(minutes=draw(st.integers(-1440, 1440)))


@pytest.mark.slow
@given(
    changing_days(),
    st.none() | st.dictionaries(st.sampled_from(WEEK), spans()),
    st.sets(st.integers(-1, 3), max_size=2),
    st.integers(0, 1500),
    st.integers(0, 2 * 1440),
)
@settings(max_examples=80, deadline=None)
def test_any_hours_against_the_clock_on_the_wall(
    place: tuple[str, datetime], hours: dict[str, list[str]] | None, holidays: set[int], length: int, reach: int
) -> None:
    name, start = place
    zone = ZoneInfo(name)
    closed = frozenset(start.astimezone(zone).date() + timedelta(days=n) for n in holidays)
    found = Calendar(zone, None if hours is None else Hours.model_validate(hours), closed.__contains__)
    end = start + timedelta(days=2)
    opened = [m for m in every_minute(start, end) if wall_says_open(hours, closed, zone, m)]

    assert [m for m in every_minute(start, start + timedelta(hours=4)) if found.is_open(m)] == [
        m for m in opened if m < start + timedelta(hours=4)
    ]
    until = start + reach * MINUTE
    assert found.between(start, until) == len([m for m in opened if m < until]) * MINUTE
    if opened:
        assert found.next_open(start) == opened[0]
    due = found.add(start, length * MINUTE)
    if length == 0 and opened:
        assert due == opened[0]
    elif length <= len(opened) and opened:
        assert due == opened[length - 1] + MINUTE
    else:
        assert due is None or due >= end


@pytest.mark.slow
@given(changing_days(), st.dictionaries(st.sampled_from(WEEK), spans()), st.integers(1, 100_000))
@settings(max_examples=40, deadline=None)
def test_a_deadline_lies_in_open_time_and_exactly_so_far_away(
    place: tuple[str, datetime], hours: dict[str, list[str]], seconds: int
) -> None:
    name, start = place
    found, length = Calendar(ZoneInfo(name), Hours.model_validate(hours)), timedelta(seconds=seconds)
    due = found.add(start, length)
    if due is None:
        assert not any(hours.values()) or seconds > 60
        return
    assert found.between(start, due) == length
    assert found.is_open(due - timedelta(microseconds=1))
    at_midnight = due.astimezone(found.zone).time() == datetime.min.time()
    assert not at_midnight or any("24:00" in span for day in hours.values() for span in day)
