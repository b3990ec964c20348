"""Reads what a platform posts: the body within its limit, fields of its JSON, and mentions in its text."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from bot.chat.types import Json
from handlers.framework.events import Mention


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


def split_text(
    text: str,
    pattern: re.Pattern[str],
    read: Callable[[re.Match[str]], str | Mention],
    unescape: Callable[[str], str],
    without: str | None,
) -> tuple[str | Mention, ...]:
    """Words and mentions in their order. `read` turns a match of `pattern` into a mention or the text that it shows;
    mentions of the user `without` are left out."""
    words: list[str | Mention] = []
    pending, end = "", 0
    for match in pattern.finditer(text):
        pending += unescape(text[end : match.start()])
        end = match.end()
        part = read(match)
        if isinstance(part, str):
            pending += part
            continue
        words += pending.split()
        pending = ""
        if part.user != without:
            words.append(part)
    return (*words, *(pending + unescape(text[end:])).split())


HttpReply = tuple[int, Json | None]  # status, body

MOST_BODY: Final = 1_000_000  # bytes; no platform's own requests come near it
JSON_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}
OK: Final[HttpReply] = (200, None)


def refusal(status: int, reason: str) -> HttpReply:
    """A refusal in one sentence, for whoever reads the other side's log."""
    return status, {"error": reason}


TOO_LARGE: Final = refusal(413, f"The body must be smaller than {MOST_BODY} bytes.")
STORE_DOWN: Final = refusal(503, "The store does not answer; please send this again.")


def is_too_large(request: web.Request) -> bool:
    """Whether a request announces a body over the limit."""
    return (request.content_length or 0) >= MOST_BODY


async def read_body(request: web.Request) -> bytes | None:
    """The body of a request; None where it is over the limit."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    return body if len(body) < MOST_BODY else None


def to_response(reply: HttpReply) -> web.Response:
    status, body = reply
    if body is None:
        return web.Response(status=status)
    return web.Response(status=status, body=orjson.dumps(body), headers=JSON_HEADERS)
