"""The form of a new ticket (docs/domain.md 5). Whether the channel is open is checked again on submission; input
survives a refusal in the dialog, and in a draft for the next time the form is opened."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from domain import policy, text
from domain.phone import ParsedNumber, parse
from domain.refusal import Refusal
from domain.support import channels, tickets
from domain.support.channels import CALLBACKS, CHATS, EMAILS, TICKET_CHANNELS, Channel, Decision
from domain.support.ticket import PREFIX, FileRef, Origin, Ticket, TicketDraft, dedicated, require_owner
from handlers.framework.context import Context
from handlers.framework.events import Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Button,
    Buttons,
    Checkbox,
    Choice,
    Divider,
    Done,
    FilesField,
    Form,
    FormField,
    Nothing,
    Option,
    Paragraph,
    Response,
    TextField,
)
from handlers.support import contact, own_tickets, threads, ticket_changes, ticket_screens
from handlers.support.ticket_changes import TicketStep
from store.engine.effects import Effect
from store.support.ticket_drafts import FormDraft

ROUTES = Routes()

CREATE: Final = "ticket.create"
LONGEST_SHOWN: Final = 200  # characters of a question
_ANOTHER: Final = "another"
_TYPED: Final = ("overview", "description", "email", "links", "another", "affected")
_FIELDS: Final = frozenset((*_TYPED, "language", "number", "critical", "impact"))
_SENT: Final = "sent_"  # prefix of the names of checkboxes for sent files


@ROUTES.submit(contact.CONTACT)
async def chosen(ctx: Context, submit: Submit) -> Response:
    """The form of the chosen channel, filled with the draft."""
    channel = _channel(submit.values.get("channel", ""))
    previous = await _previous(ctx, submit.state.get("previous", ""))
    opened = blake2b(submit.id.encode(), digest_size=8).hexdigest()
    blank = await form(ctx, channel, previous, opened)
    return blank.with_values(await ctx.services.tickets.draft(ctx.snapshot, ctx.person.id, channel.value))


@ROUTES.press("ticket.again")
async def again(ctx: Context, press: Press) -> Response:
    """A new ticket that follows an old one."""
    before = await ticket_changes.find_ticket(ctx, press.value)
    require_owner(ctx.person, before)
    return contact.choice(ctx, before.number)


@ROUTES.press(f"{CREATE}:draft.keep")
async def kept(ctx: Context, press: Press) -> Response:
    """Save the draft; the dialog stays open."""
    channel = _channel(press.state.get("channel", ""))
    opened = _opened(press.state)
    await _keep(ctx, channel, press.values, opened, press.stamp)
    previous = await _previous(ctx, press.state.get("previous", ""))
    return (await form(ctx, channel, previous, opened, saved=True)).with_values(press.values)


@ROUTES.press(*(f"{CREATE}:{name}" for name in _TYPED))
async def typing(ctx: Context, press: Press) -> Response:
    """Save the draft on each change, since a dialog that is closed submits nothing."""
    await _keep(ctx, _channel(press.state.get("channel", "")), press.values, _opened(press.state), press.stamp)
    return Nothing()


async def form(ctx: Context, channel: Channel, previous: int | None, opened: str, *, saved: bool = False) -> Form:
    """The empty form of a channel. Raises Refusal `channel_closed`."""
    decision = _open(ctx, channel, None)
    words = ctx.words
    begun = await ctx.services.asking.current(ctx.snapshot, ctx.person.id)
    asked = begun.question if begun is not None else ""
    parts: list[FormField | Paragraph | Divider | Buttons] = []
    if saved:
        parts.append(Paragraph(words.text("contact.kept", days=policy.DRAFT_DAYS)))
    if previous is not None:
        parts.append(Paragraph(words.text("contact.follows", number=f"{PREFIX}{previous}"), quiet=True))
    if asked:
        parts.append(Paragraph(words.text("contact.asked", question=asked[:LONGEST_SHOWN]), quiet=True))
    parts.append(_language(ctx, channel, decision))
    parts += [
        TextField(
            "overview",
            words("field.overview"),
            asked[: policy.OVERVIEW_LENGTH],
            hint=words("contact.overview.hint"),
            required=True,
            max_length=policy.OVERVIEW_LENGTH,
        ),
        TextField(
            "description",
            words("field.description"),
            hint=words("contact.description.hint"),
            required=True,
            multiline=True,
            max_length=3_000,
        ),
    ]
    if channel in CALLBACKS:
        parts += await _number(ctx)
    else:
        hint = words("contact.email.hint") if channel in EMAILS and ctx.services.mail else ""
        own_address = ctx.person.email or ""
        parts.append(TextField("email", words("field.email"), own_address, hint=hint, required=channel not in CHATS))
    parts.append(TextField("links", words("field.links"), hint=words("contact.links.hint"), max_length=2_000))
    parts += await _files(ctx)
    if channel is Channel.PREMIUM_EMAIL and channels.is_designated(ctx.account, ctx.person):
        minutes = policy.GUARANTEED_MINUTES_CRITICAL
        parts += [
            Divider(),
            Checkbox("critical", words("field.critical"), words("critical.tick", minutes=minutes)),
            own_tickets.impact_choice(ctx, required=False),
            TextField("affected", words("field.affected"), multiline=True, max_length=policy.COMMENT_LENGTH),
            *own_tickets.criteria(ctx),
        ]
    parts.append(Paragraph(words.text("contact.tips"), quiet=True))
    if ctx.account.staff_access:
        parts.append(Paragraph(words.text("contact.staff_access"), quiet=True))
    parts.append(Buttons((Button(words("button.keep_draft"), "draft.keep"),)))
    parts = [
        replace(part, live=True) if isinstance(part, TextField) and part.name in _TYPED else part for part in parts
    ]
    state = {"channel": channel.value, "previous": str(previous or ""), "opened": opened}
    title = words(f"channel.{channel}")
    send = words("button.submit" if channel in CALLBACKS else "button.send")
    return Form(CREATE, title, send, tuple(parts), state, words("button.cancel"))


async def _files(ctx: Context) -> list[FormField]:
    """A field for files, and a checkbox for each file sent to the bot beforehand."""
    words = ctx.words
    found: list[FormField] = [
        FilesField("files", words("field.files"), words("contact.files.elsewhere"), words("contact.files.hint"))
    ]
    for file in await ctx.services.tickets.sent_files(ctx.snapshot, ctx.person.id, ctx.now):
        size = f" ({ticket_screens.format_size(words, file.size)})" if file.size is not None else ""
        found.append(Checkbox(_box(file), words("field.sent_file"), f"{file.name}{size}", "yes"))
    return found


def _box(file: FileRef) -> str:
    return _SENT + blake2b(file.id.encode(), digest_size=8).hexdigest()


async def _chosen_files(ctx: Context, submit: Submit) -> tuple[FileRef, ...]:
    """The files of the dialog, and those sent beforehand that are ticked; only the person's own can be."""
    where = submit.where
    found = [threads.file_ref(file, where.platform, where.workspace) for file in submit.files.get("files", ())]
    if any(name.startswith(_SENT) and value == "yes" for name, value in submit.values.items()):
        sent = await ctx.services.tickets.sent_files(ctx.snapshot, ctx.person.id, ctx.now)
        found += [file for file in sent if submit.values.get(_box(file)) == "yes"]
    return tuple({file.id: file for file in found}.values())


