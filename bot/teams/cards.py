"""Draws screens for Teams as Adaptive Cards 1.5; forms are drawn in `forms.py`. Pure functions.

What is over a limit is cut: texts end with "…", lists with "… +12", and what is below a long list stays. Teams allows
six buttons a card, so a row's menu is a "⋯" beside it that shows its buttons below it; a row's only button is shown by
its label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from bot.chat.fallback import BAR, NOTHING, chart_bar, meter_bar
from bot.chat.types import Json
from bot.teams import limits
from bot.teams.controls import AROUND, Budget, Ids, action, action_sets, confirmed_action, toggle
from bot.teams.text import cut, element, neutralise_braces, plain_text, simple
from handlers.framework.screens import (
    Block,
    Bold,
    Buttons,
    Chart,
    Divider,
    FactSet,
    Heading,
    ListItem,
    Meter,
    Paragraph,
    Question,
    Screen,
    Table,
    Text,
    TextPart,
    strip_markup,
)

KIND: Final = "application/vnd.microsoft.card.adaptive"
MENU: Final = "⋯"
NEARLY: Final = 80  # percent from which it warns
FULL: Final = 100
_NARROW: Final = 14  # characters: a table's columns share its width by what they hold, within these
_WIDE: Final = 24
_WORD: Final = 20  # characters that go unbroken beside a fact's label on a telephone


def card(screen: Screen) -> Json:
    """The card of a message or of the response to a press, within `limits.CARD` bytes."""
    return _drawn(screen, dialog=False)


def dialog(screen: Screen) -> Json:
    """A screen inside a dialog, which shows the title itself."""
    return _drawn(screen, dialog=True)


def attachment(content: Json) -> Json:
    """A card as a message carries it."""
    return {"contentType": KIND, "content": content}


def size(content: Json) -> int:
    """Bytes of a card with its attachment's envelope."""
    return len(orjson.dumps(attachment(content)))


NOTHING_TO_SHOW: Final[Json] = {"type": "TextBlock", "text": NOTHING, "wrap": True}


@dataclass(slots=True)
class DrawnBlock:
    """A block's elements, and how many of its entries were left out. One "… +12" counts those of all `listed` blocks;
    any other block has its own."""

    elements: list[Json]
    listed: bool = False
    is_fixed: bool = False  # removed last where there is no room: buttons
    hidden: int = 0


@dataclass(slots=True)
class _CardContext:
    """State that the blocks of one card share."""

    dialog: bool = False
    ids: Ids = field(default_factory=Ids)
    budget: Budget = field(default_factory=Budget)


def _drawn(screen: Screen, *, dialog: bool) -> Json:
    content: Json = {"type": "AdaptiveCard", "version": limits.VERSION}
    if any(isinstance(block, ListItem | Table | Chart) for block in screen.blocks):
        content["msteams"] = {"width": "Full"}
    title = [] if dialog else _heading(screen.title, "Large", limits.TITLE)
    pieces = draw(screen.blocks, dialog=dialog)
    content["body"] = [*title, *_body(pieces)]
    excess = size(content) - limits.CARD
    if excess > 0:
        shorten(pieces, excess)
        content["body"] = [*title, *_body(pieces)]
    if not content["body"]:
        content["body"] = [NOTHING_TO_SHOW]
    return content


def draw(blocks: Sequence[Block], *, dialog: bool) -> list[DrawnBlock]:
    """Every block drawn; those beyond `limits.ROWS` and `limits.BLOCKS` are only counted as hidden."""
    context = _CardContext(dialog)
    pieces: list[DrawnBlock] = []
    left = {True: limits.ROWS, False: limits.BLOCKS}
    line = after_row = False
    for block in blocks:
        if isinstance(block, Divider):
            line = bool(pieces)
            continue
        row = isinstance(block, ListItem)
        if not left[row]:
            pieces.append(DrawnBlock([], listed=True, hidden=1))
            continue
        drawn = [piece for piece in _draw_block(block, context) if piece.elements or piece.hidden]
        if not drawn:
            continue
        left[row] -= 1
        first = drawn[0].elements
        if line or (row and after_row):
            first[0] = {**first[0], "separator": True}
        if line:
            first[0]["spacing"] = "Medium"
        line, after_row = False, row
        pieces += drawn
    return pieces


