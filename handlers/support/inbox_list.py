"""The list of tickets in `/support inbox` and on the home screen: views, rows, pages and search.

Buttons carry the position that they were pressed at (`InboxPosition`), so that the numbers on the home screen stay
where they were.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from domain.support.ticket import Ticket, owns_ticket
from handlers.framework import lists
from handlers.framework.context import Context
from handlers.framework.parse_args import parse_offset
from handlers.framework.screens import Block, Button, Buttons, Divider, ListItem, Paragraph, Text
from handlers.support import contact, ticket_screens
from store.support.ticket_reads import VIEWS, InboxPage, View

Surface = Literal["inbox", "home"]
PAGES: Final[dict[Surface, int]] = {"inbox": 10, "home": 5}  # tickets a page
PREVIOUS: Final[dict[Surface, str]] = {"inbox": "previous", "home": "earlier"}  # "previous" of home is of numbers
NEXT: Final[dict[Surface, str]] = {"inbox": "next", "home": "later"}
LONGEST_QUERY: Final = 60
STAR: Final = "★ "  # before the number of a favourite


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """A position in the inbox. `numbers`: offset of the list of numbers on the home screen."""

    view: View = "open"
    offset: int = 0
    query: str = ""
    numbers: int = 0

    def pack(self) -> str:
        """A button's value. The query is last because it may contain any character."""
        return f"{self.numbers}|{self.view}|{self.offset}|{self.query}"

    @classmethod
    def parse(cls, value: str) -> "InboxPosition":
        """Inverse of `pack` for untrusted input: invalid parts become the default."""
        numbers, view, offset, query, *_ = [*value.split("|", 3), "", "", "", ""]
        return cls(parse_view(view), parse_offset(offset), clean_query(query), parse_offset(numbers))


def parse_view(value: str) -> View:
    return next((view for view in VIEWS if view == value), "open")


def clean_query(query: str) -> str:
    return " ".join(query.split())[:LONGEST_QUERY]


