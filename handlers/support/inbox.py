"""The inbox (DOMAIN.md 5): a person's tickets, or a super admin's account's, by view; one ticket with its timeline."""

from collections.abc import Sequence
from typing import Final

from domain import tickets
from domain.tickets import Message, State, Ticket, for_person
from handlers.context import Context
from handlers.routes import Routes
from handlers.support import drawing, filing
from handlers.vocabulary import (
    Block,
    Button,
    Buttons,
    Command,
    Divider,
    Facts,
    Form,
    Heading,
    Notice,
    Outcome,
    Paragraph,
    Press,
    Row,
    Screen,
    Submit,
    Text,
    TextField,
)
from store.numbers import Change
from store.tickets import VIEWS, Box, View

ROUTES = Routes()

PAGE: Final = 10
SHOWN: Final = 15  # messages of a timeline at once
LONGEST_QUERY: Final = 60
STAR: Final = "★ "  # before what is among the reader's favorites; the buttons say it in words
_LONGEST_OFFSET: Final = 8  # digits


@ROUTES.command("support", "inbox")
async def inbox_command(ctx: Context, command: Command) -> Outcome:
    return await screen(ctx, "open", 0)


@ROUTES.press("inbox.show")
async def shown(ctx: Context, press: Press) -> Outcome:
    """Beside what is there."""
    return Notice(await screen(ctx, _view(press.value), 0))


@ROUTES.press(*(f"inbox.{view}" for view in VIEWS))
async def chosen(ctx: Context, press: Press) -> Outcome:
    return await screen(ctx, _view(press.action.removeprefix("inbox.")), 0)


@ROUTES.press("inbox.next", "inbox.previous")
async def turned(ctx: Context, press: Press) -> Outcome:
    view, _, rest = press.value.partition("|")
    offset, _, query = rest.partition("|")
    start = int(offset) if offset.isdecimal() and len(offset) < _LONGEST_OFFSET else 0
    return await (found(ctx, query, start) if query else screen(ctx, _view(view), start))


@ROUTES.press("inbox.search")
async def search(ctx: Context, press: Press) -> Outcome:
    words = ctx.words
    field = TextField("query", words("field.search_tickets"), required=True, max_length=LONGEST_QUERY)
    return Form("inbox.search", words("inbox.search.title"), words("button.search"), (field,))


@ROUTES.submit("inbox.search")
async def searched(ctx: Context, submit: Submit) -> Outcome:
    return await found(ctx, submit.values.get("query", ""), 0)


@ROUTES.command("support", "ticket")
async def ticket_command(ctx: Context, command: Command) -> Outcome:
    number = " ".join(w for w in command.words if isinstance(w, str))
    return await ticket_screen(ctx, (await filing.filed(ctx, number)).ticket)


@ROUTES.press("inbox.ticket")
async def opened(ctx: Context, press: Press) -> Outcome:
    return Notice(await ticket_screen(ctx, (await filing.filed(ctx, press.value)).ticket))


@ROUTES.press("inbox.earlier")
async def earlier(ctx: Context, press: Press) -> Outcome:
    number, _, before = press.value.partition("|")
    ticket = (await filing.filed(ctx, number)).ticket
    start = int(before) if before.isdecimal() and len(before) < _LONGEST_OFFSET else None
    return await ticket_screen(ctx, ticket, before=start)


@ROUTES.press("inbox.star", "inbox.unstar")
async def starred(ctx: Context, press: Press) -> Outcome:
    """The star is the reader's own."""
    ticket, on = (await filing.filed(ctx, press.value)).ticket, press.action == "inbox.star"
    change = Change(press.id, ctx.person.id, ctx.now, f"ticket|{ticket.number}|{'starred' if on else 'unstarred'}")
    await ctx.services.tickets.star(ctx.held, ctx.person, ticket.number, on, change)
    return await ticket_screen(ctx, ticket)


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def screen(ctx: Context, view: View, offset: int) -> Screen:
    """A view from `offset` on, with how many there are of each."""
    everyone = ctx.person.super_admin
    box = await ctx.services.tickets.box(ctx.held, ctx.person, view, everyone=everyone, offset=offset, count=PAGE)
    words = ctx.words
    tabs = tuple(
        Button(
            words(f"button.inbox_{v}"),
            f"inbox.{v}",
            style="primary" if v == view else "plain",
            spoken=words("inbox.tab.spoken", view=words(f"button.inbox_{v}"), count=box.counts[v]),
        )
        for v in VIEWS
    )
    counts = words(
        "inbox.counts",
        all=box.counts["all"],
        open=box.counts["open"],
        closed=box.counts["closed"],
        fav=box.counts["fav"],
    )
    blocks: list[Block] = [Buttons(tabs, light=True), Paragraph((counts,), quiet=True), Divider()]
    if not box.tickets:
        blocks.append(Paragraph(words.text(f"inbox.empty_{view}")))
    blocks += _rows(ctx, box, everyone)
    blocks += _turning(ctx, box, view, "")
    title = words("inbox.title_account" if everyone else "inbox.title", account=ctx.account.name)
    return Screen(title, tuple(blocks), summary=f"{title}: {counts}")


