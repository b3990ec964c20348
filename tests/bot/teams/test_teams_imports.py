"""A platform is imported only where it is on, and Microsoft's SDK never."""

import subprocess
import sys
from pathlib import Path

from tests import ROOT

CODE = """
import asyncio, sys
from bot.app import running
from bot.settings import read_settings

async def main():
    async with running(read_settings({environ}, None)):
        print(*sorted(n for n in sys.modules if n.startswith({starts})), sep="\\n")

asyncio.run(main())
"""


def imported(folder: Path, environ: dict[str, str], *starts: str) -> list[str]:
    """The modules with names that start so, in a bot that runs with these settings."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(environ=environ, starts=starts)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(starts)]


def test_teams_is_not_imported_where_it_is_off(tmp_path: Path) -> None:
    found = imported(tmp_path, {"PORT": "0", "SWITCHBOARD_DATA_DIR": "data"}, "microsoft_teams", "bot.teams")
    assert found == ["bot.teams", "bot.teams.platform", "bot.teams.settings"], "by which it is off"


def test_slack_is_not_imported_where_only_teams_is_on(tmp_path: Path) -> None:
    starts = ("slack_", "bot.slack", "microsoft_teams", "bot.teams.http")
    found = imported(tmp_path, {"PORT": "0", "TEAMS_ALLOW_UNAUTHENTICATED": "1"}, *starts)
    off = ["bot.slack", "bot.slack.platform", "bot.slack.settings"]
    assert found == [*off, "bot.teams.http"], "by which it is off"
