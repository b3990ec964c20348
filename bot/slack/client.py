"""Calls to Slack: the Web API, and the response URLs that come with what people do.

One call is one POST. Nothing is repeated here, and nothing raises for what Slack or the network does: a `ApiResult`
says how it went, and the caller knows whether it may be done again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from bot.slack.scopes import METHODS

Json = dict[str, Any]

TIMEOUT: Final = 8.0  # seconds; less than the outbox gives a send
CONNECTIONS: Final = 100
MOST_WAIT: Final = 3_600.0  # seconds of Retry-After that are believed
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_SLACK: Final = frozenset({"slack.com", "www.slack.com", "slack-gov.com"})
# Codes of "not now": the same call may do later.
_TRANSIENT: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited"}
)


@dataclass(frozen=True, slots=True)
class ApiResult:
    """How a call went.

    Attributes:
        ok: it was done.
        error: Slack's code; else `http_500`, `unreachable`, `no_answer`, `not_json` or `foreign_url`.
        data: Slack's answer.
        after: seconds that Slack asks to wait (429).
        transient: the same call may do later.
        lost: it was sent and nobody saw how it ended.
    """

    ok: bool
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: float | None = None
    transient: bool = False
    in_doubt: bool = False


class Client:
    """`api_url` ends with a slash. Open from its first call until `aclose`."""

    def __init__(self, api_url: str, *, timeout: float = TIMEOUT) -> None:
        self.api_url = api_url
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._urls = {name: api_url + name for name in METHODS}
        self._hooks = response_url_prefix(api_url)
        self._files = file_url_prefix(api_url)
        self._rehearsed = _loopback(api_url)  # a pretend Slack, which may have its hooks on another port

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session of the process's calls to Slack."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def is_response_url(self, url: str) -> bool:
        """Whether a response URL leads to Slack and nowhere else."""
        return url.startswith(self._hooks) or (self._rehearsed and _loopback(url))

    def is_file_url(self, url: str) -> bool:
        """Whether a file's address is Slack's own, so that a token may go there."""
        return url.startswith(self._files)

    async def call(
        self, method: str, token: str | None, arguments: Mapping[str, Any], *, timeout: float | None = None
    ) -> ApiResult:
        """One Web API call. `method` is one of `scopes.METHODS` (KeyError); `timeout` in seconds."""
        if token is None:
            return ApiResult(False, "not_installed")
        return await self._call(method, {"Authorization": f"Bearer {token}"}, arguments, timeout)

    async def call_without_token(self, method: str, arguments: Mapping[str, Any]) -> ApiResult:
        """One call of a method that takes no token: the exchange of a code for one."""
        return await self._call(method, {}, arguments, None)

    async def _call(
        self, method: str, headers: Mapping[str, str], arguments: Mapping[str, Any], timeout: float | None
    ) -> ApiResult:
        if METHODS[method].json:
            return await self._post(self._urls[method], orjson.dumps(arguments), {**headers, **_JSON}, timeout)
        return await self._post(self._urls[method], arguments, headers, timeout)

    async def respond(self, url: str, body: Mapping[str, Any], *, timeout: float | None = None) -> ApiResult:
        """Posts to a response URL; `foreign_url` where it is not Slack's."""
        if not self.is_response_url(url):
            return ApiResult(False, "foreign_url")
        return await self._post(url, orjson.dumps(body), _JSON, timeout)

    async def _post(
        self, url: str, data: bytes | Mapping[str, Any], headers: Mapping[str, str], timeout: float | None
    ) -> ApiResult:
        limit = aiohttp.ClientTimeout(total=timeout or self._timeout)
        try:
            async with self.session.post(
                url, data=data, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return _reply(response.status, response.headers.get("Retry-After"), await response.read())
        except aiohttp.ClientConnectorError:
            return ApiResult(False, "unreachable", transient=True)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return ApiResult(False, "no_answer", transient=True, in_doubt=True)


def _reply(status: int, retry_after: str | None, body: bytes) -> ApiResult:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        data = {"ok": status == 200} if body.strip() in {b"ok", b""} else {}
    error = data.get("error")
    code = error if isinstance(error, str) and error else f"http_{status}" if status != 200 else "not_json"
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return ApiResult(False, "ratelimited", data, _seconds(retry_after), transient=True)
    if status >= 500:
        return ApiResult(False, code, data, transient=True)
    if status == 200 and data.get("ok") is True:
        return ApiResult(True, "", data)
    return ApiResult(False, code, data, transient=code in _TRANSIENT or (status == 200 and code == "not_json"))


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or 1), 0.0), MOST_WAIT)
    except ValueError:
        return 1.0


def file_url_prefix(api_url: str) -> str:
    """Where the addresses of files must begin: `https://slack.com/api/` has them at `https://files.slack.com/`, any
    other API at its own origin."""
    parts = urlsplit(api_url)
    if parts.hostname in _SLACK:
        return f"https://files.{parts.hostname.removeprefix('www.')}/"
    return f"{parts.scheme}://{parts.netloc}/"


def _loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def response_url_prefix(api_url: str) -> str:
    """Where response URLs of an API must begin: `https://slack.com/api/` has them at `https://hooks.slack.com/`, any
    other API at its own origin (and one on this machine anywhere on it, `Client.ours`)."""
    parts = urlsplit(api_url)
    if parts.hostname in _SLACK:
        return f"https://hooks.{parts.hostname.removeprefix('www.')}/"
    return f"{parts.scheme}://{parts.netloc}/"
