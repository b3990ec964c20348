"""Files that people drop into their chat with the bot, read where Teams has put them.

Teams keeps them in the person's OneDrive and sends a URL that is valid for some minutes. It gets no token or cookie.
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4 (2026-11)
"""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from bot.downloads import download
from bot.teams.client import Client
from bot.variables import is_loopback
from handlers.framework.events import File
from handlers.framework.ports import FileGone

# Where SharePoint and OneDrive keep and take files, in Microsoft's public and government clouds.
HOSTS: Final = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".svc.ms", ".onedrive.com")
# An address that is used up, or too old, is refused in several ways.
_GONE: Final = frozenset({401, 403, 404, 410})


class Files:
    """`handlers.framework.ports.Files` for Teams. `local`: Teams and its files are only played on this machine."""

    def __init__(self, client: Client, *, local: bool) -> None:
        self._client = client
        self._local = local

    def trusted(self, url: str) -> bool:
        """Whether that is where Teams keeps or takes files."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError:
            return False
        if self._local and parts.scheme in {"http", "https"} and is_loopback(host):
            return True
        return parts.scheme == "https" and host.endswith(HOSTS) and parts.username is None and parts.port in {None, 443}

    async def read(self, file: File, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """As `handlers.framework.ports.Files.read`. The URL opens the file by itself, in its own tenant only."""
        if not self.trusted(file.ref):
            raise FileGone
        html = file.kind in {"html", "htm"}
        async for chunk in download(
            self._client.session, file.ref, limit, trusted=self.trusted, headers={}, html=html, gone=_GONE
        ):
            yield chunk
