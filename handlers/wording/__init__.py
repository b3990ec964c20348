"""Every sentence people read, by key and language: gettext catalogues beside this file, one a language.

A catalogue's text may hold `{placeholders}` and `**bold**`. What is put in is never read as markup, so a person's name
or message stays what was typed. A key without a text is an error; one missing in a language falls back to English.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Literal

from babel import Locale
from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from handlers.framework.screens import Bold, Link, Text, TextPart, Timestamp, strip_markup

LANGUAGES = ("en", "fr", "de", "ja", "pt", "es", "pl")  # docs/domain.md 8; each catalogue is complete
PSEUDO = "xx"  # English in brackets: what stays outside them is not from a catalogue

Param = str | int | date | datetime | Sequence[str] | Bold | Link | Timestamp

_FOLDER = Path(__file__).parent
_BOLD = re.compile(r"\*\*(.+?)\*\*")


class MissingText(KeyError):
    """No catalogue has this key."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    bold: bool


@lru_cache(maxsize=16)
def _catalogue(language: str) -> GNUTranslations:
    with (_FOLDER / f"{language}.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=16_384)  # all of them, in each language
def _template(language: str, key: str, n: int | None) -> tuple[str | _Field | Bold, ...]:
    """A text cut into literals and the fields to fill in."""
    pseudo = language == PSEUDO
    for source in dict.fromkeys(("en",) if pseudo else (language, "en")):
        catalogue = _catalogue(source)
        text = catalogue.gettext(key) if n is None else catalogue.ngettext(key, key, n)
        if text != key:
            break
    else:
        raise MissingText(key)
    pieces: list[str | _Field | Bold] = []
    for i, part in enumerate(_BOLD.split(text)):
        for literal, name, _, _ in Formatter().parse(part):
            if literal:
                pieces.append(Bold(literal) if i % 2 else literal)
            if name is not None:
                pieces.append(_Field(name, bool(i % 2)))
    return ("⟦", *pieces, "⟧") if pseudo else tuple(pieces)


class Words:
    """The catalogue of one reader: their language and time zone. `words_in` gives the one for both."""

    __slots__ = ("_fixed", "_locale", "language", "zone")

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language = language
        self.zone = zone
        self._locale = "en_GB" if language in {PSEUDO, "en"} else language
        self._fixed: dict[str, str] = {}  # texts with nothing to fill in: most of a screen

    def text(self, key: str, *, n: int | None = None, **params: Param) -> Text:
        """A sentence with its bold, links and moments. `n` chooses the plural's form and fills `{n}`."""
        if n is not None:
            params.setdefault("n", n)
        parts: list[TextPart] = []
        run = ""
        for piece in _template(self.language, key, n):
            value = self._fill(key, piece, params) if isinstance(piece, _Field) else piece
            if isinstance(value, str):
                run += value
                continue
            if run:
                parts.append(run)
                run = ""
            parts.append(value)
        if run:
            parts.append(run)
        return tuple(parts)

    def __call__(self, key: str, *, n: int | None = None, **params: Param) -> str:
        """The words alone."""
        if n is None and not params:
            fixed = self._fixed.get(key)
            if fixed is None:
                fixed = self._fixed[key] = strip_markup(self.text(key))
            return fixed
        return strip_markup(self.text(key, n=n, **params))

    def _fill(self, key: str, piece: _Field, params: Mapping[str, Param]) -> TextPart:
        try:
            value = params[piece.name]
        except KeyError:
            raise MissingText(f"{key}: nothing given for {{{piece.name}}}") from None
        if isinstance(value, Bold | Link | Timestamp):
            return value
        shown = value if type(value) is str else self.show(value)
        return Bold(shown) if piece.bold else shown

    def show(self, value: str | int | date | datetime | Sequence[str]) -> str:
        """A value in the reader's form: 3,000 · 22 November 2026 · Ada and Robin."""
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            return _decimal(value, self._locale)
        if isinstance(value, datetime):
            return _minute(value.astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None), self._locale)
        if isinstance(value, date):
            return _day(value, self._locale)
        return format_list(list(value), locale=self._locale)

    def join(self, values: Iterable[str]) -> str:
        """One after the other, with the language's comma and no "and"."""
        return _comma(self._locale).join(values)

    def weekday(self, name: str) -> str:
        """A day's short name, of "mon" to "sun"."""
        return _weekdays(self._locale)[_WEEK.index(name)]

    def country(self, region: str | None) -> str:
        """A country's name by its region code."""
        return _names(self._locale, "territories").get(region or "", region or "")

    def language_name(self, language: str) -> str:
        """A language's name by its code."""
        return _names(self._locale, "languages").get(language, language)

    def timestamp(self, at: datetime, style: str = "date") -> Timestamp:
        """A moment that the platform shows in the reader's own zone."""
        local = at.astimezone(self.zone)
        if style == "time":
            return Timestamp(at, "time", _time(local.hour, local.minute, self._locale))
        if style == "datetime":
            return Timestamp(at, "datetime", self.show(local))
        return Timestamp(at, "date", _date(local.date(), self._locale))


_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=16)
def _comma(locale: str) -> str:
    pattern: str = Locale.parse(locale).list_patterns["standard"]["middle"]
    return pattern.format("", "")


@lru_cache(maxsize=16)
def _weekdays(locale: str) -> Sequence[str]:
    days = Locale.parse(locale).days["stand-alone"]["abbreviated"]
    return [days[number] for number in range(7)]


@lru_cache(maxsize=32)
def _names(locale: str, of: Literal["territories", "languages"]) -> Mapping[str, str]:
    return dict(getattr(Locale.parse(locale), of))


@lru_cache(maxsize=4096)
def _decimal(value: int, locale: str) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=1024)
def _day(value: date, locale: str) -> str:
    return format_skeleton("MMMd", value, locale=locale)


@lru_cache(maxsize=1024)
def _date(value: date, locale: str) -> str:
    return format_skeleton("yMMMd", value, locale=locale)


@lru_cache(maxsize=4096)
def _time(hour: int, minute: int, locale: str) -> str:
    return format_time(time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=4096)
def _minute(value: datetime, locale: str) -> str:
    """`value` as the clock on the wall shows it."""
    return f"{_date(value.date(), locale)} {value:%H:%M}"


@lru_cache(maxsize=1024)
def words_in(language: str, zone: tzinfo) -> Words:
    """One `Words` for all readers of a language in a zone."""
    return Words(language, zone)


@lru_cache(maxsize=1024)
def choose_language(*wanted: str | None) -> str:
    """The first of the wished-for languages that there is a catalogue for; regions are left off. English if none."""
    for tag in wanted:
        if tag:
            primary = re.split(r"[-_]", tag, maxsplit=1)[0].lower()
            if primary in LANGUAGES or primary == PSEUDO:
                return primary
    return "en"
