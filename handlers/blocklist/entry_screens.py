"""How an entry of the blocklist looks, and what was done to it in a sentence."""

from collections.abc import Sequence

from domain.blocklist import BlocklistEntry, EntryKind
from domain.people import Right, require_right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.screens import Block, Button, Buttons, Confirm, ListItem, Paragraph, Screen, Text, TextPart

SHOW_BLOCKLIST = "blocklist.show"
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
