"""The blocklist: which calls are rejected, and what may be added to it.

Entries block a number, all numbers with a prefix, or callers without a number; an allowed number is exempt from
prefixes. For a call with a number the order is: the number's own entry, the allow list, the longest prefix.
"""

import re
from collections.abc import Collection
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

from phonenumbers.shortnumberinfo import is_emergency_number
from pydantic import AwareDatetime, Field

from domain import policy
from domain.accounts.account import Account
from domain.phone import parse, parse_prefix, whole_country
from domain.record import Record
from domain.refusal import Refusal

SCHEMA: Final = 1


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    BOTH = "both"

    def covers(self, call: "Direction") -> bool:
        """Whether an entry of this direction applies to a call of direction `call`."""
        return self in (call, Direction.BOTH)


class EntryKind(StrEnum):
    NUMBER = "number"
    PREFIX = "prefix"  # all numbers with it
    ANONYMOUS = "anonymous"  # callers without a number
    ALLOW = "allow"  # exempt from prefixes


class BlocklistEntry(Record):
    """One entry.

    Attributes:
        value: E.164; of a short or emergency number the digits as dialled; of a prefix "+" and the first digits; of
            `anonymous` "".
        lists: directions in which imported lists block the number as well.
        bare: only imported lists block it; `by`, `at` and `reason` are those of the import, if there was only one.
    """

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    kind: EntryKind
    value: str = ""
    direction: Direction = Direction.BOTH
    reason: str = ""
    by: str = ""  # a person's id
    at: AwareDatetime | None = None
    until: AwareDatetime | None = None  # exclusive
    source: Literal["chat", "import"] = "chat"
    bare: bool = False
    lists: tuple[Direction, ...] = ()

    @property
    def key(self) -> str:
        """The store's key: "number|+44…", "prefix|+4870", "anonymous", "allow|+44…"."""
        return self.kind.value if self.kind is EntryKind.ANONYMOUS else f"{self.kind.value}|{self.value}"

    @property
    def digits(self) -> str:
        return self.value.removeprefix("+")

    def live(self, now: datetime) -> bool:
        """Whether it has not expired at `now`."""
        return self.until is None or now < self.until


class Verdict(NamedTuple):
    """Result of checking a call. `kind`: of the entry that decided; "none": no entry applies; "off": the blocklist is
    switched off."""

    blocked: bool
    rule: BlocklistEntry | None
    kind: Literal["number", "prefix", "anonymous", "allow", "none", "off"]


class BlockTarget(NamedTuple):
    """What to block: a kind, the value as entries have it, and whether it is an emergency number."""

    kind: EntryKind
    value: str
    emergency: bool = False


ANONYMOUS: Final = BlockTarget(EntryKind.ANONYMOUS, "")  # callers without a number


def read_target(text: str, account: Account, field: str = "number") -> BlockTarget:
    """Parse a typed number, or a prefix such as "+4870*", "0048 70*" or "070*".

    Raises Refusal: `number_*`, `block_extension`, `block_star`, `block_start_short`, `block_start_long`.
    """
    typed = text.strip().replace("＊", "*")
    if "*" not in typed:
        parsed = parse(typed, account.country, field, special=True)
        if parsed.extension:
            raise Refusal("block_extension", field)
        return BlockTarget(EntryKind.NUMBER, parsed.e164, parsed.kind == "emergency")
    front = typed.rstrip("* ")
    if "*" in front:
        raise Refusal("block_star", field)
    if not front.strip("+＋ "):
        raise Refusal("block_start_short", field, limit=policy.BLOCK_START_DIGITS)
    value = parse_prefix(front, account.country, field)
    if len(value) - 1 < policy.BLOCK_START_DIGITS:
        raise Refusal("block_start_short", field, limit=policy.BLOCK_START_DIGITS)
    if len(value) > 15:  # no digit is left for the star
        raise Refusal("block_start_long", field)
    return BlockTarget(EntryKind.PREFIX, value)


def block(
    account: Account,
    target: BlockTarget,
    by: str,
    now: datetime,
    *,
    direction: Direction = Direction.BOTH,
    reason: str = "",
    until: datetime | None = None,
    source: Literal["chat", "import"] = "chat",
) -> BlocklistEntry:
    """The entry that blocks `target`. Raises Refusal: `block_emergency` if it includes outbound calls,
    `block_reason_long`."""
    if target.emergency and direction is not Direction.INBOUND:
        raise Refusal("block_emergency", "direction")
    if target.kind is EntryKind.ANONYMOUS:
        direction = Direction.INBOUND
    return BlocklistEntry(
        kind=target.kind,
        value=target.value,
        direction=direction,
        reason=read_reason(reason),
        by=by,
        at=now,
        until=until,
        source=source,
    )


