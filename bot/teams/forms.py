"""Forms as dialogs, and what was typed into them.

- A field is an input whose id is the field's name. Teams shows no error at a field once a form was submitted, so the
  form is drawn again with the values typed and each reason below its field.
- The submitting action's data carry the form's id, its state, and its shape, from which it can be drawn again.
- Inputs of Adaptive Cards 1.5 trigger no action: a live `Choice` has a button below it that redraws the form.
- The client enforces required fields only in a form that can do nothing but be submitted, as it would hold back a
  redraw too. Handlers check them in any case.

What comes back is untrusted: `read_submission` and `restore_form` check it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import orjson
from pydantic import Field as Tag
from pydantic import TypeAdapter

from bot.chat.types import Json
from bot.teams import limits
from bot.teams.cards import NOTHING_TO_SHOW, draw_facts, draw_paragraph, size
from bot.teams.controls import Budget, Ids, action_sets, encodable, read_press
from bot.teams.text import cut, element, label, plain_text
from handlers.framework.screens import (
    Buttons,
    Checkbox,
    Choice,
    Divider,
    FilesField,
    Form,
    Option,
    Paragraph,
    TextField,
)

EMPTY: Final = "!empty"  # the value of a choice whose value is "", and of a box that is not ticked
REDRAW: Final = "↻"
# Keys of the data that are ours; what else comes back is what was typed.
RESERVED: Final = frozenset({"form", "state", "shape", "live", "action", "value", "msteams"})
_FORM: Final[TypeAdapter[Form]] = TypeAdapter(Annotated[Form, Tag()])


def card(
    form: Form,
    *,
    errors: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    missing: str = "",
    redraw: str = "",
    optional: str = "",
) -> Json:
    """The dialog's card.

    Args:
        errors: field to reason, shown below the field; reasons of no field of the form are shown above it.
        notes: sentences above the form.
        missing: what the client says of a required field left empty; "": its label.
        redraw: the title of the button below a live choice; "": "↻" and its label.
        optional: the note at an optional text field where the client does not mark the required ones.

    Raises:
        ValueError: two fields have the same name, or one has a name of `RESERVED`.
    """
    errors = errors or {}
    names = _names(form)
    above = [*notes, *(reason for name, reason in errors.items() if name not in names)]
    requires = not any(isinstance(p, Buttons) or (isinstance(p, Choice) and p.live) for p in form.parts)
    unmarked = not requires and any(isinstance(part, TextField) and part.required for part in form.parts)
    body = [block for sentence in above if (block := _reason_block(sentence)) is not None]
    data: Json = {"form": form.id, "state": dict(form.state)}
    redraws = sum(isinstance(part, Choice) and part.live for part in form.parts)
    ids, budget = Ids(), Budget(max(0, limits.ACTIONS - 1 - redraws))  # one is the form's own, one a live choice's
    line = False
    for part in form.parts:
        if isinstance(part, FilesField):
            made = _files_hint(part)
        elif isinstance(part, TextField | Choice | Checkbox):
            made = _field(part, errors.get(part.name), missing, optional if unmarked else "", requires=requires)
            if isinstance(part, Choice) and part.live and made[0]["type"] == "Input.ChoiceSet":
                made.append(_redraw_button(part, data, redraw))
        elif isinstance(part, Buttons):
            made = _with_form_data(action_sets(part.buttons, ids, budget, dialog=True), data)
        elif isinstance(part, Divider):
            made = []
        else:
            made = draw_paragraph(part) if isinstance(part, Paragraph) else draw_facts(part)
        if line and made:
            made[0] = {**made[0], "separator": True}
        line = isinstance(part, Divider) or (line and not made)
        body += made
    return _card(form, body, data)


def _names(form: Form) -> list[str]:
    names = [part.name for part in form.parts if isinstance(part, TextField | Choice | Checkbox)]
    if len(set(names)) != len(names) or not RESERVED.isdisjoint(names):
        raise ValueError(f"the fields of {form.id} bear the same names as others or as our own: {names}")
    return names


def _card(form: Form, body: list[Json], data: Json) -> Json:
    send = {"type": "Action.Submit", "title": plain_text(form.submit, limits.BUTTON), "style": "positive"}
    content: Json = {"type": "AdaptiveCard", "version": limits.VERSION, "body": body}
    if not form.submit and not any(made["type"].startswith("Input.") for made in body):
        if not body:
            content["body"] = [NOTHING_TO_SHOW]
        return content
    content["actions"] = [{**send, "data": {**data, "shape": orjson.loads(orjson.dumps(form))}}]
    if size(content) > limits.CARD:
        content["actions"] = [{**send, "data": data}]
    return content


def _with_form_data(drawn: list[Json], data: Json) -> list[Json]:
    """Elements whose buttons submit the form's data too, however deep they are nested."""
    for made in drawn:
        for action in made.get("actions", ()):
            if action["type"] == "Action.Submit":
                action |= {"data": {**data, **action["data"]}, "associatedInputs": "auto"}
        _with_form_data(made.get("items", []), data)
    return drawn


