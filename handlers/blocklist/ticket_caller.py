"""Block the callback number of a ticket from the ticket's card, in the blocklist's dialog. For super admins who are
specialists (docs/domain.md 3)."""

from dataclasses import replace

from domain.refusal import Refusal
from domain.support.ticket import Ticket, parse_ticket_number, require_desk
from handlers.blocklist import adding, entry_screens
from handlers.framework.context import Context
from handlers.framework.events import Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Form, Response

ROUTES = Routes()

LONGEST = 20  # characters of a ticket's number


@ROUTES.press("desk.block")
async def pressed(ctx: Context, press: Press) -> Response:
    ticket = await _ticket(ctx, press.value)
    entry_screens.require_rights(ctx)
    number = ticket.callback.number if ticket.callback is not None else ""
    return _of_ticket(adding.form(ctx, {"number": number}), str(ticket.number))


@ROUTES.press("desk.block:expires")
async def expiry_chosen(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    return _of_ticket(await adding.expiry_chosen(ctx, press), press.state.get("ticket", ""))


@ROUTES.submit("desk.block")
async def submitted(ctx: Context, submit: Submit) -> Response:
    ticket = await _ticket(ctx, submit.state.get("ticket", ""))
    entry_screens.require_rights(ctx)
    # The confirmation goes to the person; `reply` leads to the card, which the whole desk sees.
    private = replace(submit, where=replace(submit.where, reply=None))
    return _of_ticket(await adding.submitted(ctx, private), str(ticket.number))


async def _ticket(ctx: Context, value: str) -> Ticket:
    """The ticket of a card's button ("142", "142|here"). Raises Refusal; only specialists may see every ticket."""
    require_desk(ctx.person)
    number = parse_ticket_number(value.partition("|")[0][:LONGEST])
    record = await ctx.services.tickets.get(ctx.snapshot, number) if number is not None else None
    if record is None:
        raise Refusal("ticket_unknown", number=value[:LONGEST])
    return record.value


def _of_ticket(response: Response, number: str) -> Response:
    """The blocklist's dialog, submitted as this module's."""
    if not isinstance(response, Form):
        return response
    return replace(response, id="desk.block", state={**response.state, "ticket": number})
