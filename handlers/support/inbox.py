"""The inbox (docs/domain.md 5): a person's tickets, or for a super admin the account's, by view; and the screen of one
ticket."""

from collections.abc import Sequence
from typing import Final

from domain.support.ticket import Message, Ticket, owns_ticket, visible_to_person
from handlers.framework import lists
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Bold,
    Button,
    Buttons,
    Divider,
    FactSet,
    Notice,
    Paragraph,
    Response,
    Screen,
    Text,
)
from handlers.support import inbox_list, ticket_changes, ticket_screens
from handlers.support.inbox_list import STAR, InboxPosition
from handlers.support.ticket_keys import TicketResult
from store.engine.commit import Change
from store.support.ticket_reads import VIEWS

ROUTES = Routes()

SHOWN: Final = 10  # messages of a timeline at once, each up to three blocks
_LONGEST_OFFSET: Final = 8  # digits


@ROUTES.command("support", "inbox")
async def inbox_command(ctx: Context, command: Command) -> Response:
    return await screen(ctx, InboxPosition())


@ROUTES.press("inbox.show")
async def shown(ctx: Context, press: Press) -> Response:
    """The inbox in a message of its own."""
    return Notice(await screen(ctx, InboxPosition(inbox_list.parse_view(press.value))))


@ROUTES.press(*(f"inbox.{view}" for view in VIEWS), "inbox.next", "inbox.previous")
async def turned(ctx: Context, press: Press) -> Response:
    """Another view or page, in place."""
    return await screen(ctx, InboxPosition.parse(press.value))


@ROUTES.press("inbox.search")
async def search(ctx: Context, press: Press) -> Response:
    return lists.search_form(
        ctx, "inbox.search", "inbox.search.title", "field.search_tickets", inbox_list.LONGEST_QUERY
    )


@ROUTES.submit("inbox.search")
async def searched(ctx: Context, submit: Submit) -> Response:
    return await screen(ctx, InboxPosition("all", query=inbox_list.clean_query(submit.values.get("query", ""))))


@ROUTES.command("support", "ticket")
async def ticket_command(ctx: Context, command: Command) -> Response:
    number = " ".join(w for w in command.words if isinstance(w, str))
    return await ticket_screen(ctx, await ticket_changes.find_ticket(ctx, number))


@ROUTES.press("inbox.ticket")
async def opened(ctx: Context, press: Press) -> Response:
    return Notice(await ticket_screen(ctx, await ticket_changes.find_ticket(ctx, press.value)))


@ROUTES.press("inbox.earlier")
async def earlier(ctx: Context, press: Press) -> Response:
    number, _, before = press.value.partition("|")
    ticket = await ticket_changes.find_ticket(ctx, number)
    start = int(before) if before.isdecimal() and len(before) < _LONGEST_OFFSET else None
    return await ticket_screen(ctx, ticket, before=start)


@ROUTES.press("inbox.star", "inbox.unstar")
async def starred(ctx: Context, press: Press) -> Response:
    """Set or remove the reader's star."""
    ticket = await ticket_changes.find_ticket(ctx, press.value)
    on = press.action == "inbox.star"
    result = TicketResult(ticket.number, "starred" if on else "unstarred").pack()
    change = Change(press.id, ctx.person.id, ctx.now, result)
    await ctx.services.tickets.star(ctx.snapshot, ctx.person, ticket.number, on, change)
    return await ticket_screen(ctx, ticket)


async def screen(ctx: Context, spot: InboxPosition) -> Screen:
    """A view or search result from an offset, with the number of tickets in each view."""
    box, spot = await inbox_list.load_inbox(ctx, spot, "inbox")
    words = ctx.words
    title = words("inbox.title_account" if ctx.person.super_admin else "inbox.title", account=ctx.account.name)
    return Screen(
        title, tuple(inbox_list.blocks(ctx, box, spot, "inbox")), summary=f"{title}: {inbox_list.counts_text(ctx, box)}"
    )


# ── One ticket ──────────────────────────────────────────────────────────────────────────────────────────────────


async def ticket_screen(ctx: Context, ticket: Ticket, *, before: int | None = None) -> Screen:
    """A ticket with its timeline, the newest entry last, and what its reader can do. Notes are never shown: specialists
    read them at the desk. `before`: show the entries before that id."""
    words, account = ctx.words, ctx.account
    entries, star = await ctx.services.tickets.timeline_and_star(ctx.snapshot, ctx.person, ticket, SHOWN, before=before)
    blocks: list[Block] = [Paragraph((Bold(ticket.overview),))]
    facts: list[tuple[str, Text]] = [
        (words("desk.state"), (words(f"ticket.state.{ticket.state.value}"),)),
        (words("ticket.channel"), (words(f"channel.short.{ticket.channel.value}"),)),
        (words("ticket.created"), (words.timestamp(ticket.created, "datetime"),)),
    ]
    clock = ticket_screens.clock_text(account, ticket, words, ctx.now) if not ticket.is_closed else None
    if clock is not None:
        facts.append((words("desk.clock"), clock))
    blocks += [FactSet(tuple(facts)), Divider()]
    first = entries[0].value.id if entries else 1
    if first > 1:
        label = words("button.earlier")
        blocks.append(Buttons((Button(label, "inbox.earlier", f"{ticket.number}|{first}"),)))
    blocks += _timeline(ctx, ticket, [entry.value for entry in entries])
    blocks.append(Divider())
    name = "unstar" if star else "star"
    favourite = Button(words(f"button.{name}"), f"inbox.{name}", str(ticket.number))
    mine: tuple[Button, ...] = ()
    if owns_ticket(ctx.person, ticket):
        mine = ticket_screens.person_buttons(account, ticket, words, here=True)
    elif ctx.person.specialist:
        # As on the card, in case there is no desk or it cannot be reached.
        mine = (
            *ticket_screens.desk_buttons(ticket, words, here=True),
            *ticket_screens.desk_menu(ticket, words, here=True),
        )
    if mine:
        blocks.append(Buttons(mine))
    blocks.append(Buttons((favourite, Button(words("button.inbox"), "inbox.show", "open"))))
    summary = words("ticket.title", number=ticket.display_number, overview=ticket.overview)
    return Screen(f"{STAR if star else ''}{ticket.display_number}", tuple(blocks), summary=summary)


def _timeline(ctx: Context, ticket: Ticket, messages: Sequence[Message]) -> list[Block]:
    blocks: list[Block] = []
    for message in messages:
        if not visible_to_person(message):
            continue
        at = ctx.words.timestamp(message.at, "datetime")
        if message.kind == "event":
            text = ticket_screens.event_text(ctx.account, ticket, message, ctx.words)
            blocks.append(Paragraph((at, " · ", *text), quiet=True))
            continue
        if message.deleted:
            blocks.append(Paragraph((at, " · ", ctx.words("ticket.deleted", who=message.name)), quiet=True))
            continue
        first, *more = ticket_screens.text_preview(message.text, ctx.words) or [Paragraph(("",))]
        blocks.append(Paragraph((at, f" · {message.name}: ", *first.text)))
        blocks += [*more, *ticket_screens.file_blocks(message.files, ctx.words)]
    return blocks
