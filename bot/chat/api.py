"""Calls to a platform, their results, retries, and what they mean for the outbox. One call is one request; errors of
the platform or the network are results, never exceptions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from yarl import URL

from bot.telemetry import logger
from store.engine.effects import Drop, InDoubt, Retry, SendResult, Sent

_log = logger(__name__)

TIMEOUT: Final = 8.0  # seconds; less than the outbox gives a send
CONNECTIONS: Final = 100
MOST_WAIT: Final = 3_600.0  # seconds of Retry-After that are believed
PAUSES: Final = (0.5, 2.0)  # seconds before the second and the third try
MOST_PAUSE: Final = 10.0
OFF: Final = Retry(None, "the store does not answer")


@dataclass(frozen=True, slots=True)
class ApiResult:
    """How a call went."""

    ok: bool
    error: str = ""  # the platform's code, else `http_500`, `unreachable`, `no_answer` or a code of the client's own
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the platform's answer
    after: float | None = None  # seconds that the platform asks to wait (429)
    transient: bool = False  # the same call may succeed later
    in_doubt: bool = False  # it was sent, and its answer was lost
    status: int = 0  # of HTTP; 0: there was no response
    malformed: bool = False  # the platform says that what we made can't be shown

    @property
    def id(self) -> str | None:
        """The id of what was created."""
        found = self.data.get("id")
        return found if isinstance(found, str) and found else None


STORE_UNAVAILABLE: Final = ApiResult(False, "store_unavailable", transient=True)


class ApiClient:
    """The HTTP session for a platform, open from its first call until `aclose`. `timeout` in seconds."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
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

    async def _send(
        self,
        method: str,
        url: str | URL,
        data: Any,
        headers: Mapping[str, str],
        timeout: float | None,
        read: Callable[[int, str | None, bytes], ApiResult],
    ) -> ApiResult:
        """Sends one request; `read` turns status, Retry-After and body into the result."""
        limit = aiohttp.ClientTimeout(total=timeout or self._timeout)
        try:
            async with self.session.request(
                method, url, data=data, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return read(response.status, response.headers.get("Retry-After"), await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL):
            return ApiResult(False, "unreachable", transient=True)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return ApiResult(False, "no_answer", transient=True, in_doubt=True)


def seconds(retry_after: str | None) -> float:
    """The seconds in a Retry-After header, at most `MOST_WAIT`; one where it can't be read."""
    try:
        return min(max(float(retry_after or 1), 0.0), MOST_WAIT)
    except ValueError:
        return 1.0


async def retry(attempt: Callable[[], Awaitable[ApiResult]], *, repeatable: bool) -> ApiResult:
    """Makes a call up to three times, waiting as the platform asks, `MOST_PAUSE` at most. One that is not `repeatable`
    is not made again once it is in doubt."""
    for pause in PAUSES:
        reply = await attempt()
        if reply.ok or not reply.transient or (reply.in_doubt and not repeatable):
            return reply
        await asyncio.sleep(min(reply.after or pause, MOST_PAUSE))
    return await attempt()


def delivery_of(platform: str, reply: ApiResult) -> SendResult:
    """The result for the outbox of a call that shows something. Raises `InDoubt`."""
    if reply.ok:
        return Sent()
    if reply.in_doubt:
        raise InDoubt(reply.error)
    if reply.transient:
        return Retry(reply.after, reply.error)
    if reply.malformed:
        details = reply.data.get("response_metadata")
        _log.error(
            "it refuses what we made", platform=platform, error=reply.error, status=reply.status, details=details
        )
    return Drop(reply.error)
