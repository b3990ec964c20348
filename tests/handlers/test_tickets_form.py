"""A ticket comes into being: the choice, the form, what is refused at which field, and what stays typed."""

import asyncio

import pytest

from handlers.vocabulary import Choice, Done, Form, TextField
from tests.handlers.office import TYPED, Office, key_of, to_desk, to_person
from tests.handlers.world import World, errors, form, screen, words


@pytest.fixture
async def office(world: World) -> Office:
    return await Office.open(world)


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
    told = screen(await office.world.press_raw("UNOOR", "support.contact", ""))
    assert "seat" in words(told)
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
    assert ways[-1] == "Premium chat: a specialist, from 23 Nov 2026 09:00"
    assert (await office.create("UMAX", "chat")).live, "it is taken all the same"
