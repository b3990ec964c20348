"""A person's steps on their own ticket: reply, close, reopen, rate, and declare it business critical."""

from collections.abc import Callable
from typing import Final

from domain import policy
from domain.refusal import Refusal
from domain.support import tickets
from domain.support.ticket import Impact, Ticket, TicketChange, require_owner
from handlers.framework.context import Context
from handlers.framework.events import Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Choice, Form, FormField, Notice, Option, Paragraph, Response, Screen, TextField
from handlers.support import inbox, ticket_changes, ticket_screens
from handlers.support.ticket_keys import ButtonValue

ROUTES = Routes()

_AT_ONCE: Final[dict[str, Callable[[Ticket, Context], TicketChange]]] = {
    "close": lambda ticket, ctx: tickets.close_person(ticket, ctx.person, ctx.now),
    "reopen": lambda ticket, ctx: tickets.reopen_person(ticket, ctx.person, ctx.now),
    "press": lambda ticket, ctx: tickets.mark_pressing(ticket, ctx.person, ctx.now),
}


@ROUTES.press(*(f"ticket.{name}" for name in _AT_ONCE))
async def pressed(ctx: Context, press: Press) -> Response:
    name = press.action.removeprefix("ticket.")
    ticket = await ticket_changes.change_ticket(ctx, press.id, press.value, name, lambda t: _AT_ONCE[name](t, ctx))
    if ButtonValue.parse(press.value).in_place:
        return await inbox.ticket_screen(ctx, ticket)
    return Notice(ticket_screens.done_screen(ctx.words, ticket.number, name))


@ROUTES.press("ticket.reply")
async def reply(ctx: Context, press: Press) -> Response:
    ticket = await _mine(ctx, press.value)
    words = ctx.words
    about = words.text("ticket.reply.about", number=ticket.display_number, overview=ticket.overview)
    field = TextField("reply", words("field.reply"), required=True, multiline=True, max_length=policy.MESSAGE_LENGTH)
    parts = (Paragraph(about, quiet=True), field)
    state = {"ticket": str(ticket.number)}
    title, send = words("ticket.reply.title"), words("button.reply")
    return Form("ticket.reply", title, send, parts, state, words("button.cancel"))


@ROUTES.submit("ticket.reply")
async def replied(ctx: Context, submit: Submit) -> Response:
    text = submit.values.get("reply", "")
    return await ticket_changes.change_submitted(
        ctx, submit, "said", lambda t: tickets.reply_person(t, ctx.person, text, (), ctx.now)
    )


@ROUTES.press("ticket.continue")
async def go_on(ctx: Context, press: Press) -> Response:
    """A live chat is continued in the conversation itself."""
    ticket = await _mine(ctx, press.value)
    return Notice(
        Screen(ticket.display_number, (Paragraph(ctx.words.text("ticket.continue", number=ticket.display_number)),))
    )


@ROUTES.press("ticket.survey")
async def ask(ctx: Context, press: Press) -> Response:
    ticket = await _mine(ctx, press.value)
    if not ticket.is_closed:
        raise Refusal("survey_open")
    if ticket.survey is not None:
        raise Refusal("survey_done")
    words = ctx.words
    options = tuple(Option(str(n), words(f"survey.{n}")) for n in range(5, 0, -1))
    parts = (
        Paragraph(words.text("survey.about", number=ticket.display_number, overview=ticket.overview), quiet=True),
        Choice("rating", words("field.rating"), options, required=True, open=True),
        TextField("comment", words("field.comment"), multiline=True, max_length=policy.COMMENT_LENGTH),
    )
    state = {"ticket": str(ticket.number)}
    return Form("ticket.survey", words("survey.title"), words("button.submit"), parts, state, words("button.cancel"))


@ROUTES.submit("ticket.survey")
async def surveyed(ctx: Context, submit: Submit) -> Response:
    values = submit.values

    def decide(ticket: Ticket) -> TicketChange:
        return tickets.survey(ticket, ctx.person, values.get("rating", ""), values.get("comment", ""), ctx.now)

    return await ticket_changes.change_submitted(ctx, submit, "surveyed", decide)


# ── Escalation (docs/domain.md 6) ───────────────────────────────────────────────────────────────────────────────


@ROUTES.press("ticket.escalate")
async def escalate(ctx: Context, press: Press) -> Response:
    """For a designated premium super admin, the criteria and the form; for others, what is required, and a way to tell
    the desk once that it is urgent, without a promise."""
    ticket = await _mine(ctx, press.value)
    words = ctx.words
    state = {"ticket": str(ticket.number)}
    if ticket.is_closed:
        raise Refusal("escalate_closed")
    if not tickets.may_escalate(ticket, ctx.account, ctx.person):
        if ticket.pressing is not None:
            raise Refusal("pressing_already", at=ticket.pressing)
        about = (
            Paragraph(words.text("escalate.takes", minutes=policy.GUARANTEED_MINUTES_CRITICAL)),
            Paragraph(words.text("escalate.tell_desk")),
        )
        title, send = words("escalate.title"), words("button.tell_desk")
        return Form("ticket.press", title, send, about, state, words("button.cancel"))
    if ticket.is_critical:
        raise Refusal("escalate_already")
    parts: tuple[FormField | Paragraph, ...] = (
        Paragraph(words.text("critical.about", minutes=policy.GUARANTEED_MINUTES_CRITICAL)),
        *criteria(ctx),
        impact_choice(ctx, required=True),
        TextField("affected", words("field.affected"), multiline=True, max_length=policy.COMMENT_LENGTH),
    )
    title, send = words("escalate.title"), words("button.escalate")
    return Form("ticket.escalate", title, send, parts, state, words("button.cancel"))


@ROUTES.submit("ticket.escalate")
async def escalated(ctx: Context, submit: Submit) -> Response:
    impact = parse_impact(submit.values.get("impact", ""))
    affected = submit.values.get("affected", "")

    def decide(ticket: Ticket) -> TicketChange:
        return tickets.escalate(ticket, ctx.account, ctx.person, impact, affected, ctx.now)

    return await ticket_changes.change_submitted(ctx, submit, "escalated", decide)


@ROUTES.submit("ticket.press")
async def mattered(ctx: Context, submit: Submit) -> Response:
    return await ticket_changes.change_submitted(
        ctx, submit, "press", lambda t: tickets.mark_pressing(t, ctx.person, ctx.now)
    )


def criteria(ctx: Context) -> tuple[Paragraph, ...]:
    """What counts as business critical, and what does not (S 004)."""
    words = ctx.words
    counts = "\n".join(f"• {words(f'critical.is.{n}')}" for n in range(1, 5))
    does_not = "\n".join(f"• {words(f'critical.not.{n}')}" for n in range(1, 5))
    return (
        Paragraph(words.text("critical.counts", list=counts), quiet=True),
        Paragraph(words.text("critical.does_not", list=does_not), quiet=True),
    )


def impact_choice(ctx: Context, *, required: bool) -> Choice:
    options = tuple(Option(impact.value, ctx.words(f"impact.{impact.value}")) for impact in Impact)
    return Choice("impact", ctx.words("field.impact"), options, required=required)


def parse_impact(value: str) -> Impact | None:
    return Impact(value) if value in set(Impact) else None


async def _mine(ctx: Context, number: str) -> Ticket:
    ticket = await ticket_changes.find_ticket(ctx, number)
    require_owner(ctx.person, ticket)
    return ticket
