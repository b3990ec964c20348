"""Field types of files that people write by hand in YAML.

YAML 1.1 reads unquoted text as other types: `no` as false, `+4930901820000` and `9:30` as numbers. None of these is
accepted as text, and `domain.accounts.explain` says how to quote it.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)


class Part(BaseModel):
    """Base class of the records of the accounts file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _matching(pattern: str, wanted: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"expected {wanted}, not {text!r}")
        return text

    return check


def _day(value: object) -> date:
    """A date, as YAML reads it or as ISO text; no datetime."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError(f"expected a date such as 2024-03-05, not {str(value)[:40]!r}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no day {value}") from None


@lru_cache(maxsize=1_024)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises ValueError with a sentence if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Europe" is a directory of the zone database
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ", such as Europe/Berlin"
        raise ValueError(f"expected a time zone, not {name!r}{hint}") from None


def _zone_name(name: str) -> str:
    zone(name)
    return name


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        hint = f"; did you mean {code.upper()}?" if code.upper() in phonenumbers.SUPPORTED_REGIONS else ""
        raise ValueError(f"expected the two letters of a country, such as DE, not {code!r}{hint}")
    return code


class NestedError(ValueError):
    """An error inside a value; `place`: path from the value to it."""

    def __init__(self, message: str, *place: int | str) -> None:
        super().__init__(message)
        self.place = place


def unique(what: str, values: Iterable[Hashable | None], *key: str) -> None:
    """Raises NestedError at the first repeated value: at its index, then `key`. None may repeat."""
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        if value is not None and value in seen:
            raise NestedError(f"{what} {value} is there twice", index, *key)
        seen.add(value)


_WORD: Final = StringConstraints(min_length=1, max_length=200)

Id = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(_matching(r"[a-z0-9-]+", "letters a-z, digits and '-'"))
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Word = Annotated[str, _WORD, AfterValidator(_matching(r"[^\s\x00-\x1f]+", "text without spaces"))]
Email = Annotated[
    str, _WORD, AfterValidator(_matching(r"[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+", "an email address"))
]
Url = Annotated[
    str,
    StringConstraints(max_length=1_000),
    AfterValidator(_matching(r"https?://[^\s<>|\"]+", "an address that starts with https:// or http://")),
]
Language = Annotated[
    str, _WORD, AfterValidator(_matching(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", "a language such as en or pt-BR"))
]
Zone = Annotated[str, _WORD, AfterValidator(_zone_name)]
Country = Annotated[str, AfterValidator(_country)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[StrictInt, Field(ge=0, le=10_000_000)]
Flag = StrictBool
Text = Annotated[str, _WORD]
