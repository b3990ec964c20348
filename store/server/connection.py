"""The connection to the store, for every form of `REDIS_URL`.

- Every call ends within about `timeout` seconds with the reply, `ServerError` or `StoreUnavailable`.
- A call that failed on its way, is in doubt, or was refused because of the server's role (loading, read-only, moved …)
  is sent again until the time is up. So every call may run twice: it must read, set the same again, compare, or be a
  script that stores its reply (`engine/once.lua`).
- Callers share connections, so commands that block (BLPOP), last (SUBSCRIBE) or have several parts (MULTI) are refused.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, repeat
from ssl import SSLCertVerificationError
from time import perf_counter
from typing import Any, Final, TypedDict

from hiredis import pack_command
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from store.server.batches import Batches
from store.server.clients import Client, make_client
from store.server.scripts import Script
from store.server.urls import Mode, StoreAddress, parse

Arg = str | bytes | int | float
# Refused because of the server's present role: not executed; it or another server soon will.
_PASSING: Final = (AskError, ReadOnlyError, TryAgainError, ClusterError)
_BUSY: Final = "BUSY"  # a script runs too long; redis-py has no class for it
# Refused until an operator acts.
_HELPLESS: Final = frozenset({"OOM", "MISCONF", "NOREPLICAS", "NOPERM", "DENIED"})
_PAUSES: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # seconds before the nth retry; then the last
_FAILURES: Final = (RedisError, OSError, TimeoutError)

_KEYLESS: Final = frozenset({"CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "INFO", "PING", "ROLE", "SCRIPT", "TIME"})
_SECOND: Final = frozenset({"MEMORY", "OBJECT", "XGROUP", "XINFO"})  # the key follows a subcommand
_SHARED: Final = frozenset(  # would block or change a connection that callers share
    {"BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "XREAD", "XREADGROUP"}
    | {"WAIT", "WAITAOF", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}
    | {"AUTH", "HELLO", "MONITOR", "QUIT", "READONLY", "RESET", "SELECT"}
)


class ServerError(Exception):
    """The server's error reply to a wrong command. `code`: its first word, such as `WRONGTYPE`."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class StoreUnavailable(Exception):
    """The store did not execute the call, or did not confirm it, within its time."""


class StoreInfo(TypedDict):
    """The state of the server (in a cluster: of one of them).

    Sizes are in bytes; `memory_limit`: 0 if there is none; `eviction`: the policy at that limit, of which all but
    `noeviction` lose data; `aof`: whether writes are logged; `saved`: whether the last write to disk succeeded.
    """

    server: str
    version: str
    mode: Mode
    address: str
    primaries: int
    memory: int
    memory_limit: int
    eviction: str
    aof: bool
    saved: bool


