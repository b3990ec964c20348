"""The blocklist's settings: anonymous callers, exceptions, files, and whether it is switched on."""

from domain.blocklist import ANONYMOUS, block
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens, listing, removing, results
from handlers.framework import lists
from handlers.framework.context import Context, build_change
from handlers.framework.events import Press
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Confirm, Divider, Paragraph, Response, Screen
from store.blocklist.blocklist import ALREADY_SWITCHED

ROUTES = Routes(require=entry_screens.require_rights)


@ROUTES.press("blocklist.more")
async def more(ctx: Context, press: Press) -> Response:
    return await screen(ctx)


@ROUTES.press("blocklist.switch_on", "blocklist.switch_off")
async def switch(ctx: Context, press: Press) -> Response:
    on = press.action == "blocklist.switch_on"
    result = results.SwitchResult("on" if on else "off")
    change = await build_change(ctx, press.id, result)
    with lists.refuse_if(ALREADY_SWITCHED, Refusal("block_switched_already")):
        await ctx.services.blocklist.switch(ctx.snapshot, on, change)
    return await listing.screen_with_result(ctx, result, results.switched(ctx, result))


@ROUTES.press("blocklist.anonymous_on")
async def anonymous_on(ctx: Context, press: Press) -> Response:
    entry = block(ctx.account, ANONYMOUS, ctx.person.id, ctx.now)
    result = await adding.add_entry(ctx, press.id, entry)
    return await screen(ctx, lists.result_head(results.blocked(ctx, result)))


@ROUTES.press("blocklist.anonymous_off")
async def anonymous_off(ctx: Context, press: Press) -> Response:
    result = await removing.remove(ctx, press.id, ANONYMOUS.kind.value)
    return await screen(ctx, lists.result_head(results.unblocked(ctx, result), *listing.undo_blocks(ctx, result)))


async def screen(ctx: Context, head: tuple[Block, ...] = ()) -> Screen:
    """The settings, with `head` on top."""
    words, blocklist = ctx.words, ctx.services.blocklist
    on = await blocklist.on(ctx.snapshot)
    anonymous = await blocklist.get(ctx.snapshot, ANONYMOUS.kind.value)
    withheld = anonymous is not None and anonymous.live(ctx.now)
    change = "anonymous_off" if withheld else "anonymous_on"
    blocks: list[Block] = [
        *head,
        Paragraph(words.text("block.anonymous_are_off" if withheld else "block.anonymous_are_on")),
        Buttons((Button(words(f"button.{change}"), f"blocklist.{change}"),)),
        Divider(),
        Paragraph(words.text("block.allow.about")),
        Buttons((Button(words("button.allow_number"), adding.ALLOW, form=True),)),
        Divider(),
        Paragraph(words.text("block.files")),
        Buttons(
            (Button(words("button.import"), "blocklist.import"), Button(words("button.export"), "blocklist.export"))
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
