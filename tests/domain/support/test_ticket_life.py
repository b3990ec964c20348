"""Whatever happens to a ticket, in whatever order: no message is lost, no note gets out, no clock runs on a closed
ticket, and no stage is told twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.accounts.account import Account, Person
from domain.refusal import CODES, Refusal
from domain.support import desk
from domain.support import tickets as t
from domain.support.channels import TICKET_CHANNELS, Channel
from domain.support.ticket import Impact, Message, Ticket, TicketChange, TicketDraft, TicketState, visible_to_person
from tests import present
from tests.domain.support.test_tickets import ADA, FILE, LENA, MAX, NINE, ROBIN, SAM, acme

ACCOUNTS = (
    acme(),
    acme(promises={"email": 60, "chat": 1}),
    acme(hours={}),
    acme(hours={"sun": "00:00-24:00"}, response_exceptions=[{"from": "2026-11-17", "to": "2026-11-30"}]),
    acme(escalation={}),
    acme(premium_support=False, premium_contacts=["robin"]),
)
NOTE, SAID = "canary of the desk", "said to the other"
EVERYBODY = [ADA, ROBIN, MAX, SAM, LENA]
DESK = st.sampled_from([SAM, SAM, SAM, LENA, LENA, MAX, ADA])  # mostly who may
ANYBODY = st.sampled_from([None, None, None, *EVERYBODY])  # None: whose ticket it is
CHANNELS = st.sampled_from([*sorted(TICKET_CHANNELS), *[Channel.PREMIUM_EMAIL] * 4])  # where most can happen
TEXTS = st.sampled_from(["x", " \u200f ", "\U0001f525", "x" * 40_001])


class Life(RuleBasedStateMachine):
    """One ticket of an account whose policy may change under it."""

    @initialize(channel=CHANNELS, person=st.sampled_from([ADA, ADA, MAX]), critical=st.booleans())
    def create(self, channel: Channel, person: Person, critical: bool) -> None:
        self.owner = person
        self.account: Account = ACCOUNTS[0]
        self.now = NINE
        self.texts = 0
        self.written: list[str] = []  # what was accepted, in order
        self.timeline: list[Message] = []
        self.told: set[object] = set()
        critical = critical and person is ADA
        draft = TicketDraft(
            channel, "en", "o", self.text(SAID), number="+442079460958", critical=critical, impact=Impact.LOGIN
        )
        made = t.create(142, self.account, person, draft, self.now)
        self.ticket: Ticket = made.ticket
        self.timeline += made.messages
        self.written.append(draft.description)

    def text(self, what: str) -> str:
        self.texts += 1
        return f"{what} {self.texts}"

    def act(self, step: Callable[[Ticket], TicketChange], *written: str) -> bool:
        """A step is taken whole or refused whole, with a code that has a sentence."""
        before = self.ticket
        no = None
        try:
            made = step(before)
        except Refusal as caught:
            no = caught
        if no is not None:
            assert set(no.params) == set(CODES[no.code])
            return False
        self.ticket = made.ticket
        assert self.ticket.version == before.version + 1
        self.timeline += made.messages
        self.written += written
        if not any(visible_to_person(message) for message in made.messages):
            assert self.ticket.changed == before.changed, "the person sees that something moved"
        return True

    @rule(minutes=st.sampled_from([1, 7, 31, 61, 300, 1500, 9000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes, seconds=1)

    @rule(account=st.sampled_from(ACCOUNTS))
    def policy_changes(self, account: Account) -> None:
        self.account = account

    @rule(whose=ANYBODY, odd=st.none() | TEXTS)
    def person_replies(self, whose: Person | None, odd: str | None) -> None:
        text, person = self.text(SAID), whose or self.owner
        if odd is None:
            self.act(lambda ticket: t.reply_person(ticket, person, text, (), self.now), text)
        else:
            kept = odd.strip(" \u200f")
            self.act(lambda ticket: t.reply_person(ticket, person, odd, (FILE,), self.now), kept)

    @rule(person=DESK)
    def desk_replies(self, person: Person) -> None:
        text = self.text(SAID)
        self.act(lambda ticket: desk.reply_desk(ticket, person, text, (), self.now), text)

    @rule(person=DESK)
    def desk_notes(self, person: Person) -> None:
        text, clock = self.text(NOTE), self.ticket.clock
        self.act(lambda ticket: desk.add_note(ticket, person, text, self.now), text)
        assert self.ticket.clock == clock

    @rule(person=DESK, to=DESK)
    def desk_assigns(self, person: Person, to: Person) -> None:
        self.act(lambda ticket: desk.assign(ticket, person, to, self.now))

    @rule(
        act=st.sampled_from(
            [desk.claim, desk.set_pending, desk.resume, desk.confirm, desk.acknowledge, desk.record_call]
        ),
        person=DESK,
    )
    def the_desk_presses(self, act: Callable[..., TicketChange], person: Person) -> None:
        self.act(lambda ticket: act(ticket, person, self.now))

    @rule(act=st.sampled_from([desk.close_desk, desk.reopen_desk]), person=DESK)
    def the_desk_closes_or_reopens(self, act: Callable[..., TicketChange], person: Person) -> None:
        self.act(lambda ticket: act(ticket, person, self.now))

    @rule(act=st.sampled_from([t.close_person, t.reopen_person, t.mark_pressing]), whose=ANYBODY)
    def the_person_presses(self, act: Callable[..., TicketChange], whose: Person | None) -> None:
        self.act(lambda ticket: act(ticket, whose or self.owner, self.now))

    @rule(person=DESK)
    def nobody_answers(self, person: Person) -> None:
        self.act(lambda ticket: desk.record_no_answer(ticket, self.account, person, self.now))

    @rule(person=DESK)
    def desk_downgrades(self, person: Person) -> None:
        self.act(lambda ticket: desk.downgrade(ticket, person, "because", self.now))

    @rule(whose=ANYBODY, impact=st.sampled_from(Impact) | st.none(), affected=st.sampled_from(["", "all"]))
    def person_escalates(self, whose: Person | None, impact: Impact | None, affected: str) -> None:
        self.act(lambda ticket: t.escalate(ticket, self.account, whose or self.owner, impact, affected, self.now))

    @rule(whose=ANYBODY, rating=st.sampled_from(["1", "5", "6"]))
    def person_rates(self, whose: Person | None, rating: str) -> None:
        self.act(lambda ticket: t.survey(ticket, whose or self.owner, rating, "so so", self.now))

    @rule(minutes=st.sampled_from([0, 7, 16, 31, 61, 300, 1500]))
    def what_has_come_is_told(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes, seconds=1)
        for _ in range(30):
            found = desk.reach_next_stage(self.ticket, self.account, self.now)
            if found is None:
                break
            clock = present(self.ticket.clock)
            assert clock.running
            # One promise: a clock, and where it is critical the time from which it is.
            once = (clock.kind, clock.since, clock.critical_from, found[1])
            assert once not in self.told
            if clock.critical_from is None:
                assert not {other for other in self.told if other[:2] == once[:2] and other[3] == once[3]}  # type: ignore[index] # tuples
            self.told.add(once)
            self.act(lambda _, made=found[0]: made)  # type: ignore[misc] # a default
        else:
            raise AssertionError("it never ends")
        while (climbed := desk.take_escalation_step(self.ticket, self.account, self.now)) is not None:
            self.act(lambda _, made=climbed[0]: made)  # type: ignore[misc] # a default
        due = desk.next_ticket_deadline(self.ticket, self.account)
        assert due is None or due > self.now

    @invariant()
    def no_message_is_lost(self) -> None:
        assert [message.id for message in self.timeline] == list(range(1, self.ticket.messages + 1))
        assert [message.text for message in self.timeline if message.kind != "event"] == self.written

    @invariant()
    def no_note_gets_out(self) -> None:
        for_them = [message for message in self.timeline if visible_to_person(message)]
        assert not [message for message in for_them if NOTE in message.model_dump_json()]
        assert NOTE not in self.ticket.model_dump_json()
        assert not [m for m in for_them if m.what.startswith(("stage_", "climbed", "nobody"))]

    @invariant()
    def the_clock_runs_when_somebody_waits_for_the_desk_and_only_then(self) -> None:
        ticket, clock = self.ticket, self.ticket.clock
        if ticket.state is TicketState.CLOSED:
            assert clock is None
            assert desk.next_ticket_deadline(ticket, self.account) is None
            assert ticket.turn == "nobody"
        elif ticket.state is TicketState.PENDING:
            assert clock is None or clock.paused
            assert ticket.turn == "person"
        elif clock is not None:
            assert clock.running
        assert all(past.ended is not None and not past.paused for past in ticket.past)
        assert (ticket.closed is not None) == (ticket.state is TicketState.CLOSED)
        if clock is None and ticket.state is not TicketState.CLOSED:
            assert ticket.turn == "person" or ticket.responded is not None

    @invariant()
    def it_can_be_kept(self) -> None:
        assert Ticket.model_validate_json(self.ticket.model_dump_json()) == self.ticket


TestLife = pytest.mark.slow(Life.TestCase)
TestLife.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
