"""Remove from the blocklist, after a question that names the entry; and undo it for a while."""

from domain.blocklist import BlocklistEntry, EntryKind
from domain.phone import is_e164
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens, listing, results
from handlers.framework import lists
from handlers.framework.context import Context, build_change
from handlers.framework.events import Address, Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Done, Form, Paragraph, Response
from store.blocklist.blocklist import ALREADY_BLOCKED, NOT_BLOCKED

ROUTES = Routes(require=entry_screens.require_rights)

REMOVE = "blocklist.unblock"


@ROUTES.command("numbers", "unblock")
@ROUTES.command("blocklist", "remove", "unblock")
async def remove_command(ctx: Context, command: Command) -> Response:
    text, _ = adding.split_target(command.words)
    if not text:
        raise Refusal("block_remove_usage")
    return form(ctx, await _find_typed(ctx, text))


@ROUTES.submit(REMOVE)
async def submitted(ctx: Context, submit: Submit) -> Response:
    await remove(ctx, submit.id, submit.state.get("entry", ""), submit.where)
    return Done()


@ROUTES.press(REMOVE)
async def unblocked(ctx: Context, press: Press) -> Response:
    """On the screen that said that the entry was added."""
    return results.unblocked(ctx, await remove(ctx, press.id, press.value))


@ROUTES.press("blocklist.remove")
async def removed(ctx: Context, press: Press) -> Response:
    """In the list, which is redrawn with the result and an Undo button on top."""
    result = await remove(ctx, press.id, press.value)
    return await listing.screen_with_result(ctx, result, results.unblocked(ctx, result))


@ROUTES.press("blocklist.undo")
async def undone(ctx: Context, press: Press) -> Response:
    return results.undone(ctx, await _undo(ctx, press))


@ROUTES.press("blocklist.list.undo")
async def undone_in_list(ctx: Context, press: Press) -> Response:
    result = await _undo(ctx, press)
    return await listing.screen_with_result(ctx, result, results.undone(ctx, result))


def form(ctx: Context, entry: BlocklistEntry) -> Form:
    """The question that names the entry."""
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


async def _find_typed(ctx: Context, text: str) -> BlocklistEntry:
    """The entry for what was typed: a block, else an exception for the number. Raises Refusal if there is none."""
    target = adding.typed_target(ctx, text)
    key = f"{target.kind.value}|{target.value}" if target.value else target.kind.value
    for wanted in (key, f"{EntryKind.ALLOW.value}|{target.value}") if target.kind is EntryKind.NUMBER else (key,):
        entry = await ctx.services.blocklist.get(ctx.snapshot, wanted)
        if entry is not None:
            await ctx.load_names(entry.by)
            return entry
    raise Refusal("block_not_there", "number", number=entry_screens.entry_name(ctx, target.kind, target.value))


async def _find_entry(ctx: Context, key: str) -> BlocklistEntry:
    """The entry of a key that came back from a screen, untrusted. Raises Refusal if there is none."""
    entry = await ctx.services.blocklist.get(ctx.snapshot, key) if is_key(key) else None
    if entry is None:
        raise Refusal("block_gone", number=entry_screens.name_by_key(ctx, key) if is_key(key) else key[:40])
    return entry


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


async def remove(ctx: Context, id: str, key: str, where: Address | None = None) -> results.UnblockResult:
    """Remove the entry of a key. Raises Refusal if it is gone."""
    entry = await _find_entry(ctx, key)
    result = results.UnblockResult(entry.key)
    change = await build_change(ctx, id, result, confirm=results.unblocked(ctx, result), where=where)
    await ctx.services.uploads.keep_removed(ctx.snapshot, entry)
    with lists.refuse_if(NOT_BLOCKED, Refusal("block_gone", number=entry_screens.name_by_key(ctx, key))):
        return result.as_first(await ctx.services.blocklist.remove(ctx.snapshot, key, change))


async def _undo(ctx: Context, press: Press) -> results.UndoResult:
    """Restore the removed entry as it was."""
    key = press.value
    entry = await ctx.services.uploads.removed(ctx.snapshot, key) if is_key(key) else None
    if entry is None or not entry.live(ctx.now):
        raise Refusal("block_undo_late")
    result = results.UndoResult(key)
    change = await build_change(ctx, press.id, result)
    with lists.refuse_if(ALREADY_BLOCKED, Refusal("block_there", number=entry_screens.name_by_key(ctx, key))):
        return result.as_first(await ctx.services.blocklist.add(ctx.snapshot, entry, change, "block.undone"))
