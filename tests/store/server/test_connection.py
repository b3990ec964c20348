"""What `Store` promises, on real servers that fall silent, hang up, restart and change their minds."""

import asyncio
import hashlib
import random
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.server.batches import AT_ONCE, MOST
from store.server.connection import ServerError, Store, StoreUnavailable
from store.server.scripts import Script
from tests.servers import Farm, Server, opened, start

ECHO = Script("echo", "return ARGV[1]", "0" * 40)  # a wrong SHA: always NOSCRIPT first


def scripted(text: str) -> Script:
    return Script("test", text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# Commands and scripts


async def test_replies_are_those_of_resp3(store: Store) -> None:
    assert await store.call("SET", "{t}a", b"\xff\x00") == b"OK"
    assert await store.call("GET", "{t}a") == b"\xff\x00"
    assert await store.call("GET", "{t}none") is None
    assert await store.call("HSET", "{t}h", "f", 1, "g", 2.5) == 2
    assert await store.call("HGETALL", "{t}h") == {b"f": b"1", b"g": b"2.5"}
    assert await store.call("ZADD", "{t}z", 1.5, "m") == 1
    assert await store.call("ZRANGE", "{t}z", 0, -1, "WITHSCORES") == [[b"m", 1.5]]
    assert await store.call("SET", "{t}ż", "ż") == b"OK"
    assert await store.run(scripted("return {1, false, {KEYS[1], ARGV[1]}}"), ["{t}a"], [7]) == [
        1,
        None,
        [b"{t}a", b"7"],
    ]


async def test_keys_go_where_they_belong(store: Store) -> None:
    keys = [f"key:{number}" for number in range(50)]
    await asyncio.gather(*(store.call("SET", key, key) for key in keys))
    assert await asyncio.gather(*(store.call("GET", key) for key in keys)) == [key.encode() for key in keys]
    assert await store.call("OBJECT", "ENCODING", "key:7") == b"embstr"


async def test_a_script_the_server_forgot(store: Store) -> None:
    count = scripted("return redis.call('INCR', KEYS[1])")
    assert await store.run(count, ["n"]) == 1
    await store.call("SCRIPT", "FLUSH")
    assert await store.run(count, ["n"]) == 2
    assert await store.run(ECHO, ["n"], ["x"]) == b"x"


async def test_errors_of_commands_and_scripts(store: Store) -> None:
    await store.call("SET", "a", "text")
    with pytest.raises(ServerError, match="not an integer") as caught:
        await store.call("INCR", "a")
    assert caught.value.code == "ERR"
    with pytest.raises(ServerError, match="WRONGTYPE"):
        await store.run(scripted("return redis.call('LPUSH', KEYS[1], 1)"), ["a"])
    assert await store.call("GET", "a") == b"text"


@pytest.mark.parametrize("command", ["BLPOP", "subscribe", b"MULTI", "WATCH", "SELECT"])
async def test_what_would_disturb_the_others(farm: Farm, command: str | bytes) -> None:
    async with opened(farm.fresh("embedded")) as store:
        with pytest.raises(ValueError, match="all callers share"):
            await store.call(command, "a", 0)


async def test_arguments_of_no_type(store: Store) -> None:
    with pytest.raises(TypeError):
        await store.call("SET", "a", None)  # type: ignore[arg-type] # what is tested
    assert await store.call("GET", "a") is None


async def test_info(store: Store, request: pytest.FixtureRequest) -> None:
    info = await store.info()
    kind = request.node.callspec.params["store"]
    assert info["server"] == ("redis" if kind == "redis7" else "valkey")
    assert int(info["version"].split(".")[0]) >= 7
    assert (info["mode"], info["primaries"]) == (("cluster", 3) if kind == "cluster" else ("standalone", 1))
    assert info["aof"] == (kind == "embedded")
    assert info["saved"]
    assert info["memory"] > 100_000
    assert (info["memory_limit"], info["eviction"]) == (0, "noeviction")


async def test_every_call_is_observed(farm: Farm) -> None:
    seen: list[tuple[str, float]] = []
    store = await Store.open(farm.fresh("embedded"), observe=lambda name, seconds: seen.append((name, seconds)))
    await store.run(ECHO, ["a"], [1])
    with pytest.raises(ServerError):
        await store.call("LPUSH", "a")
    await store.aclose()
    assert [name for name, _ in seen] == ["ping", "echo", "lpush"]
    assert all(0 < seconds < 2 for _, seconds in seen)


async def test_after_closing(server: Server) -> None:
    store = await Store.open(server.url)
    server.process.send_signal(signal.SIGSTOP)
    waiting = asyncio.create_task(store.call("INCR", "n"))
    await asyncio.sleep(0.01)
    await store.aclose()
    with pytest.raises(StoreUnavailable):
        await waiting
    with pytest.raises(StoreUnavailable, match="was closed"):
        await store.call("GET", "a")


# Many callers on one socket


@pytest.mark.parametrize("kind", ["embedded", "cluster"])
async def test_more_callers_than_fit(farm: Farm, kind: str) -> None:
    numbers = range(AT_ONCE * MOST * 3)
    async with opened(farm.fresh(kind), timeout=60) as store:  # however busy the machine is
        replies = await asyncio.gather(*(store.run(ECHO, ["a"], [n]) for n in numbers))
    assert replies == [str(n).encode() for n in numbers]


async def test_replies_stay_in_step_when_callers_leave(store: Store) -> None:
    dice = random.Random(7)

    async def caller(number: int) -> int:
        right = 0
        for turn in range(40):
            text = f"{number}:{turn}" * dice.randrange(1, 200)
            task = asyncio.create_task(store.run(ECHO, [f"k{number}"], [text]))
            if dice.random() < 0.4:
                for _ in range(dice.randrange(4)):
                    await asyncio.sleep(0)
                task.cancel()
            try:
                assert await task == text.encode()
                right += 1
            except asyncio.CancelledError:
                pass
        return right

    assert 50 * 40 * 0.5 < sum(await asyncio.gather(*(caller(number) for number in range(50)))) < 50 * 40


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 70_000)), min_size=1, max_size=40))
def test_any_order_of_leaving(farm: Farm, plan: list[tuple[int, bool, int]]) -> None:
    """Each call: turns of the loop to wait first, whether its caller then leaves, size of what it sends."""

    async def play() -> None:
        async with opened(farm.get("embedded").url) as store:

            async def one(number: int, turns: int, leave: bool, size: int) -> None:
                text = f"{number}".ljust(size, ".")
                task = asyncio.create_task(store.call("ECHO", text))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if leave:
                    task.cancel()
                    await asyncio.wait([task])
                else:
                    assert await task == text.encode()

            await asyncio.gather(*(one(number, *step) for number, step in enumerate(plan)))

    asyncio.run(play())


