"""Text for Slack: escaped, cut, and with nothing typed taken for markup.

mrkdwn can't escape `*`, `_`, `~` or a backtick. So text is sent as mrkdwn, which shows our bold, links and times, only
where nothing in it reads as markup; any other text is sent as `plain_text` or `rich_text`, which show it as it is.
"""

import re
from typing import Final

from bot.chat.fallback import NOTHING
from bot.chat.types import Json
from bot.slack import limits
from handlers.framework.screens import Bold, Link, Text, TextPart, Timestamp, strip_markup

_FORMATS: Final = {"date": "{date_short}", "time": "{time}", "datetime": "{date_short} {time}"}
# What mrkdwn acts on beyond <, > and &: formatting, emoji codes, quotes at the start of a line.
_MARKUP: Final = re.compile(r"[*_~`]|:[^\s:]+:|^\s*>", re.MULTILINE)
_URL: Final = re.compile(r"(?:https?|mailto|tel):[^\s<>|]+")
_BOLD_ENDS: Final = re.compile(r"\S(?:.*\S)?")


def units(text: str) -> int:
    """The length of a text as Slack counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fits(text: str, limit: int) -> bool:
    """Whether `text` is at most `limit` units long."""
    return len(text) <= limit // 2 or units(text) <= limit


def cut(text: str, limit: int) -> str:
    """`text`, or as much of its beginning as fits into `limit` units with "…" at its end."""
    if fits(text, limit):
        return text
    kept = text[: limit - 1]
    while units(kept) > limit - 1:
        kept = kept[: len(kept) - max(1, (units(kept) - limit + 1) // 2)]
    return kept.rstrip() + "…"


def escape(text: str) -> str:
    """The three characters that mrkdwn reads as control characters, as entities."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text or ">" in text:
        text = text.replace("<", "&lt;").replace(">", "&gt;")
    return text


def plain_text(text: str, limit: int) -> Json:
    """A `plain_text` object: shown as it is, emoji codes too."""
    return {"type": "plain_text", "text": cut(text, limit) if text and not text.isspace() else NOTHING, "emoji": False}


def is_linkable(url: str) -> bool:
    """Whether a URL can be linked to."""
    return len(url) <= limits.URL and _URL.fullmatch(url) is not None


def mrkdwn(text: Text) -> str | None:
    """The text in mrkdwn; None where something typed would be read as markup, or bold would not show."""
    typed = "\n".join(
        [part if isinstance(part, str) else "" if isinstance(part, Timestamp) else part.text for part in text]
    )
    if _MARKUP.search(typed):
        return None
    out: list[str] = []
    for i, part in enumerate(text):
        if isinstance(part, str):
            out.append(escape(part))
        elif isinstance(part, Bold):
            if not _bold_shows(text, i, part):
                return None
            out.append(f"*{escape(part.text)}*")
        elif isinstance(part, Link):
            label = escape(part.text).replace("|", "¦")
            out.append(
                f"<{part.url.replace('&', '&amp;')}|{label}>" if is_linkable(part.url) and label.strip() else label
            )
        else:
            out.append(_date(part))
    return "".join(out)


def _bold_shows(text: Text, i: int, part: Bold) -> bool:
    """Slack shows bold only around words and between spaces or punctuation."""
    if not _BOLD_ENDS.fullmatch(part.text):
        return False
    before, after = text[i - 1] if i else "", text[i + 1] if i + 1 < len(text) else ""
    return _loose(before, -1) and _loose(after, 0)


def _loose(neighbour: TextPart, end: int) -> bool:
    if not isinstance(neighbour, str):
        return False
    return not neighbour or not neighbour[end].isalnum()


def _date(part: Timestamp) -> str:
    stamp = int(part.at.timestamp())
    fallback = escape(part.fallback).replace("|", "¦").replace("^", " ")
    if not 0 <= stamp <= limits.DATE_MAX or not fallback.strip():
        return fallback
    return f"<!date^{stamp}^{_FORMATS[part.style]}|{fallback}>"


def text_object(text: Text, limit: int) -> Json:
    """The text object for `text`: mrkdwn where it has marks of ours and nothing typed reads as markup."""
    if len(text) == 1 and isinstance(text[0], str):
        return plain_text(text[0], limit)
    if any(not isinstance(part, str) for part in text):
        marked = mrkdwn(text)
        if marked and not marked.isspace() and fits(marked, limit):
            return {"type": "mrkdwn", "text": marked, "verbatim": True}
    return plain_text(strip_markup(text), limit)


def headed_text(head: str, rest: Text, limit: int) -> Json:
    """The text object of a bold head and a text on the next line. Plain strings, which most lists hold, are drawn the
    same as by `text_object`, but faster."""
    if len(rest) == 1 and isinstance(rest[0], str):
        shown = f"*{head}*\n{rest[0]}" if rest[0] else f"*{head}*"
        typed_marks = _MARKUP.search(head) or _MARKUP.search(shown, len(head) + 2)
        if head and head == head.strip() and "\n" not in head and not typed_marks:
            shown = escape(shown)
            if fits(shown, limit):
                return {"type": "mrkdwn", "text": shown, "verbatim": True}
        return plain_text(f"{head}\n{rest[0]}", limit)
    return text_object((Bold(head), "\n", *rest) if rest else (Bold(head),), limit)


def paragraph(text: Text) -> Json:
    """The block for `text`: a section, or rich text where mrkdwn would misread what is beside our marks."""
    shown = text_object(text, limits.SECTION)
    if shown["type"] == "plain_text" and not all(isinstance(part, str) for part in text):
        elements = rich(text)
        if elements:
            return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
    return {"type": "section", "text": shown}


def rich(text: Text) -> list[Json]:
    """The elements of a rich text section."""
    elements: list[Json] = []
    room = limits.RICH_TEXT
    for part in text[: limits.RICH_ELEMENTS]:
        whole = part if isinstance(part, str) else part.fallback if isinstance(part, Timestamp) else part.text
        shown = cut(whole, room) if room > 1 else ""
        if not shown:
            continue
        room -= units(shown)
        if isinstance(part, Link) and is_linkable(part.url):
            elements.append({"type": "link", "url": part.url, "text": shown})
        elif isinstance(part, Timestamp) and 0 <= part.at.timestamp() <= limits.DATE_MAX and units(shown) <= 200:
            stamp, style = int(part.at.timestamp()), _FORMATS[part.style]
            elements.append({"type": "date", "timestamp": stamp, "format": style, "fallback": shown})
        elif isinstance(part, Bold):
            elements.append({"type": "text", "text": shown, "style": {"bold": True}})
        else:
            elements.append({"type": "text", "text": shown})
    return elements
