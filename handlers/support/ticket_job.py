"""Acts on tickets' deadlines: stages of a promise, steps of an escalation, and the end of retention; and on the rounds
through an account's tickets that a change of the account or its blocklist causes.

Each stage and step is told once and in order, by whichever process holds the deadline's lease.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.accounts.account import Account
from domain.support import desk
from domain.support.desk import next_action_at
from domain.support.escalation import EscalationStep
from domain.support.sla import Stage
from domain.support.ticket import Message, Ticket, TicketChange, expires
from handlers.framework.context import reachable_addresses, words_for
from handlers.framework.effects import effect_id, post_removal_effect, screen_effect
from handlers.framework.events import Address
from handlers.framework.ports import Services
from handlers.framework.screens import Bold, Button, Buttons, Paragraph, Screen
from handlers.support import contact, ticket_changes, ticket_screens
from handlers.support.ticket_changes import TicketStep
from handlers.support.ticket_keys import PostKey
from handlers.wording import Words
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.deadlines import BARRED, Deadline, Deadlines
from store.engine.effects import Effect
from store.engine.posts import AT_DESK, group
from store.engine.values import Versioned
from store.support.ticket_reads import KIND
from store.support.tickets import RETIME

RETIMED: Final = 1_000  # tickets rescheduled in one commit
CARDS: Final = 50  # updated in one commit
APART: Final = timedelta(minutes=1)  # the greatest difference between the clocks of two processes


class TicketJob:
    """Handler of deadlines of kind "ticket"."""

    def __init__(self, services: Services, deadlines: Deadlines) -> None:
        self._services = services
        self._deadlines = deadlines
        # Rounds through many tickets, in parts: the deadline's name ends in the number to continue from.
        self._rounds = {RETIME: self._retime, AT_DESK: self._desk, BARRED: self._barred}

    def register(self) -> None:
        self._deadlines.on(KIND, self.fire)

    async def fire(self, due: Deadline) -> None:
        """Act on one deadline. What is due after it is the next deadline of the ticket, which fires at once if its time
        has come."""

        async def step(snapshot: AccountSnapshot) -> bool:
            if due.name.isdecimal():
                return await self._step(snapshot, due)
            what, _, rest = due.name.partition(":")
            act = self._rounds.get(what)
            return act is not None and (rest or "1").isdecimal() and await act(snapshot, due, int(rest or 1))

        try:
            # fresh=False: both kinds of step begin with a read that compares the revision.
            met = await self._services.accounts.run_on_current(due.account, step, fresh=False)
        except (AccountChanged, GuardFailed):
            # The ticket has changed: that set another deadline, or this one fires again.
            await self._deadlines.settle(due, self._services.now())
            return
        if not met:
            await self._deadlines.settle(due)

    async def _step(self, snapshot: AccountSnapshot, due: Deadline) -> bool:
        """Act on a ticket's deadline; False if it is to be dropped."""
        now, account = self._services.now(), snapshot.account
        found = await self._services.tickets.get(snapshot, int(due.name))
        if found is None:
            return False
        ticket = found.value
        wake = next_action_at(account, ticket)
        if wake is None:
            return False
        if wake > now:  # the policy or the calendar has moved it
            return await self._deadlines.settle(due, wake)
        end = expires(ticket, account)
        if end is not None and end <= now:
            await self._services.tickets.drop(snapshot, found, due, Change(None, "", now))
            return True
        if ticket.is_closed:
            return False
        if (told := desk.reach_next_stage(ticket, account, now)) is not None:
            await self._tell_stage(snapshot, found, due, told, now)
            return True
        if (climbed := desk.take_escalation_step(ticket, account, now)) is not None:
            await self._climb(snapshot, found, due, *climbed, now)
            return True
        return False

    async def _retime(self, snapshot: AccountSnapshot, due: Deadline, start: int) -> bool:
        """The account has changed, and with it perhaps its promises: reschedule its tickets."""
        found, more = await self._services.tickets.stretch(snapshot, start, RETIMED)
        wakes = [(timed, next_action_at(snapshot.account, timed.ticket)) for timed in found]
        await self._services.tickets.reschedule(snapshot, due, wakes, start + RETIMED if more else None)
        return True

    async def _desk(self, snapshot: AccountSnapshot, due: Deadline, start: int) -> bool:
        """The account has another desk, or its desk is reachable again: post the cards of its open tickets there."""
        desk, services = ticket_changes.desk_address(snapshot.account, self._services), self._services
        if desk is None:
            return False
        found, more = await services.tickets.open_from(snapshot, start, CARDS)
        seen = [(filed, filed.value) for filed in found]
        names = [PostKey(filed.value.number, "desk").pack() for filed in found]
        known = await asyncio.gather(*(services.posts.places(snapshot, group(name)) for name in names))
        # Cards on another platform must be removed here: posting removes the old one only on its own.
        left = [(name, places[name]) for name, places in zip(names, known, strict=True) if name in places]
        dedup_key, others = f"{due.member}|{due.fence}", {*services.platforms} - {desk.platform}
        leave = [
            post_removal_effect(snapshot, dedup_key, name, place) for name, place in left if place.platform in others
        ]
        return await self._cards(snapshot, due, seen, f"{AT_DESK}:{start + CARDS}" if more else "", leave)

    async def _barred(self, snapshot: AccountSnapshot, due: Deadline, after: int) -> bool:
        """The blocklist has changed: update the cards of callbacks whose number is blocked or unblocked."""
        found, last = await self._services.tickets.callbacks(snapshot, after, CARDS)
        now = self._services.now()
        states = await asyncio.gather(
            *(ticket_changes.mark_blocked(self._services, snapshot, filed.value, now) for filed in found)
        )
        seen = [(filed, state) for filed, state in zip(found, states, strict=True) if state is not filed.value]
        if not seen and last is None:
            return False
        return await self._cards(snapshot, due, seen, f"{BARRED}:{last}" if last is not None else "")

    async def _cards(
        self,
        snapshot: AccountSnapshot,
        due: Deadline,
        seen: Sequence[tuple[Versioned[Ticket], Ticket]],
        then: str,
        more: Sequence[Effect] = (),
    ) -> bool:
        """Update the cards of some tickets, commit their records, and continue with the deadline `then`."""
        desk, now = ticket_changes.desk_address(snapshot.account, self._services), self._services.now()
        dedup_key, effects = f"{due.member}|{due.fence}", [*more]
        if desk is not None:
            effects += [ticket_changes.card_effect(snapshot, dedup_key, desk, ticket, now) for _, ticket in seen]
        await self._services.tickets.commit_redraw(snapshot, due, seen, effects, then)
        return True

    async def _tell_stage(
        self, snapshot: AccountSnapshot, found: Versioned[Ticket], due: Deadline, told: desk.StageStep, now: datetime
    ) -> None:
        """Tell a stage: to the desk in the ticket's thread; a warning or breach also to its specialist; a breach also
        to the first level of the escalation policy."""
        after, stage, step = told
        dedup_key = _step_key(due, after)
        more: list[Effect] = []
        specialist = found.value.specialist
        mine = [specialist] if specialist and stage is not Stage.HALF else []
        if step is not None:
            mine = [id for id in mine if id not in step.people]
            more += await self._tell_level(snapshot, after, step, dedup_key, now, breach=True)
        breach = after.message if stage is Stage.BREACH else None
        for id in mine:
            key = "clock.told.warning"
            more += await _notify(self._services, snapshot, after.ticket, id, key, dedup_key, now, breach=breach)
        if stage is Stage.BREACH and (offer := _other_ways(snapshot.account, found.value, dedup_key)) is not None:
            more.append(offer)
        # Of the stages only a breach changes the card: from when the answer is due to that it is late.
        drawn = stage is Stage.BREACH or _outdated(snapshot, found.value)
        committed = TicketStep("stage", None, None, now, due=due, effects=more, redraw=drawn)
        await ticket_changes.commit_step(self._services, snapshot, found, after, committed)

    async def _climb(
        self,
        snapshot: AccountSnapshot,
        found: Versioned[Ticket],
        due: Deadline,
        after: TicketChange,
        step: EscalationStep,
        now: datetime,
    ) -> None:
        """Tell the next level of the escalation policy."""
        more = await self._tell_level(snapshot, after, step, _step_key(due, after), now)
        # Who was told is in the thread, not on the card.
        drawn = _outdated(snapshot, found.value)
        committed = TicketStep("climbed", None, None, now, due=due, effects=more, redraw=drawn)
        await ticket_changes.commit_step(self._services, snapshot, found, after, committed)

    async def _tell_level(
        self,
        snapshot: AccountSnapshot,
        after: TicketChange,
        step: EscalationStep,
        dedup_key: str,
        now: datetime,
        *,
        breach: bool = False,
    ) -> list[Effect]:
        """Messages to the people of a level and to its channel."""
        key, missed = "escalation.told", after.message if breach else None
        more: list[Effect] = []
        for id in step.people:
            more += await _notify(
                self._services, snapshot, after.ticket, id, key, dedup_key, now, acknowledge=True, breach=missed
            )
        if step.channel is not None and step.channel.platform in self._services.platforms:
            there = step.channel
            to = Address(there.platform, there.workspace, channel=there.channel)
            words = ticket_screens.desk_words(snapshot.account)
            more.append(
                screen_effect(dedup_key, to, _told(snapshot.account, after.ticket, words, key, True, now, missed))
            )
        return more


