"""What is written in the threads of a ticket (ROUTES.thread "ticket").

In the person's thread everything goes to the desk. In the desk's thread of a live chat everything goes to the person,
which its head says; of any other ticket it is talk among specialists, and stays there. Changes and deletions follow.
"""

from collections.abc import Sequence
from typing import Final

from domain.accounts.account import Person
from domain.refusal import Refusal
from domain.support import desk, tickets
from domain.support.ticket import FileRef, Ticket, dedicated
from handlers.framework.context import Context, reachable_addresses, words_for
from handlers.framework.effects import screen_effect
from handlers.framework.events import ChatMessage, File, MessageDeletion, MessageEdit
from handlers.framework.forms import Nothing, Response
from handlers.framework.ports import Services
from handlers.framework.routes import Routes
from handlers.framework.screens import Button, Buttons, Notice, Paragraph, Screen
from handlers.support import ticket_changes
from handlers.support.ticket_changes import MessageSource, PostKey, TicketResult
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.effects import Effect
from store.engine.posts import EarlyEdit, MessageRef

ROUTES = Routes()

CHATS_LOOKED_AT: Final = 10  # open tickets of a person, the last ones
TOLD_AT_MOST: Final = 10
LONGEST_URL: Final = 1_000


@ROUTES.thread("ticket")
async def below(ctx: Context, event: ChatMessage | MessageEdit | MessageDeletion, key: str) -> Response:
    post = PostKey.parse(key)
    if post is None:
        return Nothing()
    number = post.number
    if isinstance(event, MessageEdit | MessageDeletion):
        return await _changed(ctx, event, number)
    if post.message is not None:
        return Nothing()
    outcome = await (_at_desk if post.what == "desk" else relay_to_desk)(ctx, event, number)
    early = await ctx.services.posts.early_edit(ctx.snapshot, ctx.person.id, _place(event))
    if early is not None:
        await _changed(ctx, _later(event, early), number)
    return outcome


async def live_chat_key(ctx: Context, event: ChatMessage) -> str | None:
    """Where there are no threads: the key of the live chat that a message goes to, the one in which something was
    said last."""
    box = await ctx.services.tickets.box(
        ctx.snapshot, ctx.person, "open", everyone=False, offset=0, count=CHATS_LOOKED_AT
    )
    for ticket in box.tickets:
        home = ticket_changes.person_address(ticket)
        if ticket.live and home is not None and home.platform == event.where.platform:
            return PostKey(ticket.number, "person").pack()
    return None


@ROUTES.lost_post("ticket")
async def lost(services: Services, account: str, key: str, why: str) -> None:
    """The desk's channel is closed to us: the super admins are told once, and the specialists of each ticket whose
    card can't arrive, in private. The ticket itself is as usable as before."""
    post = PostKey.parse(key)
    if post is None or post.what != "desk" or post.message is not None:
        return

    async def step(snapshot: AccountSnapshot) -> None:
        filed = await services.tickets.get(snapshot, post.number)
        desk = snapshot.account.desk
        if filed is None or desk is None:
            return
        place = f"{desk.platform}|{desk.workspace}|{desk.channel}"
        admins = list(snapshot.account.super_admins)
        now = services.now()
        one = await notice_effects(
            services, snapshot, admins, filed.value, "desk.lost", f"lost|{place}|{now.isoformat()}"
        )
        await services.posts.record_lost_desk(snapshot, place, why, now, one)
        dedup_key, people = await _instead(services, snapshot, filed.value, f"lost|{key}")
        each = await notice_effects(services, snapshot, people, filed.value, "desk.no_desk", dedup_key)
        await services.changes.send_once(snapshot, dedup_key, each)

    await services.accounts.run_on_current(account, step)


async def _instead(
    services: Services, snapshot: AccountSnapshot, ticket: Ticket, dedup_key: str
) -> tuple[str, list[Person]]:
    """Who is told of a ticket whose card can't arrive: everybody whom it goes to, once; whoever has it, of each thing
    that the person writes. With the name under which that happens once."""
    has = snapshot.account.person(ticket.specialist) if ticket.specialist else None
    if has is None:
        named = dedicated(snapshot.account, ticket)
        return dedup_key, list(named or [p for p in snapshot.account.people if p.specialist])[:TOLD_AT_MOST]
    last = await services.tickets.message(snapshot, ticket.number, ticket.messages)
    written = last is not None and last.value.side == "person"
    return f"{dedup_key}|{ticket.messages}", [has] if written else []


