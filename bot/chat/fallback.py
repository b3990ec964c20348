"""Screens as plain text, for notifications and clients that show no blocks; and how full their bars are."""

from collections.abc import Callable
from typing import Final

from handlers.framework.screens import (
    Block,
    Chart,
    FactSet,
    Heading,
    ListItem,
    Meter,
    Paragraph,
    Question,
    Screen,
    Table,
    Text,
    strip_markup,
)

NOTHING: Final = "–"  # where there must be a word
ROWS: Final = 100  # of a table
BAR: Final = 12  # characters of a bar


def sentence(screen: Screen) -> str:
    """The words of a short screen."""
    text = " ".join(strip_markup(block.text) for block in screen.blocks if isinstance(block, Paragraph))
    return text or screen.title


def fallback(
    screen: Screen, limit: int, cut: Callable[[str, int], str], escape: Callable[[str], str] = lambda text: text
) -> str:
    """Title and summary, or the text of the blocks, cut to `limit`. `cut` cuts to a length in the platform's units;
    `escape` keeps what people typed from being read as markup."""
    if screen.summary:
        return cut(escape(f"{screen.title}: {screen.summary}" if screen.title else screen.summary), limit)
    lines = [screen.title] if screen.title else []
    room = limit - len(screen.title)
    for block in screen.blocks:
        if room < 0:
            break
        if line := _line(block):
            lines.append(line)
            room -= len(line)
    return cut(escape("\n".join(lines)), limit) or NOTHING


def meter_bar(block: Meter) -> tuple[int, int]:
    """A meter's percentage, and how many characters of its bar are full: one at least where anything is used."""
    percent = round(100 * block.used / block.limit) if block.limit > 0 else 100 if block.used > 0 else 0
    filled = min(BAR, max(0, round(BAR * percent / 100)))
    return percent, filled or int(block.used > 0)


def chart_bar(value: float, highest: float) -> int:
    """How many characters of a chart's bar are full: one at least for anything above zero."""
    return 0 if highest <= 0 or value <= 0 else max(1, round(BAR * value / highest))


def _line(block: Block) -> str:
    match block:
        case ListItem():
            details = _side_by_side(block.details)
            return f"{block.title}: {details}" if details else block.title
        case Paragraph():
            return strip_markup(block.text)
        case Meter():
            return f"{block.label} · {block.note}" if block.note else block.label
        case FactSet():
            return "\n".join(f"{label}: {strip_markup(value)}" for label, value in block.pairs)
        case Heading() | Question():
            return block.text
        case Table():
            return "\n".join(" · ".join(strip_markup(cell) for cell in row) for row in block.rows[:ROWS])
        case Chart():
            return block.alt
        case _:
            return ""


def _side_by_side(details: tuple[Text, ...]) -> str:
    return " · ".join(filter(None, map(strip_markup, details)))
