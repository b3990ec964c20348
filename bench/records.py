"""What the measured processes keep: an account with so many numbers, in a data directory of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.peers import SECRET, TWILIO_PUBLIC, TWILIO_SID, TWILIO_TOKEN
from bench.teams import PEOPLE

SLACK = """accounts:
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

TEAMS = """accounts:
  - id: acme
    name: Acme Ltd
    created_on: 2024-06-01
    country: GB
    timezone: Europe/London
    subscription: {{line: sales, tier: professional}}
    limits: {{numbers: {limit}}}
    workspaces: [{{platform: teams, id: 00000000-0000-0000-0000-000000000001}}]
    people:
{people}
"""


def prepare(folder: Path, numbers: int) -> dict[str, str]:
    """An account with so many numbers in a data directory of its own; the environment to serve it with."""
    (folder / "accounts.yaml").write_text(SLACK.format(limit=max(numbers, 3)))
    _fill(folder, numbers, "max")
    env = {
        "SWITCHBOARD_DATA_DIR": str(folder / "data"),
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",  # nobody: a list needs nothing of Slack
        "LOG_LEVEL": "WARNING",
    }
    _apply(folder, env)
    return env


def prepare_teams(folder: Path, numbers: int) -> dict[str, str]:
    """The same on Teams, for ten super admins."""
    (folder / "accounts.yaml").write_text(_teams_account(numbers))
    _fill(folder, numbers, "p1")
    env = {
        "SWITCHBOARD_DATA_DIR": str(folder / "data"),
        "TEAMS_ALLOW_UNAUTHENTICATED": "1",
        "LOG_LEVEL": "WARNING",
    }
    _apply(folder, env)
    return env


def prepare_voice(folder: Path) -> dict[str, str]:
    """An account with one number that is forwarded, and a carrier that asks about its calls."""
    (folder / "accounts.yaml").write_text(SLACK.format(limit=3))
    (folder / "numbers.csv").write_text("number,assigned_to,forwarding\n+442070000000,max,+442070000001\n")
    env = {
        "SWITCHBOARD_DATA_DIR": str(folder / "data"),
        "TWILIO_ACCOUNT_SID": TWILIO_SID,
        "TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
        "PUBLIC_URL": TWILIO_PUBLIC,
        "LOG_LEVEL": "WARNING",
    }
    _apply(folder, env)
    return env


def _fill(folder: Path, numbers: int, holder: str) -> None:
    rows = [f"+4420{n:08},{holder if n % 2 else ''}," for n in range(70_000_000, 70_000_000 + numbers)]
    (folder / "numbers.csv").write_text("number,assigned_to,forwarding\n" + "\n".join(rows) + "\n")


def _apply(folder: Path, env: Mapping[str, str]) -> None:
    for call in (("accounts", "apply", "accounts.yaml"), ("numbers", "import", "acme", "numbers.csv")):
        command = [sys.executable, "-m", "bot", *call]
        subprocess.run(command, env={**os.environ, **env}, cwd=folder, check=True, capture_output=True, timeout=300)


def _teams_account(numbers: int) -> str:
    """Every person is a super admin: each has a conversation of their own, so nobody's answer waits for another's."""
    lines = [f"      - {{id: p{n}, name: P{n}, teams: 29:p{n}, seat: sales, super_admin: true}}" for n in range(PEOPLE)]
    return TEAMS.format(limit=max(numbers, 3), people="\n".join(lines))
