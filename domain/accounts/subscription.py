"""What an account has bought: tier, seats, add-ons and agreed limits, as the accounts file has them."""

from enum import StrEnum
from typing import Final, Literal

from domain import policy
from domain.accounts.fields import Count, Part


class Tier(StrEnum):
    """Subscription tiers, from the lowest to the highest."""

    FREE = "free"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def reaches(self, tier: str) -> bool:
        """Whether this tier is `tier` or a higher one."""
        return self.rank >= _RANKS[Tier(tier)]


_RANKS: Final = {tier: rank for rank, tier in enumerate(Tier)}


class Seat(StrEnum):
    """The seat of a person."""

    NONE = "none"
    VIEW = "view"
    CORE = "core"
    SALES = "sales"
    SERVICE = "service"

    @property
    def paid(self) -> bool:
        return self.value in policy.PAID_SEATS


class Subscription(Part):
    line: Literal["sales", "service", "both"]
    tier: Tier


class Addons(Part):
    """Provided numbers, and minutes a month, bought on top."""

    numbers: Count = 0
    minutes: Count = 0


class AgreedLimits(Part):
    """Limits agreed with this account instead of its tier's; None: the tier's."""

    numbers: Count | None = None
    minutes: Count | None = None
