"""Fields of JSON that somebody else has made."""

from collections.abc import Mapping
from typing import Any

from bot.chat.types import Json


class Malformed(Exception):
    """Not what the platform sends; `str()` is one sentence."""


def text_or_none(source: Mapping[str, Any], key: str) -> str | None:
    """A field's text; None where it is missing, empty or something else."""
    value = source.get(key)
    return value if isinstance(value, str) and value else None


def object_or_empty(source: Mapping[str, Any], key: str) -> Json:
    """A field's object; an empty one where it is missing or something else."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}
