"""Draws screens for Slack: messages, the home screen, search options; forms are drawn in `forms.py`. Pure functions.
What is over one of Slack's limits is cut: texts end with "…", lists with "… +12".
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from bot.chat.fallback import BAR, chart_bar, fallback, meter_bar
from bot.chat.types import Json
from bot.slack import limits
from bot.slack.controls import actions_blocks, button, menu, pack_value
from bot.slack.drawing_cache import cache_by_identity
from bot.slack.text import cut, escape, headed_text, paragraph, plain_text, rich, text_object, units
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Chart,
    Divider,
    FactSet,
    Heading,
    ListItem,
    Meter,
    Option,
    Options,
    Paragraph,
    Question,
    Screen,
    Table,
    Text,
    TextPart,
    Timestamp,
    strip_markup,
)


def message(screen: Screen) -> Json:
    """`{text, blocks}` of a message, also for commands and response URLs. `text` says all that matters: notifications
    and screen readers have nothing else."""
    return {
        "text": fallback(screen, limits.MESSAGE_TEXT, cut, escape),
        "blocks": blocks(screen, limits.MESSAGE_BLOCKS, tables=1),
    }


def home(screen: Screen) -> Json:
    """The home view."""
    return {"type": "home", "blocks": blocks(screen, limits.VIEW_BLOCKS, tables=0)}


def modal(screen: Screen, metadata: str = "") -> Json:
    """A screen in a dialog without a submit button."""
    view: Json = {"type": "modal", "title": plain_text(screen.title, limits.TITLE)}
    view["blocks"] = blocks(screen, limits.VIEW_BLOCKS, tables=0, title=len(screen.title) > limits.TITLE) or [
        {"type": "section", "text": plain_text(screen.title, limits.SECTION)}
    ]
    return {**view, "private_metadata": metadata} if metadata else view


def options(found: Options) -> Json:
    """The answer to a `block_suggestion`."""
    return {"options": option_list(found.options, limits.SELECT)}


def option_list(given: Iterable[Option], limit: int) -> list[Json]:
    """Slack's options, at most `limit`, without those whose value is too long or a duplicate."""
    made: dict[str, Json] = {}
    for item in given:
        if len(made) == limit:
            break
        if units(item.value) <= limits.OPTION and item.value not in made:
            made[item.value] = option(item)
    return list(made.values())


def option(item: Option) -> Json:
    made: Json = {"text": plain_text(item.label, limits.OPTION), "value": pack_value(item.value)}
    if item.note:
        made["description"] = plain_text(item.note, limits.OPTION)
    return made


def blocks(screen: Screen, limit: int, *, tables: int, title: bool = True) -> list[Json]:
    """The blocks of a screen: at most `limit`, and `tables` tables among them. Where they are too many, list items are
    left out first, from the last one up, so that what is below a long list stays."""
    charts = limits.CHARTS if tables else 0  # Slack takes both in messages alone
    drawn: list[list[Json] | None] = []  # None: a row, drawn when it is known how many fit
    count = 0
    for block in screen.blocks:
        if isinstance(block, ListItem):
            drawn.append(None)
            continue
        if isinstance(block, Table):
            made, tables = (_table(block), tables - 1) if tables else (_lines(block), 0)
        elif isinstance(block, Chart):
            made, charts = (_chart(block), charts - 1) if charts and block.bars else (draw_bars(block), charts)
        else:
            made = _DRAW[type(block)](block)
        drawn.append(made)
        count += len(made)
        if count > limit:
            break
    head = [_header(screen.title)] if title and screen.title.strip() else []
    out = head + _with_rows(screen.blocks, drawn, limit - len(head) - count)
    return out if len(out) <= limit else [*out[: limit - 1], _more(len(out) - limit + 1)]


