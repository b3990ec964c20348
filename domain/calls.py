"""Calls: what happens to a call and why, and what its legs cost (docs/domain.md 2 and 3).

Independent of the carrier. A decision depends on the account and on `CallFacts`, which the store saves under the call's
id, so asking again about a call gives the same answer.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote

from domain import policy
from domain.accounts.account import Account
from domain.numbers.number import Number, NumberState
from domain.numbers.usage import limits, resets_on
from domain.phone import ParsedNumber, parse
from domain.refusal import Refusal

CallDirection = Literal["inbound", "outbound"]

_E164: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_DIGITS: Final = re.compile(r"\+?\d{7,17}", re.ASCII)
_URI: Final = re.compile(r"(?:sips?|tel):([^@;>]*)", re.IGNORECASE)
_HOST: Final = re.compile(r"sips?:[^@]*@([a-z0-9-]+)(?:[.:;>]|$)", re.IGNORECASE)
_WHOLE_DAY: Final = 86_400  # seconds; no carrier lets a call last longer


class CallOutcome(StrEnum):
    """The decision about a call."""

    DIAL = "dial"
    BLOCKED = "blocked"  # the other side's number is blocked
    ANONYMOUS = "anonymous"  # callers without a number are blocked
    UNKNOWN = "unknown"  # not a number of the account
    INACTIVE = "inactive"  # pending, being bought, leaving or deleted
    NO_CALLING = "no_calling"  # the account's tier has none
    POOL = "pool"  # the month's minutes are used up
    NO_FORWARDING = "no_forwarding"  # the number has no forwarding
    NO_CALLER_ID = "no_caller_id"  # outbound: no number to call from
    CALLEE = "callee"  # outbound: not a number that can be called


REJECTED: Final = frozenset(
    {CallOutcome.BLOCKED, CallOutcome.ANONYMOUS, CallOutcome.UNKNOWN, CallOutcome.INACTIVE, CallOutcome.NO_CALLING}
)
"""Rejected without an announcement, so that the caller pays nothing; the others hear a sentence."""


class CallFacts(NamedTuple):
    """What a decision depends on, as the store read it in one step.

    Attributes:
        own: the number of the account that is called or calls.
        minutes, limit: used this month, and the pool.
        blocked: the blocklist rejects the other side.
        caller_id: outbound, the number shown to the callee.
    """

    own: Number | None
    minutes: int
    limit: int
    blocked: bool = False
    caller_id: Number | None = None


class Identity(NamedTuple):
    """The caller of an outbound call: a person of an account (`client:ACCOUNT.PERSON`, `sip:PERSON@ACCOUNT.…`)."""

    account: str
    person: str


def parse_caller(text: str, region: str | None = None) -> str | None:
    """The caller's number in E.164, from what the carrier passes; None if it passes none.

    None also for "anonymous" and the like, as a word or spelt on a keypad ("+266696687"), for short codes, clients, and
    SIP addresses whose user is no number. `region`: of the called number, to read a number without a plus.
    """
    text = text.strip()
    if _E164.fullmatch(text):
        return None if text in policy.WITHHELD_NUMBERS else text
    if found := _URI.match(text):
        text = unquote(found[1]).strip()
        if _E164.fullmatch(text):
            return None if text in policy.WITHHELD_NUMBERS else text
    if region is None or not _DIGITS.fullmatch(text):
        return None
    try:
        return parse(text, region).e164
    except Refusal:
        return None


def parse_identity(text: str, sip_domain: str = "", sip_user: str = "") -> Identity | None:
    """The person that an outbound call's caller stands for; None if it stands for none.

    `sip_domain` and `sip_user` are vouched for by the carrier and take precedence over the address, which is what the
    telephone claims. An address of another domain than the one it registered with is nobody's.
    """
    if text.lower().startswith("client:"):
        account, dot, person = unquote(text[7:]).partition(".")
        return Identity(account, person) if dot and account and person else None
    host, user = _HOST.match(text), _URI.match(text)
    if host is None or user is None:
        return None
    claimed, came_by = host[1].lower(), sip_domain.partition(".")[0].lower()
    if came_by and came_by != claimed:
        return None
    person = sip_user or unquote(user[1])
    return Identity(claimed, person) if person else None


def dialled(text: str) -> str:
    """The dialled number: of a SIP address its user, else the text."""
    found = _URI.match(text.strip())
    return unquote(found[1]) if found else text.strip()


def parse_callee(text: str, region: str) -> ParsedNumber:
    """The number that an outbound call goes to, national ones as of `region`. Emergency numbers are allowed, short ones
    and what is no number raise Refusal."""
    parsed = parse(dialled(text), region, special=True)
    if parsed.kind == "short":
        raise Refusal("number_short", "number")
    return parsed


def decide_inbound(account: Account, facts: CallFacts, caller: str | None) -> CallOutcome:
    """Decide about a call to one of the account's numbers. Checks come first whose outcome must not tell the caller
    that the number is in use."""
    if facts.own is None:
        return CallOutcome.UNKNOWN
    if facts.own.state is not NumberState.ACTIVE:
        return CallOutcome.INACTIVE
    if facts.blocked:
        return CallOutcome.BLOCKED if caller else CallOutcome.ANONYMOUS
    if not account.calling:
        return CallOutcome.NO_CALLING
    if facts.minutes >= facts.limit:
        return CallOutcome.POOL
    return CallOutcome.DIAL if facts.own.forwarding else CallOutcome.NO_FORWARDING


def decide_outbound(account: Account, facts: CallFacts, callee: ParsedNumber) -> CallOutcome:
    """Decide about a call by a person of the account. Emergency calls are always connected."""
    if callee.kind == "emergency":
        return CallOutcome.DIAL
    if not account.calling:
        return CallOutcome.NO_CALLING
    if facts.own is not None and facts.own.state is not NumberState.ACTIVE:
        return CallOutcome.INACTIVE
    if facts.blocked:
        return CallOutcome.BLOCKED
    if facts.minutes >= facts.limit:
        return CallOutcome.POOL
    return CallOutcome.DIAL if facts.caller_id is not None else CallOutcome.NO_CALLER_ID


def chosen_caller_id(
    registered: Mapping[str, Number], assigned: Number | None, *, validated: bool = False
) -> Number | None:
    """The number that a person's calls are made from: their default registered number, else their only registered one,
    else the number assigned to them. `validated`: only registered numbers that the carrier has validated count."""
    own = [number for number in registered.values() if number.validated is not None or not validated]
    default = next((number for number in own if number.default), None)
    if default is None and len(own) == 1:
        default = own[0]
    return default or (assigned if assigned is not None and assigned.state is NumberState.ACTIVE else None)


def seconds(text: str) -> int | None:
    """The length of a leg as a carrier writes it; None if it is missing, negative, no number or over a day."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    length = int(text)
    return length if length <= _WHOLE_DAY else None


