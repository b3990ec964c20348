"""Finds what a person sees: the text of blocks, and a control by the words on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playground.slack.blocks import elements_of
from playground.slack.elements import is_stateful
from playground.slack.world import Message, View

Json = dict[str, Any]
Container = Message | View
_SHOWN_KEYS = ("title", "text", "fields", "label", "hint", "elements", "element", "accessory", "rows", "options",
               "placeholder", "initial_value", "initial_option", "alt_text")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Control:
    """Something to press or fill: ``names`` are the words on it, ``near`` the text beside it, ``option`` the chosen
    entry of an overflow menu."""

    block: Json
    element: Json
    names: tuple[str, ...]
    near: str
    option: Json | None = None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key in _SHOWN_KEYS:
            if key in value:
                yield from _texts(value[key])


def visible_text(shown: Container | Json | Iterable[Json]) -> str:
    """All text that a person reads on a message, a view or blocks, a line each."""
    if isinstance(shown, Message):
        return "\n".join(_texts(shown.blocks)) if shown.blocks else shown.text
    if isinstance(shown, View):
        body = shown.body
        return "\n".join(_texts([body.get("title"), body["blocks"], body.get("submit"), body.get("close")]))
    return "\n".join(_texts(shown if isinstance(shown, dict) else list(shown)))


def _words(value: Any) -> str:
    return "\n".join(_texts(value))


def _names(block: Json, element: Json) -> tuple[str, ...]:
    candidates = [
        _words(element.get("text")),
        str(element.get("accessibility_label", "")),
        str(element.get("action_id", "")),
    ]
    if block["type"] == "input":
        candidates += [block["label"]["text"], str(block.get("block_id", ""))]
    elif is_stateful(element):
        candidates += [_words(element.get("placeholder")), _words(block.get("text")).strip("*: ")]
    return tuple(dict.fromkeys(name for name in candidates if name))


def controls(blocks: Iterable[Json]) -> Iterator[Control]:
    """Every control of some blocks; each overflow entry, radio button and checkbox counts as one."""
    heading = ""
    for block in blocks:
        own = _words([block.get("text"), block.get("fields"), block.get("label")])
        near = own or heading
        if own:
            heading = own
        for element in elements_of(block):
            if element["type"] == "image":
                continue
            yield Control(block, element, _names(block, element), near)
            if element["type"] == "overflow":
                for option in element["options"]:
                    yield Control(block, element, (_words(option["text"]), option["value"]), near, option)


def find_control(shown: Container | list[Json], name: str, *, within: str = "") -> Control:
    """The control with ``name`` on it; ``within`` narrows the search to controls beside that text.

    Raises ``LookupError`` when there is none, or more than one.
    """
    blocks = shown if isinstance(shown, list) else shown.blocks
    everything = list(controls(blocks))
    named = [c for c in everything if name in c.names]
    found = [c for c in named if not within or within in c.near or any(within in n for n in c.names)]
    if len(found) == 1:
        return found[0]
    if not found:
        there = sorted({c.names[0] for c in everything if c.names})
        raise LookupError(f"no control {name!r}{f' within {within!r}' if within else ''}; there are {there}")
    raise LookupError(f"{len(found)} controls go by {name!r}: say within which of {[c.near for c in found]}")
