"""The blocklist (docs/domain.md 3): the list, adding, removing, checking, files in and out, and the help."""

from collections.abc import Sequence

from domain.people import Right
from domain.refusal import Refusal
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
from handlers.framework.context import Context
from handlers.framework.home import HomeSection
from handlers.framework.routes import merge_routes
from handlers.framework.screens import Block, Buttons, FactSet, Paragraph, Screen, Text

ROUTES = merge_routes(
    module.ROUTES
    for module in (results, listing, adding, removing, checking, settings, importing, exporting, ticket_caller)
)


def abilities(ctx: Context) -> Sequence[str]:
    """On the home screen."""
    return ("block",) if ctx.may(Right.MANAGE_BLOCKLIST) and ctx.account.features.blocklist else ()


ROUTES.home_section("blocklist", HomeSection(20, abilities=abilities))

# In the order of the help; each has its usage and its sentence in the catalogues.
HELP = ("list", "add", "remove", "check", "import", "export")


@ROUTES.help("blocklist")
def help_screen(ctx: Context, unknown: str | None = None, near: str | None = None) -> Screen:
    """What can be typed after /blocklist; with the nearest word where an unknown one was."""
    words = ctx.words
    blocks: list[Block] = []
    if unknown is not None:
        key = "help.unknown_near" if near else "help.unknown"
        blocks.append(Paragraph(words.text(key, word=unknown, near=near or "")))
    pairs: list[tuple[str, Text]] = [
        (words(f"help.blocklist.{verb}.usage"), words.text(f"help.blocklist.{verb}")) for verb in HELP
    ]
    blocks += [FactSet(tuple(pairs)), Paragraph(words.text("help.blocklist.typed"), quiet=True)]
    try:
        entry_screens.require_rights(ctx)
    except Refusal:
        return Screen(words("help.blocklist.title"), tuple(blocks), summary=words("help.blocklist.title"))
    blocks.append(Buttons(listing.actions(ctx)))
    return Screen(words("help.blocklist.title"), tuple(blocks), summary=words("help.blocklist.title"))


__all__ = ["HELP", "ROUTES", "help_screen"]
