"""The support workflow (docs/domain.md 4 to 7): questions, contact, the ticket form, the desk, threads and the inbox;
and its help."""

from handlers.framework import lists
from handlers.framework.context import Context
from handlers.framework.routes import Conversation, merge_routes
from handlers.framework.screens import Block, Buttons, Paragraph, Screen
from handlers.support import ask, contact, desk, form, home, inbox, own_tickets, report, sent_files, threads

ROUTES = merge_routes(m.ROUTES for m in (ask, contact, form, desk, own_tickets, threads, inbox, report, home))
ROUTES.conversation = Conversation(threads.live_chat_key, sent_files.keep_files, ask.answer_message)

# In the order of the help; each has its usage and its sentence in the catalogues.
HELP = ("question", "ask", "contact", "inbox", "ticket", "queue", "report")


@ROUTES.help("support")
def help_screen(ctx: Context, unknown: str | None = None, near: str | None = None) -> Screen:
    """The commands after `/support`."""
    words = ctx.words
    usages = [(words(f"support.help.{what}.usage"), words.text(f"support.help.{what}")) for what in HELP]
    links = ask.links(ctx)
    more: list[Block] = [Paragraph(links, quiet=True)] if links else []
    return lists.help_screen(ctx, words("support.help.title"), usages, None, None, *more, Buttons(ask.actions(ctx)))


__all__ = ["HELP", "ROUTES", "help_screen"]