def _body(pieces: Sequence[DrawnBlock]) -> list[Json]:
    """All elements in their order, with a "… +12" where the first ones are missing."""
    missing = sum(piece.hidden for piece in pieces if piece.listed)
    made: list[Json] = []
    for piece in pieces:
        made += piece.elements
        if piece.hidden and not piece.listed:
            made.append(_more(piece.hidden))
        elif piece.hidden and missing:
            made.append(_more(missing))
            missing = 0
    return made


def shorten(pieces: Sequence[DrawnBlock], excess: int) -> None:
    """Removes at least `excess` bytes of elements, each time from the end: list items, then rows of tables, then other
    blocks, buttons last."""
    excess += _MORE_LINE
    rest = [piece for piece in pieces if not piece.listed]
    excess = _remove(reversed([piece for piece in pieces if piece.listed]), excess)
    excess = _shorten_tables(pieces, excess)
    excess = _remove(reversed([piece for piece in rest if not piece.is_fixed]), excess)
    _remove(reversed(rest), excess)


def _remove(pieces: Iterable[DrawnBlock], excess: int) -> int:
    for piece in pieces:
        if excess <= 0:
            break
        if piece.elements:
            excess -= sum(len(orjson.dumps(made)) + 1 for made in piece.elements)
            piece.elements, piece.listed, piece.hidden = [], True, 1
    return excess


def _shorten_tables(pieces: Sequence[DrawnBlock], excess: int) -> int:
    for piece in reversed(pieces):
        for table in [made for made in piece.elements if made["type"] == "Table"]:
            if excess > 0:
                excess += _MORE_LINE
            while excess > 0 and len(table["rows"]) > 2:
                excess -= len(orjson.dumps(table["rows"].pop())) + 1
                piece.hidden += 1
    return excess


def _more(count: int) -> Json:
    return {"type": "TextBlock", "text": f"… +{count}", "isSubtle": True, "wrap": True}


_MORE_LINE: Final = len(orjson.dumps(_more(100_000))) + 1  # bytes


def _draw_block(block: Block, context: _CardContext) -> list[DrawnBlock]:
    if isinstance(block, Table) and len(block.columns) > limits.TABLE_COLUMNS:
        return _listed(block)
    return [_draw_simple_block(block, context)]


def _draw_simple_block(block: Block, context: _CardContext) -> DrawnBlock:
    match block:
        case ListItem():
            return DrawnBlock(_row_with_question(block, context), listed=True)
        case Buttons(light=True):
            return DrawnBlock(_text_buttons(block, context), is_fixed=True)
        case Buttons():
            return DrawnBlock(
                action_sets(block.buttons, context.ids, context.budget, dialog=context.dialog), is_fixed=True
            )
        case Table():
            return _table(block)
        case Paragraph():
            return DrawnBlock(draw_paragraph(block))
        case FactSet():
            return DrawnBlock(draw_facts(block))
        case Meter():
            return DrawnBlock(_meter(block))
        case Chart():
            return _chart(block)
        case Question():
            return DrawnBlock(_question(block, context), listed=True)
        case Heading():
            return DrawnBlock(_heading(block.text, "Medium", limits.TITLE))
        case Divider():
            return DrawnBlock([])


def _heading(text: str, height: str, limit: int) -> list[Json]:
    # A name with a line break in it is still one heading.
    made = element((" ".join(text.split()),), limit, size=height, weight="Bolder", style="heading")
    return [made] if made else []


def draw_paragraph(block: Paragraph) -> list[Json]:
    """The text; small and subtle where it is quiet."""
    look: Json = {"size": "Small", "isSubtle": True, "spacing": "Small"} if block.quiet else {}
    made = element(block.text, **look)
    return [made] if made else []


def draw_facts(block: FactSet) -> list[Json]:
    """A FactSet; columns where markdown would change a text, or a word is too wide, which cuts off all values."""
    pairs = [(label, value) for label, value in block.pairs if label.strip() or strip_markup(value).strip()]
    if not pairs:
        return []
    shown = [(simple((label,), limits.LABEL), simple(value, limits.TEXT)) for label, value in pairs]
    fits = all(len(word) <= _WORD for _, value in pairs for word in strip_markup(value).split())
    if fits and all(label is not None and value is not None for label, value in shown):
        return [{"type": "FactSet", "facts": [{"title": label, "value": value} for label, value in shown]}]
    return [
        {
            "type": "Container",
            "items": [
                {"type": "ColumnSet", "spacing": "Small", "columns": [_column(head, 1), _column(body, 2)]}
                for head, body in (
                    (element((label,), limits.LABEL, weight="Bolder"), element(value)) for label, value in pairs
                )
            ],
        }
    ]