def _files_hint(part: FilesField) -> list[Json]:
    """Teams' dialogs take no files: the label, and how to send them instead."""
    heading = {"type": "TextBlock", "text": plain_text(part.label, limits.LABEL), "wrap": True, "weight": "Bolder"}
    hint = element((part.fallback,), limits.TEXT, size="Small", isSubtle=True, spacing="Small")
    return [heading, hint] if hint is not None else [heading]


def _reason_block(sentence: str) -> Json | None:
    return element((sentence,), limits.TEXT, color="Attention", spacing="Small")


def _redraw_button(part: Choice, data: Json, redraw: str) -> Json:
    properties = {
        "title": plain_text(redraw or f"{REDRAW} {part.label}", limits.BUTTON),
        "data": {**data, "live": part.name},
    }
    return {"type": "ActionSet", "spacing": "Small", "actions": [{"type": "Action.Submit", **properties}]}


def _field(
    part: TextField | Choice | Checkbox, reason: str | None, missing: str, optional: str, *, requires: bool
) -> list[Json]:
    """The input, and below it the reason why it was refused and its hint."""
    label_text = plain_text(part.label, limits.LABEL)
    made = _input(part)
    below: list[Json | None] = []
    if made is None:
        made = {"type": "TextBlock", "text": label_text, "wrap": True, "weight": "Bolder"}
    else:
        made["label"] = label_text
        made["errorMessage"] = plain_text(reason or missing or part.label, limits.TEXT)
        if requires and not isinstance(part, Checkbox) and part.required:
            made["isRequired"] = True
    if reason:
        below.append(_reason_block(reason))
    left_out = optional if isinstance(part, TextField) and not part.required else ""
    for text, spacing in ((part.hint, "Small"), (left_out, "None" if part.hint else "Small")):
        if text:
            below.append(element((text,), limits.TEXT, size="Small", isSubtle=True, spacing=spacing))
    return [made, *(item for item in below if item is not None)]


def _input(part: TextField | Choice | Checkbox) -> Json | None:
    """The input element; None for a choice without options."""
    match part:
        case TextField():
            limit = max(1, min(part.max_length, limits.INPUT))
            made: Json = {"type": "Input.Text", "id": part.name, "maxLength": limit}
            if part.multiline:
                made["isMultiline"] = True
            if part.value:
                made["value"] = cut(part.value, limit)
        case Checkbox():
            made = {
                "type": "Input.Toggle",
                "id": part.name,
                "title": label(part.text, limits.TEXT),
                "valueOn": "yes",
                "valueOff": EMPTY,
                "value": "yes" if part.value else EMPTY,
                "wrap": True,
            }
        case Choice():
            return _choice(part)
    if isinstance(part, TextField) and part.placeholder:
        made["placeholder"] = plain_text(part.placeholder, limits.LABEL)
    return made


