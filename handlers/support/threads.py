"""What is written in the threads of a ticket (ROUTES.thread "ticket").

In the person's thread everything goes to the desk. In the desk's thread of a live chat everything goes to the person,
which its head says; of any other ticket it is talk among specialists, and stays there. Changes and deletions follow.
"""

from domain import tickets
from domain.refusal import Refusal
from domain.tickets import FileRef, State, Ticket
from handlers.context import Context
from handlers.routes import Routes
from handlers.support import filing
from handlers.support.filing import Spoken
from handlers.vocabulary import Edited, File, Nothing, Notice, Outcome, Paragraph, Removed, Said, Screen
from store.commit import GuardFailed
from store.numbers import Change
from store.posts import Place

ROUTES = Routes()


@ROUTES.thread("ticket")
async def below(ctx: Context, event: Said | Edited | Removed, key: str) -> Outcome:
    found = filing.parse(key)
    if found is None:
        return Nothing()
    number, what = found
    if isinstance(event, Edited | Removed):
        return await _changed(ctx, event, number)
    if what == "desk":
        return await _at_desk(ctx, event, number)
    if what == "person":
        return await by_person(ctx, event, number)
    return Nothing()


async def _at_desk(ctx: Context, event: Said, number: int) -> Outcome:
    if not ctx.person.specialist:
        return Nothing()  # others may look on, and talk
    found = await ctx.services.tickets.get(ctx.held, number)
    if found is None or not found.ticket.live:
        return Nothing()
    if found.ticket.state is State.CLOSED:
        return _notice(ctx, "desk.thread_closed", found.ticket)
    files = refs(event)
    await filing.act(
        ctx,
        event.id,
        number,
        "replied",
        lambda t: tickets.reply_desk(t, ctx.person, event.text, files, ctx.now),
        spoken=_spoken("desk", event),
    )
    return Nothing()


async def by_person(ctx: Context, event: Said, number: int) -> Outcome:
    """What the person wrote, to the desk."""
    files = refs(event)
    await filing.act(
        ctx,
        event.id,
        number,
        "said",
        lambda t: tickets.reply_person(t, ctx.person, event.text, files, ctx.now),
        spoken=_spoken("person", event),
    )
    return Nothing()


async def _changed(ctx: Context, event: Edited | Removed, number: int) -> Outcome:
    """What was said is known by the message it was said in."""
    where = event.where
    source = await ctx.services.posts.find(ctx.held, where.platform, where.workspace, event.message)
    parsed = filing.parse(source or "")
    if parsed is None or parsed[0] != number or not parsed[1].endswith(":src"):
        return Nothing()
    id = int(parsed[1].removeprefix("m").removesuffix(":src"))
    for _ in range(filing.TRIES):
        found = await ctx.services.tickets.get(ctx.held, number)
        entry = await ctx.services.tickets.message(ctx.held, number, id)
        if found is None or entry is None or entry.message.deleted:
            return Nothing()
        try:
            if isinstance(event, Removed):
                after = tickets.taken_back(entry.message, ctx.person, ctx.now)
            else:
                after = tickets.edited(entry.message, ctx.person, event.text, ctx.now)
        except Refusal:
            return Nothing()  # somebody with more rights than the author took it away there
        side: filing.Side = "desk" if entry.message.side == "desk" else "person"
        effects = filing.mirrored(ctx.services, ctx.held, found.ticket, after, event.id, side)
        change = Change(event.id, ctx.person.id, ctx.now, f"ticket|{number}|edited", tuple(effects))
        try:
            await ctx.services.tickets.change_message(ctx.held, number, entry, after, change)
        except GuardFailed:
            continue
        return Nothing()
    return Nothing()


def refs(event: Said) -> tuple[FileRef, ...]:
    """The files of a message, by reference."""
    return tuple(ref_of(file, event.where.platform, event.where.workspace) for file in event.files)


def ref_of(file: File, platform: str, workspace: str) -> FileRef:
    return FileRef(
        id=file.id[:200],
        name=file.name[:200] or file.id[:40],
        size=file.size,
        mime=file.mime[:100],
        platform=platform,
        workspace=workspace,
        ref=file.ref[:2_000],
    )


def _spoken(side: filing.Side, event: Said) -> Spoken:
    where = event.where
    return Spoken(side, Place(where.platform, where.workspace, event.message))


def _notice(ctx: Context, key: str, ticket: Ticket) -> Notice:
    return Notice(Screen(ticket.shown, (Paragraph(ctx.words.text(key, number=ticket.shown)),)))
