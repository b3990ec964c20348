"""`make soak`: 20,000 activities over Teams, half of them messages and half presses, and what they leave in memory."""

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from bench.load import drive
from bench.processes import free_port, listening, process, resident_mib
from bench.records import prepare_teams
from bench.teams import PEOPLE, Connector, executes

ACTIVITIES: Final = 20_000
ROUNDS: Final = 5
WARM: Final = 4_000  # caches fill up and the allocator finds its size
NUMBERS: Final = 100  # lists have pages
ALLOWED: Final = 4.0  # MiB from the first round's end to the last's: 0.26 KiB for each of those 16,000 activities


async def soak() -> int:
    """Print the resident memory after each round; return the exit status, 1 if it grew more than allowed."""
    async with Connector() as connector:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-soak-")))
            env, port = prepare_teams(folder, NUMBERS), free_port()
            child = stack.enter_context(process("bot", "serve", env={**env, "PORT": str(port)}))
            await listening(port, "/readyz")
            await _round(connector, port, child.pid, WARM)
            print(f"{'activities':>10}{'MiB':>9}")
            sizes = []
            for n in range(1, ROUNDS + 1):
                await _round(connector, port, child.pid, ACTIVITIES // ROUNDS)
                sizes.append(resident_mib(child.pid))
                print(f"{n * ACTIVITIES // ROUNDS:10,}{sizes[-1]:9.1f}", flush=True)
    grown = sizes[-1] - sizes[0]
    fine = grown <= ALLOWED
    print(
        f"grown by {grown:+.1f} MiB over the last {ACTIVITIES - ACTIVITIES // ROUNDS:,}: {'none' if fine else 'A LEAK'}"
    )
    return 0 if fine else 1


async def _round(connector: Connector, port: int, pid: int, activities: int) -> None:
    """Half messages, each until its card has come; then as many presses of "Next" on that card."""
    ask = partial(connector.message, text="numbers list", port=port)
    await drive(port, pid, ask, activities // 2, PEOPLE, connector.arrived)
    actions = [
        next(action for action in executes(connector.last[person]) if action["title"] == "Next")
        for person in range(PEOPLE)
    ]
    result = await drive(
        port, pid, lambda person: connector.press(person, actions[person], port), activities // 2, PEOPLE
    )
    if b"AdaptiveCard" not in result.body:
        raise RuntimeError(f"a press was answered with {result.body[:200]!r}")
