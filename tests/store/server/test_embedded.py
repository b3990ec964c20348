"""The embedded server: nothing acknowledged is lost, never two on a directory, none left behind."""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from operator import lt
from pathlib import Path
from typing import Any

import pytest

from store.server.connection import Store, StoreUnavailable
from store.server.embedded import SOCKET_PATH_BYTES, EmbeddedError, EmbeddedServer, server_binary
from tests import ROOT
from tests.servers import answers, ask, eventually, redis7, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="counts server processes in /proc")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory to be made, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sb-") as parent:
        data = Path(parent).resolve() / "data"
        yield data
        for pid in servers_on(data):  # only after a test that failed
            os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def shared(folder: Path) -> AsyncIterator[tuple[EmbeddedServer, Store]]:
    embedded = await EmbeddedServer.start(folder)
    try:
        store = await Store.open(embedded.url)
        try:
            yield embedded, store
        finally:
            await store.aclose()
    finally:
        await embedded.stop()


def servers_on(folder: Path) -> list[int]:
    """The living server processes whose data is in that directory."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"--dir" in words and words[words.index(b"--dir") + 1] == os.fsencode(folder):
                    found.append(int(process.name))
    return found


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def made(folder: Path, mode: int = 0o700) -> Path:
    folder.mkdir(mode)
    return folder


def only_server(folder: Path) -> int:
    (pid,) = servers_on(folder)
    return pid


class User:
    """`embedded_user.py` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.server.embedded_user", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def server(self) -> int:
        """The server's pid, when this user has it."""
        word, _, pid = self.read().partition(" ")
        assert word == "ready"
        return int(pid)

    def push(self, text: str) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        return int(self.read())

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code


@pytest.fixture
def users(folder: Path) -> Iterator[Any]:
    started: list[User] = []

    def begin() -> User:
        started.append(User(folder))
        return started[-1]

    yield begin
    for user in started:
        if user.process.poll() is None:
            user.end(signal.SIGKILL)


async def test_is_private_and_writes_before_it_answers(folder: Path) -> None:
    async with shared(folder) as (_, store):
        assert open_to_others(folder) == []
        settings = [await store.call("CONFIG", "GET", name) for name in ("port", "appendonly", "appendfsync")]
        assert settings == [{b"port": b"0"}, {b"appendonly": b"yes"}, {b"appendfsync": b"always"}]


async def test_keeps_its_data_and_leaves_no_server(folder: Path) -> None:
    async with shared(folder) as (_, store):
        await store.call("SET", "kept", "yes")
        assert len(servers_on(folder)) == 1
    assert servers_on(folder) == []
    async with shared(folder) as (_, store):
        assert await store.call("GET", "kept") == b"yes"


async def test_stopping_twice_is_stopping_once(folder: Path) -> None:
    embedded = await EmbeddedServer.start(folder)
    await embedded.stop()
    await embedded.stop()
    assert servers_on(folder) == []


