"""The whole bot and a pretend Teams: what comes in acts once, for the right account, and is answered in words."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import App, Overrides, running
from bot.doctor import diagnose
from bot.errors import InputError
from bot.settings import Settings, read_settings
from bot.teams.settings import Settings as TeamsSettings
from bot.wiring import Repositories
from domain.accounts.account import Account
from tests import ROOT, present
from tests.bot.teams.peer import PretendTeams, pretend_teams
from tests.bot.teams.world import TENANT, User
from tests.domain.samples import account
from tests.servers import eventually, free_port

OTHER = "00000000-0000-0000-0000-000000000002"
NOWHERE = "00000000-0000-0000-0000-000000000009"
LOCAL = TeamsSettings(None, None, None, unauthenticated=True)


def company(id: str = "acme", tenant: str = TENANT, **more: Any) -> Account:
    data = {
        "id": id,
        "name": id.title(),
        "created_on": "2024-06-01",
        "workspaces": [{"platform": "teams", "id": tenant}],
        "people": [
            {"id": "ada", "name": "Ada", "teams": "29:ada", "seat": "sales", "super_admin": True},
            {"id": "max", "name": "Max", "email": "max@example.com", "seat": "sales"},
            {"id": "robin", "name": "Robin", "teams": "aad-robin", "seat": "sales", "super_admin": True},
        ],
        "inventory": [f"+44207946{n:04}" for n in range(900, 912)],
        **more,
    }
    return account(**data)


@contextlib.asynccontextmanager
async def at_work(tmp_path: Path, *accounts: Account) -> AsyncIterator[tuple[PretendTeams, App]]:
    async def prepare(kept: Repositories) -> None:
        await kept.accounts.apply(accounts or [company()], datetime.now(UTC))

    settings = Settings(data_dir=tmp_path / "data", port=0, platforms={"teams": LOCAL})
    async with pretend_teams() as teams, running(settings, Overrides(prepare=prepare)) as app:
        teams.bot_url = f"{app.url}/api/messages"
        yield teams, app


async def until_said(teams: PretendTeams, user: str, text: str, where: str = "") -> None:
    await eventually(lambda: any(text in m.words() for m in teams.said(user, where)), f"{text!r} said to {user}")


async def numbers(app: App, id: str = "acme") -> int:
    snapshot = present(await app.kept.accounts.get(id))
    return len(await app.kept.numbers.all(snapshot))


async def test_installing_brings_a_welcome_and_a_home_that_is_kept_up_to_date(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        await teams.install("Ada")
        await until_said(teams, "Ada", "Switchboard is ready")
        await until_said(teams, "Ada", "0 of 3 numbers")
        await teams.say("Ada", "numbers get GB")
        await until_said(teams, "Ada", "is yours to use")
        home = next(m for m in teams.said("Ada") if "of 3 numbers" in m.words())
        await eventually(lambda: "1 of 3 numbers" in home.words(), "the new home")
        assert teams.refused == []


async def test_the_same_activity_five_times_acts_once(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, app):
        await teams.install("Ada")
        answer = await teams.say("Ada", "numbers get GB")
        await teams.repeat(answer, 2)
        app_answers = [a.status for a in await asyncio.gather(*(teams.post(answer.activity) for _ in range(2)))]
        assert app_answers == [200, 200]
        await until_said(teams, "Ada", "is yours to use")
        await asyncio.sleep(0.1)
        assert len([m for m in teams.said("Ada") if "is yours to use" in m.words()]) == 1
        assert await numbers(app) == 1


async def test_a_message_seen_by_two_processes_acts_once(tmp_path: Path) -> None:
    """What one process remembers another does not: the store does."""
    async with at_work(tmp_path) as (teams, app):
        await teams.install("Ada")
        answer = await teams.say("Ada", "numbers get GB")
        redis = f"unix://{next((tmp_path / 'data').rglob('*.sock'))}"
        async with running(Settings(redis_url=redis, port=0, platforms={"teams": LOCAL})) as other:
            teams.bot_url = f"{other.url}/api/messages"
            assert [a.status for a in await teams.repeat(answer, 3)] == [200] * 3
            await until_said(teams, "Ada", "is yours to use")
            assert await numbers(app) == 1


async def test_an_edit_of_a_command_does_nothing(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, app):
        await teams.install("Ada")
        await teams.say("Ada", "numbers")
        await until_said(teams, "Ada", "Phone numbers")
        mine = next(m for m in teams.messages("Ada") if m.sender == "29:ada")
        assert (await teams.edit("Ada", mine, "numbers get GB")).status == 200
        await asyncio.sleep(0.1)
        assert await numbers(app) == 0


async def test_people_are_known_by_teams_id_aad_object_id_and_address(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, app):
        for user in ("Ada", "Robin", "Max"):
            await teams.install(user)
        await teams.say("Robin", "numbers get GB")  # a super admin, by the AAD object id
        await until_said(teams, "Robin", "is yours to use")
        await teams.say("Ada", "numbers assign 020 7946 0900 max")
        await until_said(teams, "Ada", "Max")
        await teams.say("Max", "numbers")  # by the address of the roster
        await until_said(teams, "Max", "020 7946 0900")
        assert await numbers(app) == 1
        assert teams.refused == []


async def test_somebody_named_in_a_channel_is_found_and_what_is_said_is_for_the_asker_alone(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        teams.add_place("general", ["Ada", "Max", "Robin"])
        await teams.install("Ada", "general")
        await teams.say("Ada", "numbers get GB", "general")
        await until_said(teams, "Ada", "is yours to use", "general")
        await teams.say("Ada", "numbers assign 020 7946 0900 @Max", "general")  # known by the address of the roster
        await until_said(teams, "Ada", "belongs to Max", "general")
        await teams.say("Ada", "numbers assign 020 7946 0900 @Robin", "general")
        await until_said(teams, "Ada", "belongs to Robin", "general")
        await until_said(teams, "Robin", "020 7946 0900")  # told in a chat that the bot opened
        assert teams.said("Robin", "general") == []
        assert teams.refused == []


async def test_a_roster_that_does_not_answer_is_said(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        await teams.install("Max")
        teams.hang(5.0, 9, path="/members/")
        assert (await teams.say("Max", "numbers")).status == 200
        await until_said(teams, "Max", "the chat service did")
        assert "020" not in teams.words("Max")


async def test_an_outsider_and_a_guest_are_told_so(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        teams.add_user("29:gus", "Gus", "gus@example.com", role="guest")
        teams.add_user("29:olga", "Olga", "olga@example.com", tenant=OTHER)
        teams.add_place("general", ["Ada", "Gus", "Olga"])
        await teams.install("Ada", "general")
        for user in ("Gus", "Olga"):
            await teams.say(user, "numbers", "general")
            await until_said(teams, user, "", "general")
        assert "guest" in teams.words("Gus", "general").lower()


async def test_a_tenant_of_no_account_is_told_what_to_do(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        teams.world.add_user(User("29:eve", "Eve", tenant=NOWHERE))
        await teams.install("Eve")
        assert (await teams.say("Eve", "numbers get GB")).status == 200
        await until_said(teams, "Eve", NOWHERE)


async def test_a_card_of_another_account_changes_nothing(tmp_path: Path) -> None:
    there = [{"id": "zoe", "name": "Zoe", "teams": "29:zoe", "seat": "sales", "super_admin": True}]
    stock = [f"+44207946{n:04}" for n in range(920, 930)]
    async with at_work(tmp_path, company(), company("other", OTHER, people=there, inventory=stock)) as (teams, app):
        teams.world.add_user(User("29:zoe", "Zoe", tenant=OTHER))
        await teams.install("Ada")
        await teams.install("Zoe")
        await teams.say("Ada", "numbers get GB")
        await until_said(teams, "Ada", "is yours to use")
        await teams.say("Ada", "numbers")
        await until_said(teams, "Ada", "Phone numbers")
        zoe = teams.world.user("Zoe")
        await teams.press("Ada", "Edit", near="0900")
        data = teams.dialog("Ada").card["actions"][0]["data"]  # type: ignore[index] # it has one
        value = {"data": {**data, "person": "zoe", "forwarding": "+44 20 7946 0999"}}
        place = teams.world.personal(zoe)
        answer = await teams.post(teams.activity("invoke", zoe, place, name="task/submit", value=value))
        assert answer.status == 200
        assert "0900" not in str(answer.body["task"].get("value", {}).get("title", ""))
        snapshot = present(await app.kept.accounts.get("acme"))
        (number,) = await app.kept.numbers.all(snapshot)
        assert (number.person, number.forwarding) == (None, None)
        assert await numbers(app, "other") == 0


async def test_an_unknown_verb_is_answered_in_a_sentence(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (teams, _):
        await teams.install("Ada")
        ada = teams.world.user("Ada")
        place = teams.world.personal(ada)
        action = {"type": "Action.Execute", "verb": "rm", "data": {"action": "rm", "value": "-rf"}}
        pressed = await teams.post(
            teams.activity("invoke", ada, place, name="adaptiveCard/action", value={"action": action})
        )
        assert (pressed.status, pressed.body["statusCode"]) == (200, 200)
        assert len(pressed.body["value"]) > 10
        fetched = await teams.post(
            teams.activity("invoke", ada, place, name="task/fetch", value={"data": {"action": "rm", "value": ""}})
        )
        assert fetched.body["task"]["type"] == "continue"
        sent = await teams.post(
            teams.activity("invoke", ada, place, name="task/submit", value={"data": {"form": "none", "x": "y"}})
        )
        assert sent.body["task"]["type"] == "continue"


async def test_sigterm_cuts_nothing_off(tmp_path: Path) -> None:
    """What was heard is answered, though the process is told to stop at once."""
    file = tmp_path / "accounts.yaml"
    file.write_text(
        f"""accounts:
  - {{id: acme, name: Acme, created_on: 2024-06-01, country: GB, timezone: Europe/London,
     subscription: {{line: sales, tier: professional}}, workspaces: [{{platform: teams, id: {TENANT}}}],
     people: [{{id: ada, name: Ada, teams: "29:ada", seat: sales, super_admin: true}}],
     inventory: ["+442079460900"]}}
