"""A change of a ticket, as one step with all that is said because of it.

The desk's card and the head of the person's thread are kept up to date; what is new on the timeline goes below them:
to the desk all of it, to the person what is for them. Nothing is said again where it was said.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from domain.accounts.account import Account, Person
from domain.blocklist import Direction
from domain.refusal import Refusal
from domain.support.next_action import find_ended_promise, next_action_at
from domain.support.ticket import Message, Ticket, TicketChange, may_see, parse_ticket_number, visible_to_person
from handlers.framework.context import Context
from handlers.framework.effects import home_effects, post_effect
from handlers.framework.events import Address
from handlers.framework.ports import Services
from handlers.support import ticket_mail, ticket_screens
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.deadlines import Deadline
from store.engine.effects import Effect
from store.engine.posts import MessageRef
from store.engine.versioned import Versioned

TRIES: Final = 6  # two at once on one ticket; not for ever
LONGEST: Final = 20  # characters of a typed number
Side = Literal["desk", "person"]


@dataclass(frozen=True, slots=True)
class MessageSource:
    """What was said in a thread itself: on which side, and as which message of the platform."""

    side: Side
    place: MessageRef


def post_group(number: int) -> str:
    return f"ticket:{number}"


def post_key(number: int, what: str) -> str:
    """Of a post: "desk" the card, "person" the head of the person's thread, "m7:desk" message 7 there."""
    return f"{post_group(number)}:{what}"


def parse_post_key(key: str) -> tuple[int, str] | None:
    """The ticket and what a post is of it; None for a key that is none of ours."""
    kind, _, rest = key.partition(":")
    number, _, what = rest.partition(":")
    return (int(number), what) if kind == "ticket" and number.isdecimal() else None


def desk_address(account: Account, services: Services) -> Address | None:
    """Where the desk is; None where there is none that this bot reaches."""
    desk = account.desk
    if desk is None or desk.platform not in services.platforms:
        return None
    return Address(desk.platform, desk.workspace, channel=desk.channel)


def person_address(ticket: Ticket) -> Address | None:
    """Where its person is spoken to: where they wrote it."""
    where = ticket.where
    return Address(where.platform, where.workspace, user=where.user) if where is not None else None


@dataclass(slots=True)
class TicketEffects:
    """What is said because of a change."""

    effects: list[Effect] = field(default_factory=list)
    places: list[tuple[str, MessageRef]] = field(default_factory=list)


async def build_effects(
    services: Services,
    snapshot: AccountSnapshot,
    after: TicketChange,
    dedup_key: str,
    now: datetime,
    spoken: MessageSource | None = None,
    *,
    redrawn: bool = True,
) -> TicketEffects:
    """Everything that is said because of `after`; by mail what `ticket_mail.queued` has noted. `redrawn` False: nothing
    that the card and the head show has changed, so they stay as they are."""
    account, ticket, out = snapshot.account, after.ticket, TicketEffects()
    desk, home = desk_address(account, services), person_address(ticket)
    person = account.person(ticket.person)
    if desk is not None and redrawn:
        screen = ticket_screens.desk_card(account, ticket, now)
        out.effects.append(post_effect(snapshot, dedup_key, desk, post_key(ticket.number, "desk"), screen))
    if home is not None and person is not None and redrawn:
        head = ticket_screens.person_head(
            account, ticket, ticket_screens.words_for(account, person, ticket.locale), now
        )
        out.effects.append(post_effect(snapshot, dedup_key, home, post_key(ticket.number, "person"), head))
    for message in after.messages:
        if spoken is not None and message.kind == "reply":
            out.places.append((post_key(ticket.number, f"m{message.id}:src"), spoken.place))
        out.effects += mirror_effects(
            services, snapshot, ticket, message, dedup_key, spoken.side if spoken is not None else None
        )
    out.effects += ticket_mail.mail_effects(snapshot, after, dedup_key, now)
    return out