def allow_number(
    target: BlockTarget, by: str, now: datetime, *, reason: str = "", until: datetime | None = None
) -> BlocklistEntry:
    """The entry that exempts a number from blocked prefixes. Raises Refusal: `block_allow_start`,
    `block_reason_long`."""
    if target.kind is not EntryKind.NUMBER:
        raise Refusal("block_allow_start", "number")
    return BlocklistEntry(
        kind=EntryKind.ALLOW, value=target.value, reason=read_reason(reason), by=by, at=now, until=until
    )


def warnings(account: Account, own: Collection[str], entry: BlocklistEntry) -> tuple[str, ...]:
    """What needs a second confirmation: codes among "own", "emergency" and "country". `own`: the account's provided and
    registered numbers, E.164."""
    if entry.kind is EntryKind.NUMBER:
        found = {"own": entry.value in own, "emergency": is_emergency_number(entry.digits, account.country)}
    elif entry.kind is EntryKind.PREFIX:
        covered = any(number.startswith(entry.value) for number in own)
        found = {"own": covered, "country": whole_country(entry.value, account.country)}
    else:
        found = {}
    return tuple(code for code, true in found.items() if true)


_DIRECTIONS: Final = {
    Direction.INBOUND: ("in", "inbound", "incoming"),
    Direction.OUTBOUND: ("out", "outbound", "outgoing"),
    Direction.BOTH: ("", "both", "all", "any"),
}


def read_direction(text: str, field: str = "direction") -> Direction:
    """Parse a typed direction; blank: both. Raises Refusal `block_direction`."""
    word = text.strip().casefold()
    for direction, words in _DIRECTIONS.items():
        if word in words:
            return direction
    raise Refusal("block_direction", field)


def read_reason(text: str, field: str = "reason") -> str:
    """A typed reason with runs of whitespace as one space. Raises Refusal `block_reason_long`."""
    reason = " ".join(text.split())
    if len(reason) > policy.BLOCK_REASON_LENGTH:
        raise Refusal("block_reason_long", field, limit=policy.BLOCK_REASON_LENGTH)
    return reason


# "never" in the words of the dialog, in all languages.
_NEVER: Final = frozenset({"", "never", "no", "none", "-", "jamais", "nie", "なし", "無期限", "nunca", "nigdy"})
_LENGTH: Final = re.compile(r"(\d{1,5})\s*(h|hours?|d|days?|w|weeks?|months?|y|years?)", re.IGNORECASE | re.ASCII)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DOTS: Final = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})", re.ASCII)


def read_expiry(text: str, account: Account, now: datetime, field: str = "expires") -> datetime | None:
    """When an entry expires: "never", "12 hours", "1 day", "30 days", "2 weeks", "3 months", "1 year", or a date
    (2026-12-31, 31.12.2026), which ends with that day in the account's zone. None: never.

    Raises Refusal: `block_expires_unread`, `block_expires_past`, `block_expires_late`.
    """
    typed = " ".join(text.split())
    if typed.casefold() in _NEVER:
        return None
    local = now.astimezone(account.zone)
    try:
        if found := _LENGTH.fullmatch(typed):
            until = _after(local, int(found[1]), found[2][0].casefold())
        elif found := _ISO.fullmatch(typed):
            until = _end(date(int(found[1]), int(found[2]), int(found[3])), account)
        elif found := _DOTS.fullmatch(typed):
            until = _end(date(int(found[3]), int(found[2]), int(found[1])), account)
        else:
            raise Refusal("block_expires_unread", field)
    except OverflowError:
        raise Refusal("block_expires_late", field, limit=policy.BLOCK_YEARS) from None
    except ValueError:  # there is no such day
        raise Refusal("block_expires_unread", field) from None
    if until <= now:
        raise Refusal("block_expires_past", field)
    if until > now + timedelta(days=366 * policy.BLOCK_YEARS):
        raise Refusal("block_expires_late", field, limit=policy.BLOCK_YEARS)
    return until


def _end(day: date, account: Account) -> datetime:
    """The end of the day in the account's zone."""
    return datetime.combine(day + timedelta(days=1), time(), account.zone)


def _after(local: datetime, count: int, unit: str) -> datetime:
    """`count` units after `local`. Hours are elapsed time; days and longer units keep the local time of day."""
    if unit == "h":
        return (local.astimezone(UTC) + timedelta(hours=count)).astimezone(local.tzinfo)
    if unit in "dw":
        return local + timedelta(days=count * (7 if unit == "w" else 1))
    if local.year + count * (1 if unit == "y" else 0) + count // 12 > MAXYEAR:
        raise OverflowError
    months = local.month - 1 + count * (12 if unit == "y" else 1)
    first = local.replace(year=local.year + months // 12, month=months % 12 + 1, day=1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(local.day, last.day))
