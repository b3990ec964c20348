"""Limits of an account and their usage."""

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
    """Used and allowed amounts; `resets`: the first day of the next month in the account's zone."""

    numbers: int
    numbers_limit: int
    minutes: int
    minutes_limit: int
    resets: date

    @property
    def numbers_left(self) -> int:
        """0 if a lowered limit is exceeded."""
        return max(0, self.numbers_limit - self.numbers)

    @property
    def minutes_left(self) -> int:
        """0 if the pool is exceeded: a call in progress when it runs out ends normally."""
        return max(0, self.minutes_limit - self.minutes)


def limits(account: Account) -> Limits:
    """The tier's limits, or those agreed with the account, plus add-ons; 0 without calling."""
    return Limits(*account.limits_now())


def month_key(account: Account, now: datetime) -> str:
    """The month, in the account's zone, that minutes used at `now` belong to: "2026-11"."""
    local = now.astimezone(account.zone)
    return f"{local.year:04}-{local.month:02}"


def resets_on(account: Account, now: datetime) -> date:
    """The day, in the account's zone, on which the pool is refilled: the 1st of the next month."""
    today = now.astimezone(account.zone).date()
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def billable_minutes(seconds: Iterable[int]) -> int:
    """The minutes that a call's legs cost, each leg rounded up by itself."""
    return sum(-(-leg // BILLING_SECONDS) for leg in seconds if leg > 0)
