"""Calls: who calls, what becomes of it and why, and what its legs cost (docs/domain.md 2 and 3).

Nothing here knows a carrier. A decision is made from `CallFacts` alone, which the store notes with the call's id: the
same call asked about again gets the same answer.
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
    """What is decided about a call, and why."""

    DIAL = "dial"
    BLOCKED = "blocked"  # a rule about the other side's number
    ANONYMOUS = "anonymous"  # the rule about callers without one
    UNKNOWN = "unknown"  # nobody's number
    INACTIVE = "inactive"  # pending, being bought, leaving or deleted
    NO_CALLING = "no_calling"  # the account's tier has none
    POOL = "pool"  # the month's minutes are used up
    NO_FORWARDING = "no_forwarding"  # the number rings nowhere
    NO_CALLER_ID = "no_caller_id"  # outbound: nothing to call from
    CALLEE = "callee"  # outbound: what was dialled is no number


REJECTED: Final = frozenset(
    {CallOutcome.BLOCKED, CallOutcome.ANONYMOUS, CallOutcome.UNKNOWN, CallOutcome.INACTIVE, CallOutcome.NO_CALLING}
)
"""Turned away without a word, so that the caller pays nothing; the others are told in a sentence."""


class CallFacts(NamedTuple):
    """What a decision hangs on, as the store found it in one step. `blocked`: a rule forbids the other side;
    `own`: the number that calls, or is called; `caller_id`: outbound, what the callee sees."""

    own: Number | None
    minutes: int
    limit: int
    blocked: bool = False
    caller_id: Number | None = None


class Identity(NamedTuple):
    """Who calls out: a person of an account (`client:ACCOUNT.PERSON`, `sip:PERSON@ACCOUNT.…`)."""

    account: str
    person: str


def parse_caller(text: str, region: str | None = None) -> str | None:
    """The number in E.164 that a carrier names as the caller's; None where it names none.

    None are: nothing, "anonymous" and the like as a word or spelt on a keypad ("+266696687"), short codes, clients,
    and SIP addresses whose user is no number. `region`: of the called number, for one without a plus.
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
    """The person that an outbound call's caller stands for; None where it stands for none.

    The host and user of a SIP address are what the telephone says; `sip_domain` and `sip_user` are what the carrier
    vouches for, and win. An address that claims another domain than the one it came in by is nobody's.
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
    """What was dialled, of a SIP address its user."""
    found = _URI.match(text.strip())
    return unquote(found[1]) if found else text.strip()


def parse_callee(text: str, region: str) -> ParsedNumber:
    """The number that an outbound call goes to; national ones as of `region`; emergency numbers with that kind.
    Raises `Refusal` where it is none that can be called, short numbers among them."""
    parsed = parse(dialled(text), region, special=True)
    if parsed.kind == "short":
        raise Refusal("number_short", "number")
    return parsed


def decide_inbound(account: Account, facts: CallFacts, caller: str | None) -> CallOutcome:
    """What becomes of a call to one of the account's numbers. What nobody should learn of is looked at first."""
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
    """What becomes of a call that somebody of the account makes. An emergency call always goes through."""
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
    """What a person's calls are made from: their default registered number, else another one of those while there is
    only one, else the number assigned to them. `validated`: the carrier shows only those that
    were validated with it."""
    own = [number for number in registered.values() if number.validated is not None or not validated]
    default = next((number for number in own if number.default), None)
    if default is None and len(own) == 1:
        default = own[0]
    return default or (assigned if assigned is not None and assigned.state is NumberState.ACTIVE else None)


def seconds(text: str) -> int | None:
    """A leg's length as a carrier writes it; None where it can't be one: missing, negative, no number, over a day."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    length = int(text)
    return length if length <= _WHOLE_DAY else None


# ── Thresholds ──────────────────────────────────────────────────────────────────────────────────────────────────


class Alert(NamedTuple):
    """A point of the month's pool that is told once: at `at` minutes used."""

    name: Literal["warning", "low", "empty"]
    at: int


def alerts(limit: int) -> tuple[Alert, ...]:
    """When super admins are told, from the first to the last: 80 %, 100 minutes left, all used (docs/domain.md 2)."""
    if limit <= 0:
        return ()
    found = [Alert("warning", -(-limit * policy.ALERT_PERCENT // 100))]
    if limit > policy.ALERT_MINUTES_LEFT:  # else it would be told before anybody has talked
        found.append(Alert("low", limit - policy.ALERT_MINUTES_LEFT))
    return (*sorted(found, key=lambda alert: alert.at), Alert("empty", limit))


def reached_alerts(limit: int, total: int, told: Collection[str] = ()) -> tuple[Alert, ...]:
    """The alerts that a total of minutes has reached, those left out that were told this month."""
    return tuple(alert for alert in alerts(limit) if alert.at <= total and alert.name not in told)


def next_alert_minutes(limit: int, total: int, told: Collection[str] = ()) -> int | None:
    """The minutes at which the next alert is due that was not told; None where none is left."""
    return next((alert.at for alert in alerts(limit) if alert.at > total and alert.name not in told), None)


def runs_out(account: Account, days: Mapping[date, int], now: datetime) -> date | None:
    """The day in the account's zone on which the month's pool will be used up, going on as so far this month; None
    where it won't be before it is full again, or there is too little to tell from.

    `days`: minutes by day of this month. Today counts as the part of a day that has passed. With fewer than
    `PROJECTION_DAYS` days gone by nothing is foretold: two busy mornings are no trend. Already used up: today, or the
    day on which it was.
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