class Store:
    """Open with `await Store.open(url)`, close with `aclose`, in the same event loop."""

    def __init__(
        self, address: StoreAddress, client: Client, observe: Callable[[str, float], None] | None, timeout: float
    ) -> None:
        self._address = address
        self._client = client
        self._observe = observe
        self._timeout = timeout
        self._batches: dict[str, Batches] = {}
        self._closed = False

    @classmethod
    async def open(
        cls, url: str, *, observe: Callable[[str, float], None] | None = None, timeout: float = 2.0
    ) -> "Store":
        """Connect to the store that `url` names (forms: `store/server/urls.py`).

        Args:
            observe: called with name and seconds of every call, also of failed ones.
            timeout: seconds for a call, including retries.

        Raises:
            ValueError: the URL is wrong; a sentence without the password.
            StoreUnavailable: no server answered, or it refused user or password.
        """
        address = parse(url)
        store = cls(address, make_client(address, timeout), observe, timeout)
        try:
            await store.ping()
        except BaseException:
            await store.aclose()
            raise
        return store

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg] = ()) -> Any:
        """The reply of a script: bytes, int, None or lists of them. All keys lie in one cell.

        Raises:
            ServerError: the script failed.
            StoreUnavailable: see the module.
        """
        started, until = perf_counter(), self._until()
        key = keys[0] if keys else None
        try:
            try:
                return await self._execute(key, _pack("EVALSHA", script.sha, len(keys), *keys, *args), until)
            except ServerError as error:
                if error.code != "NOSCRIPT":
                    raise
            return await self._execute(key, _pack("EVAL", script.text, len(keys), *keys, *args), until)
        finally:
            if self._observe is not None:
                self._observe(script.name, perf_counter() - started)

    async def call(self, *command: Arg) -> Any:
        """The RESP3 reply of one command, sent to the server of its first key.

        Raises:
            ValueError: the command would block or change a shared connection.
            TypeError: an argument that is neither str, bytes, int nor float.
            ServerError: the server refused it.
            StoreUnavailable: see the module.
        """
        started, until = perf_counter(), self._until()
        name = (command[0].decode() if isinstance(command[0], bytes) else str(command[0])).upper()
        if name in _SHARED:
            raise ValueError(f"{name} cannot go over a connection that all callers share.")
        try:
            return await self._execute(_first_key(name, command), _pack(*command), until)
        finally:
            if self._observe is not None:
                self._observe(name.lower(), perf_counter() - started)

    async def ping(self) -> None:
        """Return if the store answers; in a cluster, if one of its nodes does."""
        await self.call("PING")

    async def info(self) -> StoreInfo:
        """The server's version, memory and persistence."""
        facts = _facts(await self.call("INFO"))
        primaries = 1
        if self._address.mode == "cluster":
            primaries = int(_facts(await self.call("CLUSTER", "INFO")).get("cluster_size", "1"))
        return StoreInfo(
            server=facts.get("server_name", "redis"),
            version=facts.get("valkey_version") or facts.get("redis_version", "unknown"),
            mode=self._address.mode,
            address=str(self._address),
            primaries=primaries,
            memory=int(facts.get("used_memory", "0")),
            memory_limit=int(facts.get("maxmemory", "0")),
            eviction=facts.get("maxmemory_policy", "unknown"),
            aof=facts.get("aof_enabled") == "1",
            saved=facts.get("aof_last_write_status", "ok") == "ok"
            and facts.get("rdb_last_bgsave_status", "ok") == "ok",
        )

    async def aclose(self) -> None:
        """Close all connections. Pending calls fail with `StoreUnavailable`."""
        self._closed = True
        for batches in self._batches.values():
            await batches.aclose()
        await self._client.aclose()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                for batches in self._batches.values():
                    await batches.drained()

    # How a command gets its reply.

    async def _execute(self, key: str | None, packed: bytes, until: float) -> Any:
        server = ""
        try:
            if self._closed:
                raise StoreUnavailable("The store was closed.")
            server = self._client.server_of(key)
            return await self._to(server).call(packed, until)
        except _FAILURES as error:  # retry outside this clause, or its traceback grows with every try
            failure = error
        return await self._insist(key, packed, until, server, failure)

    def _until(self) -> float:
        """The loop's time at which a call that begins now is out of time."""
        return asyncio.get_running_loop().time() + self._timeout

    def _to(self, server: str) -> Batches:
        batches = self._batches.get(server)
        if batches is None:
            batches = self._batches[server] = Batches(partial(self._client.acquire, server), self._client.release)
        return batches

    async def _insist(self, key: str | None, packed: bytes, until: float, server: str, failure: Exception) -> Any:
        """Retry until the call succeeds, fails for good, or its time is up."""
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        try:
            async with asyncio.timeout_at(until):
                while True:
                    self._judge(failure)
                    try:
                        await self._client.recover(server, failure)
                        await asyncio.sleep(next(pauses))
                        if type(failure) is AskError:
                            return await self._to(f"{failure.host}:{failure.port}").ask(packed, until)
                        server = self._client.server_of(key)
                        return await self._to(server).call(packed, until)
                    except _FAILURES as error:
                        failure = error
        except TimeoutError:
            why = f"no answer within {self._timeout:g} s" if isinstance(failure, TimeoutError) else _text(failure)
            raise StoreUnavailable(f"The store at {self._address} is not available: {why}.") from failure

    def _judge(self, failure: Exception) -> None:
        """Return if the call may be retried; else raise what the caller gets."""
        where = f"The store at {self._address}"
        if self._closed:
            raise StoreUnavailable("The store was closed.") from failure
        if isinstance(failure, AuthenticationError | AuthorizationError):
            raise StoreUnavailable(f"{where} does not let us in: {_text(failure)}.") from failure
        if isinstance(failure, ResponseError) and not isinstance(failure, _PASSING):
            text = _text(failure)
            code = text.partition(" ")[0]
            if code in _HELPLESS:
                raise StoreUnavailable(f"{where} refuses: {text}.") from failure
            if code != _BUSY:
                raise ServerError(text, code) from failure


def _pack(*command: Arg) -> bytes:
    """The command in the protocol's form; TypeError for anything but str, bytes, int and float."""
    packed: bytes = pack_command(command)  # type: ignore[arg-type] # declared as a tuple of one
    return packed


def _text(failure: Exception) -> str:
    """The error for an operator. redis-py separates the first word of an error that it knows, and for a certificate
    gives OpenSSL's text."""
    if isinstance(failure.__context__, SSLCertVerificationError):
        return f"it has a certificate that is not trusted: {failure.__context__.verify_message}"
    code = getattr(failure, "status_code", None)
    return (f"{code} {failure}" if code else str(failure)).rstrip(".")


def _first_key(name: str, command: tuple[Arg, ...]) -> str | None:
    if name in _KEYLESS:
        return None
    position = 2 if name in _SECOND else 1
    if len(command) <= position:
        return None
    key = command[position]
    return key.decode() if isinstance(key, bytes) else str(key)


def _facts(reply: bytes) -> dict[str, str]:
    rows = (row.partition(":") for row in reply.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in rows if colon}
