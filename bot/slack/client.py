"""Calls to Slack's Web API and to response URLs. One call is one POST, and nothing is repeated here. Errors of an
`ApiResult` are Slack's codes, `http_500` and the like, `unreachable`, `no_answer`, `not_json`, `not_installed` or
`foreign_url`.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from bot.chat.api import TIMEOUT, ApiClient, ApiResult, seconds
from bot.chat.inbound import JSON_HEADERS, parse_object
from bot.slack.scopes import METHODS

_SLACK: Final = frozenset({"slack.com", "www.slack.com", "slack-gov.com"})
# Codes of what we made wrong.
_MALFORMED: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_too_long"})
# Codes of "not now": the same call may do later.
_TRANSIENT: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited"}
)


class Client(ApiClient):
    """`api_url` ends with a slash."""

    def __init__(self, api_url: str, *, timeout: float = TIMEOUT) -> None:
        super().__init__(timeout)
        self.api_url = api_url
        self._urls = {name: api_url + name for name in METHODS}
        self._hooks = url_prefix(api_url, "hooks")
        self._files = url_prefix(api_url, "files")
        self._rehearsed = _loopback(api_url)  # a pretend Slack, which may have its hooks on another port

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
        return await self._call(method, arguments, {"Authorization": f"Bearer {token}"}, timeout)

    async def call_without_token(self, method: str, arguments: Mapping[str, Any]) -> ApiResult:
        """One call of a method that takes no token: the exchange of a code for one."""
        return await self._call(method, arguments, {})

    async def _call(
        self, method: str, arguments: Mapping[str, Any], headers: Mapping[str, str], timeout: float | None = None
    ) -> ApiResult:
        body: Any = arguments
        if METHODS[method].json:
            body, headers = orjson.dumps(arguments), {**headers, **JSON_HEADERS}
        return await self._send("POST", self._urls[method], body, headers, timeout, _reply)

    async def respond(self, url: str, body: Mapping[str, Any], *, timeout: float | None = None) -> ApiResult:
        """Posts to a response URL; `foreign_url` where it is not Slack's."""
        if not self.is_response_url(url):
            return ApiResult(False, "foreign_url")
        return await self._send("POST", url, orjson.dumps(body), JSON_HEADERS, timeout, _reply)


def _reply(status: int, retry_after: str | None, body: bytes) -> ApiResult:
    data = parse_object(body)
    if data is None:  # a response URL answers with a word, or nothing
        data = {"ok": status == 200} if body.strip() in {b"ok", b""} else {}
    error = data.get("error")
    code = error if isinstance(error, str) and error else f"http_{status}" if status != 200 else "not_json"
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return ApiResult(False, "ratelimited", data, seconds(retry_after), transient=True)
    if status >= 500:
        return ApiResult(False, code, data, transient=True)
    if status == 200 and data.get("ok") is True:
        return ApiResult(True, "", data)
    transient = code in _TRANSIENT or (status == 200 and code == "not_json")
    return ApiResult(False, code, data, transient=transient, malformed=code in _MALFORMED)


def url_prefix(api_url: str, subdomain: str) -> str:
    """Where the addresses of `hooks` (response URLs) or `files` must begin: `https://slack.com/api/` has them at
    `https://hooks.slack.com/`, any other API at its own origin."""
    parts = urlsplit(api_url)
    if parts.hostname in _SLACK:
        return f"https://{subdomain}.{parts.hostname.removeprefix('www.')}/"
    return f"{parts.scheme}://{parts.netloc}/"


def _loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in {"127.0.0.1", "localhost", "::1"}
