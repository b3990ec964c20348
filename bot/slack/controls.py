"""Buttons and menus, and what comes back when they are pressed.

`action_id` is the action and a number that keeps it unique in its block (`numbers.page#1`); `value` is the button's
value. A menu has one `action_id`, and its options' values hold both (`numbers.edit|+442079460900`). What comes back is
untrusted.
"""

from collections.abc import Sequence
from typing import Final

from bot.chat.types import Json
from bot.slack import limits
from bot.slack.text import cut, fits, is_linkable, plain_text
from handlers.framework.screens import Button, Confirm

OPENS: Final = "!open"  # the action of a button that only opens a page
MENU: Final = "!menu"
_EMPTY: Final = "!empty"  # the value of an option whose value is "", which Slack refuses


def button(item: Button, index: int, *, primary: bool = True) -> Json:
    """A button element. `primary` False: a primary style is dropped, as the set has one already."""
    action = OPENS if item.url else item.action
    element: Json = {
        "type": "button",
        "text": plain_text(item.label, limits.BUTTON),
        "action_id": f"{action[: limits.NAME - 8]}#{index}",
    }
    if item.value:
        element["value"] = cut(item.value, limits.BUTTON_VALUE)
    if item.style == "danger" or (item.style == "primary" and primary):
        element["style"] = item.style
    if item.url and is_linkable(item.url):
        element["url"] = item.url
    if item.confirm:
        element["confirm"] = _confirm(item.confirm, item.style)
    if item.spoken:
        element["accessibility_label"] = cut(item.spoken, limits.BUTTON)
    return element


def _confirm(confirm: Confirm, style: str) -> Json:
    element: Json = {
        "title": plain_text(confirm.title, limits.CONFIRM_TITLE),
        "text": plain_text(confirm.text, limits.CONFIRM_TEXT),
        "confirm": plain_text(confirm.yes, limits.CONFIRM_BUTTON),
        "deny": plain_text(confirm.no, limits.CONFIRM_BUTTON),
    }
    return {**element, "style": "danger"} if style == "danger" else element


def actions_blocks(buttons: Sequence[Button]) -> list[Json]:
    """`actions` blocks that hold the buttons, five in each; the first primary one of the set stays primary."""
    elements: list[Json] = []
    primary = True
    for i, item in enumerate(buttons):
        elements.append(button(item, i, primary=primary))
        primary = primary and item.style != "primary"
    size = limits.BUTTONS_IN_ROW
    return [{"type": "actions", "elements": elements[i : i + size]} for i in range(0, len(elements), size)]


def menu(buttons: Sequence[Button]) -> Json | None:
    """An overflow menu of the buttons; None where it can't hold them: it has five options with short, unique values and
    no confirmation. It takes no accessibility label either: a screen reader reads its section."""
    if not 0 < len(buttons) <= limits.OVERFLOW:
        return None
    options: dict[str, Json] = {}
    for item in buttons:
        value = f"{OPENS if item.url else item.action}|{item.value}"
        if item.confirm is not None or value in options or not fits(value, limits.OPTION):
            return None
        options[value] = {"text": plain_text(item.label, limits.OPTION), "value": value}
        if item.url and is_linkable(item.url):
            options[value]["url"] = item.url
    return {"type": "overflow", "action_id": f"{MENU}#0", "options": list(options.values())}


def pack_value(value: str) -> str:
    """An option's value as Slack takes it."""
    return value or _EMPTY


def unpack_value(value: str) -> str:
    """An option's value as we gave it."""
    return "" if value == _EMPTY else value


def unpack_action(action_id: str) -> str:
    """The action in an `action_id` of ours."""
    return action_id.rpartition("#")[0] or action_id


def unpack_option(value: str) -> tuple[str, str]:
    """Action and value out of a menu's option."""
    action, _, rest = value.partition("|")
    return action, rest
