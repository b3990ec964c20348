"""Remove from the blocklist, asked about once and naming what goes; and undo it for a while."""

from domain.blocklist import ANONYMOUS, BlocklistEntry, EntryKind, read_target
from domain.phone import is_e164
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens, listing, results
from handlers.framework.context import Context, build_change
from handlers.framework.events import Address, Command, Press, Submit
from handlers.framework.forms import Done, Form, Response
from handlers.framework.routes import Routes
from handlers.framework.screens import Paragraph
from store.blocklist.blocklist import ALREADY_BLOCKED, NOT_BLOCKED
from store.engine.commit import GuardFailed

ROUTES = Routes()

REMOVE = "blocklist.unblock"


@ROUTES.command("numbers", "unblock")
@ROUTES.command("blocklist", "remove", "unblock")
async def remove_command(ctx: Context, command: Command) -> Response:
    entry_screens.require_rights(ctx)
    text, _ = adding.split_target(command.words)
    if not text:
        raise Refusal("block_remove_usage")
    return form(ctx, await _typed(ctx, text))


@ROUTES.submit(REMOVE)
async def submitted(ctx: Context, submit: Submit) -> Response:
    entry_screens.require_rights(ctx)
    await remove(ctx, submit.id, submit.state.get("entry", ""), submit.where)
    return Done()


@ROUTES.press(REMOVE)
async def unblocked(ctx: Context, press: Press) -> Response:
    """On the line that said that it is blocked, which now says that it no longer is."""
    entry_screens.require_rights(ctx)
    return results.unblocked(ctx, await remove(ctx, press.id, press.value))


@ROUTES.press("blocklist.remove")
async def removed(ctx: Context, press: Press) -> Response:
    """In the list, which is drawn anew with the way back on top."""
    entry_screens.require_rights(ctx)
    return await listing.screen(ctx, "", "", listing.result_blocks(ctx, await remove(ctx, press.id, press.value)))


@ROUTES.press("blocklist.undo")
async def undone(ctx: Context, press: Press) -> Response:
    return results.undone(ctx, await _undo(ctx, press))


@ROUTES.press("blocklist.list.undo")
async def undone_in_list(ctx: Context, press: Press) -> Response:
    return await listing.screen(ctx, "", "", listing.result_blocks(ctx, await _undo(ctx, press)))


def form(ctx: Context, entry: BlocklistEntry) -> Form:
    """What goes, and what that means."""
    words, name = ctx.words, entry_screens.entry_name(ctx, entry.kind, entry.value)
    question = "block.remove.sure_allow" if entry.kind is EntryKind.ALLOW else "block.remove.sure"
    return Form(
        REMOVE,
        words("block.remove.title"),
        words("button.remove"),
        (Paragraph(words.text(question, number=name)), Paragraph(entry_screens.entry_details(ctx, entry), quiet=True)),
        {"entry": entry.key},
        words("button.cancel"),
    )


async def _typed(ctx: Context, text: str) -> BlocklistEntry:
    """The entry that was typed: a block, else an exception of that number."""
    target = ANONYMOUS if text.casefold() in adding.WITHHELD else read_target(text, ctx.account)
    key = f"{target.kind.value}|{target.value}" if target.value else target.kind.value
    for wanted in (key, f"{EntryKind.ALLOW.value}|{target.value}") if target.kind is EntryKind.NUMBER else (key,):
        found = await ctx.services.blocklist.get(ctx.snapshot, wanted)
        if found is not None:
            await ctx.load_names(found.by)
            return found
    raise Refusal("block_not_there", "number", number=entry_screens.entry_name(ctx, target.kind, target.value))


async def _kept(ctx: Context, key: str) -> BlocklistEntry:
    """The entry of a key that came back from a screen, which may be anything."""
    found = await ctx.services.blocklist.get(ctx.snapshot, key) if is_key(key) else None
    if found is None:
        raise Refusal("block_gone", number=entry_screens.name_by_key(ctx, key) if is_key(key) else key[:40])
    return found


def is_key(text: str) -> bool:
    """Whether the text may be an entry's key."""
    kind, _, value = text.partition("|")
    digits = value.removeprefix("+")
    plain = digits.isascii() and digits.isdigit()
    match kind:
        case EntryKind.ANONYMOUS:
            return value == ""
        case EntryKind.PREFIX:
            return plain and value.startswith("+") and len(digits) <= 15
        case EntryKind.NUMBER | EntryKind.ALLOW:
            return is_e164(value) or (plain and len(value) <= 16)
    return False


async def remove(ctx: Context, id: str, key: str, where: Address | None = None) -> results.Unblocked:
    """Whoever is second is told that it is gone."""
    entry = await _kept(ctx, key)
    result = results.Unblocked(entry.key)
    confirm = results.unblocked(ctx, result)
    made = await build_change(ctx, id, result, confirm=confirm, where=where)
    await ctx.services.uploads.keep_removed(ctx.snapshot, entry)
    try:
        return result.as_first(await ctx.services.blocklist.remove(ctx.snapshot, key, made))
    except GuardFailed as failed:
        if failed.guard != NOT_BLOCKED:
            raise
        raise Refusal("block_gone", number=entry_screens.name_by_key(ctx, key)) from None


async def _undo(ctx: Context, press: Press) -> results.BlockUndone:
    """The entry back as it was."""
    entry_screens.require_rights(ctx)
    key = press.value
    entry = await ctx.services.uploads.removed(ctx.snapshot, key) if is_key(key) else None
    if entry is None or not entry.live(ctx.now):
        raise Refusal("block_undo_late")
    result = results.BlockUndone(key)
    made = await build_change(ctx, press.id, result)
    try:
        return result.as_first(await ctx.services.blocklist.add(ctx.snapshot, entry, made, "block.undone"))
    except GuardFailed as failed:
        if failed.guard != ALREADY_BLOCKED:
            raise
        raise Refusal("block_there", number=entry_screens.name_by_key(ctx, key)) from None