def _with_rows(source: Sequence[Block], drawn: Sequence[list[Json] | None], room: int) -> list[Json]:
    """The blocks in their order, with as many rows as there is room for, then a line that says how many more."""
    listed = [block for block, made in zip(source, drawn, strict=False) if made is None and isinstance(block, ListItem)]
    shown: list[list[Json]] = []
    for row in listed:
        made = _row(row)
        if len(made) > room:
            room -= 1  # for the line that says how many more
            break
        shown.append(made)
        room -= len(made)
    while room < 0 and shown:
        room += len(shown.pop())
    out: list[Json] = []
    number = 0
    for made_or_row in drawn:
        if made_or_row is not None:
            out += made_or_row
            continue
        if number < len(shown):
            out += shown[number]
        elif number == len(shown):
            out.append(_more(len(listed) - number))
        number += 1
    return out


def _more(count: int) -> Json:
    return {"type": "context", "elements": [plain_text(f"… +{count}", limits.CONTEXT)]}


def _header(title: str) -> Json:
    return {"type": "header", "text": plain_text(title, limits.HEADER)}


def _heading(block: Heading) -> list[Json]:
    return [_header(block.text)]


@cache_by_identity
def draw_paragraph(block: Paragraph) -> list[Json]:
    """A section, or a context block where it is an aside."""
    if block.quiet:
        return [{"type": "context", "elements": [text_object(block.text, limits.CONTEXT)]}]
    return [paragraph(block.text)]


def draw_facts(block: FactSet) -> list[Json]:
    """Sections of up to ten fields."""
    fields = [headed_text(label, value, limits.FIELD) for label, value in block.pairs]
    size = limits.FIELDS
    return [{"type": "section", "fields": fields[i : i + size]} for i in range(0, len(fields), size)]


@cache_by_identity
def draw_divider(block: Divider) -> list[Json]:
    return [{"type": "divider"}]


@cache_by_identity
def draw_buttons(block: Buttons) -> list[Json]:
    return actions_blocks(block.buttons)


@cache_by_identity
def _question(block: Question) -> list[Json]:
    """The question in small text, and its answers below it: Slack puts no buttons beside small text."""
    return [*draw_paragraph(Paragraph((block.text,), quiet=True)), *actions_blocks(block.answers)]


@cache_by_identity
def _meter(block: Meter) -> list[Json]:
    percent, filled = meter_bar(block)
    note = f" · {block.note}" if block.note else ""
    bar = f"{'█' * filled}{'░' * (BAR - filled)} {percent}%{note}"
    return [{"type": "section", "text": headed_text(block.label, (bar,), limits.SECTION)}]


@cache_by_identity
def _row(block: ListItem) -> list[Json]:
    text = headed_text(block.title, _joined(block.details), limits.SECTION)
    section: Json = {"type": "section", "text": text}
    beside, below = _row_controls(block)
    if beside is not None:
        section["accessory"] = beside
    return [section, *actions_blocks(below), *(_question(block.question) if block.question else [])]


def _joined(details: tuple[Text, ...]) -> Text:
    """Details with " · " between them, neighbouring strings merged into one part."""
    parts: list[TextPart] = []
    plainly = ""
    for i, detail in enumerate(details):
        if i:
            plainly += " · "
        for part in detail:
            if isinstance(part, str):
                plainly += part
            else:
                parts += (plainly, part)
                plainly = ""
    return (*parts, plainly) if plainly else tuple(parts)


def _row_controls(block: ListItem) -> tuple[Json | None, tuple[Button, ...]]:
    """The control beside a row, and the buttons below it: there is room for one control, and menus have limits."""
    if not block.menu:
        return (button(block.button, 0) if block.button else None), ()
    drawn = menu(block.menu)
    if drawn is None:
        return (button(block.button, 0) if block.button else None), block.menu
    return drawn, ((block.button,) if block.button else ())


def _table(block: Table) -> list[Json]:
    """Slack's table, with the columns' names as first row; lines of text where it is over a table's limit."""
    columns = block.columns[: limits.TABLE_COLUMNS]
    if not columns:
        return []
    shown = block.rows[: limits.TABLE_ROWS - 1]
    width = len(columns)
    lines: list[tuple[Text, ...]] = [tuple((name,) for name in columns), *(row[:width] for row in shown)]
    cells = [[_cell(text) for text in (*line, *((),) * (width - len(line)))] for line in lines]
    if sum(_cell_units(cell) for row in cells for cell in row) > limits.TABLE_TEXT:
        return _lines(block)
    table = {"type": "table", "rows": cells, "column_settings": [{"is_wrapped": True}] * len(columns)}
    left = len(block.rows) - len(shown)
    return [table, _more(left)] if left else [table]


