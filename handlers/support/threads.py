"""Messages in a ticket's threads (ROUTES.thread "ticket").

Those in the person's thread go to the desk. Those in the desk's thread go to the person if the ticket is a live chat,
which the card says; otherwise specialists talk among themselves there. Edits and deletions are passed on.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from domain.accounts.account import Person
from domain.refusal import Refusal
from domain.support import desk, tickets
from domain.support.ticket import FileRef, Ticket, TicketChange, dedicated
from handlers.framework.context import Context, reachable_addresses, words_for
from handlers.framework.effects import screen_effect
from handlers.framework.events import ChatMessage, File, MessageDeletion, MessageEdit
from handlers.framework.ports import Services
from handlers.framework.routes import Routes
from handlers.framework.screens import Button, Buttons, Nothing, Notice, Paragraph, Response, Screen
from handlers.support import ticket_changes
from handlers.support.ticket_changes import MessageSource
from handlers.support.ticket_keys import PostKey, TicketResult
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.effects import Effect
from store.engine.posts import EarlyEdit, MessageRef

ROUTES = Routes()

CHATS_LOOKED_AT: Final = 10  # open tickets of a person, the latest
TOLD_AT_MOST: Final = 10
LONGEST_URL: Final = 1_000
_Reply = Callable[[Ticket, Person, str, Sequence[FileRef], datetime], TicketChange]


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
    """On platforms without threads: the post key of the live chat that a message belongs to, the one that changed last;
    None if there is none, or the message is a command."""
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
    """The desk's channel cannot be posted to: tell the super admins once, and in private the specialists of each ticket
    whose card could not be posted."""
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
    """Whom to tell of a ticket whose card cannot be posted, and the id under which they are told once: everybody it
    goes to, or its specialist of each message that the person writes."""
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
    """A message with the ticket's button to each person, where they were last seen. `key`: of its sentence."""
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
        return Nothing()  # others' messages in the channel are not for the person
    found = await ctx.services.tickets.get(ctx.snapshot, number)
    if found is None or not found.value.live:
        return Nothing()
    if found.value.is_closed:
        return _notice(ctx, "desk.thread_closed", found.value)
    return await _add(ctx, event, number, "replied", "desk", desk.reply_desk)


async def relay_to_desk(ctx: Context, event: ChatMessage, number: int) -> Response:
    """Add the person's message to the ticket."""
    return await _add(ctx, event, number, "said", "person", tickets.reply_person)


async def _add(
    ctx: Context, event: ChatMessage, number: int, what: str, side: ticket_changes.Side, reply: _Reply
) -> Response:
    files, spoken = refs(event), MessageSource(side, _place(event))
    await ticket_changes.change_ticket(
        ctx, event.id, str(number), what, lambda t: reply(t, ctx.person, event.text, files, ctx.now), spoken=spoken
    )
    return Nothing()


async def _changed(ctx: Context, event: MessageEdit | MessageDeletion, number: int) -> Response:
    """Edit or delete an entry, found by the message it was written in."""
    posts, place = ctx.services.posts, _place(event)
    source = await posts.find(ctx.snapshot, *place)
    if source is None:
        # The message is not recorded yet, or not for us. Look again after saving the edit, in case both crossed.
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
            if no.code == "text_empty":  # an edit to nothing deletes
                return await _changed(ctx, MessageDeletion(event.actor, event.id, event.message, event.where), number)
            if no.code == "text_long":
                raise  # the author is told: the old text stays
            return Nothing()  # somebody else with rights on the platform did it
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
    """References to the files of a message."""
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


def _notice(ctx: Context, key: str, ticket: Ticket) -> Notice:
    return Notice(Screen(ticket.display_number, (Paragraph(ctx.words.text(key, number=ticket.display_number)),)))