async def mark_blocked(services: Services, snapshot: AccountSnapshot, ticket: Ticket, now: datetime) -> Ticket:
    """The ticket as the blocklist has it now: whether calls to the number that is to be called back, or from it, are
    rejected."""
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
    at: Side | None = None,
) -> list[Effect]:
    """A message below both heads, but not where it was said. The first is on the card, unless it is too long for it."""
    account, found = snapshot.account, []
    desk, home = desk_address(account, services), person_address(ticket)
    person = account.person(ticket.person)
    first = message.id == 1
    if first and len(message.text) <= ticket_screens.BLOCK_LENGTH:
        return []
    mine = message.kind == "reply"
    if desk is not None and not (mine and at == "desk"):
        words = ticket_screens.desk_words(account)
        screen = None if message.deleted else ticket_screens.entry_screen(account, ticket, message, words, desk=True)
        name = post_key(ticket.number, f"m{message.id}:desk")
        found.append(post_effect(snapshot, dedup_key, desk, name, screen, below=post_key(ticket.number, "desk")))
    visible = visible_to_person(message) and not (message.side == "person" and message.kind == "event")
    if home is not None and person is not None and visible and not first and not (mine and at == "person"):
        words = ticket_screens.words_for(account, person, ticket.locale)
        screen = None if message.deleted else ticket_screens.entry_screen(account, ticket, message, words, desk=False)
        name = post_key(ticket.number, f"m{message.id}:person")
        found.append(post_effect(snapshot, dedup_key, home, name, screen, below=post_key(ticket.number, "person")))
    return found


async def ticket_home_effects(
    services: Services, snapshot: AccountSnapshot, before: Ticket | None, after: Ticket, dedup_key: str
) -> list[Effect]:
    """The home screens that list the ticket, drawn anew where a line of the list has changed; not for every message."""
    if before is not None and all(
        getattr(before, what) == getattr(after, what) for what in ("state", "specialist", "turn")
    ):
        return []
    people = dict.fromkeys((after.person, *(admin.id for admin in snapshot.account.super_admins)))
    return home_effects(dedup_key, await services.contacts.last_seen(snapshot, list(people), services.platforms))


async def find_ticket(ctx: Context, number: str | int) -> Versioned[Ticket]:
    """The ticket of that number, where the person may see it. Whoever may not is not told that there is one."""
    wanted = parse_ticket_number(str(number).removesuffix(f"|{ticket_screens.IN_PLACE}")[:LONGEST])
    found = await ctx.services.tickets.get(ctx.snapshot, wanted) if wanted is not None else None
    return _seen(ctx, number, found)


def _seen(ctx: Context, number: str | int, found: Versioned[Ticket] | None) -> Versioned[Ticket]:
    if found is None or not may_see(ctx.person, found.value):
        raise Refusal("ticket_unknown", number=str(number)[:20])
    return found


async def change_ticket(
    ctx: Context,
    id: str,
    number: str | int,
    what: str,
    decide: Callable[[Ticket], TicketChange],
    *,
    spoken: MessageSource | None = None,
) -> Ticket:
    """One change of a ticket by the person who asks. Whoever is second decides anew on the ticket as it is by then. The
    ticket afterwards. Raises Refusal."""
    wanted = parse_ticket_number(str(number).removesuffix(f"|{ticket_screens.IN_PLACE}")[:LONGEST])
    for left in reversed(range(TRIES)):
        found, done = (
            await ctx.services.tickets.get_for_change(ctx.snapshot, wanted, id) if wanted is not None else (None, None)
        )
        before = _seen(ctx, number, found)
        if done is not None:
            return before.value  # done already
        after = decide(before.value)
        try:
            await write_change(ctx.services, ctx.snapshot, before, after, what, id, ctx.person, ctx.now, spoken=spoken)
        except GuardFailed:
            if not left:
                raise
            continue
        return after.ticket
    raise Refusal("meanwhile")


async def write_change(
    services: Services,
    snapshot: AccountSnapshot,
    before: Versioned[Ticket],
    after: TicketChange,
    what: str,
    id: str | None,
    by: Person | None,
    now: datetime,
    *,
    spoken: MessageSource | None = None,
    due: Deadline | None = None,
    more: Sequence[Effect] = (),
    redrawn: bool = True,
) -> str | None:
    """The step itself; `redrawn` as `build_effects`. Guards as `Tickets.replace`."""
    after = ticket_mail.mark_queued(services, snapshot.account, after)
    after = after._replace(ticket=await mark_blocked(services, snapshot, after.ticket, now))
    account, ticket = snapshot.account, after.ticket
    dedup_key = id or f"{ticket.number}:{ticket.version}"
    out = await build_effects(services, snapshot, after, dedup_key, now, spoken, redrawn=redrawn)
    homes = await ticket_home_effects(services, snapshot, before.value, ticket, dedup_key)
    made = Change(id, by.id if by else "", now, f"ticket|{ticket.number}|{what}", (*out.effects, *more, *homes))
    return await services.tickets.replace(
        snapshot,
        before,
        after,
        f"ticket.{what}",
        made,
        next_action_at(account, ticket),
        due=due,
        outcome=find_ended_promise(account, before.value, ticket, now),
        places=out.places,
    )