# Servers in trouble


async def test_nobody_listens(tmp_path: Path) -> None:
    for url in (
        f"unix://{tmp_path}/none",
        "redis://127.0.0.1:1",
        "redis+cluster://127.0.0.1:1",
        "redis+sentinel://127.0.0.1:1/m",
    ):
        before = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await Store.open(url, timeout=0.3)
        assert time.monotonic() - before < 1


async def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for url in (
            "redis://127.0.0.1:{}",
            "rediss://127.0.0.1:{}",
            "redis://:pw@127.0.0.1:{}",
            "redis+cluster://127.0.0.1:{}",
        ):
            before = time.monotonic()
            with pytest.raises(StoreUnavailable, match="not available"):
                await Store.open(url.format(port), timeout=0.3)
            assert time.monotonic() - before < 1


async def test_not_a_store_at_all() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listening:
        with pytest.raises(StoreUnavailable):
            await Store.open(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}", timeout=0.3)


async def test_a_stall_happens_once(server: Server) -> None:
    """What was sent is not sent again: the server does it when it wakes up."""
    async with opened(server.url, timeout=0.3) as store:
        server.process.send_signal(signal.SIGSTOP)
        before = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.call("INCR", "n")
        with pytest.raises(StoreUnavailable):
            await store.call("GET", "n")
        assert time.monotonic() - before < 1.5
        server.process.send_signal(signal.SIGCONT)
        assert await store.call("GET", "n") == b"1"


async def test_a_restart_is_waited_for(server: Server, tmp_path: Path) -> None:
    """Also by those who may not repeat: they had sent nothing."""
    async with opened(server.url, timeout=5) as store:
        await store.call("SET", "n", 5)
        server.kill()
        await asyncio.sleep(0.05)
        waiting = [asyncio.create_task(store.call("INCR", "n")) for _ in range(20)]
        await asyncio.sleep(0.2)
        again = await asyncio.to_thread(start, tmp_path, port=server.host_port[1])
        try:
            assert sorted(await asyncio.gather(*waiting)) == list(range(1, 21))
        finally:
            again.stop()


async def test_a_replica_is_asked_again_until_it_may_write(server: Server) -> None:
    async with opened(server.url) as store:
        await store.call("REPLICAOF", "127.0.0.1", 1)
        waiting = asyncio.create_task(store.call("INCR", "n"))
        script = asyncio.create_task(store.run(scripted("return redis.call('INCR', KEYS[1])"), ["n"]))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert not script.done()
        await store.call("REPLICAOF", "NO", "ONE")
        assert {await waiting, await script} == {1, 2}


async def test_a_full_store(server: Server) -> None:
    async with opened(server.url) as store:
        await store.call("CONFIG", "SET", "maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="OOM"):
            await store.call("SET", "a", 1)


@asynccontextmanager
async def cutting(server: Server, word: bytes) -> AsyncIterator[tuple[str, list[int]]]:
    """A way to the server that breaks once a command with that word has gone through, before its reply comes back.

    Yields its URL and, as its only item, how often it still does so.
    """
    left = [1]
    writers: list[asyncio.StreamWriter] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*server.host_port)
        writers.extend((writer, up_writer))

        async def back() -> None:
            while data := await up_reader.read(65536):
                writer.write(data)

        task = asyncio.create_task(back())
        while data := await reader.read(65536):
            cut = word in data and left[0] > 0
            if cut:
                left[0] -= 1
                task.cancel()
            up_writer.write(data)
            if cut:
                await up_reader.read(65536)  # done, and nobody will hear of it
                break
        task.cancel()
        writer.close()
        up_writer.close()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as listening:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}", left
        for writer in writers:
            writer.close()


async def test_a_call_in_doubt_is_repeated(server: Server) -> None:
    once = scripted("return redis.call('SET', KEYS[1], ARGV[1], 'NX') or redis.call('GET', KEYS[1])")
    async with opened(server.url) as direct:
        await direct.call("SCRIPT", "LOAD", once.text)
    async with cutting(server, b"EVALSHA") as (url, left), opened(url) as store:
        assert await store.run(once, ["change:1"], ["done"]) == b"done"
        assert left == [0]
