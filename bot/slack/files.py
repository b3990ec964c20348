"""Reads files that people drop into the chat. A request carries the bot's token, so it is made to Slack's own hosts
alone, wherever a URL or a redirect leads.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from bot.chat.inbound import text_or_none
from bot.downloads import HtmlInsteadOfFile, download
from bot.slack.client import Client
from bot.slack.display import Display
from bot.slack.payloads import file_of
from bot.telemetry import logger
from handlers.framework.events import File
from handlers.framework.ports import FileGone, FileTooLarge, Unavailable

_log = logger(__name__)

LOOKING: Final = 1.0  # seconds, within an answer
_MISSING: Final = frozenset({"file_not_found", "file_deleted", "not_visible", "invalid_arguments", "access_denied"})


class Files:
    """`handlers.framework.ports.Files` for Slack."""

    def __init__(self, client: Client, display: Display) -> None:
        self._client = client
        self._display = display

    async def find(self, workspace: str, files: tuple[File, ...]) -> tuple[File, ...]:
        """The same files, those without a name completed from `files.info` where it knows them."""
        return tuple(await asyncio.gather(*(self._find(workspace, file) for file in files)))

    async def _find(self, workspace: str, file: File) -> File:
        if file.name:
            return file
        reply = await self._display.call(workspace, "files.info", {"file": file.ref}, timeout=LOOKING)
        found = reply.data.get("file")
        return file_of(file.id, found) if reply.ok and isinstance(found, dict) else file

    async def read(self, file: File, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """As `handlers.framework.ports.Files.read`. The workspace's own token decides what can be seen."""
        url, mime = await self._address(file, workspace, limit)
        token = await self._display.token(workspace)
        if token is None:
            raise FileGone
        content = download(
            self._client.session,
            url,
            limit,
            trusted=self._client.is_file_url,
            headers={"Authorization": f"Bearer {token}"},
            html=mime == "text/html",
        )
        try:
            async for chunk in content:
                yield chunk
        except HtmlInsteadOfFile:
            _log.warning("Slack answers with a page instead of a file: does the bot have files:read?")
            raise

    async def _address(self, file: File, workspace: str, limit: int) -> tuple[str, str]:
        """Where the content is, and what kind Slack says it is."""
        reply = await self._display.call(workspace, "files.info", {"file": file.ref})
        if reply.error in _MISSING:
            raise FileGone
        found = reply.data.get("file")
        if not reply.ok or not isinstance(found, dict):
            _log.warning("Slack does not say where a file is", error=reply.error)
            raise Unavailable(reply.error)
        known, mime = file_of(file.id, found), text_or_none(found, "mimetype") or ""
        url = text_or_none(found, "url_private_download") or text_or_none(found, "url_private") or ""
        if found.get("mode") == "tombstone" or not self._client.is_file_url(url):
            raise FileGone  # deleted, or kept by somebody else than Slack
        if known.size is not None and known.size > limit:
            raise FileTooLarge
        return url, mime
