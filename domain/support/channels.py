"""Which support channels are open to a person, why the others are closed, and what would open them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

from domain import policy
from domain.accounts.account import Account, Contact, Person

Surface = Literal["desktop", "mobile"]


class Channel(StrEnum):
    KNOWLEDGE_BASE = "knowledge_base"
    COMMUNITY = "community"
    CHAT = "chat"
    EMAIL = "email"
    CALLBACK = "callback"
    PHONE = "phone"
    PREMIUM_CHAT = "premium_chat"
    PREMIUM_EMAIL = "premium_email"
    PREMIUM_CALLBACK = "premium_callback"
    PREMIUM_PHONE = "premium_phone"

    @property
    def premium(self) -> bool:
        return self.value.startswith("premium_")


CHATS: Final = frozenset({Channel.CHAT, Channel.PREMIUM_CHAT})
EMAILS: Final = frozenset({Channel.EMAIL, Channel.PREMIUM_EMAIL})
CALLBACKS: Final = frozenset({Channel.CALLBACK, Channel.PREMIUM_CALLBACK})
TICKET_CHANNELS: Final = tuple(channel for channel in Channel if channel in CHATS | EMAILS | CALLBACKS)


class Reason(StrEnum):
    """Why a channel is closed, in the order in which reasons are shown."""

    TIER = "tier"
    SEAT = "seat"
    MOBILE = "mobile"
    LANGUAGE = "language"
    PREMIUM = "premium"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a channel is open to a person, and how.

    Attributes:
        reasons: empty exactly if `allowed`.
        language: that the channel is or would be served in.
        told: that language is not the one asked for, or the person's own; the offer has to say so.
        expected: a key of `EXPECTED`.
        opens: for each reason what would remove it: a tier's name, `seat`, `desktop`, `english`, `premium` or `number`.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    language: str
    told: bool
    expected: str
    guaranteed_minutes: int | None
    opens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a channel requires; read by `_closed`."""

    expected: str
    tier: str | None = None
    seat: Literal["never", "by_age", "always"] = "by_age"
    mobile: bool | date = False  # a date: until the day before
    speaks: Literal["anything", "support", "own", "english"] = "support"
    premium: bool = False
    guarantee: bool = False
    number: str | None = None  # the account's field with the number to dial


_RULES: Final[Mapping[Channel, _Rule]] = {
    Channel.KNOWLEDGE_BASE: _Rule("any_time", seat="never", mobile=True, speaks="anything"),
    Channel.COMMUNITY: _Rule("any_time", seat="never", mobile=True, speaks="anything"),
    Channel.CHAT: _Rule("real_time", policy.CHAT_TIER),
    Channel.EMAIL: _Rule("business_day", policy.CHAT_TIER, mobile=True),
    Channel.CALLBACK: _Rule("five_minutes", policy.PHONE_TIER, mobile=policy.MOBILE_CALLBACK_ENDS, speaks="own"),
    Channel.PHONE: _Rule("dial", policy.PHONE_TIER, speaks="english", number="support_phone"),
    Channel.PREMIUM_CHAT: _Rule("real_time", seat="always", speaks="english", premium=True),
    Channel.PREMIUM_EMAIL: _Rule("aim_business_day", seat="always", speaks="english", premium=True, guarantee=True),
    Channel.PREMIUM_CALLBACK: _Rule("five_minutes", seat="always", speaks="english", premium=True),
    Channel.PREMIUM_PHONE: _Rule("dial", seat="always", speaks="english", premium=True, number="premium_phone"),
}

EXPECTED: Final[Mapping[str, str]] = {
    "any_time": "at any time",
    "real_time": "in real time",
    "dial": "when you call",
    "business_day": "usually within one business day",
    "five_minutes": "usually within five minutes",
    "aim_business_day": "no guarantee; the aim is one business day",
    "guaranteed": "guaranteed within {minutes} minutes",
}
"""When to expect the first answer, in English; the catalogues have the same keys."""


