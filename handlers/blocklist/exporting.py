"""Export the blocklist as a file; importing that file changes nothing."""

from handlers.blocklist import entry_screens, importing
from handlers.blocklist.results import BlocklistResult
from handlers.framework.context import Context
from handlers.framework.effects import effect_id
from handlers.framework.events import Command, Press
from handlers.framework.routes import Routes
from handlers.framework.screens import Notice, Paragraph, Response, Screen
from store.blocklist.uploads import set_upload_deadline
from store.engine.commit import Change

ROUTES = Routes(require=entry_screens.require_rights)


@ROUTES.command("blocklist", "export")
async def export_command(ctx: Context, command: Command) -> Response:
    return await _export(ctx, command.id)


@ROUTES.press("blocklist.export")
async def export_pressed(ctx: Context, press: Press) -> Response:
    return Notice(await _export(ctx, press.id))


async def _export(ctx: Context, request: str) -> Screen:
    """Start the export; the process that takes the upload's deadline makes the file and sends it."""
    counts = await ctx.services.blocklist.counts(ctx.snapshot)
    if not counts.all:
        return entry_screens.confirmation_screen(ctx, ctx.words("export.title"), ctx.words.text("export.empty"))
    id = effect_id("export", ctx.actor.platform, ctx.actor.workspace, request)
    upload = importing.new_upload(ctx, id, "blocklist.csv", state="exporting")
    begun = ExportBegun(counts.all)
    change = Change(request, ctx.person.id, ctx.now, begun.pack())
    await ctx.services.uploads.save(
        ctx.snapshot,
        None,
        upload,
        change,
        what="block.export",
        also=lambda plan: set_upload_deadline(plan, id, ctx.now),
    )
    return export_begun(ctx, begun)


class ExportBegun(BlocklistResult, word="export_begun"):
    entries: int


@ROUTES.result(ExportBegun)
def export_begun(ctx: Context, done: ExportBegun) -> Screen:
    text = ctx.words.text("export.begun", n=done.entries)
    return Screen(ctx.words("export.title"), (Paragraph(text),))