async def load_inbox(ctx: Context, spot: InboxPosition, surface: Surface) -> tuple[InboxPage, InboxPosition]:
    """The page at a position, and the position: the last page, if the list has become shorter. `counts` are filled for
    a search too.

    One round trip; a search makes two at the same time.
    """
    size, everyone, tickets = PAGES[surface], ctx.person.super_admin, ctx.services.tickets
    while True:
        if not spot.query:
            box = await tickets.box(
                ctx.snapshot, ctx.person, spot.view, everyone=everyone, offset=spot.offset, count=size
            )
        else:
            box, counted = await asyncio.gather(
                tickets.find(ctx.snapshot, ctx.person, spot.query, everyone=everyone, offset=spot.offset, count=size),
                tickets.box(ctx.snapshot, ctx.person, "all", everyone=everyone, offset=0, count=1),
            )
            box = replace(box, counts=counted.counts)
        if box.tickets or spot.offset == 0:
            return box, spot
        spot = replace(spot, offset=max(0, min(spot.offset - size, (box.total - 1) // size * size)))


def blocks(ctx: Context, box: InboxPage, spot: InboxPosition, surface: Surface) -> list[Block]:
    """The views with their counts, the tickets, and the buttons to page."""
    shown = _tabs(ctx, box, spot, surface)
    if spot.query:
        if box.total:
            key = "inbox.found_many" if box.more_found else "inbox.found"
            shown.append(Paragraph(ctx.words.text(key, n=box.total, query=spot.query)))
        else:
            shown.append(Paragraph(ctx.words.text("inbox.found_none", query=spot.query)))
    elif not box.total:
        # With no ticket at all, say so instead of "no open ticket".
        empty: View = spot.view if box.counts["all"] or spot.view == "fav" else "all"
        shown.append(Paragraph(ctx.words.text(f"inbox.empty_{empty}")))
    if surface == "inbox" and box.tickets:
        shown.append(Divider())
    shown += [_row(ctx, ticket, ticket.number in box.stars) for ticket in box.tickets]
    return [*shown, *_turning(ctx, box, spot, surface)]


def _tabs(ctx: Context, box: InboxPage, spot: InboxPosition, surface: Surface) -> list[Block]:
    """Buttons with the names of the views alone, and a line with the counts below."""
    words = ctx.words

    def tab(view: View) -> Button:
        there = replace(spot, view=view, offset=0, query="")
        chosen = view == spot.view and not spot.query
        return Button(
            words(f"button.inbox_{view}"), f"{surface}.{view}", there.pack(), "primary" if chosen else "plain"
        )

    return [Buttons(tuple(tab(view) for view in VIEWS), light=True), Paragraph((counts_text(ctx, box),), quiet=True)]


def counts_text(ctx: Context, box: InboxPage) -> str:
    """How many tickets each view has."""
    counts = box.counts
    return ctx.words("inbox.counts", all=counts["all"], open=counts["open"], closed=counts["closed"], fav=counts["fav"])


def _row(ctx: Context, ticket: Ticket, star: bool) -> ListItem:
    words = ctx.words
    said = words("button.open_ticket")
    spoken = words("desk.spoken", what=said, number=ticket.display_number)
    open_ = Button(said, "inbox.ticket", str(ticket.number), spoken=spoken)
    return ListItem(
        f"{STAR if star else ''}{ticket.display_number} {ticket.overview}", (status_text(ctx, ticket),), button=open_
    )


def status_text(ctx: Context, ticket: Ticket) -> Text:
    """Whose turn it is and since when; and whose ticket it is, if not the reader's."""
    words, mine = ctx.words, owns_ticket(ctx.person, ticket)
    who = ticket_screens.person_name(ctx.account, ticket.specialist, words) if ticket.specialist is not None else ""
    at, clock = ticket.changed, ticket.clock
    if ticket.is_closed:
        text = words.text("inbox.row.closed", at=words.timestamp(ticket.closed or at, "datetime"))
    elif ticket.state.rules.on_hold:
        since = words.timestamp(clock.pauses[-1].since if clock is not None and clock.paused else at, "datetime")
        state = ticket.state.value
        text = words.text(f"inbox.row.{state}" if mine else f"inbox.row.{state}_other", at=since)
    elif ticket.turn == "desk":
        since = words.timestamp(clock.since if clock is not None else at, "datetime")
        text = words.text("inbox.row.waiting", who=who, at=since) if who else words.text("inbox.row.new", at=since)
    else:
        answer = ticket.past[-1] if ticket.past else None
        answered = answer is not None and answer.met and answer.ended is not None
        since = words.timestamp(answer.ended if answered and answer is not None and answer.ended else at, "datetime")
        text = words.text("inbox.row.answered", who=who or words("inbox.row.the_desk"), at=since)
    return text if mine else (f"{ticket.name} · ", *text)


def _turning(ctx: Context, box: InboxPage, spot: InboxPosition, surface: Surface) -> list[Block]:
    words, count, size = ctx.words, len(box.tickets), PAGES[surface]
    shown = lists.range_block(words, spot.offset, count, box.total)
    turns = []
    if spot.offset > 0:
        before = replace(spot, offset=max(0, spot.offset - size))
        turns.append(Button(words("button.previous"), f"{surface}.{PREVIOUS[surface]}", before.pack()))
    if spot.offset + count < box.total:
        after = replace(spot, offset=spot.offset + size)
        turns.append(Button(words("button.next"), f"{surface}.{NEXT[surface]}", after.pack()))
    if box.counts["all"]:
        turns.append(Button(words("button.search"), "inbox.search", form=True))
    if surface == "inbox":
        turns.append(Button(words("button.ask"), "support.ask", form=True))
    return [*shown, Buttons(tuple(turns), light=True)] if turns else shown


async def home_blocks(ctx: Context, spot: InboxPosition) -> Sequence[Block]:
    """The inbox on the home screen; empty for people without tickets who can create none."""
    box, spot = await load_inbox(ctx, spot, "home")
    if not box.counts["all"] and not box.counts["fav"] and not contact.can_contact(ctx):
        return ()
    return blocks(ctx, box, spot, "home")
