"""`POST /api/messages`: bytes in, through the check of the token, to the answer."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import jwt
import orjson
from aiohttp import web

from bot.chat.types import Json
from bot.teams.cloud import Cloud
from bot.teams.keys import Keys
from bot.teams.settings import Settings
from bot.telemetry import logger
from bot.variables import is_loopback

HttpReply = tuple[int, Json | None]
Answer = Callable[[Json], Awaitable[HttpReply]]

_log = logger(__name__)

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


class Endpoint:
    """The route's handler. `answer` is told an activity whose sender was checked."""

    def __init__(self, settings: Settings, keys: Keys, cloud: Cloud, answer: Answer) -> None:
        self._check = None if settings.unauthenticated else _Check(settings.client_id or "", keys, cloud)
        self._answer = answer
        self._logged = float("-inf")

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
        try:
            return _respond(*await self._answer(activity))
        except Exception:  # noqa: BLE001 - whatever it is, Teams must be answered
            _log.exception("an activity could not be answered")
            return _respond(500, _error(_BROKEN))

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
