"""The blocklist (docs/domain.md 3): the list, adding, removing, checking, files in and out, and the help."""

from domain.refusal import Refusal
from handlers.blocklist import adding, browse, checking, exporting, importing, looks, removing, switches
from handlers.framework.context import Context
from handlers.framework.routes import merge
from handlers.framework.vocabulary import Block, Buttons, Facts, Paragraph, Screen, Text

ROUTES = merge(m.ROUTES for m in (looks, browse, adding, removing, checking, switches, importing, exporting))

# In the order of the help; each has its usage and its sentence in the catalogues.
HELP = ("list", "add", "remove", "check", "import", "export")


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
    blocks += [Facts(tuple(pairs)), Paragraph(words.text("help.blocklist.typed"), quiet=True)]
    try:
        looks.rights(ctx)
    except Refusal:
        return Screen(words("help.blocklist.title"), tuple(blocks), summary=words("help.blocklist.title"))
    blocks.append(Buttons(browse.actions(ctx)))
    return Screen(words("help.blocklist.title"), tuple(blocks), summary=words("help.blocklist.title"))


__all__ = ["HELP", "ROUTES", "help_screen"]
