"""Calls of one moment, sent to a server as one pipeline.

What redis-py costs, it costs per call: a connection out of the pool and back, one write, one wait. So a call that
finds the server idle goes alone and at once, and what is asked while it is on its way goes together as soon as it is
back. A slow script holds up nobody: what has waited for `_PATIENCE` goes as a further batch, up to `_AT_ONCE` of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from redis.exceptions import DataError, RedisError

Arg = str | bytes | int | float
Command = tuple[Arg, ...]
# The replies to some commands, in their order; an error reply is an exception among them. Raises where none came.
Send = Callable[[Sequence[Command]], Awaitable[list[Any]]]

AT_ONCE: Final = 8  # batches under way to one server
MOST: Final = 64  # calls in a batch
_PATIENCE: Final = 0.003  # seconds after which a batch goes although another is not back


class Batches:
    """The calls to one server. Belongs to the event loop that it is used in.

    Args:
        send: sends a batch; what it raises is every call's.
        timeout: seconds within which a call has its reply, or fails with TimeoutError.
    """

    def __init__(self, send: Send, timeout: float) -> None:
        self._send = send
        self._timeout = timeout
        self._waiting: deque[tuple[Command, asyncio.Future[Any], float]] = deque()
        self._under_way = 0
        self._late: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def call(self, command: Command) -> Any:
        """The reply to one command.

        Raises:
            RedisError: what redis-py makes of the server's error, or of a connection that failed.
            TimeoutError: no reply in time; it may have been done.
        """
        if self._under_way:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Any] = loop.create_future()
            self._waiting.append((command, future, loop.time()))
            if self._late is None and self._under_way < AT_ONCE:
                self._late = loop.call_later(_PATIENCE, self._hurry)
            reply = await future
        else:
            self._under_way = 1
            try:
                async with asyncio.timeout(self._timeout):
                    (reply,) = await self._send((command,))
            finally:
                self._came_back()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _came_back(self) -> None:
        self._under_way -= 1
        if self._waiting:
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

    async def _run(self, batch: list[tuple[Command, "asyncio.Future[Any]", float]]) -> None:
        replies: Sequence[Any]
        try:
            async with asyncio.timeout_at(batch[0][2] + self._timeout):
                replies = await self._send([command for command, _, _ in batch])
        except DataError:  # one of them can't be sent: the others are not to suffer
            replies = [await self._alone(command, since) for command, _, since in batch]
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

    async def _alone(self, command: Command, since: float) -> Any:
        try:
            async with asyncio.timeout_at(since + self._timeout):
                return (await self._send((command,)))[0]
        except (RedisError, OSError, TimeoutError) as error:
            return error
