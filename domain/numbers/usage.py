"""Limits and what is used of them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from domain.accounts.account import Account
from domain.policy import BILLING_SECONDS


class Limits(NamedTuple):
    """Provided numbers, and minutes a month."""

    numbers: int
    minutes: int


class Usage(NamedTuple):
    """What is used and what of; `resets` is the first day of the next month in the account's zone."""

    numbers: int
    numbers_limit: int
    minutes: int
    minutes_limit: int
    resets: date

    @property
    def numbers_left(self) -> int:
        """Never negative: a limit may have been lowered below what is in use."""
        return max(0, self.numbers_limit - self.numbers)

    @property
    def minutes_left(self) -> int:
        """Never negative: the call in progress when the pool runs dry ends normally."""
        return max(0, self.minutes_limit - self.minutes)


def limits(account: Account) -> Limits:
    """The tier's limits, or those agreed with the account instead, plus add-ons. Without calling: none."""
    return Limits(*account.limits_now())


def month_key(account: Account, now: datetime) -> str:
    """The month in the account's zone to which minutes of `now` count: "2026-11"."""
    local = now.astimezone(account.zone)
    return f"{local.year:04}-{local.month:02}"


def resets_on(account: Account, now: datetime) -> date:
    """The day in the account's zone on which the pool is full again: the 1st of the next month."""
    today = now.astimezone(account.zone).date()
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def billable_minutes(seconds: Iterable[int]) -> int:
    """Minutes that the legs of a call cost, each leg by itself: a minute begun counts."""
    return sum(-(-leg // BILLING_SECONDS) for leg in seconds if leg > 0)
