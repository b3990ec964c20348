"""The home screen, composed of the sections that workflows register with their routes; and the welcome."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from domain.people import Right
from handlers.framework.context import Context
from handlers.framework.events import Actor
from handlers.framework.screens import Block, Button, Buttons, Divider, Heading, Paragraph, Screen
from store.engine.contacts import LastSeen

FRESH = 3600  # seconds that a note of where somebody is stays good


async def _no_blocks(ctx: Context, position: str) -> Sequence[Block]:
    return ()


class HomeSection(NamedTuple):
    """What a workflow shows at home.

    `order`: among the sections. `blocks`: what is there, at the position that a button of the screen carries: the
    offset in the list of numbers, then the view, the offset and the query of the inbox, joined by "|"; "" is the
    beginning. `abilities`: what the reader can do, by the keys of `home.can.*`. `actions`: the last row of buttons.
    `first_steps`: the buttons of the welcome.
    """

    order: int
    blocks: Callable[[Context, str], Awaitable[Sequence[Block]]] = _no_blocks
    abilities: Callable[[Context], Sequence[str]] = lambda ctx: ()
    actions: Callable[[Context], Sequence[Button]] = lambda ctx: ()
    first_steps: Callable[[Context], Sequence[Button]] = lambda ctx: ()


async def home_screen(ctx: Context, sections: Iterable[HomeSection], position: str = "") -> Screen:
    """What is mine first, then what I can do, then where help is."""
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
    """To the one who installed the bot: that it works, and the first thing to do."""
    words = ctx.words
    blocks = (
        Paragraph(words.text("welcome.text", account=ctx.account.name)),
        Paragraph(words.text("welcome.first_admin" if ctx.may(Right.MANAGE_NUMBERS) else "welcome.first")),
        Buttons(tuple(button for section in sections for button in section.first_steps(ctx))),
    )
    return Screen(words("welcome.title"), blocks)


async def record_home_opened(ctx: Context, actor: Actor) -> None:
    """The home screen came into view: from here on it is kept up to date, and its reader is told things there. Noted
    once an hour at most, unless they were somewhere else in between."""
    contacts, platforms = ctx.services.contacts, {actor.platform, *ctx.services.platforms}
    reach = await contacts.last_seen(ctx.snapshot, [ctx.person.id], sorted(platforms))
    now = ctx.now.timestamp()
    known = reach.get((ctx.person.id, actor.platform))
    same = known is not None and known.home and (known.workspace, known.user) == (actor.workspace, actor.user)
    if same and known is not None and known.at > now - FRESH and all(at.at <= known.at for at in reach.values()):
        return
    await contacts.record_seen(
        ctx.snapshot, ctx.person.id, actor.platform, LastSeen(actor.workspace, actor.user, home=True, at=now)
    )
