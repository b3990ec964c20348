"""An entry of the blocklist on screens; and who may use the blocklist."""

from domain.blocklist import BlocklistEntry, EntryKind
from domain.people import Right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.screens import Button, Buttons, Confirm, ListItem, Paragraph, Screen, Text, TextPart

SHOW_BLOCKLIST = "blocklist.show"
LONGEST_REASON = 80  # characters in a list


def may_manage(ctx: Context) -> bool:
    """Whether the account has a blocklist that the reader may see and change."""
    return ctx.may(Right.MANAGE_BLOCKLIST) and ctx.account.features.blocklist


def require_rights(ctx: Context) -> None:
    """Raise the Refusal that says why, unless `may_manage`."""
    ctx.require(Right.MANAGE_BLOCKLIST)
    if not ctx.account.features.blocklist:
        raise Refusal("block_no_feature")


def entry_name(ctx: Context, kind: str, value: str) -> str:
    """What an entry blocks or allows: a number in the reader's form, "+4870*", or anonymous callers."""
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
    """An entry in the list, with the button to remove it."""
    words, name = ctx.words, entry_name(ctx, entry.kind, entry.value)
    question = "block.remove.sure_allow" if entry.kind is EntryKind.ALLOW else "block.remove.sure"
    sure = _confirm(ctx, words(question, number=name))
    spoken = words("block.remove.spoken", number=name)
    remove = Button(words("button.remove"), "blocklist.remove", entry.key, "danger", confirm=sure, spoken=spoken)
    return ListItem(title=name, details=(entry_details(ctx, entry),), button=remove)


def undo_button(ctx: Context, key: str, place: str = "blocklist") -> Button:
    spoken = ctx.words("block.undo.spoken", number=name_by_key(ctx, key))
    return Button(ctx.words("button.undo"), f"{place}.undo", key, spoken=spoken)


def confirmation_screen(ctx: Context, title: str, text: Text, *buttons: Button) -> Screen:
    """A change in one sentence, with buttons for what can follow."""
    return Screen(title, (Paragraph(text), Buttons((*buttons, list_button(ctx)))))


def list_button(ctx: Context) -> Button:
    """Shows the blocklist."""
    return Button(ctx.words("button.blocklist"), SHOW_BLOCKLIST)


def remove_button(ctx: Context, key: str) -> Button:
    """Removes an entry that was just added, after a question like any removal."""
    sure = _confirm(ctx, ctx.words("block.remove.sure", number=name_by_key(ctx, key)))
    return Button(ctx.words("button.remove"), "blocklist.unblock", key, confirm=sure)


def _confirm(ctx: Context, question: str) -> Confirm:
    words = ctx.words
    return Confirm(words("block.remove.title"), question, words("button.remove"), words("button.cancel"))
