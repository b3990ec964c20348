"""The strict check of blocks and views: what Slack refuses, refused with Slack's wording.

``check_blocks`` takes the blocks of a message, ``check_view`` a modal or home as given to ``views.*``; both return
the list of errors, empty when Slack would accept. ``finish_blocks`` fills in what Slack fills in (ids, flags).
Limits: https://docs.slack.dev/reference/block-kit/blocks and .../surfaces, 2026-11.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import orjson

from playground.slack.elements import ELEMENTS, ID, IMAGE_FIELDS, IN_ACTIONS, IN_SECTION, INPUTS, among
from playground.slack.richtext import RICH_TEXT
from playground.slack.rules import (
    After,
    Checker,
    Json,
    Rule,
    anything,
    boolean,
    by_type,
    each,
    exactly,
    number,
    one_of,
    plain,
    shape,
    string,
    text,
    units,
)

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
VIEW_BYTES: Final = 250_000
TABLE_CHARACTERS: Final = 10_000
MARKDOWN_CHARACTERS: Final = 12_000


def _block(
    kind: str, needed: dict[str, Rule], allowed: dict[str, Rule] | None = None, then: After | None = None
) -> Rule:
    return shape({"type": exactly(kind), **needed}, {"block_id": ID, **(allowed or {})}, then)


def _section_says_something(check: Checker, block: Json, path: str) -> None:
    if "text" not in block and "fields" not in block:
        check.fail(path, "must have at least one of text and fields")


def _unique_actions(check: Checker, block: Json, path: str) -> None:
    ids = [element["action_id"] for element in block["elements"] if "action_id" in element]
    if len(set(ids)) < len(ids):
        check.fail(path, "action_id must be unique within a block")


def _files_only_in_modals(check: Checker, block: Json, path: str) -> None:
    if block["element"]["type"] == "file_input" and check.surface != "modal":
        check.fail(f"{path}/element/type", f"file_input is not allowed in a {check.surface}")


def _written(value: Any) -> int:
    """The number of characters in all texts below ``value``."""
    if isinstance(value, list):
        return sum(map(_written, value))
    if not isinstance(value, dict):
        return 0
    return sum(
        units(item) if key == "text" and isinstance(item, str) else _written(item) for key, item in value.items()
    )


def _cells(check: Checker, block: Json, path: str) -> None:
    if len({len(row) for row in block["rows"]}) > 1:
        check.fail(f"{path}/rows", "all rows must have the same number of cells")
    if _written(block["rows"]) > TABLE_CHARACTERS:
        check.fail(path, f"must be less than {TABLE_CHARACTERS + 1} characters in all cells")


def _points(check: Checker, block: Json, path: str) -> None:
    """Labels must be unique, and the same in each series and in the axis."""
    chart = block["chart"]
    labels = chart["axis_config"]["categories"]
    if len(set(labels)) < len(labels):
        check.fail(f"{path}/chart/axis_config/categories", "categories must be unique")
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) < len(names):
        check.fail(f"{path}/chart/series", "series names must be unique")
    for index, series in enumerate(chart["series"]):
        if [point["label"] for point in series["data"]] != labels:
            check.fail(f"{path}/chart/series/{index}/data", "labels must match the categories")


_point = shape({"label": string(20), "value": number})
_series = shape({"name": string(20), "data": each(_point, 20)})
_axes = shape({"categories": each(string(20), 20)}, {"x_label": string(50), "y_label": string(50)})
_bar = shape({"type": one_of("bar", "line", "area"), "series": each(_series, 6), "axis_config": _axes})
_cell = by_type(
    {"raw_text": shape({"type": exactly("raw_text"), "text": string(3_000)}), "rich_text": RICH_TEXT}, "table cell"
)
_context_item = by_type(
    {"image": ELEMENTS["image"], "plain_text": plain(3_000), "mrkdwn": text(3_000, ("mrkdwn",))}, "context element"
)
EVERYWHERE: Final = frozenset({"message", "modal", "home"})
SURFACES: Final[dict[str, frozenset[str]]] = {
    kind: frozenset({"message"}) for kind in ("table", "markdown", "data_visualization")
}

BLOCKS: Final[dict[str, Rule]] = {
    "section": _block(
        "section",
        {},
        {
            "text": text(3_000),
            "fields": each(text(2_000), 10),
            "accessory": among(IN_SECTION, "accessory"),
            "expand": boolean,
        },
        _section_says_something,
    ),
    "header": _block("header", {"text": plain(150)}),
    "divider": _block("divider", {}),
    "context": _block("context", {"elements": each(_context_item, 10)}),
    "actions": _block("actions", {"elements": each(among(IN_ACTIONS, "action"), 25)}, None, _unique_actions),
    "image": _block("image", {"alt_text": string(2_000)}, {**IMAGE_FIELDS, "title": plain(2_000)}),
    "input": _block(
        "input",
        {"label": plain(2_000), "element": among(INPUTS, "input")},
        {"hint": plain(2_000), "optional": boolean, "dispatch_action": boolean},
        _files_only_in_modals,
    ),
    "rich_text": RICH_TEXT,
    "markdown": _block("markdown", {"text": string(MARKDOWN_CHARACTERS)}),
    "table": _block(
        "table",
        {"rows": each(each(_cell, 20), 100)},
        {"column_settings": each(shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean}), 20)},
        _cells,
    ),
    # Its pie, which has other fields, is not known here.
    "data_visualization": _block("data_visualization", {"title": string(50), "chart": _bar}, None, _points),
}
_any_block = by_type(BLOCKS, "block type")


def elements_of(block: Json) -> Iterator[Json]:
    """The elements of a block that a person can use."""
    if block.get("type") == "actions":
        yield from block["elements"]
    elif block.get("type") == "input":
        yield block["element"]
    elif block.get("type") == "section" and "accessory" in block:
        yield block["accessory"]


def _between_blocks(check: Checker, blocks: list[Json], path: str) -> None:
    """Checks the rules that concern several blocks at once."""
    seen: set[str] = set()
    focused = 0
    for index, block in enumerate(blocks):
        kind, here = block["type"], f"{path}/{index}"
        if check.surface not in SURFACES.get(kind, EVERYWHERE):
            check.fail(f"{here}/type", f"{kind} is not allowed in a {check.surface}")
        name = block.get("block_id")
        if name in seen:
            check.fail(f"{here}/block_id", "block_id must be unique")
        if name is not None:
            seen.add(name)
        focused += sum(bool(element.get("focus_on_load")) for element in elements_of(block))
    if focused > 1:
        check.fail(path, "only one element may have focus_on_load")
    if sum(block["type"] == "table" for block in blocks) > 1:
        check.fail(path, "only one table is allowed")
    if sum(block["type"] == "data_visualization" for block in blocks) > 2:
        check.fail(path, "only two data_visualization blocks are allowed")
    written = sum(units(block["text"]) for block in blocks if block["type"] == "markdown")
    if written > MARKDOWN_CHARACTERS:
        check.fail(path, f"markdown blocks hold at most {MARKDOWN_CHARACTERS} characters together")


def _check_list(check: Checker, blocks: Any, path: str, most: int, least: int) -> None:
    before = len(check.errors)
    each(_any_block, most, least)(check, blocks, path)
    if len(check.errors) == before:
        _between_blocks(check, blocks, path)


def check_blocks(blocks: Any) -> list[str]:
    """What is wrong with the blocks of a message."""
    check = Checker("message")
    _check_list(check, blocks, "/blocks", MESSAGE_BLOCKS, 0)
    return check.errors


def check_options(answer: Any) -> list[str]:
    """What is wrong with the answer to a ``block_suggestion``: ``{"options": […]}`` or ``{"option_groups": […]}``."""
    check = Checker("modal")
    from_select = {**answer, "type": "static_select"} if isinstance(answer, dict) else answer
    if isinstance(answer, dict) and answer.get("options") == []:
        return []
    ELEMENTS["static_select"](check, from_select, "")
    return check.errors


def _modal_submits(check: Checker, view: Json, path: str) -> None:
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        check.fail(f"{path}/submit", "missing required field: submit (the view has input blocks)")


_kept: dict[str, Rule] = {
    "private_metadata": string(3_000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}
_views = {
    "modal": shape(
        {"type": exactly("modal"), "title": plain(24), "blocks": anything},
        {
            **_kept,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": shape({"type": exactly("home"), "blocks": anything}, _kept),
}


def check_view(view: Any, kind: str) -> list[str]:
    """What is wrong with a view of ``kind`` (``modal`` or ``home``)."""
    check = Checker(kind)
    by_type({kind: _views[kind]}, "view type")(check, view, "/view")
    if not isinstance(view, dict) or "blocks" not in view:
        return check.errors
    before = len(check.errors)
    _check_list(check, view["blocks"], "/view/blocks", VIEW_BLOCKS, 1 if kind == "modal" else 0)
    if kind == "modal" and len(check.errors) == before:
        _modal_submits(check, view, "/view")
    return check.errors


def is_too_large(view: Any) -> bool:
    """Whether a view is beyond Slack's 250 kB."""
    return len(orjson.dumps(view)) > VIEW_BYTES


def _finish_text(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _finish_text(item)
    elif isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for item in value.values():
            _finish_text(item)


def finish_blocks(blocks: list[Json]) -> list[Json]:
    """A copy of checked blocks as Slack stores them: every block and element with an id, every text with its flag."""
    done = deepcopy(blocks)
    _finish_text(done)
    for block in done:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            if element["type"] != "image":
                element.setdefault("action_id", secrets.token_urlsafe(4))
    return done
