"""Sends calls of the same moment to a server as one pipeline.

redis-py's clients cost per call: a connection from the pool and back, a dozen layers, a write, a wait. So its
connections are used directly, a few for each server. A call to an idle server is sent alone and at once; calls made
until its reply go together when that arrives. So that a slow script blocks nobody, calls that have waited for
`_PATIENCE` go as another batch, up to `AT_ONCE` batches.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

AT_ONCE: Final = 8  # batches in flight to one server, each on its own connection
MOST: Final = 64  # calls in a batch
_PATIENCE: Final = 0.003  # seconds after which a batch is sent although another is in flight
_ASKING: Final = pack_command(("ASKING",))


class Batches:
    """The calls to one server, in one event loop.

    Args:
        acquire: returns a connection of redis-py to the server; at most `AT_ONCE` are used at a time.
        release: takes the connection back.
    """

    def __init__(
        self,
        acquire: Callable[[], Awaitable[AbstractConnection]],
        release: Callable[[AbstractConnection], None],
    ) -> None:
        self._acquire = acquire
        self._release = release
        self._waiting: deque[tuple[bytes, asyncio.Future[Any], float]] = deque()
        self._in_flight = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def call(self, packed: bytes, until: float) -> Any:
        """The reply to one command in the protocol's form; `until`: the loop's time to give up.

        Raises:
            RedisError: the server's error reply, or a connection that failed.
            TimeoutError: no reply in time; the command may have been executed.
        """
        if self._in_flight:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Any] = loop.create_future()
            self._waiting.append((packed, future, until))
            if self._timer is None and self._in_flight < AT_ONCE:
                self._timer = loop.call_later(_PATIENCE, self._send_more)
            reply = await future
        else:
            reply = (await self._alone(packed, 1, until))[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def ask(self, packed: bytes, until: float) -> Any:
        """Like `call`, right after ASKING, which a cluster's node requires for a slot that is moving to it."""
        reply = (await self._alone(_ASKING + packed, 2, until))[1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def aclose(self) -> None:
        """Fail the calls that wait or travel in a batch. No connection is made from now on."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            _settle(self._waiting.popleft()[1], _closed())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drained(self) -> None:
        """Return once no call is in flight: those that went alone end when their connection is closed."""
        while self._in_flight:  # noqa: ASYNC110 # an event would cost every call
            await asyncio.sleep(0.001)

    async def _alone(self, packed: bytes, count: int, until: float) -> list[Any]:
        self._in_flight += 1
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(packed, count)
        finally:
            self._returned()

    async def _exchange(self, packed: bytes, count: int) -> list[Any]:
        """The replies in order, error replies as exceptions. A connection that fails, or whose caller is cancelled, is
        closed, and reconnects when it is next used."""
        connection = await self._acquire()
        try:
            if connection.should_reconnect():
                await connection.disconnect()
            if not (self._closed or connection.is_connected):
                await connection.connect()
            if self._closed:
                await connection.disconnect()
                raise _closed()
            await connection.send_packed_command(packed)
            replies: list[Any] = []
            for _ in range(count):
                try:
                    replies.append(await connection.read_response())
                except ResponseError as error:
                    replies.append(error)
            return replies
        finally:
            self._release(connection)

    # Batches.

    def _returned(self) -> None:
        self._in_flight -= 1
        if self._waiting and self._in_flight < AT_ONCE:
            self._start()

    def _send_more(self) -> None:
        self._timer = None
        if self._waiting and self._in_flight < AT_ONCE:
            self._start()
            if self._waiting and self._in_flight < AT_ONCE:
                self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._send_more)

    def _start(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        self._in_flight += 1
        task = asyncio.get_running_loop().create_task(self._run(batch), name="store batch")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: list[tuple[bytes, "asyncio.Future[Any]", float]]) -> None:
        replies: list[Any]
        try:
            async with asyncio.timeout_at(batch[0][2]):
                replies = await self._exchange(b"".join([packed for packed, _, _ in batch]), len(batch))
        except (RedisError, OSError, TimeoutError) as error:
            replies = [error] * len(batch)
        except BaseException:
            for _, future, _ in batch:
                _settle(future, _closed())
            raise
        finally:
            self._returned()
        for (_, future, _), reply in zip(batch, replies, strict=True):
            _settle(future, reply)


def _settle(future: "asyncio.Future[Any]", reply: Any) -> None:
    if not future.done():  # its caller may have been cancelled
        future.set_result(reply)


def _closed() -> RedisConnectionError:
    return RedisConnectionError("the store was closed")
