"""What the pretend Twilio keeps: an account's numbers, caller ids, addresses, messages and calls, in the API's shapes.

Resources are JSON objects with the fields of Twilio's OpenAPI description (twilio_api_v2010), kept by their SID.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import orjson
import phonenumbers

Json = dict[str, Any]
API: Final = "2010-04-01"
E164: Final = re.compile(r"\+[1-9]\d{6,14}")
KEPT: Final = 500  # messages and calls, oldest dropped first


def new_sid(prefix: str) -> str:
    """A fresh SID such as `CA` and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def rfc2822(at: float) -> str:
    """A time as the API writes it."""
    return format_datetime(datetime.fromtimestamp(at, UTC))


def country_of(number: str) -> str:
    """ISO 3166 code of an E.164 number, empty for what is none."""
    if not E164.fullmatch(number):
        return ""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


@dataclass(frozen=True, slots=True)
class StockNumber:
    """A number that can be bought. `kind`: Local, Mobile or TollFree; `needs`: the API's address requirement (none,
    any, local, foreign); `bundle`: a regulatory bundle is asked for too."""

    number: str
    country: str
    kind: str = "Local"
    locality: str = ""
    region: str = ""
    needs: str = "none"
    bundle: bool = False


def _run(first: str, count: int, country: str, **more: Any) -> list[StockNumber]:
    start = int(first)
    return [StockNumber(f"+{start + step}", country, **more) for step in range(count)]


# From the ranges that regulators keep free for films: Ofcom (numbers for drama), NANPA (555-01xx), ARCEP (decision
# 2018-0881), Bundesnetzagentur (Mitteilung 148/2021). Requirements are those of no country in particular: one of each.
STOCK: Final[tuple[StockNumber, ...]] = (
    *_run("442079460910", 30, "GB", locality="London", region="London"),
    *_run("441214960150", 10, "GB", locality="Birmingham", region="West Midlands"),
    *_run("447700900100", 5, "GB", kind="Mobile", needs="any", bundle=True),
    *_run("448081570100", 5, "GB", kind="TollFree", needs="any"),
    *_run("12025550100", 60, "US", locality="Washington", region="DC"),
    *_run("14155550100", 60, "US", locality="San Francisco", region="CA"),
    *_run("18005550100", 10, "US", kind="TollFree"),
    *_run("4930901820010", 10, "DE", locality="Berlin", region="Berlin", needs="local"),
    *_run("33199000010", 10, "FR", locality="Paris", region="Ile-de-France", needs="any"),
)


@dataclass
class World:
    """The account. Everything by SID, oldest first."""

    stock: tuple[StockNumber, ...] = STOCK
    numbers: dict[str, Json] = field(default_factory=dict)
    caller_ids: dict[str, Json] = field(default_factory=dict)
    addresses: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, Json] = field(default_factory=dict)
    calls: dict[str, Json] = field(default_factory=dict)

    def owned(self, number: str) -> Json | None:
        """The IncomingPhoneNumber with this number."""
        return next((n for n in self.numbers.values() if n["phone_number"] == number), None)

    def verified(self, number: str) -> bool:
        """Whether calls may show it: the account owns it, or its owner typed the code."""
        known: Iterable[Json] = (*self.numbers.values(), *self.caller_ids.values())
        return any(one["phone_number"] == number for one in known)

    def for_sale(self) -> list[StockNumber]:
        """The stock that the account has not bought."""
        taken = {one["phone_number"] for one in self.numbers.values()}
        return [one for one in self.stock if one.number not in taken]

    def trim(self) -> None:
        """Drops the oldest messages and calls."""
        for kept in (self.messages, self.calls):
            while len(kept) > KEPT:
                del kept[next(iter(kept))]

    def save(self, path: Path) -> None:
        """Writes everything but the stock, atomically."""
        kept = {name: getattr(self, name) for name in _SAVED}
        beside = path.with_suffix(".new")
        beside.write_bytes(orjson.dumps(kept))
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> World:
        """The world as it was saved. Raises OSError, ValueError, LookupError or TypeError."""
        kept = orjson.loads(path.read_bytes())
        world = cls()
        for name in _SAVED:
            getattr(world, name).update(kept[name])
        return world


_SAVED: Final = ("numbers", "caller_ids", "addresses", "messages", "calls")
