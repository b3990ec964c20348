"""A ticket comes into being: the choice, the form, what is refused at which field, and what stays typed."""

import asyncio
from typing import Any

import pytest

from handlers.framework.events import Address, File, Submit
from handlers.framework.screens import Checkbox, Choice, Done, FilesField, Form, Nothing, TextField
from tests.handlers.office import TYPED, Office, key_of, shown, to_desk, to_person
from tests.handlers.world import WORKSPACE, errors, form, screen, words


async def test_a_ticket_has_its_card_at_the_desk_and_its_thread_with_the_person(office: Office) -> None:
    assert await office.send("UMAX", "chat") == Done()
    effects = await office.world.effects()
    assert [key_of(e) for e in effects] == ["ticket:1:desk", "ticket:1:person"]
    (card,), (head,) = to_desk(effects), to_person(effects, "UMAX")
    assert "SB-1 · Nobody can log in" in card
    assert "Max Miller · Acme Ltd · Enterprise · Premium" not in card, "a standard channel"
    assert "All of us, since nine." in card
    assert "goes to Max Miller" in card
    assert "what you write here goes to the team" in head


async def test_the_same_submission_five_times_is_one_ticket(office: Office) -> None:
    for _ in range(5):
        assert await office.send("UMAX", id="once") == Done()
    assert await office.count() == 1
    made = await office.world.effects()
    assert len(to_desk(made)) == 1
    assert len(to_person(made, "UMAX")) == 1


async def test_at_the_same_moment_too(office: Office) -> None:
    blank = await office.blank("UMAX")
    values = {**TYPED, "Email": "max@example.com"}
    routers = [office.world.another() for _ in range(5)]
    sent = await asyncio.gather(*(office.world.submit("UMAX", blank, values, "once", r) for r in routers))
    assert sent == [Done()] * 5
    assert await office.count() == 1


