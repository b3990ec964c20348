"""What the outbox sends: where people are, how often, and when it is given up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.teams.conversations import Conversation
from handlers.framework.events import Address, HomeRequest, Inbound, Press
from handlers.framework.screens import Response, Screen
from store.engine.effects import Drop, InDoubt, Retry, Sent
from store.server.connection import Store
from tests import instance_of, present
from tests.bot.teams.peer import pretend_teams
from tests.bot.teams.rig import GO, OPEN, Rig, effect, form, rig, screen, to
from tests.bot.teams.world import TENANT


async def way_back(pair: Rig, user: str = "Ada", where: str = "") -> Address:
    """Of a message with a button, as handlers get it."""
    await pair.show(screen("before", OPEN, GO), user, where)
    pair.handler.answer = form()
    await pair.peer.press(user, "Open", where)
    await pair.peer.close(user)
    return instance_of(Press, pair.handler.last).where


async def test_a_person_is_told_in_their_chat(pair: Rig) -> None:
    assert await pair.send(effect(to(), screen("news"))) == Sent()
    message = pair.peer.last("Ada")
    assert "news" in message.words()
    assert message.activity["summary"].startswith("A screen")
    assert pair.peer.refused == []


async def test_a_person_is_known_by_their_aad_object_id_too(pair: Rig) -> None:
    assert await pair.send(effect(to("aad-ada"), screen("news"))) == Sent()
    assert "news" in pair.peer.words("Ada")


async def test_a_chat_that_nobody_began_is_opened(pair: Rig) -> None:
    pair.peer.add_place("general", ["Ada", "Max"])
    await pair.peer.install("Ada", "general")
    for text in ("one", "two"):
        assert await pair.send(effect(to("29:max"), screen(text))) == Sent()
    assert [m.words() for m in pair.peer.said("Max")] == ["A screen\none", "A screen\ntwo"]
    assert len([c for c in pair.peer.calls if c.path == "/v3/conversations"]) == 1


async def test_who_can_not_be_reached_is_given_up(pair: Rig) -> None:
    assert isinstance(await pair.send(effect(to("29:max"), screen("news"))), Drop)
    assert isinstance(await pair.send(effect(to("29:nobody"), screen("news"))), Drop)
    assert isinstance(await pair.send(effect(replace(to(), workspace="another"), screen("news"))), Drop)
    assert isinstance(await pair.send(effect(Address("teams", TENANT, channel="19:x@thread.v2"), screen("x"))), Drop)


async def test_a_channel_is_told_for_all_to_see_or_for_one(pair: Rig) -> None:
    place = pair.peer.add_place("general", ["Ada", "Max"])
    await pair.peer.install("Ada", "general")
    assert await pair.send(effect(Address("teams", TENANT, channel=place.id), screen("to all"))) == Sent()
    assert await pair.send(effect(to(channel=place.id), screen("to Ada"))) == Sent()
    assert [m.words() for m in pair.peer.said("Max", "general")] == ["A screen\nto all"]
    assert len(pair.peer.said("Ada", "general")) == 2
    assert pair.peer.refused == []


async def test_what_a_person_acted_on_is_drawn_anew(pair: Rig) -> None:
    where = await way_back(pair)

    def answer(event: Inbound) -> Response:
        assert isinstance(event, Press)
        return screen(f"{event.action} {event.value} {event.actor.locale} {event.actor.other_ids}")

    pair.handler.answer = answer
    redraw = {"action": "news", "value": "assigned"}
    for in_doubt in (False, True):
        assert await pair.send(effect(where, screen("news"), redraw=redraw), in_doubt) == Sent()
    assert [m.words() for m in pair.peer.said("Ada")] == ["A screen\nnews assigned en-GB ('aad-ada',)"]


async def test_in_a_channel_only_ones_own_is_drawn_anew(pair: Rig) -> None:
    pair.peer.add_place("general", ["Ada", "Max"])
    await pair.peer.install("Ada", "general")
    where = await way_back(pair, "Ada", "general")
    pair.handler.answer = screen("after")
    assert await pair.send(effect(where, screen("news"), redraw={"action": "news", "value": ""})) == Sent()
    assert [m.words() for m in pair.peer.said("Ada", "general")] == ["A screen\nafter"]
    assert pair.peer.said("Max", "general") == []
    assert pair.peer.refused == []


async def test_what_is_no_longer_there_is_said_anew(pair: Rig) -> None:
    where = await way_back(pair)
    pair.peer.world.messages.clear()
    pair.handler.answer = screen("after")
    assert await pair.send(effect(where, screen("news"), redraw={"action": "news", "value": ""})) == Sent()
    assert pair.peer.words("Ada") == "A screen\nnews"


@pytest.mark.parametrize("status", [500, 502, 503, 412])
async def test_what_teams_can_not_do_now_is_tried_again(pair: Rig, status: int) -> None:
    pair.peer.fail(status, method="POST")
    assert isinstance(await pair.send(effect(to(), screen("news"))), Retry)
    assert await pair.send(effect(to(), screen("news"))) == Sent()


async def test_teams_says_how_long_to_wait(pair: Rig) -> None:
    pair.peer.fail(429, method="POST", after=7)
    assert instance_of(Retry, await pair.send(effect(to(), screen("news")))).after == 7


async def test_what_may_have_arrived_is_in_doubt(pair: Rig) -> None:
    pair.teams.client._timeout = 0.2
    pair.peer.hang(1.0, method="POST", arrives=True)
    with pytest.raises(InDoubt):
        await pair.send(effect(to(), screen("news")))
    pair.peer.fail(504, method="POST")
    with pytest.raises(InDoubt):
        await pair.send(effect(to(), screen("news")))
    assert await pair.send(effect(to(), screen("news")), in_doubt=True) == Sent()


async def test_what_teams_refuses_is_given_up_and_said_in_the_log(pair: Rig, logged: Callable[[], str]) -> None:
    pair.peer.fail(413, method="POST")
    assert isinstance(await pair.send(effect(to(), screen("news"))), Drop)
    assert "refuses what we made" in logged()


@pytest.mark.parametrize("body", [{}, {"to": 7}, {"to": {}, "screen": 7}, {"to": {"platform": "teams"}, "screen": {}}])
async def test_an_effect_that_is_none_is_given_up(pair: Rig, body: dict[str, object]) -> None:
    for kind in ("teams.screen", "teams.home"):
        assert isinstance(await pair.send(replace(effect(to(), screen("x")), kind=kind, body=body)), Drop)


# ── The app removed, moved, brought back ────────────────────────────────────────────────────────────────────────


async def test_a_removed_app_stops_the_sending_until_it_is_back(pair: Rig) -> None:
    await pair.peer.uninstall("Ada")
    posted = len(pair.peer.calls)
    assert isinstance(await pair.send(effect(to(), screen("news"))), Drop)
    assert isinstance(await pair.send(effect(to("aad-ada"), screen("news"))), Drop)
    assert len(pair.peer.calls) == posted
    await pair.peer.install("Ada")
    assert await pair.send(effect(to(), screen("news"))) == Sent()


async def test_an_app_that_a_team_removed_stops_in_all_its_channels(pair: Rig) -> None:
    place = pair.peer.add_place("general", ["Ada", "Max"])
    other = pair.peer.add_place("other", ["Ada", "Max"])
    for name in ("general", "other"):
        await pair.peer.install("Ada", name)
    await pair.peer.uninstall("Ada", "general")
    for gone in (place, other):
        assert isinstance(await pair.send(effect(Address("teams", TENANT, channel=gone.id), screen("news"))), Drop)


async def test_that_it_was_removed_is_learnt_from_a_refusal_too(pair: Rig) -> None:
    pair.peer.world.personal(pair.peer.world.user("Ada")).installed = False  # nobody told us
    assert isinstance(await pair.send(effect(to(), screen("news"))), Drop)
    posted = len(pair.peer.calls)
    assert isinstance(await pair.send(effect(to(), screen("news"))), Drop)
    assert len(pair.peer.calls) == posted
    pair.peer.world.personal(pair.peer.world.user("Ada")).installed = True
    await pair.peer.say("Ada", "numbers")
    assert await pair.send(effect(to(), screen("news"))) == Sent()


async def test_a_restart_forgets_nobody(store: Store) -> None:
    async with rig(store) as both:
        where = await way_back(both)
        kept = both.peer.world
        url = both.peer.url
    async with rig(store, installed=()) as both:
        both.peer.world, old = kept, both.peer.world
        assert old is not kept
        await both.teams.conversations.set_service(TENANT, (await known(both)), both.peer.url)
        assert both.peer.url != url
        assert await both.send(effect(to(), screen("news"))) == Sent()
        both.handler.answer = screen("after")
        assert await both.send(effect(where, screen("news"), redraw={"action": "news", "value": ""})) == Sent()
        assert [m.words() for m in both.peer.said("Ada")] == ["A screen\nafter", "A screen\nnews"]


async def known(pair: Rig) -> Conversation:
    return present(await pair.teams.conversations.person(TENANT, "29:ada"))


async def test_a_new_service_url_is_followed(pair: Rig) -> None:
    """Told by one person's message, it is where others are found too, once they are not found where they were."""
    await pair.peer.install("Max")
    async with pretend_teams() as other:
        other.world = pair.peer.world
        other.bot_url = pair.peer.bot_url
        await other.say("Max", "numbers")
        assert await pair.send(effect(to("29:max"), screen("to Max"))) == Sent()
        assert len(other.calls) == 1
        pair.peer.fail(404, times=10)
        assert await pair.send(effect(to(), screen("to Ada"))) == Sent()
        before = len(pair.peer.calls)
        assert await pair.send(effect(to(), screen("to Ada again"))) == Sent()
        assert len(pair.peer.calls) == before
    assert "to Ada again" in pair.peer.words("Ada")


