"""`POST /api/messages`: bytes in, through the SDK's check of the token, to the answer.

The SDK's own server is used, with its routing left out: everything it lets through comes to one function of ours. It
gets nothing to read but what its check needs, since it would answer a field of a wrong type with a traceback.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from bot.chat.types import Json
from bot.teams.keys import Keys
from bot.teams.sdk import Cloud, load
from bot.teams.settings import ENDPOINT, Settings
from bot.telemetry import logger
from bot.variables import is_loopback

HttpReply = tuple[int, Json | None]
Answer = Callable[[Json], Awaitable[HttpReply]]

_log = logger(__name__)

MOST_BODY: Final = 1_000_000  # bytes; Teams' own stay far below
BELIEVED: Final = 300.0  # seconds
MOST_TOKENS: Final = 1_000
LOGGED: Final = 60.0  # seconds between two lines about requests that were refused
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_UNSIGNED: Final = "The request carries no token of Microsoft's for this bot, or one that is too old."
_NOT_NOW: Final = "Microsoft's keys can't be had to check this request with; please send it again."
_NOT_HERE: Final = "Where no tokens are asked for, only this machine's own programs may post, and only JSON."
_TOO_LARGE: Final = f"The body must be smaller than {MOST_BODY} bytes."
_NO_JSON: Final = "The body must be a JSON object."
_BROKEN: Final = "Something went wrong here."


class _Seat:
    """The SDK's HTTP adapter: keeps the handler that the SDK registers, for our own route to call."""

    def __init__(self) -> None:
        self.handler: Any = None

    def register_route(self, method: str, path: str, handler: Any) -> None:
        self.handler = handler

    def serve_static(self, path: str, directory: str) -> None:
        """We serve no files."""


class Endpoint:
    """The route's handler. `answer` is told an activity whose sender was checked."""

    def __init__(self, settings: Settings, keys: Keys, cloud: Cloud, answer: Answer) -> None:
        parts = load()
        self._keys = None if settings.unauthenticated else keys
        self._answer = answer
        self._seat = _Seat()
        self._logged = float("-inf")
        server = parts.server(self._seat, messaging_endpoint=ENDPOINT)
        server.on_request = self._checked
        credentials = None
        if settings.client_id:
            credentials = parts.credentials(
                client_id=settings.client_id, client_secret=settings.client_secret or "", tenant_id=settings.tenant_id
            )
        server.initialize(credentials=credentials, dangerously_allow_unauthenticated_requests=settings.unauthenticated)
        if self._keys is not None:
            server._token_validator = _Check(settings.client_id or "", self._keys, cloud)

    async def handle(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) >= MOST_BODY:
            return _respond(413, _error(_TOO_LARGE))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._keys is None and not _from_here(request):
            return _respond(403, _error(_NOT_HERE))
        if self._keys is not None:
            known = await self._keys.look(token)
            if known != "known":
                self._refused(known)
                return _respond(503, _error(_NOT_NOW)) if known == "unreachable" else _respond(401, _error(_UNSIGNED))
        try:
            activity = orjson.loads(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return _respond(413, _error(_TOO_LARGE))
        except orjson.JSONDecodeError:
            activity = None
        if not isinstance(activity, dict):
            return _respond(400, _error(_NO_JSON))
        service = activity.get("serviceUrl")
        body: Json = {"activity": activity, **({"serviceUrl": service} if isinstance(service, str) else {})}
        headers = {"authorization": request.headers.get("Authorization", "")}
        answer = await self._seat.handler({"body": body, "headers": headers})
        if answer["status"] == 401:
            self._refused("token")
            return _respond(401, _error(_UNSIGNED))
        return _respond(answer["status"], answer["body"])

    async def _checked(self, event: Any) -> Json:
        """The SDK's `on_request`."""
        try:
            status, body = await self._answer(event.body.model_extra["activity"])
        except Exception:  # noqa: BLE001 - the SDK would log it with what people wrote
            _log.exception("an activity could not be answered")
            status, body = 500, _error(_BROKEN)
        return {"status": status, "body": body}

    def _refused(self, why: str) -> None:
        """Says so now and then: a wrong setting must be found, and a flood must not fill the log."""
        now = time.monotonic()
        if now - self._logged > LOGGED:
            self._logged = now
            _log.warning("requests are refused", why=why, hint="TEAMS_CLIENT_ID is the app that Teams calls")


def _from_here(request: web.Request) -> bool:
    """Whether no page in a browser can be behind a request: one of another origin could not post JSON unasked, one
    whose name was made to point here would be named as the host."""
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return False
    return request.content_type == "application/json" and is_loopback(host) and "Origin" not in request.headers


class _Check:
    """The SDK's check of a token, with our keys and the cloud's issuer, and one thing more than it asks for: an end.

    The SDK has no public way in for either. Its version is pinned, and the tests of bad tokens hold this to it.
    """

    def __init__(self, app: str, keys: Keys, cloud: Cloud) -> None:
        self._validator = load().validator.for_service(app)
        self._validator.options.valid_issuers = [cloud.issuer]
        self._validator._jwks_client = keys
        self._good: dict[tuple[str, str | None], float] = {}  # until when

    async def validate_token(self, raw_token: str, service_url: str | None = None) -> None:
        """Returns where the token is good; raises where it is not. Teams uses one for an hour: found good, it is not
        looked at again for a while, which saves half the work of an activity."""
        now = time.time()
        if self._good.get((raw_token, service_url), 0.0) > now:
            return
        claims = await self._validator.validate_token(raw_token, service_url)
        end = claims.get("exp")
        if not isinstance(end, int | float):
            raise TypeError("a token without an end")
        if len(self._good) >= MOST_TOKENS:
            self._good.clear()
        self._good[raw_token, service_url] = min(now + BELIEVED, end)


def _error(why: str) -> Json:
    return {"error": why}


def _respond(status: int, body: object) -> web.Response:
    if body is None:
        return web.Response(status=status)
    return web.Response(status=status, body=orjson.dumps(body), headers=_JSON)
