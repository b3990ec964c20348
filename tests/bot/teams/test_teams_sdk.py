"""Microsoft's SDK does to the process only what we let it."""

import subprocess
import sys
from pathlib import Path

from tests import ROOT


def run(code: str, folder: Path, *flags: str) -> list[str]:
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_leaves_the_environment_alone_warns_of_nothing_and_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_A_FILE=yes\nCLIENT_ID=somebody\n")
    code = """
import os
before = dict(os.environ)
from bot.teams import sdk
parts = sdk.load()
assert sdk.load() is parts
print(dict(os.environ) == before, "FROM_A_FILE" in os.environ)
from opentelemetry import metrics
print(type(metrics.get_meter_provider()).__name__)
"""
    assert run(code, tmp_path, "-W", "error") == ["True False", "NoOpMeterProvider"]


def test_it_is_not_imported_where_teams_is_off(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from bot.app import running
from bot.settings import read_settings

async def main():
    async with running(read_settings({"PORT": "0", "SWITCHBOARD_DATA_DIR": "data"}, None)):
        print(sorted(n for n in sys.modules if n.startswith(("microsoft_teams", "bot.teams", "opentelemetry"))))

asyncio.run(main())
"""
    assert run(code, tmp_path)[-1] == "['bot.teams', 'bot.teams.platform', 'bot.teams.settings']", "by which it is off"


def test_slack_is_not_imported_where_only_teams_is_on(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from bot.app import running
from bot.settings import read_settings

async def main():
    async with running(read_settings({"PORT": "0", "TEAMS_ALLOW_UNAUTHENTICATED": "1"}, None)):
        slack = sorted(name for name in sys.modules if name.startswith(("slack_", "bot.slack")))
        print("microsoft_teams.apps" in sys.modules, slack)

asyncio.run(main())
"""
    assert run(code, tmp_path)[-1] == "True ['bot.slack', 'bot.slack.platform', 'bot.slack.settings']", (
        "by which it is off"
    )
