"""Response URLs, Socket Mode, and the world kept on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from playground.server import serve
from playground.slack.pretend import PretendSlack
from playground.slack.world import World
from tests.playground.bot import LIST, SECRET, Bot, dialog
from tests.playground.conftest import MANIFEST, Clock

Json = dict[str, Any]


async def test_five_answers_within_thirty_minutes(slack: PretendSlack, bot: Bot, clock: Clock) -> None:
    await slack.command("ada", "general", "/numbers", "help")
    url = bot.got[-1]["response_url"]
    assert (await bot.answer_at(url, text="one"))[0] == 200
    assert slack.last("ada", "general").ephemeral_to == "UADA"
    await bot.answer_at(url, text="two", response_type="in_channel")
    assert slack.last("max", "general").text == "two"
    refused = await bot.answer_at(url, blocks=[{"type": "section"}])
    assert refused[0] == 400
    assert "invalid_blocks" in refused[1]
    for word in ("three", "four", "five"):
        assert (await bot.answer_at(url, text=word))[0] == 200
    assert await bot.answer_at(url, text="six") == (404, '{"ok":false,"error":"used_url"}')
    await slack.command("ada", "general", "/numbers", "help")
    clock.at += 1_801
    assert "expired_url" in (await bot.answer_at(bot.got[-1]["response_url"], text="late"))[1]
    assert "no_active_hooks" in (await bot.answer_at(url[:-4] + "xxxx", text="forged"))[1]


async def test_replacing_and_deleting_the_message_that_was_pressed(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "list")
    shown = slack.last("ada", "general")
    await slack.press("ada", shown, "Edit", within="0900")
    url = bot.got[-1]["response_url"]
    await bot.answer_at(url, replace_original=True, text="One number", blocks=LIST[1:])
    assert shown.text == "One number"
    with pytest.raises(LookupError):
        await slack.press("ada", shown, "Edit", within="0900")
    await bot.answer_at(url, delete_original=True)
    assert slack.messages("ada", "general") == []
    with pytest.raises(LookupError, match="not before them"):
        await slack.press("ada", shown, "Get a number")


async def test_hooks_can_fail_too(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "help")
    url = bot.got[-1]["response_url"]
    slack.faults.add("hooks", "ratelimited", retry_after=3)
    assert (await bot.answer_at(url, text="x"))[0] == 429
    slack.faults.add("hooks", "lost")
    with pytest.raises(aiohttp.ClientError):
        await bot.answer_at(url, text="arrived")
    assert slack.last("ada", "general").text == "arrived"
    assert slack.journal.count("hooks") == 1


async def test_socket_mode_carries_everything(slack: PretendSlack, bot: Bot) -> None:
    assert bot.client is not None
    opened = await bot.call("apps.connections.open", token=slack.world.app_token)
    got: list[Json] = []

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            envelope = orjson.loads(message.data)
            got.append(envelope)
            if "envelope_id" in envelope:
                payload = await bot.interaction(envelope["payload"]) if envelope["type"] != "events_api" else None
                ack: Json = {"envelope_id": envelope["envelope_id"]}
                if payload is not None:
                    ack["payload"] = payload if isinstance(payload, dict) else {"text": payload}
                await socket.send_json(ack)

    async with bot.client.ws_connect(opened["url"]) as socket:
        listening = asyncio.create_task(listen(socket))
        await slack.settled()
        assert (await slack.command("ada", "general", "/numbers", "list")).ok
        assert slack.last("ada", "general").text == "Two numbers"
        await slack.command("ada", "general", "/numbers", "forward")
        refused = await slack.submit("ada", {"Forwarding number": "wrong", "Reason": "x"})
        assert refused.errors == {"to": "That is no number."}
        await slack.say("ada", "", "hello")
        await slack.settled()
        await slack.sockets.refresh()
        await asyncio.wait_for(listening, 2)
    kinds = [e["type"] for e in got]
    assert kinds == ["hello", "slash_commands", "slash_commands", "interactive", "events_api", "disconnect"]
    assert [e.get("accepts_response_payload") for e in got[1:5]] == [True, True, True, False]
    assert got[-1]["reason"] == "refresh_requested"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await bot.client.ws_connect(opened["url"])


async def test_the_world_is_kept_between_runs(world: World, bot: Bot, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    first = PretendSlack(world, MANIFEST, events_url=bot.url, signing_secret=SECRET, now=clock, path=path)
    async with serve(first):
        bot.api = first.api_url
        await first.command("ada", "general", "/numbers", "list")
        await first.open_home("ada")
        await first.command("ada", "general", "/numbers", "forward")
        await first.fill("ada", {"Reason": "typed"})
        first.phone_ring("+44 20 7946 0111", "Your code is 123456", "call")
        first.mail("robin@example.com", "More numbers", "Please")
        await first.open_home("max")
        url = bot.got[0]["response_url"].rpartition("/")[2]
    again = World.load(path)
    assert again.dump() == world.dump()
    second = PretendSlack(again, MANIFEST, events_url=bot.url, signing_secret=SECRET, now=clock)
    async with serve(second):
        bot.api = second.api_url
        assert second.last("ada", "general").blocks == first.last("ada", "general").blocks
        assert second.dialog("ada").state["why"]["why"]["value"] == "typed"
        assert second.world.phone[0].kind == "call"
        assert (await bot.answer_at(f"{second.base_url}/slack-hooks/commands/T0WORLD/{url}", text="late"))[0] == 200
        assert (await bot.call("chat.postMessage", channel="CGENERAL", text="newer"))["ts"] > first.last(
            "ada", "general"
        ).ts


async def test_a_file_that_is_no_world(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="holds no pretend Slack"):
        World.load(path)


async def test_only_loopback(slack: PretendSlack) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        async with serve(slack, "0.0.0.0"):  # noqa: S104 - refused, which is the test
            pass


async def test_settled_gives_up(slack: PretendSlack, bot: Bot) -> None:
    bot.slow = 0.25
    await slack.say("ada", "", "hello")
    with pytest.raises(TimeoutError):
        await slack.settled(timeout=0.05)
    await slack.settled()


async def test_forty_commands_at_once(slack: PretendSlack, bot: Bot) -> None:
    outcomes = await asyncio.gather(*(slack.command("ada", "general", "/numbers", f"help {n}") for n in range(40)))
    assert all(outcome.ok for outcome in outcomes)
    assert len({m.ts for m in slack.messages("ada", "general")}) == 40


async def test_an_open_dialog_is_replaced_by_another(slack: PretendSlack, bot: Bot) -> None:
    for _ in range(2):
        trigger = slack.trigger(slack.world.user("ada"))
        await bot.call("views.open", trigger_id=trigger, view=dialog(LIST[0]))
    assert len(slack.world.dialogs("UADA")) == 1