def _outdated(snapshot: AccountSnapshot, ticket: Ticket) -> bool:
    """Whether the card must be sent again because the account may have changed since: another promise, or a new desk,
    which has no card yet."""
    return snapshot.applied is None or snapshot.applied + APART > ticket.changed


def _step_key(due: Deadline, after: TicketChange) -> str:
    """What is told of one step alone: the same stage comes again with the next promise, and may not pass for the one
    that was told before."""
    return f"{due.member}|{after.ticket.version}"


def _other_ways(account: Account, ticket: Ticket, dedup_key: str) -> Effect | None:
    """If nobody took a live chat in time, offer the person the other channels (docs/domain.md 4)."""
    home, person = ticket_changes.person_address(ticket), account.person(ticket.person)
    if not ticket.live or ticket.responded is not None or home is None or person is None:
        return None
    words = words_for(account, person, ticket.locale)
    ways = Button(words("button.contact"), contact.CONTACT, form=True)
    text = Paragraph(words.text("ticket.nobody_free", number=ticket.display_number))
    return screen_effect(f"{dedup_key}|others", home, Screen("", (text, Buttons((ways,)))))


async def _notify(
    services: Services,
    snapshot: AccountSnapshot,
    ticket: Ticket,
    person: str,
    key: str,
    dedup_key: str,
    now: datetime,
    *,
    acknowledge: bool = False,
    breach: Message | None = None,
) -> list[Effect]:
    """A message to one person, where they were last seen. `breach`: the timeline entry of the breach that it is
    about."""
    known = snapshot.account.person(person)
    if known is None:
        return []
    seen = await services.contacts.last_seen(snapshot, [known.id], services.platforms)
    words = words_for(snapshot.account, known)
    screen = _told(snapshot.account, ticket, words, key, acknowledge, now, breach)
    to = reachable_addresses(snapshot.account, services, known, seen)
    return [screen_effect(effect_id(dedup_key, person), address, screen) for address in to[:1]]


def _told(
    account: Account, ticket: Ticket, words: Words, key: str, acknowledge: bool, now: datetime, breach: Message | None
) -> Screen:
    """One sentence that says it all, and the buttons."""
    blocks: list[Paragraph | Buttons]
    if breach is not None:
        missed = ticket_screens.breach_text(account, ticket, breach, words)
        blocks = [Paragraph(missed), Paragraph((ticket.overview,), quiet=True)]
    else:
        who = ticket_screens.person_name(account, ticket.specialist, words)
        text = words.text(key, number=ticket.display_number, overview=ticket.overview, who=who)
        blocks = [Paragraph((Bold(ticket.display_number), " ", *text))]
        if (clock := ticket_screens.clock_text(account, ticket, words, now)) is not None:
            blocks.append(Paragraph(clock, quiet=True))
    buttons = [Button(words("button.open_ticket"), "inbox.ticket", str(ticket.number))]
    if acknowledge:
        take = Button(words("button.acknowledge"), "desk.acknowledge", str(ticket.number), "primary")
        buttons.insert(0, take)
    return Screen("", (*blocks, Buttons(tuple(buttons))))
