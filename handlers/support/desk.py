"""Specialists' steps on a ticket (docs/domain.md 7): buttons of its card and the dialogs that they open.

Whether somebody is a specialist is checked on every press and submission; membership in the desk's channel gives no
right.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from domain import policy
from domain.accounts.account import Person
from domain.refusal import Refusal
from domain.support import desk
from domain.support.desk import next_action_at
from domain.support.ticket import Ticket, TicketChange, dedicated, require_desk
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Choice,
    Form,
    Heading,
    ListItem,
    Nothing,
    Notice,
    Option,
    Paragraph,
    Response,
    Screen,
    Text,
    TextField,
)
from handlers.support import inbox, ticket_changes, ticket_screens
from handlers.support.ticket_keys import ButtonValue, TicketResult
from store.support.ticket_reads import DeskQueues

ROUTES = Routes()

QUEUED: Final = 10  # tickets shown of each queue
_FIELDS: Final = {"reply": "reply", "note": "note", "downgrade": "reason"}  # the input of each dialog

# Steps without input, by the name of their button.
_AT_ONCE: Final[dict[str, Callable[[Ticket, Context], TicketChange]]] = {
    "claim": lambda ticket, ctx: desk.claim(ticket, ctx.person, ctx.now),
    "pend": lambda ticket, ctx: desk.set_pending(ticket, ctx.person, ctx.now),
    "resume": lambda ticket, ctx: desk.resume(ticket, ctx.person, ctx.now),
    "close": lambda ticket, ctx: desk.close_desk(ticket, ctx.person, ctx.now),
    "reopen": lambda ticket, ctx: desk.reopen_desk(ticket, ctx.person, ctx.now),
    "confirm": lambda ticket, ctx: desk.confirm(ticket, ctx.person, ctx.now),
    "called": lambda ticket, ctx: desk.record_call(ticket, ctx.person, ctx.now),
    "no_answer": lambda ticket, ctx: desk.record_no_answer(ticket, ctx.account, ctx.person, ctx.now),
    "escalate": lambda ticket, ctx: desk.escalate_desk(ticket, ctx.account, ctx.person, ctx.now),
    "acknowledge": lambda ticket, ctx: desk.acknowledge(ticket, ctx.person, ctx.now),
}


@ROUTES.press(*(f"desk.{name}" for name in _AT_ONCE))
async def pressed(ctx: Context, press: Press) -> Response:
    """Run a step that needs no input. The change itself updates the card."""
    name = press.action.removeprefix("desk.")
    if name != "acknowledge":  # also for people of the escalation policy
        require_desk(ctx.person)
    ticket = await ticket_changes.change_ticket(
        ctx, press.id, press.value, name, lambda ticket: _AT_ONCE[name](ticket, ctx)
    )
    return await inbox.ticket_screen(ctx, ticket) if ButtonValue.parse(press.value).in_place else Nothing()


# ── In a dialog ─────────────────────────────────────────────────────────────────────────────────────────────────


@ROUTES.press("desk.reply", "desk.note", "desk.downgrade")
async def write(ctx: Context, press: Press) -> Response:
    """The dialog for a reply, a note or a reason. Replies and notes have different dialogs, so that one is not taken
    for the other."""
    require_desk(ctx.person)
    ticket = await ticket_changes.find_ticket(ctx, press.value)
    what, words = press.action.removeprefix("desk."), ctx.words
    about = words.text(f"desk.{what}.about", name=ticket.name, number=ticket.display_number, overview=ticket.overview)
    most = policy.COMMENT_LENGTH if what == "downgrade" else policy.MESSAGE_LENGTH
    field = TextField(_FIELDS[what], words(f"field.{what}"), required=True, multiline=True, max_length=most)
    title, send = words(f"desk.{what}.title"), words(f"desk.{what}.send")
    state = {"ticket": str(ticket.number)}
    return Form(f"desk.{what}", title, send, (Paragraph(about, quiet=True), field), state, words("button.cancel"))


@ROUTES.submit("desk.reply")
async def replied(ctx: Context, submit: Submit) -> Response:
    return await _written(ctx, submit, "replied", lambda t, text: desk.reply_desk(t, ctx.person, text, (), ctx.now))


@ROUTES.submit("desk.note")
async def noted(ctx: Context, submit: Submit) -> Response:
    return await _written(ctx, submit, "noted", lambda t, text: desk.add_note(t, ctx.person, text, ctx.now))


@ROUTES.submit("desk.downgrade")
async def downgraded(ctx: Context, submit: Submit) -> Response:
    return await _written(ctx, submit, "downgraded", lambda t, text: desk.downgrade(t, ctx.person, text, ctx.now))


async def _written(ctx: Context, submit: Submit, what: str, decide: Callable[[Ticket, str], TicketChange]) -> Response:
    require_desk(ctx.person)
    text = submit.values.get(_FIELDS[submit.form.removeprefix("desk.")], "")
    return await ticket_changes.change_submitted(ctx, submit, what, lambda ticket: decide(ticket, text))


@ROUTES.press("desk.assign")
async def assign(ctx: Context, press: Press) -> Response:
    require_desk(ctx.person)
    ticket, words = await ticket_changes.find_ticket(ctx, press.value), ctx.words
    people = [p for p in ctx.account.people if p.specialist]
    current = ctx.account.person(ticket.specialist) if ticket.specialist else None
    chosen = current.id if current else ctx.person.id
    options = tuple(Option(p.id, p.name) for p in people)
    choice = Choice("person", words("field.person"), options, chosen, required=True)
    about = words.text("desk.assign.about", number=ticket.display_number, overview=ticket.overview)
    title, send = words("desk.assign.title"), words("button.assign")
    state = {"ticket": str(ticket.number)}
    return Form("desk.assign", title, send, (Paragraph(about, quiet=True), choice), state, words("button.cancel"))


@ROUTES.submit("desk.assign")
async def assigned(ctx: Context, submit: Submit) -> Response:
    require_desk(ctx.person)
    to = _specialist(ctx, submit.values.get("person", ""))
    return await ticket_changes.change_submitted(
        ctx, submit, "assigned", lambda t: desk.assign(t, ctx.person, to, ctx.now)
    )


def _specialist(ctx: Context, id: str) -> Person:
    found = ctx.account.person(id)
    if found is None or not found.specialist:
        raise Refusal("assign_who", "person", person=found.name if found is not None else id[:40])
    return found


# ── The queue ───────────────────────────────────────────────────────────────────────────────────────────────────


@ROUTES.command("support", "queue")
async def queue_command(ctx: Context, command: Command) -> Response:
    return await queue(ctx)


@ROUTES.press("desk.queue")
async def queue_pressed(ctx: Context, press: Press) -> Response:
    return Notice(await queue(ctx))


async def queue(ctx: Context) -> Screen:
    """What waits at the desk, each part in order of due time: callbacks, with number and language; unassigned tickets;
    those dedicated to others; their own."""
    require_desk(ctx.person)
    words, blocks = ctx.words, list[Block]()
    waiting = await ctx.services.tickets.waiting(ctx.snapshot, ctx.person.id, QUEUED)
    takes, theirs = _free(ctx, waiting)
    called = {ticket.number for ticket in waiting.calls}
    stretches = (
        (words("desk.queue.calls"), waiting.calls),
        (words("desk.queue.free"), [ticket for ticket in takes if ticket.number not in called]),
        (words("desk.queue.theirs"), [ticket for ticket in theirs if ticket.number not in called]),
        (words("desk.queue.mine"), [ticket for ticket in waiting.mine if ticket.number not in called]),
    )
    for title, found in stretches:
        if found:
            blocks += [Heading(title), *(_waiting(ctx, ticket) for ticket in found)]
    if not blocks:
        blocks.append(Paragraph(words.text("desk.queue.empty")))
    taking = (Button(words("button.next_ticket"), "desk.next", style="primary"),) if takes else ()
    blocks.append(Buttons((*taking, Button(words("button.report"), "desk.report"))))
    return Screen(words("desk.queue.title"), tuple(blocks))


def _free(ctx: Context, waiting: DeskQueues) -> tuple[list[Ticket], list[Ticket]]:
    """Unassigned tickets: those that this specialist takes, in order, and those for others. Premium tickets go to the
    account's dedicated specialists first (docs/domain.md 6)."""
    takes, theirs = list(waiting.free), list[Ticket]()
    for ticket in waiting.premium:
        people = dedicated(ctx.account, ticket)
        (theirs if people and ctx.person.id not in {person.id for person in people} else takes).append(ticket)
    first = {ticket.number for ticket in waiting.premium if dedicated(ctx.account, ticket)}

    def order(ticket: Ticket) -> tuple[bool, datetime]:
        return ticket.number not in first, next_action_at(ctx.account, ticket) or ticket.created

    return sorted(takes, key=order), theirs


