"""Tickets on the home screen, and the way to help."""

from collections.abc import Sequence

from handlers.framework.context import Context
from handlers.framework.events import Press
from handlers.framework.home import HomeSection
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Divider, Heading
from handlers.support import ask, inbox_list
from handlers.support.inbox_list import InboxPosition
from store.support.ticket_reads import VIEWS

ROUTES = Routes()


@ROUTES.home_press(*(f"home.{view}" for view in VIEWS), "home.earlier", "home.later")
async def looked(ctx: Context, press: Press) -> str:
    """Another view of the inbox, or another page of it; the numbers stay where they were."""
    return press.value


async def blocks(ctx: Context, position: str) -> Sequence[Block]:
    tickets = await inbox_list.home_blocks(ctx, InboxPosition.parse(position))
    return (Divider(), Heading(ctx.words("inbox.title")), *tickets) if tickets else ()


def abilities(ctx: Context) -> Sequence[str]:
    return ("support",)


ROUTES.home_section("support", HomeSection(40, blocks, abilities, ask.actions))
