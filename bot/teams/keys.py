"""Microsoft's published keys, which the tokens of what Teams posts are signed with.

The SDK would fetch them where it needs them, with a call that stops the whole process for up to 30 s, at the asking of
anybody who posts a token. So they are fetched here, and given to its check.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Literal

import aiohttp
import jwt

from bot.telemetry import logger

_log = logger(__name__)

LIFE: Final = 12 * 3_600.0  # seconds; Microsoft asks for a look once a day at least
PAUSE: Final = 30.0  # seconds between two looks that unknown keys ask for
TIMEOUT: Final = 2.5  # seconds
MOST_TOKENS: Final = 1_000
MOST_BYTES: Final = 1_000_000

KeyLookup = Literal["known", "unknown", "unreachable"]


class Keys:
    """What the SDK's check takes for a `jwt.PyJWKClient`, without its network."""

    def __init__(
        self, url: str, session: Callable[[], aiohttp.ClientSession], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._named: set[str] = set()  # tokens that name one of them; Teams uses one for an hour
        self._fetched: float | None = None
        self._asked: float | None = None
        self._fetching: asyncio.Task[bool] | None = None

    async def look(self, token: str) -> KeyLookup:
        """Whether the key that a token names is at hand, after a look at Microsoft's where it may be new."""
        now = self._clock()
        stale = self._fetched is None or now - self._fetched > LIFE
        if token in self._named and not stale:
            return "known"
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError:
            return "unknown"
        if not isinstance(kid, str) or len(kid) > 200:
            return "unknown"
        if kid in self._keys and not stale:
            if len(self._named) >= MOST_TOKENS:
                self._named.clear()
            self._named.add(token)
            return "known"
        if self._asked is None or now - self._asked > PAUSE or self._fetching is not None:
            fetched = await self._fetch()
        else:
            fetched = self._fetched is not None
        if kid in self._keys:  # one that can't be renewed just now is good all the same
            return "known"
        return "unknown" if fetched else "unreachable"

    async def _fetch(self) -> bool:
        """One fetch, whoever waits for it; whether it succeeded."""
        if self._fetching is None:
            self._asked = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._get())
            self._fetching.add_done_callback(self._done)
        return await asyncio.shield(self._fetching)

    def _done(self, _task: object) -> None:
        self._fetching = None

    async def _get(self) -> bool:
        try:
            limit = aiohttp.ClientTimeout(total=TIMEOUT)
            async with self._session().get(self._url, timeout=limit, allow_redirects=False) as answer:
                answer.raise_for_status()
                raw = await answer.content.read(MOST_BYTES)
            found = jwt.PyJWKSet.from_json(raw.decode())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, jwt.PyJWTError) as error:
            _log.warning("Microsoft's keys could not be fetched", why=type(error).__name__)
            self._asked = self._clock() - PAUSE + 1.0  # again soon, though not at every request
            return False
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._fetched = self._clock()
        self._named.clear()
        return True

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """`jwt.PyJWKClient`'s; raises its error where the key is not at hand."""
        key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise jwt.PyJWKClientError("no such key")
        return key
