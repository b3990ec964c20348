"""The choice of a support channel: which are open to the person on this client, why the others are closed, and what
opens them. `domain.support.channels` decides."""

from collections.abc import Mapping

from domain.phone import pretty
from domain.support.channels import CHATS, TICKET_CHANNELS, Channel, Decision, Reason, decide, subscription_contact
from domain.support.sla import offer
from handlers.framework.context import Context
from handlers.framework.events import Press
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Choice,
    FactSet,
    Form,
    Option,
    Paragraph,
    Response,
    Screen,
    Text,
)

ROUTES = Routes()

CONTACT = "support.contact"  # the choice of a channel; `form` handles its submission
DIALLED = {Channel.PHONE: "support_phone", Channel.PREMIUM_PHONE: "premium_phone"}

Decisions = Mapping[Channel, Decision]


@ROUTES.press(CONTACT)
async def pressed(ctx: Context, press: Press) -> Response:
    await require_current(ctx)
    return choice(ctx)


async def require_current(ctx: Context) -> None:
    """Raises AccountChanged if the account has a newer revision: the choice itself reads nothing that would tell."""
    await ctx.services.asking.current(ctx.snapshot, ctx.person.id)


def decisions(ctx: Context, language: str | None = None) -> Decisions:
    """The decision for each channel, for the person on their current client. `language`: asked for."""
    return decide(ctx.account, ctx.person, surface=ctx.actor.client, language=language, at=ctx.now)


def button(ctx: Context, *, primary: bool = True) -> Button:
    """The button to the choice, which opens a dialog if a channel is open, else a message."""
    label = ctx.words("button.contact")
    if not can_contact(ctx):
        return Button(label, CONTACT)
    return Button(label, CONTACT, style="primary" if primary else "plain", form=True)


def can_contact(ctx: Context) -> bool:
    """Whether a channel that makes a ticket is open to the person."""
    return bool(_open(decisions(ctx)))


def choice(ctx: Context, previous: int | None = None) -> Form | Screen:
    """The dialog with the open channels; if none is, a message with the reasons. `previous`: number of the ticket that
    the new one follows."""
    words, decided = ctx.words, decisions(ctx)
    offered = _open(decided)
    if offered and not offer(ctx.account, Channel.CHAT, ctx.now, designated=False).open:
        # Outside the hours, channels that need nobody at once come first (docs/domain.md 4).
        offered = sorted(offered, key=lambda channel: channel in CHATS)
    closed, foot = _closed(ctx, decided), _foot(ctx, decided)
    if not offered:
        blocks: list[Block] = [Paragraph(words.text("contact.none")), *closed, *foot]
        tier = any(Reason.TIER in decided[channel].reasons for channel in TICKET_CHANNELS)
        if tier and ctx.account.pricing_url and ctx.actor.client != "mobile":
            blocks.append(Buttons((Button(words("button.plans"), "open", url=ctx.account.pricing_url),)))
        return Screen(words("contact.title"), tuple(blocks), summary=words("contact.none"))
    field = Choice(
        "channel",
        words("field.channel"),
        tuple(Option(channel, words(f"channel.{channel}"), _promise(ctx, channel, decided)) for channel in offered),
        value=offered[0],
        required=True,
        open=True,
    )
    title, cancel = words("contact.title"), words("button.cancel")
    state = {"previous": str(previous)} if previous is not None else {}
    return Form(CONTACT, title, words("button.next"), (field, *closed, *foot), state, cancel)


def _open(decided: Decisions) -> list[Channel]:
    return [channel for channel in TICKET_CHANNELS if decided[channel].allowed]


def _promise(ctx: Context, channel: Channel, decided: Decisions) -> str:
    """When to expect the first answer, and the language where it may be unexpected."""
    words, decision = ctx.words, decided[channel]
    text = words(f"channel.expected.{decision.expected}", minutes=decision.guaranteed_minutes or 0)
    if channel in CHATS:
        now = offer(ctx.account, channel, ctx.now, designated=False)
        if not now.open and now.opens is not None:
            text = words("channel.opens_at", at=now.opens)
    # Premium is served in English alone, and says so to everybody (docs/domain.md 4).
    if decision.told or channel is Channel.CALLBACK or channel.premium:
        return words("channel.in_language", expected=text, language=words.language_name(decision.language))
    return text


def _closed(ctx: Context, decided: Decisions) -> list[Paragraph | FactSet]:
    """The closed channels, grouped by their reasons."""
    words = ctx.words
    together: dict[str, list[str]] = {}
    for channel in (*TICKET_CHANNELS, *DIALLED):
        decision = decided[channel]
        if decision.allowed:
            continue
        name = words(f"channel.{channel}")
        together.setdefault(closed_reasons(ctx, decision), []).append(name)
    if not together:
        return []
    pairs: list[tuple[str, Text]] = [(words.join(names), (why,)) for why, names in together.items()]
    return [Paragraph(words.text("contact.closed")), FactSet(tuple(pairs))]


def closed_reasons(ctx: Context, decision: Decision) -> str:
    """The reasons with what would open the channel. The mobile client names no tiers and offers no purchases."""
    words = ctx.words
    admins = list(ctx.account.admin_names) or [words("person.a_super_admin")]
    if ctx.actor.client == "mobile":
        # Without a seat a computer would not help either, and seats are not offered for sale here.
        asks = Reason.SEAT in decision.reasons and Reason.TIER not in decision.reasons and not ctx.person.super_admin
        return words("channel.ask_access", admins=admins) if asks else words("channel.not_here")
    # Super admins can do it themselves.
    own = ctx.person.super_admin
    said = [f"{opens}_self" if own and opens in {"seat", "premium"} else opens for opens in decision.opens]
    return " ".join(words(f"channel.opens.{opens}", admins=admins) for opens in said)


def _foot(ctx: Context, decided: Decisions) -> list[Paragraph]:
    """Numbers to dial, and the contact for questions about the subscription."""
    words, account = ctx.words, ctx.account
    lines = []
    for channel, field in DIALLED.items():
        number = getattr(account, field)
        if decided[channel].allowed and number:
            shown = pretty(number, "")
            lines.append(Paragraph(words.text(f"contact.dial.{channel}", number=shown)))
    if (to := subscription_contact(account)) is not None and ctx.actor.client != "mobile":
        lines.append(Paragraph(words.text("contact.subscription", name=to.name, email=to.email), quiet=True))
    return lines
