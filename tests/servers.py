"""Real servers for tests: started synchronously (they outlive the event loop of any one test), stopped by their pid.

`Farm` starts each kind when it is first asked for. All listen on loopback or a unix socket, keep their data in a
folder of the test run and are ended with it.
"""

import asyncio
import contextlib
import inspect
import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import hiredis
import pytest
from aiohttp import web

from store.server.connection import Store
from store.server.embedded import server_binary

PATIENCE: Final = 20.0  # seconds for a process to come or go, on a busy machine
NODE_TIMEOUT_MS: Final = 2000
Address = tuple[str, int] | str


# Below the ports that systems give to connections (32768 and up), each test process its own: what is free stays so
# until the server that it is for is there.
_PORTS: Final = 1_500
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_ports = itertools.cycle(range(12_000 + _WORKER * _PORTS, 12_000 + (_WORKER + 1) * _PORTS))
for _ in range(random.randrange(_PORTS)):  # a run beside this one begins elsewhere
    next(_ports)


def free_port() -> int:
    for port in itertools.islice(_ports, _PORTS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for it, or fail the test."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.01)


async def eventually(true: Callable[[], object], what: str = "it", seconds: float = PATIENCE) -> None:
    """Like `until`, while the event loop goes on; `true` may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while not (await found if inspect.isawaitable(found := true()) else found):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        await asyncio.sleep(0.005)


def ask(address: Address, *command: str | int, seconds: float = 5.0) -> Any:
    """One command on a connection of its own; raises the server's error as `hiredis.ReplyError`."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        connection.sendall(hiredis.pack_command(command))  # type: ignore[arg-type] # declared as a tuple of one
        reader = hiredis.Reader(notEnoughData=NotImplemented)
        while (reply := reader.gets()) is NotImplemented:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("hung up")
            reader.feed(data)
    if isinstance(reply, hiredis.ReplyError):
        raise reply
    return reply


@contextlib.asynccontextmanager
async def opened(url: str, timeout: float = 2.0) -> AsyncIterator[Store]:
    """A store on it, closed at the end."""
    store = await Store.open(url, timeout=timeout)
    try:
        yield store
    finally:
        await store.aclose()


@contextlib.asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """An application on a port of its own, and its URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answers(address: Address) -> bool:
    try:
        return bool(ask(address, "PING", seconds=1) == b"PONG")
    except (OSError, hiredis.ReplyError):
        return False


class Server:
    """One server process."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: Address, folder: Path) -> None:
        self.process = process
        self.address = address
        self.folder = folder

    @property
    def url(self) -> str:
        if isinstance(self.address, str):
            return f"unix://{self.address}"
        return f"redis://{self.address[0]}:{self.address[1]}"

    @property
    def host_port(self) -> tuple[str, int]:
        assert not isinstance(self.address, str)
        return self.address

    def ask(self, *command: str | int) -> Any:
        return ask(self.address, *command)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.kill()


def start(
    folder: Path,
    *options: str | int | Path,
    binary: str | Path | None = None,
    sock: bool = False,
    port: int | None = None,
) -> Server:
    """A server that answers PING, on 127.0.0.1 (a free port unless one is given) or on a unix socket in `folder`.

    Options come last, so they win over those that are set here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = 0 if sock else port or free_port()
    address: Address = str(folder / "s") if sock else ("127.0.0.1", port)
    place = ["--unixsocket", address, "--port", 0] if sock else ["--port", port, "--bind", "127.0.0.1"]
    words = [binary or server_binary(), *place, "--dir", folder, "--save", "", "--loglevel", "warning", *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    server = Server(process, address, folder)
    try:
        until(lambda: answers(address) or process.poll() is not None, "an answer to PING")
        assert process.poll() is None, (folder / "log").read_text()[-500:]
    except BaseException:
        server.stop()
        raise
    return server


def redis7() -> str:
    """Debian's server, or the test is skipped."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("there is no redis-server here (Debian: apt-get install redis-server)")
    return binary


class Cluster:
    """Primaries of equal shares, each with `replicas` replicas, on loopback."""

    def __init__(self, folder: Path, primaries: int = 3, replicas: int = 0) -> None:
        self.nodes: list[Server] = []
        self.buses: list[int] = []
        try:
            for number in range(primaries * (1 + replicas)):
                bus = free_port()
                node = start(
                    folder / str(number), "--cluster-enabled", "yes", "--cluster-port", bus,
                    "--cluster-node-timeout", NODE_TIMEOUT_MS, "--appendonly", "no",
                    # A replica that has fallen behind for a moment may still stand for election.
                    "--cluster-replica-validity-factor", 0, "--repl-diskless-sync-delay", 0,
                )  # fmt: skip
                self.nodes.append(node)
                self.buses.append(bus)
            self._join(primaries)
        except BaseException:
            self.stop()
            raise

    def _join(self, primaries: int) -> None:
        for number, node in enumerate(self.nodes[:primaries]):
            share = 16384 * number // primaries, 16384 * (number + 1) // primaries - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", *share)
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node, bus in list(zip(self.nodes, self.buses, strict=True))[1:]:
            host, port = node.host_port
            self.nodes[0].ask("CLUSTER", "MEET", host, port, bus)
        until(lambda: all(self._sees(node, len(self.nodes)) for node in self.nodes), "everybody knowing everybody")
        for number, node in enumerate(self.nodes[primaries:]):
            node.ask("CLUSTER", "REPLICATE", self.nodes[number % primaries].ask("CLUSTER", "MYID").decode())
        until(lambda: all(b"cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in self.nodes), "a cluster")
        for node in self.nodes[primaries:]:
            until(lambda node=node: b"master_link_status:up" in node.ask("INFO", "replication"), "replication")  # type: ignore[misc] # the default binds it

    @staticmethod
    def _sees(node: Server, count: int) -> bool:
        lines = node.ask("CLUSTER", "NODES").decode().splitlines()
        return len(lines) == count and not any("handshake" in line for line in lines)

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join("{}:{}".format(*node.host_port) for node in self.nodes)

    def owner(self, key: str) -> Server:
        """The node that serves a key now."""
        living = next(node for node in self.nodes if node.process.poll() is None)
        slot = living.ask("CLUSTER", "KEYSLOT", key)
        for first, last, primary, *_ in living.ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.host_port[1] == primary[1])
        raise LookupError(f"no node serves slot {slot}")

    def flush(self) -> None:
        for node in self.nodes:
            node.ask("FLUSHALL")

    def stop(self) -> None:
        for node in self.nodes:
            node.process.terminate()
        for node in self.nodes:
            node.stop()


class Sentinels:
    """A primary, its replica, and three sentinels that call it `main`."""

    def __init__(self, folder: Path) -> None:
        self.servers: list[Server] = []
        self.sentinels: list[Server] = []
        try:
            primary = start(folder / "a", "--repl-diskless-sync-delay", 0)
            self.servers.append(primary)
            host, port = primary.host_port
            replica = start(folder / "b", "--replicaof", host, port)
            self.servers.append(replica)
            until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication"), "replication")
            for number in range(3):
                home = folder / f"sentinel{number}"
                home.mkdir(parents=True)
                settings = home / "sentinel.conf"
                settings.write_text(
                    f"sentinel monitor main {host} {port} 2\nsentinel down-after-milliseconds main 500\n"
                    "sentinel failover-timeout main 3000\n"
                )
                self.sentinels.append(self._sentinel(home, settings))
            until(
                lambda: all(b"num-other-sentinels" in b" ".join(self._main(s)) and self._others(s) == 2
                            for s in self.sentinels),
                "sentinels knowing each other",
            )  # fmt: skip
            until(
                lambda: all(len(s.ask("SENTINEL", "REPLICAS", "main")) == 1 for s in self.sentinels),
                "the replica known",
            )
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _sentinel(home: Path, settings: Path) -> Server:
        port = free_port()
        words = [server_binary(), settings, "--sentinel", "--port", port, "--bind", "127.0.0.1", "--dir", home]
        with (home / "log").open("ab") as log:
            process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        server = Server(process, ("127.0.0.1", port), home)
        until(lambda: answers(server.address), "a sentinel")
        return server

    @staticmethod
    def _main(sentinel: Server) -> list[bytes]:
        reply: list[bytes] = sentinel.ask("SENTINEL", "MASTER", "main")
        return reply

    def _others(self, sentinel: Server) -> int:
        facts = self._main(sentinel)
        return int(facts[facts.index(b"num-other-sentinels") + 1])

    @property
    def url(self) -> str:
        hosts = ",".join("{}:{}".format(*s.host_port) for s in self.sentinels)
        return f"redis+sentinel://{hosts}/main"

    def stop(self) -> None:
        for server in [*self.sentinels, *self.servers]:
            server.stop()


class Twice(Store):
    """A store whose every call is sent again, as when the first answer was lost on its way: the second is seen."""

    async def _execute(self, key: str | None, packed: bytes, until: float) -> Any:
        await super()._execute(key, packed, until)
        return await super()._execute(key, packed, until)


class Farm:
    """The servers that tests share, a kind started once: flushed by whoever takes one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kinds: dict[str, Server | Cluster] = {}

    def get(self, kind: str) -> Server | Cluster:
        """`embedded`: Valkey as the bot runs it, on a socket; `redis7`: Debian's; `cluster`: three primaries."""
        if kind not in self._kinds:
            self._kinds[kind] = self._start(kind)
        return self._kinds[kind]

    def fresh(self, kind: str) -> str:
        """The URL of that server, empty."""
        server = self.get(kind)
        if isinstance(server, Cluster):
            server.flush()
        else:
            server.ask("FLUSHALL")
        return server.url

    async def open(self, kind: str) -> Store:
        """A store on that server, empty; `twice`: the embedded one, each call sent twice."""
        if kind == "twice":
            return await Twice.open(self.fresh("embedded"))
        return await Store.open(self.fresh(kind))

    def _start(self, kind: str) -> Server | Cluster:
        folder = self._folder / kind
        if kind == "embedded":
            return start(folder, "--appendonly", "yes", "--appendfsync", "always", sock=True)
        if kind == "redis7":
            return start(folder, binary=redis7())
        if kind == "cluster":
            return Cluster(folder)
        raise ValueError(f"no such kind of server: {kind}")

    def stop(self) -> None:
        for server in self._kinds.values():
            server.stop()


@contextlib.contextmanager
def farm() -> Iterator[Farm]:
    """In a folder with a short path: a socket's may have 103 bytes, and pytest's own are long."""
    with tempfile.TemporaryDirectory(prefix="sb-", ignore_cleanup_errors=True) as folder:
        servers = Farm(Path(folder))
        try:
            yield servers
        finally:
            servers.stop()