async def test_loses_nothing_acknowledged_when_killed(folder: Path) -> None:
    kills, writers = 3, 4
    async with shared(folder) as (_, store):
        acknowledged: list[list[int]] = [[] for _ in range(writers)]
        unknown: list[set[int]] = [set() for _ in range(writers)]
        stop = asyncio.Event()

        async def write(me: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    await store.call("SET", f"last:{me}", number)
                    await store.call("HSET", f"all:{me}", number, 1)
                    acknowledged[me].append(number)
                except StoreUnavailable:
                    unknown[me].add(number)

        tasks = [asyncio.create_task(write(me)) for me in range(writers)]
        for _ in range(kills):
            await asyncio.sleep(0.15)
            killed = only_server(folder)
            os.kill(killed, signal.SIGKILL)
            # Answers that were on their way still arrive: only the next server's count as work after the kill.
            await eventually(lambda was=killed: servers_on(folder) not in ([], [was]), "a server in its place")  # type: ignore[misc] # a default
            before = [len(done) for done in acknowledged]
            await eventually(lambda was=before: all(map(lt, was, map(len, acknowledged))), "everybody at work")  # type: ignore[misc] # a default
        stop.set()
        await asyncio.gather(*tasks)
        for me in range(writers):
            kept = {int(number) for number in await store.call("HKEYS", f"all:{me}")}
            assert set(acknowledged[me]) <= kept <= set(acknowledged[me]) | unknown[me]
            last = int(await store.call("GET", f"last:{me}"))
            assert max(acknowledged[me]) <= last <= len(acknowledged[me]) + len(unknown[me])
        assert len(servers_on(folder)) == 1


async def test_who_may_repeat_does_not_notice_a_kill(folder: Path) -> None:
    async with shared(folder) as (_, store):
        await store.call("SET", "a", 1)
        for _ in range(2):
            os.kill(only_server(folder), signal.SIGKILL)
            assert await store.call("GET", "a") == b"1"


async def test_adopts_the_server_of_a_killed_owner(folder: Path, users: Any) -> None:
    owner = users()
    server = owner.server()
    assert owner.push("kept") == 1
    owner.end(signal.SIGKILL)
    assert servers_on(folder) == [server]
    async with shared(folder) as (_, store):
        assert only_server(folder) == server
        assert await store.call("LRANGE", "lines", 0, -1) == [b"kept"]
    assert servers_on(folder) == []


async def test_replaces_an_orphan_that_does_not_answer(folder: Path, users: Any) -> None:
    owner = users()
    server = owner.server()
    owner.push("kept")
    owner.end(signal.SIGKILL)
    os.kill(server, signal.SIGSTOP)
    async with shared(folder) as (_, store):
        assert only_server(folder) != server
        assert await store.call("LRANGE", "lines", 0, -1) == [b"kept"]


async def test_leaves_a_silent_server_to_those_who_use_it(folder: Path, users: Any) -> None:
    owner = users()
    server = owner.server()
    os.kill(server, signal.SIGSTOP)
    with pytest.raises(EmbeddedError, match="does not answer"):
        await EmbeddedServer.start(folder)
    os.kill(server, signal.SIGCONT)
    assert owner.push("still there") == 1


def test_processes_that_start_together_share_one_server(folder: Path, users: Any) -> None:
    together = [users() for _ in range(4)]
    servers = {user.server() for user in together}
    assert servers == set(servers_on(folder))
    assert len(servers) == 1
    assert [user.push("x") for user in together] == [1, 2, 3, 4]


def test_the_server_stays_until_the_last_one_leaves(folder: Path, users: Any) -> None:
    first = users()
    server = first.server()
    second = users()
    assert second.server() == server
    assert first.end(signal.SIGTERM) == 0  # the one that started it
    assert second.push("works") == 1
    assert servers_on(folder) == [server]
    assert second.end(signal.SIGTERM) == 0
    assert servers_on(folder) == []


def test_one_of_many_starts_it_again(folder: Path, users: Any) -> None:
    together = [users() for _ in range(3)]
    seen = {user.server() for user in together}
    for round_ in range(3):
        for pid in servers_on(folder):
            os.kill(pid, signal.SIGKILL)
        until(lambda before=frozenset(seen): set(servers_on(folder)) - before, "another server")  # type: ignore[misc] # a default
        seen |= set(servers_on(folder))
        assert [user.push("x") for user in together] == [round_ * 3 + n for n in (1, 2, 3)]
        assert len(servers_on(folder)) == 1


async def test_never_a_second_writer(folder: Path) -> None:
    """Even one that does not know of the first: the server itself holds the lock."""
    async with shared(folder):
        descriptor = os.open(folder / "server.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        (folder / "valkey.sock").unlink()  # it cannot be found any more
        with pytest.raises(EmbeddedError, match="does not answer"):
            await EmbeddedServer.start(folder)
        assert len(servers_on(folder)) == 1


async def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    deep = folder.joinpath(*["a-rather-long-name"] * 6)
    assert len(os.fsencode(deep)) > SOCKET_PATH_BYTES
    async with shared(deep) as (embedded, store):
        socket = Path(embedded.url.removeprefix("unix://"))
        assert len(os.fsencode(socket)) <= SOCKET_PATH_BYTES
        assert open_to_others(socket.parent) == []
        await store.call("SET", "a", 1)
        async with shared(deep) as (again, other):
            assert again.url == embedded.url
            assert await other.call("GET", "a") == b"1"
    assert not socket.parent.exists()
    assert servers_on(deep) == []


async def test_a_short_path_that_is_not_ours(folder: Path) -> None:
    deep = folder.joinpath(*["another-long-name"] * 6)
    embedded = await EmbeddedServer.start(deep)
    await embedded.stop()
    private = Path(embedded.url.removeprefix("unix://")).parent
    private.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedError, match="not a private directory"):
            await EmbeddedServer.start(deep)
    finally:
        private.rmdir()


@pytest.mark.parametrize("under", ["file", "file/data"])
async def test_a_file_in_the_way(folder: Path, under: str) -> None:
    made(folder).joinpath("file").touch()
    with pytest.raises(EmbeddedError, match=r"^The data directory .*/file.* cannot be used: .*\.$"):
        await EmbeddedServer.start(folder / under)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_directory_that_cannot_be_written(folder: Path) -> None:
    made(folder, 0o500)
    with pytest.raises(EmbeddedError, match=r"cannot be used: Permission denied\.$"):
        await EmbeddedServer.start(folder)


async def test_broken_data_is_told_and_nothing_is_left(folder: Path) -> None:
    async with shared(folder) as (_, store):
        await store.call("SET", "a", "x" * 1000)
    (log,) = (folder / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"nonsense" + log.read_bytes())
    with pytest.raises(EmbeddedError, match=r"did not start: Bad file format reading the append only file"):
        await EmbeddedServer.start(folder)
    assert servers_on(folder) == []


async def test_a_start_that_is_given_up_leaves_no_server(folder: Path) -> None:
    start = asyncio.create_task(EmbeddedServer.start(folder))
    await eventually(lambda: servers_on(folder) != [], "a server")
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await eventually(lambda: servers_on(folder) == [], "its end")
    async with shared(folder) as (_, store):
        await store.ping()


@pytest.mark.redis7
@pytest.mark.parametrize("elsewhere", [False, True], ids=["other version", "other data"])
async def test_somebody_elses_server(folder: Path, elsewhere: bool) -> None:
    """It is neither used nor disturbed."""
    made(folder)
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    fcntl.flock(users, fcntl.LOCK_SH)
    socket = str(folder / "valkey.sock")
    home = folder.parent if elsewhere else folder
    binary = server_binary() if elsewhere else redis7()
    words = [str(binary), "--port", "0", "--unixsocket", socket, "--dir", str(home), "--save", ""]
    process = await asyncio.to_thread(subprocess.Popen, words, stdout=subprocess.DEVNULL, pass_fds=[lock])
    try:
        await eventually(lambda: answers(socket), "a server")
        with pytest.raises(EmbeddedError, match="keeps its data in" if elsewhere else "of another version"):
            await EmbeddedServer.start(folder)
        assert ask(socket, "PING") == b"PONG"
    finally:
        process.kill()
        process.wait(10)
        os.close(lock)
        os.close(users)
