"""What Teams is answered: in the place of a card, beside it, in a dialog, in time, late, and when something breaks."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from handlers.framework.events import HomeRequest, Inbound, OptionsRequest, Press
from handlers.framework.screens import Button, Done, Errors, Notice, Option, Options, Paragraph, Response, Screen
from store.server.connection import Store
from tests import instance_of
from tests.bot.handler import SENTENCES
from tests.bot.teams.rig import GO, OPEN, Rig, form, rig, screen
from tests.servers import eventually


def after(seconds: float, outcome: Response) -> Callable[[Inbound], Awaitable[Response]]:
    async def answer(_event: Inbound) -> Response:
        await asyncio.sleep(seconds)
        return outcome

    return answer


def broken(_event: Inbound) -> Response:
    raise RuntimeError("it broke")


async def test_a_screen_takes_the_place_of_the_card(pair: Rig) -> None:
    await pair.show(screen("before", GO))
    pair.handler.answer = screen("after", GO)
    assert ((await pair.peer.press("Ada", "Go")).status, len(pair.peer.said("Ada"))) == (200, 1)
    assert "after" in pair.peer.words("Ada")
    assert pair.peer.refused == []


async def test_a_notice_is_said_beside_the_card(pair: Rig) -> None:
    await pair.show(screen("before", GO))
    pair.handler.answer = Notice(Screen("No", (Paragraph(("You may not do that.",)),)))
    assert (await pair.peer.press("Ada", "Go")).notice == "You may not do that."
    assert "before" in pair.peer.said("Ada")[0].words()


async def test_a_notice_that_can_be_acted_on_is_a_message(pair: Rig) -> None:
    await pair.show(screen("before", GO))
    pair.handler.answer = Notice(screen("take it back", Button("Undo", "undo")))
    assert (await pair.complete(pair.peer.press("Ada", "Go"))).notice == "A screen"
    assert "take it back" in pair.peer.words("Ada")
    assert pair.peer.refused == []


async def test_a_press_that_should_have_opened_a_form_gets_the_button_that_does(pair: Rig) -> None:
    await pair.show(screen("before", GO))
    pair.handler.answer = form()
    await pair.complete(pair.peer.press("Ada", "Go"))
    await pair.peer.press("Ada", "Edit")
    press = instance_of(Press, pair.handler.last)
    assert (press.action, press.value) == ("go", "1")
    assert pair.peer.dialog("Ada").title == "Edit"


async def test_errors_of_a_press_are_said(pair: Rig) -> None:
    await pair.show(screen("before", GO))
    pair.handler.answer = Errors({"": "That is taken."})
    assert (await pair.peer.press("Ada", "Go")).notice == "That is taken."


async def test_errors_bring_the_form_back_with_what_was_typed(pair: Rig) -> None:
    await pair.open(form())
    pair.handler.answer = Errors({"name": "Nobody is called that."})
    for _ in range(3):
        answer = await pair.peer.submit("Ada", {"Name": "Zzz"})
        dialog = pair.peer.dialog("Ada")
        assert answer.status == 200
        assert "Nobody is called that." in dialog.words()
        assert dialog.values["name"] == "Zzz"
    pair.handler.answer = Errors({"": "Busy."}, form(value="Kim"))
    await pair.peer.submit("Ada")
    assert "Busy." in pair.peer.dialog("Ada").words()
    pair.handler.answer = Done()
    await pair.peer.submit("Ada", {"Name": "Mia"})
    assert not pair.peer.has_dialog("Ada")
    assert pair.peer.refused == []


async def test_another_form_follows_in_the_same_dialog_and_knows_the_way_back(pair: Rig) -> None:
    await pair.open(form())
    first = pair.handler.last
    await pair.peer.submit("Ada", {"Name": "Mia"})
    pair.handler.answer = Done()
    await pair.peer.submit("Ada", {"Name": "Kim"})
    last = pair.handler.last
    assert not isinstance(first, OptionsRequest)
    assert not isinstance(last, OptionsRequest)
    assert last.where.reply == first.where.reply is not None


async def test_what_can_not_be_opened_says_why_in_the_dialog(pair: Rig) -> None:
    await pair.open(Notice(Screen("No", (Paragraph(("Ask a super admin.",)),))))
    assert (pair.peer.dialog("Ada").title, "Ask a super admin." in pair.peer.dialog("Ada").words()) == ("No", True)


async def test_a_notice_in_a_dialog_stands_above_the_form(pair: Rig) -> None:
    await pair.open(form())
    pair.handler.answer = Notice(Screen("", (Paragraph(("Not yet.",)),)))
    await pair.peer.submit("Ada", {"Name": "Mia"})
    dialog = pair.peer.dialog("Ada")
    assert "Not yet." in dialog.words()
    assert dialog.values["name"] == "Mia"


async def test_options_are_offered(pair: Rig) -> None:
    await pair.open(form())
    pair.handler.answer = Options(tuple(Option(f"{n}", f"Option {n}") for n in range(40)))
    offered = await pair.peer.search("Ada", "person", "op")
    assert offered[0] == {"title": "Option 0", "value": "0"}
    assert len(offered) == 15


# ── Late ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def hasty(store: Store) -> AsyncIterator[Rig]:
    async with rig(store, handling=0.05, answered=0.1) as both:
        yield both


async def test_a_late_answer_to_a_message_is_announced_by_a_typing_sign(hasty: Rig) -> None:
    hasty.handler.answer = after(0.3, screen("late"))
    answer = await hasty.peer.say("Ada", "numbers")
    assert (answer.status, answer.seconds < 0.25) == (200, True)
    await eventually(lambda: hasty.peer.typing, "the typing sign")
    assert hasty.peer.said("Ada") == []
    await hasty.quiet()
    assert "late" in hasty.peer.words("Ada")


async def test_a_late_screen_takes_the_place_of_the_card_by_and_by(hasty: Rig) -> None:
    await hasty.show(screen("before", GO))
    hasty.handler.answer = after(0.3, screen("late", GO))
    assert (await hasty.peer.press("Ada", "Go")).notice == SENTENCES["slow"]
    await hasty.quiet()
    assert "late" in hasty.peer.said("Ada")[0].words()
    assert hasty.peer.typing
    assert hasty.peer.refused == []


async def test_a_late_dialog_says_so_and_its_errors_follow(hasty: Rig) -> None:
    await hasty.open(form())
    hasty.handler.answer = after(0.3, Errors({"name": "Nobody is called that."}))
    await hasty.peer.submit("Ada", {"Name": "Mia"})
    assert SENTENCES["slow"] in hasty.peer.dialog("Ada").words()
    await hasty.quiet()
    assert "Nobody is called that." in hasty.peer.words("Ada")


async def test_a_late_form_is_a_button_that_opens_it(hasty: Rig) -> None:
    await hasty.open(after(0.3, form()))
    assert SENTENCES["slow"] in hasty.peer.dialog("Ada").words()
    await hasty.complete(hasty.peer.close("Ada"))
    hasty.handler.answer = form()
    await hasty.peer.press("Ada", "Edit")
    assert hasty.peer.dialog("Ada").title == "Edit"


async def test_a_late_search_offers_nothing(hasty: Rig) -> None:
    await hasty.open(form())
    hasty.handler.answer = after(0.3, Options((Option("1", "One"),)))
    assert await hasty.peer.search("Ada", "person", "o") == []


async def test_stopping_cuts_nothing_off(store: Store) -> None:
    async with rig(store, handling=0.05) as both:
        both.handler.answer = after(0.5, screen("at the very end"))
        await both.peer.say("Ada", "numbers")
        assert await both.teams.drain(5.0)
        assert "at the very end" in both.peer.words("Ada")


# ── Broken ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_broken_handler_is_an_apology_wherever_it_happens(pair: Rig, logged: Callable[[], str]) -> None:
    await pair.show(screen("here", GO, OPEN))
    pair.handler.answer = form()
    await pair.peer.press("Ada", "Open")
    pair.handler.answer = broken
    await pair.peer.submit("Ada", {"Name": "Mia"})
    assert SENTENCES["failed"] in pair.peer.dialog("Ada").words()
    assert pair.peer.dialog("Ada").values["name"] == "Mia"
    await pair.peer.close("Ada")
    assert SENTENCES["failed"] in (await pair.peer.press("Ada", "Go")).notice
    await pair.peer.press("Ada", "Open")
    assert SENTENCES["failed"] in pair.peer.dialog("Ada").words()
    assert (await pair.peer.say("Ada", "numbers")).status == 200
    await pair.quiet()
    assert SENTENCES["failed"] in pair.peer.words("Ada")
    text = logged()
    # Printed, or in the library's hands, by whether anybody has configured the logs yet.
    assert all(re.search(rf"payload'?[=:]\s*'?{kind}\b", text) for kind in ("submit", "press", "said"))


async def test_what_can_not_be_drawn_is_an_apology(pair: Rig) -> None:
    await pair.show(screen("here", OPEN))
    pair.handler.answer = form(value="x")
    pair.handler.answer = lambda _event: Screen(None, ())  # type: ignore[arg-type] # what no handler may give
    await pair.peer.press("Ada", "Open")
    assert SENTENCES["failed"] in pair.peer.dialog("Ada").words()


async def test_everything_is_timed(pair: Rig) -> None:
    await pair.show(screen("here", GO, OPEN))
    await pair.peer.press("Ada", "Go")
    await pair.peer.say("Ada", "home")
    assert [(kind, name) for kind, name, _ in pair.seen] == [("said", "message"), ("press", "go"), ("opened", "home")]


# ── Coming and going ────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_installs_is_greeted_and_gets_a_home_card_once_connected(store: Store) -> None:
    async with rig(store, installed=()) as both:
        await store.call("SET", "sb:dir:workspace:teams:00000000-0000-0000-0000-000000000001", "acme")
        both.handler.answer = screen("my home")
        await both.complete(both.peer.install("Ada"))
        assert set(both.installed) == {("00000000-0000-0000-0000-000000000001", "29:ada", ("aad-ada",))}
        assert [m.words() for m in both.peer.said("Ada")] == ["A screen\nmy home"]
        await both.complete(both.peer.install("Ada"))
        assert len(both.peer.said("Ada")) == 1


async def test_a_tenant_of_no_account_gets_no_home_card(store: Store) -> None:
    async with rig(store, installed=()) as both:
        both.handler.answer = screen("my home")
        await both.complete(both.peer.install("Ada"))
        assert both.peer.said("Ada") == []
        assert not any(isinstance(event, HomeRequest) for event in both.handler.got)