"""
    )
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "TEAMS_", "REDIS_"))},
        "SWITCHBOARD_DATA_DIR": str(tmp_path / "data"),
        "TEAMS_ALLOW_UNAUTHENTICATED": "1",
        "PYTHONPATH": str(ROOT),
    }
    applied = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "accounts", "apply", str(file), cwd=tmp_path, env=env
    )
    assert await applied.wait() == 0
    port = free_port()
    env["PORT"] = str(port)
    async with pretend_teams() as teams:
        teams.bot_url = f"http://127.0.0.1:{port}/api/messages"
        async with served(env, tmp_path, teams) as bot:
            await teams.install("Ada")
            await until_said(teams, "Ada", "0 of 3 numbers")
            before = len(teams.said("Ada"))
            saying = [asyncio.create_task(teams.say("Ada", f"numbers list {n}")) for n in range(20)]
            await eventually(lambda: len(teams.said("Ada")) > before, "the first answer")
            bot.send_signal(signal.SIGTERM)
            ends = await asyncio.gather(*saying, return_exceptions=True)  # the last ones find nobody
            heard = len([end for end in ends if not isinstance(end, BaseException) and end.status == 200])
            _, log = await asyncio.wait_for(bot.communicate(), 15)
            assert (bot.returncode, b"Traceback" in log) == (0, False)
        async with served(env, tmp_path, teams):  # what was not sent yet waits in the store
            await eventually(lambda: len(teams.said("Ada")) >= before + heard, "the other answers")
            await asyncio.sleep(0.2)
        assert len(teams.said("Ada")) == before + heard
        assert heard > 0


@contextlib.asynccontextmanager
async def served(env: dict[str, str], folder: Path, teams: PretendTeams) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the bot, ready; ended with the block."""
    serve = (sys.executable, "-m", "bot", "serve")
    bot = await asyncio.create_subprocess_exec(*serve, cwd=folder, env=env, stderr=asyncio.subprocess.PIPE)
    try:
        await _ready(teams)
        yield bot
        if bot.returncode is None:
            bot.send_signal(signal.SIGTERM)
            await asyncio.wait_for(bot.communicate(), 15)
    finally:
        if bot.returncode is None:
            bot.kill()
            await bot.wait()


