"""The home screen, composed of the sections that workflows register with their routes; and the welcome screen."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from domain.people import Right
from handlers.framework.context import Context
from handlers.framework.events import Actor
from handlers.framework.screens import Block, Button, Buttons, Divider, Heading, Paragraph, Screen
from store.engine.contacts import LastSeen

FRESH = 3600  # seconds before a record of where somebody was seen is renewed


async def _no_blocks(ctx: Context, position: str) -> Sequence[Block]:
    return ()


class HomeSection(NamedTuple):
    """What a workflow shows on the home screen.

    `order`: among the sections. `blocks`: its content at a position, which is the value of a button on the screen: the
    offset in the list of numbers, then the view, the offset and the query of the inbox, joined by "|"; "" is the
    beginning. `abilities`: what the reader can do, as keys after "home.can.". `actions`: its buttons in the last row.
    `first_steps`: its buttons on the welcome screen.
    """

    order: int
    blocks: Callable[[Context, str], Awaitable[Sequence[Block]]] = _no_blocks
    abilities: Callable[[Context], Sequence[str]] = lambda ctx: ()
    actions: Callable[[Context], Sequence[Button]] = lambda ctx: ()
    first_steps: Callable[[Context], Sequence[Button]] = lambda ctx: ()


async def home_screen(ctx: Context, sections: Iterable[HomeSection], position: str = "") -> Screen:
    """The reader's own things first, then what they can do, then where to find help."""
    words, ordered = ctx.words, sorted(sections, key=lambda section: section.order)
    blocks: list[Block] = []
    for section in ordered:
        blocks += await section.blocks(ctx, position)
    blocks += [Divider(), Heading(words("home.can.title"))]
    abilities = [what for section in ordered for what in section.abilities(ctx)]
    blocks += [Paragraph(words.text(f"home.can.{what}")) for what in (*abilities, "help")]
    blocks.append(Buttons(tuple(button for section in ordered for button in section.actions(ctx))))
    return Screen(words("home.title", account=ctx.account.name), tuple(blocks))


def welcome_screen(ctx: Context, sections: Iterable[HomeSection]) -> Screen:
    """Tells whoever installed the bot that it works, and what to do first."""
    words = ctx.words
    blocks = (
        Paragraph(words.text("welcome.text", account=ctx.account.name)),
        Paragraph(words.text("welcome.first_admin" if ctx.may(Right.MANAGE_NUMBERS) else "welcome.first")),
        Buttons(tuple(button for section in sections for button in section.first_steps(ctx))),
    )
    return Screen(words("welcome.title"), blocks)


async def record_home_opened(ctx: Context, actor: Actor) -> None:
    """Record that the home screen was opened, so that it is redrawn from now on and its reader is notified there; once
    an hour at most (`FRESH`), unless they were seen on another platform since."""
    contacts, platforms = ctx.services.contacts, {actor.platform, *ctx.services.platforms}
    reach = await contacts.last_seen(ctx.snapshot, [ctx.person.id], sorted(platforms))
    now = ctx.now.timestamp()
    last, here = reach.get((ctx.person.id, actor.platform)), (actor.workspace, actor.user)
    same = last is not None and last.home and (last.workspace, last.user) == here and last.at > now - FRESH
    if same and last is not None and all(seen.at <= last.at for seen in reach.values()):
        return
    await contacts.record_seen(
        ctx.snapshot, ctx.person.id, actor.platform, LastSeen(actor.workspace, actor.user, home=True, at=now)
    )
