"""The ways to people: which are open to this person here and now, which are not, why, and what opens them. All of it
is the one decision of `domain.channels`; nothing is decided here.
"""

from collections.abc import Mapping

from domain.phone import pretty
from domain.support.channels import Channel, Decision, Reason, decide, subscription_contact
from domain.support.sla import CHATS, offer
from handlers.framework.context import Context
from handlers.framework.events import Press
from handlers.framework.forms import Choice, Form, Option, Response
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, FactSet, Paragraph, Screen, Text

ROUTES = Routes()

# What a request can be sent by, in the order they are offered in; the rest is read or dialled.
WRITTEN = (
    Channel.CHAT,
    Channel.EMAIL,
    Channel.CALLBACK,
    Channel.PREMIUM_CHAT,
    Channel.PREMIUM_EMAIL,
    Channel.PREMIUM_CALLBACK,
)
CONTACT = "support.contact"  # the choice; who fills in the form of the channel claims it
DIALLED = {Channel.PHONE: "support_phone", Channel.PREMIUM_PHONE: "premium_phone"}

Decisions = Mapping[Channel, Decision]


@ROUTES.press(CONTACT)
async def pressed(ctx: Context, press: Press) -> Response:
    await require_current(ctx)
    return choice(ctx)


async def require_current(ctx: Context) -> None:
    """The account is the one that is kept: the choice reads nothing else that would tell. Raises AccountChanged."""
    await ctx.services.asking.current(ctx.snapshot, ctx.person.id)


def decisions(ctx: Context, language: str | None = None) -> Decisions:
    """For the person, on the client they use now. `language`: the one asked for."""
    return decide(ctx.account, ctx.person, surface=ctx.actor.client, language=language, at=ctx.now)


def button(ctx: Context, *, primary: bool = True) -> Button:
    """Leads to the choice; which is a dialog where there is something to choose."""
    label = ctx.words("button.contact")
    if not can_contact(ctx):
        return Button(label, CONTACT)
    return Button(label, CONTACT, style="primary" if primary else "plain", form=True)


def can_contact(ctx: Context) -> bool:
    """Whether the person can write to us at all."""
    return bool(_open(decisions(ctx)))


def choice(ctx: Context, previous: int | None = None) -> Form | Screen:
    """The first step of contacting us. Where no way is open, the reasons alone and no form. `previous`: the number of
    the ticket that the new one follows."""
    words, decided = ctx.words, decisions(ctx)
    offered = _open(decided)
    if offered and not offer(ctx.account, Channel.CHAT, ctx.now, designated=False).open:
        # Nobody is there just now: what is answered later anyway comes first (docs/domain.md 4).
        offered = sorted(offered, key=lambda channel: channel in CHATS)
    closed, foot = _closed(ctx, decided), _foot(ctx, decided)
    if not offered:
        blocks: list[Block] = [Paragraph(words.text("contact.none")), *closed, *foot]
        tier = any(Reason.TIER in decided[channel].reasons for channel in WRITTEN)
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
    return [channel for channel in WRITTEN if decided[channel].allowed]


def _promise(ctx: Context, channel: Channel, decided: Decisions) -> str:
    """When the first answer comes, and in which language where that may surprise."""
    words, decision = ctx.words, decided[channel]
    text = words(f"channel.expected.{decision.expected}", minutes=decision.guaranteed_minutes or 0)
    if channel in CHATS:
        now = offer(ctx.account, channel, ctx.now, designated=False)
        if not now.open and now.opens is not None:
            text = words("channel.opens_at", at=now.opens)
    # What is premium is in English alone, and says so to everybody (docs/domain.md 4).
    if decision.told or channel is Channel.CALLBACK or channel.value.startswith("premium_"):
        return words("channel.in_language", expected=text, language=words.language_name(decision.language))
    return text


def _closed(ctx: Context, decided: Decisions) -> list[Paragraph | FactSet]:
    """The ways that are not open, those with the same reasons together."""
    words = ctx.words
    together: dict[str, list[str]] = {}
    for channel in (*WRITTEN, *DIALLED):
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
    """Each reason with what removes it. The mobile client names no tiers and sells nothing."""
    words = ctx.words
    admins = list(ctx.account.admin_names) or [words("person.a_super_admin")]
    if ctx.actor.client == "mobile":
        # A computer would not help whoever lacks a seat, and a seat is nothing to be sold here.
        asks = Reason.SEAT in decision.reasons and Reason.TIER not in decision.reasons and not ctx.person.super_admin
        return words("channel.ask_access", admins=admins) if asks else words("channel.not_here")
    # A super admin need ask nobody.
    own = ctx.person.super_admin
    said = [f"{opens}_self" if own and opens in {"seat", "premium"} else opens for opens in decision.opens]
    return " ".join(words(f"channel.opens.{opens}", admins=admins) for opens in said)


def _foot(ctx: Context, decided: Decisions) -> list[Paragraph]:
    """Numbers to dial, and who answers what is about the subscription."""
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
