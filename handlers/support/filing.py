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
from domain.support.agenda import ended, next_look
from domain.support.ticket import After, Message, Ticket, for_person, may_see, number_of
from handlers.framework.context import Context, open_homes, put
from handlers.framework.ports import Services
from handlers.framework.vocabulary import Address
from handlers.support import drawing, letters
from store.engine.accounts import Held
from store.engine.commit import GuardFailed
from store.engine.deadlines import Due
from store.engine.effects import Effect
from store.engine.posts import Place
from store.numbers.records import Change
from store.support.ticket_reads import Filed

TRIES: Final = 6  # two at once on one ticket; not for ever
LONGEST: Final = 20  # characters of a typed number
Side = Literal["desk", "person"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said in a thread itself: on which side, and as which message of the platform."""

    side: Side
    place: Place


def group(number: int) -> str:
    return f"ticket:{number}"


def key(number: int, what: str) -> str:
    """Of a post: "desk" the card, "person" the head of the person's thread, "m7:desk" message 7 there."""
    return f"{group(number)}:{what}"


def parse(key: str) -> tuple[int, str] | None:
    """The ticket and what a post is of it; None for a key that is none of ours."""
    kind, _, rest = key.partition(":")
    number, _, what = rest.partition(":")
    return (int(number), what) if kind == "ticket" and number.isdecimal() else None


def desk_of(account: Account, services: Services) -> Address | None:
    """Where the desk is; None where there is none that this bot reaches."""
    desk = account.desk
    if desk is None or desk.platform not in services.platforms:
        return None
    return Address(desk.platform, desk.workspace, channel=desk.channel)


def home_of(ticket: Ticket) -> Address | None:
    """Where its person is spoken to: where they wrote it."""
    where = ticket.where
    return Address(where.platform, where.workspace, user=where.user) if where is not None else None


@dataclass(slots=True)
class Said:
    """What is said because of a change."""

    effects: list[Effect] = field(default_factory=list)
    places: list[tuple[str, Place]] = field(default_factory=list)


async def said(
    services: Services,
    held: Held,
    after: After,
    salt: str,
    now: datetime,
    spoken: Spoken | None = None,
    *,
    redrawn: bool = True,
) -> Said:
    """Everything that is said because of `after`; by mail what `letters.queued` has noted. `redrawn` False: nothing
    that the card and the head show has changed, so they stay as they are."""
    account, ticket, out = held.account, after.ticket, Said()
    desk, home = desk_of(account, services), home_of(ticket)
    person = account.person(ticket.person)
    if desk is not None and redrawn:
        screen = drawing.desk_card(account, ticket, now)
        out.effects.append(put(held, salt, desk, key(ticket.number, "desk"), screen))
    if home is not None and person is not None and redrawn:
        head = drawing.person_head(account, ticket, drawing.reader(account, person, ticket.locale), now)
        out.effects.append(put(held, salt, home, key(ticket.number, "person"), head))
    for message in after.messages:
        if spoken is not None and message.kind == "reply":
            out.places.append((key(ticket.number, f"m{message.id}:src"), spoken.place))
        out.effects += mirrored(services, held, ticket, message, salt, spoken.side if spoken is not None else None)
    out.effects += letters.letters(held, after, salt, now)
    return out


async def barred(services: Services, held: Held, ticket: Ticket, now: datetime) -> Ticket:
    """The ticket as the blocklist has it now: whether calls to the number that is to be called back, or from it, are
    rejected."""
    if ticket.callback is None:
        return ticket
    number, check = ticket.callback.number, services.blocklist.check
    ways = (Direction.INBOUND, Direction.OUTBOUND)
    found = any(each.blocked for each in await asyncio.gather(*(check(held, number, way, now) for way in ways)))
    if found == ticket.callback.barred:
        return ticket
    return ticket.model_copy(update={"callback": ticket.callback.model_copy(update={"barred": found})})


def mirrored(
    services: Services, held: Held, ticket: Ticket, message: Message, salt: str, at: Side | None = None
) -> list[Effect]:
    """A message below both heads, but not where it was said. The first is on the card, unless it is too long for it."""
    account, found = held.account, []
    desk, home = desk_of(account, services), home_of(ticket)
    person = account.person(ticket.person)
    first = message.id == 1
    if first and len(message.text) <= drawing.PIECE:
        return []
    mine = message.kind == "reply"
    if desk is not None and not (mine and at == "desk"):
        words = drawing.desk_words(account)
        screen = None if message.deleted else drawing.entry(account, ticket, message, words, desk=True)
        name = key(ticket.number, f"m{message.id}:desk")
        found.append(put(held, salt, desk, name, screen, below=key(ticket.number, "desk")))
    visible = for_person(message) and not (message.side == "person" and message.kind == "event")
    if home is not None and person is not None and visible and not first and not (mine and at == "person"):
        words = drawing.reader(account, person, ticket.locale)
        screen = None if message.deleted else drawing.entry(account, ticket, message, words, desk=False)
        name = key(ticket.number, f"m{message.id}:person")
        found.append(put(held, salt, home, name, screen, below=key(ticket.number, "person")))
    return found


async def open_homes_of(
    services: Services, held: Held, before: Ticket | None, after: Ticket, salt: str
) -> list[Effect]:
    """The home screens that list the ticket, drawn anew where a line of the list has changed; not for every message."""
    if before is not None and all(
        getattr(before, what) == getattr(after, what) for what in ("state", "specialist", "turn")
    ):
        return []
    people = dict.fromkeys((after.person, *(admin.id for admin in held.account.super_admins)))
    return open_homes(salt, await services.numbers.reach(held, list(people), services.platforms))


async def filed(ctx: Context, number: str | int) -> Filed:
    """The ticket of that number, where the person may see it. Whoever may not is not told that there is one."""
    wanted = number_of(str(number).removesuffix(f"|{drawing.HERE}")[:LONGEST])
    found = await ctx.services.tickets.get(ctx.held, wanted) if wanted is not None else None
    return _seen(ctx, number, found)


def _seen(ctx: Context, number: str | int, found: Filed | None) -> Filed:
    if found is None or not may_see(ctx.person, found.ticket):
        raise Refusal("ticket_unknown", number=str(number)[:20])
    return found


async def act(
    ctx: Context,
    id: str,
    number: str | int,
    what: str,
    decide: Callable[[Ticket], After],
    *,
    spoken: Spoken | None = None,
) -> Ticket:
    """One change of a ticket by the person who asks. Whoever is second decides anew on the ticket as it is by then. The
    ticket afterwards. Raises Refusal."""
    wanted = number_of(str(number).removesuffix(f"|{drawing.HERE}")[:LONGEST])
    for left in reversed(range(TRIES)):
        found, done = await ctx.services.tickets.asked(ctx.held, wanted, id) if wanted is not None else (None, None)
        before = _seen(ctx, number, found)
        if done is not None:
            return before.ticket  # done already
        after = decide(before.ticket)
        try:
            await write(ctx.services, ctx.held, before, after, what, id, ctx.person, ctx.now, spoken=spoken)
        except GuardFailed:
            if not left:
                raise
            continue
        return after.ticket
    raise Refusal("meanwhile")


async def write(
    services: Services,
    held: Held,
    before: Filed,
    after: After,
    what: str,
    id: str | None,
    by: Person | None,
    now: datetime,
    *,
    spoken: Spoken | None = None,
    due: Due | None = None,
    more: Sequence[Effect] = (),
    redrawn: bool = True,
) -> str | None:
    """The step itself; `redrawn` as `said`. Guards as `Tickets.replace`."""
    after = letters.queued(services, held.account, after)
    after = after._replace(ticket=await barred(services, held, after.ticket, now))
    account, ticket = held.account, after.ticket
    salt = id or f"{ticket.number}:{ticket.version}"
    out = await said(services, held, after, salt, now, spoken, redrawn=redrawn)
    homes = await open_homes_of(services, held, before.ticket, ticket, salt)
    made = Change(id, by.id if by else "", now, f"ticket|{ticket.number}|{what}", (*out.effects, *more, *homes))
    return await services.tickets.replace(
        held,
        before,
        after,
        f"ticket.{what}",
        made,
        next_look(account, ticket),
        due=due,
        outcome=ended(account, before.ticket, ticket, now),
        places=out.places,
    )
