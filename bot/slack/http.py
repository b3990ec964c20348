"""`POST /slack/events`: bytes in, through the check of their signature, to the answer. The body is parsed only once its
signature is known to be right.
"""

from collections.abc import Mapping
from typing import Final

import orjson
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.chat.json_fields import Malformed
from bot.slack.answers import Answers, HttpReply, refusal
from bot.slack.payloads import parse

MOST_BODY: Final = 1_000_000  # bytes; Slack's own stay far below
_STAMP: Final = "X-Slack-Request-Timestamp"
_SIGNATURE: Final = "X-Slack-Signature"
_RETRY: Final = "X-Slack-Retry-Num"
_UNSIGNED: Final = "The request is not signed by Slack, or too old."
_TOO_LARGE: Final = f"The body must be smaller than {MOST_BODY} bytes."
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


class Endpoint:
    """The route's handler."""

    def __init__(self, signing_secret: str, answers: Answers) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._answers = answers

    async def handle(self, request: web.Request) -> web.Response:
        status, body = await self._reply(request)
        if body is None:
            return web.Response(status=status)
        return web.Response(status=status, body=orjson.dumps(body), headers=_JSON)

    async def _reply(self, request: web.Request) -> HttpReply:
        headers = request.headers
        if not (_STAMP in headers and _SIGNATURE in headers):
            return refusal(401, _UNSIGNED)
        if (request.content_length or 0) >= MOST_BODY:
            return refusal(413, _TOO_LARGE)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return refusal(413, _TOO_LARGE)
        if len(raw) >= MOST_BODY:
            return refusal(413, _TOO_LARGE)
        if not self._signed(raw, headers):
            return refusal(401, _UNSIGNED)
        try:
            payload = parse(raw.decode(), headers.get("Content-Type", ""))
        except Malformed as fault:
            return refusal(400, str(fault))
        return await self._answers.answer(payload, repeated=headers.get(_RETRY, "0") != "0")

    def _signed(self, raw: bytes, headers: Mapping[str, str]) -> bool:
        """Whether Slack signed the body within the last five minutes."""
        try:
            return self._verifier.is_valid(raw, headers[_STAMP], headers[_SIGNATURE])
        except (ValueError, OverflowError, TypeError):
            return False  # the time is no number, the body is not UTF-8, or the signature is beyond ASCII
