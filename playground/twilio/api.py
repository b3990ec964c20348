"""The API's endpoint: authenticates, finds the operation, applies faults and keeps the journal."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from playground.twilio.errors import TwilioError
from playground.twilio.faults import Request
from playground.twilio.operations import PREFIX, ROUTES, Args, Result

if TYPE_CHECKING:
    from playground.twilio.pretend import PretendTwilio


async def handle(twilio: PretendTwilio, request: web.Request) -> web.StreamResponse:
    """Answers one request below the API's root."""
    path = request.match_info["path"]
    resource = re.sub(rf"^{PREFIX[1:]}AC[0-9a-fA-F]{{32}}/?|\.json$", "", path)
    body = await request.read()  # Twilio has it, whether or not its sender waits for the answer

    def gone() -> bool:
        return request.transport is None or request.transport.is_closing()

    fault = twilio.faults.take(request.method, resource)
    status, answer, code, headers, done = 0, None, 0, {}, False
    args: dict[str, str] = {}
    try:
        try:
            if fault and not await fault.before(gone):
                raise ConnectionResetError
            args = _args(request, body)
            _authorized(twilio, request, path)
            status, answer = await _run(twilio, request.method, path, resource, args)
            done = True
            twilio.changed()
            if fault:
                fault.after()
        except TwilioError as refusal:
            status, answer, code, headers = refusal.status, refusal.body(), refusal.code, refusal.headers
        lost = gone() or (fault is not None and fault.kind == "lost")
    except ConnectionResetError:
        lost = True
    twilio.journal.requests.append(
        Request(request.method, resource, args, status, code, twilio.now(), done, answered=not lost)
    )
    if lost and request.transport:
        request.transport.abort()
    if answer is None:
        return web.Response(status=status or 204, headers=headers)
    return web.Response(
        status=status, body=orjson.dumps(answer), headers=headers, content_type="application/json", charset="utf-8"
    )


def _args(request: web.Request, body: bytes) -> dict[str, str]:
    """The arguments: the query of a GET, the form of a POST. Raises TwilioError."""
    if request.method in ("GET", "DELETE"):
        pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
    else:
        if body and request.content_type != "application/x-www-form-urlencoded":
            raise TwilioError(20001)
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body))
        except ValueError:
            raise TwilioError(20001) from None
    several = ("StatusCallbackEvent",)
    args: dict[str, str] = {}
    for name, value in pairs:
        if name in args and name not in several:
            raise TwilioError(20001)
        args[name] = f"{args[name]} {value}" if name in args else value
    return args


def _authorized(twilio: PretendTwilio, request: web.Request, path: str) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        sid, _, token = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    known = hmac.compare_digest(f"{sid}:{token}".encode(), f"{twilio.account_sid}:{twilio.auth_token}".encode())
    if scheme.lower() != "basic" or not known:
        raise TwilioError(20003)
    asked = re.match(rf"{PREFIX[1:]}([^/.]+)", path)
    if asked and asked[1] != twilio.account_sid:
        raise TwilioError(20003)


async def _run(twilio: PretendTwilio, verb: str, path: str, resource: str, args: Args) -> Result:
    if not path.startswith(PREFIX[1:]) or not path.endswith(".json"):
        raise TwilioError(20404, f"/{path}")
    found = False
    for pattern, operations in ROUTES:
        match = re.fullmatch(pattern, resource)
        if match is None:
            continue
        found = True
        if verb in operations:
            try:
                outcome = operations[verb](twilio, match.groups(), args)
                return outcome if isinstance(outcome, tuple) else await outcome
            except KeyError:
                raise TwilioError(20404, f"/{path}") from None
    raise TwilioError(20004 if found else 20404, f"/{path}")
