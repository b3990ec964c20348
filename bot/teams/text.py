"""Text for Teams: cut, and with nothing typed taken for markup.

A TextBlock reads markdown, and clients disagree on how to escape it: the web client takes a backslash, mobile clients
show it and read `[…](…)` all the same. So no markdown is ever written: strings in which nothing reads as markdown are
sent as a TextBlock; all others, and our bold and links, as a RichTextBlock, whose runs are shown as they are.
`{{DATE(…)}}` works in both, so an invisible word joiner separates two braces that somebody typed. A typed
`<at>…</at>` mentions nobody: that takes an entity in the activity, and we send none.
"""

import re
from datetime import UTC
from typing import Any, Final

from bot.chat.fallback import NOTHING
from bot.chat.types import Json
from bot.teams import limits
from handlers.framework.screens import Link, Text, TextPart, Timestamp

# What any client's markdown acts on: marks, entities, HTML, and what begins a list, a quote, a heading or a rule.
_MARKUP: Final = re.compile(
    r"[*_~`\[\]\\<>#|\r\n\t\v\f\x00]|&[#\w]|^\s|^[-=]|^\+(?!\d)|^\d+[.)]|[\x1c-\x1f\x85\u2028\u2029]"
)
_URL: Final = re.compile(r"https?://[^\s<>|\"\\]+|(?:mailto|tel):[^\s<>|\"\\]+")
# Runs break no words: a URL that is shown may break here, or it would be cut off on a telephone.
_STRETCH: Final = re.compile(r"[^/?&=]{20}|[/?&=]+(?=[^/?&=])")
_BRACES: Final = re.compile(r"\{(?=\{)")
# Some clients read a checkbox's words as markdown: marks are replaced by lookalikes, and a word joiner separates what
# is a mark only beside its neighbour.
_ALIKE: Final = str.maketrans("*_~`\\<", "∗ˍ∼ˋ∖‹", "\x00")
_PAIRS: Final = re.compile(r"&(?=[#\w])|\](?=[(\[:])")
_LOOKS: Final = frozenset({"size", "weight", "color", "isSubtle"})


def cut(text: str, limit: int) -> str:
    """`text`, or as much of its beginning as fits into `limit` characters with "…" at its end."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def neutralise_braces(text: str) -> str:
    """`text` with no date function in it."""
    return _BRACES.sub("{\u2060", text) if "{{" in text else text


def plain_text(text: str, limit: int) -> str:
    """For a place that shows text as it is and must not be empty: a button, a field's label."""
    return neutralise_braces(cut(text, limit)) if text and not text.isspace() else NOTHING


def label(text: str, limit: int) -> str:
    """For the words of a checkbox or radio button, which some clients read as markdown."""
    shown = plain_text(" ".join(text.split()), limit)
    if not _MARKUP.search(shown):
        return shown
    shown = _PAIRS.sub(lambda found: found[0] + "\u2060", shown.translate(_ALIKE))
    return f"\u2060{shown}" if _MARKUP.search(shown) else shown


def is_linkable(url: str) -> bool:
    """Whether a URL can be linked to."""
    return len(url) <= limits.URL and _URL.fullmatch(url) is not None


def moment(part: Timestamp) -> str:
    """The function that a client replaces by the time in its own zone and language."""
    at = part.at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    shown = {"date": ("DATE({}, SHORT)",), "time": ("TIME({})",), "datetime": ("DATE({}, SHORT)", "TIME({})")}
    return " ".join(f"{{{{{function.format(at)}}}}}" for function in shown[part.style])


def simple(text: Text, limit: int) -> str | None:
    """`text` for a TextBlock or a fact; None where it would be read as markdown or lose a mark of ours."""
    parts: list[str | Timestamp] = []
    for part in text:
        if not isinstance(part, str | Timestamp):
            return None
        parts.append(part)
    typed = "".join(part if isinstance(part, str) else "x" for part in parts)
    if _MARKUP.search(typed):
        return None
    if not any(isinstance(part, Timestamp) for part in parts):
        return neutralise_braces(cut(typed, limit))
    if len(typed) > limit:
        return None
    return "".join(neutralise_braces(part) if isinstance(part, str) else moment(part) for part in parts)


def element(text: Text, limit: int = limits.TEXT, **look: Any) -> Json | None:
    """The element that shows `text`; None where it is empty. `look`: properties of a TextBlock."""
    shown = simple(text, limit)
    if shown is not None:
        return {"type": "TextBlock", "text": shown, "wrap": True, **look} if shown.strip() else None
    of_runs = {key: value for key, value in look.items() if key in _LOOKS}
    inlines = runs(text, limit, **of_runs)
    if not inlines:
        return None
    around = {key: value for key, value in look.items() if key not in _LOOKS and key != "style"}
    return {"type": "RichTextBlock", "inlines": inlines, **around}


def runs(text: Text, limit: int, **look: Any) -> list[Json]:
    """The text as TextRuns, which are shown as they are; none where it is blank."""
    made: list[Json] = []
    room = limit
    for part in text:
        shown = _shown(part, room)
        if not shown:
            continue
        room -= len(shown)
        run: Json = {"type": "TextRun", "text": shown, **look}
        if isinstance(part, Link):
            if is_linkable(part.url):
                run["selectAction"] = {"type": "Action.OpenUrl", "title": shown.strip() or NOTHING, "url": part.url}
        elif not isinstance(part, str | Timestamp):
            run["weight"] = "Bolder"
        made.append(run)
    return made if any(run["text"].strip() for run in made) else []


def _shown(part: TextPart, room: int) -> str:
    if isinstance(part, Timestamp):
        return moment(part) if room > 0 else ""
    whole = part if isinstance(part, str) else part.text
    shown = neutralise_braces(cut(whole, room)) if room > 0 else ""
    return _STRETCH.sub("\\g<0>\u200b", shown) if isinstance(part, Link) and _URL.match(shown) else shown
