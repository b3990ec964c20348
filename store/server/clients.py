"""redis-py's clients for the forms of `REDIS_URL`: which server has a key, a connection to it, and what is looked at
again when a call to it failed.

redis-py's own retries are off: it would repeat within a time that nobody bounds. `Store` repeats. Reads have no
time-out of their own, because each batch has one as a whole; replies are RESP3's.
"""

import asyncio
import contextlib
from typing import Any, Final, Protocol

from redis.asyncio import ConnectionPool, Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
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
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)
from redis.maint_notifications import MaintNotificationsConfig

from store.server.urls import StoreAddress

_PROBES: Final = 4  # a silent node or sentinel may take this part of the time-out before the next is asked
_SETTLE: Final = 0.05  # seconds between two looks at a cluster's nodes, however many callers ask
_WATCH: Final = 1.0  # seconds between two questions to the sentinels
_NEVER: Final = Retry(NoBackoff(), 0)


class Client(Protocol):
    """One form of `REDIS_URL`."""

    def server_of(self, key: str | None) -> str:
        """The name of the server to send to for a key (None: any). Raises RedisError where it is not known."""

    async def acquire(self, server: str) -> AbstractConnection:
        """A connection to that server that nobody uses. Raises RedisError where it can't be had."""

    def release(self, connection: AbstractConnection) -> None:
        """Takes a connection back, also one that failed: it connects again when it is next used."""

    async def recover(self, server: str, error: Exception) -> None:
        """Sees to it that the next try goes where it should, after this error of that server. Raises RedisError where
        nobody can say where that is."""

    async def aclose(self) -> None:
        """Hangs up."""


def make_client(address: StoreAddress, timeout: float) -> Client:
    """The client for an address; nothing is sent yet. `timeout`: seconds in which a connection must be made."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "protocol": 3,
        "socket_timeout": None,
        "socket_connect_timeout": timeout,
        "driver_info": None,  # two round trips less a connection
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if address.mode == "cluster":
        return ClusterClient(address, options, timeout)
    if address.mode == "sentinel":
        return SentinelClient(address, options, timeout)
    if address.path:
        options |= {"connection_class": UnixDomainSocketConnection, "path": address.path}
    else:
        host, port = address.hosts[0]
        options |= {"connection_class": SSLConnection if address.tls else Connection, "host": host, "port": port}
        options |= address.tls or {}
    return SingleClient(ConnectionPool(**options))


class SingleClient:
    """One server."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._redis = Redis.from_pool(pool)
        self._pool = pool
        self._idle: list[AbstractConnection] = []  # out of the pool for good: giving back and taking costs 50 µs

    def server_of(self, key: str | None) -> str:
        return ""

    async def acquire(self, server: str) -> AbstractConnection:
        connection: AbstractConnection = self._idle.pop() if self._idle else await self._pool.get_connection()
        return connection

    def release(self, connection: AbstractConnection) -> None:
        self._idle.append(connection)

    async def recover(self, server: str, error: Exception) -> None:
        """There is no other server."""

    async def aclose(self) -> None:
        await self._redis.aclose()


class SentinelClient(SingleClient):
    """The primary that the sentinels agree on.

    redis-py asks them for each new connection. A primary that was deposed takes writes, and loses them, until a
    sentinel tells it, which can take ten seconds: so they are asked every second, and connections to another than
    the one that they name end with the batch that is on them.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        probe = {"socket_timeout": timeout / _PROBES, "socket_connect_timeout": timeout / _PROBES}
        tls = {"ssl": True, **address.tls} if address.tls else {}
        asking: dict[str, Any] = {**probe, **tls, "retry": _NEVER, "driver_info": None}
        secrets = {"username": address.username, "password": address.password}
        self._sentinels = [Sentinel(address.hosts, sentinel_kwargs={**asking, **secrets})]
        if address.password:  # a sentinel often has no password where the servers have one
            self._sentinels.append(Sentinel(address.hosts, sentinel_kwargs=asking))
        self._name = address.name
        self._primary: SentinelConnectionPool = SentinelConnectionPool(
            address.name, self._sentinels[0], **{**options, **tls}
        )
        self._watcher: asyncio.Task[None] | None = None
        super().__init__(self._primary)

    async def acquire(self, server: str) -> AbstractConnection:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="sentinels")
        try:
            return await super().acquire(server)
        except AuthenticationError:
            if self._primary.sentinel_manager is self._sentinels[-1]:
                raise
            self._primary.sentinel_manager = self._sentinels[-1]
            return await super().acquire(server)
        except MasterNotFoundError as error:
            raise RedisConnectionError(f"no sentinel names a primary {self._name}") from error

    async def aclose(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        await super().aclose()
        for sentinel in self._sentinels:
            await sentinel.aclose()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            before = self._primary.master_address
            with contextlib.suppress(RedisError, OSError):
                if await self._primary.get_master_address() != before:
                    await self._primary.update_active_connections_for_reconnect()


class ClusterClient:
    """The nodes of a cluster. Which node has a slot is redis-py's table; it is renewed when it proves wrong.

    Commands do not go through `RedisCluster.execute_command`: it sends ASKING and the command that it is for over
    different connections, and hangs up on all nodes for an error of one.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        self._timeout = timeout
        tls: dict[str, Any] = {"ssl": True, **address.tls} if address.tls else {}
        self._cluster = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
            require_full_coverage=False,  # a node that is gone troubles only its keys
            retry=_NEVER,
            **{**options, "socket_connect_timeout": timeout / _PROBES},
            **tls,
        )
        self._nodes: dict[AbstractConnection, ClusterNode] = {}  # those of connections that are out
        self._known = False
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    def server_of(self, key: str | None) -> str:
        if not self._known:
            raise ClusterDownError("the nodes of the cluster are not known yet")
        try:
            found = self._cluster.get_random_primary_node() if key is None else self._cluster.get_node_from_key(key)
        except RedisClusterException as error:
            raise ClusterDownError("no node of the cluster serves this key just now") from error
        if found is None:
            raise ClusterDownError("no node of the cluster serves this key just now")
        return str(found.name)

    async def acquire(self, server: str) -> AbstractConnection:
        node = self._cluster.get_node(node_name=server)
        if node is None:
            raise ClusterDownError(f"{server} is no node of the cluster")
        connection = node.acquire_connection()
        self._nodes[connection] = node
        return connection

    def release(self, connection: AbstractConnection) -> None:
        self._nodes.pop(connection).release(connection)  # type: ignore[arg-type] # it was this node's

    async def recover(self, server: str, error: Exception) -> None:
        """Takes what a redirection says; else asks the nodes, not oftener than every `_SETTLE` seconds."""
        if type(error) is MovedError:
            await self._cluster.nodes_manager.move_slot(error)
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

    async def aclose(self) -> None:
        await self._cluster.aclose()
