"""Buttons, and what comes back when they are pressed.

A button is an Action.Execute, whose answer replaces its card. One that opens a form is an Action.Submit with
`task/fetch`; inside a dialog, where Action.Execute does not work, every button is an Action.Submit. Action and value
travel in its data; what comes back is untrusted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.chat.types import Json
from bot.teams import limits
from bot.teams.text import element, is_linkable, plain_text
from handlers.framework.screens import Button, Confirm

AROUND: Final = 4  # width of a button's frame in characters
_FETCH: Final = {"type": "task/fetch"}
_STYLES: Final = {"primary": "positive", "danger": "destructive"}


def action(button: Button, *, dialog: bool = False, primary: bool = True) -> Json | None:
    """The action of a button, without its `confirm`, which `confirmed_action` draws; None for a URL that can't be
    linked to. `dialog`: it is inside one. `primary` False: a primary style is dropped, as the set has one already."""
    made = _bare_action(button, dialog)
    if made is None:
        return None
    made["title"] = plain_text(button.label, limits.BUTTON)
    if button.style == "danger" or (button.style == "primary" and primary):
        made["style"] = _STYLES[button.style]
    if button.spoken:
        made["tooltip"] = plain_text(button.spoken, limits.SPOKEN)
    return made


def _bare_action(button: Button, dialog: bool) -> Json | None:
    if button.url is not None:
        return {"type": "Action.OpenUrl", "url": button.url} if is_linkable(button.url) else None
    data: Json = {"action": button.action[: limits.ACTION], "value": button.value[: limits.VALUE]}
    if dialog:
        return {"type": "Action.Submit", "data": data, "associatedInputs": "none"}
    if button.form:
        return {"type": "Action.Submit", "data": {"msteams": _FETCH, **data}}
    return {"type": "Action.Execute", "verb": data["action"], "data": data}


class Budget:
    """How many buttons a card may still show; the others go into the overflow of their set."""

    def __init__(self, left: int = limits.ACTIONS) -> None:
        self.left = left

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class Ids:
    """Ids of elements that can be shown and hidden, unique in a card."""

    def __init__(self) -> None:
        self._given = 0

    def new(self) -> str:
        self._given += 1
        return f"hidden-{self._given}"


def action_sets(buttons: Sequence[Button], ids: Ids, budget: Budget, *, dialog: bool = False) -> list[Json]:
    """ActionSets of the buttons, only the first primary one as primary, then their confirmation questions. No set is
    wider than a telephone's screen, as clients cut it off there."""
    sets: list[list[Json]] = []
    hidden: list[Json] = []
    questions: list[Json] = []
    primary, room = True, 0
    for button in buttons:
        made = action(button, dialog=dialog, primary=primary)
        if made is None:
            continue
        primary = primary and button.style != "primary"
        if button.confirm:
            made, question = confirmed_action(made, button.confirm, ids)
            questions.append(question)
        if not budget.take():
            hidden.append({**made, "mode": "secondary"})
            continue
        room -= len(made["title"]) + AROUND
        if room < 0 or not sets:
            sets.append([])
            room = limits.SET_WIDTH - len(made["title"]) - AROUND
        sets[-1].append(made)
    if hidden and room > AROUND:
        sets[-1] += hidden
    elif hidden:
        sets.append(hidden)
    shown = [
        {"type": "ActionSet", "actions": actions, **({"spacing": "Small"} if i else {})}
        for i, actions in enumerate(sets)
    ]
    return [*shown, *questions]


def confirmed_action(made: Json, confirm: Confirm, ids: Ids) -> tuple[Json, Json]:
    """A button that shows a question, and the hidden question with both answers. Teams has no confirmation of its own,
    and a "no" could not close a ShowCard."""
    target_id = ids.new()
    items = [
        element((confirm.title,), limits.TITLE, weight="Bolder"),
        element((confirm.text,), limits.TEXT, spacing="Small"),
        {
            "type": "ActionSet",
            "actions": [
                {**{k: v for k, v in made.items() if k != "tooltip"}, "title": plain_text(confirm.yes, limits.BUTTON)},
                toggle(target_id, confirm.no),
            ],
        },
    ]
    question = {
        "type": "Container",
        "id": target_id,
        "isVisible": False,
        "style": "emphasis",
        "items": [item for item in items if item is not None],
    }
    opens = toggle(target_id, made["title"])
    opens |= {key: made[key] for key in ("style", "tooltip") if key in made}
    return opens, question


def toggle(target_id: str, title: str) -> Json:
    """Shows or hides the element with the id `target_id`."""
    return {"type": "Action.ToggleVisibility", "title": plain_text(title, limits.BUTTON), "targetElements": [target_id]}


def read_press(data: Any) -> tuple[str, str]:
    """Action and value in the data of an Action.Execute or a `task/fetch`. Raises ValueError where they are missing, of
    the wrong types or too long: then they are not ours."""
    if not isinstance(data, Mapping):
        raise ValueError("a button's data is no object")  # noqa: TRY004 - it is untrusted input, not a caller's mistake
    action_name, value = data.get("action"), data.get("value", "")
    if not isinstance(action_name, str) or not 0 < len(action_name) <= limits.ACTION or not encodable(action_name):
        raise ValueError("a button's data names no action")
    if not isinstance(value, str) or len(value) > limits.VALUE or not encodable(value):
        raise ValueError("a button's value is no text of up to 2,000 characters")
    return action_name, value


def encodable(text: str) -> bool:
    """Whether a text has a UTF-8 form: JSON can spell lone surrogates, which nothing can store or send."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
