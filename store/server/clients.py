"""redis-py's clients for the forms of `REDIS_URL`: they find the server of a key, connect to it, and find it again when
a call has failed.

redis-py's retries are off, because nothing bounds their time; `Store` retries. Reads have no timeout of their own,
because each batch has one; the protocol is RESP3.
"""

import asyncio
import contextlib
from typing import Any, Final, Protocol

from redis import exceptions
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
from redis.maint_notifications import MaintNotificationsConfig

from store.server.urls import StoreAddress

_PROBES: Final = 4  # a node or sentinel that is silent for the timeout divided by this is given up for the next
_SETTLE: Final = 0.05  # seconds at least between two requests for a cluster's slots, from all callers
_WATCH: Final = 1.0  # seconds between two requests to the sentinels
_NEVER: Final = Retry(NoBackoff(), 0)


class Client(Protocol):
    """One form of `REDIS_URL`."""

    def server_of(self, key: str | None) -> str:
        """The name of the server that has a key (None: any server). Raises RedisError if it is not known."""

    async def acquire(self, server: str) -> AbstractConnection:
        """A free connection to that server. Raises RedisError if there is none."""

    def release(self, connection: AbstractConnection) -> None:
        """Take a connection back, also one that failed: it reconnects when it is next used."""

    async def recover(self, server: str, error: Exception) -> None:
        """After an error of a server, find out where the next try must go. Raises RedisError if nobody knows."""

    async def aclose(self) -> None:
        """Close all connections."""


def make_client(address: StoreAddress, timeout: float) -> Client:
    """The client for an address, not yet connected. `timeout`: seconds in which a connection must be made."""
    options: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "protocol": 3,
        "socket_timeout": None,
        "socket_connect_timeout": timeout,
        "driver_info": None,  # saves two round trips for each connection
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
        self._idle: list[AbstractConnection] = []  # never returned to the pool: that costs 50 µs

    def server_of(self, key: str | None) -> str:
        return ""

    async def acquire(self, server: str) -> AbstractConnection:
        connection: AbstractConnection = self._idle.pop() if self._idle else await self._pool.get_connection()
        return connection

    def release(self, connection: AbstractConnection) -> None:
        self._idle.append(connection)

    async def recover(self, server: str, error: Exception) -> None:
        """Nothing to find out: there is one server."""

    async def aclose(self) -> None:
        await self._redis.aclose()


class SentinelClient(SingleClient):
    """The primary that the sentinels name.

    redis-py asks them for each new connection. A deposed primary accepts writes, which are lost, until a sentinel
    demotes it, which can take ten seconds. So they are asked every second, and connections to another server are closed
    after their batch.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        probe = {"socket_timeout": timeout / _PROBES, "socket_connect_timeout": timeout / _PROBES}
        tls = {"ssl": True, **address.tls} if address.tls else {}
        asking: dict[str, Any] = {**probe, **tls, "retry": _NEVER, "driver_info": None}
        secrets = {"username": address.username, "password": address.password}
        self._sentinels = [Sentinel(address.hosts, sentinel_kwargs={**asking, **secrets})]
        if address.password:  # often the servers have a password and the sentinels don't
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
            raise exceptions.ConnectionError(f"no sentinel names a primary {self._name}") from error

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
    """The nodes of a cluster, by redis-py's table of slots, which is renewed when it is wrong.

    Commands bypass `RedisCluster.execute_command`, which sends ASKING and its command over different connections, and
    disconnects from all nodes for an error of one.
    """

    def __init__(self, address: StoreAddress, options: dict[str, Any], timeout: float) -> None:
        self._timeout = timeout
        tls: dict[str, Any] = {"ssl": True, **address.tls} if address.tls else {}
        self._cluster = RedisCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
            require_full_coverage=False,  # an unavailable node affects only its keys
            retry=_NEVER,
            **{**options, "socket_connect_timeout": timeout / _PROBES},
            **tls,
        )
        self._nodes: dict[AbstractConnection, ClusterNode] = {}  # of connections in use
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
        """Follow a redirection, else read the slots from the nodes, at most every `_SETTLE` seconds."""
        if isinstance(error, AskError) and error.host:  # without one it means the host that was asked
            if isinstance(error, MovedError):
                with contextlib.suppress(KeyError):  # a slot that nobody had
                    await self._cluster.nodes_manager.move_slot(error)
                    return
            elif self._cluster.get_node(host=error.host, port=error.port) is not None:
                return
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._looking:
            if self._looked >= asked:
                return  # read while we waited for the lock
            await asyncio.sleep(max(0.0, self._looked + _SETTLE - loop.time()))
            await self._look(server)
            self._looked = loop.time()

    async def _look(self, failed: str) -> None:
        """Read from a node which one has which slots, trying `failed` last."""
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
            raise exceptions.TimeoutError("the nodes of the cluster do not say which has which slots") from None

    async def aclose(self) -> None:
        await self._cluster.aclose()