def _column(item: Json | None, width: int | str, **more: Any) -> Json:
    return {"type": "Column", "width": width, "items": [item] if item else [], **more}


def _question(block: Question, context: _CardContext) -> list[Json]:
    """One line of the question and its answers as selectable texts, which don't count as buttons."""
    asked = element((block.text,), limits.LABEL, size="Small", isSubtle=True)
    answers = []
    for button in block.answers:
        made = action(button, dialog=context.dialog)
        if made is None:
            continue
        made["tooltip"] = plain_text(button.spoken or f"{button.label}: {block.text}", limits.SPOKEN)
        named = element((button.label,), limits.BUTTON, color="Accent", weight="Bolder", size="Small")
        answers.append(_column(named, "auto", selectAction=made))
    return [{"type": "ColumnSet", "spacing": "Small", "columns": [_column(asked, "auto"), *answers]}]


def _text_buttons(block: Buttons, context: _CardContext) -> list[Json]:
    """Lines of selectable texts, no wider than a telephone's screen, which don't count as buttons. The primary one,
    what is shown now, is bold."""
    lines: list[list[Json]] = []
    room = 0
    for button in block.buttons:
        made = action(button, dialog=context.dialog)
        if made is None:
            continue
        room -= len(made["title"]) + AROUND
        if room < 0 or not lines:
            lines.append([])
            room = limits.SET_WIDTH - len(made["title"]) - AROUND
        look: Json = {"weight": "Bolder"} if button.style == "primary" else {"color": "Accent"}
        made = {key: value for key, value in made.items() if key != "style"}
        lines[-1].append(_column(element((button.label,), limits.BUTTON, **look), "auto", selectAction=made))
    return [
        {"type": "ColumnSet", "columns": columns, **({"spacing": "Small"} if i else {})}
        for i, columns in enumerate(lines)
    ]


def _meter(block: Meter) -> list[Json]:
    """The label and a bar with the figures; its two parts differ in shape, not in colour alone."""
    percent, filled = meter_bar(block)
    color = "Attention" if percent >= FULL else "Warning" if percent >= NEARLY else "Accent"
    note = cut(f"  {percent}% · {block.note}" if block.note else f"  {percent}%", limits.LABEL)
    label_element = element((block.label,), limits.LABEL, weight="Bolder")
    bar = _bar(filled, color, note, isSubtle=True)
    return [{"type": "Container", "items": [label_element, bar] if label_element else [bar]}]


def _bar(filled: int, color: str, note: str, **look: Any) -> Json:
    """A bar and the note beside it."""
    runs: list[Json] = [
        {"type": "TextRun", "text": "■" * filled, "color": color},
        {"type": "TextRun", "text": "□" * (BAR - filled), "isSubtle": True},
        {"type": "TextRun", "text": neutralise_braces(note), **look, "size": "Small"},
    ]
    return {"type": "RichTextBlock", "spacing": "None", "inlines": [run for run in runs if run["text"]]}


def _row_with_question(block: ListItem, context: _CardContext) -> list[Json]:
    """A row; in one container with its question, where it has one."""
    drawn = _row(block, context)
    if block.question is None:
        return drawn
    return [{"type": "Container", "items": [*drawn, *_question(block.question, context)]}]


def _row(block: ListItem, context: _CardContext) -> list[Json]:
    title = element((block.title,), limits.TITLE, weight="Bolder")
    details = element(joined(block.details), spacing="None")
    column: Json = {"type": "Column", "width": "stretch", "items": [item for item in (title, details) if item]}
    beside: list[Json] = []
    below: list[Json] = []
    usable = [button for button in block.menu if action(button, dialog=context.dialog) is not None]
    alone = block.button if block.button is not None else block.menu[0] if len(block.menu) == 1 else None
    if alone is not None and (made := action(alone, dialog=context.dialog)) is not None:
        label = made["title"]
        if alone.confirm:
            made, question = confirmed_action(made, alone.confirm, context.ids)
            below.append(question)
        made.setdefault("tooltip", block.spoken or f"{label}: {block.title}")
        beside.append(_row_button(label, made))
    if usable and alone is not block.menu[0]:
        # Hidden buttons don't count: each menu has a budget of its own.
        hidden = action_sets(block.menu, context.ids, Budget(), dialog=context.dialog)
        target_id = context.ids.new()
        below.append({"type": "Container", "id": target_id, "isVisible": False, "spacing": "Small", "items": hidden})
        made = toggle(target_id, block.spoken or block.title)
        beside.append(_row_button(MENU, {**made, "tooltip": made["title"]}, size="Large"))
    if not beside and not column["items"]:
        return []
    return [{"type": "ColumnSet", "columns": [column, *beside]}, *below]


