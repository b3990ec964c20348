"""`POST /slack/events`: verifies a request's signature, then parses its body and answers it."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.chat.inbound import TOO_LARGE, HttpReply, Malformed, is_too_large, read_body, refusal, to_response
from bot.slack.answers import Answers
from bot.slack.payloads import parse

_STAMP: Final = "X-Slack-Request-Timestamp"
_SIGNATURE: Final = "X-Slack-Signature"
_RETRY: Final = "X-Slack-Retry-Num"
_UNSIGNED: Final = refusal(401, "The request is not signed by Slack, or too old.")


class Endpoint:
    """The route's handler."""

    def __init__(self, signing_secret: str, answers: Answers) -> None:
        self._verifier = SignatureVerifier(signing_secret)
        self._answers = answers

    async def handle(self, request: web.Request) -> web.Response:
        return to_response(await self._reply(request))

    async def _reply(self, request: web.Request) -> HttpReply:
        headers = request.headers
        if not (_STAMP in headers and _SIGNATURE in headers):
            return _UNSIGNED
        raw = None if is_too_large(request) else await read_body(request)
        if raw is None:
            return TOO_LARGE
        if not self._signed(raw, headers):
            return _UNSIGNED
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