# ── The home card ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_home_card_is_drawn_anew_in_its_place(pair: Rig) -> None:
    pair.handler.answer = screen("old home")
    await pair.complete(pair.peer.say("Ada", "home"))

    def answer(event: Inbound) -> Response:
        assert isinstance(event, HomeRequest)
        return Screen("Home", (), f"{event.actor.locale} {event.actor.other_ids}")

    pair.handler.answer = answer
    for user in ("29:ada", "aad-ada"):
        assert await pair.send(effect(to(user))) == Sent()
    (home,) = pair.peer.said("Ada")
    assert home.activity["summary"] == "Home: en-GB ('aad-ada',)"
    assert home.edits == 2
    assert pair.peer.refused == []


async def test_who_has_no_home_card_gets_none(pair: Rig) -> None:
    for user in ("29:ada", "29:nobody"):
        assert await pair.send(effect(to(user))) == Sent()
    assert pair.peer.said("Ada") == []


async def test_a_home_card_that_is_gone_is_forgotten(pair: Rig) -> None:
    pair.handler.answer = screen("home")
    await pair.complete(pair.peer.say("Ada", "home"))
    pair.peer.world.messages.clear()
    assert await pair.send(effect(to())) == Sent()
    calls = len(pair.peer.calls)
    assert await pair.send(effect(to())) == Sent()
    assert len(pair.peer.calls) == calls


async def test_what_is_done_from_the_home_card_is_not_told_in_its_place(pair: Rig) -> None:
    pair.handler.answer = screen("home", OPEN)
    await pair.complete(pair.peer.say("Ada", "home"))
    pair.handler.answer = form()
    await pair.peer.press("Ada", "Open")
    await pair.peer.submit("Ada", {"Name": "Mia"})
    submit = pair.handler.last
    assert not isinstance(submit, Press | HomeRequest)
    assert getattr(submit, "where", None) is not None
    assert submit.where.reply is None  # type: ignore[union-attr] # a submission has one
