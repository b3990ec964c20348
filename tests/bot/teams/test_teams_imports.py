"""A platform is imported only where it is on, and Microsoft's SDK never."""

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


def test_teams_is_not_imported_where_it_is_off(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from bot.app import running
from bot.settings import read_settings

async def main():
    async with running(read_settings({"PORT": "0", "SWITCHBOARD_DATA_DIR": "data"}, None)):
        print(sorted(n for n in sys.modules if n.startswith(("microsoft_teams", "bot.teams"))))

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
        others = ("slack_", "bot.slack", "microsoft_teams")
        print("bot.teams.http" in sys.modules, sorted(n for n in sys.modules if n.startswith(others)))

asyncio.run(main())
"""
    assert run(code, tmp_path)[-1] == "True ['bot.slack', 'bot.slack.platform', 'bot.slack.settings']", (
        "by which it is off"
    )
