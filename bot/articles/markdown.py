"""The Markdown of articles as blocks of a screen: headings, and paragraphs of text, bold and links. Of markup that a
chat can't show (pictures, rules of tables, HTML) the words stay.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from handlers.framework.screens import Bold, Heading, Link, Paragraph, Text, TextPart, strip_markup

Piece = Heading | Paragraph

LONGEST: Final = 2_500  # characters of a paragraph; a longer one is split
_FENCE: Final = re.compile(r"^\s{0,3}(```|~~~)")
_ATX: Final = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_RULE: Final = re.compile(r"^\s{0,3}(?:[-*_]\s*){3,}$|^\s{0,3}=+\s*$|^[\s|:-]*\|[\s|:-]*$")
_ITEM: Final = re.compile(r"^\s{0,12}(?:[-*+]|(\d{1,3})[.)])\s+(.*)$")
_QUOTE: Final = re.compile(r"^\s{0,3}>\s?")
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG: Final = re.compile(r"</?(?!https?:)[a-zA-Z][^<>]{0,500}>")
_INLINE: Final = re.compile(
    r"\\(?P<plain>[!-/:-@\[-`{-~])"
    r"|`+(?P<code>[^`]{1,500})`+"
    r"|!\[(?P<alt>[^\[\]]{0,300})\]\([^()\s]{0,500}(?:\s[^()]{0,200})?\)"
    r"|\[(?P<label>[^\[\]]{1,300})\]\(<?(?P<url>[^()\s<>]{1,1000})>?(?:\s[^()]{0,200})?\)"
    r"|<(?P<auto>https?://[^\s<>]{1,1000})>"
    r"|(?P<mark>\*\*|__)(?P<bold>\S(?:.{0,1000}?\S)?)(?P=mark)"
    r"|(?<![^\W_])(?P<sign>[*_])(?P<soft>[^\s*_](?:[^*_]{0,1000}?[^\s*_])?)(?P=sign)(?![^\W_])"
)


def parse_markdown(text: str) -> tuple[Piece, ...]:
    """The pieces of a document in order. Never fails: what is no markup is text."""
    return tuple(_pieces(_COMMENT.sub("", text)))


def _pieces(text: str) -> Iterator[Piece]:
    lines: list[str] = []
    code = quoted = False
    for raw in (*text.splitlines(), ""):
        if _FENCE.match(raw):
            yield from _paragraph(lines)
            lines, code = [], not code
            continue
        if code:
            yield from _text_paragraph((raw.rstrip()[:LONGEST],))
            continue
        line = _QUOTE.sub("", raw)
        if (line != raw) != quoted:
            yield from _paragraph(lines)
            lines, quoted = [], line != raw
        heading, item = _ATX.match(line), _ITEM.match(line)
        if heading or item or not line.strip() or _RULE.match(line):
            yield from _paragraph(lines)
            lines = []
        if heading:
            if words := strip_markup(inline(heading[1])).strip():
                yield Heading(words)
        elif item:
            lines = [f"{item[1]}. {item[2]}" if item[1] else f"• {item[2]}"]
        elif line.strip() and not _RULE.match(line):
            lines.append(line.strip().strip("|").replace("|", " · ") if line.lstrip().startswith("|") else line.strip())
    yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[Paragraph]:
    text = " ".join(" ".join(lines).split())
    for start in range(0, len(text), LONGEST):
        yield from _text_paragraph(inline(text[start : start + LONGEST]))


def _text_paragraph(text: Text) -> Iterator[Paragraph]:
    if strip_markup(text).strip():
        yield Paragraph(text)


def inline(text: str) -> Text:
    """The text of a line with bold and links; a link without http(s) becomes its label."""
    text = _TAG.sub("", text)
    parts: list[TextPart] = []
    end = 0
    for found in _INLINE.finditer(text):
        _add(parts, unescape(text[end : found.start()]))
        end = found.end()
        given = found.groupdict()
        if given["bold"] is not None:
            parts.append(Bold(strip_markup(inline(given["bold"]))))
        elif given["soft"] is not None:
            for part in inline(given["soft"]):
                _add(parts, part)
        elif given["label"] is not None:
            label, url = strip_markup(inline(given["label"])) or given["label"], given["url"]
            _add(parts, Link(label, url) if url.startswith(("https://", "http://")) else label)
        elif given["auto"] is not None:
            parts.append(Link(given["auto"], given["auto"]))
        else:
            _add(parts, given["plain"] or given["code"] or given["alt"] or "")
    _add(parts, unescape(text[end:]))
    return tuple(parts)


def _add(parts: list[TextPart], part: TextPart) -> None:
    """Append a part; text after text is joined."""
    if isinstance(part, str) and parts and isinstance(parts[-1], str):
        parts[-1] += part
    elif part:
        parts.append(part)
