"""Calls to the Bot Framework connector's REST API, at the service URL that comes with every activity.

One call is one request; only a call whose token was refused is repeated, with a new one. Errors of an `ApiResult` are
Teams' codes, `http_500` and the like, `unreachable`, `no_answer` or `no_token`. The SDK's client is not used: it blocks
the process while it fetches a token, and tells neither unsent requests from lost answers nor Retry-After.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import orjson
from yarl import URL

from bot.chat.api import TIMEOUT, ApiClient, ApiResult, seconds
from bot.chat.inbound import JSON_HEADERS, parse_object
from bot.chat.types import Json
from bot.telemetry import logger

_log = logger(__name__)

TOKEN_TIMEOUT: Final = 4.0  # seconds
_TARGETED: Final = "?isTargetedActivity=true"
EARLY: Final = 300.0  # seconds before its end that a token is renewed
# Microsoft's own list of what to repeat, beside 429 and 5xx.
_TRANSIENT: Final = frozenset({408, 412})


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where Microsoft's services are: the public ones, but in tests."""

    login: str = "https://login.microsoftonline.com"
    keys: str = "https://login.botframework.com/v1/.well-known/keys"
    issuer: str = "https://api.botframework.com"
    service: str = "https://smba.trafficmanager.net/teams"


PUBLIC: Final = Cloud()


