"""Steps on a ticket and their commit.

A step is a rule of `domain.support` that takes a ticket and returns a `TicketChange`. `run_step` loads the ticket,
applies the rule and commits; `commit_step` commits a change that is decided already, of a new ticket too. With every
commit go the messages it causes: the desk's card and the head of the person's thread are updated, and each new entry of
the timeline is posted below them, except in the thread it was written in. The desk gets all entries, the person those
that `visible_to_person` lets through.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from domain.accounts.account import Account, Person
from domain.blocklist import Direction
from domain.refusal import Refusal
from domain.support.desk import find_ended_promise, next_action_at
from domain.support.ticket import Message, Ticket, TicketChange, may_see, visible_to_person
from handlers.framework.context import Context, words_for
from handlers.framework.effects import home_effects, post_effect
from handlers.framework.events import Address, Submit
from handlers.framework.ports import Services
from handlers.framework.screens import Done, Screen
from handlers.support import ticket_mail, ticket_screens
from handlers.support.ticket_keys import ButtonValue, PostKey, TicketResult
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.deadlines import Deadline
from store.engine.effects import Effect
from store.engine.posts import MessageRef
from store.engine.values import Versioned

TRIES: Final = 6  # commits of one step before it gives up, each lost to another change of the same ticket
Side = Literal["desk", "person"]


@dataclass(frozen=True, slots=True)
class MessageSource:
    """Where an entry was written: the side, and the message of the platform."""

    side: Side
    place: MessageRef


@dataclass(frozen=True, slots=True)
class TicketStep:
    """How a change is committed.

    Args:
        what: the step's name, in the audit log ("ticket.claim") and in its `TicketResult`.
        id: of the request; a second commit with it does nothing. None: the step can't be repeated.
        by: who acts; None: the bot.
        spoken: where the reply that the step adds was written, if in a thread.
        due: the deadline that the step meets.
        effects: sent besides those of every change.
        redraw: False where nothing on the card and the head has changed: neither is sent again.
        form: of a new ticket, the form it was sent in, whose draft is deleted.
    """

    what: str
    id: str | None
    by: Person | None
    now: datetime
    spoken: MessageSource | None = None
    due: Deadline | None = None
    effects: Sequence[Effect] = ()
    redraw: bool = True
    form: str = ""


def desk_address(account: Account, services: Services) -> Address | None:
    """The desk's channel; None if the account has no desk, or one on a platform that this bot isn't connected to."""
    desk = account.desk
    if desk is None or desk.platform not in services.platforms:
        return None
    return Address(desk.platform, desk.workspace, channel=desk.channel)


def person_address(ticket: Ticket) -> Address | None:
    """Where the ticket's person is written to: where they created it."""
    where = ticket.where
    return Address(where.platform, where.workspace, user=where.user) if where is not None else None


async def build_effects(
    services: Services,
    snapshot: AccountSnapshot,
    after: TicketChange,
    dedup_key: str,
    now: datetime,
    spoken: MessageSource | None = None,
    *,
    redraw: bool = True,
) -> list[Effect]:
    """The posts and mails of a change; `spoken` and `redraw` as in `TicketStep`. An entry goes by mail if
    `ticket_mail.mark_queued` has marked it."""
    account, ticket, effects = snapshot.account, after.ticket, list[Effect]()
    desk, home = desk_address(account, services), person_address(ticket)
    person = account.person(ticket.person)
    if desk is not None and redraw:
        effects.append(card_effect(snapshot, dedup_key, desk, ticket, now))
    if home is not None and person is not None and redraw:
        head = ticket_screens.person_head(account, ticket, words_for(account, person, ticket.locale), now)
        effects.append(post_effect(snapshot, dedup_key, home, PostKey(ticket.number, "person").pack(), head))
    for message in after.messages:
        side = spoken.side if spoken is not None else None
        effects += mirror_effects(services, snapshot, ticket, message, dedup_key, side)
    return effects + ticket_mail.mail_effects(snapshot, after, dedup_key, now)


