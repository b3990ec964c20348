"""Splits a platform's text into words and mentions."""

import re
from collections.abc import Callable

from handlers.framework.events import Mention


def split_text(
    text: str,
    pattern: re.Pattern[str],
    read: Callable[[re.Match[str]], str | Mention],
    unescape: Callable[[str], str],
    without: str | None,
) -> tuple[str | Mention, ...]:
    """Words and mentions in their order. `read` turns a match of `pattern` into a mention or the text that it shows;
    mentions of the user `without` are left out."""
    words: list[str | Mention] = []
    pending, end = "", 0
    for match in pattern.finditer(text):
        pending += unescape(text[end : match.start()])
        end = match.end()
        part = read(match)
        if isinstance(part, str):
            pending += part
            continue
        words += pending.split()
        pending = ""
        if part.user != without:
            words.append(part)
    return (*words, *(pending + unescape(text[end:])).split())
