"""The home screen: my numbers and tickets, the usage for those who run them, what I can do. And the welcome."""

from domain.people import Right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.events import Actor, HomeRequest, Press
from handlers.framework.forms import Form, Response
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Divider, Heading, Paragraph, Screen
from handlers.numbers import delete, listing, number_screens
from handlers.support import ask as ask_support
from handlers.support import inbox_list
from handlers.support.inbox_list import InboxPosition
from store.engine.contacts import LastSeen
from store.support.ticket_reads import VIEWS

ROUTES = Routes()

OPEN_FORM = "open.form"  # the press that opens what a message asked for
LONGEST_COMMAND = 100
FRESH = 3600  # seconds that a note of where somebody is stays good


async def show_home(ctx: Context, event: HomeRequest) -> Response:
    """The home screen came into view: from here on it is kept up to date, and its reader is told things there."""
    if not event.anew:
        await _seen(ctx, event.actor)
    return await screen(ctx)


async def _seen(ctx: Context, actor: Actor) -> None:
    """Notes where the person is; once an hour at most, unless they were somewhere else in between."""
    contacts, platforms = ctx.services.contacts, {actor.platform, *ctx.services.platforms}
    reach = await contacts.last_seen(ctx.snapshot, [ctx.person.id], sorted(platforms))
    now = ctx.now.timestamp()
    known = reach.get((ctx.person.id, actor.platform))
    same = known is not None and known.home and (known.workspace, known.user) == (actor.workspace, actor.user)
    if same and known is not None and known.at > now - FRESH and all(at.at <= known.at for at in reach.values()):
        return
    await contacts.record_seen(
        ctx.snapshot, ctx.person.id, actor.platform, LastSeen(actor.workspace, actor.user, home=True, at=now)
    )


@ROUTES.press("home.next", "home.previous")
async def turned(ctx: Context, press: Press) -> Response:
    offset = press.value.partition("|")[0]
    start = int(offset) if offset.isdecimal() and len(offset) < listing.LONGEST_OFFSET else 0
    return await screen(ctx, InboxPosition(numbers=start))


@ROUTES.press(*(f"home.{view}" for view in VIEWS), "home.earlier", "home.later")
async def looked(ctx: Context, press: Press) -> Response:
    """Another view of the inbox, or another page of it; the numbers stay where they were."""
    return await screen(ctx, InboxPosition.parse(press.value))


@ROUTES.press("home.undo")
async def undone(ctx: Context, press: Press) -> Response:
    await delete.restore(ctx, press)
    return await screen(ctx)


async def screen(ctx: Context, spot: InboxPosition | None = None) -> Screen:
    """What is mine first, numbers and tickets, then what I can do, then where help is. `spot`: what of it is shown."""
    spot = spot or InboxPosition()
    words = ctx.words
    blocks: list[Block] = []
    try:
        blocks += await listing.home_blocks(ctx, spot.numbers)
    except Refusal as no:
        blocks.append(Paragraph((refusal_text(words, ctx.account, no),)))
        if ctx.account.pricing_url:
            blocks.append(Buttons((Button(words("button.plans"), "open", url=ctx.account.pricing_url),)))
    if tickets := await inbox_list.home_blocks(ctx, spot):
        blocks += [Divider(), Heading(words("inbox.title")), *tickets]
    blocks += [Divider(), Heading(words("home.can.title"))]
    blocks += [Paragraph(words.text(f"home.can.{what}")) for what in _can(ctx)]
    blocks.append(Buttons(ask_support.actions(ctx)))
    return Screen(words("home.title", account=ctx.account.name), tuple(blocks))


def _can(ctx: Context) -> list[str]:
    """Each a sentence with the words to type."""
    can = []
    if ctx.may(Right.SEE_NUMBERS):
        can.append("list_all" if ctx.may(Right.SEE_ALL_NUMBERS) else "list")
    if ctx.may(Right.MANAGE_NUMBERS):
        can += ["get", "assign"]
    if ctx.may(Right.MANAGE_BLOCKLIST) and ctx.account.features.blocklist:
        can.append("block")
    if ctx.may(Right.REGISTER):
        can.append("register")
    return [*can, "support", "help"]


def form_button_screen(ctx: Context, form: Form, command: str) -> Screen:
    """A message can't open a dialog: the button that does. `command`: what was written, its name in front or not."""
    command = command.lstrip("/")
    if command.partition(" ")[0].lower() not in ("numbers", "blocklist", "support"):
        name = next((n for n in ("blocklist", "support") if form.id.startswith(f"{n}.")), "numbers")
        command = f"{name} {command}"
    button = Button(form.title, OPEN_FORM, command[:LONGEST_COMMAND], style="primary", form=True)
    return Screen(form.title, (Paragraph(ctx.words.text("home.ask")), Buttons((button,))))


def welcome(ctx: Context) -> Screen:
    """To the one who installed the bot: that it works, and the first thing to do."""
    words = ctx.words
    admin = ctx.may(Right.MANAGE_NUMBERS)
    blocks: list[Block] = [
        Paragraph(words.text("welcome.text", account=ctx.account.name)),
        Paragraph(words.text("welcome.first_admin" if admin else "welcome.first")),
    ]
    show = Button(words("button.show_numbers"), number_screens.SHOW_NUMBERS, style="primary")
    blocks.append(Buttons((show, *number_screens.actions(ctx, False))))
    return Screen(words("welcome.title"), tuple(blocks))
