"""Numbers on the home screen: the reader's own; for super admins everybody's, with the usage."""

from collections.abc import Sequence

from domain.people import Right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.events import Press
from handlers.framework.home import HomeSection
from handlers.framework.parse_args import parse_offset
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Paragraph
from handlers.numbers import delete, listing, number_screens

ROUTES = Routes()


@ROUTES.home_press("home.next", "home.previous")
async def turned(ctx: Context, press: Press) -> str:
    return press.value


@ROUTES.home_press("home.undo")
async def undone(ctx: Context, press: Press) -> str:
    await delete.restore(ctx, press)
    return ""


async def blocks(ctx: Context, position: str) -> Sequence[Block]:
    try:
        return await listing.home_blocks(ctx, parse_offset(position.partition("|")[0]))
    except Refusal as no:
        why: list[Block] = [Paragraph((refusal_text(ctx.words, ctx.account, no),))]
        if ctx.account.pricing_url:
            why.append(Buttons((Button(ctx.words("button.plans"), "open", url=ctx.account.pricing_url),)))
        return why


def abilities(ctx: Context) -> Sequence[str]:
    """On the home screen."""
    abilities = []
    if ctx.may(Right.SEE_NUMBERS):
        abilities.append("list_all" if ctx.may(Right.SEE_ALL_NUMBERS) else "list")
    return [*abilities, "get", "assign"] if ctx.may(Right.MANAGE_NUMBERS) else abilities


def first_steps(ctx: Context) -> Sequence[Button]:
    show = Button(ctx.words("button.show_numbers"), number_screens.SHOW_NUMBERS, style="primary")
    return (show, *number_screens.actions(ctx, False))


ROUTES.home_section("numbers", HomeSection(10, blocks, abilities, first_steps=first_steps))
