"""Stores, accounts and settings for the processes that are measured."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.peers import SECRET, TWILIO_PUBLIC, TWILIO_SID, TWILIO_TOKEN
from bench.teams import PEOPLE
from store.server.connection import Store
from store.server.embedded import EmbeddedServer

ACCOUNT = """accounts:
  - id: acme
    name: Acme Ltd
    created_on: 2024-06-01
    country: GB
    timezone: Europe/London
    subscription: {{line: sales, tier: {tier}}}
    {more}
    people:
{people}
"""
SLACK = (
    "{id: ada, name: Ada, slack: UADA, seat: sales, super_admin: true}",
    "{id: max, name: Max, slack: UMAX, seat: sales}",
)


@asynccontextmanager
async def fresh_store() -> AsyncIterator[tuple[Store, str, Path]]:
    """An empty embedded server: a client, the server's URL, and the temporary folder around it."""
    with tempfile.TemporaryDirectory(prefix="sb-bench-") as folder:
        embedded = await EmbeddedServer.start(Path(folder) / "data")
        try:
            store = await Store.open(embedded.url, timeout=30)
            try:
                yield store, embedded.url, Path(folder)
            finally:
                await store.aclose()
        finally:
            await embedded.stop()


def slack_env(port: int) -> dict[str, str]:
    """The settings for a Slack whose Web API listens on a port of this machine."""
    return {
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
        "LOG_LEVEL": "WARNING",
    }


def prepare(folder: Path, numbers: int) -> dict[str, str]:
    """Make an account with so many numbers in a data directory of its own; return the environment to serve it with."""
    env = slack_env(9)  # nothing listens there: a list needs nothing of Slack
    return _prepare(folder, env, "{platform: slack, id: T0WORLD}", SLACK, _rows(numbers, "max"))


def prepare_teams(folder: Path, numbers: int) -> dict[str, str]:
    """The same on Teams, for super admins each of whom has a conversation, so that no answer waits for another's."""
    people = [f"{{id: p{n}, name: P{n}, teams: 29:p{n}, seat: sales, super_admin: true}}" for n in range(PEOPLE)]
    env = {"TEAMS_ALLOW_UNAUTHENTICATED": "1", "LOG_LEVEL": "WARNING"}
    workspace = "{platform: teams, id: 00000000-0000-0000-0000-000000000001}"
    return _prepare(folder, env, workspace, people, _rows(numbers, "p1"))


def prepare_voice(folder: Path) -> dict[str, str]:
    """The same with one forwarded number and Twilio, which asks about its calls."""
    env = {
        "TWILIO_ACCOUNT_SID": TWILIO_SID,
        "TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
        "PUBLIC_URL": TWILIO_PUBLIC,
        "LOG_LEVEL": "WARNING",
    }
    return _prepare(folder, env, "{platform: slack, id: T0WORLD}", SLACK, ["+442070000000,max,+442070000001"])


def write_account(folder: Path, tier: str, more: str, people: Sequence[str]) -> None:
    """Write accounts.yaml with one account; `more` are further lines of it."""
    lines = "\n".join(f"      - {person}" for person in people)
    (folder / "accounts.yaml").write_text(ACCOUNT.format(tier=tier, more=more, people=lines))


def run_command(folder: Path, env: Mapping[str, str], *command: str) -> None:
    """Run a command of `switchboard` in the folder. Raises CalledProcessError if it fails."""
    words = [sys.executable, "-m", "bot", *command]
    subprocess.run(words, env={**os.environ, **env}, cwd=folder, check=True, capture_output=True, timeout=300)


def _prepare(
    folder: Path, env: Mapping[str, str], workspace: str, people: Sequence[str], rows: Sequence[str]
) -> dict[str, str]:
    more = f"limits: {{numbers: {max(len(rows), 3)}}}\n    workspaces: [{workspace}]"
    write_account(folder, "professional", more, people)
    (folder / "numbers.csv").write_text("\n".join(("number,assigned_to,forwarding", *rows, "")))
    env = {"SWITCHBOARD_DATA_DIR": str(folder / "data"), **env}
    run_command(folder, env, "accounts", "apply", "accounts.yaml")
    run_command(folder, env, "numbers", "import", "acme", "numbers.csv")
    return env


def _rows(numbers: int, holder: str) -> list[str]:
    return [f"+4420{n:08},{holder if n % 2 else ''}," for n in range(70_000_000, 70_000_000 + numbers)]