def _row_button(label: str, made: Json, **look: Any) -> Json:
    """A selectable text at the end of a row."""
    made["tooltip"] = plain_text(made["tooltip"], limits.SPOKEN)
    color = "Attention" if made.get("style") == "destructive" else "Accent"
    named = element((label,), limits.BUTTON, color=color, weight="Bolder", **look)
    return _column(named, "auto", selectAction=made, verticalContentAlignment="Center")


def joined(details: tuple[Text, ...]) -> Text:
    """Details with " · " between them."""
    parts: list[TextPart] = []
    for detail in details:
        if parts and strip_markup(detail):
            parts.append(" · ")
        parts += detail
    return tuple(parts)


def _table(block: Table) -> DrawnBlock:
    """Teams' table, with the columns' names as first row."""
    if not block.columns:
        return DrawnBlock([])
    shown = block.rows[: limits.ROWS]
    hidden = len(block.rows) - len(shown)
    count = len(block.columns)
    lines = [tuple((Bold(name),) for name in block.columns), *(row[:count] for row in shown)]
    widths = [max(len(strip_markup(line[i])) if i < len(line) else 0 for line in lines) for i in range(count)]
    table = {
        "type": "Table",
        "columns": [{"width": min(_WIDE, max(_NARROW, width))} for width in widths],
        "rows": [_table_row(line, count, head=i == 0) for i, line in enumerate(lines)],
        "firstRowAsHeader": True,
    }
    return DrawnBlock([table], hidden=hidden)


def _chart(block: Chart) -> DrawnBlock:
    """Teams' horizontal bar chart, with text as the fallback for clients that draw none."""
    shown = block.bars[: limits.BARS]
    hidden = len(block.bars) - len(shown)
    if not shown:
        return DrawnBlock([])
    title, unit = block.title, " ".join(block.unit.split())
    named = [(cut(" ".join(name.split()), limits.LABEL) or NOTHING, value) for name, value in shown]
    highest = max(value for _, value in named)
    lines = [_bar(chart_bar(value, highest), "Accent", f"  {value} {unit} · {label}") for label, value in named]
    label_element = element((title,), limits.LABEL, weight="Bolder")
    chart: Json = {
        "type": "Chart.HorizontalBar",
        "title": cut(title, limits.LABEL) or NOTHING,
        "showTitle": True,
        "displayMode": "AbsoluteWithAxis",
        "data": [{"x": label, "y": value} for label, value in named],
        "fallback": {"type": "Container", "items": [label_element, *lines] if label_element else lines},
    }
    if unit:
        chart["xAxisTitle"] = cut(unit, limits.LABEL)
    return DrawnBlock([chart], hidden=hidden)


def _table_row(cells: Sequence[Text], count: int, *, head: bool) -> Json:
    made = []
    for i in range(count):
        text = cells[i] if i < len(cells) else ()
        look: Json = {"weight": "Bolder"} if head else {}
        item = element((strip_markup(text),) if head else text, limits.LABEL if head else limits.TEXT, **look)
        made.append({"type": "TableCell", "items": [item] if item else []})
    return {"type": "TableRow", "cells": made}


def _listed(block: Table) -> list[DrawnBlock]:
    """A table with more columns than a telephone shows, as a list."""
    shown = [draw_facts(FactSet(tuple(zip(block.columns, row, strict=False)))) for row in block.rows[: limits.ROWS]]
    lines = [[{**made[0], "separator": True}] for made in shown if made]
    missing = len(block.rows) - len(shown) if lines else 0
    return [*(DrawnBlock(line, listed=True) for line in lines), DrawnBlock([], listed=True, hidden=missing)]
