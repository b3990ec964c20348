"""How an entry of the blocklist looks, and what was done to it in a sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from domain.people import Right, require_right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Confirm, ListItem, Paragraph, Screen, Text, TextPart

ROUTES = Routes()

SHOW_BLOCKLIST = "blocklist.show"
SHOW_BLOCKLIST_RESULT = "blocklist.news"
LONGEST_REASON = 80  # characters in a list


def require_rights(ctx: Context) -> None:
    """Returns where the reader may see and change the blocklist, and the account has one. Raises Refusal."""
    require_right(ctx.account, ctx.person, Right.MANAGE_BLOCKLIST)
    if not ctx.account.features.blocklist:
        raise Refusal("block_no_feature")


def entry_name(ctx: Context, kind: str, value: str) -> str:
    """What an entry is about, as the reader writes it."""
    match kind:
        case EntryKind.PREFIX:
            return f"{value}*"
        case EntryKind.ANONYMOUS:
            return ctx.words("block.anonymous")
        case _:
            return ctx.number(value)


def name_by_key(ctx: Context, key: str) -> str:
    kind, _, value = key.partition("|")
    return entry_name(ctx, kind, value)


def entry_details(ctx: Context, entry: BlocklistEntry) -> Text:
    """Direction, reason, who and when, until when."""
    words = ctx.words
    parts: list[TextPart] = [
        words("block.allowed") if entry.kind is EntryKind.ALLOW else words(f"direction.{entry.direction}")
    ]
    if entry.reason:
        short = entry.reason if len(entry.reason) <= LONGEST_REASON else f"{entry.reason[:LONGEST_REASON]}…"
        parts += [" · ", short]
    if entry.source == "import":
        parts += [" · ", words("block.imported")]
    if entry.by and entry.at:
        who = words("person.import") if entry.by == "import" else ctx.name(entry.by)
        parts += [" · ", *words.text("block.by", who=who, when=words.timestamp(entry.at))]
    if entry.until is not None:
        key = "block.until" if entry.live(ctx.now) else "block.expired"
        parts += [" · ", *words.text(key, until=words.timestamp(entry.until, "datetime"))]
    return tuple(parts)


def entry_item(ctx: Context, entry: BlocklistEntry) -> ListItem:
    """An entry with the way to be rid of it."""
    name = entry_name(ctx, entry.kind, entry.value)
    question = "block.remove.sure_allow" if entry.kind is EntryKind.ALLOW else "block.remove.sure"
    sure = Confirm(
        ctx.words("block.remove.title"),
        ctx.words(question, number=name),
        ctx.words("button.remove"),
        ctx.words("button.cancel"),
    )
    remove = Button(
        ctx.words("button.remove"),
        "blocklist.remove",
        entry.key,
        style="danger",
        confirm=sure,
        spoken=ctx.words("block.remove.spoken", number=name),
    )
    return ListItem(title=name, details=(entry_details(ctx, entry),), button=remove)


def undo_button(ctx: Context, key: str, place: str = "blocklist") -> Button:
    return Button(
        ctx.words("button.undo"),
        f"{place}.undo",
        key,
        spoken=ctx.words("block.undo.spoken", number=name_by_key(ctx, key)),
    )


def confirmation_screen(ctx: Context, title: str, text: Text, *buttons: Button, more: Sequence[Block] = ()) -> Screen:
    """A change in one sentence, with what can follow."""
    show = Button(ctx.words("button.blocklist"), SHOW_BLOCKLIST)
    return Screen(title, (Paragraph(text), *more, Buttons((*buttons, show))))


# What was done, made from the kept result alone, so that a repeat of the request gets the very same answer.


@ROUTES.result("blocked")
def blocked(ctx: Context, params: Sequence[str]) -> Screen:
    """`kind`, `value`, `direction`, seconds of the end or ""."""
    kind, value, direction, until = params
    name = entry_name(ctx, kind, value)
    words = ctx.words
    if kind == EntryKind.ALLOW:
        text = words.text("block.done_allowed", number=name)
    elif kind == EntryKind.ANONYMOUS:
        text = words.text("block.done_anonymous")
    else:
        way = words(f"direction.{Direction(direction)}.what")
        text = words.text("block.done", number=name, way=way)
    if until:
        ends = words.timestamp(datetime.fromtimestamp(int(until), UTC), "datetime")
        text = (*text, " ", *words.text("block.done_until", until=ends))
    title = words("block.done_allowed.title") if kind == EntryKind.ALLOW else words("block.done.title")
    return confirmation_screen(ctx, title, text, remove_button(ctx, f"{kind}|{value}" if value else kind))


def remove_button(ctx: Context, key: str) -> Button:
    """What was just added, away again: asked about like any removal."""
    name = name_by_key(ctx, key)
    sure = Confirm(
        ctx.words("block.remove.title"),
        ctx.words("block.remove.sure", number=name),
        ctx.words("button.remove"),
        ctx.words("button.cancel"),
    )
    return Button(ctx.words("button.remove"), "blocklist.unblock", key, confirm=sure)


@ROUTES.result("unblocked")
def unblocked(ctx: Context, params: Sequence[str]) -> Screen:
    key = "|".join(params)
    name = name_by_key(ctx, key)
    sentence = "block.removed_allowed" if params[0] == EntryKind.ALLOW else "block.removed"
    return confirmation_screen(
        ctx, ctx.words("block.removed.title"), ctx.words.text(sentence, number=name), undo_button(ctx, key)
    )


@ROUTES.result("block_undone")
def undone(ctx: Context, params: Sequence[str]) -> Screen:
    key = "|".join(params)
    return confirmation_screen(
        ctx, ctx.words("block.undone.title"), ctx.words.text("block.undone", number=name_by_key(ctx, key))
    )


@ROUTES.result("blocklist_switched")
def switched(ctx: Context, params: Sequence[str]) -> Screen:
    on = params[0] == "on"
    text = ctx.words.text("block.switched_on" if on else "block.switched_off")
    return confirmation_screen(ctx, ctx.words("block.switched.title"), text)
