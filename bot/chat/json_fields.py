"""Reads JSON that somebody else has made, and fields of it."""

from collections.abc import Mapping
from typing import Any

import orjson

from bot.chat.types import Json


class Malformed(Exception):
    """Not what the platform sends; `str()` is one sentence."""


def parse_object(text: str | bytes) -> Json | None:
    """The object that `text` is in JSON; None where it is anything else."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def text_or_none(source: Mapping[str, Any], key: str) -> str | None:
    """A field's text; None where it is missing, empty or something else."""
    value = source.get(key)
    return value if isinstance(value, str) and value else None


def object_or_empty(source: Mapping[str, Any], key: str) -> Json:
    """A field's object; an empty one where it is missing or something else."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def required_object(source: Mapping[str, Any], key: str, owner: str) -> Json:
    """A field's object. Raises `Malformed`, which names `owner` ("payload"), where it is missing or something else."""
    value = source.get(key)
    if not isinstance(value, dict):
        raise Malformed(f'The {owner} has no "{key}".')
    return value
