"""The blocklist as a file, which an import reads back without changing anything."""

from collections.abc import Sequence

from handlers.blocklist import importing, looks
from handlers.framework.context import Context, effect_id
from handlers.framework.routes import Routes
from handlers.framework.vocabulary import Command, Notice, Outcome, Paragraph, Press, Screen
from handlers.numbers import screens
from store.blocklist.uploads import due_at
from store.numbers.records import Change

ROUTES = Routes()


@ROUTES.command("blocklist", "export")
async def export_command(ctx: Context, command: Command) -> Outcome:
    return await _export(ctx, command.id)


@ROUTES.press("blocklist.export")
async def export_pressed(ctx: Context, press: Press) -> Outcome:
    return Notice(await _export(ctx, press.id))


async def _export(ctx: Context, change: str) -> Screen:
    """It may be long: made by whichever process takes the deadline, and sent as a file."""
    looks.rights(ctx)
    counts = await ctx.services.blocklist.counts(ctx.held)
    if not counts.all:
        return looks.said(ctx, ctx.words("export.title"), ctx.words.text("export.empty"))
    id = effect_id("export", ctx.actor.platform, ctx.actor.workspace, change)
    upload = importing.exporting(ctx, id)
    made = Change(change, ctx.person.id, ctx.now, screens.result("export_begun", str(counts.all)))
    await ctx.services.uploads.save(
        ctx.held, None, upload, made, what="block.export", also=lambda plan: due_at(plan, id, ctx.now)
    )
    return begun(ctx, [str(counts.all)])


@ROUTES.result("export_begun")
def begun(ctx: Context, params: Sequence[str]) -> Screen:
    text = ctx.words.text("export.begun", n=int(params[0]))
    return Screen(ctx.words("export.title"), (Paragraph(text),))
