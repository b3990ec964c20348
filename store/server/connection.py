"""The one way to the store, for every part of it and every form of `REDIS_URL`.

What a caller may rely on:

- Every call ends within about `timeout` seconds, with the reply, `ServerError` or `StoreUnavailable`.
- A command that the server did not get, or refused because of its role (loading, read-only, moved …), is sent again
  until the time is up, whatever it is: it did not happen.
- A command whose outcome is unknown (sent, then no reply) is sent again only where `retry` says that it may. All
  others raise `StoreUnavailable` with `maybe_done` set: at most one try of theirs has unknown outcome.
- Callers share a socket to each server. So nothing that blocks (BLPOP), stays (SUBSCRIBE) or is said in several
  parts (MULTI) goes through here.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from time import perf_counter
from typing import Any, Final, TypedDict

from store.server.lean import Arg, Line, Lost, Refused, ServerError, Unsent, pack
from store.server.routes import Route, route
from store.server.scripts import Script
from store.server.urls import Mode, StoreAddress, parse

# Refused because of what the server is just now: it did not execute, and soon it, or another, will.
_PASSING: Final = frozenset({"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY"})
# Refused because somebody must mend something.
_HELPLESS: Final = frozenset({"OOM", "MISCONF", "NOREPLICAS", "NOAUTH", "NOPERM", "DENIED"})
_PAUSES: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # seconds before the nth further try; the last for ever

_KEYLESS: Final = frozenset({"CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "INFO", "PING", "ROLE", "SCRIPT", "TIME"})
_SECOND: Final = frozenset({"MEMORY", "OBJECT", "XGROUP", "XINFO"})  # the key comes after a subcommand
_SHARED: Final = frozenset(  # would hold up, or change, the socket that everybody shares
    {"BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "XREAD", "XREADGROUP"}
    | {"WAIT", "WAITAOF", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}
    | {"AUTH", "HELLO", "MONITOR", "QUIT", "READONLY", "RESET", "SELECT"}
)


class StoreUnavailable(Exception):
    """The store did not do it, or did not say so, within its time.

    Attributes:
        maybe_done: the command was sent and its outcome is unknown.
    """

    def __init__(self, why: str, *, maybe_done: bool = False) -> None:
        super().__init__(why)
        self.maybe_done = maybe_done


class StoreInfo(TypedDict):
    """What `Store.info` knows, of the server asked (in a cluster: one of them).

    Sizes are in bytes; `memory_limit` is 0 where there is none, `eviction` is the policy once it is reached; anything
    but `noeviction` loses data. `aof` says whether writes are logged, `saved` whether the last write to disk worked.
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
    """Open with `await Store.open(url)`; close with `aclose`. Belongs to the event loop it was opened in."""

    def __init__(
        self, target: StoreAddress, way: Route, observe: Callable[[str, float], None] | None, timeout: float
    ) -> None:
        self._target = target
        self._route = way
        self._observe = observe
        self._timeout = timeout
        self._closed = False

    @classmethod
    async def open(
        cls, url: str, *, observe: Callable[[str, float], None] | None = None, timeout: float = 2.0
    ) -> "Store":
        """Connect to the store that `url` names (forms: `store/server/urls.py`).

        Args:
            observe: told name and seconds of every call, also of those that fail.
            timeout: seconds that a call may take in all.

        Raises:
            ValueError: the URL is wrong; one sentence, without the password.
            StoreUnavailable: nobody answered, or user or password were refused.
        """
        target = parse(url)
        store = cls(target, route(target, timeout), observe, timeout)
        try:
            await store.ping()
        except BaseException:
            await store.aclose()
            raise
        return store

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg] = ()) -> Any:
        """The reply of a script, raw: bytes, int, None or lists of them. All keys lie in one cell.

        Raises:
            ServerError: the script failed.
            StoreUnavailable: see the module.
        """
        started = perf_counter()
        key = keys[0].encode() if keys else None
        try:
            try:
                known = pack("EVALSHA", script.sha, len(keys), *keys, *args)
                return await self._execute(known, key, script.retry, started)
            except ServerError as error:
                if error.code != "NOSCRIPT":
                    raise
            whole = pack("EVAL", script.text, len(keys), *keys, *args)
            return await self._execute(whole, key, script.retry, started)
        finally:
            if self._observe is not None:
                self._observe(script.name, perf_counter() - started)

    async def call(self, *command: Arg, retry: bool = False) -> Any:
        """The raw reply of one command, sent where its first key lies.

        Args:
            retry: it may happen twice (it only reads, or sets the same again).

        Raises:
            ValueError: a command that would hold up or change the shared socket.
            ServerError: the server refused it.
            StoreUnavailable: see the module.
        """
        started = perf_counter()
        name = (command[0].decode() if isinstance(command[0], bytes) else str(command[0])).upper()
        if name in _SHARED:
            raise ValueError(f"{name} cannot go over a connection that all callers share.")
        try:
            return await self._execute(pack(*command), _first_key(name, command), retry, started)
        finally:
            if self._observe is not None:
                self._observe(name.lower(), perf_counter() - started)

    async def ping(self) -> None:
        """Return if the store answers; in a cluster: if one of its nodes does."""
        await self.call("PING", retry=True)

    async def info(self) -> StoreInfo:
        """What kind of server answers, and how it keeps what it is given."""
        facts = _facts(await self.call("INFO", retry=True))
        primaries = 1
        if self._target.mode == "cluster":
            primaries = int(_facts(await self.call("CLUSTER", "INFO", retry=True)).get("cluster_size", "1"))
        return StoreInfo(
            server=facts.get("server_name", "redis"),
            version=facts.get("valkey_version") or facts.get("redis_version", "unknown"),
            mode=self._target.mode,
            address=str(self._target),
            primaries=primaries,
            memory=int(facts.get("used_memory", "0")),
            memory_limit=int(facts.get("maxmemory", "0")),
            eviction=facts.get("maxmemory_policy", "unknown"),
            aof=facts.get("aof_enabled") == "1",
            saved=facts.get("aof_last_write_status", "ok") == "ok"
            and facts.get("rdb_last_bgsave_status", "ok") == "ok",
        )

    async def aclose(self) -> None:
        """Hang up. Calls that still wait fail with `StoreUnavailable`."""
        self._closed = True
        await self._route.aclose()

    # How a command gets its reply.

    async def _execute(self, packed: bytes, key: bytes | None, retry: bool, started: float) -> Any:
        line = self._route.ready(key)
        failure: Exception | None = None
        if line is not None:
            try:  # the common case, as short as it can be: the line itself bounds the time
                return await line.send(packed)
            except (ServerError, Unsent, Lost) as error:
                failure = error
        return await self._insist(packed, key, retry, started, line, failure)

    async def _insist(
        self,
        packed: bytes,
        key: bytes | None,
        retry: bool,
        started: float,
        line: Line | None,
        failure: Exception | None,
    ) -> Any:
        """Try until it is done, refused for good, of unknown outcome where that is the end, or out of time."""
        maybe_done = isinstance(failure, Lost)
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        try:
            async with asyncio.timeout(self._timeout - (perf_counter() - started)):
                while True:
                    self._judge(failure, retry)
                    if failure is not None:
                        self._route.doubt(line, failure)
                        line = None
                        await asyncio.sleep(next(pauses))
                    try:
                        if isinstance(failure, ServerError) and failure.code == "ASK":
                            line = await self._route.asked(failure)
                            return await line.ask(packed)
                        line = await self._route.line(key)
                        return await line.send(packed)
                    except (ServerError, Unsent, Lost, Refused) as error:
                        failure = error
                        maybe_done = maybe_done or isinstance(error, Lost)
        except TimeoutError:
            maybe_done = maybe_done or line is not None
            why = failure or f"no answer within {self._timeout:g} s"
            raise StoreUnavailable(
                f"The store at {self._target} is not available: {why}.", maybe_done=maybe_done
            ) from failure

    def _judge(self, failure: Exception | None, retry: bool) -> None:
        """Return if it may be tried again; raise what the caller gets if not."""
        where = f"The store at {self._target}"
        if self._closed:
            raise StoreUnavailable("The store was closed.", maybe_done=isinstance(failure, Lost))
        if isinstance(failure, Lost) and not retry:
            raise StoreUnavailable(f"{where} did not say whether it did it: {failure}.", maybe_done=True) from failure
        if isinstance(failure, Refused):
            raise StoreUnavailable(f"{where} does not let us in: {failure}.") from failure
        if isinstance(failure, ServerError) and failure.code not in _PASSING:
            if failure.code in _HELPLESS:
                raise StoreUnavailable(f"{where} refuses: {failure}.") from failure
            raise failure


def _first_key(name: str, command: tuple[Arg, ...]) -> bytes | None:
    if name in _KEYLESS:
        return None
    position = 2 if name in _SECOND else 1
    if len(command) <= position:
        return None
    key = command[position]
    return key if isinstance(key, bytes) else str(key).encode()


def _facts(reply: bytes) -> dict[str, str]:
    rows = (row.partition(":") for row in reply.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in rows if colon}
