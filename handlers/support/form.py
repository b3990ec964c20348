"""The form of a ticket (DOMAIN.md 5), for the channel that was chosen; the right to it is looked at again when it is
sent, and what was typed stays."""

from dataclasses import dataclass
from typing import Final

from domain import policy, text, tickets
from domain.agenda import next_look
from domain.channels import Channel, Decision
from domain.numbers import Parsed
from domain.refusal import Refusal
from domain.tickets import Draft, Ticket, Where
from handlers.context import Context, addresses, say
from handlers.numbers import typed
from handlers.routes import Routes
from handlers.support import contact, drawing, filing, own
from handlers.vocabulary import (
    Choice,
    Divider,
    Done,
    Form,
    FormField,
    Option,
    Outcome,
    Paragraph,
    Screen,
    Submit,
    TextField,
    Tick,
)
from store.numbers import Change
from store.outbox import Effect

ROUTES = Routes()

_CALLS: Final = frozenset({Channel.CALLBACK, Channel.PREMIUM_CALLBACK})
_ANOTHER: Final = "another"


@dataclass(frozen=True, slots=True)
class Begun:
    """What came before the form: the question, the articles read, the ticket that this one follows."""

    asked: str = ""
    read: tuple[str, ...] = ()
    previous: int | None = None


def form(ctx: Context, channel: Channel, begun: Begun) -> Form:
    """The empty form of a channel that is open to the person. Raises Refusal (`channel_closed`)."""
    decision = _open(ctx, channel, None)
    words = ctx.words
    parts: list[FormField | Paragraph | Divider] = []
    if begun.previous is not None:
        parts.append(Paragraph(words.text("contact.follows", number=f"SB-{begun.previous}"), quiet=True))
    if begun.asked:
        parts.append(Paragraph(words.text("contact.asked", question=begun.asked), quiet=True))
    parts.append(_language(ctx, channel, decision))
    parts += [
        TextField(
            "overview",
            words("field.overview"),
            begun.asked[: policy.OVERVIEW_LENGTH],
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
    if channel in _CALLS:
        parts.append(TextField("number", words("field.phone"), hint=words("contact.number.hint"), required=True))
    else:
        parts.append(TextField("email", words("field.email"), ctx.person.email or "", required=channel not in LIVE))
    parts.append(TextField("links", words("field.links"), hint=words("contact.links.hint"), max_length=2_000))
    if channel is Channel.PREMIUM_EMAIL and tickets.designated(ctx.account, ctx.person):
        minutes = policy.GUARANTEED_MINUTES_CRITICAL
        parts += [
            Divider(),
            Tick("critical", words("field.critical"), words("critical.tick", minutes=minutes)),
            own.impact_choice(ctx, required=False),
            TextField("affected", words("field.affected"), multiline=True, max_length=policy.COMMENT_LENGTH),
            *own.criteria(ctx),
        ]
    parts.append(Paragraph(words.text("contact.tips"), quiet=True))
    if ctx.account.staff_access:
        parts.append(Paragraph(words.text("contact.staff_access"), quiet=True))
    state = {
        "channel": channel.value,
        "asked": begun.asked[:500],
        "read": ",".join(begun.read)[:500],
        "previous": str(begun.previous or ""),
    }
    title = words(f"channel.{channel}")
    send = words("button.submit" if channel in _CALLS else "button.send")
    return Form("ticket.create", title, send, tuple(parts), state, words("button.cancel"))


LIVE: Final = frozenset({Channel.CHAT, Channel.PREMIUM_CHAT})


@ROUTES.submit("ticket.create")
async def created(ctx: Context, submit: Submit) -> Outcome:
    """The ticket, its clock, its card at the desk and its thread with the person: one step."""
    channel = _channel(submit.state.get("channel", ""))
    values = submit.values
    asked_for = values.get("language") or None
    critical = values.get("critical") == "yes"
    decision = _open(ctx, channel, asked_for)
    draft = await _draft(ctx, channel, decision, submit, critical)
    number = await ctx.services.tickets.number(ctx.held)
    after = tickets.create(number, ctx.account, ctx.person, draft, ctx.now)
    out = filing.said(ctx.services, ctx.held, after, submit.id, ctx.now)
    effects = list(out.effects)
    if filing.desk_of(ctx.account, ctx.services) is None:
        effects += await _tell_specialists(ctx, after.ticket, submit.id)
    name = None if ctx.person.listed else (ctx.person.id, ctx.person.name)
    change = Change(submit.id, ctx.person.id, ctx.now, f"ticket|{number}|created", tuple(effects), name)
    await ctx.services.tickets.create(ctx.held, after, change, next_look(ctx.account, after.ticket))
    return Done()


async def _draft(ctx: Context, channel: Channel, decision: Decision, submit: Submit, critical: bool) -> Draft:
    """What was typed, fit to be kept; the first thing that is wrong is refused at its field."""
    values, state = submit.values, submit.state
    overview = text.line(values.get("overview", ""), "overview", policy.OVERVIEW_LENGTH)
    description = text.written(values.get("description", ""), "description", policy.DESCRIPTION_LENGTH)
    links = text.links(values.get("links", ""))
    parsed: Parsed | None = None
    email: str | None = None
    if channel in _CALLS:
        parsed = typed.number(ctx, values.get("number", ""), "number")
    elif channel not in LIVE or values.get("email", "").strip():
        email = text.email(values.get("email", ""))
    impact = own.impact_of(values.get("impact", ""))
    critical = critical and channel is Channel.PREMIUM_EMAIL and tickets.designated(ctx.account, ctx.person)
    if critical and impact is None:
        raise Refusal("impact_missing", "impact")
    explained = critical and impact is not None and impact.value == "other"
    affected = text.written(values.get("affected", ""), "affected", policy.COMMENT_LENGTH, required=explained)
    previous = state.get("previous", "")
    where = submit.where
    return Draft(
        channel=channel,
        language=decision.language,
        overview=overview,
        description=description,
        email=email,
        links=links,
        number=parsed.e164 if parsed else None,
        extension=parsed.extension if parsed else None,
        critical=critical,
        impact=impact if critical else None,
        affected=affected if critical else "",
        asked=state.get("asked", "")[:500],
        read=tuple(id for id in state.get("read", "").split(",") if id)[:50],
        surface=ctx.actor.client,
        previous=await _previous(ctx, previous),
        where=Where(platform=where.platform, workspace=where.workspace, user=ctx.actor.user),
        locale=ctx.actor.locale,
    )


async def _previous(ctx: Context, number: str) -> int | None:
    """The ticket that this one follows, if it is one that the person may see."""
    if not number:
        return None
    return (await filing.filed(ctx, number)).ticket.number


async def _tell_specialists(ctx: Context, ticket: Ticket, salt: str) -> list[Effect]:
    """Where there is no desk, those who are to answer are told in private."""
    found: list[Effect] = []
    for person in [p for p in ctx.account.people if p.specialist][:10]:
        reach = await ctx.services.numbers.reach(ctx.held, [person.id], ctx.services.platforms)
        words = drawing.reader(ctx.account, person)
        line = words.text("desk.no_desk", number=ticket.shown, name=ticket.name, overview=ticket.overview)
        screen = Screen(ticket.shown, (Paragraph(line),))
        found += [say(f"{salt}|{person.id}", to, screen) for to in addresses(ctx, person, reach)[:1]]
    return found


def _open(ctx: Context, channel: Channel, language: str | None) -> Decision:
    decision = contact.decisions(ctx, language)[channel]
    if not decision.allowed:
        name = ctx.words(f"channel.{channel}")
        raise Refusal("channel_closed", channel=name, reason=contact.why(ctx, decision))
    return decision


def _channel(value: str) -> Channel:
    if value not in set(contact.WRITTEN):
        raise Refusal("channel_unknown")
    return Channel(value)


def _language(ctx: Context, channel: Channel, decision: Decision) -> FormField | Paragraph:
    """The languages that the channel is served in; a callback comes in the person's own (S)."""
    words = ctx.words
    if channel in _CALLS or channel.value.startswith("premium_"):
        return Paragraph(words.text("contact.served", language=words.tongue(decision.language)), quiet=True)
    options = tuple(Option(tag, words.tongue(tag)) for tag in policy.SUPPORT_LANGUAGES)
    return Choice("language", words("field.language"), options, decision.language, required=True)
