"""Forms as Slack's dialogs, and what was typed into them.

A field is an input block: `block_id` is the field's name, `action_id` comes from the form. While both stay the same,
Slack keeps what a person has typed through updates and errors and ignores a new `value` in the form: to empty a field
of a redrawn form, give it another name. A `Choice` whose options changed gets a new `action_id`, as the old choice may
not be among them. A form's state travels in `private_metadata`, with the response URL of where it was opened.
"""

from binascii import crc32
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from bot.chat.inbound import object_or_empty, parse_object
from bot.chat.types import Json
from bot.slack import limits
from bot.slack.controls import unpack_value
from bot.slack.render import draw_buttons, draw_divider, draw_facts, draw_paragraph, option, option_list
from bot.slack.text import cut, plain_text, units
from handlers.framework.screens import (
    Buttons,
    Checkbox,
    Choice,
    Divider,
    FactSet,
    FilesField,
    Form,
    FormField,
    Option,
    Paragraph,
    TextField,
)

NOTE: Final = "!note"  # block ids of sentences put above a form


def view(form: Form, *, reply: str | None = None, errors: Sequence[str] = ()) -> Json:
    """A modal. `errors`: sentences above the form. `reply`: the response URL of the message it was opened from.
    Raises ValueError where the form's state is over 3,000 characters as JSON."""
    drawn = notes(errors)
    inputs = False
    for part in form.parts:
        match part:
            case Paragraph():
                drawn += draw_paragraph(part)
            case FactSet():
                drawn += draw_facts(part)
            case Divider():
                drawn += draw_divider(part)
            case Buttons():
                drawn += draw_buttons(part)
            case TextField() | Choice() | Checkbox() | FilesField():
                block = _field(part, form.id)
                inputs = inputs or block["type"] == "input"
                drawn.append(block)
    made: Json = {
        "type": "modal",
        "callback_id": form.id[: limits.NAME],
        "title": plain_text(form.title, limits.TITLE),
        "blocks": drawn[: limits.VIEW_BLOCKS] or [{"type": "divider"}],
        "private_metadata": pack_metadata(form.state, reply),
    }
    if form.submit or inputs:
        made["submit"] = plain_text(form.submit or "OK", limits.TITLE)
    if form.close:
        made["close"] = plain_text(form.close, limits.TITLE)
    return made


def notes(sentences: Sequence[str]) -> list[Json]:
    return [
        {"type": "section", "block_id": f"{NOTE}{i}", "text": plain_text(sentence, limits.SECTION)}
        for i, sentence in enumerate(sentences)
    ]


def _field(part: FormField, form: str) -> Json:
    match part:
        case TextField():
            element = _text_input(part, form)
        case Checkbox():
            element = _checkbox(part, form)
        case FilesField():
            limit = max(1, min(part.most, limits.FILES))
            element = {"type": "file_input", "action_id": form[: limits.NAME], "max_files": limit}
        case Choice():
            chosen = _choice(part, form)
            if chosen is None:
                text = f"{part.label}\n{part.hint or '–'}"
                return {"type": "section", "block_id": part.name, "text": plain_text(text, limits.SECTION)}
            element = chosen
    made: Json = {
        "type": "input",
        "block_id": part.name[: limits.NAME],
        "label": plain_text(part.label, limits.LABEL),
        "element": element,
        "optional": isinstance(part, Checkbox | FilesField) or not part.required,
    }
    if part.hint:
        made["hint"] = plain_text(part.hint, limits.LABEL)
    if isinstance(part, Choice | TextField) and part.live:
        made["dispatch_action"] = True
    return made


def _text_input(part: TextField, form: str) -> Json:
    limit = max(1, min(part.max_length, limits.INPUT))
    element: Json = {"type": "plain_text_input", "action_id": form[: limits.NAME], "max_length": limit}
    if part.multiline:
        element["multiline"] = True
    if part.live:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    if part.value:
        element["initial_value"] = cut(part.value, limit)
    if part.placeholder:
        element["placeholder"] = plain_text(part.placeholder, limits.PLACEHOLDER)
    return element


