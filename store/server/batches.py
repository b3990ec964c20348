"""Calls of one moment, sent to a server as one pipeline.

redis-py's clients cost per call: a connection out of the pool and back, a dozen layers, one write, one wait. So its
connections are used as they are, a few to a server, and a call that finds the server idle goes alone and at once;
what is asked while it is on its way goes together as soon as it is back. A slow script holds up nobody: what has
waited for `_PATIENCE` goes as a further batch, up to `AT_ONCE` of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

AT_ONCE: Final = 8  # batches under way to one server, each on a connection of its own
MOST: Final = 64  # calls in a batch
_PATIENCE: Final = 0.003  # seconds after which a batch goes although another is not back
_ASKING: Final = pack_command(("ASKING",))


class Batches:
    """The calls to one server. Belongs to the event loop that it is used in.

    Args:
        acquire: a connection to the server, made and kept by redis-py; at most `AT_ONCE` are out at a time.
        release: takes it back.
    """

    def __init__(
        self,
        acquire: Callable[[], Awaitable[AbstractConnection]],
        release: Callable[[AbstractConnection], None],
    ) -> None:
        self._acquire = acquire
        self._release = release
        self._waiting: deque[tuple[bytes, asyncio.Future[Any], float]] = deque()
        self._under_way = 0
        self._late: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def call(self, packed: bytes, until: float) -> Any:
        """The reply to one command, which is given in the protocol's form; `until`: the loop's time to give up.

        Raises:
            RedisError: what redis-py makes of the server's error, or of a connection that failed.
            TimeoutError: no reply in time; it may have been done.
        """
        if self._under_way:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Any] = loop.create_future()
            self._waiting.append((packed, future, until))
            if self._late is None and self._under_way < AT_ONCE:
                self._late = loop.call_later(_PATIENCE, self._hurry)
            reply = await future
        else:
            reply = (await self._one_alone(packed, 1, until))[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def ask(self, packed: bytes, until: float) -> Any:
        """Like `call`, right behind an ASKING: what a cluster's node wants for a slot that is moving to it."""
        reply = (await self._one_alone(_ASKING + packed, 2, until))[1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _one_alone(self, packed: bytes, count: int, until: float) -> list[Any]:
        self._under_way += 1
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(packed, count)
        finally:
            self._came_back()

    async def _exchange(self, packed: bytes, count: int) -> list[Any]:
        """The replies, in order; an error reply is an exception among them. The connection that fails, or whose
        caller goes away, hangs up and connects again when it is next used."""
        connection = await self._acquire()
        try:
            if connection.should_reconnect():
                await connection.disconnect()
            if not connection.is_connected:
                await connection.connect()
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

    def _came_back(self) -> None:
        self._under_way -= 1
        if self._waiting and self._under_way < AT_ONCE:
            self._start()

    def _hurry(self) -> None:
        self._late = None
        if self._waiting and self._under_way < AT_ONCE:
            self._start()
            if self._waiting and self._under_way < AT_ONCE:
                self._late = asyncio.get_running_loop().call_later(_PATIENCE, self._hurry)

    def _start(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        self._under_way += 1
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
                future.cancel()
            raise
        finally:
            self._came_back()
        for (_, future, _), reply in zip(batch, replies, strict=True):
            if not future.done():  # a caller that went away left it behind
                future.set_result(reply)
