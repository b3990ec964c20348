"""What the screens of several workflows share: paging and search of lists, a result on top, the help."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Divider,
    FactSet,
    Form,
    Paragraph,
    Screen,
    Text,
    TextField,
)
from handlers.wording import Words
from store.engine.commit import GuardFailed


def range_block(words: Words, offset: int, count: int, total: int) -> list[Block]:
    """Which items of a list are shown, if these are not all."""
    if total <= count:
        return []
    text = words.text("numbers.range", first=offset + 1 if count else 0, last=offset + count, total=total)
    return [Paragraph(text, quiet=True)]


def paging_buttons(
    words: Words, name: str, search: str, previous: str | None, next_: str | None, start: str, query: str, long: bool
) -> list[Block]:
    """The buttons to turn the page, to search, and to show everything after a search.

    Args:
        name: of the list; the actions are "name.previous" and "name.next", the values a position, "|" and the query.
        search: the action that opens the search dialog.
        previous: position of the page before, None if there is none; `next_` and `start` likewise.
        long: whether the list has more than one page.
    """
    buttons = []
    if previous is not None:
        buttons.append(Button(words("button.previous"), f"{name}.previous", f"{previous}|{query}"))
    if next_ is not None:
        buttons.append(Button(words("button.next"), f"{name}.next", f"{next_}|{query}"))
    if long or query:
        buttons.append(Button(words("button.search"), search, query, form=True))
    if query:
        buttons.append(Button(words("button.show_all"), f"{name}.previous", f"{start}|"))
    return [Buttons(tuple(buttons))] if buttons else []


def search_form(
    ctx: Context, action: str, title: str, label: str, longest: int, query: str = "", hint: str | None = None
) -> Form:
    """The search dialog, with the query of the search that is shown. `title` and `label` are keys of the catalogue,
    `longest` is in characters."""
    words = ctx.words
    field = TextField("query", words(label), query[:longest], hint, required=True, max_length=longest)
    return Form(action, words(title), words("button.search"), (field,))


def result_head(screen: Screen | None, *more: Block) -> tuple[Block, ...]:
    """The sentences of a result's screen and more blocks, to stand on top of a list; nothing if there is no result."""
    if screen is None:
        return ()
    return (*(block for block in screen.blocks if isinstance(block, Paragraph)), *more, Divider())


def help_screen(
    ctx: Context, title: str, usages: Iterable[tuple[str, Text]], unknown: str | None, near: str | None, *more: Block
) -> Screen:
    """The commands and what each does; an unknown word that was typed on top, with the nearest known one."""
    head: list[Block] = []
    if unknown is not None:
        key = "help.unknown_near" if near else "help.unknown"
        head.append(Paragraph(ctx.words.text(key, word=unknown, near=near or "")))
    return Screen(title, (*head, FactSet(tuple(usages)), *more), summary=title)


@contextmanager
def refuse_if(guard: str, refusal: Refusal) -> Iterator[None]:
    """Raise `refusal` if a commit in the block fails because of this guard."""
    try:
        yield
    except GuardFailed as failed:
        if failed.guard != guard:
            raise
        raise refusal from None
