"""The desk: who may, who is first, what reaches whom and what never does."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.support.ticket import Critical, TicketState
from handlers.framework.effects import unpack_screen
from handlers.framework.events import Actor, Address, Press
from handlers.framework.screens import Done, Nothing, Notice, Screen
from handlers.support import ticket_changes, ticket_job
from tests import instance_of, present
from tests.handlers.office import Office, key_of, shown, to_desk, to_person
from tests.handlers.world import button, company, form, words

CANARY = "canary-7f3a"


@pytest.fixture
async def chat(office: Office) -> int:
    """An open chat of Max, its first effects taken out."""
    made = await office.create("UMAX", "chat")
    await office.world.effects()
    return made.number


AT_ONCE = ["claim", "pend", "resume", "close", "reopen", "confirm", "called", "no_answer", "escalate", "acknowledge"]


@pytest.mark.parametrize("user", ["UMAX", "UADA", "UOLA", "UNOOR", "UNEW", "UGUEST"])
async def test_only_specialists_act_at_the_desk(office: Office, chat: int, user: str) -> None:
    before = await office.get(chat)
    for name in [*AT_ONCE, "reply", "note", "downgrade", "assign", "block", "next", "queue"]:
        outcome = await office.press(user, f"desk.{name}", chat)
        assert isinstance(outcome, Notice), name
        assert "SB-1 ·" not in words(outcome), name
    for name, values in (("reply", {"reply": "x"}), ("note", {"note": "x"}), ("assign", {"person": "sam"})):
        await office.world.submit_raw(user, f"desk.{name}", {"ticket": str(chat)}, values)
    assert await office.get(chat) == before
    assert await office.world.effects() == []


@pytest.mark.parametrize("number", ["2", "0", "-1", "SB-99", "x", "", "1|2", "9" * 40, "١"])
async def test_a_made_up_ticket_is_unknown(office: Office, chat: int, number: str) -> None:
    for user, action in (("USAM", "desk.claim"), ("UMAX", "ticket.close"), ("UADA", "inbox.ticket")):
        assert "no ticket" in words(await office.press(user, action, number))


async def test_somebody_elses_is_as_unknown_as_none(office: Office, chat: int) -> None:
    theirs, none = [words(await office.press("UNOOR", "inbox.ticket", n)).replace(str(n), "N") for n in (chat, 77)]
    assert theirs == none
    for action in ("ticket.close", "ticket.reply", "ticket.escalate", "ticket.survey", "inbox.star", "ticket.again"):
        assert "no ticket" in words(await office.press("UNOOR", action, chat))
    refused = await office.world.submit_raw("UNOOR", "ticket.reply", {"ticket": str(chat)}, {"reply": "x"})
    assert "no ticket" in words(refused)
    # A super admin reads it, and does nothing with it.
    assert "Nobody can log in" in words(await office.press("UADA", "inbox.ticket", chat))
    assert "only the person who sent it" in words(await office.press("UADA", "ticket.close", chat))


async def test_two_claim_at_once_and_the_other_is_told_who(office: Office, chat: int) -> None:
    one, other = office.world.another(), office.world.another()
    router = office.world.router

    async def claim(user: str, through: object) -> object:
        office.world.router = through  # type: ignore[assignment] # a process each
        return await office.press(user, "desk.claim", chat)

    outcomes = await asyncio.gather(claim("USAM", one), claim("ULENA", other))
    office.world.router = router
    has = (await office.get(chat)).specialist
    assert has in {"sam", "lena"}
    assert sorted(isinstance(o, Nothing) for o in outcomes) == [False, True]
    (told,) = [words(o) for o in outcomes if isinstance(o, Notice)]
    assert ("Sam" if has == "sam" else "Lena") in told
    effects = await office.world.effects()
    assert [key_of(e) for e in effects if "m2" in key_of(e)] == ["ticket:1:m2:desk", "ticket:1:m2:person"]


async def test_a_press_that_is_sent_again_does_nothing_more(office: Office, chat: int) -> None:
    for _ in range(3):
        await office.press("USAM", "desk.claim", chat, id="once")
    assert (await office.get(chat)).messages == 2


async def test_a_note_never_reaches_the_person(office: Office, chat: int) -> None:
    assert await office.fill("USAM", "desk.note", chat, {"note": CANARY}) == Done()
    await office.press("USAM", "desk.claim", chat)
    await office.fill("USAM", "desk.reply", chat, {"reply": "Looking."})
    effects = await office.world.effects()
    assert CANARY in "\n".join(to_desk(effects))
    others = [shown(e) for e in effects if e.body["to"].get("channel") != "CDESK"]
    assert others
    assert CANARY not in "\n".join(others)
    for user in ("UMAX", "UADA"):
        assert CANARY not in words(await office.press(user, "inbox.ticket", chat))
        assert CANARY not in words(await office.world.type(user, "inbox", name="support"))


async def test_the_threads_mirror_each_other_with_edits_and_deletions(office: Office, chat: int) -> None:
    await office.press("USAM", "desk.claim", chat)
    await office.world.effects()
    assert await office.below("USAM", chat, "desk", "What do you see?", message="d1") == Nothing()
    (only,) = [e for e in await office.world.effects() if ":m" in key_of(e)]
    assert only.body["to"]["user"] == "UMAX"
    assert "Sam: What do you see?" in shown(only)
    await office.below("UMAX", chat, "person", "A white page <!channel>", message="p1")
    (only,) = [e for e in await office.world.effects() if ":m" in key_of(e)]
    assert only.body["to"]["channel"] == "CDESK"
    assert "Max Miller: A white page <!channel>" in shown(only)
    await office.edit("UMAX", chat, "person", "p1", "A blue page")
    (only,) = await office.world.effects()
    assert "A blue page" in shown(only)
    await office.delete("UMAX", chat, "person", "p1")
    (only,) = await office.world.effects()
    assert only.body["screen"] is None
    # Somebody else's words can't be changed, and nobody else speaks for the desk.
    await office.edit("ULENA", chat, "desk", "d1", "no")
    await office.below("UOLA", chat, "desk", "I look on", message="d2")
    assert await office.world.effects() == []


async def replies(office: Office, number: int) -> list[str]:
    """What was said after the ticket was made, as it stands on the timeline."""
    return [message.text for message in await office.timeline(number) if message.kind == "reply"][1:]


async def test_a_message_edited_to_nothing_is_taken_back(office: Office, chat: int) -> None:
    await office.below("UMAX", chat, "person", "A secret", message="p1")
    await office.world.effects()
    await office.edit("UMAX", chat, "person", "p1", " \u200f ")
    (only,) = await office.world.effects()
    assert only.body["screen"] is None


async def test_an_edit_that_is_too_long_is_told(office: Office, chat: int) -> None:
    await office.below("UMAX", chat, "person", "Short", message="p1")
    await office.world.effects()
    assert "40,000" in words(await office.edit("UMAX", chat, "person", "p1", "y" * 40_001))
    assert await office.world.effects() == []


@pytest.mark.parametrize("times", [1, 3])
async def test_an_edit_that_overtakes_its_message_is_not_lost(office: Office, chat: int, times: int) -> None:
    await office.edit("UMAX", chat, "person", "p1", "First thought")
    await office.edit("UMAX", chat, "person", "p1", "Second thought")
    assert await office.world.effects() == []
    for _ in range(times):
        await office.below("UMAX", chat, "person", "Typo", message="p1", id="event")
    shows = [shown(e) for e in await office.world.effects() if ":m" in key_of(e)]
    assert [("Typo" in each, "Second thought" in each) for each in shows] == [(True, False), (False, True)]
    assert await replies(office, chat) == ["Second thought"]
    # What was changed since stays, whatever is heard again.
    await office.edit("UMAX", chat, "person", "p1", "Third thought")
    await office.below("UMAX", chat, "person", "Typo", message="p1", id="event")
    assert await replies(office, chat) == ["Third thought"]


async def test_a_message_taken_back_before_it_came_does_not_stay(office: Office, chat: int) -> None:
    await office.delete("UMAX", chat, "person", "p1")
    await office.below("UMAX", chat, "person", "Oops", message="p1")
    assert [e for e in await office.world.effects() if ":m" in key_of(e)][-1].body["screen"] is None


async def test_nobody_changes_what_somebody_else_is_about_to_say(office: Office, chat: int) -> None:
    await office.edit("ULENA", chat, "person", "p1", "Other words")
    await office.below("UMAX", chat, "person", "My words", message="p1")
    assert await replies(office, chat) == ["My words"]


async def test_the_same_message_heard_twice_is_said_once(office: Office, chat: int) -> None:
    for _ in range(3):
        await office.below("UMAX", chat, "person", "Hello?", message="p1", id="event")
    assert len([e for e in await office.world.effects() if ":m" in key_of(e)]) == 1
    assert (await office.get(chat)).messages == 2


async def test_below_the_card_of_an_email_ticket_specialists_are_among_themselves(office: Office) -> None:
    made = await office.create("UMAX")
    await office.world.effects()
    assert await office.below("USAM", made.number, "desk", CANARY, message="d1") == Nothing()
    assert await office.world.effects() == []


async def test_a_reply_to_what_was_closed_a_second_ago_opens_it_again(office: Office, chat: int) -> None:
    await office.press("USAM", "desk.claim", chat)
    opened = form(await office.press("UMAX", "ticket.reply", chat))
    late = form(await office.press("USAM", "desk.reply", chat))
    await office.press("USAM", "desk.close", chat)
    refused = await office.world.submit_raw("USAM", late.id, late.state, {"reply": "One more thing"})
    assert "closed" in words(refused)
    assert await office.world.submit_raw("UMAX", opened.id, opened.state, {"reply": "Not solved"}) == Done()
    assert (await office.get(chat)).state is TicketState.OPEN


async def test_presses_on_cards_of_states_long_past_explain_themselves(office: Office, chat: int) -> None:
    await office.press("USAM", "desk.claim", chat)
    await office.press("USAM", "desk.close", chat)
    before = await office.get(chat)
    for name in AT_ONCE:
        if name == "reopen":
            continue
        assert isinstance(await office.press("USAM", f"desk.{name}", chat), Notice), name
    for name in ("ticket.close", "ticket.escalate", "ticket.press"):
        assert isinstance(await office.press("UMAX", name, chat), Notice), name
    assert await office.get(chat) == before


async def test_pending_stops_the_clock_and_a_reply_goes_on(office: Office, chat: int) -> None:
    await office.press("USAM", "desk.claim", chat)
    await office.press("USAM", "desk.pend", chat)
    assert (await office.get(chat)).state is TicketState.PENDING
    await office.world.effects()
    await office.below("UMAX", chat, "person", "Here", message="p1")
    assert (await office.get(chat)).state is TicketState.OPEN
    assert any(key_of(e) == "ticket:1:desk" for e in await office.world.effects())


async def test_closed_the_survey_comes_once_and_then_it_is_reopened(office: Office, chat: int) -> None:
    assert "once the ticket is closed" in words(await office.press("UMAX", "ticket.survey", chat))
    await office.press("UMAX", "ticket.close", chat)
    first = form(await office.press("UMAX", "ticket.survey", chat))
    for rating in ("", "0", "6", "5.0", "٥"):
        assert "1 to 5" in words(await office.world.submit_raw("UMAX", first.id, first.state, {"rating": rating}))
    assert await office.world.submit_raw("UMAX", first.id, first.state, {"rating": "4", "comment": "Quick"}) == Done()
    given = present((await office.get(chat)).survey)
    assert (given.rating, given.comment) == (4, "Quick")
    again = await office.world.submit_raw("UMAX", first.id, first.state, {"rating": "1"})
    assert "Thank you" in words(again)
    await office.press("UMAX", "ticket.reopen", chat)
    assert (await office.get(chat)).state is not TicketState.CLOSED


async def test_assign_goes_to_specialists_only(office: Office, chat: int) -> None:
    assert await office.fill("USAM", "desk.assign", chat, {"person": "lena"}) == Done()
    assert (await office.get(chat)).specialist == "lena"
    for nobody in ("ada", "max", "", "x" * 400):
        refused = await office.world.submit_raw("USAM", "desk.assign", {"ticket": str(chat)}, {"person": nobody})
        assert "no specialist" in words(refused)
    assert (await office.get(chat)).specialist == "lena"


# ── Escalation ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_designated_super_admin_escalates_with_an_impact(office: Office) -> None:
    made = await office.create("UADA", "premium_email")
    opened = form(await office.press("UADA", "ticket.escalate", made.number))
    assert "most or all users" in words(opened).lower()
    refused = await office.world.submit_raw("UADA", opened.id, opened.state, {"impact": ""})
    assert "Choose what it does" in words(refused)
    await office.world.submit_raw("UADA", opened.id, opened.state, {"impact": "login", "affected": "400 people"})
    made = await office.get(made.number)
    assert made.critical is Critical.CLAIMED
    assert made.escalation is not None
    assert made.escalation.due is not None


async def test_everybody_else_is_told_what_it_takes_and_presses_once(office: Office, chat: int) -> None:
    opened = form(await office.press("UMAX", "ticket.escalate", chat))
    assert "designated" in words(opened)
    await office.world.effects()
    assert await office.world.submit_raw("UMAX", opened.id, opened.state, {}) == Done()
    card = next(shown(e) for e in await office.world.effects() if key_of(e) == "ticket:1:desk")
    assert "press" in card.lower()
    assert "was told" in words(await office.press("UMAX", "ticket.escalate", chat))
    assert "was told" in words(await office.world.submit_raw("UMAX", opened.id, opened.state, {}))
    # Sending the form of those who may doesn't make one of them.
    refused = await office.world.submit_raw("UMAX", "ticket.escalate", {"ticket": str(chat)}, {"impact": "login"})
    assert "designated super admin" in words(refused)
    assert not (await office.get(chat)).is_critical


async def test_a_downgrade_has_a_reason_that_the_person_sees(office: Office) -> None:
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.effects()
    opened = form(await office.press("USAM", "desk.downgrade", made.number))
    assert "Write something" in words(await office.world.submit_raw("USAM", opened.id, opened.state, {"reason": "  "}))
    await office.world.submit_raw("USAM", opened.id, opened.state, {"reason": "One user only"})
    assert "One user only" in "\n".join(to_person(await office.world.effects(), "UADA"))
    assert (await office.get(made.number)).critical is Critical.DOWNGRADED


# ── The queue, and a desk that is not there ─────────────────────────────────────────────────────────────────────


async def test_the_next_of_the_queue_is_the_one_due_first(office: Office) -> None:
    first = await office.create("UMAX")
    urgent = await office.create("UMAX", "chat")
    for _ in range(3):
        assert "SB-2" in words(await office.press("USAM", "desk.next", "", id="once"))
    assert (await office.get(urgent.number)).specialist == "sam"
    await office.press("ULENA", "desk.next", "")
    assert (await office.get(first.number)).specialist == "lena"
    assert "SB-" not in words(await office.press("ULENA", "desk.next", ""))


async def test_the_queue_names_calls_with_number_language_and_time(office: Office) -> None:
    await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    queue = words(await office.world.type("USAM", "queue", name="support"))
    for part in ("To be called", "SB-1", "020 7946 0958", "English", "Callback"):
        assert part in queue
    assert "Only specialists" in words(await office.world.type("UMAX", "queue", name="support"))


async def test_a_number_is_blocked_by_who_is_a_super_admin_too(office: Office) -> None:
    made = await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    assert isinstance(await office.press("USAM", "desk.block", made.number), Notice)
    people = [{**person, "specialist": True} for person in PEOPLE_ADA]
    await office.apply(people=people, escalation={})
    opened = form(await office.press("UADA", "desk.block", made.number))
    assert (opened.id, opened.state["ticket"]) == ("desk.block", "1")
    await office.world.effects()
    dated = {"number": "020 7946 0958", "expires": "date"}
    again = form(
        await office.world.press_raw("UADA", "expires", "date", form=opened.id, state=opened.state, values=dated)
    )
    assert (again.id, again.state["ticket"]) == ("desk.block", "1")
    typed = {"number": "020 7946 0958", "direction": "both", "expires": "never"}
    for _ in range(3):
        assert await office.world.submit_raw("UADA", "desk.block", opened.state, typed, "once") == Done()
    assert await redrawn(office) == [(1, True)], "right after, not at its next change"
    refused = await office.world.submit_raw("UADA", "desk.block", {"ticket": "77"}, typed)
    assert "There is no ticket" in words(refused)
    assert "Only super admins" in words(await office.world.submit_raw("UMAX", "desk.block", opened.state, typed))


BARRED = "this number is on the blocklist"


async def redrawn(office: Office) -> list[tuple[int, bool]]:
    """The cards that the deadlines which have come drew anew: whose, and whether they warn of a blocked number."""
    await office.world.effects()
    await office.world.work()
    cards = [effect for effect in await office.world.effects() if key_of(effect).endswith(":desk")]
    return [(int(key_of(card).split(":")[1]), BARRED in shown(card)) for card in cards]


async def test_a_card_follows_the_blocklist_wherever_that_changes(office: Office) -> None:
    world = office.world
    for number in ("020 7946 0958", "020 7946 0111", "0121 496 0778"):
        await office.create("UMAX", "callback", **{"Phone number": number})
    await office.create("UMAX", "email")
    assert await redrawn(office) == []
    await world.type("UADA", "add 020 7946 0958", name="blocklist")
    assert await redrawn(office) == [(1, True)]
    await world.type("UADA", "add +4420794*", name="blocklist")
    assert await redrawn(office) == [(2, True)], "the first says so already"
    await world.press_raw("UADA", "blocklist.switch_off", "")
    assert await redrawn(office) == [(1, False), (2, False)]
    await world.press_raw("UADA", "blocklist.switch_on", "")
    assert await redrawn(office) == [(1, True), (2, True)]
    await world.press_raw("UADA", "blocklist.remove", "prefix|+4420794")
    assert await redrawn(office) == [(2, False)]
    await office.apply(features={"blocklist": False})
    assert await redrawn(office) == [(1, False)]
    await office.apply(features={"blocklist": True})
    assert await redrawn(office) == [(1, True)]
    await office.press("USAM", "desk.called", 1)
    await world.press_raw("UADA", "blocklist.remove", "number|+442079460958")
    assert await redrawn(office) == [], "nobody is to be called any more"


async def test_a_card_says_when_a_block_is_over(office: Office) -> None:
    world, until = office.world, (office.world.now + timedelta(days=2)).date()
    values = {"number": "020 7946 0958", "direction": "both", "expires": "date", "date": until.isoformat()}
    assert await world.submit_raw("UADA", "blocklist.add", {}, values) == Done()
    await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    assert BARRED in "".join(to_desk(await world.effects())), "said from the start"
    world.later(days=4)
    assert (1, False) in await redrawn(office)


async def test_a_card_says_what_was_blocked_while_its_ticket_was_written(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = ticket_changes.mark_blocked

    async def and_then_blocked(*args: Any) -> Any:
        found = await looked_up(*args)
        monkeypatch.setattr(ticket_changes, "mark_blocked", looked_up)
        await office.world.type("UADA", "add 020 7946 0958", name="blocklist")
        await office.world.work()  # the cards that there were have followed
        return found

    monkeypatch.setattr(ticket_changes, "mark_blocked", and_then_blocked)
    await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    assert not (await office.get(1)).callback.barred  # type: ignore[union-attr] # it is one
    assert await redrawn(office) == [(1, True)]


async def test_many_cards_follow_a_list_that_is_imported(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_job, "CARDS", 2)
    for last in range(5):
        await office.create("UMAX", "callback", **{"Phone number": f"020 7946 011{last}"})
    await office.world.drop(
        "UADA", "block.csv", b"number\n" + b"".join(b"+44207946011%d\n" % last for last in (0, 1, 2, 4))
    )
    await office.world.work()
    preview = [unpack_screen(e.body["screen"]) for e in await office.world.effects() if e.kind == "slack.screen"][-1]
    await office.world.press("UADA", button(preview, "Import"))
    assert await redrawn(office) == [(1, True), (2, True), (3, True), (5, True)]


PEOPLE_ADA: list[dict[str, Any]] = [
    {"id": "ada", "name": "Ada", "slack": "UADA", "seat": "sales", "super_admin": True},
    {"id": "max", "name": "Max Miller", "slack": "UMAX", "seat": "sales"},
]


async def test_a_desk_that_threw_the_bot_out_is_told_of_once_and_tickets_stay_usable(office: Office) -> None:
    for _ in range(2):
        await office.create("UMAX", "chat")
    await office.world.effects()
    for key in ("ticket:1:desk", "ticket:2:desk", "ticket:1:desk", "ticket:1:m2:desk"):
        await office.world.router.handle_lost_post("acme", key, "not_in_channel")
    effects = await office.world.effects()
    for admin in ("UADA", "UROBIN"):
        (told,) = to_person(effects, admin)
        assert "can't be written to" in told
    assert len(to_person(effects, "USAM")) == 2, "each ticket once"
    card = instance_of(Notice, await office.press("USAM", "inbox.ticket", 1))
    assert isinstance(card.screen, Screen)
    await office.press("USAM", "desk.claim", 1)
    assert (await office.get(1)).specialist == "sam"


async def test_whoever_has_a_ticket_of_a_lost_desk_is_told_what_its_person_writes(office: Office, chat: int) -> None:
    await office.press("USAM", "desk.claim", chat)
    await office.world.effects()
    await office.world.router.handle_lost_post("acme", f"ticket:{chat}:desk", "is_archived")
    assert to_person(await office.world.effects(), "USAM") == [], "Sam knows what Sam did"
    await office.below("UMAX", chat, "person", "Are you there?", message="p1")
    for _ in range(2):
        await office.world.router.handle_lost_post("acme", f"ticket:{chat}:desk", "is_archived")
    effects = await office.world.effects()
    assert len(to_person(effects, "USAM")) == 1
    assert to_person(effects, "ULENA") == []


async def test_a_person_who_is_gone_leaves_a_ticket_that_can_be_worked_on(office: Office, chat: int) -> None:
    await office.apply(
        people=[PEOPLE_ADA[0], {"id": "sam", "name": "Sam", "slack": "USAM", "specialist": True}], escalation={}
    )
    await office.press("USAM", "desk.claim", chat)
    await office.fill("USAM", "desk.reply", chat, {"reply": "Anybody?"})
    await office.press("USAM", "desk.close", chat)
    assert (await office.get(chat)).state is TicketState.CLOSED
    assert to_person(await office.world.effects(), "UMAX") == []


async def test_another_account_has_tickets_of_its_own(office: Office, chat: int) -> None:
    other = company(
        id="globex",
        name="Globex",
        workspaces=[{"platform": "slack", "id": "T0OTHER"}],
        people=[{"id": "sam", "name": "Sam", "slack": "USAM", "specialist": True, "super_admin": True}],
        inventory=[],
    )
    await office.world.apply(other)
    actor = Actor("slack", "T0OTHER", "USAM", "Sam", "en-GB")
    for action in ("desk.claim", "inbox.ticket", "desk.reply"):
        press = Press(actor, office.world.id(), action, str(chat), Address("slack", "T0OTHER", user="USAM"))
        assert "no ticket" in words(await office.world.router.handle(press))


# ── Dedicated specialists (docs/domain.md 6) ────────────────────────────────────────────────────────────────────


async def test_a_premium_ticket_goes_to_the_dedicated_specialists(office: Office) -> None:
    await office.world.type("ULENA", "usage")  # she has been seen
    await office.apply(premium_specialists=["lena"])
    plain = await office.create("UMAX", "chat")
    await office.world.effects()
    premium = await office.create("UADA", "premium_email")
    effects = await office.world.effects()
    (line,) = to_person(effects, "ULENA")
    assert "SB-2" in line
    assert "is for you" in line
    assert "For: Lena" in next(shown(e) for e in effects if key_of(e) == "ticket:2:desk")
    # Others see it waiting, and take the next one.
    queue = words(await office.world.type("USAM", "queue", name="support"))
    assert queue.index("SB-1") < queue.index("For the dedicated specialists") < queue.index("SB-2")
    assert "SB-1" in words(await office.press("USAM", "desk.next", ""))
    assert "Nothing waits" in words(await office.press("USAM", "desk.next", ""))
    assert "SB-2" in words(await office.press("ULENA", "desk.next", ""))
    assert [(await office.get(t.number)).specialist for t in (plain, premium)] == ["sam", "lena"]
    # Whoever has it is on the card; whom it was for no longer is.
    assert all("For the" not in text for text in to_desk(await office.world.effects()))


async def test_her_own_come_before_what_is_due_sooner(office: Office) -> None:
    await office.apply(premium_specialists=["lena"])
    await office.create("UMAX", "chat")  # due within minutes
    await office.create("UADA", "premium_email")  # within the hour
    assert "SB-2" in words(await office.press("ULENA", "desk.next", ""))
    assert "SB-1" in words(await office.press("ULENA", "desk.next", ""))


@pytest.mark.parametrize("named", [[], ["robin"]])
async def test_where_none_is_a_specialist_it_goes_to_the_whole_desk(office: Office, named: list[str]) -> None:
    await office.apply(premium_specialists=named)
    await office.create("UADA", "premium_email")
    assert "dedicated" not in words(await office.world.type("USAM", "queue", name="support"))
    assert "SB-1" in words(await office.press("USAM", "desk.next", ""))


async def test_others_claim_it_too_where_nobody_dedicated_does(office: Office) -> None:
    await office.apply(premium_specialists=["lena"])
    made = await office.create("UADA", "premium_email")
    await office.press("USAM", "desk.claim", made.number)
    assert (await office.get(made.number)).specialist == "sam"
