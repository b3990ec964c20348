"""Slack's block elements and composition objects, each with the limits Slack's reference gives it.

Source: https://docs.slack.dev/reference/block-kit, 2026-11. An option's ``value`` may have 150 characters by that
page; older clients and pages say 75, so 75 is what we accept.
"""

from __future__ import annotations

from typing import Any, Final

from playground.slack.rules import (
    URL,
    After,
    Checker,
    Json,
    Rule,
    boolean,
    by_type,
    each,
    exactly,
    integer,
    one_of,
    plain,
    shape,
    string,
    text,
)

ID: Final = string(255)
DATE: Final = string(10, pattern=r"\d{4}-\d{2}-\d{2}")
TIME: Final = string(5, pattern=r"([01]\d|2[0-3]):[0-5]\d")
PERSON: Final = string(64, pattern=r"[UW][A-Z0-9]+")
CHANNEL: Final = string(64, pattern=r"[CGD][A-Z0-9]+")
PLACEHOLDER: Final = plain(150)
DECIMAL: Final = string(64, pattern=r"-?\d+(\.\d+)?")
WHOLE: Final = string(64, pattern=r"-?\d+")

CONFIRM: Final = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)


def option(markdown: bool = False, url: bool = False) -> Rule:
    """An option object; radio buttons and checkboxes may use mrkdwn, overflow menus a url."""
    words = text(75) if markdown else plain(75)
    more: dict[str, Rule] = {"description": words}
    if url:
        more["url"] = URL
    return shape({"text": words, "value": string(75)}, more)


OPTION: Final = option()
GROUP: Final = shape({"label": plain(75), "options": each(OPTION, 100)})
DISPATCH: Final = shape({}, {"trigger_actions_on": each(one_of("on_enter_pressed", "on_character_entered"), 2)})
COMMON: Final[dict[str, Rule]] = {"action_id": ID, "confirm": CONFIRM, "focus_on_load": boolean}
SELECT: Final[dict[str, Rule]] = {**COMMON, "placeholder": PLACEHOLDER}


def _unique_values(check: Checker, options: list[Json], path: str) -> None:
    values = [item["value"] for item in options]
    if len(set(values)) < len(values):
        check.fail(path, "option values must be unique")


def _offered(element: Json) -> list[Json]:
    if "options" in element:
        return list(element["options"])
    return [item for group in element["option_groups"] for item in group["options"]]


def _choices(*initial: str) -> After:
    """Either options or groups, and the initial choice must be, word for word, one of them."""

    def after(check: Checker, element: Json, path: str) -> None:
        if ("options" in element) == ("option_groups" in element):
            check.fail(path, "must have exactly one of options and option_groups")
            return
        offered = _offered(element)
        _unique_values(check, offered, path)
        for key in initial:
            chosen = element.get(key, [])
            for item in chosen if isinstance(chosen, list) else [chosen]:
                if item not in offered:
                    check.fail(f"{path}/{key}", "must be one of the provided options")

    return after


def _lengths(check: Checker, element: Json, path: str) -> None:
    least, most = element.get("min_length", 0), element.get("max_length", 3_000)
    if least > most:
        check.fail(path, "min_length must not be greater than max_length")
    if len(element.get("initial_value", "")) > most:
        check.fail(f"{path}/initial_value", "must not be longer than max_length")


def _numbers(check: Checker, element: Json, path: str) -> None:
    rule = DECIMAL if element["is_decimal_allowed"] else WHOLE
    before = len(check.errors)
    for key in ("initial_value", "min_value", "max_value"):
        if key in element:
            rule(check, element[key], f"{path}/{key}")
    if len(check.errors) > before:
        return
    least, most = (float(element[k]) if k in element else None for k in ("min_value", "max_value"))
    if least is not None and most is not None and least > most:
        check.fail(path, "min_value must not be greater than max_value")


def _picture(check: Checker, element: Json, path: str) -> None:
    if ("image_url" in element) == ("slack_file" in element):
        check.fail(path, "must have exactly one of image_url and slack_file")


def _of(kind: str, needed: dict[str, Rule], allowed: dict[str, Rule], then: After | None = None) -> Rule:
    return shape({"type": exactly(kind), **needed}, allowed, then)


