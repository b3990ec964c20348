"""`POST /api/messages`: verifies a request's token, parses its body and answers it."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import jwt
from aiohttp import web

from bot.chat.inbound import TOO_LARGE, HttpReply, is_too_large, parse_object, read_body, refusal, to_response
from bot.chat.types import Json
from bot.teams.client import Cloud
from bot.teams.keys import Keys
from bot.teams.settings import Settings
from bot.telemetry import logger
from bot.variables import is_loopback

Answer = Callable[[Json], Awaitable[HttpReply]]

_log = logger(__name__)

BELIEVED: Final = 300.0  # seconds that a verified token counts as valid
LEEWAY: Final = 300  # seconds that clocks may differ by
MOST_TOKENS: Final = 1_000
LOGGED: Final = 60.0  # seconds between two lines about requests that were refused
_UNSIGNED: Final = refusal(401, "The request carries no token of Microsoft's for this bot, or one that is too old.")
_NO_KEYS: Final = refusal(503, "Microsoft's keys can't be had to check this request with; please send it again.")
_NOT_LOCAL: Final = refusal(
    403, "Where no tokens are asked for, only this machine's own programs may post, and only JSON."
)
_NOT_JSON: Final = refusal(400, "The body must be a JSON object.")
_FAILED: Final = refusal(500, "Something went wrong here.")


class Endpoint:
    """The route's handler. `answer` gets activities whose sender was verified."""

    def __init__(self, settings: Settings, keys: Keys, cloud: Cloud, answer: Answer) -> None:
        self._check = None if settings.unauthenticated else _Check(settings.client_id or "", keys, cloud)
        self._answer = answer
        self._logged = float("-inf")

    async def handle(self, request: web.Request) -> web.Response:
        return to_response(await self._reply(request))

    async def _reply(self, request: web.Request) -> HttpReply:
        if is_too_large(request):
            return TOO_LARGE
        token = None
        if self._check is None:
            if not _is_local(request):
                return _NOT_LOCAL
        else:
            try:
                token = await self._check.verify(request.headers.get("Authorization", ""))
            except jwt.PyJWKClientConnectionError:
                self._log_refusal("unreachable")
                return _NO_KEYS
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
                self._log_refusal(type(error).__name__)
                return _UNSIGNED
        raw = await read_body(request)
        if raw is None:
            return TOO_LARGE
        activity = parse_object(raw)
        if activity is None:
            return _NOT_JSON
        service = activity.get("serviceUrl")
        if token and isinstance(service, str) and service and token.service != service.rstrip("/"):
            self._log_refusal("another service")
            return _UNSIGNED
        try:
            return await self._answer(activity)
        except Exception:  # noqa: BLE001 - whatever it is, Teams must be answered
            _log.exception("an activity could not be answered")
            return _FAILED

    def _log_refusal(self, why: str) -> None:
        """At most once in `LOGGED` seconds: a wrong setting must be found, and a flood must not fill the log."""
        now = time.monotonic()
        if now - self._logged > LOGGED:
            self._logged = now
            _log.warning("requests are refused", why=why, hint="TEAMS_CLIENT_ID is the app that Teams calls")


def _is_local(request: web.Request) -> bool:
    """Whether a request comes from a program on this machine and from no web page: another origin's could not post JSON
    without CORS, and one that rebinds its DNS name to this machine shows it as the host."""
    try:
        host = urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return False
    return request.content_type == "application/json" and is_loopback(host) and "Origin" not in request.headers


class _Token(NamedTuple):
    """A valid token."""

    until: float  # when it is verified again; seconds since 1970
    service: str | None  # the service URL that it is for, without a slash at the end
    key: jwt.PyJWK


class _Check:
    """Verifies that a token is Microsoft's, for this bot, and not expired.
    https://learn.microsoft.com/en-us/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """

    def __init__(self, app: str, keys: Keys, cloud: Cloud) -> None:
        self._audience = [app, f"api://{app}", f"api://botid-{app}"]
        self._issuer = cloud.issuer
        self._keys = keys
        self._good: dict[str, _Token] = {}

    async def verify(self, authorization: str) -> _Token:
        """The token in an Authorization header. Teams uses one for an hour; a valid one is kept for `BELIEVED`.

        Raises:
            jwt.PyJWKClientConnectionError: Microsoft's keys can't be fetched just now.
            jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError: the token is not valid.
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