def card_effect(snapshot: AccountSnapshot, dedup_key: str, desk: Address, ticket: Ticket, now: datetime) -> Effect:
    """The ticket's card, posted to the desk or updated there."""
    card = ticket_screens.desk_card(snapshot.account, ticket, now)
    return post_effect(snapshot, dedup_key, desk, PostKey(ticket.number, "desk").pack(), card)


async def mark_blocked(services: Services, snapshot: AccountSnapshot, ticket: Ticket, now: datetime) -> Ticket:
    """The ticket with `callback.barred` as of now: whether the blocklist rejects calls to or from its number."""
    if ticket.callback is None:
        return ticket
    number, check = ticket.callback.number, services.blocklist.check
    ways = (Direction.INBOUND, Direction.OUTBOUND)
    found = any(each.blocked for each in await asyncio.gather(*(check(snapshot, number, way, now) for way in ways)))
    if found == ticket.callback.barred:
        return ticket
    return ticket.model_copy(update={"callback": ticket.callback.model_copy(update={"barred": found})})


def mirror_effects(
    services: Services,
    snapshot: AccountSnapshot,
    ticket: Ticket,
    message: Message,
    dedup_key: str,
    written_at: Side | None = None,
) -> list[Effect]:
    """An entry's posts below the card and below the head, each where it is to be seen; a reply not on the side it was
    written on. A deleted entry's posts are removed. The first entry is on the card, unless it is too long for that."""
    account, found = snapshot.account, []
    desk, home = desk_address(account, services), person_address(ticket)
    person = account.person(ticket.person)
    first = message.id == 1
    if first and len(message.text) <= ticket_screens.BLOCK_LENGTH:
        return []
    at = written_at if message.kind == "reply" else None
    if desk is not None and at != "desk":
        found.append(desk_entry_effect(snapshot, dedup_key, desk, ticket, message))
    visible = visible_to_person(message) and not (message.side == "person" and message.kind == "event")
    if home is not None and person is not None and visible and not first and at != "person":
        words = words_for(account, person, ticket.locale)
        screen = None if message.deleted else ticket_screens.entry_screen(account, ticket, message, words, desk=False)
        found.append(_entry_effect(snapshot, dedup_key, home, PostKey(ticket.number, "person", message.id), screen))
    return found


def desk_entry_effect(
    snapshot: AccountSnapshot, dedup_key: str, desk: Address, ticket: Ticket, message: Message
) -> Effect:
    """An entry's post below the card."""
    words, account = ticket_screens.desk_words(snapshot.account), snapshot.account
    screen = None if message.deleted else ticket_screens.entry_screen(account, ticket, message, words, desk=True)
    return _entry_effect(snapshot, dedup_key, desk, PostKey(ticket.number, "desk", message.id), screen)


def _entry_effect(
    snapshot: AccountSnapshot, dedup_key: str, to: Address, key: PostKey, screen: Screen | None
) -> Effect:
    return post_effect(snapshot, dedup_key, to, key.pack(), screen, below=key._replace(message=None).pack())


async def ticket_home_effects(
    services: Services, snapshot: AccountSnapshot, before: Ticket | None, after: Ticket, dedup_key: str
) -> list[Effect]:
    """Redraws of the home screens that list the ticket, if what its line there shows has changed."""
    if before is not None and all(
        getattr(before, what) == getattr(after, what) for what in ("state", "specialist", "turn")
    ):
        return []
    people = dict.fromkeys((after.person, *(admin.id for admin in snapshot.account.super_admins)))
    return home_effects(dedup_key, await services.contacts.last_seen(snapshot, list(people), services.platforms))