def _waiting(ctx: Context, ticket: Ticket) -> ListItem:
    words = ctx.words
    details: list[Text] = [(" · ".join((ticket.name, words.language_name(ticket.language))),)]
    if (callback := ticket.callback) is not None and callback.called is None:
        details.append((ctx.number(callback.number, callback.extension),))
    if (clock := ticket_screens.clock_text(ctx.account, ticket, words, ctx.now)) is not None:
        details.append(clock)
    label = words("button.open_ticket")
    spoken = words("desk.spoken", what=label, number=ticket.display_number)
    open_ = Button(label, "inbox.ticket", str(ticket.number), spoken=spoken)
    return ListItem(f"{ticket.display_number} {ticket.overview}", tuple(details), button=open_)


@ROUTES.press("desk.next")
async def following(ctx: Context, press: Press) -> Response:
    """Claim the unassigned ticket that is due first."""
    require_desk(ctx.person)
    if (before := await ctx.services.changes.first_answer(ctx.snapshot, press.id)) is not None:
        return _card(ctx, await ticket_changes.find_ticket(ctx, str(TicketResult.parse(before).number)))
    takes, _ = _free(ctx, await ctx.services.tickets.waiting(ctx.snapshot, ctx.person.id, QUEUED))
    for ticket in takes:
        try:
            number = str(ticket.number)
            claimed = await ticket_changes.change_ticket(
                ctx, press.id, number, "claim", lambda t: desk.claim(t, ctx.person, ctx.now)
            )
        except Refusal:
            continue  # claimed by somebody else
        return _card(ctx, claimed)
    return Notice(Screen(ctx.words("desk.queue.title"), (Paragraph(ctx.words.text("desk.queue.empty")),)))


def _card(ctx: Context, ticket: Ticket) -> Notice:
    return Notice(ticket_screens.desk_card(ctx.account, ticket, ctx.now))


@ROUTES.result(TicketResult)
def done(ctx: Context, result: TicketResult) -> Screen:
    """What was done to a ticket, for a repeat of the request."""
    return ticket_screens.done_screen(ctx.words, result.number, result.what)
