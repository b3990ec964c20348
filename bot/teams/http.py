"""`POST /api/messages`: bytes in, through the check of the token, to the answer.

The SDK's own server is used, with its check and its routing left out: what we let through comes to one function of
ours. It gets nothing to read, since it would answer a field of a wrong type with a traceback.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import jwt
import orjson
from aiohttp import web

from bot.settings import Teams as Settings
from bot.settings import is_loopback
from bot.teams.keys import Keys
from bot.teams.sdk import Cloud, load
from bot.telemetry import logger

Json = dict[str, Any]
HttpReply = tuple[int, Json | None]
Answer = Callable[[Json], Awaitable[HttpReply]]

_log = logger(__name__)

ENDPOINT: Final = "/api/messages"
MOST_BODY: Final = 1_000_000  # bytes; Teams' own stay far below
BELIEVED: Final = 300.0  # seconds
LEEWAY: Final = 300  # seconds that clocks may differ by
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
        self._check = None if settings.unauthenticated else _Check(settings.client_id or "", keys, cloud)
        self._answer = answer
        self._seat = _Seat()
        self._logged = float("-inf")
        server = load().server(self._seat, messaging_endpoint=ENDPOINT)
        server.on_request = self._checked
        server.initialize(dangerously_allow_unauthenticated_requests=True)  # `handle` has checked them

    async def handle(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) >= MOST_BODY:
            return _respond(413, _error(_TOO_LARGE))
        token = None
        if self._check is None:
            if not _from_here(request):
                return _respond(403, _error(_NOT_HERE))
        else:
            try:
                token = await self._check.verify(request.headers.get("Authorization", ""))
            except jwt.PyJWKClientConnectionError:
                return self._refuse(503, "unreachable", _NOT_NOW)
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
                return self._refuse(401, type(error).__name__, _UNSIGNED)
        try:
            activity = orjson.loads(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return _respond(413, _error(_TOO_LARGE))
        except orjson.JSONDecodeError:
            activity = None
        if not isinstance(activity, dict):
            return _respond(400, _error(_NO_JSON))
        service = activity.get("serviceUrl")
        if token and isinstance(service, str) and service and token.service != service.rstrip("/"):
            return self._refuse(401, "another service", _UNSIGNED)
        answer = await self._seat.handler({"body": {"activity": activity}, "headers": {}})
        return _respond(answer["status"], answer["body"])

    async def _checked(self, event: Any) -> Json:
        """The SDK's `on_request`."""
        try:
            status, body = await self._answer(event.body.model_extra["activity"])
        except Exception:  # noqa: BLE001 - the SDK would log it with what people wrote
            _log.exception("an activity could not be answered")
            status, body = 500, _error(_BROKEN)
        return {"status": status, "body": body}

    def _refuse(self, status: int, why: str, sentence: str) -> web.Response:
        """Logs it now and then: a wrong setting must be found, and a flood must not fill the log."""
        now = time.monotonic()
        if now - self._logged > LOGGED:
            self._logged = now
            _log.warning("requests are refused", why=why, hint="TEAMS_CLIENT_ID is the app that Teams calls")
        return _respond(status, _error(sentence))


def _from_here(request: web.Request) -> bool:
    """Whether no page in a browser can be behind a request: one of another origin could not post JSON unasked, one
    whose name was made to point here would be named as the host."""
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return False
    return request.content_type == "application/json" and is_loopback(host) and "Origin" not in request.headers


class _Token(NamedTuple):
    """What a token that is good says."""

    until: float  # when it is looked at again
    service: str | None  # the service that it is for, without a slash at the end
    key: jwt.PyJWK


class _Check:
    """Whether Microsoft made a token, for this bot, and it has not ended.
    https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """

    def __init__(self, app: str, keys: Keys, cloud: Cloud) -> None:
        self._audience = [app, f"api://{app}", f"api://botid-{app}"]
        self._issuer = cloud.issuer
        self._keys = keys
        self._good: dict[str, _Token] = {}

    async def verify(self, authorization: str) -> _Token:
        """The token in a header. Teams uses one for an hour: found good, it is not looked at again for a while.

        Raises:
            jwt.PyJWKClientConnectionError: Microsoft's keys can't be had just now.
            jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError: it is not good.
        """
        now = time.time()
        good = self._good.get(authorization)
        if good is not None and good.until > now and self._keys.is_current(good.key):
            return good
        scheme, _, raw = authorization.partition(" ")
        if scheme != "Bearer":
            raise jwt.InvalidTokenError("no bearer token")
        key = await self._keys.find(raw)
        claims = jwt.decode(
            raw, key, ["RS256"], {"require": ["exp"]}, audience=self._audience, issuer=self._issuer, leeway=LEEWAY
        )
        service = claims.get("serviceurl")
        service = service.rstrip("/") if isinstance(service, str) and service else None
        if len(self._good) >= MOST_TOKENS:
            self._good.clear()
        token = self._good[authorization] = _Token(min(now + BELIEVED, claims["exp"]), service, key)
        return token


def _error(why: str) -> Json:
    return {"error": why}


def _respond(status: int, body: object) -> web.Response:
    if body is None:
        return web.Response(status=status)
    return web.Response(status=status, body=orjson.dumps(body), headers=_JSON)