# ── Thresholds ──────────────────────────────────────────────────────────────────────────────────────────────────


class Alert(NamedTuple):
    """A level of the month's pool that super admins are told of once, at `at` minutes used."""

    name: Literal["warning", "low", "empty"]
    at: int


def alerts(limit: int) -> tuple[Alert, ...]:
    """The alerts of a pool of `limit` minutes, in order: 80 % used, 100 minutes left, all used (docs/domain.md 2)."""
    if limit <= 0:
        return ()
    found = [Alert("warning", -(-limit * policy.ALERT_PERCENT // 100))]
    if limit > policy.ALERT_MINUTES_LEFT:  # else it would be due before the first call
        found.append(Alert("low", limit - policy.ALERT_MINUTES_LEFT))
    return (*sorted(found, key=lambda alert: alert.at), Alert("empty", limit))


def reached_alerts(limit: int, total: int, told: Collection[str] = ()) -> tuple[Alert, ...]:
    """The alerts that `total` minutes have reached, without those told this month."""
    return tuple(alert for alert in alerts(limit) if alert.at <= total and alert.name not in told)


def next_alert_minutes(limit: int, total: int, told: Collection[str] = ()) -> int | None:
    """The minutes at which the next untold alert is due; None if none is left."""
    return next((alert.at for alert in alerts(limit) if alert.at > total and alert.name not in told), None)


def runs_out(account: Account, days: Mapping[date, int], now: datetime) -> date | None:
    """The day, in the account's zone, on which the month's pool will be used up at this month's rate; None if it will
    last until it is refilled, or there is too little to tell.

    `days`: minutes by day of this month; today counts as the part of it that has passed. Nothing is predicted during
    the first `PROJECTION_DAYS` days. If the pool is used up already, the day on which it was.
    """
    limit = limits(account).minutes
    local = now.astimezone(account.zone)
    today = local.date()
    total = 0
    for day in sorted(days):
        total += days[day]
        if limit > 0 and total >= limit:
            return min(day, today)
    if limit <= 0 or total <= 0:
        return None
    gone = today.day - 1 + (local.hour * 60 + local.minute) / 1440
    if gone < policy.PROJECTION_DAYS:
        return None
    left = (limit - total) / (total / gone)
    if left > 31:
        return None
    end = (local + timedelta(days=left)).date()
    return end if end < resets_on(account, now) else None
