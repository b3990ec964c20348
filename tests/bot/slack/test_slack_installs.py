"""Where the app is installed: from a browser, by a token in the settings, and removed again; and Socket Mode."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.slack import socket_mode
from bot.slack.payloads import AppUninstalled
from handlers.framework.screens import Form, Screen, TextField
from playground.slack.find import visible_text
from store.engine import keys
from store.engine.effects import Drop, Sent
from store.server.connection import Store
from tests.bot.slack.peer import HELLO, SCOPES, TEAM, Rig, effect, make_world, rig
from tests.servers import eventually

# ── Installations ───────────────────────────────────────────────────────────────────────────────────────────────


async def token(pair: Rig, workspace: str = TEAM) -> str | None:
    return await pair.adapter.installs.token(workspace)


async def test_the_token_of_the_settings_is_for_one_workspace(pair: Rig) -> None:
    await eventually(lambda: pair.slack.journal.count("auth.test"), "asking who we are")
    await asyncio.sleep(0.05)
    assert await token(pair)
    assert await token(pair, "T0OTHER") is None


async def test_it_starts_while_slack_hangs(store: Store) -> None:
    began = time.monotonic()
    async with rig(store, before=lambda slack: slack.faults.add("auth.test", "hang", seconds=2)) as pair:
        assert time.monotonic() - began < 1
        assert await token(pair)
        pair.handler.answer = HELLO
        assert (await pair.slack.command("ada", "general", "/numbers", "list")).ok
        assert time.monotonic() - began < 2


async def test_a_token_that_slack_refuses_is_said_in_one_line(store: Store, logged: Callable[[], str]) -> None:
    async with rig(store, bot_token="xoxb-wrong") as pair:
        said = ""
        for _ in range(200):
            said = logged()
            if "Slack refuses" in said:
                break
            await asyncio.sleep(0.01)
        assert pair.handler.got == []
    assert said.count("SLACK_BOT_TOKEN") == 1


@pytest.mark.parametrize("order", [("app_uninstalled", "tokens_revoked"), ("tokens_revoked", "app_uninstalled")])
async def test_removal_in_either_order_stops_all_sending(pair: Rig, store: Store, order: tuple[str, str]) -> None:
    await eventually(lambda: pair.slack.journal.count("auth.test"), "asking who we are")
    for kind in order:
        event = {"type": kind, "tokens": {"oauth": [], "bot": ["UBOT"]}} if kind == "tokens_revoked" else {"type": kind}
        assert not (await pair.slack.deliver(pair.slack.wrap_event(TEAM, event))).error
        assert await token(pair) is None
    calls = len(list(pair.slack.journal))
    assert await pair.send(effect()) == Drop("not_installed")
    assert len(list(pair.slack.journal)) == calls
    assert b"xoxb" not in await store.call("GET", keys.dir_install("slack", TEAM))


async def test_slacks_own_uninstall_is_understood(pair: Rig) -> None:
    pair.slack.uninstall(TEAM)
    await pair.slack.settled()
    assert await token(pair) is None


async def test_a_start_with_a_token_that_slack_accepts_lifts_the_bar(store: Store) -> None:
    async with rig(store) as pair:
        await pair.adapter.installs.uninstall(AppUninstalled((TEAM,), None))
        assert await token(pair) is None
    async with rig(store) as pair:
        found = None
        for _ in range(100):
            found = found or await token(pair)
            await asyncio.sleep(0.01)
        assert found


async def install(pair: Rig, user: str = "ada") -> tuple[int, str]:
    root = pair.url.removesuffix("/slack/events")
    async with pair.http.get(f"{root}/slack/install", allow_redirects=False) as page:
        assert page.status == 200
        state = page.cookies["slack-app-oauth-state"].value
        text = await page.text()
    assert f"{pair.slack.base_url}/oauth/v2/authorize?" in text
    assert all(scope in text for scope in SCOPES)
    return await come_back(pair, state, pair.slack.install(user), state)


async def come_back(pair: Rig, state: str, code: str, cookie: str) -> tuple[int, str]:
    address = pair.url.replace("/slack/events", "/slack/oauth_redirect")
    query = {"state": state, "code": code}
    sent = {"Cookie": f"slack-app-oauth-state={cookie}"}
    async with pair.http.get(address, params=query, headers=sent, allow_redirects=False) as page:
        return page.status, await page.text()


async def test_an_installation_from_a_browser(store: Store) -> None:
    greeted: list[tuple[str, str | None]] = []

    async def installed(workspace: str, user: str | None, _also: tuple[str, ...]) -> None:
        greeted.append((workspace, user))

    world = make_world()
    world.workspaces[TEAM].installed = False
    async with rig(store, world=world, oauth=True, bot_token=None, installed=installed) as pair:
        assert await token(pair) is None
        assert (await install(pair))[0] == 200
        assert await token(pair) == world.workspaces[TEAM].token
        assert greeted == [(TEAM, "UADA")]
        assert await pair.send(effect()) == Sent()
        # An event from before is about an installation that is no more; a new one removes this one, and it can return.
        await pair.adapter.installs.uninstall(AppUninstalled((TEAM,), time.time() - 60))
        assert await token(pair)
        await pair.adapter.installs.uninstall(AppUninstalled((TEAM,), time.time() + 1))
        assert await token(pair) is None
        assert (await install(pair))[0] == 200
        assert await token(pair)


async def test_a_state_is_good_once_and_in_one_browser(store: Store) -> None:
    async with rig(store, oauth=True, bot_token=None) as pair:
        assert (await come_back(pair, "made-up", pair.slack.install("ada"), "made-up"))[0] == 401
        assert (await come_back(pair, "x" * 500, pair.slack.install("ada"), "x" * 500))[0] == 401
        root = pair.url.removesuffix("/slack/events")
        async with pair.http.get(f"{root}/slack/install", allow_redirects=False) as page:
            state = page.cookies["slack-app-oauth-state"].value
        assert (await come_back(pair, state, pair.slack.install("ada"), "another"))[0] == 400
        assert (await come_back(pair, state, "no such code", state))[0] == 401
        assert (await come_back(pair, state, pair.slack.install("ada"), state))[0] == 401
        assert await token(pair) is None


async def test_a_workspace_of_an_organisation_uses_its_token(pair: Rig, store: Store) -> None:
    await store.call("SET", keys.dir_install("slack", "E1"), b'{"token": "xoxb-org", "at": 1}')
    await pair.adapter.installs.member("T0ONE", "E1")
    assert await token(pair, "T0ONE") == "xoxb-org"
    await pair.adapter.installs.uninstall(AppUninstalled(("E1",), None))
    assert await token(pair, "T0ONE") is None


# ── Socket Mode ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_socket_mode_carries_the_same(store: Store) -> None:
    async with rig(store, app_token="") as pair:
        await eventually(lambda: pair.adapter.connected, "a connection")
        pair.slack.delivery.url = "http://127.0.0.1:9/unreachable"
        pair.handler.answer = HELLO
        assert (await pair.slack.command("ada", "general", "/numbers", "list")).ok
        assert "Hello Ada" in visible_text(pair.slack.last("ada", "general"))
        pair.handler.answer = Form("f", "F", "Go", (TextField("a", "A"),))
        await pair.slack.press("ada", pair.slack.last("ada", "general"), "Undo")
        await pair.slack.settled()
        assert pair.slack.dialog("ada").body["callback_id"] == "f"
        pair.handler.answer = HELLO
        await pair.slack.open_home("ada")
        assert "Hello Ada" in visible_text(pair.slack.home("ada"))
        await pair.slack.say("ada", "", "numbers")
        await pair.slack.settled()
        assert "Hello Ada" in visible_text(pair.slack.last("ada"))
        assert pair.slack.journal.count("conversations.history") == 0
        opened = pair.slack.journal.count("apps.connections.open")
        await pair.slack.sockets.refresh()
        await eventually(
            lambda: pair.slack.journal.count("apps.connections.open") > opened and pair.slack.sockets.connections == 1,
            "a new connection, and the old one gone",
        )
        assert (await pair.slack.command("ada", "general", "/numbers", "list")).ok


async def test_socket_mode_loses_nothing_while_slack_renews_the_connection(store: Store) -> None:
    async with rig(store, app_token="") as pair:
        await eventually(lambda: pair.slack.sockets.open, "a connection")
        pair.slack.delivery.url = "http://127.0.0.1:9/unreachable"
        pair.handler.answer = HELLO
        opened = pair.slack.journal.count("apps.connections.open")
        renewal = asyncio.create_task(pair.slack.sockets.refresh("warning", after=2))
        asked = 0
        while not renewal.done() or asked < 20:
            assert (await pair.slack.command("ada", "general", "/numbers", "list")).ok, f"command {asked}"
            asked += 1
        await eventually(lambda: pair.slack.sockets.connections == 1, "the old one gone")
        assert pair.adapter.connected
        assert pair.slack.journal.count("apps.connections.open") == opened + 1


async def test_socket_mode_asks_for_another_address_where_one_does_not_do(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket_mode, "PING", 0.2)
    monkeypatch.setattr(socket_mode, "CONNECTING", 0.5)
    async with rig(store, app_token="") as pair:
        await eventually(lambda: pair.adapter.connected, "a connection")
        gives = pair.slack.sockets.ticket
        monkeypatch.setattr(pair.slack.sockets, "ticket", lambda: "spent")
        await pair.slack.sockets.refresh()
        await asyncio.sleep(0.3)
        assert not pair.adapter.connected
        monkeypatch.setattr(pair.slack.sockets, "ticket", gives)
        await eventually(lambda: pair.adapter.connected, "a connection again")
    assert "ticket=…" in caplog.text
    assert "spent" not in caplog.text


async def test_socket_mode_does_not_storm_a_slack_that_hangs_up_each_time(store: Store) -> None:
    async with rig(store, app_token="") as pair:
        await eventually(lambda: pair.slack.sockets.open, "a connection")
        opened = pair.slack.journal.count("apps.connections.open")
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            await pair.slack.sockets.refresh("too_many_websockets")
            await asyncio.sleep(0.01)
        assert pair.slack.journal.count("apps.connections.open") == opened + 1


async def test_socket_mode_lets_a_slow_answer_out_before_it_hangs_up(store: Store) -> None:
    async def slowly(event: Any) -> Screen:
        await asyncio.sleep(0.3)
        return HELLO

    async with rig(store, app_token="") as pair:
        await eventually(lambda: pair.slack.sockets.open, "a connection")
        pair.handler.answer = slowly
        asked = asyncio.create_task(pair.slack.command("ada", "general", "/numbers", "list"))
        await eventually(lambda: pair.handler.got, "the command")
        assert await pair.adapter.drain(3)
        assert (await asked).ok
        await eventually(lambda: not pair.slack.sockets.open, "hanging up")


async def test_socket_mode_starts_without_slack(store: Store) -> None:
    async with rig(store, app_token="xapp-wrong") as pair:
        await asyncio.sleep(0.1)
        assert not pair.adapter.connected


async def test_a_token_set_by_hand_is_an_installation_too(store: Store) -> None:
    told: list[tuple[str, str | None]] = []

    async def installed(workspace: str, user: str | None, _also: tuple[str, ...]) -> None:
        told.append((workspace, user))

    async with rig(store, installed=installed):
        await eventually(lambda: told, "saying that the bot is there")
    assert told == [(TEAM, None)]
