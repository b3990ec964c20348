"""The values of input elements: Slack's ``state.values``, and the checks of Slack's client before it submits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from playground.slack.blocks import elements_of
from playground.slack.elements import is_stateful
from playground.slack.find import Control
from playground.slack.rules import units

Json = dict[str, Any]

# element type → key of its value in the state, key of its first value in the element
SINGLE: Final = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
MULTI: Final = {
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "file_input": ("files", ""),
}
KEYS: Final = {**SINGLE, **MULTI}
_PATTERNS: Final = {
    "email_text_input": (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "Please enter a valid email address."),
    "url_text_input": (re.compile(r"https?://\S+"), "Please enter a valid URL."),
    "number_input": (re.compile(r"-?\d+(\.\d+)?"), "Please enter a number."),
}


def options_of(element: Json) -> list[Json]:
    """The options that an element offers by itself, groups flattened."""
    groups = element.get("option_groups", [])
    return [*element.get("options", []), *(option for group in groups for option in group["options"])]


def initial(element: Json) -> Json:
    """The state of an element before anybody has changed it."""
    kind = element["type"]
    key, first = KEYS[kind]
    return {"type": kind, key: element.get(first, [] if kind in MULTI else None)}


def _still_offered(element: Json, state: Json) -> bool:
    offered = options_of(element)
    if not offered:
        return True
    chosen = state.get("selected_options") or [state.get("selected_option")]
    return all(option is None or option in offered for option in chosen)


def state_of(blocks: Iterable[Json], before: Json | None = None) -> Json:
    """``state.values`` for blocks; values typed ``before`` stay where block id, action id and type are the same."""
    values: Json = {}
    for block in blocks:
        for element in filter(is_stateful, elements_of(block)):
            kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
            if not kept or kept["type"] != element["type"] or not _still_offered(element, kept):
                kept = initial(element)
            values.setdefault(block["block_id"], {})[element["action_id"]] = kept
    return values


def _pick(offered: list[Json], raw: Any) -> Json:
    for option in offered:
        if raw == option or raw in (option["value"], option["text"]["text"]):
            return option
    raise LookupError(f"{raw!r} is not among {[option['text']['text'] for option in offered]}")


def choose(control: Control, raw: Any, offered: list[Json], person: Callable[[str], str]) -> Json:
    """The state of a control after somebody enters ``raw``: text; an option by its words or value; a list of them;
    True or False for a single checkbox; None to empty it. ``offered`` are the options on show, ``person`` finds ids.

    Raises ``LookupError`` for an option that is not offered.
    """
    element = control.element
    kind = element["type"]
    key, _ = KEYS[kind]
    if kind in MULTI:
        if isinstance(raw, bool):
            raw = [option["value"] for option in offered] if raw else []
        items = [] if raw is None else list(raw) if isinstance(raw, list | tuple) else [raw]
        if key == "selected_options":
            return {"type": kind, key: [_pick(offered, item) for item in items]}
        return {"type": kind, key: [person(item) for item in items]}
    if raw is None or raw == "":
        return {"type": kind, key: None}
    if key == "selected_option":
        return {"type": kind, key: _pick(offered, raw)}
    if key in ("selected_user", "selected_channel", "selected_conversation"):
        return {"type": kind, key: person(raw)}
    return {"type": kind, key: raw if kind == "datetimepicker" else str(raw)}


def _fault(element: Json, value: Any) -> str:
    kind = element["type"]
    if kind in _PATTERNS and not _PATTERNS[kind][0].fullmatch(value):
        return _PATTERNS[kind][1]
    if kind == "number_input":
        return _number_fault(element, value)
    if kind == "plain_text_input":
        if units(value) < element.get("min_length", 0):
            return f"Must be at least {element['min_length']} characters."
        if units(value) > element.get("max_length", 3_000):
            return f"Must be at most {element.get('max_length', 3_000)} characters."
    return ""


def _number_fault(element: Json, value: str) -> str:
    if "." in value and not element["is_decimal_allowed"]:
        return "Please enter a whole number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return ""


def client_errors(blocks: Iterable[Json], values: Json) -> dict[str, str]:
    """What Slack's client objects to before anything is sent: block id → words, empty when all is well."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        key, _ = KEYS[element["type"]]
        value = values[block["block_id"]][element["action_id"]][key]
        if value in (None, "", []):
            if not block.get("optional", False):
                errors[block["block_id"]] = "Please complete this required field."
        elif isinstance(value, str) and (why := _fault(element, value)):
            errors[block["block_id"]] = why
    return errors
