"""Sends what people do to the app: signed over HTTP, or in an envelope over a Socket Mode connection.

Slack waits three seconds for an answer. Signature: ``v0=`` HMAC-SHA256 of ``v0:timestamp:body``
(https://docs.slack.dev/authentication/verifying-requests-from-slack).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp
import orjson

Json = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]
MOST_ANSWER = 1_000_000  # bytes read of an answer


@dataclass(frozen=True, slots=True)
class AppRequest:
    """A request to the app; tests send the same one again."""

    kind: Kind
    payload: Json


@dataclass(frozen=True, slots=True)
class AppResponse:
    """The app's answer: ``error`` is empty, ``operation_timeout`` or ``dispatch_failed``; ``answer`` the parsed JSON,
    or the text, or None for an empty one; ``headers`` those of an HTTP answer, in lower case."""

    status: int
    answer: Any
    error: str
    seconds: float
    headers: dict[str, str]


class Socket(Protocol):
    """The Socket Mode connections, which are used instead of HTTP while one is open."""

    @property
    def open(self) -> bool:
        """Whether any connection is there."""

    async def send(self, sent: AppRequest, retry: tuple[int, str] | None, seconds: float) -> Any:
        """Sends an envelope and returns the payload of its ack; raises ``TimeoutError`` or ``ConnectionError``."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of ``X-Slack-Signature``."""
    base = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encode(sent: AppRequest) -> tuple[bytes, str]:
    """Body and content type of a delivery over HTTP."""
    if sent.kind == "events_api":
        return orjson.dumps(sent.payload), "application/json"
    fields = sent.payload if sent.kind == "slash_commands" else {"payload": orjson.dumps(sent.payload).decode()}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


class Delivery:
    """Sends to one app. ``wall`` gives the real time: the app compares signatures with its own clock."""

    def __init__(
        self,
        *,
        url: str,
        secret: str,
        ack_seconds: float,
        wall: Callable[[], float],
        socket: Socket,
    ) -> None:
        self.url = url
        self.secret = secret
        self.ack_seconds = ack_seconds
        self._wall = wall
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2),
                timeout=aiohttp.ClientTimeout(total=self.ack_seconds + 1),
            )
        return self._session

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, sent: AppRequest, retry: tuple[int, str] | None = None) -> AppResponse:
        """Delivers once and waits for the answer, three seconds at most. ``retry`` is number and reason."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.ack_seconds):
                if self._socket.open:
                    answer = await self._socket.send(sent, retry, self.ack_seconds)
                    return AppResponse(200, answer, "", time.monotonic() - began, {})
                return await self._post(sent, retry, began)
        except TimeoutError:
            return AppResponse(0, None, "operation_timeout", time.monotonic() - began, {})
        except (aiohttp.ClientError, ConnectionError):
            return AppResponse(0, None, "dispatch_failed", time.monotonic() - began, {})

    async def _post(self, sent: AppRequest, retry: tuple[int, str] | None, began: float) -> AppResponse:
        body, kind = encode(sent)
        stamp = str(int(self._wall()))
        headers = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self.secret, stamp, body),
        }
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        async with self._client().post(self.url, data=body, headers=headers, allow_redirects=False) as response:
            raw = await response.content.read(MOST_ANSWER)
            received = {key.lower(): value for key, value in response.headers.items()}
            error = "" if response.status == 200 else "dispatch_failed"
            return AppResponse(response.status, _parse(raw), error, time.monotonic() - began, received)


def _parse(raw: bytes) -> Any:
    if not raw.strip():
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace")
