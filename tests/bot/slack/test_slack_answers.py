"""What people do in the pretend Slack and what they then see: every kind of answer, in time, whatever is slow."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from handlers.framework import events
from handlers.framework.screens import (
    Button,
    Buttons,
    Checkbox,
    Choice,
    Done,
    Errors,
    Form,
    ListItem,
    Nothing,
    Notice,
    Option,
    Options,
    Paragraph,
    Response,
    Screen,
    TextField,
)
from playground.slack.find import visible_text
from store.server.connection import Store
from tests import instance_of
from tests.bot.slack.peer import TEAM, Rig, rig

NUMBERS = Screen(
    "Phone numbers",
    (
        ListItem("020 7946 0900", (("Max",),), (Button("Edit", "edit", "1"), Button("Delete", "delete", "1"))),
        Buttons((Button("Get a number", "get", "GB", "primary"), Button("Usage", "usage"))),
    ),
)
COUNTRIES = (Option("GB", "United Kingdom"), Option("DE", "Germany"))
EDIT = Form(
    "edit",
    "Edit",
    "Save",
    (
        TextField("to", "Forwarding number"),
        Choice("country", "Country", COUNTRIES, live=True),
        Choice("person", "Assigned to", (), suggest=True),
        Checkbox("sure", "Sure?", "Yes, I am"),
    ),
    {"number": "1"},
)


def said(text: str) -> Screen:
    return Screen(text, (Paragraph((text,)),))


# ── A whole round, on the pretend Slack ─────────────────────────────────────────────────────────────────────────


async def test_a_command_is_answered_to_its_sender_alone(pair: Rig) -> None:
    pair.handler.answer = NUMBERS
    assert (await pair.slack.command("ada", "general", "/numbers", "list @max")).ok
    assert isinstance(pair.handler.last, events.Command)
    assert pair.handler.last.words == ("list", events.Mention("UMAX", "max"))
    assert "020 7946 0900" in visible_text(pair.slack.last("ada", "general"))
    assert pair.slack.messages("max", "general") == []
    assert pair.seen[-1][:2] == ("command", "numbers")


async def test_a_form_opens_from_a_command_before_its_answer(pair: Rig) -> None:
    pair.handler.answer = EDIT
    outcome = await pair.slack.command("ada", "general", "/numbers", "edit")
    assert (outcome.ok, outcome.reply and outcome.reply.answer) == (True, None)
    assert pair.slack.dialog("ada").body["callback_id"] == "edit"
    again = await pair.slack.repeat(outcome)
    assert again.reply
    assert again.reply.answer is None


@pytest.mark.parametrize("fault", ["error", "ratelimited", "hang", "refuse"])
async def test_a_dialog_that_slack_does_not_open_is_said_in_time(pair: Rig, fault: Any) -> None:
    pair.handler.answer = EDIT
    pair.slack.faults.add("views.open", fault)
    outcome = await pair.slack.command("ada", "general", "/numbers", "edit")
    assert outcome.ok
    assert outcome.seconds < 3
    assert "did not open" in visible_text(pair.slack.last("ada", "general"))


async def press(pair: Rig, name: str, answer: Response) -> events.Press:
    pair.handler.answer = NUMBERS
    await pair.slack.command("ada", "general", "/numbers", "list")
    pair.handler.answer = answer
    assert (await pair.slack.press("ada", pair.slack.last("ada", "general"), name)).ok
    await pair.slack.settled()
    assert isinstance(pair.handler.last, events.Press)
    return pair.handler.last


async def test_a_pressed_screen_takes_the_place_of_what_was_pressed(pair: Rig) -> None:
    pressed = await press(pair, "Get a number", said("Done that"))
    assert (pressed.action, pressed.value) == ("get", "GB")
    [only] = pair.slack.messages("ada", "general")
    assert visible_text(only) == "Done that\nDone that"


async def test_a_notice_stands_beside_what_was_pressed(pair: Rig) -> None:
    pressed = await press(pair, "Delete", Notice(said("Not now")))
    assert (pressed.action, pressed.value) == ("delete", "1")
    first, second = pair.slack.messages("ada", "general")
    assert "020 7946 0900" in visible_text(first)
    assert "Not now" in visible_text(second)
    assert second.ephemeral_to == "UADA"


async def test_done_and_nothing_change_nothing(pair: Rig) -> None:
    await press(pair, "Usage", Nothing())
    assert len(pair.slack.messages("ada", "general")) == 1


async def test_a_dialog_remembers_where_it_was_opened(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    pair.handler.answer = Done()
    assert (await pair.slack.submit("ada", {"Forwarding number": "020", "Sure?": True, "Country": "Germany"})).ok
    submitted = instance_of(events.Submit, pair.handler.last)
    assert submitted.state == {"number": "1"}
    assert submitted.values == {"to": "020", "country": "DE", "person": "", "sure": "yes"}
    assert submitted.where.reply
    assert pair.adapter.client.is_response_url(submitted.where.reply)
    with pytest.raises(LookupError):
        pair.slack.dialog("ada")


async def test_errors_stand_at_their_fields_and_typed_input_stays(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    pair.handler.answer = Errors({"to": "That is no number."})
    outcome = await pair.slack.submit("ada", {"Forwarding number": "020", "Country": "Germany"})
    assert outcome.errors == {"to": "That is no number."}
    for answer in (Errors({"": "The number is gone."}), Errors({"": "The number is gone.", "x": "?"}, EDIT)):
        pair.handler.answer = answer
        outcome = await pair.slack.submit("ada")
        assert outcome.ok
        shown = pair.slack.dialog("ada")
        assert visible_text(shown).count("The number is gone.") == 1
        typed = {name: next(iter(state.values())) for name, state in shown.state.items()}
        assert typed["to"]["value"] == "020"
        assert typed["country"]["selected_option"]["value"] == "DE"


async def test_a_live_field_redraws_the_dialog_and_keeps_what_was_typed(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    offers = Choice("offer", "Number", (Option("1", "020 1"),))
    pair.handler.answer = Form("edit", "Edit", "Save", (*EDIT.parts, offers), EDIT.state)
    await pair.slack.fill("ada", {"Forwarding number": "0207", "Country": "Germany"})
    await pair.slack.settled()
    pressed = instance_of(events.Press, pair.handler.last)
    assert (pressed.action, pressed.value, pressed.form, pressed.state) == ("country", "DE", "edit", {"number": "1"})
    assert pressed.values["to"] == "0207"
    shown = pair.slack.dialog("ada")
    assert "offer" in shown.state
    assert next(iter(shown.state["to"].values()))["value"] == "0207"


async def test_a_notice_in_a_dialog_stands_above_the_form(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    pair.handler.answer = Notice(said("You may not"))
    for _ in range(2):
        await pair.slack.fill("ada", {"Forwarding number": "0207", "Country": "Germany"})
        await pair.slack.settled()
        shown = pair.slack.dialog("ada")
        assert visible_text(shown).startswith("Edit\nYou may not\nYou may not\nForwarding number")
        assert next(iter(shown.state["to"].values()))["value"] == "0207"


async def test_typing_into_a_long_list_asks_for_options(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    pair.handler.answer = Options((Option("max", "Max"), Option("", "nobody")))
    outcome = await pair.slack.suggest("ada", pair.slack.dialog("ada"), "Assigned to", "ma")
    assert [o["text"]["text"] for o in outcome.options] == ["Max", "nobody"]
    assert isinstance(pair.handler.last, events.OptionsRequest)
    assert (pair.handler.last.field, pair.handler.last.text, pair.handler.last.state) == (
        "person",
        "ma",
        {"number": "1"},
    )


async def test_a_submission_answered_in_words_closes_and_says_them(pair: Rig) -> None:
    await press(pair, "Edit", EDIT)
    pair.handler.answer = said("Saved")
    assert (await pair.slack.submit("ada", {"Forwarding number": "1"})).ok
    await pair.slack.settled()
    assert "Saved" in visible_text(pair.slack.last("ada", "general"))
    assert len(pair.slack.messages("ada", "general")) == 2


async def test_home_is_published_pressed_and_answered(pair: Rig) -> None:
    pair.handler.answer = NUMBERS
    await pair.slack.open_home("ada")
    assert isinstance(pair.handler.last, events.HomeRequest)
    pair.handler.answer = said("Another page")
    await pair.slack.press("ada", pair.slack.home("ada"), "Usage")
    await pair.slack.settled()
    assert "Another page" in visible_text(pair.slack.home("ada"))
    pair.handler.answer = Notice(said("Only for you"))
    heard = len(pair.handler.got)
    await pair.slack.open_home("ada", "messages")
    assert len(pair.handler.got) == heard
    pair.handler.answer = NUMBERS
    await pair.slack.open_home("ada")
    pair.handler.answer = Notice(said("Only for you"))
    await pair.slack.press("ada", pair.slack.home("ada"), "Usage")
    await pair.slack.settled()
    assert "Only for you" in visible_text(pair.slack.dialog("ada"))  # above the home screen, which stays
    assert "Only for you" not in visible_text(pair.slack.home("ada"))


async def test_a_direct_message_is_answered_once_however_often_it_comes(pair: Rig) -> None:
    pair.handler.answer = said("Hello")
    message = await pair.slack.say("ada", "", "numbers list")
    await pair.slack.settled()
    assert isinstance(pair.handler.last, events.ChatMessage)
    assert (pair.handler.last.id, pair.handler.last.words) == (f"{message.channel}:{message.ts}", ("numbers", "list"))
    event = {"type": "message", "channel_type": "im", "user": "UADA", "text": "numbers list"}
    sent = pair.slack.wrap_event(TEAM, {**event, "channel": message.channel, "ts": message.ts})
    await pair.slack.deliver(sent, (1, "http_timeout"))
    pair.adapter.answers._heard.clear()  # as in another process
    await pair.slack.deliver(sent, (2, "http_timeout"))
    await pair.slack.settled()
    assert [visible_text(m) for m in pair.slack.messages("ada")] == ["numbers list", "Hello\nHello"]


async def test_a_mention_is_answered_in_its_thread(pair: Rig) -> None:
    pair.handler.answer = said("Hello")
    message = await pair.slack.say("ada", "general", "@Switchboard help @max")
    await pair.slack.settled()
    got = instance_of(events.ChatMessage, pair.handler.last)
    assert got.words == ("help", events.Mention("UMAX"))
    assert got.where == events.Address("slack", TEAM, channel="CGENERAL")
    assert pair.slack.last("max", "general").thread_ts == message.ts


async def test_a_shortcut_is_a_command_without_a_channel(pair: Rig) -> None:
    pair.handler.answer = EDIT
    assert (await pair.slack.shortcut("ada", "get_number")).ok
    got = instance_of(events.Command, pair.handler.last)
    assert (got.name, got.words, got.where) == ("numbers", ("get",), events.Address("slack", TEAM, "UADA"))
    assert pair.slack.dialog("ada")
    pair.handler.answer = said("No room")
    await pair.slack.shortcut("ada", "open_inbox")
    await pair.slack.settled()
    asked = instance_of(events.Command, pair.handler.last)
    assert (asked.name, asked.words) == ("support", ("inbox",))
    assert "No room" in visible_text(pair.slack.last("ada"))


async def test_slack_may_check_the_address(pair: Rig) -> None:
    assert await pair.slack.verify_url()


# ── Three seconds, and faults ───────────────────────────────────────────────────────────────────────────────────


def slowly(outcome: Response, seconds: float = 0.4) -> Any:
    async def answer(event: events.Inbound) -> Response:
        await asyncio.sleep(seconds)
        return outcome

    return answer


async def test_a_slow_command_says_so_and_its_answer_follows(store: Store) -> None:
    async with rig(store, handling=0.1) as pair:
        pair.handler.answer = slowly(NUMBERS)
        outcome = await pair.slack.command("ada", "general", "/numbers", "list")
        assert outcome.ok
        assert outcome.seconds < 0.4
        assert "Still working" in visible_text(pair.slack.last("ada", "general"))
        assert await pair.adapter.work.drain(3)
        _, answer = pair.slack.messages("ada", "general")
        assert "020 7946 0900" in visible_text(answer)
        assert answer.ephemeral_to == "UADA"


async def test_a_slow_submission_waits_in_its_dialog(store: Store) -> None:
    async with rig(store, handling=0.1) as pair:
        await press(pair, "Edit", EDIT)
        for answer, shows in ((Errors({"to": "That is no number."}), "That is no number."), (Done(), "It is done.")):
            pair.handler.answer = slowly(answer)
            assert (await pair.slack.submit("ada", {"Forwarding number": "020"})).ok
            assert "Still working" in visible_text(pair.slack.dialog("ada"))
            assert await pair.adapter.work.drain(3)
            assert shows in visible_text(pair.slack.dialog("ada"))
            assert ("020" in visible_text(pair.slack.dialog("ada"))) == (shows != "It is done.")


async def test_the_default_patience_keeps_within_three_seconds(pair: Rig) -> None:
    pair.handler.answer = slowly(NUMBERS, 2.9)
    pair.slack.faults.add("*", "hang", times=5, seconds=0.5)
    outcome = await pair.slack.command("ada", "general", "/numbers", "list")
    assert outcome.ok
    assert outcome.seconds < 2.8


@pytest.mark.parametrize("fault", ["ratelimited", "error"])
async def test_what_is_shown_after_the_answer_is_tried_again(pair: Rig, fault: Any) -> None:
    pair.slack.faults.add("hooks", fault)
    await press(pair, "Usage", said("Usage"))
    assert await pair.adapter.work.drain(5)
    assert visible_text(pair.slack.last("ada", "general")) == "Usage\nUsage"


async def test_a_fault_of_ours_gets_a_sentence_with_a_reference(pair: Rig, logged: Callable[[], str]) -> None:
    def broken(event: events.Inbound) -> Response:
        raise RuntimeError("a bug")

    pair.handler.answer = broken
    assert (await pair.slack.command("ada", "general", "/numbers", "list")).ok
    shown = visible_text(pair.slack.last("ada", "general"))
    assert "Something went wrong on our side." in shown
    assert shown.split()[-1] in logged()
    await press(pair, "Edit", EDIT)
    pair.handler.answer = broken
    assert (await pair.slack.submit("ada", {"Forwarding number": "020"})).ok
    assert "Something went wrong" in visible_text(pair.slack.dialog("ada"))


async def test_an_answer_that_cannot_be_drawn_gets_a_sentence_too(pair: Rig) -> None:
    pair.handler.answer = Form("edit", "Edit", "Save", (), {"too": "long" * 1000})
    assert (await pair.slack.command("ada", "general", "/numbers", "edit")).ok
    assert "Something went wrong" in visible_text(pair.slack.last("ada", "general"))


async def test_stopping_waits_for_what_was_begun(pair: Rig) -> None:
    pair.handler.answer = NUMBERS
    await pair.slack.command("ada", "general", "/numbers", "list")
    pair.handler.answer = said("Late but there")
    pair.slack.faults.add("hooks", "hang", seconds=0.3)
    await pair.slack.press("ada", pair.slack.last("ada", "general"), "Usage")
    assert len(pair.adapter.work) > 0
    assert await pair.adapter.drain(5)
    assert "Late but there" in visible_text(pair.slack.last("ada", "general"))
