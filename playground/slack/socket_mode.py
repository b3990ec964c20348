"""Socket Mode: WebSocket connections of the app, over which envelopes go out and acks come back.

``apps.connections.open`` gives a URL with a ticket that opens one connection, once. Of several connections any one
gets an envelope. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import random
import secrets
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

from playground.slack.delivery import AppRequest

Json = dict[str, Any]
MOST_CONNECTIONS: Final = 10
MOST_TICKETS: Final = 100


class SocketModeConnections:
    """The open connections of the app."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._tickets: list[str] = []
        self._connections: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._carried: dict[str, web.WebSocketResponse] = {}
        self._leaving: set[web.WebSocketResponse] = set()

    @property
    def open(self) -> bool:
        """Whether the app is connected."""
        return any(not connection.closed for connection in self._connections)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def ticket(self) -> str:
        """A ticket for one connection."""
        made = secrets.token_urlsafe(12)
        self._tickets = [*self._tickets[1 - MOST_TICKETS :], made]
        return made

    async def link(self, request: web.Request) -> web.StreamResponse:
        """The endpoint that the URL of ``apps.connections.open`` points to."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or len(self._connections) >= MOST_CONNECTIONS:
            raise web.HTTPForbidden
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        self._connections.append(socket)
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acked(message.data)
        finally:
            self._connections.remove(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {"host": "playground", "build_number": 1, "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._app_id},
        }

    def _acked(self, raw: str) -> None:
        try:
            ack = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return
        waiting = self._acks.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload"))

    async def send(self, sent: AppRequest, retry: tuple[int, str] | None, seconds: float) -> Any:
        """Sends an envelope to one connection; returns the payload of its ack."""
        envelope_id = secrets.token_hex(16)
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": sent.kind,
            "payload": sent.payload,
            "accepts_response_payload": sent.kind != "events_api",
        }
        if sent.kind == "events_api":
            attempt, reason = retry or (0, "")
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        ready = [c for c in self._connections if not c.closed and c not in self._leaving]
        if not ready:
            raise ConnectionError("no connection of the app")
        connection = random.choice(ready)  # noqa: S311 - any will do
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id], self._carried[envelope_id] = waiting, connection
        try:
            await connection.send_str(orjson.dumps(envelope).decode())
            async with asyncio.timeout(seconds):
                return await waiting
        finally:
            del self._acks[envelope_id], self._carried[envelope_id]

    async def refresh(self, reason: str = "refresh_requested", after: float = 0) -> None:
        """Sends ``disconnect`` on every connection, as Slack does every few hours, and closes it ``after`` so many
        seconds (Slack: about ten). Until then it carries envelopes as before; those on their way may still be acked."""
        told = list(self._connections)
        for connection in told:
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}})
        await asyncio.sleep(after)
        self._leaving.update(told if after else ())
        while waiting := [self._acks[key] for key, connection in self._carried.items() if connection in self._leaving]:
            await asyncio.wait(waiting)  # each at most as long as `send` waits
        for connection in told:
            await connection.close()
        self._leaving.difference_update(told)

    async def close(self) -> None:
        """Closes the connections."""
        for connection in list(self._connections):
            await connection.close()