def decide(
    account: Account,
    person: Person,
    *,
    surface: Surface = "desktop",
    language: str | None = None,
    critical: bool = False,
    at: datetime,
) -> Mapping[Channel, Decision]:
    """The decision for each of the ten channels, in the order of `Channel`.

    Args:
        language: asked for; None or blank: none was. Of tags such as pt-BR only the language counts.
        at: aware; the day in the account's zone counts. ValueError if it is naive.
    """
    if at.tzinfo is None:
        raise ValueError("a decision needs a time with its zone")
    request = _Request(
        account=account,
        person=person,
        mobile=surface == "mobile",
        asked=primary(language),
        own=primary(person.language),
        critical=critical,
        today=at.astimezone(account.zone).date(),
    )
    return {channel: _decision(rule, request) for channel, rule in _RULES.items()}


def is_designated(account: Account, person: Person) -> bool:
    """Whether guarantees hold for what the person sends (docs/domain.md 6): all super admins, or those whom the account
    designates."""
    return person.super_admin and (not account.premium_contacts or person.id in account.premium_contacts)


def subscription_contact(account: Account) -> Contact | None:
    """The contact for questions about the subscription; None: they go to the desk."""
    return account.customer_success if account.tier.reaches(policy.CONTACT_TIER) else None


def primary(tag: str | None) -> str | None:
    """The language of a tag: "pt" for "pt-BR" or "PT_br.UTF-8"; None for an empty one."""
    language = (tag or "").strip().replace("_", "-").replace(".", "-").split("-")[0].lower()
    return language or None


def expected_text(decision: Decision, channel: Channel) -> str:
    """When to expect the first answer, in English, for `explain --json`."""
    return EXPECTED[decision.expected].format(minutes=decision.guaranteed_minutes)


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments of `decide`, normalised once for all channels."""

    account: Account
    person: Person
    mobile: bool
    asked: str | None
    own: str | None
    critical: bool
    today: date


def _decision(rule: _Rule, request: _Request) -> Decision:
    reasons = _closed(rule, request)
    wanted, language = request.asked or request.own, _served(rule, request)
    guaranteed = _guaranteed(request) if rule.guarantee and not reasons else None
    # If we don't know the person's language, we say so where only one is served.
    told = rule.speaks == "english" if wanted is None else wanted != language
    return Decision(
        allowed=not reasons,
        reasons=reasons,
        language=language,
        told=told and not reasons,
        expected=rule.expected if guaranteed is None else "guaranteed",
        guaranteed_minutes=guaranteed,
        opens=tuple(_opens(reason, rule) for reason in reasons),
    )


def _closed(rule: _Rule, request: _Request) -> tuple[Reason, ...]:
    """All reasons that close the channel, in the order of `Reason`."""
    account = request.account
    seat_needed = rule.seat == "always" or (rule.seat == "by_age" and account.seat_needed)
    offered_mobile = request.today < rule.mobile if isinstance(rule.mobile, date) else rule.mobile
    applies = {
        Reason.TIER: rule.tier is not None and not account.tier.reaches(rule.tier),
        Reason.SEAT: seat_needed and not request.person.seat.paid,
        Reason.MOBILE: request.mobile and not offered_mobile,
        Reason.LANGUAGE: rule.speaks == "english" and request.asked not in (None, policy.FALLBACK_LANGUAGE),
        Reason.PREMIUM: rule.premium and not account.premium_support,
        Reason.NUMBER: rule.number is not None and getattr(account, rule.number) is None,
    }
    return tuple(reason for reason, closes in applies.items() if closes)


def _served(rule: _Rule, request: _Request) -> str:
    """The language that the channel is or would be served in."""
    # A callback is in the language of the person's settings (S), whatever was asked for.
    asked = None if rule.speaks == "own" else request.asked
    wanted = asked or request.own or policy.FALLBACK_LANGUAGE
    if rule.speaks == "anything" or (rule.speaks != "english" and wanted in policy.SUPPORT_LANGUAGES):
        return wanted
    return policy.FALLBACK_LANGUAGE


def _guaranteed(request: _Request) -> int | None:
    """Minutes to the guaranteed first answer; None for who is no designated super admin."""
    if not is_designated(request.account, request.person):
        return None
    return policy.GUARANTEED_MINUTES_CRITICAL if request.critical else policy.GUARANTEED_MINUTES


def _opens(reason: Reason, rule: _Rule) -> str:
    match reason:
        case Reason.TIER:
            return str(rule.tier)
        case Reason.MOBILE:
            return "desktop"
        case Reason.LANGUAGE:
            return "english"
    return reason.value
