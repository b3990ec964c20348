"""Files that people drop into the chat, read from Slack.

The bot's token goes with a request for a file, so it goes to Slack's own hosts alone, wherever an address or a
redirect may lead.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp

from bot.slack.client import Client
from bot.slack.display import Display
from bot.slack.payloads import PLATFORM, file_of
from bot.telemetry import logger
from handlers.ports import Gone, TooLarge, Unavailable
from handlers.vocabulary import File

_log = logger(__name__)

LOOKING: Final = 1.0  # seconds, within an answer
CHUNK: Final = 64 * 1024  # bytes
WAITING: Final = 120.0  # seconds of waiting for a whole file
REDIRECTS: Final = 3
_QUIET: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=10.0)
_MISSING: Final = frozenset({"file_not_found", "file_deleted", "not_visible", "invalid_arguments", "access_denied"})
_REDIRECT: Final = frozenset({301, 302, 303, 307, 308})
_HTML: Final = "text/html"


class Files:
    """`handlers.ports.Files` for Slack."""

    def __init__(self, client: Client, display: Display) -> None:
        self._client = client
        self._display = display

    async def look(self, workspace: str, files: tuple[File, ...]) -> tuple[File, ...]:
        """The same files with what `files.info` says of those that have no name; unchanged where it says nothing."""
        return tuple(await asyncio.gather(*(self._looked(workspace, file) for file in files)))

    async def _looked(self, workspace: str, file: File) -> File:
        if file.name:
            return file
        reply = await self._display.call(workspace, "files.info", {"file": file.ref}, timeout=LOOKING)
        found = reply.data.get("file")
        return file_of(file.id, found) if reply.ok and isinstance(found, dict) else file

    async def read(self, file: File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """As `handlers.ports.Files.read`. The workspace's own token decides what can be seen."""
        if platform != PLATFORM:
            raise Gone
        url, mime = await self._address(file, workspace, limit)
        token = await self._display.token(workspace)
        if token is None:
            raise Gone
        clock, seen = asyncio.get_running_loop().time, 0
        waited, since = 0.0, clock()
        try:
            async with self._get(url, token) as response:
                if response.content_type == _HTML and mime != _HTML:
                    _log.warning("Slack answers with a page instead of a file: does the bot have files:read?")
                    raise Unavailable("a page instead of the file")
                async for chunk in response.content.iter_chunked(CHUNK):
                    seen, waited = seen + len(chunk), waited + clock() - since
                    if seen > limit:
                        raise TooLarge
                    if waited > WAITING:
                        raise Unavailable("too slow")
                    yield chunk
                    since = clock()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(type(error).__name__) from None

    async def _address(self, file: File, workspace: str, limit: int) -> tuple[str, str]:
        """Where the content is, and what kind Slack says it is."""
        reply = await self._display.call(workspace, "files.info", {"file": file.ref})
        if reply.error in _MISSING:
            raise Gone
        found = reply.data.get("file")
        if not reply.ok or not isinstance(found, dict):
            _log.warning("Slack does not say where a file is", error=reply.error)
            raise Unavailable(reply.error)
        known, mime = file_of(file.id, found), _text(found, "mimetype")
        url = _text(found, "url_private_download") or _text(found, "url_private")
        if found.get("mode") == "tombstone" or not self._client.keeps_files(url):
            raise Gone  # deleted, or kept by somebody else than Slack
        if known.size is not None and known.size > limit:
            raise TooLarge
        return url, mime

    @asynccontextmanager
    async def _get(self, url: str, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response with the content. Redirects are followed as long as they stay with Slack."""
        headers = {"Authorization": f"Bearer {token}"}
        for _ in range(REDIRECTS + 1):
            async with self._client.session.get(
                url, headers=headers, timeout=_QUIET, allow_redirects=False
            ) as response:
                if response.status in _REDIRECT:
                    url = urljoin(url, response.headers.get("Location", ""))
                    if not self._client.keeps_files(url):
                        break
                    continue
                if response.status in {404, 410}:
                    raise Gone
                if response.status != 200:
                    raise Unavailable(f"http_{response.status}")
                yield response
                return
        raise Unavailable("led away")


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""
