"""`make bench`: every peer in turn, several rounds, medians and ratios.

Everything runs on loopback and ends by itself. Absolute figures are this machine's; the ratios travel.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import uvloop

from bench.load import Result, measure
from bench.peers import SECRET
from bench.processes import cpu_seconds, free_port, listening, process, resident_mib

ROUNDS = 5
REQUESTS = 4_000
WARM = 500
MANY = 10_000

ACCOUNT = """accounts:
  - id: acme
    name: Acme Ltd
    created_on: 2024-06-01
    country: GB
    timezone: Europe/London
    subscription: {{line: sales, tier: professional}}
    limits: {{numbers: {limit}}}
    workspaces: [{{platform: slack, id: T0WORLD}}]
    people:
      - {{id: ada, name: Ada, slack: UADA, seat: sales, super_admin: true}}
      - {{id: max, name: Max, slack: UMAX, seat: sales}}
"""


class Peer:
    """One that is measured: where it listens, its process, and what came of each round."""

    def __init__(self, name: str, port: int, pid: int) -> None:
        self.name, self.port, self.pid = name, port, pid
        self.results: list[tuple[Result, float]] = []

    async def round(self) -> None:
        await measure(self.port, "list", WARM)
        before = cpu_seconds(self.pid)
        result = await measure(self.port, "list", REQUESTS)
        self.results.append((result, (cpu_seconds(self.pid) - before) / REQUESTS * 1e6))

    @property
    def rps(self) -> float:
        return median(r.rps for r, _ in self.results)

    @property
    def cpu(self) -> float:
        return median(cpu for _, cpu in self.results)

    @property
    def p99(self) -> float:
        return median(r.p99 for r, _ in self.results)


def prepare(folder: Path, numbers: int) -> dict[str, str]:
    """An account with so many numbers in a data directory of its own; the environment to serve it with."""
    (folder / "accounts.yaml").write_text(ACCOUNT.format(limit=max(numbers, 3)))
    rows = [f"+4420{n:08},{'max' if n % 2 else ''}," for n in range(70_000_000, 70_000_000 + numbers)]
    (folder / "numbers.csv").write_text("number,assigned_to,forwarding\n" + "\n".join(rows) + "\n")
    env = {
        "SWITCHBOARD_DATA_DIR": str(folder / "data"),
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",  # nobody: a list needs nothing of Slack
        "LOG_LEVEL": "WARNING",
    }
    for call in (("accounts", "apply", "accounts.yaml"), ("numbers", "import", "acme", "numbers.csv")):
        command = [sys.executable, "-m", "bot", *call]
        subprocess.run(command, env={**os.environ, **env}, cwd=folder, check=True, capture_output=True, timeout=300)
    return env


async def main() -> None:
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


if __name__ == "__main__":
    uvloop.run(main())
