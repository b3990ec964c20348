"""One socket to one server, shared by all callers of a process.

redis-py takes a connection from a pool for each call and walks through a dozen layers; here a call is a write, an
entry in a queue and a future. Replies come in the order of the requests, so the oldest entry owns the next reply. A
caller that goes away (cancelled, out of time) leaves its entry behind: the reply is read and dropped, and nobody gets
somebody else's. A server that stays silent for `timeout` loses the connection and fails everything that waits on it.

Nothing here repeats a command: who may do that, and when, is `store/server/connection.py`'s business.
"""

import asyncio
import socket
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import hiredis

IN_FLIGHT: Final = 1024  # replies awaited on one socket; the next caller waits for room
_BACKOFF: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25)  # seconds before the nth attempt to connect; the last for ever
_MORE: Final = object()

Arg = str | bytes | int | float


class ServerError(Exception):
    """The server's error reply. It did answer; for all codes that `connection` retries, it did not execute."""

    @property
    def code(self) -> str:
        """The first word: `NOSCRIPT`, `READONLY`, `ERR` …"""
        return str(self).partition(" ")[0]


class Unsent(Exception):
    """No connection, so nothing was sent: repeating the command is safe."""


class Refused(Exception):
    """The server does not take our user or password."""


class Lost(Exception):
    """Sent, and the connection ended before the reply: the server may have executed it or not."""


@dataclass(frozen=True)
class Endpoint:
    """Where one server listens, and as whom to speak to it.

    Attributes:
        address: host and port, or the path of a unix socket.
        tls: None for plain text.
        lenient: a refused password is no reason to hang up (a sentinel often has none).
    """

    address: tuple[str, int] | str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    lenient: bool = False

    def __str__(self) -> str:
        if isinstance(self.address, str):
            return self.address
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def pack(*command: Arg) -> bytes:
    """The command in the protocol's form; TypeError for anything but str, bytes, int and float."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type] # declared as a tuple of one
    return packed


class Line(asyncio.Protocol):
    """One connection, from made to lost; afterwards it is of no use."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._loop = loop
        self._timeout = timeout
        self._reader = hiredis.Reader(replyError=ServerError, notEnoughData=_MORE)
        self._waiting: deque[tuple[asyncio.Future[Any] | None, float]] = deque()  # None: nobody's
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._transport: asyncio.Transport | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._why = "the connection was closed"
        self.alive = False
        self.closed: asyncio.Future[None] = loop.create_future()

    # What callers use.

    @property
    def free(self) -> bool:
        """Whether `send` would write at once."""
        return self.alive and not self._room.locked()

    @property
    def idle(self) -> bool:
        return not self._waiting

    async def send(self, packed: bytes) -> Any:
        """The reply to one packed command: bytes, int, None or a list of them.

        Raises:
            ServerError: the server answered with an error.
            Unsent: the connection was gone already.
            Lost: it went, or stayed silent for the timeout, before the reply.
        """
        await self._room.acquire()
        return await self._reply(self._post(packed))

    async def ask(self, packed: bytes) -> Any:
        """Like `send`, right behind an ASKING: what a cluster node wants for a slot that is moving to it."""
        await self._room.acquire()
        if self.alive:
            self._waiting.append((None, self._loop.time()))
        return await self._reply(self._post(_ASKING + packed))

    def close(self, why: str = "the connection was closed") -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._why = why
            self.alive = False
            self._transport.abort()

    # The queue.

    def _post(self, packed: bytes) -> "asyncio.Future[Any]":
        if not self.alive or self._transport is None:
            self._room.release()
            raise Unsent(self._why)
        future = self._loop.create_future()
        now = self._loop.time()
        self._waiting.append((future, now))
        self._transport.write(packed)
        if self._watchdog is None:
            self._watchdog = self._loop.call_at(now + self._timeout, self._watch)
        return future

    def _settle(self, reply: object) -> None:
        future, _ = self._waiting.popleft()
        if future is not None:
            self._room.release()
            if not future.done():
                future.set_result(reply)

    async def _reply(self, future: "asyncio.Future[Any]") -> Any:
        # Errors travel as results: a future that nobody waits for any more then has nothing to complain about.
        reply = await future
        if isinstance(reply, ServerError | Lost):
            raise reply
        return reply

    def _watch(self) -> None:
        self._watchdog = None
        if not self._waiting:
            return
        due = self._waiting[0][1] + self._timeout
        if due <= self._loop.time():
            self.close(f"no answer within {self._timeout:g} s")
        else:
            self._watchdog = self._loop.call_at(due, self._watch)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # asyncio declares the base class only
        self.alive = True

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _MORE:
                if not self._waiting:  # a farewell before hanging up, such as "max number of clients reached"
                    self.close(str(reply))
                    return
                self._settle(reply)
        except hiredis.ProtocolError:
            self.close("the server does not speak the protocol of Redis")

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if exc is not None:
            self._why = str(exc)
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        while self._waiting:
            self._settle(Lost(self._why))
        if not self.closed.done():
            self.closed.set_result(None)


_ASKING: Final = pack("ASKING")


class Peer:
    """One server and the line to it, made again when it is lost."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self.endpoint = endpoint
        self.line: Line | None = None
        self._timeout = timeout
        self._connecting = asyncio.Lock()
        self._failures = 0

    async def connect(self) -> Line:
        """The line, made if there is none; attempts are spaced out, whoever makes them.

        Raises:
            Unsent: the server could not be reached within the timeout.
            Refused: it does not take user or password.
        """
        async with self._connecting:
            if self.line is not None and self.line.alive:
                return self.line
            await asyncio.sleep(_BACKOFF[min(self._failures, len(_BACKOFF) - 1)])
            self._failures += 1
            self.line = await self._open()
            self._failures = 0
            return self.line

    async def aclose(self) -> None:
        if self.line is not None:
            self.line.close()
            await self.line.closed

    async def _open(self) -> Line:
        loop = asyncio.get_running_loop()
        line = Line(loop, self._timeout)
        where = self.endpoint
        try:
            async with asyncio.timeout(self._timeout):
                if isinstance(where.address, str):
                    await loop.create_unix_connection(lambda: line, where.address)
                else:
                    host, port = where.address
                    name = host if where.tls else None
                    made, _ = await loop.create_connection(
                        lambda: line, host, port, ssl=where.tls, server_hostname=name
                    )
                    if (sock := made.get_extra_info("socket")) is not None:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                await self._introduce(line)
        except (OSError, TimeoutError, Lost, Unsent) as error:
            line.close()
            raise Unsent(f"{where} {_said(error, self._timeout)}") from error
        except BaseException:
            line.close()
            raise
        return line

    async def _introduce(self, line: Line) -> None:
        where = self.endpoint
        if where.password is not None:
            credentials = [where.username, where.password] if where.username else [where.password]
            try:
                await line.send(pack("AUTH", *credentials))
            except ServerError as error:
                if not where.lenient:
                    raise Refused(str(error)) from error


def _said(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"did not answer within {timeout:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return "is not there: nothing listens"
    return f"hung up: {error}"