async def test_a_right_lost_meanwhile_is_told_and_what_was_typed_stays(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    await office.apply(subscription={"line": "sales", "tier": "free"}, premium_support=False)
    refused = await office.world.submit("UMAX", blank, TYPED)
    assert "Chat with the team is not open to you any more." in words(refused)
    assert await office.count() == 0
    await office.apply()
    again = await office.blank("UMAX", "chat")
    assert {p.name: p.value for p in again.parts if isinstance(p, TextField)}["overview"] == TYPED["Overview"]


async def test_who_has_no_seat_is_told_why_and_gets_no_form(office: Office) -> None:
    assert "seat" in words(screen(await office.world.press_raw("UNOOR", "support.contact", "")))
    refused = await office.world.submit_raw("UNOOR", "support.contact", {}, {"channel": "chat"})
    assert "not open" in words(refused)
    refused = await office.world.submit_raw("UNOOR", "ticket.create", {"channel": "chat"}, {"overview": "x"})
    assert "not open" in words(refused)
    assert await office.count() == 0


@pytest.mark.parametrize("channel", ["", "phone", "knowledge_base", "premium_phone", "x" * 300, "chat\n"])
async def test_a_channel_that_no_form_leads_to(office: Office, channel: str) -> None:
    refused = await office.world.submit_raw("UMAX", "ticket.create", {"channel": channel}, TYPED)
    assert "Choose how" in words(refused)


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t ", "\u200f\u200e", "\u3164"])
async def test_nothing_is_no_overview(office: Office, nothing: str) -> None:
    assert set(errors(await office.send("UMAX", "chat", Overview=nothing))) == {"overview"}
    assert set(errors(await office.send("UMAX", "chat", Description=nothing))) == {"description"}


@pytest.mark.parametrize("address", ["a@b\nBcc: c@d.example", "a@b", "a b@c.example", "a@b.example, c@d.example", "@"])
async def test_an_address_that_is_none(office: Office, address: str) -> None:
    assert set(errors(await office.send("UMAX", Email=address))) == {"email"}
    assert await office.count() == 0


async def test_forty_thousand_characters_are_kept_whole_and_more_are_refused(office: Office) -> None:
    told = errors(await office.send("UMAX", "chat", Description="x" * 40_001))
    assert set(told) == {"description"}
    assert "40,000" in told["description"]
    assert len((await office.create("UMAX", "chat", Description="x" * 40_000)).description) == 40_000


async def test_what_is_only_emoji_or_turns_text_around_is_kept_as_it_is_seen(office: Office) -> None:
    made = await office.create("UMAX", "chat", Overview="🔥🔥", Description="<!channel> *a* <@U1> \u202eabc")
    assert made.overview == "🔥🔥"
    assert made.description.startswith("<!channel> *a* <@U1>")
    assert made.description.endswith("\u202c"), "what turns text around ends with its line"


async def test_a_callback_goes_to_a_number_of_ones_own_or_another(office: Office) -> None:
    await office.send("UMAX", "callback", **{"Phone number": "12"})
    assert await office.count() == 0
    made = await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    assert made.callback is not None
    assert made.callback.number == "+442079460958"


async def test_a_blocked_number_is_warned_about_at_the_desk(office: Office) -> None:
    await office.world.type("UADA", "add 020 7946 0958", name="blocklist")
    await office.world.effects()
    await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    (card,) = to_desk(await office.world.effects())
    assert "this number is on the blocklist" in card


async def test_business_critical_is_for_designated_super_admins_and_says_its_impact(office: Office) -> None:
    assert not any(
        p.name == "critical" for p in (await office.blank("UMAX", "premium_email")).parts if hasattr(p, "name")
    )
    told = errors(await office.send("UADA", "premium_email", **{"Business critical": "yes"}))
    assert set(told) == {"impact"}
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    assert made.is_critical
    assert made.escalation is not None
    # Who is not designated can't make it so by sending the field.
    made = await office.create("UMAX", "premium_email")
    state = {"channel": "premium_email"}
    values = {"overview": "x y", "description": "z", "email": "m@x.example", "critical": "yes", "impact": "login"}
    assert await office.world.submit_raw("UMAX", "ticket.create", state, values) == Done()
    assert not (await office.last()).is_critical


async def test_a_draft_survives_a_closed_dialog_and_ends_with_its_ticket(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    typed = {"overview": "Half a thought", "description": "More of it"}
    kept = form(await office.world.press_raw("UMAX", "draft.keep", "", form=blank.id, state=blank.state, values=typed))
    assert "Kept for 7 days" in words(kept)
    again = await office.blank("UMAX", "chat")
    values = {p.name: p.value for p in again.parts if isinstance(p, TextField)}
    assert (values["overview"], values["description"]) == ("Half a thought", "More of it")
    assert {p.value for p in (await office.blank("UADA", "chat")).parts if isinstance(p, TextField)} & set(
        typed.values()
    ) == set()
    await office.create("UMAX", "chat")
    fresh = await office.blank("UMAX", "chat")
    assert {p.name: p.value for p in fresh.parts if isinstance(p, TextField)}["overview"] == ""


def typed_in(blank: Form) -> dict[str, str]:
    return {p.name: p.value for p in blank.parts if isinstance(p, TextField)}


async def keys_pressed(office: Office, blank: Form, overview: str, stamp: str) -> None:
    values = {"overview": overview, "description": ""}
    where: dict[str, Any] = {"form": blank.id, "state": blank.state, "values": values, "stamp": stamp}
    assert await office.world.press_raw("UMAX", "overview", overview, **where) == Nothing()


async def test_what_is_typed_is_kept_as_it_is_typed(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    assert all(p.live for p in blank.parts if isinstance(p, TextField))
    for n, overview in enumerate(("N", "No", "Nobo", "Nobody")):
        await keys_pressed(office, blank, overview, f"170000000{n}.000100")
    await keys_pressed(office, blank, "Nob", "1700000001.000200")  # it took another way, and longer
    again = await office.blank("UMAX", "chat")  # the dialog was closed
    assert typed_in(again)["overview"] == "Nobody"
    # A dialog opened later counts for more, whatever its clock says.
    await keys_pressed(office, again, "Everybody", "1600000000.000100")
    assert typed_in(await office.blank("UMAX", "chat"))["overview"] == "Everybody"
    assert typed_in(await office.blank("UMAX", "email"))["overview"] == ""


async def test_a_key_that_comes_after_the_form_was_sent_brings_no_draft_back(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    await keys_pressed(office, blank, "Nobody", "1700000001.000100")
    assert await office.world.submit("UMAX", blank, TYPED) == Done()
    await keys_pressed(office, blank, "Nobody can", "1700000002.000100")
    assert typed_in(await office.blank("UMAX", "chat"))["overview"] == ""


async def test_many_keys_at_once_leave_the_last_one(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    await asyncio.gather(*(keys_pressed(office, blank, "x" * n, f"17000000{n:02}.000100") for n in range(1, 5)))
    assert typed_in(await office.blank("UMAX", "chat"))["overview"] == "xxxx"


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def a_file(name: str, size: int | None = 12_345) -> File:
    return File(f"F-{name}", name, size, "", f"ref-{name}", f"https://acme.slack.com/files/{name}")


async def test_files_put_into_the_dialog_go_along_by_name_size_and_way(office: Office) -> None:
    blank = await office.blank("UMAX", "chat")
    assert any(isinstance(p, FilesField) and p.most == 10 for p in blank.parts)
    values = {"overview": "Nobody can log in", "description": "All of us", "language": "en"}
    where = Address("slack", WORKSPACE, user="UMAX", reply="here")
    files = {"files": (a_file("trace.har"), a_file("shot.png", None))}
    sent = Submit(office.world.actor("UMAX"), "with-files", blank.id, blank.state, values, where, files)
    for _ in range(3):
        assert await office.world.router.handle(sent) == Done()
    assert [(f.name, f.size, f.ref, f.platform, f.workspace) for f in (await office.last()).files] == [
        ("trace.har", 12_345, "ref-trace.har", "slack", WORKSPACE),
        ("shot.png", None, "ref-shot.png", "slack", WORKSPACE),
    ]
    card = next(e for e in await office.world.effects() if key_of(e) == "ticket:1:desk")
    assert "2 files: trace.har (12 kB), shot.png" in shown(card)
    assert "https://acme.slack.com/files/trace.har" in str(card.body)


async def test_files_sent_to_the_bot_before_can_be_ticked(office: Office) -> None:
    await office.world.say("UMAX", "", files=tuple(a_file(f"{n}.log") for n in range(7)))
    await office.world.say("UMAX", "", files=(a_file("6.log"),))  # once more
    await office.world.say("UADA", "", files=(a_file("hers.log"),))
    blank = await office.blank("UMAX", "chat")
    boxes = [p for p in blank.parts if isinstance(p, Checkbox)]
    assert [box.text for box in boxes] == [f"{n}.log (12 kB)" for n in (6, 5, 4, 3, 2)]
    hers = [p.name for p in (await office.blank("UADA", "chat")).parts if isinstance(p, Checkbox)]
    typed = {"overview": "a b", "description": "c", "language": "en"}
    chosen = {boxes[0].name: "yes", boxes[1].name: "", boxes[2].name: "yes", hers[0]: "yes", "sent_made_up": "yes"}
    assert await office.world.submit_raw("UMAX", blank.id, blank.state, {**typed, **chosen}) == Done()
    assert [f.name for f in (await office.last()).files] == ["6.log", "4.log"]
    assert not any(isinstance(p, Checkbox) for p in (await office.blank("UMAX", "chat")).parts), (
        "they are in the ticket"
    )


@pytest.mark.parametrize("name", ["numbers.csv", "log.txt"])
async def test_a_list_may_be_meant_for_a_ticket_too(office: Office, name: str) -> None:
    await office.world.drop("UMAX", name, b"number\n0121 496 0777\n")
    (answer,) = await office.world.effects()
    assert "Only super admins can do this" in shown(answer), "why it is not imported"
    assert f"{name} goes along if you contact us" in shown(answer)
    await office.world.drop("UADA", name, b"number\n0121 496 0777\n")
    assert f"I am reading {name}" in shown((await office.world.effects())[0])
    for user in ("UMAX", "UADA"):
        boxes = [p.text for p in (await office.blank(user, "chat")).parts if isinstance(p, Checkbox)]
        assert boxes == [f"{name} (21 B)"], user


async def test_a_file_that_was_sent_long_ago_is_not_offered(office: Office) -> None:
    await office.world.say("UMAX", "", files=(a_file("a.log"),))
    office.world.later(minutes=61)
    assert not any(isinstance(p, Checkbox) for p in (await office.blank("UMAX", "chat")).parts)


@pytest.mark.parametrize("side", ["person", "desk"])
async def test_a_file_in_the_thread_of_a_chat_goes_along(office: Office, side: str) -> None:
    made = await office.create("UMAX", "chat")
    await office.world.effects()
    user = "UMAX" if side == "person" else "USAM"
    await office.below(user, made.number, side, "", message="m1", files=(a_file("trace.har"), a_file("no-way.png")))
    told = to_desk if side == "person" else lambda effects: to_person(effects, "UMAX")
    assert any("2 files: trace.har (12 kB), no-way.png (12 kB)" in text for text in told(await office.world.effects()))


async def test_a_new_ticket_is_linked_to_the_old_one_of_ones_own(office: Office) -> None:
    old = await office.create("UMAX", "chat")
    await office.press("UMAX", "ticket.close", old.number)
    chosen = form(await office.press("UMAX", "ticket.again", old.number))
    blank = form(await office.world.submit_raw("UMAX", chosen.id, chosen.state, {"channel": "chat"}))
    await office.world.submit("UMAX", blank, TYPED)
    assert (await office.last()).previous == old.number
    other = await office.world.submit_raw("UOLA", "support.contact", {"previous": str(old.number)}, {"channel": "chat"})
    assert "Nie ma zgłoszenia" in words(other)


async def test_the_language_of_a_chat_is_chosen_and_premium_is_english(office: Office) -> None:
    blank = await office.blank("UOLA", "chat")
    assert any(isinstance(p, Choice) and p.name == "language" for p in blank.parts)
    assert not any(
        isinstance(p, Choice) and p.name == "language" for p in (await office.blank("UOLA", "premium_chat")).parts
    )


async def test_outside_the_hours_chat_comes_last_and_says_from_when(office: Office) -> None:
    def offered(shown: object) -> list[str]:
        assert isinstance(shown, Form)
        (choice,) = [part for part in shown.parts if isinstance(part, Choice)]
        return [f"{option.label}: {option.note}" for option in choice.options]

    assert offered(await office.world.press_raw("UMAX", "support.contact", ""))[0].startswith("Chat with the team")
    office.world.later(hours=30)  # Saturday afternoon
    ways = offered(await office.world.press_raw("UMAX", "support.contact", ""))
    assert ways[0].startswith("Email support")
    assert ways[-1] == "Premium chat: a specialist, from 23 Nov 2026 09:00, in English"
    assert (await office.create("UMAX", "chat")).live, "it is taken all the same"
