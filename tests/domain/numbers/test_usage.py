"""Limits and usage."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.numbers.usage import Limits, Usage, billable_minutes, limits, month_key, resets_on
from tests.domain.samples import account


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("free", (0, 0)), ("starter", (1, 500)), ("professional", (3, 3000)), ("enterprise", (5, 12000))],
)
def test_limits_come_from_the_tier(tier: str, expected: tuple[int, int]) -> None:
    assert limits(account(tier)) == Limits(*expected)


@pytest.mark.parametrize(
    ("tier", "changes", "expected"),
    [
        ("professional", {"addons": {"numbers": 2}}, (5, 3000)),
        ("professional", {"addons": {"minutes": 1000}}, (3, 4000)),
        ("professional", {"limits": {"numbers": 10}}, (10, 3000)),
        ("professional", {"limits": {"numbers": 0, "minutes": 0}}, (0, 0)),
        ("enterprise", {"limits": {"minutes": 100}, "addons": {"numbers": 1, "minutes": 50}}, (6, 150)),
        ("free", {"limits": {"numbers": 3, "minutes": 9}, "addons": {"numbers": 1}}, (0, 0)),
    ],
)
def test_add_ons_are_added_to_what_was_agreed(tier: str, changes: dict[str, object], expected: tuple[int, int]) -> None:
    assert limits(account(tier, **changes)) == Limits(*expected)


def test_the_higher_of_two_lines_counts() -> None:
    both = account(subscription=[{"line": "sales", "tier": "starter"}, {"line": "service", "tier": "enterprise"}])
    assert limits(both) == Limits(5, 12000)


@pytest.mark.parametrize(
    ("timezone", "now", "month", "resets"),
    [
        ("Europe/London", datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "2026-11", date(2026, 12, 1)),
        ("Europe/Berlin", datetime(2026, 11, 30, 23, 0, tzinfo=UTC), "2026-12", date(2027, 1, 1)),
        ("America/New_York", datetime(2026, 12, 1, 4, 59, tzinfo=UTC), "2026-11", date(2026, 12, 1)),
        ("America/New_York", datetime(2026, 12, 1, 5, 0, tzinfo=UTC), "2026-12", date(2027, 1, 1)),
        ("Pacific/Kiritimati", datetime(2026, 12, 31, 10, 0, tzinfo=UTC), "2027-01", date(2027, 2, 1)),
        ("Asia/Tokyo", datetime(2024, 2, 29, 15, 0, tzinfo=UTC), "2024-03", date(2024, 4, 1)),
    ],
)
def test_the_month_turns_in_the_accounts_zone(timezone: str, now: datetime, month: str, resets: date) -> None:
    there = account(timezone=timezone)
    assert (month_key(there, now), resets_on(there, now)) == (month, resets)


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [([], 0), ([0], 0), ([1], 1), ([60], 1), ([61], 2), ([60, 60], 2), ([1, 1], 2), ([90, 30], 3), ([-5, 60], 1)],
)
def test_of_each_leg_a_minute_begun_counts(seconds: list[int], minutes: int) -> None:
    assert billable_minutes(seconds) == minutes


COUNT = st.integers(0, 100_000)


@given(COUNT, COUNT, COUNT, COUNT)
@settings(max_examples=50, deadline=None)
def test_what_is_left_is_never_negative(numbers: int, numbers_limit: int, minutes: int, minutes_limit: int) -> None:
    usage = Usage(numbers, numbers_limit, minutes, minutes_limit, date(2026, 12, 1))
    assert usage.numbers_left == max(numbers_limit, numbers) - numbers
    assert usage.minutes_left == max(minutes_limit, minutes) - minutes
