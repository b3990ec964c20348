"""The HTTP side of a platform's endpoint: request bodies within a limit, and responses in JSON."""

from typing import Final

import orjson
from aiohttp import web

from bot.chat.types import Json

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