def _choice(part: Choice) -> Json | None:
    offered = _options(part)
    if not offered and not part.suggest:
        return None
    opened = part.open and len(offered) <= limits.OPEN_OPTIONS and not part.suggest
    made: Json = {
        "type": "Input.ChoiceSet",
        "id": part.name,
        "style": "expanded" if opened else "compact",
        "choices": [{"title": _title(option, opened=opened), "value": option.value or EMPTY} for option in offered],
        "wrap": True,
    }
    if part.suggest:
        # The client asks for matches by the field's name; the options listed here show at once.
        made["choices.data"] = {"type": "Data.Query", "dataset": part.name}
    if part.suggest or len(offered) > limits.LISTED_OPTIONS:
        made["style"] = "filtered"
    if part.value is not None and any(option.value == part.value for option in offered):
        made["value"] = part.value or EMPTY
    if part.placeholder and not opened:
        made["placeholder"] = plain_text(part.placeholder, limits.LABEL)
    return made


def _options(part: Choice) -> list[Option]:
    """At most `limits.OPTIONS`, each value once, and the chosen one in any case, under its value if need be."""
    given: dict[str, Option] = {}
    for option in part.options:
        if len(option.value) <= limits.VALUE and len(given) < limits.OPTIONS:
            given.setdefault(option.value, option)
    if part.value and part.value not in given and len(part.value) <= limits.VALUE:
        known = next((o for o in part.options if o.value == part.value), None)
        if known is not None or part.suggest:
            given[part.value] = known or Option(part.value, part.value)
    return list(given.values())


def _title(option: Option, *, opened: bool) -> str:
    text = f"{option.label} · {option.note}" if option.note else option.label
    return label(text, limits.OPTION) if opened else plain_text(text, limits.OPTION)


def read_submission(data: Any) -> tuple[str, dict[str, str], dict[str, str]]:
    """Form, state and values in the data of a `task/submit`; fields without a value are left out. Raises ValueError
    where they are of no form of ours, of the wrong types, too long or too many."""
    if not isinstance(data, Mapping):
        raise ValueError("a form's data is no object")  # noqa: TRY004 - it is untrusted input, not a caller's mistake
    form = data.get("form")
    if not isinstance(form, str) or not 0 < len(form) <= limits.ACTION or not encodable(form):
        raise ValueError("a form's data names no form")
    given = data.get("state", {})
    if not isinstance(given, Mapping):
        raise ValueError("a form's state is no object")  # noqa: TRY004 - untrusted input, too
    state = _texts(given, limits.STATE)
    if sum(len(name) + len(value) for name, value in state.items()) > limits.STATE:
        raise ValueError("a form's state is too long")
    values = _texts({name: value for name, value in data.items() if name not in RESERVED}, limits.INPUT)
    return form, state, {name: "" if value == EMPTY else value for name, value in values.items()}


def _texts(given: Mapping[Any, Any], limit: int) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError("a field of a form is no text")  # noqa: TRY004 - untrusted input, too
        if len(name) > limits.ACTION or len(value) > limit or not (encodable(name) and encodable(value)):
            raise ValueError("a field of a form is too long, or half a character")
        kept[name] = value
    if len(kept) > limits.FIELDS:
        raise ValueError("a form has too many fields")
    return kept


def button(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Action and value of the button pressed inside a form, or below a live choice; None where the form was submitted.
    Raises ValueError like `controls.read_press`."""
    live = data.get("live")
    if live is not None:
        chosen = data.get(live, "") if isinstance(live, str) else ""
        return read_press({"action": live, "value": "" if chosen in {None, EMPTY} else chosen})
    return read_press(data) if "action" in data else None


def restore_form(data: Mapping[str, Any]) -> Form | None:
    """The form that the data of a `task/submit` came from, with what was typed; None where its shape was too large to
    travel or is not valid. Untrusted, as its sender made it: to be shown to them alone."""
    try:
        form, state, values = read_submission(data)
        found = _FORM.validate_python(data.get("shape"))
        orjson.dumps(found)
        _names(found)
    except (ValueError, TypeError):  # TypeError: half characters, which JSON can spell and nothing can send
        return None
    if found.id != form or found.state != state:
        return None
    return replace(found, parts=tuple(_retyped(part, values) for part in found.parts))


def _retyped(part: Any, values: Mapping[str, str]) -> Any:
    """A field with the value that came back for it: none for one that was emptied."""
    match part:
        case Choice():
            return replace(part, value=values.get(part.name))
        case TextField() | Checkbox():
            return replace(part, value=values.get(part.name, ""))
        case _:
            return part
