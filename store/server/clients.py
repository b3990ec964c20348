"""redis-py's clients for the forms of `REDIS_URL`: how a command goes to the server of its key, and what is looked at
again when that fails.

redis-py's own retries are off: it would repeat within a time that nobody bounds. `Store` repeats. Reads have no
time-out of their own, because each batch has one as a whole; replies are RESP3's.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final, Protocol

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)
from redis.maint_notifications import MaintNotificationsConfig

from store.server.batches import AT_ONCE, Command
from store.server.urls import StoreAddress

_PROBES: Final = 4  # a silent node or sentinel may take this part of the time-out before the next is asked
_SETTLE: Final = 0.05  # seconds between two looks at a cluster's nodes, however many callers ask
_WATCH: Final = 1.0  # seconds between two questions to the sentinels
_NEVER: Final = Retry(NoBackoff(), 0)


class Client(Protocol):
    """One form of `REDIS_URL`."""

    def server_of(self, key: str | None) -> str:
        """The name of the server to send to for a key (None: any). Raises what `send` does where it is not known."""

    async def send(self, server: str, commands: Sequence[Command]) -> list[Any]:
        """The replies of that server, in order; an error reply is an exception among them. Raises RedisError where
        the connection failed, DataError where an argument can't be sent (then nothing was)."""

    async def ask(self, redirection: AskError, command: Command) -> Any:
        """The reply of the node that has a key already whose slot is moving to it. Raises as `send`."""

    async def recover(self, server: str, error: Exception) -> None:
        """Sees to it that the next try goes where it should, after this error of that server. Returns soon."""

    async def aclose(self) -> None:
        """Hangs up."""


def connect(address: StoreAddress, timeout: float) -> Client:
    """The client for an address; nothing is sent yet. `timeout`: seconds in which a connection must be made."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "protocol": 3,
        "socket_timeout": None,
        "socket_connect_timeout": timeout,
        "driver_info": None,  # two round trips less a connection
    }
    if address.mode == "cluster":
        return ClusterClient(address, options, timeout)
    options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    if address.mode == "sentinel":
        return SentinelClient(address, options, timeout)
    if address.path:
        options |= {"connection_class": UnixDomainSocketConnection, "path": address.path}
    else:
        host, port = address.hosts[0]
        options |= {"connection_class": SSLConnection if address.tls else Connection, "host": host, "port": port}
        options |= address.tls or {}
    # Batches wait for their turn, so the pool's limit is never met; it is there for who holds a connection longer.
    return SingleClient(Redis(connection_pool=BlockingConnectionPool(AT_ONCE * 2, None, **options)))


def _raw(response: Any, **_options: Any) -> Any:
    """In place of redis-py's own reading of a reply."""
    return response


