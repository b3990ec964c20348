"""The blocklist (docs/domain.md 3): the list, adding, removing, checking, files in and out, and the help."""

from collections.abc import Sequence

from handlers.blocklist import (
    adding,
    checking,
    entry_screens,
    exporting,
    importing,
    listing,
    removing,
    results,
    settings,
    ticket_caller,
)
from handlers.framework import lists
from handlers.framework.context import Context
from handlers.framework.home import HomeSection
from handlers.framework.routes import merge_routes
from handlers.framework.screens import Block, Buttons, Paragraph, Screen

ROUTES = merge_routes(
    module.ROUTES
    for module in (results, listing, adding, removing, checking, settings, importing, exporting, ticket_caller)
)


def abilities(ctx: Context) -> Sequence[str]:
    """On the home screen."""
    return ("block",) if entry_screens.may_manage(ctx) else ()


ROUTES.home_section("blocklist", HomeSection(20, abilities=abilities))

# In the order of the help; the catalogues have a usage and a sentence for each.
HELP = ("list", "add", "remove", "check", "import", "export")


@ROUTES.help("blocklist")
def help_screen(ctx: Context, unknown: str | None = None, near: str | None = None) -> Screen:
    """The commands after `/blocklist`."""
    words = ctx.words
    usages = [(words(f"help.blocklist.{verb}.usage"), words.text(f"help.blocklist.{verb}")) for verb in HELP]
    more: list[Block] = [Paragraph(words.text("help.blocklist.typed"), quiet=True)]
    if entry_screens.may_manage(ctx):
        more.append(Buttons(listing.actions(ctx)))
    return lists.help_screen(ctx, words("help.blocklist.title"), usages, unknown, near, *more)


__all__ = ["HELP", "ROUTES", "help_screen"]