async def notice_effects(
    services: Services, snapshot: AccountSnapshot, people: Sequence[Person], ticket: Ticket, key: str, dedup_key: str
) -> list[Effect]:
    """A line to each, where they were last seen."""
    seen = await services.contacts.last_seen(snapshot, [person.id for person in people], services.platforms)
    found: list[Effect] = []
    for person in people:
        words = words_for(snapshot.account, person)
        open_ = Button(words("button.open_ticket"), "inbox.ticket", str(ticket.number))
        text = words.text(key, number=ticket.display_number, name=ticket.name, overview=ticket.overview)
        screen = Screen("", (Paragraph(text), Buttons((open_,))))
        found += [
            screen_effect(f"{dedup_key}|{person.id}", to, screen)
            for to in reachable_addresses(snapshot.account, services, person, seen)[:1]
        ]
    return found


async def _at_desk(ctx: Context, event: ChatMessage, number: int) -> Response:
    if not ctx.person.specialist:
        return Nothing()  # others may look on, and talk
    found = await ctx.services.tickets.get(ctx.snapshot, number)
    if found is None or not found.value.live:
        return Nothing()
    if found.value.is_closed:
        return _notice(ctx, "desk.thread_closed", found.value)
    files = refs(event)
    await ticket_changes.change_ticket(
        ctx,
        event.id,
        str(number),
        "replied",
        lambda t: desk.reply_desk(t, ctx.person, event.text, files, ctx.now),
        spoken=_spoken("desk", event),
    )
    return Nothing()


async def relay_to_desk(ctx: Context, event: ChatMessage, number: int) -> Response:
    """What the person wrote, to the desk."""
    files = refs(event)
    await ticket_changes.change_ticket(
        ctx,
        event.id,
        str(number),
        "said",
        lambda t: tickets.reply_person(t, ctx.person, event.text, files, ctx.now),
        spoken=_spoken("person", event),
    )
    return Nothing()


async def _changed(ctx: Context, event: MessageEdit | MessageDeletion, number: int) -> Response:
    """What was said is known by the message it was said in."""
    posts, place = ctx.services.posts, _place(event)
    source = await posts.find(ctx.snapshot, *place)
    if source is None:
        # It overtook the message, or that is not for us. One that came meanwhile may not have seen what is kept here.
        await posts.keep_early_edit(
            ctx.snapshot, ctx.person.id, place, EarlyEdit(event.id, getattr(event, "text", None))
        )
        source = await posts.find(ctx.snapshot, *place)
    post = PostKey.parse(source or "")
    if post is None or post.number != number or post.what != "src" or post.message is None:
        return Nothing()
    for _ in range(ticket_changes.TRIES):
        found = await ctx.services.tickets.get(ctx.snapshot, number)
        entry = await ctx.services.tickets.message(ctx.snapshot, number, post.message)
        if found is None or entry is None or entry.value.deleted:
            return Nothing()
        try:
            if isinstance(event, MessageDeletion):
                after = tickets.retract_message(entry.value, ctx.person, ctx.now)
            else:
                after = tickets.edit_message(entry.value, ctx.person, event.text, ctx.now)
        except Refusal as no:
            if no.code == "text_empty":  # nothing is left to be read of it
                return await _changed(ctx, MessageDeletion(event.actor, event.id, event.message, event.where), number)
            if no.code == "text_long":
                raise  # the author is told: the other side still reads what it was
            return Nothing()  # somebody with more rights than the author took it away there
        side: ticket_changes.Side = "desk" if entry.value.side == "desk" else "person"
        effects = ticket_changes.mirror_effects(ctx.services, ctx.snapshot, found.value, after, event.id, side)
        change = Change(event.id, ctx.person.id, ctx.now, TicketResult(number, "edited").pack(), tuple(effects))
        try:
            await ctx.services.tickets.change_message(ctx.snapshot, number, entry, after, change)
        except GuardFailed:
            continue
        return Nothing()
    return Nothing()


def _place(event: ChatMessage | MessageEdit | MessageDeletion) -> MessageRef:
    return MessageRef(event.where.platform, event.where.workspace, event.message)


def _later(event: ChatMessage, early: EarlyEdit) -> MessageEdit | MessageDeletion:
    if early.text is None:
        return MessageDeletion(event.actor, early.id, event.message, event.where)
    return MessageEdit(event.actor, early.id, event.message, early.text, event.where)


def refs(event: ChatMessage) -> tuple[FileRef, ...]:
    """The files of a message, by reference."""
    return tuple(file_ref(file, event.where.platform, event.where.workspace) for file in event.files)


def file_ref(file: File, platform: str, workspace: str) -> FileRef:
    return FileRef(
        id=file.id[:200],
        name=file.name[:200] or file.id[:40],
        size=file.size,
        mime=file.mime[:100],
        platform=platform,
        workspace=workspace,
        ref=file.ref[:2_000],
        url=file.url if file.url.startswith("https://") and len(file.url) <= LONGEST_URL else "",
    )


def _spoken(side: ticket_changes.Side, event: ChatMessage) -> MessageSource:
    return MessageSource(side, _place(event))


def _notice(ctx: Context, key: str, ticket: Ticket) -> Notice:
    return Notice(Screen(ticket.display_number, (Paragraph(ctx.words.text(key, number=ticket.display_number)),)))