MANY: Final[dict[str, Rule]] = {**SELECT, "max_selected_items": integer(1, 100)}
LISTED: Final[dict[str, Rule]] = {"options": each(OPTION, 100), "option_groups": each(GROUP, 100)}
TYPED: Final[dict[str, Rule]] = {
    "action_id": ID,
    "placeholder": PLACEHOLDER,
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
}
FILTER: Final = shape(
    {},
    {
        "include": each(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
_single_conversation: dict[str, Rule] = {
    "initial_conversation": CHANNEL,
    "default_to_current_conversation": boolean,
    "response_url_enabled": boolean,
    "filter": FILTER,
}
_several_conversations: dict[str, Rule] = {
    "initial_conversations": each(CHANNEL, 100),
    "default_to_current_conversation": boolean,
    "filter": FILTER,
}
_boxes = each(option(markdown=True), 10)
_picked: dict[str, Rule] = {**COMMON, "placeholder": PLACEHOLDER}
IMAGE_FIELDS: Final[dict[str, Rule]] = {
    "image_url": URL,
    "slack_file": shape({}, {"id": ID, "url": URL}),
    "alt_text": string(2_000),
}

ELEMENTS: Final[dict[str, Rule]] = {
    "button": _of(
        "button",
        {"text": plain(75)},
        {
            "action_id": ID,
            "url": URL,
            "value": string(2_000),
            "style": one_of("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "overflow": _of(
        "overflow",
        {"options": each(option(url=True), 5)},
        {"action_id": ID, "confirm": CONFIRM},
        lambda check, element, path: _unique_values(check, element["options"], path),
    ),
    "static_select": _of(
        "static_select", {}, {**SELECT, **LISTED, "initial_option": OPTION}, _choices("initial_option")
    ),
    "multi_static_select": _of(
        "multi_static_select",
        {},
        {**MANY, **LISTED, "initial_options": each(OPTION, 100)},
        _choices("initial_options"),
    ),
    "external_select": _of(
        "external_select", {}, {**SELECT, "initial_option": OPTION, "min_query_length": integer(0, 100)}
    ),
    "multi_external_select": _of(
        "multi_external_select",
        {},
        {**MANY, "initial_options": each(OPTION, 100), "min_query_length": integer(0, 100)},
    ),
    "users_select": _of("users_select", {}, {**SELECT, "initial_user": PERSON}),
    "multi_users_select": _of("multi_users_select", {}, {**MANY, "initial_users": each(PERSON, 100)}),
    "channels_select": _of(
        "channels_select", {}, {**SELECT, "initial_channel": CHANNEL, "response_url_enabled": boolean}
    ),
    "multi_channels_select": _of("multi_channels_select", {}, {**MANY, "initial_channels": each(CHANNEL, 100)}),
    "conversations_select": _of("conversations_select", {}, {**SELECT, **_single_conversation}),
    "multi_conversations_select": _of("multi_conversations_select", {}, {**MANY, **_several_conversations}),
    "radio_buttons": _of(
        "radio_buttons",
        {"options": _boxes},
        {**COMMON, "initial_option": option(markdown=True)},
        _choices("initial_option"),
    ),
    "checkboxes": _of(
        "checkboxes", {"options": _boxes}, {**COMMON, "initial_options": _boxes}, _choices("initial_options")
    ),
    "datepicker": _of("datepicker", {}, {**_picked, "initial_date": DATE}),
    "timepicker": _of("timepicker", {}, {**_picked, "initial_time": TIME, "timezone": string(64)}),
    "datetimepicker": _of("datetimepicker", {}, {**COMMON, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
    "plain_text_input": _of(
        "plain_text_input",
        {},
        {
            **TYPED,
            "initial_value": string(3_000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3_000),
            "max_length": integer(1, 3_000),
        },
        _lengths,
    ),
    "number_input": _of(
        "number_input",
        {"is_decimal_allowed": boolean},
        {**TYPED, "initial_value": DECIMAL, "min_value": DECIMAL, "max_value": DECIMAL},
        _numbers,
    ),
    "email_text_input": _of("email_text_input", {}, {**TYPED, "initial_value": string(3_000)}),
    "url_text_input": _of("url_text_input", {}, {**TYPED, "initial_value": URL}),
    "file_input": _of(
        "file_input", {}, {"action_id": ID, "filetypes": each(string(16), 100), "max_files": integer(1, 10)}
    ),
    "image": _of("image", {"alt_text": string(2_000)}, IMAGE_FIELDS, _picture),
}

_selects = frozenset(name for name in ELEMENTS if name.endswith("_select"))
_several = frozenset(name for name in _selects if name.startswith("multi_"))
_shared = {"radio_buttons", "checkboxes", "datepicker", "timepicker"}
INPUTS: Final = (
    _selects | _shared | {"datetimepicker", "plain_text_input", "number_input", "email_text_input"}
    | {"url_text_input", "file_input"}
)  # fmt: skip
IN_ACTIONS: Final = (_selects - _several) | _shared | {"button", "overflow", "datetimepicker"}
IN_SECTION: Final = _selects | _shared | {"button", "overflow", "image"}


def among(names: frozenset[str] | set[str], what: str) -> Rule:
    """One of some elements, by their type."""
    return by_type({name: ELEMENTS[name] for name in sorted(names)}, what)


def is_stateful(element: dict[str, Any]) -> bool:
    """Whether what is chosen in this element shows up in ``state.values``."""
    return element.get("type") in INPUTS
