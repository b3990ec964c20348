"""`POST /slack/events`: bytes in, through Bolt's check of the signature, to the answer.

Bolt gets the request with nothing read from it but the two headers of the signature; the body is parsed only once its
signature is known to be right. Bolt would parse it first, and answer what it can't parse with a traceback.
"""

from typing import Any, Final

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.chat.json_fields import Malformed
from bot.slack.answers import Answers, refusal
from bot.slack.payloads import parse

MOST_BODY: Final = 1_000_000  # bytes; Slack's own stay far below
_STAMP: Final = "X-Slack-Request-Timestamp"
_SIGNATURE: Final = "X-Slack-Signature"
_RETRY: Final = "x-slack-retry-num"
_UNSIGNED: Final = "The request is not signed by Slack, or too old."
_TOO_LARGE: Final = f"The body must be smaller than {MOST_BODY} bytes."


class Request(AsyncBoltRequest):
    """A request whose body nobody has looked at yet."""

    def __init__(self, raw: str, content_type: str, stamp: str, signature: str, retry: str | None) -> None:
        self.raw_body = raw
        self.body = {}
        self.query = {}
        self.headers = {"x-slack-request-timestamp": [stamp], "x-slack-signature": [signature]}
        if retry is not None:
            self.headers[_RETRY] = [retry]
        self.content_type = content_type
        self.context = AsyncBoltContext({})
        self.lazy_only = False
        self.lazy_function_name = None
        self.mode = "http"


class Bolt(AsyncApp):
    """Bolt's application, without what it prepares for listeners: we have none, and a Web API client made for each
    request costs a tenth of the whole answer."""

    def _init_context(self, req: AsyncBoltRequest) -> None:
        """Bolt's hook for it; `AnswerMiddleware` looks at nothing that it would leave in the request."""


class AnswerMiddleware(AsyncMiddleware):
    """Bolt's `before_authorize`: answers everything, so that nothing behind it ever runs."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def async_process(self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Any) -> BoltResponse:  # noqa: A002 - Bolt's name
        if req.mode == "http":
            try:
                payload = parse(req.raw_body, req.content_type or "")
            except Malformed as fault:
                return refusal(400, str(fault))
        else:
            payload = req.body
        # Socket Mode counts from 0, and says so.
        return await self._answers.answer(payload, repeated=req.headers.get(_RETRY, ("0",))[0] != "0")


class Endpoint:
    """The route's handler."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def handle(self, request: web.Request) -> web.Response:
        headers = request.headers
        stamp, signature = headers.get(_STAMP, ""), headers.get(_SIGNATURE, "")
        # Bolt's verifier raises on a time that is no number and on a signature beyond ASCII.
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 16 and signature.isascii() and signature):
            return _respond(401, _UNSIGNED)
        if (request.content_length or 0) >= MOST_BODY:
            return _respond(413, _TOO_LARGE)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _respond(413, _TOO_LARGE)
        if len(raw) >= MOST_BODY:
            return _respond(413, _TOO_LARGE)
        try:
            text = raw.decode()
        except UnicodeDecodeError:  # the signature is over text, so this can't have a right one
            return _respond(401, _UNSIGNED)
        asked = Request(text, headers.get("Content-Type", ""), stamp, signature, headers.get(_RETRY))
        answer = await self._app.async_dispatch(asked)
        if answer.status == 401:
            return _respond(401, _UNSIGNED)
        return _write(answer)


def _write(answer: BoltResponse) -> web.Response:
    if not answer.body:
        return web.Response(status=answer.status)
    return web.Response(status=answer.status, body=answer.body.encode(), headers=_JSON)


_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


def _respond(status: int, why: str) -> web.Response:
    return _write(refusal(status, why))