class SingleClient:
    """One server."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pool = redis.connection_pool
        for name in list(redis.response_callbacks):
            redis.set_response_callback(str(name), _raw)

    def server_of(self, key: str | None) -> str:
        return ""

    async def send(self, server: str, commands: Sequence[Command]) -> list[Any]:
        if len(commands) == 1:
            try:
                return [await self._redis.execute_command(*commands[0])]
            except ResponseError as error:
                return [error]
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)

    async def ask(self, redirection: AskError, command: Command) -> Any:
        raise redirection  # a node of a cluster, spoken to as one server

    async def recover(self, server: str, error: Exception) -> None:
        """There is no other server."""

    async def aclose(self) -> None:
        await self._redis.aclose()
        await self._pool.aclose()


class SentinelClient(SingleClient):
    """The primary that the sentinels agree on.

    redis-py asks them for each new connection. A primary that was deposed takes writes, and loses them, until a
    sentinel tells it, which can take ten seconds: so they are asked every second, and connections to another than
    the one that they name end with the batch that is on them.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        probe = timeout / _PROBES
        common: dict[str, Any] = {
            "socket_timeout": probe,
            "socket_connect_timeout": probe,
            "retry": _NEVER,
            "driver_info": None,
        }
        common |= {"ssl": True, **address.tls} if address.tls else {}
        secrets = {"username": address.username, "password": address.password}
        self._sentinels = Sentinel(address.hosts, sentinel_kwargs={**common, **secrets})
        # A sentinel often has no password where the servers have one.
        self._open_sentinels = Sentinel(address.hosts, sentinel_kwargs=common) if address.password else None
        self._name = address.name
        options |= {"ssl": True, **address.tls} if address.tls else {}
        self._primary: SentinelConnectionPool = SentinelConnectionPool(address.name, self._sentinels, **options)
        self._watcher: asyncio.Task[None] | None = None
        super().__init__(Redis(connection_pool=self._primary))

    async def send(self, server: str, commands: Sequence[Command]) -> list[Any]:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="sentinels")
        try:
            return await super().send(server, commands)
        except AuthenticationError:
            if self._open_sentinels is None:
                raise
            self._primary.sentinel_manager, self._open_sentinels = self._open_sentinels, None
            return await super().send(server, commands)
        except MasterNotFoundError as error:
            raise RedisConnectionError(f"no sentinel names a primary {self._name}") from error

    async def aclose(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        await super().aclose()
        for sentinels in {self._sentinels, self._primary.sentinel_manager}:
            await sentinels.aclose()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            before = self._primary.master_address
            with contextlib.suppress(RedisError, OSError):
                if await self._primary.get_master_address() != before:
                    await self._primary.update_active_connections_for_reconnect()


class ClusterClient:
    """The nodes of a cluster, a pipeline a node. Which node has a slot is redis-py's table; it is renewed when it
    proves wrong.

    `RedisCluster.execute_command` sends ASKING and the command that it is for over different connections, and hangs
    up on all nodes for an error of one. So commands go as pipelines for a named node, which tell of redirections
    instead of following them.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        self._timeout = timeout
        tls: dict[str, Any] = {"ssl": True, **address.tls} if address.tls else {}
        self._cluster = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
            require_full_coverage=False,  # a node that is gone troubles only its keys
            max_connections=AT_ONCE * 2,
            retry=_NEVER,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            **{**options, "socket_connect_timeout": timeout / _PROBES},
            **tls,
        )
        for name in set(self._cluster.response_callbacks) - {"COMMAND", "CLUSTER SLOTS"}:  # those it reads itself
            self._cluster.set_response_callback(name, _raw)
        self._known = False
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    def server_of(self, key: str | None) -> str:
        if not self._known:
            raise ClusterDownError("the nodes of the cluster are not known yet")
        if key is None:
            return str(self._cluster.get_random_primary_node().name)
        found = self._cluster.get_node_from_key(key)
        if found is None:
            raise ClusterDownError("no node of the cluster serves this key just now")
        return str(found.name)

    async def send(self, server: str, commands: Sequence[Command]) -> list[Any]:
        return await self._pipe(self._cluster.get_node(node_name=server), commands)

    async def ask(self, redirection: AskError, command: Command) -> Any:
        node = self._cluster.get_node(host=redirection.host, port=redirection.port)
        reply = (await self._pipe(node, (("ASKING",), command)))[1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def recover(self, server: str, error: Exception) -> None:
        """Takes what a redirection says; else asks the nodes, not oftener than every `_SETTLE` seconds."""
        nodes = self._cluster.nodes_manager
        if isinstance(error, MovedError):
            await nodes.move_slot(error)
            return
        if isinstance(error, AskError) and self._cluster.get_node(host=error.host, port=error.port) is not None:
            return
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._looking:
            if self._looked >= asked:
                return  # somebody looked while we waited for our turn
            await asyncio.sleep(max(0.0, self._looked + _SETTLE - loop.time()))
            await self._look(server)
            self._looked = loop.time()

    async def _look(self, failed: str) -> None:
        """Learns from the nodes, in any order but `failed` last, which of them has which slots."""
        try:
            async with asyncio.timeout(self._timeout / _PROBES):
                if self._known:
                    await self._cluster.nodes_manager.initialize(last_failed_node_name=failed or None)
                else:
                    await self._cluster.initialize()
                    self._known = True
        except RedisClusterException as error:
            if "Cluster mode is not enabled" in str(error):
                raise AuthenticationError("the server belongs to no cluster: write redis:// instead") from error
            raise ClusterDownError(str(error)) from error
        except TimeoutError:
            raise RedisTimeoutError("the nodes of the cluster do not say which has which slots") from None

    async def _pipe(self, node: ClusterNode | None, commands: Sequence[Command]) -> list[Any]:
        if node is None:
            raise ClusterDownError("that node has left the cluster")
        pipeline = self._cluster.pipeline()
        for command in commands:
            pipeline.execute_command(*command, target_nodes=node)
        return await pipeline.execute(raise_on_error=False, allow_redirections=False)

    async def aclose(self) -> None:
        await self._cluster.aclose()
