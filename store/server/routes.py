"""Which server a key belongs to: one, the primary that sentinels name, or the nodes of a cluster.

A route gives the line for a key, at once where it is there, and takes the news that it was wrong. redis-py's cluster
client is not used: it sends ASKING and its command on different connections, drops everybody's connections when one
fails, and does not say whether a failed command was sent, on which the promise of `connection.Store` rests.
"""

import asyncio
import contextlib
from binascii import crc_hqx
from typing import Any, Final, Protocol

from store.server.lean import Endpoint, Line, Lost, Peer, Refused, ServerError, Unsent, pack
from store.server.urls import StoreAddress

_SLOTS: Final = 16384
_SETTLE: Final = 0.05  # seconds between two looks at who is who, however many callers ask
_WATCH: Final = 1.0  # seconds between two questions to a sentinel
_PROBES: Final = 4  # a silent node or sentinel may take this part of the timeout before the next is asked


class Route(Protocol):
    """What `Store` needs of a topology."""

    def ready(self, key: bytes | None) -> Line | None:
        """The line for a key (None: any server) if it can take a command now."""

    async def line(self, key: bytes | None) -> Line:
        """The line for a key, after connecting and finding out whatever must be.

        Raises:
            Unsent: nobody answers for the key just now.
            Refused: user or password are wrong.
        """

    async def asked(self, failure: ServerError) -> Line:
        """The line that an ASK reply points to."""

    def doubt(self, line: Line | None, failure: Exception) -> None:
        """That line failed, or was the wrong one: look again before the next use."""

    async def aclose(self) -> None:
        """Hang up on all servers."""


def route(target: StoreAddress, timeout: float) -> Route:
    if target.mode == "cluster":
        return Cluster(target, timeout)
    if target.mode == "sentinel":
        return Sentinel(target, timeout)
    return Single(target, timeout)


class Single:
    """One server."""

    def __init__(self, target: StoreAddress, timeout: float) -> None:
        self._peer = Peer(target.endpoints[0], timeout)

    def ready(self, key: bytes | None) -> Line | None:
        line = self._peer.line
        return line if line is not None and line.free else None

    async def line(self, key: bytes | None) -> Line:
        return await self._peer.connect()

    async def asked(self, failure: ServerError) -> Line:
        return await self._peer.connect()

    def doubt(self, line: Line | None, failure: Exception) -> None:
        """There is no other."""

    async def aclose(self) -> None:
        await self._peer.aclose()


