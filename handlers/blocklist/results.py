"""The results of changes to the blocklist, and the screens made from them alone, so that a repeat of a request gets the
same answer."""

from datetime import UTC, datetime
from typing import ClassVar

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from handlers.blocklist.entry_screens import confirmation_screen, entry_name, name_by_key, remove_button, undo_button
from handlers.framework.context import Context
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import Screen

ROUTES = Routes()

SHOW_RESULT = "blocklist.news"


class BlocklistResult(Result):
    """Shown on top of the blocklist."""

    SHOW: ClassVar[str] = SHOW_RESULT


class BlockResult(BlocklistResult, word="blocked"):
    """An entry added. `value`: "" of anonymous callers; `until`: its end, in seconds since 1970."""

    kind: str
    value: str
    direction: str
    until: int | None

    @classmethod
    def of(cls, entry: BlocklistEntry) -> "BlockResult":
        until = int(entry.until.timestamp()) if entry.until else None
        return cls(entry.kind.value, entry.value, entry.direction.value, until)

    @property
    def key(self) -> str:
        return f"{self.kind}|{self.value}" if self.value else self.kind


class UnblockResult(BlocklistResult, word="unblocked"):
    """`key`: of the entry ("number|+442079460999")."""

    key: str


class UndoResult(BlocklistResult, word="block_undone"):
    """An entry back again. `key` as in `UnblockResult`."""

    key: str


class SwitchResult(BlocklistResult, word="blocklist_switched"):
    """`to`: "on" or "off"."""

    to: str


@ROUTES.result(BlockResult)
def blocked(ctx: Context, done: BlockResult) -> Screen:
    words, name = ctx.words, entry_name(ctx, done.kind, done.value)
    if done.kind == EntryKind.ALLOW:
        text = words.text("block.done_allowed", number=name)
    elif done.kind == EntryKind.ANONYMOUS:
        text = words.text("block.done_anonymous")
    else:
        way = words(f"direction.{Direction(done.direction)}.what")
        text = words.text("block.done", number=name, way=way)
    if done.until is not None:
        ends = words.timestamp(datetime.fromtimestamp(done.until, UTC), "datetime")
        text = (*text, " ", *words.text("block.done_until", until=ends))
    title = words("block.done_allowed.title") if done.kind == EntryKind.ALLOW else words("block.done.title")
    return confirmation_screen(ctx, title, text, remove_button(ctx, done.key))


@ROUTES.result(UnblockResult)
def unblocked(ctx: Context, done: UnblockResult) -> Screen:
    sentence = "block.removed_allowed" if done.key.partition("|")[0] == EntryKind.ALLOW else "block.removed"
    text = ctx.words.text(sentence, number=name_by_key(ctx, done.key))
    return confirmation_screen(ctx, ctx.words("block.removed.title"), text, undo_button(ctx, done.key))


@ROUTES.result(UndoResult)
def undone(ctx: Context, done: UndoResult) -> Screen:
    text = ctx.words.text("block.undone", number=name_by_key(ctx, done.key))
    return confirmation_screen(ctx, ctx.words("block.undone.title"), text)


@ROUTES.result(SwitchResult)
def switched(ctx: Context, done: SwitchResult) -> Screen:
    text = ctx.words.text("block.switched_on" if done.to == "on" else "block.switched_off")
    return confirmation_screen(ctx, ctx.words("block.switched.title"), text)
