"""The list with what was just done on top: what a dialog that was opened from a list leaves behind."""

from handlers.framework.context import SHOW_RESULT, Context
from handlers.framework.events import Press
from handlers.framework.forms import Response
from handlers.framework.routes import Routes
from handlers.framework.screens import Divider, Paragraph
from handlers.numbers import addon_request, listing, number_screens, registration

ROUTES = Routes()

RESULTS = {**number_screens.ROUTES.results, **registration.ROUTES.results, **addon_request.ROUTES.results}


@ROUTES.press(SHOW_RESULT)
async def news(ctx: Context, press: Press) -> Response:
    """`value` is the result kept with the change; one that is none of ours leaves the list as it is."""
    word, *params = press.value.split("|")
    try:
        await ctx.load_names(*params)
        said = RESULTS[word](ctx, params).blocks
    except (KeyError, IndexError, ValueError):
        said = ()
    top = tuple(block for block in said if isinstance(block, Paragraph))
    if top and word in addon_request.ROUTES.results:  # asked for on the screen that shows what is used
        return await listing.usage_screen(ctx, (*top, Divider()))
    return await listing.screen(ctx, 0, "", (*top, Divider()) if top else ())
