"""`switchboard demo --teams`: Microsoft's playground as a child of the demo."""

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.cli.demo import account
from playground import teams

SERVES = """
import asyncio, json, os, pathlib, sys
pathlib.Path("told.json").write_text(json.dumps({"args": sys.argv[1:], "env": dict(os.environ)}))
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", int(sys.argv[-1]))
    await server.serve_forever()
asyncio.run(main())
"""


def test_without_node_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(teams.NotInstalled, match=r"Node\.js 18 or newer.*make demo"):
        teams.command()


def test_without_the_playground_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(teams.NotInstalled, match="run `make demo-teams`"):
        teams.command(tmp_path)
    cli = tmp_path / "@microsoft" / "m365agentsplayground" / "cli.js"
    cli.parent.mkdir(parents=True)
    cli.touch()
    assert teams.command(tmp_path)[-1] == str(cli)


async def test_it_is_told_of_the_bot_and_ends_with_the_demo(tmp_path: Path) -> None:
    script = tmp_path / "serves.py"
    script.write_text(SERVES)
    async with teams.playground((sys.executable, str(script)), "http://127.0.0.1:3000", tmp_path) as page:
        told = yaml.safe_load((tmp_path / "told.json").read_text())
    args, env = " ".join(told["args"]), told["env"]
    assert args.startswith("start -e http://127.0.0.1:3000/api/messages -c msteams --dt -p ")
    assert page == f"http://127.0.0.1:{told['args'][-1]}"
    assert env["M365_AGENTS_PLAYGROUND_SERVICE_URL"] == f"{page}/_connector"
    assert env["TEAMSAPPTESTER_BROWSER"] == "none"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(page)


async def test_one_that_ends_at_once_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(teams.DidNotStart, match=r"ended at once with status 3: see .*playground\.log"):
        async with teams.playground((sys.executable, "-c", "raise SystemExit(3)"), "http://127.0.0.1:3000", tmp_path):
            raise AssertionError("nothing runs")


async def test_one_that_is_deaf_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "START", 0.5)
    monkeypatch.setattr(teams, "STOP", 0.2)
    monkeypatch.setattr(teams, "PORT", 0)  # at its usual port another test's may listen
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    async with asyncio.timeout(10):
        with pytest.raises(teams.DidNotStart, match="did not come up within"):
            async with teams.playground((sys.executable, "-c", deaf), "http://127.0.0.1:3000", tmp_path):
                raise AssertionError("nothing runs")


def test_its_people_are_the_accounts() -> None:
    shown = yaml.safe_load((Path(teams.__file__).parent / "people.yml").read_text())
    acme = account()
    assert [workspace.id for workspace in acme.workspaces if workspace.platform == "teams"] == [shown["tenantId"]]
    people = {user["id"]: user["name"] for user in (shown["currentUser"], *shown["users"])}
    listed = {person.user_on("teams"): person.name for person in acme.people}
    assert listed.items() <= people.items()
    assert set(people) - set(listed) == {"29:robin"}
    assert len(shown["users"]) == 5  # the playground takes no other number