async def _number(ctx: Context) -> list[FormField]:
    """The number to call: a choice of their registered numbers, or a text field."""
    words = ctx.words
    own = [kept.value for kept in await ctx.services.registered.of(ctx.snapshot, ctx.person.id)]
    if not own:
        return [TextField("number", words("field.phone"), hint=words("contact.number.hint"), required=True)]
    own.sort(key=lambda number: not number.default)
    options = [Option(number.e164, ctx.number(number.e164, number.extension), number.label) for number in own[:20]]
    another = Option(_ANOTHER, words("contact.number.another"))
    return [
        Choice("number", words("field.phone"), (*options, another), own[0].e164, required=True),
        TextField("another", words("field.another_phone"), hint=words("contact.number.hint")),
    ]


@ROUTES.submit(CREATE)
async def created(ctx: Context, submit: Submit) -> Response:
    """Create the ticket."""
    channel = _channel(submit.state.get("channel", ""))
    if await ctx.services.changes.first_answer(ctx.snapshot, submit.id) is not None:
        return Done()  # sent twice
    try:
        decision = _open(ctx, channel, submit.values.get("language") or None)
        draft = await _draft(ctx, channel, decision, submit)
    except Refusal:
        await _keep(ctx, channel, submit.values, _opened(submit.state))
        raise
    number = await ctx.services.tickets.take_number(ctx.snapshot)
    after = tickets.create(number, ctx.account, ctx.person, draft, ctx.now)
    told = await _notices(ctx, after.ticket, submit.id)
    step = TicketStep("created", submit.id, ctx.person, ctx.now, effects=told, form=_opened(submit.state))
    await ticket_changes.commit_step(ctx.services, ctx.snapshot, None, after, step)
    return Done()


