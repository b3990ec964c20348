"""A ticket's life, step by step, as tables; `test_ticket_life` lets anything happen in any order."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.accounts.account import Account, Person
from domain.refusal import Refusal
from domain.support import desk
from domain.support import tickets as t
from domain.support.channels import Channel
from domain.support.sla import Stage
from domain.support.ticket import (
    Critical,
    FileRef,
    Impact,
    Message,
    Ticket,
    TicketChange,
    TicketDraft,
    TicketState,
    expires,
    may_see,
    parse_ticket_number,
    visible_to_person,
)
from tests import present
from tests.domain.samples import account, refusal

NINE = datetime.fromisoformat("2026-11-16T09:00+00:00")  # a Monday
PEOPLE: list[dict[str, Any]] = [
    {"id": "ada", "name": "Ada", "seat": "sales", "super_admin": True, "slack": "UADA"},
    {"id": "robin", "name": "Robin", "seat": "core", "super_admin": True},
    {"id": "max", "name": "Max", "seat": "core"},
    {"id": "sam", "name": "Sam", "seat": "core", "specialist": True},
    {"id": "lena", "name": "Lena", "seat": "core", "specialist": True},
]
FILE = FileRef(id="F1", name="page.har", size=10)


def acme(**changes: Any) -> Account:
    """A London account with premium support, of which Ada is the designated super admin."""
    given = {
        "premium_support": True,
        "people": PEOPLE,
        "premium_contacts": ["ada"],
        "escalation": {"levels": [{"people": ["sam"], "minutes": 10}, {"people": ["lena"]}], "repeat": 0},
    }
    return account("enterprise", **{**given, **changes})


ACME = acme()


def who(id: str) -> Person:
    return present(ACME.person(id))


ADA, ROBIN, MAX, SAM, LENA = map(who, ("ada", "robin", "max", "sam", "lena"))


def after(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def draft(channel: Channel = Channel.EMAIL, **more: Any) -> TicketDraft:
    return TicketDraft(channel, "en", "It fails", "The list of May fails.", **more)


def new(channel: Channel = Channel.EMAIL, person: Person = MAX, **more: Any) -> Ticket:
    return t.create(142, ACME, person, draft(channel, **more), NINE).ticket


def critical(person: Person = ADA) -> Ticket:
    return new(Channel.PREMIUM_EMAIL, person, critical=True, impact=Impact.LOGIN, affected="all")


def answered(minutes: float = 30) -> Ticket:
    return desk.reply_desk(new(), SAM, "Which?", (), after(minutes)).ticket


def refused(act: Callable[[], object], code: str, field: str | None = None) -> Refusal:
    no = refusal(act)
    assert (no.code, no.field) == (code, field)
    return no


def told(ticket: Ticket, now: datetime, account: Account = ACME) -> tuple[Ticket, list[Stage]]:
    """Everything that has come of the clock, told."""
    stages = []
    while (found := desk.reach_next_stage(ticket, account, now)) is not None:
        ticket = found[0].ticket
        stages.append(found[1])
        assert len(stages) <= 3
    return ticket, stages


# ── A new one ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_ticket_holds_what_was_sent_in_and_its_clock_runs() -> None:
    made = t.create(142, ACME, MAX, draft(files=(FILE,), links=("https://a.de",), asked="why", read=("x",)), NINE)
    ticket = made.ticket
    assert (ticket.display_number, ticket.person, ticket.state, ticket.turn, ticket.version) == (
        "SB-142",
        "max",
        "new",
        "desk",
        1,
    )
    assert (made.message.id, made.message.text, made.message.files) == (1, "The list of May fails.", (FILE,))
    assert (ticket.links, ticket.asked, ticket.read, ticket.messages) == (("https://a.de",), "why", ("x",), 1)
    assert ticket.clock is not None
    assert (ticket.clock.kind, desk.next_ticket_deadline(ticket, ACME)) == ("first_response", after(240))
    assert Ticket.model_validate_json(ticket.model_dump_json()) == ticket
    assert Message.model_validate_json(made.message.model_dump_json()) == made.message


@pytest.mark.parametrize(
    ("channel", "kind"),
    [(Channel.EMAIL, "first_response"), (Channel.CHAT, "first_response"), (Channel.PREMIUM_CALLBACK, "callback")],
)
def test_the_first_promise_is_the_channels(channel: Channel, kind: str) -> None:
    ticket = new(channel, number="+442079460958")
    assert ticket.clock is not None
    assert ticket.clock.kind == kind
    assert (ticket.callback is not None) == (kind == "callback")


def test_what_makes_no_ticket() -> None:
    refused(lambda: new(Channel.CALLBACK), "number_empty", "number")
    for channel in (Channel.COMMUNITY, Channel.PHONE):
        with pytest.raises(ValueError, match="no ticket"):
            new(channel)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SB-142", 142),
        (" sb142 ", 142),
        ("#7", 7),
        ("7", 7),
        ("SB-0", None),
        ("-1", None),
        ("SB-1 x", None),
        ("١٢", None),
    ],
)
def test_how_a_ticket_is_named(text: str, number: int | None) -> None:
    assert parse_ticket_number(text) == number


# ── Business critical (docs/domain.md 6) ────────────────────────────────────────────────────────────────────────


def test_business_critical_runs_thirty_minutes_from_its_creation() -> None:
    ticket = critical()
    assert ticket.critical is Critical.CLAIMED
    assert desk.next_ticket_deadline(ticket, ACME) == NINE  # the escalation policy's first step
    assert told(ticket, after(29))[1] == [Stage.HALF, Stage.WARNING]
    assert told(ticket, after(30))[1] == [Stage.HALF, Stage.WARNING, Stage.BREACH]


def test_who_may_not_say_business_critical_is_told_what_it_takes() -> None:
    for person in (ROBIN, MAX):
        no = refused(lambda person=person: critical(person), "critical_who", "critical")  # type: ignore[misc] # a default
        assert no.params["admins"] == ("Ada",)
    assert new(Channel.EMAIL, ADA, critical=True).critical is None
    refused(lambda: new(Channel.PREMIUM_EMAIL, ADA, critical=True), "impact_missing", "impact")
    refused(
        lambda: new(Channel.PREMIUM_EMAIL, ADA, critical=True, impact=Impact.OTHER, affected=" "),
        "text_empty",
        "affected",
    )


def test_a_downgrade_returns_to_an_hour_from_creation_and_tells_nothing_twice() -> None:
    ticket, stages = told(critical(), after(25))
    assert stages == [Stage.HALF, Stage.WARNING]
    made = desk.downgrade(ticket, SAM, "one user alone", after(26))
    assert visible_to_person(made.message)
    assert made.message.params == {"reason": "one user alone"}
    assert desk.next_ticket_deadline(made.ticket, ACME) == after(60)
    ticket, stages = told(made.ticket, after(60))
    assert stages == [Stage.BREACH]
    done = desk.reply_desk(ticket, SAM, "fixed", (), after(61)).ticket
    found = present(done.outcome(done.past[-1], ACME))
    assert (found.kept, found.guaranteed, found.took) == (False, True, 61)


def test_what_was_told_before_it_was_critical_is_not_told_again_after() -> None:
    ticket, stages = told(new(Channel.PREMIUM_EMAIL, ADA), after(49))
    assert stages == [Stage.HALF, Stage.WARNING]
    ticket = t.escalate(ticket, ACME, ADA, Impact.DATA, "", after(61)).ticket  # too late for the hour
    ticket, stages = told(ticket, after(77))
    assert stages == [Stage.HALF]
    ticket = desk.downgrade(ticket, SAM, "no", after(78)).ticket
    assert told(ticket, after(78))[1] == [Stage.BREACH]


def test_a_downgrade_after_a_breach_mends_the_record_and_tells_nothing_twice() -> None:
    ticket, _ = told(critical(), after(31))
    ticket = desk.downgrade(ticket, SAM, "no", after(32)).ticket
    assert told(ticket, after(90))[1] == []
    done = desk.reply_desk(ticket, SAM, "fixed", (), after(50)).ticket
    assert present(done.outcome(done.past[-1], ACME)).kept


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (10, 40),  # thirty minutes from here
        (30, 60),
        (40, 60),  # the hour that was promised comes sooner
        (70, 100),  # it is broken already: thirty minutes from here
    ],
)
def test_escalating_never_puts_a_guarantee_off(at: float, due: float) -> None:
    ticket, _ = told(new(Channel.PREMIUM_EMAIL, ADA), after(at))
    made = t.escalate(ticket, ACME, ADA, Impact.DATA, "all of us", after(at))
    assert (made.ticket.critical, made.ticket.impact) == (Critical.CLAIMED, Impact.DATA)
    assert made.ticket.escalation is not None
    quiet = made.ticket.model_copy(update={"escalation": None})
    ends = told(quiet, after(due - 0.1))[0]
    assert ends.clock is not None
    assert Stage.BREACH not in ends.clock.told
    assert told(quiet, after(due))[1][-1] is Stage.BREACH


def test_escalating_what_was_answered_starts_a_clock_of_thirty_minutes() -> None:
    ticket = desk.reply_desk(new(Channel.PREMIUM_EMAIL, ADA), SAM, "?", (), after(5)).ticket
    assert desk.next_ticket_deadline(ticket, ACME) is None
    made = t.escalate(ticket, ACME, ADA, Impact.OUTAGE, "", after(100)).ticket
    assert made.turn == "desk"
    assert told(made, after(130))[1] == list(Stage)
    pending = desk.set_pending(ticket, SAM, after(50)).ticket
    assert t.escalate(pending, ACME, ADA, Impact.OUTAGE, "", after(100)).ticket.state is TicketState.OPEN


def test_who_cannot_escalate_may_press_once() -> None:
    ticket = new(Channel.PREMIUM_EMAIL, ROBIN)
    refused(lambda: t.escalate(ticket, ACME, ROBIN, Impact.DATA, "", after(1)), "critical_who")
    refused(lambda: t.escalate(new(person=ADA), ACME, ADA, Impact.DATA, "", after(1)), "critical_who")
    pressed = t.mark_pressing(ticket, ROBIN, after(2)).ticket
    assert pressed.clock == ticket.clock
    assert refused(lambda: t.mark_pressing(pressed, ROBIN, after(3)), "pressing_already").params == {"at": after(2)}
    refused(lambda: t.escalate(critical(), ACME, ADA, Impact.DATA, "", after(1)), "escalate_already")
    closed = t.close_person(new(Channel.PREMIUM_EMAIL, ADA), ADA, after(1)).ticket
    refused(lambda: t.escalate(closed, ACME, ADA, Impact.DATA, "", after(2)), "escalate_closed")


@pytest.mark.parametrize("act", ["claim", "confirm", "downgrade", "reply_desk", "acknowledge", "close"])
def test_it_climbs_until_somebody_acts(act: str) -> None:
    found = present(desk.take_escalation_step(critical(), ACME, NINE))
    made, step = found
    assert (step.people, visible_to_person(made.message)) == (("sam",), False)
    acts: dict[str, Callable[[], TicketChange]] = {
        "claim": lambda: desk.claim(made.ticket, LENA, after(1)),
        "confirm": lambda: desk.confirm(made.ticket, LENA, after(1)),
        "downgrade": lambda: desk.downgrade(made.ticket, LENA, "no", after(1)),
        "reply_desk": lambda: desk.reply_desk(made.ticket, LENA, "we see", (), after(1)),
        "acknowledge": lambda: desk.acknowledge(made.ticket, LENA, after(1)),
        "close": lambda: t.close_person(made.ticket, ADA, after(1)),
    }
    ticket = acts[act]().ticket
    assert desk.take_escalation_step(ticket, ACME, after(600)) is None
    refused(lambda: desk.acknowledge(ticket, LENA, after(2)), "nothing_escalated")


def test_a_policy_that_names_nobody_ends_and_says_so() -> None:
    nobody = acme(escalation={"levels": [{"people": []}]})
    ticket = t.create(1, nobody, ADA, draft(Channel.PREMIUM_EMAIL, critical=True, impact=Impact.DATA), NINE).ticket
    found = present(desk.take_escalation_step(ticket, nobody, NINE))
    assert (found[0].message.what, found[1].level) == ("nobody_to_tell", 0)
    assert desk.take_escalation_step(found[0].ticket, nobody, after(600)) is None


# ── The conversation and its clock ──────────────────────────────────────────────────────────────────────────────


def test_an_answer_keeps_the_promise_and_a_reply_begins_the_next() -> None:
    ticket = answered(30)
    assert (ticket.state, ticket.specialist, ticket.turn, ticket.responded) == ("open", "sam", "person", after(30))
    assert (ticket.clock, desk.next_ticket_deadline(ticket, ACME)) == (None, None)
    (first,) = ticket.past
    assert (first.kind, first.met, first.ended) == ("first_response", True, after(30))
    ticket = t.reply_person(ticket, MAX, "That of May", (), after(60)).ticket
    assert ticket.clock is not None
    assert (ticket.clock.kind, ticket.clock.since, ticket.turn) == ("next_response", after(60), "desk")
    again = t.reply_person(ticket, MAX, "Hello?", (), after(90)).ticket
    assert again.clock == ticket.clock, "who asks again waits since the first time"


def test_a_note_keeps_no_promise_and_is_seen_nowhere() -> None:
    made = desk.add_note(new(), SAM, "secret canary", after(5))
    assert not visible_to_person(made.message)
    assert "canary" not in made.ticket.model_dump_json()
    assert (made.ticket.clock, made.ticket.changed, made.ticket.turn) == (new().clock, NINE, "desk")
    assert made.ticket.version == 2
    changed = t.edit_message(made.message, SAM, "still canary", after(6))
    assert (changed.kind, visible_to_person(changed)) == ("note", False)


def test_pending_stops_the_clock_and_a_reply_starts_it() -> None:
    ticket = desk.set_pending(new(), SAM, after(60)).ticket
    assert (ticket.state, ticket.turn, desk.next_ticket_deadline(ticket, ACME)) == ("pending", "person", None)
    ticket = t.reply_person(ticket, MAX, "here", (), after(120)).ticket
    assert (ticket.state, ticket.turn, desk.next_ticket_deadline(ticket, ACME)) == ("new", "desk", after(300))
    refused(lambda: desk.resume(ticket, SAM, after(130)), "not_pending")
    ticket = desk.resume(desk.set_pending(ticket, SAM, after(130)).ticket, SAM, after(140)).ticket
    assert desk.next_ticket_deadline(ticket, ACME) == after(310)
    pending = desk.set_pending(answered(), SAM, after(60)).ticket
    refused(lambda: desk.set_pending(pending, SAM, after(61)), "pending_already")
    assert t.reply_person(pending, MAX, "x", (), after(70)).ticket.state is TicketState.OPEN


def test_a_closed_ticket_has_no_clock_and_a_reopened_one_a_new_one() -> None:
    closed = desk.close_desk(answered(), SAM, after(60)).ticket
    assert (closed.state, closed.clock, closed.turn, desk.next_ticket_deadline(closed, ACME)) == (
        "closed",
        None,
        "nobody",
        None,
    )
    acts: tuple[Callable[[], TicketChange], ...] = (
        lambda: t.reopen_person(closed, MAX, after(90)),
        lambda: desk.reopen_desk(closed, SAM, after(90)),
        lambda: t.reply_person(closed, MAX, "again", (), after(90)),
    )
    for act in acts:
        made = act()
        assert (made.ticket.state, made.ticket.closed) == (TicketState.OPEN, None)
        assert made.messages[0].what == "reopened"
        assert made.ticket.clock is not None
        assert (made.ticket.clock.kind, made.ticket.clock.since) == ("next_response", after(90))
    refused(lambda: desk.close_desk(closed, SAM, after(90)), "closed_already")
    refused(lambda: t.reopen_person(answered(), MAX, after(90)), "not_closed")


def test_a_first_answer_that_is_owed_is_owed_after_reopening() -> None:
    ticket = new(Channel.PREMIUM_EMAIL, ADA)
    ticket, _ = told(ticket, after(30))
    ticket = desk.close_desk(ticket, SAM, after(50)).ticket
    (dropped,) = ticket.past
    assert present(ticket.outcome(dropped, ACME)).kept is None
    ticket = t.reopen_person(ticket, ADA, after(100)).ticket
    assert (ticket.state, ticket.past) == (TicketState.NEW, ())
    assert told(ticket, after(110))[1] == [Stage.WARNING, Stage.BREACH]


def test_the_desks_acts_on_a_closed_ticket_are_refused() -> None:
    closed = t.close_person(critical(), ADA, after(1)).ticket
    for act in (
        lambda: desk.claim(closed, SAM, after(2)),
        lambda: desk.assign(closed, SAM, LENA, after(2)),
        lambda: desk.reply_desk(closed, SAM, "x", (), after(2)),
        lambda: desk.set_pending(closed, SAM, after(2)),
        lambda: desk.confirm(closed, SAM, after(2)),
        lambda: desk.downgrade(closed, SAM, "x", after(2)),
        lambda: desk.record_call(closed, SAM, after(2)),
        lambda: desk.record_no_answer(closed, ACME, SAM, after(2)),
    ):
        refused(act, "ticket_closed")
    assert desk.add_note(closed, SAM, "x", after(2)).ticket.state is TicketState.CLOSED


def test_two_claim_and_one_has_it() -> None:
    ticket = desk.claim(new(), SAM, after(1)).ticket
    assert (ticket.state, ticket.specialist, ticket.clock) == (TicketState.OPEN, "sam", new().clock)
    assert refused(lambda: desk.claim(ticket, LENA, after(1)), "claimed_already").params == {"specialist": "sam"}
    refused(lambda: desk.claim(ticket, SAM, after(1)), "claimed_by_you")
    ticket = desk.assign(ticket, LENA, LENA, after(2)).ticket
    assert ticket.specialist == "lena"
    refused(lambda: desk.assign(ticket, SAM, LENA, after(2)), "assigned_already", "person")
    refused(lambda: desk.assign(ticket, SAM, MAX, after(2)), "assign_who", "person")


def test_the_survey_is_answered_once_when_closed() -> None:
    refused(lambda: t.survey(answered(), MAX, "5", "", after(60)), "survey_open")
    closed = desk.close_desk(answered(), SAM, after(60)).ticket
    for rating in ("0", "6", "", "٣", "5.0"):
        refused(lambda rating=rating: t.survey(closed, MAX, rating, "", after(61)), "rating_wrong", "rating")  # type: ignore[misc] # a default
    done = t.survey(closed, MAX, "4", " fine \n", after(61)).ticket
    assert done.survey is not None
    assert (done.survey.rating, done.survey.comment) == (4, "fine")
    refused(lambda: t.survey(done, MAX, "5", "", after(62)), "survey_done")


def test_only_authors_change_what_they_said() -> None:
    said = t.reply_person(new(), MAX, "helo", (FILE,), after(1)).message
    assert (t.edit_message(said, MAX, "hello", after(2)).text, t.edit_message(said, MAX, " ", after(2)).text) == (
        "hello",
        "",
    )
    for other in (ADA, SAM):
        refused(lambda other=other: t.edit_message(said, other, "x", after(2)), "message_not_yours")  # type: ignore[misc] # a default
    gone = t.retract_message(said, MAX, after(3))
    assert (gone.text, gone.files, gone.deleted) == ("", (), True)
    refused(lambda: t.edit_message(gone, MAX, "back", after(4)), "message_gone")
    event = desk.claim(new(), SAM, after(1)).message
    refused(lambda: t.edit_message(event, SAM, "x", after(2)), "message_not_yours")


# ── Rights ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everyone_sees_their_own_super_admins_all_and_only_specialists_act_at_the_desk() -> None:
    ticket = new()
    assert [may_see(person, ticket) for person in (MAX, ADA, ROBIN, SAM)] == [True] * 4
    assert not may_see(MAX, new(person=ADA))
    for act in (
        lambda: desk.claim(ticket, ADA, NINE),
        lambda: desk.assign(ticket, ADA, SAM, NINE),
        lambda: desk.reply_desk(ticket, MAX, "x", (), NINE),
        lambda: desk.add_note(ticket, MAX, "x", NINE),
        lambda: desk.set_pending(ticket, MAX, NINE),
        lambda: desk.resume(ticket, MAX, NINE),
        lambda: desk.close_desk(ticket, MAX, NINE),
        lambda: desk.reopen_desk(ticket, MAX, NINE),
        lambda: desk.confirm(ticket, ADA, NINE),
        lambda: desk.downgrade(ticket, ADA, "x", NINE),
        lambda: desk.acknowledge(ticket, ADA, NINE),
        lambda: desk.record_call(ticket, ADA, NINE),
        lambda: desk.record_no_answer(ticket, ACME, ADA, NINE),
    ):
        refused(act, "not_specialist")
    for act in (
        lambda: t.reply_person(ticket, ADA, "x", (), NINE),
        lambda: t.close_person(ticket, ADA, NINE),
        lambda: t.reopen_person(ticket, SAM, NINE),
        lambda: t.survey(ticket, SAM, "5", "", NINE),
        lambda: t.escalate(ticket, ACME, ADA, Impact.DATA, "", NINE),
        lambda: t.mark_pressing(ticket, ADA, NINE),
    ):
        refused(act, "ticket_not_yours")


# ── Callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────


def callback() -> Ticket:
    return new(Channel.CALLBACK, number="+442079460958")


def test_who_is_called_within_five_minutes() -> None:
    assert told(callback(), after(5))[1] == list(Stage)
    written = desk.reply_desk(callback(), SAM, "we call", (), after(1)).ticket
    assert written.clock == callback().clock, "writing is no call"
    done = desk.record_call(callback(), SAM, after(4)).ticket
    assert (done.state, done.specialist, done.clock, done.past[-1].met) == (TicketState.OPEN, "sam", None, True)
    refused(lambda: desk.record_call(done, SAM, after(5)), "called_already")
    refused(lambda: desk.record_call(new(), SAM, after(5)), "no_callback")


@pytest.mark.parametrize(
    ("minutes", "due"),
    [
        (4, 34),
        (7 * 60 + 45, 24 * 60),  # half an hour on it is closed: at the next opening
    ],
)
def test_a_call_that_nobody_takes_is_promised_again(minutes: float, due: float) -> None:
    once = desk.record_no_answer(callback(), ACME, SAM, after(minutes)).ticket
    assert once.callback is not None
    assert (once.callback.tries, once.callback.due, once.state) == (1, after(due), TicketState.OPEN)
    assert desk.next_ticket_deadline(once, ACME) == after(due + 2.5)


def test_after_the_last_try_it_is_the_persons_turn() -> None:
    ticket = callback()
    for number in range(3):
        ticket = desk.record_no_answer(ticket, ACME, SAM, after(4 + 40 * number)).ticket
    assert ticket.callback is not None
    assert (ticket.state, ticket.turn, ticket.clock, ticket.callback.due) == (TicketState.PENDING, "person", None, None)
    ticket = t.reply_person(ticket, MAX, "call now", (), after(200)).ticket
    assert ticket.clock is not None
    assert (ticket.state, ticket.clock.kind) == (TicketState.OPEN, "next_response")
    assert desk.record_call(ticket, SAM, after(210)).ticket.clock is None


def test_how_long_a_closed_ticket_is_kept() -> None:
    closed, year = t.close_person(new(), MAX, after(5)).ticket, acme(retention_days=365)
    assert (expires(closed, year), expires(closed, ACME)) == (after(5) + timedelta(days=365), None)
    assert expires(new(), year) is None


def test_a_changed_policy_tells_no_stage_twice() -> None:
    ticket, stages = told(new(), after(240))
    assert stages == [Stage.HALF]
    sooner = acme(promises={"email": 250})
    assert told(ticket, after(240), sooner)[1] == [Stage.WARNING]
    never = acme(hours={})
    assert (told(ticket, after(9999), never)[1], desk.next_ticket_deadline(ticket, never)) == ([], None)
