"""Calls to Slack, what the outbox sends, and who people are; the other side is the pretend Slack."""

import time
from typing import Any

import pytest
from aiohttp import web

from bot.slack.client import Client, url_prefix
from bot.slack.directory import Directory
from domain.people import Profile
from handlers.framework.effects import pack_address, pack_screen
from handlers.framework.events import Address, Command, Press
from handlers.framework.ports import Unavailable
from handlers.framework.screens import Form, Paragraph, Screen, TextField
from playground.slack.find import visible_text
from playground.slack.world import User
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from tests import instance_of
from tests.bot.slack.peer import ADA, HELLO, TEAM, Rig, effect
from tests.servers import serving

# ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("api", "hooks"),
    [
        ("https://slack.com/api/", "https://hooks.slack.com/"),
        ("https://slack-gov.com/api/", "https://hooks.slack-gov.com/"),
        ("http://127.0.0.1:3000/slack-api/", "http://127.0.0.1:3000/"),
    ],
)
def test_where_response_urls_begin(api: str, hooks: str) -> None:
    assert url_prefix(api, "hooks") == hooks


async def test_a_response_url_of_another_host_is_refused_unasked() -> None:
    client = Client("https://slack.com/api/")
    for url in (
        "https://evil.example/",
        "https://hooks.slack.com.evil.example/",
        "https://hooks.slack.com@evil.example/",
    ):
        reply = await client.respond(url, {"text": "x"})
        assert (reply.ok, reply.error, reply.transient) == (False, "foreign_url", False)
    await client.aclose()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "ratelimited", "retry_after": 7}, ("ratelimited", True, False, 7.0)),
        ({"kind": "error"}, ("internal_error", True, False, None)),
        ({"kind": "refuse", "code": "account_inactive"}, ("account_inactive", False, False, None)),
        ({"kind": "hang"}, ("no_answer", True, True, None)),
        ({"kind": "lost"}, ("no_answer", True, True, None)),
    ],
)
async def test_how_a_call_went(
    pair: Rig, fault: dict[str, Any], expected: tuple[str, bool, bool, float | None]
) -> None:
    pair.slack.faults.add("users.info", **fault)
    token = pair.slack.world.workspaces[TEAM].token
    reply = await pair.adapter.client.call("users.info", token, {"user": "UADA"}, timeout=0.3)
    error = "internal_error" if reply.error == "http_500" else reply.error
    assert (error, reply.transient, reply.in_doubt, reply.after) == expected


async def test_nobody_there_is_no_doubt() -> None:
    client = Client("http://127.0.0.1:9/api/")
    reply = await client.call("auth.test", "t", {})
    assert (reply.error, reply.transient, reply.in_doubt) == ("unreachable", True, False)
    await client.aclose()


async def test_an_answer_that_is_no_json_is_tried_later() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>maintenance</html>", status=int(request.match_info["status"]))

    app = web.Application()
    app.add_routes([web.post("/{status}/{method}", page)])
    async with serving(app) as url:
        for status, error in ((200, "not_json"), (502, "http_502")):
            client = Client(f"{url}/{status}/")
            reply = await client.call("views.open", "t", {})
            assert (reply.ok, reply.error, reply.transient) == (False, error, True)
            await client.aclose()


# ── What the outbox sends ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_screen_goes_to_the_persons_direct_messages(pair: Rig) -> None:
    assert await pair.send(effect()) == Sent()
    message = pair.slack.last("ada")
    assert "Hello Ada" in visible_text(message)
    assert message.metadata == {"event_type": "switchboard_effect", "event_payload": {"id": "e1"}}


async def test_a_screen_goes_to_a_channel(pair: Rig) -> None:
    assert await pair.send(effect(Address("slack", TEAM, channel="CGENERAL"))) == Sent()
    assert "Hello Ada" in visible_text(pair.slack.last("max", "general"))


async def way_back(pair: Rig) -> str:
    pair.handler.answer = HELLO
    await pair.slack.command("ada", "general", "/numbers", "")
    pair.handler.answer = Form("f", "F", "Go", (TextField("a", "A"),))
    await pair.slack.press("ada", pair.slack.last("ada", "general"), "Undo")
    await pair.slack.settled()
    found = pair.handler.last
    assert not isinstance(found, Command)
    reply = getattr(found, "where").reply  # noqa: B009 - a Press
    assert isinstance(reply, str)
    return reply


async def test_a_screen_takes_the_place_of_what_was_pressed_while_it_may(pair: Rig) -> None:
    to = Address("slack", TEAM, "UADA", reply=await way_back(pair))
    new = pack_screen(Screen("New", (Paragraph(("Assigned to Max",)),)))
    for i in range(5):
        assert await pair.send(effect(to, f"e{i}", screen=new, replace=True), in_doubt=i == 1) == Sent()
    [only] = pair.slack.messages("ada", "general")
    assert "Assigned to Max" in visible_text(only)
    assert await pair.send(effect(to, "e9", screen=new, replace=True)) == Sent()  # the sixth use of the URL
    assert "Assigned to Max" in visible_text(pair.slack.last("ada"))


async def test_what_was_pressed_can_be_drawn_anew_as_it_is_by_then(pair: Rig) -> None:
    to = Address("slack", TEAM, "UADA", reply=await way_back(pair))
    pair.handler.answer = Screen("The list", (Paragraph(("as it is now",)),))
    assert await pair.send(effect(to, redraw={"action": "page", "value": "2"}), in_doubt=True) == Sent()
    pressed = instance_of(Press, pair.handler.last)
    assert (pressed.actor.user, pressed.action, pressed.value) == ("UADA", "page", "2")
    [only] = pair.slack.messages("ada", "general")
    assert "as it is now" in visible_text(only)