async def _ready(teams: PretendTeams) -> None:
    for _ in range(400):
        with contextlib.suppress(aiohttp.ClientError):
            await teams.post_raw(b"{}")
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("the bot does not come up")


# ── Settings and the doctor ─────────────────────────────────────────────────────────────────────────────────────


def test_the_settings_of_teams() -> None:
    assert "teams" not in read_settings({}, None).platforms
    secrets = {"TEAMS_CLIENT_ID": "id", "TEAMS_CLIENT_SECRET": "hidden", "TEAMS_TENANT_ID": "t"}
    told = read_settings(secrets, None).platforms["teams"]
    assert told == TeamsSettings("id", "hidden", "t")
    assert "hidden" not in repr(told)
    assert read_settings({"TEAMS_ALLOW_UNAUTHENTICATED": "1"}, None).platforms == {"teams": LOCAL}
    assert any(
        "this machine alone" in line for line in read_settings({"TEAMS_ALLOW_UNAUTHENTICATED": "1"}, None).describe()
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"TEAMS_ALLOW_UNAUTHENTICATED": "1", "HOST": "0.0.0.0"},  # noqa: S104 - what must not be
        {"TEAMS_ALLOW_UNAUTHENTICATED": "maybe"},
        {"TEAMS_CLIENT_ID": "id"},
        {"TEAMS_CLIENT_SECRET": "secret"},
    ],
)
def test_settings_of_teams_that_can_not_be_used(environ: dict[str, str]) -> None:
    with pytest.raises(InputError):
        read_settings(environ, None)


@pytest.mark.parametrize(
    ("status", "level", "part"),
    [(200, "ok", "knows the app"), (401, "fail", "refuses"), (0, "fail", "does not answer")],
)
async def test_the_doctor_asks_microsoft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, level: str, part: str
) -> None:
    from bot.chat.api import ApiResult
    from bot.teams.client import Client

    async def sign_in(_client: Client) -> ApiResult:
        return ApiResult(status == 200, status=status)

    monkeypatch.setattr(Client, "sign_in", sign_in)
    environ = {
        "SWITCHBOARD_DATA_DIR": str(tmp_path / "data"),
        "TEAMS_CLIENT_ID": "id",
        "TEAMS_CLIENT_SECRET": "secret",
        "PUBLIC_URL": "https://switchboard.example.com",
    }
    found = [f async for f in diagnose(environ) if f.part == "teams"]
    assert [(f.level, part in f.text) for f in found] == [(level, True)]
