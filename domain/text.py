"""Validation and cleaning of what people write: trimmed, without control characters, within a length.

Nothing that a reader would see is changed; markup, mentions and emoji stay as typed, and renderers escape them.
"""

import re
import unicodedata
from typing import Final

from domain.policy import DESCRIPTION_LENGTH, FILES_AT_MOST, LINKS_AT_MOST, OVERVIEW_LENGTH
from domain.refusal import Refusal

_BREAKS: Final = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_MANY: Final = re.compile(r"\n{4,}")
_EMAIL: Final = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[^\s@<>,;:\"\\.]+(\.[^\s@<>,;:\"\\.]+)+")
_LINK: Final = re.compile(r"https?://[^\s<>|\"\\]+", re.IGNORECASE)
_LINK_LENGTH: Final = 2_000
_EMAIL_LENGTH: Final = 254  # RFC 5321
# Letters and symbols without a visible form: Hangul fillers, and the blank of Braille.
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DIRECTIONS: Final = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u202e": "\u202c"} | dict.fromkeys(
    "\u2066\u2067\u2068", "\u2069"
)  # bidirectional controls, with the one that closes each


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and, at both ends, whitespace and invisible characters.
    Bidirectional embeddings and isolates are closed at the end of their line."""
    kept = "".join(c for c in _BREAKS.sub("\n", text) if c in "\n\t" or not _dropped(c))
    begin, end = 0, len(kept)
    while begin < end and _unseen(kept[begin]):
        begin += 1
    while end > begin and _unseen(kept[end - 1]) and not _tag(kept[end - 1]):  # emoji flags end in tag characters
        end -= 1
    return "\n".join(_closed(line) for line in _MANY.sub("\n\n\n", kept[begin:end]).split("\n"))


def has_visible_text(text: str) -> bool:
    """Whether the text has a visible character: a letter, digit, symbol or emoji, including code points that are newer
    than our Unicode tables."""
    return any(not _unseen(c) and unicodedata.category(c)[0] != "M" for c in text)


def parse_text(text: str, field: str, most: int, *, required: bool = True) -> str:
    """Cleaned text of several lines. Refused: `text_empty` if it is required, `text_long` (params `limit`,
    `length`)."""
    return _fitting(clean(text), field, most, required)


def parse_line(text: str, field: str, most: int, *, required: bool = True) -> str:
    """Cleaned text on one line, each run of whitespace as one space. Refused as `parse_text`."""
    return _fitting(" ".join(clean(_BREAKS.sub(" ", text).replace("\n", " ")).split()), field, most, required)


def parse_overview(text: str) -> str:
    """A validated overview of a ticket. Refused as `parse_line`."""
    return parse_line(text, "overview", OVERVIEW_LENGTH)


def parse_description(text: str) -> str:
    """A validated description of a ticket. Refused as `parse_text`."""
    return parse_text(text, "description", DESCRIPTION_LENGTH)


def parse_email(text: str, field: str = "email") -> str:
    """A single email address. Refused: `email_wrong`, also for text with a second address or line breaks (header
    injection)."""
    kept = text.strip()
    if len(kept) > _EMAIL_LENGTH or not _EMAIL.fullmatch(kept) or any(_dropped(c) or _unseen(c) for c in kept):
        raise Refusal("email_wrong", field)
    return kept


def parse_links(text: str, field: str = "links") -> tuple[str, ...]:
    """URLs separated by whitespace or commas, without duplicates. Refused: `link_wrong` (params `link`),
    `links_many`."""
    found: dict[str, None] = {}
    for word in clean(text).split():
        address = word.strip(",;")
        if not address:
            continue
        if not _LINK.fullmatch(address) or len(address) > _LINK_LENGTH:
            raise Refusal("link_wrong", field, link=address[:80])
        found[address] = None
    if len(found) > LINKS_AT_MOST:
        raise Refusal("links_many", field, limit=LINKS_AT_MOST)
    return tuple(found)


def require_file_count(count: int, field: str = "files") -> None:
    """Raises Refusal `files_many` for more files than a ticket may have."""
    if count > FILES_AT_MOST:
        raise Refusal("files_many", field, limit=FILES_AT_MOST)


def _fitting(kept: str, field: str, most: int, required: bool) -> str:
    if not has_visible_text(kept):
        if required:
            raise Refusal("text_empty", field)
        return ""
    if len(kept) > most:
        raise Refusal("text_long", field, limit=most, length=len(kept))
    return kept


def _dropped(c: str) -> bool:
    """Control characters, lone surrogates and noncharacters."""
    category = unicodedata.category(c)
    return category in {"Cc", "Cs"} or (category == "Cn" and (ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF))


def _unseen(c: str) -> bool:
    """Whitespace, and characters that only affect how their neighbours are shown."""
    return c.isspace() or c in _BLANK or unicodedata.category(c) in {"Cf", "Cc"} or _tag(c)


def _tag(c: str) -> bool:
    return 0xE0000 <= ord(c) <= 0xE0FFF


def _closed(line: str) -> str:
    """The line with its open embeddings and isolates closed, the innermost first, so that they do not affect what
    follows."""
    opened: list[str] = []
    for c in line:
        if c in _DIRECTIONS:
            opened.append(_DIRECTIONS[c])
        elif opened and c == opened[-1]:
            opened.pop()
    return line + "".join(reversed(opened))