async def test_a_way_back_to_another_host_is_not_taken(pair: Rig) -> None:
    to = Address("slack", TEAM, "UADA", reply="http://127.0.0.2:1/steal")
    assert await pair.send(effect(to)) == Sent()
    assert "Hello Ada" in visible_text(pair.slack.last("ada"))


async def test_what_may_have_arrived_is_looked_for_before_it_is_sent_again(pair: Rig) -> None:
    pair.slack.faults.add("chat.postMessage", "lost")
    with pytest.raises(InDoubt):
        await pair.send(effect())
    assert await pair.send(effect(), in_doubt=True) == Sent()
    assert len(pair.slack.messages("ada")) == 1
    assert await pair.send(effect(id="e2"), in_doubt=True) == Sent()
    assert len(pair.slack.messages("ada")) == 2


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "ratelimited", "retry_after": 3}, Retry(3.0, "ratelimited")),
        ({"kind": "refuse", "code": "is_archived"}, Drop("is_archived")),
        ({"kind": "refuse", "code": "token_revoked"}, Drop("token_revoked")),
        ({"kind": "refuse", "code": "invalid_blocks"}, Drop("invalid_blocks")),
        ({"kind": "refuse", "code": "service_unavailable"}, Retry(None, "service_unavailable")),
    ],
)
async def test_what_slack_refuses_is_tried_again_or_given_up(pair: Rig, fault: Any, outcome: Any) -> None:
    pair.slack.faults.add("chat.postMessage", **fault)
    assert await pair.send(effect()) == outcome


async def test_hooks_that_are_limited_are_waited_for(pair: Rig) -> None:
    to = Address("slack", TEAM, "UADA", reply=await way_back(pair))
    pair.slack.faults.add("hooks", "ratelimited", retry_after=2)
    assert await pair.send(effect(to, replace=True)) == Retry(2.0, "ratelimited")
    assert pair.slack.messages("ada") == []


async def test_bodies_that_are_none_are_given_up(pair: Rig) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("screen", {}),
        ("screen", {"to": pack_address(ADA)}),
        ("screen", {"to": pack_address(ADA), "screen": {"title": 1}}),
        ("screen", {"to": 5, "screen": pack_screen(HELLO)}),
        ("screen", {"to": pack_address(Address("slack", TEAM)), "screen": pack_screen(HELLO)}),
        ("home", {}),
        ("home", {"to": "UADA"}),
        ("home", {"to": pack_address(Address("slack", TEAM, channel="CGENERAL"))}),
    ]
    for kind, body in bodies:
        assert isinstance(await pair.send(Effect("c", kind, body, "x")), Drop)


async def test_a_home_screen_is_drawn_anew(pair: Rig) -> None:
    pair.handler.answer = HELLO
    assert await pair.send(effect(kind="home")) == Sent()
    assert "Hello Ada" in visible_text(pair.slack.home("ada"))
    pair.slack.faults.add("views.publish", "ratelimited", retry_after=4)
    assert await pair.send(effect(kind="home")) == Retry(4.0, "ratelimited")


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_somebody_is(pair: Rig) -> None:
    world = pair.slack.world
    world.add_user(User("UGUEST", TEAM, "guest", "Guest", is_restricted=True))
    world.add_user(User("UGONE", TEAM, "gone", "Gone", deleted=True))
    profile = pair.adapter.directory.profile
    assert await profile(TEAM, "UADA") == Profile("UADA", "ada", "ada@example.com")
    guest, gone = await profile(TEAM, "UGUEST"), await profile(TEAM, "UGONE")
    bot = await profile(TEAM, world.workspaces[TEAM].bot_user)
    assert guest
    assert guest.guest
    assert gone
    assert gone.deleted
    assert bot
    assert bot.bot
    assert await profile(TEAM, "UNOBODY") is None


async def test_a_slow_or_broken_slack_is_unavailable(pair: Rig) -> None:
    for fault in ("hang", "error", "ratelimited"):
        pair.slack.faults.add("users.info", fault)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await pair.adapter.directory.profile(TEAM, "UADA")
        assert time.monotonic() - began < 2


async def test_a_language_is_known_the_second_time_and_for_an_hour(pair: Rig) -> None:
    now = [0.0]
    directory = Directory(pair.adapter.display, pair.adapter.work, clock=lambda: now[0])
    assert directory.cached_locale(TEAM, "UMAX") is None
    assert directory.cached_locale(TEAM, "UMAX") is None
    await pair.adapter.work.drain(2)
    assert directory.cached_locale(TEAM, "UMAX") == "pl-PL"
    assert pair.slack.journal.count("users.info") == 1
    now[0] = 3_601
    assert directory.cached_locale(TEAM, "UMAX") == "pl-PL"  # the old one, while the new one is asked for
    await pair.adapter.work.drain(2)
    assert pair.slack.journal.count("users.info") == 2


async def test_a_command_carries_the_language_once_it_is_known(pair: Rig) -> None:
    for expected in (None, "pl-PL"):
        await pair.slack.command("max", "general", "/numbers", "")
        assert pair.handler.last.actor.locale == expected
        await pair.adapter.work.drain(2)
