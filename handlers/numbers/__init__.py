"""Phone numbers (docs/domain.md 2): the list, getting, editing, deleting, one's own, and the help that names it all."""

from domain.policy import UNDO_DAYS
from handlers.framework import lists
from handlers.framework.context import Context
from handlers.framework.routes import merge_routes
from handlers.framework.screens import Block, Buttons, Divider, Link, Paragraph, Screen
from handlers.numbers import (
    addon_request,
    caller_id,
    delete,
    edit,
    get,
    history,
    home,
    listing,
    number_screens,
    registration,
    results,
)

_MODULES = (results, listing, get, edit, delete, history, registration, caller_id, addon_request, home)
ROUTES = merge_routes(module.ROUTES for module in _MODULES)

# In the order of the help; the catalogues have a usage and a sentence for each.
HELP: tuple[str, ...] = ("list", "get", "assign", "forward", "delete", "undo", "register", "usage", "history")
HELP += ("block", "unblock", "blocked")


@ROUTES.help("numbers")
def help_screen(ctx: Context, unknown: str | None = None, near: str | None = None) -> Screen:
    """The commands after `/numbers`, which are the first things to know about the bot."""
    words = ctx.words
    usages = [(words(f"help.{verb}.usage"), words.text(f"help.{verb}", days=UNDO_DAYS)) for verb in HELP]
    blocks: list[Block] = [Divider(), Paragraph(words.text("help.numbers_typed"), quiet=True)]
    blocks.append(Paragraph(words.text("help.support"), quiet=True))
    if ctx.services.links:
        links: list[str | Link] = []
        for name, url in ctx.services.links:
            links += [" · "] * bool(links) + [Link(words(f"link.{name}"), url)]
        blocks.append(Paragraph(tuple(links), quiet=True))
    if buttons := number_screens.actions(ctx):
        blocks.append(Buttons(buttons))
    return lists.help_screen(ctx, words("help.title"), usages, unknown, near, *blocks)


__all__ = ["HELP", "ROUTES", "help_screen"]
