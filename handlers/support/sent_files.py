"""Files sent to the bot in private: kept by reference for a while, to be attached to a ticket (docs/domain.md 5).
Needed where dialogs of a platform take no files."""

from collections.abc import Collection

from domain import policy
from handlers.framework.context import Context
from handlers.framework.events import ChatMessage
from handlers.framework.screens import Buttons, Paragraph, Screen
from handlers.support import contact, threads
from store.engine.commit import GuardFailed

TRIES = 3  # lost to messages with files at the same time


async def keep_files(ctx: Context, event: ChatMessage, kinds: Collection[str]) -> Screen | None:
    """Keep references to the files of a message. None if they are of no use: it was sent in a channel, or no support
    channel is open to its sender. `kinds`: of files that other workflows read."""
    if event.where.user is None or not contact.button(ctx).form:
        return None
    refs = threads.refs(event)
    for left in reversed(range(TRIES)):
        try:
            await ctx.services.tickets.keep_files(ctx.snapshot, ctx.person.id, refs, ctx.now)
            break
        except GuardFailed:
            if not left:
                raise
    words = ctx.words
    names = [ref.name for ref in refs[-policy.SENT_FILES :]]
    text = words.text("file.sent", n=len(names), names=names, minutes=policy.SENT_FILES_MINUTES)
    known = words.join(kind.upper() for kind in sorted(kinds))
    reads = (Paragraph(words.text("file.reads", kinds=known), quiet=True),) if known else ()
    return Screen(words("file.sent.title"), (Paragraph(text), *reads, Buttons((contact.button(ctx),))))