def _chart(block: Chart) -> list[Json]:
    """Slack's own bar chart; text where it is over a chart's limits or has no title."""
    if len(block.bars) > limits.CHART_BARS or not block.title.strip():
        return draw_bars(block)
    labels: list[str] = []
    for name, _ in block.bars:
        label = cut(" ".join(name.split()) or "–", limits.CHART_LABEL)
        number = 2
        while label in labels:  # Slack tells bars apart by their labels
            label = f"{cut(label, limits.CHART_LABEL - 4)} {number}"
            number += 1
        labels.append(label)
    points = [{"label": label, "value": value} for label, (_, value) in zip(labels, block.bars, strict=True)]
    unit = cut(block.unit, limits.CHART_LABEL)
    axes: Json = {"categories": labels, "y_label": unit} if unit.strip() else {"categories": labels}
    series = {"name": unit if unit.strip() else "–", "data": points}
    return [
        {
            "type": "data_visualization",
            "title": cut(block.title, limits.CHART_TITLE),
            "chart": {"type": "bar", "series": [series], "axis_config": axes},
        }
    ]


def draw_bars(block: Chart) -> list[Json]:
    """A chart where Slack takes none: a line for each bar, with its value and label beside it."""
    highest, unit = max((value for _, value in block.bars), default=0), " ".join(block.unit.split())
    bars = [(chart_bar(value, highest), name, value) for name, value in block.bars]
    shown = [
        f"{'█' * filled}{'░' * (BAR - filled)} {value} {unit} · {' '.join(name.split()) or '–'}"
        for filled, name, value in bars
    ]
    lines = _fitting(shown, limits.SECTION - limits.HEADER)
    return [
        {"type": "section", "text": headed_text(cut(block.title, limits.HEADER), ("\n".join(lines),), limits.SECTION)}
    ]


def _cell(text: Text) -> Json:
    """A cell: a lone timestamp in the reader's own time zone, anything else as plain text."""
    if len(text) == 1 and isinstance(text[0], Timestamp) and (moment := rich(text)):
        return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": moment}]}
    plain = strip_markup(text)
    return {"type": "raw_text", "text": cut(plain, limits.FIELD) if plain.strip() else "–"}


def _cell_units(cell: Json) -> int:
    """What a drawn cell counts for the limit of its table: all texts in it, with dashes and dates' fallbacks."""
    if cell["type"] == "raw_text":
        return units(cell["text"])
    parts = [part for section in cell["elements"] for part in section["elements"]]
    return sum(units(part.get("text") or part.get("fallback") or "") for part in parts)


def _lines(block: Table) -> list[Json]:
    """A table where Slack takes none: one section with a line for each row."""
    rows = [block.columns, *([strip_markup(cell) for cell in row] for row in block.rows)]
    lines = _fitting([" · ".join(cell.replace("\n", " ") or "–" for cell in row) for row in rows], limits.SECTION)
    return [{"type": "section", "text": plain_text("\n".join(lines), limits.SECTION)}]


def _fitting(lines: Sequence[str], limit: int) -> list[str]:
    """The first lines within `limit` units, and a line that says how many more there are."""
    room = limit - 16  # for that line
    for count, line in enumerate(lines):
        if (room := room - units(line) - 1) < 0:
            return [*lines[:count], f"… +{len(lines) - count}"]
    return list(lines)


_DRAW: Final[dict[type, Callable[[Any], list[Json]]]] = {
    Paragraph: draw_paragraph,
    FactSet: draw_facts,
    Meter: _meter,
    Question: _question,
    Buttons: draw_buttons,
    Divider: draw_divider,
    Heading: _heading,
}
