"""The check of ``rich_text`` blocks: sections, lists, quotes and code, and what may stand in them."""

from __future__ import annotations

from typing import Final

from playground.slack.elements import CHANNEL, ID, PERSON
from playground.slack.rules import URL, Rule, boolean, by_type, each, exactly, integer, one_of, shape, string

STYLE: Final = shape({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "unlink"), boolean))
WORDS: Final = string(3_000)


def _piece(kind: str, needed: dict[str, Rule], allowed: dict[str, Rule] | None = None) -> Rule:
    return shape({"type": exactly(kind), **needed}, {"style": STYLE, **(allowed or {})})


PIECES: Final = by_type(
    {
        "text": _piece("text", {"text": WORDS}),
        "link": _piece("link", {"url": URL}, {"text": WORDS, "unsafe": boolean}),
        "emoji": _piece("emoji", {"name": string(100)}, {"unicode": string(100), "skin_tone": integer(1, 6)}),
        "user": _piece("user", {"user_id": PERSON}),
        "channel": _piece("channel", {"channel_id": CHANNEL}),
        "broadcast": _piece("broadcast", {"range": one_of("here", "channel", "everyone")}),
        "date": _piece(
            "date",
            {"timestamp": integer(0, 9_999_999_999), "format": string(200)},
            {"fallback": string(200), "url": URL},
        ),
        "color": _piece("color", {"value": string(7, pattern=r"#[0-9a-fA-F]{6}")}),
    },
    "rich text element",
)
_section = shape({"type": exactly("rich_text_section"), "elements": each(PIECES, 1_000, least=0)})
_parts = by_type(
    {
        "rich_text_section": _section,
        "rich_text_list": shape(
            {
                "type": exactly("rich_text_list"),
                "style": one_of("bullet", "ordered"),
                "elements": each(_section, 1_000),
            },
            {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
        ),
        "rich_text_preformatted": shape(
            {"type": exactly("rich_text_preformatted"), "elements": each(PIECES, 1_000)},
            {"border": integer(0, 1), "language": string(32)},
        ),
        "rich_text_quote": shape(
            {"type": exactly("rich_text_quote"), "elements": each(PIECES, 1_000)}, {"border": integer(0, 1)}
        ),
    },
    "rich text part",
)

RICH_TEXT: Final = shape(
    {"type": exactly("rich_text"), "elements": each(_parts, 1_000)},
    {"block_id": ID},
)
