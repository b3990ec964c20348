"""Phone numbers (docs/domain.md 2): the list, getting, editing, deleting, one's own, and the help that names it all."""

from domain.policy import UNDO_DAYS
from handlers.framework.context import Context
from handlers.framework.routes import merge_routes
from handlers.framework.screens import Block, Buttons, Divider, FactSet, Link, Paragraph, Screen, Text
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
    result_in_list,
    results,
)

ROUTES = merge_routes(
    m.ROUTES
    for m in (
        results,
        listing,
        get,
        edit,
        delete,
        history,
        registration,
        caller_id,
        addon_request,
        result_in_list,
        home,
    )
)

# In the order of the help; each has its usage and its sentence in the catalogues.
HELP = (
    "list",
    "get",
    "assign",
    "forward",
    "delete",
    "undo",
    "register",
    "usage",
    "history",
    "block",
    "unblock",
    "blocked",
)


@ROUTES.help("numbers")
def help_screen(ctx: Context, unknown: str | None = None, near: str | None = None) -> Screen:
    """What can be typed; with the nearest word where an unknown one was."""
    words = ctx.words
    blocks: list[Block] = []
    if unknown is not None:
        key = "help.unknown_near" if near else "help.unknown"
        blocks.append(Paragraph(words.text(key, word=unknown, near=near or "")))
    pairs: list[tuple[str, Text]] = [
        (words(f"help.{verb}.usage"), words.text(f"help.{verb}", days=UNDO_DAYS)) for verb in HELP
    ]
    blocks += [FactSet(tuple(pairs)), Divider(), Paragraph(words.text("help.numbers_typed"), quiet=True)]
    blocks.append(Paragraph(words.text("help.support"), quiet=True))
    if ctx.services.links:
        links: list[str | Link] = []
        for name, url in ctx.services.links:
            links += [" · "] * bool(links) + [Link(words(f"link.{name}"), url)]
        blocks.append(Paragraph(tuple(links), quiet=True))
    if buttons := number_screens.actions(ctx):
        blocks.append(Buttons(buttons))
    return Screen(words("help.title"), tuple(blocks), summary=words("help.title"))


__all__ = ["HELP", "ROUTES", "help_screen"]
