"""Socket Mode: the same payloads over a connection that we open, for workspaces that can't reach us.

Slack ends every connection after some hours: it sends `disconnect`, then payloads for about ten seconds more, and
closes. The SDK would close at once and reconnect, twice where Slack's close follows closely, and lose those payloads:
Slack repeats events, but neither commands nor presses. So a successor is opened beside the old connection, which stays
until Slack closes it. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from aiohttp import WSMessage
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.background_tasks import BackgroundTasks
from bot.slack.answers import Answers

PING: Final = 10.0  # seconds; a connection silent for four times as long is made anew
CONNECTING: Final = 15.0  # seconds an address is tried; within them the SDK tries twice
LINGER: Final = 15.0  # seconds an old connection stays beside its successor, if Slack does not close it
ACK: Final = 3.0  # seconds Slack waits for an answer
YOUNG: Final = 60.0  # seconds; successors of connections that lived less wait longer each time
MOST_WAIT: Final = 60.0  # seconds
_TICKET: Final = re.compile(r"(ticket=)[^&\s'\"]+")


class SocketModeConnections:
    """The current connection, and those it has succeeded that are still open."""

    def __init__(self, answers: Answers, app_token: str, client: AsyncWebClient, work: BackgroundTasks) -> None:
        self._answers, self._app_token, self._client, self._work = answers, app_token, client, work
        self._current: _Connection | None = None
        self._old: dict[_Connection, asyncio.Task[None]] = {}
        self._short_lived = 0  # connections in a row that lived less than `YOUNG`

    def start(self) -> None:
        """Connects in the background, for as long as it takes."""
        self._current = self._make()
        self._current.start()

    @property
    def connected(self) -> bool:
        return any(connection.connected for connection in (self._current, *self._old) if connection is not None)

    def _make(self) -> "_Connection":
        return _Connection(self._answers, self._app_token, self._client, self._work, self)

    def renew(self, old: "_Connection") -> None:
        """Opens a successor, once."""
        if old is self._current:
            self._current = self._make()
            self._old[old] = asyncio.get_running_loop().create_task(self._succeed(old, self._current))

    async def _succeed(self, old: "_Connection", new: "_Connection") -> None:
        self._short_lived = self._short_lived + 1 if old.age() < YOUNG else 0
        await asyncio.sleep(min(2 ** min(self._short_lived, 10) - 2, MOST_WAIT) if self._short_lived else 0)
        new.start()
        await new.client.up.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(old.client.ended.wait(), LINGER)
        del self._old[old]
        await old.stop()

    async def resend(self, message: str) -> None:
        """Sends over the current connection what a closed one could not. Raises `ConnectionError` or `TimeoutError`
        where none opens before Slack stops waiting."""
        if self._current is None:
            raise ConnectionError("hung up")
        client = self._current.client
        await asyncio.wait_for(client.up.wait(), ACK)
        await client.send(message)

    async def stop(self) -> None:
        """Hangs up."""
        tasks, connections = list(self._old.values()), [*self._old, *([self._current] if self._current else [])]
        self._current = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(connection.stop() for connection in connections), return_exceptions=True)


class _Connection:
    """One connection. Its answers are tracked: stopping lets each of them out first."""

    def __init__(
        self,
        answers: Answers,
        app_token: str,
        client: AsyncWebClient,
        work: BackgroundTasks,
        sockets: SocketModeConnections,
    ) -> None:
        self.client = _Client(app_token, client, lambda: sockets.renew(self), sockets.resend)
        self.client.socket_mode_request_listeners.append(self._handle)
        self._answers = answers
        self._work = work
        self._created = time.monotonic()
        self._connecting: asyncio.Task[None] | None = None

    async def _handle(self, _client: object, request: SocketModeRequest) -> None:
        await self._work.start(self._answer(request))

    async def _answer(self, request: SocketModeRequest) -> None:
        status, body = await self._answers.answer(request.payload, repeated=bool(request.retry_attempt))
        if status == 200:  # what is refused is not acknowledged: Slack sends it again
            reply = {"envelope_id": request.envelope_id, **({} if body is None else {"payload": body})}
            await self.client.send_message(orjson.dumps(reply).decode())

    def start(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(self.client.connect())

    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._created

    @property
    def connected(self) -> bool:
        session = self.client.current_session
        return session is not None and not session.closed

    async def stop(self) -> None:
        self.client.closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self.client.current_session is not None:
            await self.client.close()  # type: ignore[no-untyped-call] # the SDK's
        else:
            self.client.message_processor.cancel()
            await self.client.aiohttp_client_session.close()


class _Client(SocketModeClient):
    """The SDK's client that asks for a successor where it would connect again."""

    def __init__(
        self,
        app_token: str,
        client: AsyncWebClient,
        renew: Callable[[], None],
        resend: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(
            app_token, logger=_log(), web_client=client, ping_interval=PING, on_close_listeners=[self._closed]
        )
        self.up, self.ended = asyncio.Event(), asyncio.Event()
        self._renew, self._resend = renew, resend

    async def connect(self) -> None:
        while not self.closed and not self.up.is_set():
            self.wss_uri = None  # the SDK would retry one URL for ever, though each is valid once, for some seconds
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECTING):
                    await super().connect()  # type: ignore[no-untyped-call] # the SDK's
                    self.up.set()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        self.auto_reconnect_enabled = False
        self._renew()

    async def send(self, message: str) -> None:
        """Over this connection and no other."""
        await super().send_message(message)

    async def send_message(self, message: str) -> None:
        try:
            await self.send(message)
        except ConnectionError:
            await self._resend(message)

    async def _closed(self, _message: WSMessage) -> None:
        self.ended.set()


def _log() -> logging.Logger:
    log = logging.getLogger("slack_bolt.sockets")
    log.setLevel(logging.ERROR)
    if not log.filters:
        log.addFilter(OneLine())
    return log


class OneLine(logging.Filter):
    """Strips the traceback that the SDK logs for every failed connection, and the secret ticket in its address."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        record.msg, record.args = _TICKET.sub(r"\1…", record.getMessage()), None
        return True
