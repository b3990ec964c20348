"""Validation errors of a file as sentences for whoever wrote it."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

ErrorPath = tuple[int | str, ...]


def explain(error: ValidationError, root: type[BaseModel], tags: frozenset[str]) -> list[tuple[ErrorPath, str]]:
    """For each error, the path in the file as written, and a sentence.

    `tags`: names by which pydantic distinguishes alternatives; they are removed from the paths.
    """
    found = []
    for detail in error.errors(include_url=False):
        place = tuple(part for part in detail["loc"] if part not in tags)
        inner = getattr(detail.get("ctx", {}).get("error"), "place", ())
        found.append(((*place, *inner), _sentence(detail, place, _parts(root))))
    return found


@lru_cache(maxsize=8)
def _parts(root: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """The records of the file by the key that holds them; "" is the root."""
    found = {"": root}
    for name, field in root.model_fields.items():
        for record in _records(field.annotation):
            found |= {key or name: part for key, part in _parts(record).items()}
    return found


def _records(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _records(inner)


def _keys(place: ErrorPath, parts: Mapping[str, type[BaseModel]]) -> list[str]:
    """The known keys at that path: those of the nearest record around it."""
    name = next((part for part in reversed(place) if part in parts), "")
    return [field.alias or key for key, field in parts[str(name)].model_fields.items()]


def _sentence(detail: ErrorDetails, place: ErrorPath, parts: Mapping[str, type[BaseModel]]) -> str:
    context = detail.get("ctx", {})
    value: object = detail["input"]
    match detail["type"]:
        case "missing":
            return "required, but missing"
        case "extra_forbidden":
            keys = _keys(place[:-1], parts)
            near = get_close_matches(str(place[-1]), keys, n=1, cutoff=0.65)
            return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known here: {', '.join(keys)}"
        case "enum" | "literal_error":
            choices = ", ".join(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
            return f"expected one of {choices}, not {_shown(value)}"
        case "string_type":
            return f"expected text, not {_shown(value)}{_quote_it(value)}"
        case "bool_type":
            return f"expected true or false, not {_shown(value)}"
        case "int_type":
            return f"expected a whole number, not {_shown(value)}"
        case "greater_than_equal":
            return f"expected {context['ge']} or more, not {_shown(value)}"
        case "less_than_equal":
            return f"expected {context['le']} at most, not {_shown(value)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"expected a mapping with {', '.join(_keys(place, parts))}, not {_shown(value)}"
        case "tuple_type" | "list_type":
            return f"expected a list, not {_shown(value)}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "too_long":
            return f"expected {context['max_length']} at most, not {context['actual_length']}"
        case "string_too_long":
            return f"expected {context['max_length']} characters at most"
        case "value_error":
            return str(context["error"])
    return detail["msg"]


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _quote_it(value: object) -> str:
    """What to do about a value that YAML has read as another type."""
    if isinstance(value, bool):
        words = "yes, on and true" if value else "no, off and false"
        return f'; YAML reads {words} as {_shown(value)}: put text in "quotes"'
    if isinstance(value, int | float):
        return '; put it in "quotes"'
    return ""