async def found(ctx: Context, query: str, offset: int) -> Screen:
    """What a search finds among the tickets that the reader may see."""
    query = " ".join(query.split())[:LONGEST_QUERY]
    everyone = ctx.person.super_admin
    box = await ctx.services.tickets.find(ctx.held, ctx.person, query, everyone=everyone, offset=offset, count=PAGE)
    words = ctx.words
    if box.total:
        key = "inbox.found_many" if box.more_found else "inbox.found"
        blocks: list[Block] = [Paragraph(words.text(key, n=box.total, query=query))]
    else:
        blocks = [Paragraph(words.text("inbox.found_none", query=query))]
    blocks += _rows(ctx, box, everyone)
    blocks += _turning(ctx, box, "all", query)
    return Screen(words("inbox.search.title"), tuple(blocks))


def _rows(ctx: Context, box: Box, everyone: bool) -> list[Block]:
    rows: list[Block] = []
    for ticket in box.tickets:
        star = STAR if ticket.number in box.stars else ""
        who = [ticket.name] if everyone and ticket.person not in ctx.person.ids else []
        state = ctx.words(f"ticket.state.{ticket.state.value}")
        changed = ctx.words.moment(ticket.changed, "datetime")
        details: Text = (" · ".join([*who, state]), " · ", changed)
        open_ = Button(
            ctx.words("button.open_ticket"),
            "inbox.ticket",
            str(ticket.number),
            spoken=ctx.words("desk.spoken", what=ctx.words("button.open_ticket"), number=ticket.shown),
        )
        rows.append(Row(f"{star}{ticket.shown} {ticket.overview}", (details,), button=open_))
    return rows


def _turning(ctx: Context, box: Box, view: View, query: str) -> list[Block]:
    words, count = ctx.words, len(box.tickets)
    blocks: list[Block] = []
    if box.total > count:
        first = box.offset + 1 if count else 0
        blocks.append(
            Paragraph(words.text("numbers.range", first=first, last=box.offset + count, total=box.total), quiet=True)
        )
    turns = []
    if box.offset > 0:
        turns.append(Button(words("button.previous"), "inbox.previous", f"{view}|{max(0, box.offset - PAGE)}|{query}"))
    if box.offset + count < box.total:
        turns.append(Button(words("button.next"), "inbox.next", f"{view}|{box.offset + PAGE}|{query}"))
    turns.append(Button(words("button.search"), "inbox.search", form=True))
    if query:
        turns.append(Button(words("button.inbox_all"), "inbox.all"))
    turns.append(Button(words("button.ask"), "support.ask", form=True))
    return [*blocks, Buttons(tuple(turns))]


# ── One ticket ──────────────────────────────────────────────────────────────────────────────────────────────────


async def ticket_screen(ctx: Context, ticket: Ticket, *, before: int | None = None) -> Screen:
    """A ticket with its timeline, the newest last, and what its reader can do. A note is never on it: specialists read
    those at the desk."""
    words, account = ctx.words, ctx.account
    entries, star = await ctx.services.tickets.look(ctx.held, ctx.person, ticket, SHOWN, before=before)
    title = words("ticket.title", number=ticket.shown, overview=ticket.overview)
    blocks: list[Block] = [Heading(f"{STAR}{title}" if star else title)]
    facts: list[tuple[str, Text]] = [
        (words("desk.state"), (words(f"ticket.state.{ticket.state.value}"),)),
        (words("ticket.channel"), (words(f"channel.short.{ticket.channel.value}"),)),
        (words("ticket.created"), (words.moment(ticket.created, "datetime"),)),
    ]
    clock = drawing.clock_text(account, ticket, words, ctx.now) if ticket.state is not State.CLOSED else None
    if clock is not None:
        facts.append((words("desk.clock"), clock))
    blocks += [Facts(tuple(facts)), Divider()]
    first = entries[0].message.id if entries else 1
    if first > 1:
        label = words("button.earlier")
        blocks.append(Buttons((Button(label, "inbox.earlier", f"{ticket.number}|{first}"),)))
    blocks += _timeline(ctx, ticket, [entry.message for entry in entries])
    blocks.append(Divider())
    name = "unstar" if star else "star"
    favourite = Button(words(f"button.{name}"), f"inbox.{name}", str(ticket.number))
    mine: tuple[Button, ...] = ()
    if tickets.owns(ctx.person, ticket):
        mine = drawing.person_buttons(account, ticket, words)
    elif ctx.person.specialist:
        # The card at the desk has them too; this is for when there is no desk, or it can't be reached.
        mine = (*drawing.desk_buttons(ticket, words), *drawing.desk_menu(ticket, words))
    if mine:
        blocks.append(Buttons(mine))
    blocks.append(Buttons((favourite, Button(words("button.inbox"), "inbox.show", "open"))))
    return Screen("", tuple(blocks), summary=title)


def _timeline(ctx: Context, ticket: Ticket, messages: Sequence[Message]) -> list[Block]:
    blocks: list[Block] = []
    for message in messages:
        if not for_person(message):
            continue
        at = ctx.words.moment(message.at, "datetime")
        if message.kind == "event":
            text = drawing.event_text(ctx.account, ticket, message, ctx.words)
            blocks.append(Paragraph((at, " · ", *text), quiet=True))
            continue
        if message.deleted:
            blocks.append(Paragraph((at, " · ", ctx.words("ticket.deleted", who=message.name)), quiet=True))
            continue
        first, *more = drawing.pieces(message.text) or [Paragraph(("",))]
        blocks.append(Paragraph((at, f" · {message.name}: ", *first.text)))
        blocks += [*more, *drawing.files(message.files, ctx.words)]
    return blocks


def _view(value: str) -> View:
    return next((view for view in VIEWS if view == value), "open")
