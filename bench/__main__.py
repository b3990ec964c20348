"""`make bench`: every peer in turn, several rounds, medians and ratios. `make soak`: memory over many activities.

Everything runs on loopback and ends by itself. Absolute figures are this machine's; the ratios travel.
"""

import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import orjson
import uvloop

from bench.blocklist import blocklist
from bench.deadlines import deadlines
from bench.load import ROUNDS, Peer, command, print_peers
from bench.processes import free_port, listening, process
from bench.records import prepare, prepare_teams
from bench.soak import soak
from bench.teams import PEOPLE, Connector
from bench.tickets import tickets
from bench.voice import voice

MANY = 10_000


async def slack() -> None:
    """`/numbers list` over Slack, with few and with many numbers, beside what only acknowledges."""
    with ExitStack() as stack:
        peers = []

        def add(name: str, port: int, pid: int) -> None:
            peers.append(Peer(name, port, pid, lambda _: command("list", port)))

        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-bench-"))) for _ in range(2)]
        for name, folder, numbers in (
            ("Switchboard, 3 numbers", folders[0], 3),
            ("Switchboard, 10,000", folders[1], MANY),
        ):
            env, port = prepare(folder, numbers), free_port()
            child = stack.enter_context(process("bot", "serve", env={**env, "PORT": str(port)}))
            ready = await listening(port, "/readyz")
            add(name, port, child.pid)
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
            add(name, port, child.pid)
        for _ in range(ROUNDS):
            for peer in peers:
                await peer.round()
        print_peers("signed /numbers list", peers, peers[2], ("requests/s", "of empty Bolt"))
        print(f"\n10,000 numbers against 3: {peers[0].median.rps / peers[1].median.rps:.2f} times the time")
        print(f"bytes of the answer: {len(peers[0].results[-1].body):,}")


async def teams() -> None:
    """The same read as a message on Teams, counted when its card has come to the conversation."""
    async with Connector() as connector:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-bench-")))
            env = prepare_teams(folder, 3)
            peers = []
            for name, module, answers in (
                ("Switchboard, 3 numbers", ("bot", "serve"), True),
                ("empty handler of the SDK", ("bench.peers", "teams"), False),
                ("fixed card by the SDK", ("bench.peers", "teams-card"), True),
            ):
                port = free_port()
                argument = () if module[0] == "bot" else (str(port),)
                child = stack.enter_context(process(*module, *argument, env={**env, "PORT": str(port)}))
                await listening(port, "/readyz" if module[0] == "bot" else "/")
                ask = partial(connector.message, text="numbers list", port=port)
                peers.append(Peer(name, port, child.pid, ask, connector.arrived if answers else None, PEOPLE))
            for _ in range(ROUNDS):
                for peer in peers:
                    await peer.round()
                    if peer is peers[0]:
                        answer = len(orjson.dumps(connector.last[0]))
            print_peers("numbers list over Teams", peers, peers[1], ("reads/s", "of the empty"))
            print(f"\nbytes of the card's message: {answer:,}")


BENCHES = {bench.__name__: bench for bench in (slack, teams, voice, blocklist, tickets, deadlines)}


async def main() -> None:
    for bench in BENCHES.values():
        await bench()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            uvloop.run(main())
        case ["soak"]:
            raise SystemExit(uvloop.run(soak()))
        case [name] if name in BENCHES:
            uvloop.run(BENCHES[name]())
        case _:
            raise SystemExit(f"python -m bench [{' | '.join(BENCHES)} | soak]")
