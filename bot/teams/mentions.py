"""Reads text as Teams sends it: people are `<at>Max</at>`, with an entity in the activity for each, and some characters
are HTML entities.
"""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any, Final

from bot.chat.inbound import split_text
from handlers.framework.events import Mention

_TAG: Final = re.compile(r"<at(?:\s[^<>]*)?>(.*?)</at>", re.DOTALL)
MOST_MENTIONS: Final = 50


def split(text: str, entities: Sequence[Mapping[str, Any]], *, without: str) -> tuple[str | Mention, ...]:
    """Words and mentions in their order; `without` is the user id whose mentions are left out (our own)."""
    if "<" not in text:
        return tuple((unescape(text) if "&" in text else text).split())
    marked = [found for entity in entities[:MOST_MENTIONS] if (found := _mention(entity)) is not None]

    def read(tag: re.Match[str]) -> str | Mention:
        at = next((i for i, (shown, _) in enumerate(marked) if shown == tag[0]), None)
        return f"@{unescape(tag[1])}" if at is None else marked.pop(at)[1]

    return split_text(text, _TAG, read, unescape, without)


def plain(text: str) -> str:
    """The text as its reader sees it: people as @name."""
    return unescape(_TAG.sub(lambda tag: f"@{tag[1]}", text)).strip()


def is_mentioned(entities: Sequence[Mapping[str, Any]], user: str) -> bool:
    """Whether a user is mentioned in a text with these entities."""
    return any((found := _mention(entity)) is not None and found[1].user == user for entity in entities[:MOST_MENTIONS])


def _mention(entity: Mapping[str, Any]) -> tuple[str, Mention] | None:
    """The tag in the text that an entity stands for, and whom it mentions; None for any other entity."""
    named = entity.get("mentioned")
    if entity.get("type") != "mention" or not isinstance(named, Mapping):
        return None
    shown, user, name = entity.get("text"), named.get("id"), named.get("name")
    if not isinstance(shown, str) or not isinstance(user, str) or not user:
        return None
    return shown, Mention(user, name if isinstance(name, str) and name else None)
