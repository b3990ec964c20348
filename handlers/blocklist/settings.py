"""What else there is to the blocklist: anonymous callers, exceptions, files, and whether it blocks at all."""

from domain.blocklist import ANONYMOUS, block
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens, listing, removing, results
from handlers.framework.context import Context, build_change
from handlers.framework.events import Press
from handlers.framework.forms import Response
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Confirm, Divider, Paragraph, Screen
from store.blocklist.blocklist import ALREADY_SWITCHED
from store.engine.commit import GuardFailed

ROUTES = Routes()


@ROUTES.press("blocklist.more")
async def more(ctx: Context, press: Press) -> Response:
    return await screen(ctx)


@ROUTES.press("blocklist.switch_on", "blocklist.switch_off")
async def switch(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    on = press.action == "blocklist.switch_on"
    result = results.Switched("on" if on else "off")
    made = await build_change(ctx, press.id, result)
    try:
        await ctx.services.blocklist.switch(ctx.snapshot, on, made)
    except GuardFailed as failed:
        if failed.guard != ALREADY_SWITCHED:
            raise
        raise Refusal("block_switched_already") from None
    return await listing.screen(ctx, "", "", listing.result_blocks(ctx, result))


@ROUTES.press("blocklist.anonymous_on")
async def anonymous_on(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    entry = block(ctx.account, ANONYMOUS, ctx.person.id, ctx.now)
    return await screen(ctx, listing.result_blocks(ctx, await adding.add_entry(ctx, press.id, entry)))


@ROUTES.press("blocklist.anonymous_off")
async def anonymous_off(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    removed = await removing.remove(ctx, press.id, ANONYMOUS.kind.value)
    return await screen(ctx, listing.result_blocks(ctx, removed))


async def screen(ctx: Context, news: tuple[Block, ...] = ()) -> Screen:
    entry_screens.require_rights(ctx)
    words, blocklist = ctx.words, ctx.services.blocklist
    on = await blocklist.on(ctx.snapshot)
    anonymous = await blocklist.get(ctx.snapshot, ANONYMOUS.kind.value)
    withheld = anonymous is not None and anonymous.live(ctx.now)
    if withheld:
        turn = Button(words("button.anonymous_off"), "blocklist.anonymous_off")
    else:
        turn = Button(words("button.anonymous_on"), "blocklist.anonymous_on")
    blocks: list[Block] = [
        *news,
        Paragraph(words.text("block.anonymous_are_off" if withheld else "block.anonymous_are_on")),
        Buttons((turn,)),
        Divider(),
        Paragraph(words.text("block.allow.about")),
        Buttons((Button(words("button.allow_number"), adding.ALLOW, form=True),)),
        Divider(),
        Paragraph(words.text("block.files")),
        Buttons(
            (
                Button(words("button.import"), "blocklist.import"),
                Button(words("button.export"), "blocklist.export"),
            )
        ),
        Divider(),
        Paragraph(words.text("block.is_on" if on else "block.off")),
        Buttons((_switch(ctx, on), Button(words("button.blocklist"), "blocklist.previous", "|"))),
    ]
    return Screen(words("block.more.title"), tuple(blocks))


def _switch(ctx: Context, on: bool) -> Button:
    words = ctx.words
    if not on:
        return Button(words("button.switch_on"), "blocklist.switch_on", style="primary")
    sure = Confirm(
        words("block.switch.title"), words("block.switch.sure"), words("button.switch_off"), words("button.cancel")
    )
    return Button(words("button.switch_off"), "blocklist.switch_off", style="danger", confirm=sure)