async def _notices(ctx: Context, ticket: Ticket, dedup_key: str) -> list[Effect]:
    """Messages to the specialists whom a premium ticket is for, and to the others if no desk can be reached."""
    named, told = dedicated(ctx.account, ticket), list[Effect]()
    if ticket_changes.desk_address(ctx.account, ctx.services) is None:
        others = [person for person in ctx.account.people if person.specialist and person not in named]
        told += await threads.notice_effects(
            ctx.services, ctx.snapshot, others[: threads.TOLD_AT_MOST], ticket, "desk.no_desk", dedup_key
        )
    others = [person for person in named if person.id != ctx.person.id]
    return told + await threads.notice_effects(
        ctx.services, ctx.snapshot, others, ticket, "desk.dedicated", f"{dedup_key}|for"
    )


def _opened(state: Mapping[str, str]) -> str:
    return state.get("opened", "")[:40]


async def _keep(ctx: Context, channel: Channel, values: Mapping[str, str], opened: str, stamp: str = "") -> None:
    typed_in = {name: value[: policy.DESCRIPTION_LENGTH] for name, value in values.items() if name in _FIELDS}
    await ctx.services.tickets.keep_draft(
        ctx.snapshot, ctx.person.id, channel.value, FormDraft(typed_in, opened, stamp)
    )


async def _draft(ctx: Context, channel: Channel, decision: Decision, submit: Submit) -> TicketDraft:
    """The validated input. Raises Refusal for the first invalid field."""
    values = submit.values
    overview = text.parse_overview(values.get("overview", ""))
    description = text.parse_description(values.get("description", ""))
    links = text.parse_links(values.get("links", ""))
    parsed: ParsedNumber | None = None
    email: str | None = None
    if channel in CALLBACKS:
        other = values.get("number") == _ANOTHER
        field = "another" if other else "number"
        parsed = parse(values.get(field, ""), ctx.region, field)
    elif channel not in CHATS or values.get("email", "").strip():
        email = text.parse_email(values.get("email", ""))
    impact = own_tickets.parse_impact(values.get("impact", ""))
    critical = values.get("critical") == "yes" and channel is Channel.PREMIUM_EMAIL
    critical = critical and channels.is_designated(ctx.account, ctx.person)
    if critical and impact is None:
        raise Refusal("impact_missing", "impact")
    explained = critical and impact is not None and impact.value == "other"
    affected = text.parse_text(values.get("affected", ""), "affected", policy.COMMENT_LENGTH, required=explained)
    begun = await ctx.services.asking.current(ctx.snapshot, ctx.person.id)
    where = submit.where
    return TicketDraft(
        channel=channel,
        language=decision.language,
        overview=overview,
        description=description,
        email=email,
        links=links,
        files=await _chosen_files(ctx, submit),
        number=parsed.e164 if parsed else None,
        extension=parsed.extension if parsed else None,
        critical=critical,
        impact=impact if critical else None,
        affected=affected if critical else "",
        asked=begun.question if begun is not None else "",
        read=begun.read if begun is not None else (),
        surface=ctx.actor.client,
        previous=await _previous(ctx, submit.state.get("previous", "")),
        where=Origin(platform=where.platform, workspace=where.workspace, user=ctx.actor.user),
        locale=ctx.actor.locale,
    )


async def _previous(ctx: Context, number: str) -> int | None:
    """The ticket that this one follows; Refusal unless it is the person's own."""
    if not number:
        return None
    before = await ticket_changes.find_ticket(ctx, number)
    require_owner(ctx.person, before)
    return before.number


def _open(ctx: Context, channel: Channel, language: str | None) -> Decision:
    decision = contact.decisions(ctx, language)[channel]
    if not decision.allowed:
        name = ctx.words(f"channel.{channel}")
        raise Refusal("channel_closed", channel=name, reason=contact.closed_reasons(ctx, decision))
    return decision


def _channel(value: str) -> Channel:
    if value not in TICKET_CHANNELS:
        raise Refusal("channel_unknown")
    return Channel(value)


def _language(ctx: Context, channel: Channel, decision: Decision) -> FormField | Paragraph:
    """A choice of the languages that the channel is served in; a text if there is no choice (a callback is in the
    person's own, S)."""
    words = ctx.words
    if channel in CALLBACKS or channel.premium:
        return Paragraph(words.text("contact.served", language=words.language_name(decision.language)), quiet=True)
    options = tuple(Option(tag, words.language_name(tag)) for tag in policy.SUPPORT_LANGUAGES)
    return Choice("language", words("field.language"), options, decision.language, required=True)
