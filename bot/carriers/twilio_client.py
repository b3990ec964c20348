"""Twilio's own client with a transport of ours: every request ends in time, only reads are repeated, and an error says
whether the change may have been made.

The SDK's async client ignores its timeout and repeats POSTs, which can buy twice. Paths, parameters, paging and shapes
are the SDK's. Neither credentials nor numbers reach a log from here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from bot.settings import Twilio
from bot.telemetry import logger
from handlers.framework.ports import CarrierRefusal, RefusalReason, Unavailable
from store.engine.effects import InDoubt

LONG: Final = 8.0  # seconds for a request with its repeats; shorter than any lease it is sent under
TRIES: Final = 3  # of a read
PAUSE: Final = 0.1  # seconds before the second; doubled before the third
CONNECT: Final = 1.5  # seconds
MOST_CONNECTIONS: Final = 20
_ASK_LATER: Final = 60.0  # seconds to wait after a 429 without Retry-After
_SIGN_IN: Final = 300.0  # seconds between tries while Twilio refuses our account and token
_BUDGET: ContextVar[float] = ContextVar("twilio_budget", default=LONG)

# https://www.twilio.com/docs/api/errors, 2026-11
_REASONS: Final[dict[int, RefusalReason]] = {
    21422: "sold",
    21613: "address",
    21615: "address",
    21631: "address",
    21649: "papers",
    21650: "papers",
    20404: "unknown",
    21450: "known",
}

_LOG = logger(__name__)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound each request inside to so many seconds."""
    token = _BUDGET.set(seconds)
    try:
        yield
    finally:
        _BUDGET.reset(token)


class Transport(AsyncHttpClient):  # type: ignore[misc] # the SDK carries no types
    """Sends the SDK's requests over one shared session.

    Raises:
        Unavailable: the request did not arrive, Twilio wants to be asked later, or a read got no answer.
        InDoubt: a change may have been made; there was no answer.
    """

    def __init__(self) -> None:
        self.is_async = True
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """The SDK's call. `timeout`: instead of what `within` says."""
        ends = asyncio.get_running_loop().time() + (timeout or _BUDGET.get())
        reads, verb = method.upper() == "GET", method.upper()
        for left in reversed(range(TRIES if reads else 1)):
            try:
                return await self._once(verb, url, params, data, headers, auth, ends, left)
            except Unavailable as failure:
                pause = failure.after if failure.after is not None else PAUSE * 2 ** (TRIES - 1 - left)
                if left == 0 or asyncio.get_running_loop().time() + pause >= ends:
                    _LOG.warning("carrier.unavailable", method=verb, what=_resource(url), reason=str(failure))
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _once(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None,
        data: dict[str, Any] | None,
        headers: dict[str, str] | None,
        auth: tuple[str, str] | None,
        ends: float,
        left: int,
    ) -> Response:
        if auth:
            headers = {**(headers or {}), "Authorization": aiohttp.encode_basic_auth(*auth)}
        reads, rest = method == "GET", ends - asyncio.get_running_loop().time()
        # A read that hangs leaves time for another one.
        total = max(0.05, rest * 0.6 if reads and left else rest)
        try:
            async with self._open().request(
                method,
                url,
                params=_strings(params),
                data=_strings(data),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=total, sock_connect=min(CONNECT, total)),
                allow_redirects=False,
            ) as answer:
                text = (await answer.read()).decode("utf-8", "replace")
                return _response(reads, method, url, answer.status, answer.headers.get("Retry-After"), text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unavailable(f"can't be reached: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if reads:
                raise Unavailable(f"no answer: {type(error).__name__}") from None
            _LOG.warning("carrier.in_doubt", method=method, what=_resource(url), reason=type(error).__name__)
            raise InDoubt(f"no answer: {type(error).__name__}") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS))
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


def _response(reads: bool, method: str, url: str, status: int, retry_after: str | None, text: str) -> Response:
    if status == 429:
        after = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else _ASK_LATER
        raise Unavailable("asked too often (429)", after)
    if status == 401:
        raise Unavailable("refuses our account and token (401)", _SIGN_IN)
    if status >= 500 or 300 <= status < 400:
        if reads:
            raise Unavailable(f"answered {status}")
        _LOG.warning("carrier.in_doubt", method=method, what=_resource(url), reason=f"answered {status}")
        raise InDoubt(f"answered {status}")
    return Response(status, text)


def _strings(values: dict[str, Any] | None) -> dict[str, str] | None:
    """Parameters as text, without those that are None; booleans as Twilio writes them."""
    if values is None:
        return None
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items() if v is not None}


def _resource(url: str) -> str:
    """The resource's path without account, ids and query, for logs."""
    path = url.partition("?")[0].rpartition("/Accounts/")[2]
    return "/".join(part for part in path.split("/")[1:] if part[:2] not in ("PN", "AC", "CA", "SM"))


def connect(settings: Twilio) -> tuple[Client, Transport]:
    """The SDK's client and its transport, which must be closed at the end."""
    transport = Transport()
    # An empty environment: TWILIO_EDGE and TWILIO_REGION would change the SDK's host.
    client = Client(settings.account_sid, settings.auth_token, http_client=transport, environment={"": ""})
    if settings.api_url:
        client.api.base_url = settings.api_url.rstrip("/")
    return client, transport


@contextmanager
def translate_errors(changes: bool, seconds: float | None = None) -> Iterator[None]:
    """Turn the SDK's errors into `CarrierRefusal`. An unreadable answer raises InDoubt if the request `changes`
    something, else Unavailable. `seconds` bounds each request; None keeps the bound of `within`."""
    with within(_BUDGET.get() if seconds is None else seconds):
        try:
            yield
        except TwilioRestException as error:
            code = error.code if isinstance(error.code, int) else error.status
            reason: RefusalReason = "unknown" if error.status == 404 else _REASONS.get(code, "other")
            raise CarrierRefusal(code, str(error.msg)[:200], reason) from None
        except (TwilioException, ValueError, TypeError, KeyError, AttributeError) as error:
            if changes:
                raise InDoubt(f"an answer that is none: {type(error).__name__}") from None
            raise Unavailable(f"an answer that is none: {type(error).__name__}") from None