class Client(ApiClient):
    """The connector's client. `app` None: Teams is only played on this machine, and takes no token."""

    def __init__(
        self,
        app: str | None,
        secret: str | None,
        tenant: str | None,
        cloud: Cloud = PUBLIC,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(timeout)
        self._tokens = _Tokens(app, secret or "", tenant, cloud, self._send) if app else None

    async def aclose(self) -> None:
        if self._tokens is not None:
            await self._tokens.stop()
        await super().aclose()

    async def sign_in(self) -> ApiResult:
        """Asks Microsoft for a token; whether there is one."""
        return ApiResult(True) if self._tokens is None else await self._tokens.get(renew=True)

    async def open(self, service: str, tenant: str, bot: str, user: str) -> ApiResult:
        """Opens the chat of a user with the bot, or finds it; `ApiResult.id` is the conversation's."""
        body = {
            "bot": {"id": bot},
            "members": [{"id": user}],
            "isGroup": False,
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        return await self._call("POST", _url(service), body)

    async def post(self, service: str, conversation: str, activity: Json, *, to: str | None = None) -> ApiResult:
        """Posts a message; `to`: visible to that user of the conversation alone."""
        url = _url(service, conversation, "activities")
        if to is not None:
            url += _TARGETED
            activity = {**activity, "recipient": {"id": to}}
        return await self._call("POST", url, activity)

    async def update(
        self, service: str, conversation: str, id: str, activity: Json, *, targeted: bool = False
    ) -> ApiResult:
        """Replaces the content of a message of ours; `targeted`: it is visible to one user alone."""
        url = _url(service, conversation, "activities", id)
        return await self._call("PUT", url + _TARGETED if targeted else url, activity)

    async def delete(self, service: str, conversation: str, id: str) -> ApiResult:
        """Deletes a message of ours."""
        return await self._call("DELETE", _url(service, conversation, "activities", id), None)

    async def member(self, service: str, conversation: str, user: str, *, timeout: float) -> ApiResult:
        """What the roster of a conversation says of a user."""
        return await self._call("GET", _url(service, conversation, "members", user), None, timeout)

    async def _call(self, method: str, url: str, body: Json | None, timeout: float | None = None) -> ApiResult:
        limit = timeout or self._timeout
        began = time.monotonic()
        if self._tokens is None:
            return await self._request(method, url, body, {}, limit)
        reply = ApiResult(False, "no_token", status=401)
        for renew in (False, True):
            token = await self._tokens.get(renew=renew)
            if not token.ok:
                return token
            left = limit - (time.monotonic() - began)
            if left <= 0:
                return ApiResult(False, error="no_token", transient=True)
            headers = {"Authorization": f"Bearer {token.data['token']}"}
            reply = await self._request(method, url, body, headers, left)
            if reply.status != 401:
                break
        return reply

    async def _request(
        self, method: str, url: str, body: Json | None, headers: Mapping[str, str], timeout: float
    ) -> ApiResult:
        data = None
        if body is not None:
            data, headers = orjson.dumps(body), {**headers, **JSON_HEADERS}
        return await self._send(method, URL(url, encoded=True), data, headers, timeout, _reply)


class _Tokens:
    """The bot's own token, fetched with its id and secret and kept until shortly before it expires."""

    def __init__(
        self, app: str, secret: str, tenant: str | None, cloud: Cloud, send: Callable[..., Awaitable[ApiResult]]
    ) -> None:
        self._form = {
            "grant_type": "client_credentials",
            "client_id": app,
            "client_secret": secret,
            "scope": f"{cloud.issuer}/.default",
        }
        self._url = f"{cloud.login}/{quote(tenant or 'botframework.com', safe='')}/oauth2/v2.0/token"
        self._send = send
        self._kept: tuple[float, ApiResult] | None = None  # with when it is renewed, by `time.monotonic`
        self._asking: asyncio.Task[ApiResult] | None = None
        self._asked = float("-inf")

    async def get(self, *, renew: bool = False) -> ApiResult:
        """The token, as `data["token"]`; all who wait share one request. `renew`: the one we have was refused."""
        now = time.monotonic()
        if self._kept is not None and now < self._kept[0] and not (renew and now - self._asked > 1.0):
            return self._kept[1]
        if self._asking is None:
            self._asked = now
            self._asking = asyncio.get_running_loop().create_task(self._ask())
            self._asking.add_done_callback(self._done)
        return await asyncio.shield(self._asking)

    async def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _done(self, _task: object) -> None:
        self._asking = None

    async def _ask(self) -> ApiResult:
        reply = await self._send("POST", self._url, self._form, {}, TOKEN_TIMEOUT, _reply)
        if reply.status == 0:
            _log.warning("Microsoft's sign-in does not answer", why=reply.error)
            return ApiResult(False, "no_token", transient=True)
        token, life = reply.data.get("access_token"), reply.data.get("expires_in")
        if not (reply.ok and isinstance(token, str) and isinstance(life, int | float)):
            why = reply.data.get("error")
            _log.error("Microsoft refuses TEAMS_CLIENT_ID and TEAMS_CLIENT_SECRET", status=reply.status, error=why)
            # Transient: once the setting is corrected the next try succeeds.
            return ApiResult(False, "no_token", after=reply.after, transient=True, status=reply.status)
        good = ApiResult(True, data={"token": token})
        self._kept = (time.monotonic() + max(life - EARLY, life / 2), good)
        return good


def _reply(status: int, retry_after: str | None, body: bytes) -> ApiResult:
    data = parse_object(body) or {}
    if 200 <= status < 300:
        return ApiResult(True, data=data, status=status)
    error = data.get("error")
    named = error.get("code") if isinstance(error, dict) else None
    code = named if isinstance(named, str) and named else f"http_{status}"
    if status == 429:
        return ApiResult(False, code, data, seconds(retry_after), transient=True, status=status)
    # A 401 ends once somebody corrects settings or keys; after a 504 the request may have been carried out.
    transient = status >= 500 or status in _TRANSIENT or status == 401
    malformed, in_doubt = status in {400, 413}, status == 504
    return ApiResult(False, code, data, None, transient, in_doubt, status, malformed)


def _url(service: str, *segments: str) -> str:
    """The URL of the conversations, or of what the path segments name. Teams' own punctuation in ids stays as it is."""
    quoted = (quote(segment, safe=":@;=!$'()*,~") for segment in segments)
    return "/".join((f"{service.rstrip('/')}/v3/conversations", *quoted))


def is_service_url(service: str) -> bool:
    """Whether a text has the form of a service URL."""
    try:
        parts = urlsplit(service)
        _ = parts.port
    except ValueError:
        return False
    plain = service.isascii() and service.isprintable() and " " not in service and len(service) <= 500
    return plain and parts.scheme in {"https", "http"} and bool(parts.hostname) and not (parts.query or parts.fragment)
