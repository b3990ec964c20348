"""Files of kinds that no handler reads."""

from collections.abc import Collection

from handlers.framework.context import Context
from handlers.framework.events import File
from handlers.framework.screens import Paragraph, Screen

MOST_OF_A_NAME = 80


def unsupported_file_screen(ctx: Context, file: File, kinds: Collection[str]) -> Screen:
    """Says that a file is of no use, and which kinds are. `kinds`: endings ("csv")."""
    name = file.name[:MOST_OF_A_NAME] or ctx.words("file.nameless")
    known = ctx.words.join(kind.upper() for kind in sorted(kinds))
    text = ctx.words.text("file.other", name=name, kinds=known) if known else ctx.words.text("file.none", name=name)
    return Screen(ctx.words("file.title"), (Paragraph(text),))
