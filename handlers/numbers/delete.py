"""Delete a provided number, which must be typed to confirm; and undo it for a while (docs/domain.md 2)."""

from datetime import timedelta

from domain.numbers.number import Number, NumberState, delete, undo
from domain.people import Right
from domain.policy import UNDO_DAYS
from domain.refusal import Refusal
from handlers.framework import lists, parse_args
from handlers.framework.context import Context, build_change
from handlers.framework.events import Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Done, Form, Paragraph, Response, TextField
from handlers.numbers import edit, listing, results
from handlers.numbers.get import limit_refusal
from store.engine.commit import GuardFailed
from store.engine.values import Versioned
from store.numbers.records import NO_ROOM

ROUTES = Routes(require=lambda ctx: ctx.require(Right.MANAGE_NUMBERS))


@ROUTES.command("numbers", "delete")
async def delete_command(ctx: Context, command: Command) -> Response:
    if not command.words:
        raise Refusal("delete_usage")
    return await form(ctx, await edit.find_typed_number(ctx, parse_args.join_args(command.words)))


@ROUTES.press("numbers.delete")
async def pressed(ctx: Context, press: Press) -> Response:
    return await form(ctx, await edit.find_number(ctx, press.value))


@ROUTES.submit("numbers.delete")
async def submitted(ctx: Context, submit: Submit) -> Response:
    before = await edit.find_number(ctx, submit.state.get("number", ""))
    after = delete(before.value, submit.values.get("confirm", ""), ctx.region, ctx.now)
    if str(before.value.version) != submit.state.get("version"):
        person, forwards = ctx.name(before.value.person), edit.forwarding_text(ctx, before.value)
        now = ctx.words("edit.now", person=person, forwards=forwards)
        raise Refusal("changed_meanwhile", "confirm", what=now)
    result = results.DeleteResult(after.e164, int((after.undo_until or ctx.now).timestamp()))
    notifications = results.notify(ctx, after.person, "numbers.told_deleted", after.e164)
    confirm, touched = results.deleted(ctx, result), (after.person,)
    change = await build_change(
        ctx, submit.id, result, confirm=confirm, where=submit.where, notifications=notifications, touched=touched
    )
    await ctx.services.numbers.replace(ctx.snapshot, before, after, "number.deleted", change)
    return Done()


@ROUTES.command("numbers", "undo")
async def undo_command(ctx: Context, command: Command) -> Response:
    before = await ctx.services.numbers.last_deleted(ctx.snapshot, ctx.now)
    if before is None:
        raise Refusal("undo_nothing", n=UNDO_DAYS)
    return results.undone(ctx, await _undo(ctx, command.id, before))


@ROUTES.press("numbers.undo")
async def undo_pressed(ctx: Context, press: Press) -> Response:
    """On the screen that said that the number was deleted."""
    return results.undone(ctx, await restore(ctx, press))


@ROUTES.press("list.undo")
async def undo_in_list(ctx: Context, press: Press) -> Response:
    head = lists.result_head(results.undone(ctx, await restore(ctx, press)))
    return await listing.screen(ctx, 0, "", head)


async def restore(ctx: Context, press: Press) -> results.UndoResult:
    """Undo the deletion of a number. Raises Refusal."""
    ctx.require(Right.MANAGE_NUMBERS)
    return await _undo(ctx, press.id, await edit.find_number(ctx, press.value))


async def _undo(ctx: Context, id: str, before: Versioned[Number]) -> results.UndoResult:
    usage = await ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now)
    await ctx.load_names(before.value.person)
    after = undo(before.value, ctx.now, usage.numbers, usage.numbers_limit)
    result = results.UndoResult(after.e164, after.person)
    notifications = results.notify(ctx, after.person, "numbers.told_undone", after.e164)
    change = await build_change(ctx, id, result, notifications=notifications, touched=(after.person,))
    try:
        first = await ctx.services.numbers.replace(
            ctx.snapshot, before, after, "number.undone", change, limit=usage.numbers_limit if after.counts else None
        )
    except GuardFailed as failed:
        if failed.guard == NO_ROOM:
            raise await limit_refusal(ctx) from None
        raise
    return result.as_first(first)


async def form(ctx: Context, before: Versioned[Number]) -> Form:
    """The dialog: what stops working, until when it can be undone, and the field for the number. Raises Refusal."""
    words, number = ctx.words, before.value
    if number.state is NumberState.DELETED:
        raise Refusal("number_deleted")
    if number.state is NumberState.ORDERED:
        raise Refusal("number_ordered")
    if number.state is NumberState.PORTING:
        raise Refusal("number_porting")
    await ctx.load_names(number.person)
    shown = ctx.number(number.e164)
    until = words.timestamp(ctx.now + timedelta(days=UNDO_DAYS))
    return Form(
        "numbers.delete",
        words("delete.title"),
        words("button.delete"),
        (
            Paragraph(words.text("delete.about", number=shown)),
            Paragraph(_stops(ctx, before)),
            Paragraph(words.text("delete.undo_until", until=until), quiet=True),
            TextField(
                "confirm", words("field.confirm"), hint=words("delete.hint", number=shown), required=True, max_length=60
            ),
        ),
        {"number": number.e164, "version": str(number.version)},
        words("button.cancel"),
    )


def _stops(ctx: Context, before: Versioned[Number]) -> tuple[str, ...]:
    number = before.value
    lines = []
    if number.person:
        lines.append(ctx.words("delete.stops_person", person=ctx.name(number.person)))
    if number.forwarding:
        lines.append(ctx.words("delete.stops_forwarding", to=ctx.number(number.forwarding)))
    return (" ".join(lines) or ctx.words("delete.stops_nothing"),)