async def find_ticket(ctx: Context, value: str) -> Ticket:
    """The ticket that was typed ("SB-142"), or whose button was pressed. Raises Refusal `ticket_unknown` if there is
    none, or none that the person may see."""
    number = ButtonValue.parse(value).number
    found = await ctx.services.tickets.get(ctx.snapshot, number) if number is not None else None
    if found is None or not may_see(ctx.person, found.value):
        raise Refusal("ticket_unknown", number=value[:20])
    return found.value


async def change_ticket(
    ctx: Context,
    id: str,
    value: str,
    what: str,
    decide: Callable[[Ticket], TicketChange],
    *,
    spoken: MessageSource | None = None,
) -> Ticket:
    """Run a step of the person who asks on the ticket named by `value`, as `find_ticket` reads it. Returns the ticket
    afterwards; raises Refusal."""
    number = ButtonValue.parse(value).number
    step = TicketStep(what, id, ctx.person, ctx.now, spoken)
    ticket = await run_step(ctx.services, ctx.snapshot, number, step, decide) if number is not None else None
    if ticket is None:
        raise Refusal("ticket_unknown", number=value[:20])
    return ticket


async def change_submitted(ctx: Context, submit: Submit, what: str, decide: Callable[[Ticket], TicketChange]) -> Done:
    """`change_ticket` of the ticket that the submitted form is about."""
    await change_ticket(ctx, submit.id, submit.state.get("ticket", ""), what, decide)
    return Done()


async def run_step(
    services: Services,
    snapshot: AccountSnapshot,
    number: int,
    step: TicketStep,
    decide: Callable[[Ticket], TicketChange],
) -> Ticket | None:
    """Load the ticket, apply `decide` and commit; from the start again while another change comes first, `TRIES` times
    at most, then raises GuardFailed. A repeat of `step.id` changes nothing.

    Returns the ticket afterwards; None if there is no such ticket, or none that `step.by` may see. Raises
    AccountChanged and what `decide` raises.
    """
    for left in reversed(range(TRIES)):
        before, done = await services.tickets.get_for_change(snapshot, number, step.id or "")
        if before is None or (step.by is not None and not may_see(step.by, before.value)):
            return None
        if done is not None:
            return before.value
        after = decide(before.value)
        try:
            await commit_step(services, snapshot, before, after, step)
        except GuardFailed:
            if not left:
                raise
            continue
        return after.ticket
    return None


async def commit_step(
    services: Services,
    snapshot: AccountSnapshot,
    before: Versioned[Ticket] | None,
    after: TicketChange,
    step: TicketStep,
) -> None:
    """Commit a change with everything that is sent because of it. `before`: the ticket as it was read; None: it is new.
    Guards as `Tickets.create` and `Tickets.replace`."""
    after = ticket_mail.mark_queued(services, snapshot.account, after)
    after = after._replace(ticket=await mark_blocked(services, snapshot, after.ticket, step.now))
    account, ticket, by = snapshot.account, after.ticket, step.by
    was = before.value if before is not None else None
    dedup_key = step.id or f"{ticket.number}:{ticket.version}"
    effects = await build_effects(services, snapshot, after, dedup_key, step.now, step.spoken, redraw=step.redraw)
    effects += step.effects
    effects += await ticket_home_effects(services, snapshot, was, ticket, dedup_key)
    result, wake = TicketResult(ticket.number, step.what).pack(), next_action_at(account, ticket)
    change = Change(step.id, by.id if by else "", step.now, result, tuple(effects))
    if before is None:
        name = (by.id, by.name) if by is not None and not by.listed else None
        await services.tickets.create(snapshot, after, replace(change, name=name), wake, step.form)
        return
    spoken, replies = step.spoken, [message for message in after.messages if message.kind == "reply"]
    await services.tickets.replace(
        snapshot,
        before,
        after,
        f"ticket.{step.what}",
        change,
        wake,
        deadline=step.due,
        outcome=find_ended_promise(account, before.value, ticket, step.now),
        places=[(PostKey(ticket.number, "src", reply.id).pack(), spoken.place) for reply in replies] if spoken else (),
    )
