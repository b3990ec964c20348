"""`make bench`: every peer in turn, several rounds, medians and ratios. `make soak`: memory over many activities.

Everything runs on loopback and ends by itself. Absolute figures are this machine's; the ratios travel.
"""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import orjson
import uvloop

from bench.blocklist import blocklist
from bench.deadlines import deadlines
from bench.load import Result, drive, measure
from bench.processes import cpu_seconds, free_port, listening, process, resident_mib
from bench.records import prepare, prepare_teams
from bench.soak import soak
from bench.teams import PEOPLE, Connector
from bench.tickets import tickets
from bench.voice import voice

ROUNDS = 5
REQUESTS = 4_000
WARM = 500
MANY = 10_000


class Peer:
    """One that is measured: where it listens, its process, and what came of each round."""

    def __init__(self, name: str, port: int, pid: int) -> None:
        self.name, self.port, self.pid = name, port, pid
        self.results: list[tuple[Result, float]] = []

    async def round(self) -> None:
        await self.measured(WARM)
        before = cpu_seconds(self.pid)
        result = await self.measured(REQUESTS)
        self.results.append((result, (cpu_seconds(self.pid) - before) / REQUESTS * 1e6))

    async def measured(self, requests: int) -> Result:
        return await measure(self.port, "list", requests)

    @property
    def rps(self) -> float:
        return median(r.rps for r, _ in self.results)

    @property
    def cpu(self) -> float:
        return median(cpu for _, cpu in self.results)

    @property
    def p99(self) -> float:
        return median(r.p99 for r, _ in self.results)


class TeamsPeer(Peer):
    """One that is measured over Teams; `shown`: it answers with a card, and an answer counts when that has come."""

    def __init__(self, name: str, port: int, pid: int, connector: Connector, *, shown: bool) -> None:
        super().__init__(name, port, pid)
        self._connector, self._shown = connector, shown
        self.answer = 0  # bytes of the card's message

    async def measured(self, requests: int) -> Result:
        result = await drive(
            self.port,
            lambda person: self._connector.message(person, "numbers list", self.port),
            requests,
            PEOPLE,
            self._connector.arrived if self._shown else None,
        )
        self.answer = len(orjson.dumps(self._connector.last[0])) if self._shown else 0
        return result


async def main() -> None:
    await slack()
    await teams()
    await voice()
    await blocklist()
    await tickets()
    await deadlines()


async def slack() -> None:
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-bench-"))) for _ in range(2)]
        peers = []
        for name, folder, numbers in (
            ("Switchboard, 3 numbers", folders[0], 3),
            ("Switchboard, 10,000", folders[1], MANY),
        ):
            env, port = prepare(folder, numbers), free_port()
            child = stack.enter_context(process("bot", "serve", env={**env, "PORT": str(port)}))
            ready = await listening(port, "/readyz")
            peers.append(Peer(name, port, child.pid))
            if numbers == 3:
                print(f"cold start to ready: {ready:.2f} s")
        socket = f"unix://{folders[0] / 'data' / 'valkey.sock'}"
        for name, kind in (
            ("empty Bolt, flag", "bolt"),
            ("empty Bolt, default", "bolt-default"),
            ("bare aiohttp + GET", "bare"),
        ):
            port = free_port()
            child = stack.enter_context(process("bench.peers", kind, str(port), socket))
            await listening(port)
            peers.append(Peer(name, port, child.pid))
        for _ in range(ROUNDS):
            for peer in peers:
                await peer.round()
        report(peers)


async def teams() -> None:
    """The same read as a message on Teams, counted when its card has come to the conversation."""
    async with Connector() as connector:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-bench-")))
            env = prepare_teams(folder, 3)
            peers = []
            for name, module, shown in (
                ("Switchboard, 3 numbers", ("bot", "serve"), True),
                ("empty handler of the SDK", ("bench.peers", "teams"), False),
                ("fixed card by the SDK", ("bench.peers", "teams-card"), True),
            ):
                port = free_port()
                argument = () if module[0] == "bot" else (str(port),)
                child = stack.enter_context(process(*module, *argument, env={**env, "PORT": str(port)}))
                await listening(port, "/readyz" if module[0] == "bot" else "/")
                peers.append(TeamsPeer(name, port, child.pid, connector, shown=shown))
            for _ in range(ROUNDS):
                for peer in peers:
                    await peer.round()
            report_teams(peers)


def report(peers: Sequence[Peer]) -> None:
    ours, many, flag = peers[0], peers[1], peers[2]
    print(f"\nsigned /numbers list, 10 connections, {ROUNDS} rounds of {REQUESTS:,}, medians\n")
    print(f"{'':24}{'requests/s':>12}{'of empty Bolt':>15}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>7}")
    for peer in peers:
        p50 = median(r.p50 for r, _ in peer.results)
        row = f"{peer.name:24}{peer.rps:12,.0f}{peer.rps / flag.rps:15.2f}{peer.cpu:9.0f}{p50:9.2f}{peer.p99:9.2f}"
        print(f"{row}{resident_mib(peer.pid):7.0f}")
    print(f"\n10,000 numbers against 3: {ours.rps / many.rps:.2f} times the time")
    print(f"bytes of the answer: {len(ours.results[-1][0].body):,}")


def report_teams(peers: Sequence[TeamsPeer]) -> None:
    empty = peers[1]
    print(f"\nnumbers list over Teams, {PEOPLE} people, {ROUNDS} rounds of {REQUESTS:,}, medians\n")
    print(f"{'':26}{'reads/s':>10}{'of the empty':>15}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>7}")
    for peer in peers:
        p50 = median(r.p50 for r, _ in peer.results)
        row = f"{peer.name:26}{peer.rps:10,.0f}{peer.rps / empty.rps:15.2f}{peer.cpu:9.0f}{p50:9.2f}{peer.p99:9.2f}"
        print(f"{row}{resident_mib(peer.pid):7.0f}")
    print(f"\nbytes of the card's message: {peers[0].answer:,}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            uvloop.run(main())
        case ["slack"]:
            uvloop.run(slack())
        case ["teams"]:
            uvloop.run(teams())
        case ["voice"]:
            uvloop.run(voice())
        case ["blocklist"]:
            uvloop.run(blocklist())
        case ["tickets"]:
            uvloop.run(tickets())
        case ["deadlines"]:
            uvloop.run(deadlines())
        case ["soak"]:
            raise SystemExit(uvloop.run(soak()))
        case _:
            raise SystemExit("python -m bench [slack | teams | voice | blocklist | tickets | deadlines | soak]")
