"""Socket Mode: the same payloads over a connection that we open, for workspaces that can't reach us."""

import asyncio
import logging
from typing import Final

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.work import Work

PING: Final = 10.0  # seconds; a connection silent for four times as long is made anew


class Sockets(AsyncSocketModeHandler):
    """Bolt's handler, with its answers tracked: stopping lets each of them out first."""

    def __init__(self, app: AsyncApp, app_token: str, client: AsyncWebClient, work: Work) -> None:
        super().__init__(app, app_token, logger=_log(), web_client=client, ping_interval=PING)
        self._work = work
        self._connecting: asyncio.Task[None] | None = None

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override] # as Bolt's own
        await self._work.start(super().handle(client, req))

    def start(self) -> None:
        """Connects in the background, for as long as it takes."""
        self._connecting = asyncio.get_running_loop().create_task(self.client.connect())  # type: ignore[no-untyped-call] # the SDK's

    @property
    def connected(self) -> bool:
        session = self.client.current_session
        return session is not None and not session.closed

    async def stop(self) -> None:
        """Hangs up."""
        self.client.closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self.client.current_session is not None:
            await self.client.close()  # type: ignore[no-untyped-call] # the SDK's
        else:
            self.client.message_processor.cancel()
            await self.client.aiohttp_client_session.close()


def _log() -> logging.Logger:
    log = logging.getLogger("slack_bolt.sockets")
    log.setLevel(logging.ERROR)
    if not log.filters:
        log.addFilter(OneLine())
    return log


class OneLine(logging.Filter):
    """The client logs a traceback for every connection that fails; a line is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True
