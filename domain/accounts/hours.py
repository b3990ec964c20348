"""Business hours in the form of the accounts file: `{mon: "09:00-17:00", fri: ["09:00-12:00", "13:00-15:00"]}`."""

import re
from datetime import time
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from domain.accounts.fields import Part

_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


def parse_span(span: str) -> tuple[int, int]:
    """Start and end of a span, in minutes of its day; 1440 is midnight. Raises ValueError unless the end is later."""
    match = _SPAN.fullmatch(span)
    if not match:
        raise ValueError(f'expected hours such as "09:00-17:00", not {span!r}')
    opens = time(int(match[1]), int(match[2]))
    closes = int(match[3]) * 60 + int(match[4]) if match[3] else 24 * 60
    begin = opens.hour * 60 + opens.minute
    if begin >= closes:
        raise ValueError(f"{span!r} ends before it begins")
    return begin, closes


def _one_or_more(value: object) -> object:
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, str):  # YAML reads 9:00 as the number 540
        raise ValueError(f'expected hours such as "09:00-17:00", not {value}')  # noqa: TRY004 - pydantic wants ValueErrors
    return (value,)


def _in_order(spans: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [parse_span(span) for span in spans]
    for (_, closes), (opens, _) in pairwise(parsed):
        if opens < closes:
            raise ValueError(f"expected hours one after the other, not {', '.join(spans)}")
    return spans


Spans = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), AfterValidator(_in_order)]


class Hours(Part):
    """Open spans of each weekday, in the account's zone; a weekday left out is closed."""

    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()


WEEK: Final = tuple(Hours.model_fields)
