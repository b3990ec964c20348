"""Microsoft's published keys, which the tokens of what Teams posts are signed with."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import aiohttp
import jwt

from bot.telemetry import logger

_log = logger(__name__)

LIFE: Final = 12 * 3_600.0  # seconds; Microsoft asks for a fetch at least once a day
PAUSE: Final = 30.0  # seconds between two fetches for unknown keys
TIMEOUT: Final = 2.5  # seconds
MOST_BYTES: Final = 1_000_000


class Keys:
    """The keys by their ids. `jwt.PyJWKClient` would fetch them with a call that stops the whole process."""

    def __init__(
        self, url: str, session: Callable[[], aiohttp.ClientSession], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._asked: float | None = None
        self._fetching: asyncio.Task[bool] | None = None

    def is_current(self, key: jwt.PyJWK) -> bool:
        """Whether a key is of the last fetch, and that was less than `LIFE` ago."""
        return not self._is_stale() and self._keys.get(key.key_id or "") is key

    async def find(self, token: str) -> jwt.PyJWK:
        """The key that a token names; keys are fetched where it is unknown or they are stale.

        Raises:
            jwt.PyJWKClientConnectionError: Microsoft's keys can't be fetched just now.
            jwt.PyJWTError, ValueError, RecursionError: the token names no key of Microsoft's.
        """
        kid = jwt.get_unverified_header(token).get("kid", "")
        if kid not in self._keys or self._is_stale():
            if self._asked is None or self._clock() - self._asked > PAUSE or self._fetching is not None:
                fetched = await self._fetch()
            else:
                fetched = self._fetched is not None
            if kid not in self._keys:  # a known key stays valid where keys can't be fetched just now
                raise jwt.PyJWKClientError("no such key") if fetched else jwt.PyJWKClientConnectionError("no keys")
        return self._keys[kid]

    def _is_stale(self) -> bool:
        return self._fetched is None or self._clock() - self._fetched > LIFE

    async def _fetch(self) -> bool:
        """Fetches the keys, once for all who wait; whether it succeeded."""
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
        return True