def _checkbox(part: Checkbox, form: str) -> Json:
    only: Json = {"text": plain_text(part.text, limits.OPTION), "value": "yes"}
    if units(part.text) > limits.OPTION:
        # The line below has as much room again.
        at = part.text.rfind(" ", 0, limits.OPTION // 2 * 2)
        if at > 0 and units(part.text[:at]) <= limits.OPTION:
            only["text"] = plain_text(part.text[:at], limits.OPTION)
            only["description"] = plain_text(part.text[at + 1 :], limits.OPTION)
    element: Json = {"type": "checkboxes", "action_id": form[: limits.NAME], "options": [only]}
    if part.value:
        element["initial_options"] = [only]
    return element


def _choice(part: Choice, form: str) -> Json | None:
    """The element; None for a choice without options, which Slack can't show."""
    if part.suggest or len(part.options) > limits.SELECT:
        element: Json = {"type": "external_select", "action_id": form[: limits.NAME], "min_query_length": 0}
        if part.value and units(part.value) <= limits.OPTION:
            known = next((o for o in part.options if o.value == part.value), Option(part.value, part.value))
            element["initial_option"] = option(known)
    else:
        offered = option_list(part.options, limits.SELECT)
        if not offered:
            return None
        digest = crc32(orjson.dumps(offered))
        element = {
            "type": "radio_buttons" if part.open and len(offered) <= limits.RADIOS else "static_select",
            "action_id": f"{form[: limits.NAME - 9]}.{digest:08x}",
            "options": offered,
        }
        chosen = next((o for o in offered if unpack_value(o["value"]) == part.value), None)
        if chosen:
            element["initial_option"] = chosen
    if part.placeholder and element["type"] != "radio_buttons":
        element["placeholder"] = plain_text(part.placeholder, limits.PLACEHOLDER)
    return element


def pack_metadata(state: Mapping[str, str], reply: str | None) -> str:
    """`private_metadata`: a form's state and the response URL, which is left out where there is no room for it."""
    data: Json = {"s": dict(state)}
    if reply:
        with_reply = orjson.dumps({**data, "r": reply}).decode()
        if units(with_reply) <= limits.METADATA:
            return with_reply
    packed = orjson.dumps(data).decode()
    if units(packed) > limits.METADATA:
        raise ValueError(f"a form's state takes {len(packed)} characters; Slack carries {limits.METADATA}")
    return packed


def unpack_metadata(text: str) -> tuple[dict[str, str], str | None]:
    """State and response URL. Untrusted: what is not of their types is left out."""
    data = parse_object(text) or {}
    state, reply = data.get("s"), data.get("r")
    kept = {k: v for k, v in state.items() if isinstance(v, str)} if isinstance(state, dict) else {}
    return kept, reply if isinstance(reply, str) else None


def read_values(view_state: Any) -> dict[str, str]:
    """Field to value out of a view's `state`; a ticked checkbox is "yes"."""
    return {name: _value(element) for name, element in _elements(view_state) if element.get("type") != "file_input"}


def read_files(view_state: Any) -> dict[str, Any]:
    """Field to the files put into it, as Slack describes them, out of a view's `state`."""
    return {
        name: element.get("files") for name, element in _elements(view_state) if element.get("type") == "file_input"
    }


def _elements(view_state: Any) -> Iterator[tuple[str, Json]]:
    blocks = object_or_empty(view_state, "values") if isinstance(view_state, dict) else {}
    for name, elements in blocks.items():
        for element in elements.values() if isinstance(elements, dict) else ():
            if isinstance(element, dict):
                yield name, element


def _value(element: Json) -> str:
    chosen = element.get("selected_option")
    if not chosen and element.get("selected_options"):
        several = element["selected_options"]
        chosen = several[0] if isinstance(several, list) else None
    value = chosen.get("value") if isinstance(chosen, dict) else element.get("value")
    return unpack_value(value) if isinstance(value, str) else ""


def inputs(shown: Mapping[str, Any]) -> frozenset[str]:
    """The names of the fields that a view, as Slack sends it, has."""
    blocks = shown.get("blocks")
    return frozenset(
        block["block_id"]
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") == "input" and isinstance(block.get("block_id"), str)
    )


def redraw(shown: Mapping[str, Any], above: Sequence[Json]) -> Json:
    """A view as Slack sent it (`payloads` has checked its blocks), with other blocks above and the values typed."""
    values = object_or_empty(object_or_empty(shown, "state"), "values")
    blocks = [
        _retyped(block, values) for block in shown["blocks"] if not str(block.get("block_id", "")).startswith(NOTE)
    ]
    made: Json = {
        "type": "modal",
        "title": shown["title"],
        "callback_id": shown.get("callback_id", ""),
        "private_metadata": shown.get("private_metadata", ""),
        "blocks": [*above, *blocks][: limits.VIEW_BLOCKS],
    }
    for key in ("submit", "close"):
        if shown.get(key):
            made[key] = shown[key]
    return made


_INITIAL: Final = (
    ("value", "initial_value"),
    ("selected_option", "initial_option"),
    ("selected_options", "initial_options"),
)


def _retyped(block: Json, values: Json) -> Json:
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, dict):
        return block
    state = object_or_empty(object_or_empty(values, str(block.get("block_id"))), str(element.get("action_id")))
    kept = {key: value for key, value in element.items() if not key.startswith("initial_")}
    kept |= {initial: state[key] for key, initial in _INITIAL if state.get(key)}
    return {**block, "element": kept}
