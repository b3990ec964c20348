"""Twilio's requests to the bot: form-encoded, signed, with what came back.

https://www.twilio.com/docs/usage/security, https://www.twilio.com/docs/usage/webhooks, 2026-11.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

from playground.twilio.errors import TwimlError

TIMEOUT: Final = 15.0  # seconds that Twilio waits for an answer
MOST_REDIRECTS: Final = 10
PAUSE: Final = 0.02  # seconds between tries; Twilio's own are longer
KEPT: Final = 20_000  # requests with their answers, the latest


def signature(token: str, url: str, params: Mapping[str, str]) -> str:
    """The `X-Twilio-Signature` of a POST of `params` to `url`, its query included."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request to the bot. `url` is the one that is signed; `id` is the same whenever it is sent again."""

    url: str
    params: dict[str, str]
    method: str = "POST"
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def asked(self) -> str:
        """The URL as it is requested and signed: without the fragment, which is Twilio's to read, and with the
        parameters in the query where it is a GET."""
        url = self.url.partition("#")[0]
        return url if self.method == "POST" else f"{url}{'&' if '?' in url else '?'}{urlencode(self.params)}"

    @property
    def sent(self) -> dict[str, str]:
        """What the body carries."""
        return self.params if self.method == "POST" else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """The bot's answer. `status` 0: none came; then `failed` is `ct` (no connection) or `rt` (no answer in time)."""

    status: int
    body: bytes = b""
    content_type: str = ""
    failed: str = ""
    why: str = ""

    def fits(self, policy: tuple[str, ...]) -> bool:
        """Whether the retry policy asks for another attempt."""
        kind = self.failed or f"{self.status // 100}xx"
        return kind in policy or ("all" in policy and kind in ("4xx", "5xx", "ct", "rt"))


def overrides(url: str) -> tuple[int, tuple[str, ...]]:
    """The retries that a URL's fragment asks for, and after what: Twilio's connection overrides `rc` and `rp`.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides, 2026-11. Raises TwimlError for one that
    Twilio does not have.
    """
    given = dict(parse_qsl(urlsplit(url).fragment, keep_blank_values=True))
    unknown = set(given) - {"rc", "rp", "ct", "rt", "tt", "e", "sni"}
    count, policy = given.get("rc", "1"), tuple(given.get("rp", "ct").split(","))
    if unknown or count not in ("0", "1", "2", "3", "4", "5") or not set(policy) <= {"4xx", "5xx", "ct", "rt", "all"}:
        raise TwimlError(11100, f"{urlsplit(url).fragment} is no connection override")
    return int(count), policy


class Sender:
    """Sends webhooks.

    `reach` says where a public URL is really served, by the beginnings of both: the first is signed and said in the
    request, the second is connected to. That is what a proxy before the bot does.
    """

    def __init__(self, token: str, reach: Mapping[str, str] | None = None) -> None:
        self.token = token
        self.reach = dict(reach or {})
        self.log: deque[tuple[Webhook, Answer]] = deque(maxlen=KEPT)
        self._client: aiohttp.ClientSession | None = None

    def sign(self, webhook: Webhook, token: str | None = None) -> str:
        """The signature of a webhook."""
        return signature(token or self.token, webhook.asked, webhook.sent)

    async def send(self, webhook: Webhook, *, token: str | None = None, signed: str | None = None) -> Answer:
        """Sends it, signed with `token` (the account's), or with the signature `signed` (empty: with none)."""
        made = self.sign(webhook, token) if signed is None else signed
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "I-Twilio-Idempotency-Token": webhook.id,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            **({"X-Twilio-Signature": made} if made else {}),
        }
        answer = await self._request(webhook, headers)
        self.log.append((webhook, answer))
        return answer

    async def deliver(self, webhook: Webhook) -> Answer:
        """Sends it as Twilio does: again, as its URL says, until it is taken. Raises TwimlError where
        it never is."""
        tries, policy = overrides(webhook.url)
        answer = await self.send(webhook)
        while tries and answer.fits(policy):
            tries -= 1
            await asyncio.sleep(PAUSE)
            answer = await self.send(webhook)
        if answer.status == 0:
            raise TwimlError(11205, f"no answer: {answer.why}")
        if not 200 <= answer.status < 300:
            raise TwimlError(11200, f"answered with status {answer.status}")
        return answer

    async def _request(self, webhook: Webhook, headers: dict[str, str]) -> Answer:
        if self._client is None or self._client.closed:
            self._client = aiohttp.ClientSession(auto_decompress=True)
        url = webhook.asked
        for public, real in self.reach.items():
            if url.startswith(public):
                url = real + url.removeprefix(public)
                headers["Host"] = URL(public).authority
                break
        try:
            async with self._client.request(
                webhook.method,
                URL(url, encoded=True),
                data=urlencode(webhook.sent) if webhook.method == "POST" else None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                max_redirects=MOST_REDIRECTS,
            ) as response:
                return Answer(response.status, await response.read(), response.headers.get("Content-Type", ""))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            failed = "rt" if isinstance(error, TimeoutError) else "ct"
            return Answer(0, failed=failed, why=str(error) or type(error).__name__)

    async def close(self) -> None:
        """Closes its connections."""
        if self._client is not None:
            await self._client.close()