class Sentinel:
    """The primary that the sentinels agree on; found again whenever it fails, turns read-only or is deposed.

    A deposed primary takes writes, and loses them, until a sentinel tells it, which takes ten seconds. So they are
    asked every second.
    """

    def __init__(self, target: StoreAddress, timeout: float) -> None:
        first = target.endpoints[0]
        self._name = target.name
        self._timeout = timeout
        self._username, self._password, self._tls = first.username, first.password, first.tls
        self._sentinels = [
            Peer(Endpoint(e.address, e.username, e.password, e.tls, lenient=True), timeout / _PROBES)
            for e in target.endpoints
        ]
        self._primary: Peer | None = None
        self._former: list[Peer] = []
        self._watcher: asyncio.Task[None] | None = None
        self._searching = asyncio.Lock()

    def ready(self, key: bytes | None) -> Line | None:
        line = self._primary.line if self._primary is not None else None
        return line if line is not None and line.free else None

    async def line(self, key: bytes | None) -> Line:
        async with self._searching:
            if self._primary is None or not _alive(self._primary):
                self._primary = await self._search()
            return await self._primary.connect()

    async def asked(self, failure: ServerError) -> Line:
        return await self.line(None)

    def doubt(self, line: Line | None, failure: Exception) -> None:
        if self._primary is not None and line is self._primary.line:
            self._former.append(self._primary)  # what others wait for on it still arrives
            self._primary = None

    async def aclose(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        for peer in [*self._sentinels, *self._former, *([self._primary] if self._primary is not None else [])]:
            await peer.aclose()

    async def _search(self) -> Peer:
        await self._part()
        for sentinel in list(self._sentinels):
            address = await self._named_by(sentinel)
            peer = await self._primary_at(address) if address is not None else None
            if peer is not None:
                if self._watcher is None:
                    self._watcher = asyncio.create_task(self._watch(), name="sentinels")
                return peer
            self._sentinels.append(self._sentinels.pop(0))  # the next search begins with another
        raise Unsent(f"no sentinel names a primary {self._name} that answers")

    async def _named_by(self, sentinel: Peer) -> tuple[str, int] | None:
        try:
            line = await sentinel.connect()
            found = await line.send(pack("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name))
        except (Unsent, Lost, ServerError):
            return None
        return (found[0].decode(), int(found[1])) if found is not None else None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            address = await self._named_by(self._sentinels[0])
            async with self._searching:
                known = self._primary
                if address is None or known is None or address == known.endpoint.address:
                    continue
                with contextlib.suppress(Refused):  # the next caller will be told
                    if (peer := await self._primary_at(address)) is not None:
                        self._former.append(known)
                        self._primary = peer

    async def _primary_at(self, address: tuple[str, int]) -> Peer | None:
        """The connected server if it calls itself a primary: a sentinel may be slower than the failover."""
        peer = self._primary
        if peer is None or peer.endpoint.address != address:
            peer = Peer(Endpoint(address, self._username, self._password, self._tls), self._timeout)
        try:
            role = await (await peer.connect()).send(pack("ROLE"))
        except (Unsent, Lost, ServerError):
            role = [b"unknown"]
        if role[0] == b"master":
            return peer
        if peer is not self._primary:
            await peer.aclose()
        return None

    async def _part(self) -> None:
        """Hang up on former primaries that owe nobody a reply."""
        for peer in list(self._former):
            if peer.line is None or peer.line.idle:
                self._former.remove(peer)
                await peer.aclose()


class Cluster:
    """The nodes of a cluster: a table from slot to the node that serves it, renewed when it proves wrong."""

    def __init__(self, target: StoreAddress, timeout: float) -> None:
        first = target.endpoints[0]
        self._timeout = timeout
        self._username, self._password, self._tls = first.username, first.password, first.tls
        self._seeds = [e.address for e in target.endpoints if not isinstance(e.address, str)]
        self._nodes: dict[tuple[str, int], Peer] = {}
        self._table: list[Peer | None] = [None] * _SLOTS
        self._stale = True
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    def ready(self, key: bytes | None) -> Line | None:
        peer = self._table[slot_of(key) if key is not None else 0]
        line = peer.line if peer is not None else None
        return line if line is not None and line.free else None

    async def line(self, key: bytes | None) -> Line:
        if self._stale:
            await self._look()
        anyone = next(filter(_alive, self._nodes.values()), self._table[0])
        peer = self._table[slot_of(key)] if key is not None else anyone
        if peer is None:
            raise Unsent("no node of the cluster serves this key just now")
        return await peer.connect()

    async def asked(self, failure: ServerError) -> Line:
        return await self._named(failure).connect()

    def doubt(self, line: Line | None, failure: Exception) -> None:
        if isinstance(failure, ServerError) and failure.code == "MOVED":
            # Better news than any table: the others may hear of it later.
            self._table[int(str(failure).split()[1])] = self._named(failure)
        elif not (isinstance(failure, ServerError) and failure.code == "ASK"):
            self._stale = True

    async def aclose(self) -> None:
        for peer in self._nodes.values():
            await peer.aclose()

    def _named(self, failure: ServerError) -> Peer:
        """The node in `MOVED slot host:port` or `ASK slot host:port`."""
        host, _, port = str(failure).split()[2].rpartition(":")
        return self._node((host or self._seeds[0][0], int(port)))

    def _node(self, address: tuple[str, int]) -> Peer:
        peer = self._nodes.get(address)
        if peer is None:
            endpoint = Endpoint(address, self._username, self._password, self._tls)
            peer = self._nodes[address] = Peer(endpoint, self._timeout)
        return peer

    async def _look(self) -> None:
        """Ask the nodes, those that are connected first, until one tells the table."""
        async with self._looking:
            if not self._stale:
                return
            wait = self._looked + _SETTLE - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
            known = sorted(self._nodes, key=lambda address: not _alive(self._nodes[address]))
            last: Exception | None = None
            for address in dict.fromkeys([*known, *self._seeds]):
                self._looked = asyncio.get_running_loop().time()
                try:
                    async with asyncio.timeout(self._timeout / _PROBES):
                        line = await self._node(address).connect()
                        shards = await line.send(pack("CLUSTER", "SLOTS"))
                except ServerError as error:
                    if "cluster support" in str(error):
                        raise Refused("the server belongs to no cluster: write redis:// instead") from error
                    if error.code != "LOADING":
                        raise Refused(str(error)) from error
                    last = error
                except (Unsent, Lost, TimeoutError) as error:
                    last = error
                else:
                    self._adopt(shards, address[0])
                    return
            raise Unsent(f"no node of the cluster answers: {last}")

    def _adopt(self, shards: list[list[Any]], asked: str) -> None:
        table: list[Peer | None] = [None] * _SLOTS
        for first, last, primary, *_ in shards:
            # A node that does not know its own name is reached by the one we used.
            host = primary[0].decode() if primary[0] not in (None, b"", b"?") else asked
            table[first : last + 1] = [self._node((host, primary[1]))] * (last + 1 - first)
        self._table = table
        self._stale = False
        serving = set(table)
        for address, peer in list(self._nodes.items()):
            if peer not in serving and (peer.line is None or peer.line.idle):
                if peer.line is not None:
                    peer.line.close()
                del self._nodes[address]


def _alive(peer: Peer) -> bool:
    return peer.line is not None and peer.line.alive


def slot_of(key: bytes) -> int:
    """The slot of a key: CRC16 of what stands in its first braces, else of all of it."""
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc_hqx(key, 0) % _SLOTS
