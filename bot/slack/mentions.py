"""Reads text as Slack sends it.

Slack writes links as `<tel:+442079460900|020 7946 0900>`, people as `<@U123|max>` and three characters as entities.
"""

import re
from collections.abc import Callable
from typing import Final

from bot.chat.inbound import split_text
from handlers.framework.events import Mention

_TOKEN: Final = re.compile(r"<([^<>\n]*)>")
_PERSON: Final = re.compile(r"@([UW][A-Z0-9]{1,63})")


def unescape(text: str) -> str:
    """Slack's three entities as the characters they stand for."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def split(text: str, *, without: str | None = None) -> tuple[str | Mention, ...]:
    """Words and mentions in their order; `without` is a user id whose mentions are left out (our own)."""
    if "<" not in text and "&" not in text:
        return tuple(text.split())

    def read(token: re.Match[str]) -> str | Mention:
        target, _, label = token[1].partition("|")
        person = _PERSON.fullmatch(target)
        return Mention(person[1], unescape(label) or None) if person else _shown(target, unescape(label))

    return split_text(text, _TOKEN, read, unescape, without)


def plain(text: str, names: Callable[[str], str | None] = lambda _user: None) -> str:
    """The text as its reader sees it: people as @name, links by their label and address. `names`: of a user by id."""

    def shown(token: re.Match[str]) -> str:
        target, _, label = token[1].partition("|")
        person = _PERSON.fullmatch(target)
        if person is not None:
            return f"@{label or names(person[1]) or person[1]}"
        seen = _shown(target, label)
        linked = target.startswith(("http://", "https://")) and label and label not in {target, unescape(target)}
        return f"{seen} ({target})" if linked else seen

    return unescape(_TOKEN.sub(shown, text))


def _shown(target: str, label: str) -> str:
    """The text that a person saw where Slack has put a link."""
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return label or unescape(target).removeprefix("tel:").removeprefix("mailto:")
