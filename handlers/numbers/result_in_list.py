"""The list with what was just done on top: what a dialog that was opened from a list leaves behind."""

from dataclasses import astuple

from handlers.framework.context import Context
from handlers.framework.events import Press
from handlers.framework.forms import Response
from handlers.framework.routes import Routes, merge_routes
from handlers.framework.screens import Divider, Paragraph
from handlers.numbers import addon_request, listing, registration, results

ROUTES = Routes()

_SHOWN = merge_routes(module.ROUTES for module in (results, registration, addon_request))


@ROUTES.press(results.SHOW_RESULT)
async def news(ctx: Context, press: Press) -> Response:
    """`value` is the result kept with the change; one that is none of ours leaves the list as it is."""
    try:
        done = _SHOWN.parse_result(press.value)
        await ctx.load_names(*(value for value in astuple(done) if isinstance(value, str)))
        said = _SHOWN.render_result(ctx, done).blocks
    except (KeyError, ValueError):
        return await listing.screen(ctx, 0, "")
    top = tuple(block for block in said if isinstance(block, Paragraph))
    if isinstance(done, addon_request.MoreAsked):  # asked for on the screen that shows what is used
        return await listing.usage_screen(ctx, (*top, Divider()))
    return await listing.screen(ctx, 0, "", (*top, Divider()))
