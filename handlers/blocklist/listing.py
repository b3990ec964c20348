"""The blocklist to look through: a page at a time, or what a search finds."""

import re

from domain.refusal import Refusal
from handlers.blocklist import entry_screens, results
from handlers.framework import parse_args
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.forms import Form, Response, TextField
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Divider, Notice, Paragraph, Screen, Text
from store.blocklist.blocklist import Counts
from store.blocklist.pages import BlocklistPage

ROUTES = Routes()

PAGE = 10
LONGEST_SEARCH = 40


@ROUTES.command("numbers", "blocked")
@ROUTES.command("blocklist", "", "list")
async def listed(ctx: Context, command: Command) -> Response:
    return await screen(ctx, "", parse_args.join_args(command.words))


@ROUTES.press(entry_screens.SHOW_BLOCKLIST)
async def shown(ctx: Context, press: Press) -> Response:
    return Notice(await screen(ctx, "", ""))


@ROUTES.press("blocklist.next", "blocklist.previous")
async def turned(ctx: Context, press: Press) -> Response:
    cursor, _, query = press.value.partition("|")
    return await screen(ctx, cursor, query)


@ROUTES.press("blocklist.search")
async def search(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    words = ctx.words
    field = TextField(
        "query",
        words("field.block_search"),
        hint=words("block.search.hint"),
        required=True,
        max_length=LONGEST_SEARCH,
        value=press.value[:LONGEST_SEARCH],
    )
    return Form("blocklist.search", words("block.search.title"), words("button.search"), (field,))


@ROUTES.submit("blocklist.search")
async def searched(ctx: Context, submit: Submit) -> Response:
    query = submit.values.get("query", "")
    if not parse_args.fold(query):
        raise Refusal("search_empty", "query")
    return await screen(ctx, "", query)


async def screen(ctx: Context, cursor: str, query: str, news: tuple[Block, ...] = ()) -> Screen:
    """The list from `cursor` on, or what a search finds; `news` on top."""
    entry_screens.require_rights(ctx)
    query = " ".join(query.replace("|", " ").split())[:LONGEST_SEARCH]
    blocklist, words = ctx.services.blocklist, ctx.words
    counts = await blocklist.counts(ctx.snapshot)
    page = await _page(ctx, cursor, query)
    await ctx.load_names(*(entry.by for entry in page.entries))
    blocks: list[Block] = [*news, *_state(ctx, counts)]
    if query:
        blocks.append(Paragraph(_found(ctx, page, query)))
    elif not counts.all:
        blocks.append(Paragraph(words.text("block.empty")))
    blocks += [entry_screens.entry_item(ctx, entry) for entry in page.entries]
    blocks += _foot(ctx, page, query)
    summary = words("block.summary", n=counts.all) if counts.on else words("block.summary_off")
    return Screen(words("block.title", account=ctx.account.name), tuple(blocks), summary)


def _state(ctx: Context, counts: Counts) -> list[Block]:
    """What holds for the list as a whole: whether it blocks at all."""
    if not counts.on:
        on = Button(ctx.words("button.switch_on"), "blocklist.switch_on", style="primary")
        return [Paragraph(ctx.words.text("block.off")), Buttons((on,)), Divider()]
    if imported := sum(counts.imported.values()):
        return [Paragraph(ctx.words.text("block.counts", n=imported, entries=counts.entries), quiet=True)]
    return []


async def _page(ctx: Context, cursor: str, query: str) -> BlocklistPage:
    if not query:
        return await ctx.services.blocklist.page(ctx.snapshot, cursor=cursor, count=PAGE)
    runs = sorted(parse_args.digit_runs(query))
    if not runs or len(max(runs, key=len)) * 2 < len(re.sub(r"\s", "", query)):
        runs = []  # words with a digit in them
    text = parse_args.fold(query)
    person = next((p.id for p in ctx.account.people if parse_args.fold(p.name) == text), "")
    return await ctx.services.blocklist.page(ctx.snapshot, cursor=cursor, count=PAGE, digits=runs, text=person or query)


def _found(ctx: Context, page: BlocklistPage, query: str) -> Text:
    words = ctx.words
    if page.total == 0:
        text = words.text("block.found_none", query=query)
    else:
        text = words.text("block.found_many" if page.more_found else "block.found", n=page.total, query=query)
    return (*text, " ", *words.text("block.whole_only")) if page.whole_only else text


def _foot(ctx: Context, page: BlocklistPage, query: str) -> list[Block]:
    words = ctx.words
    blocks: list[Block] = []
    if page.entries and page.total > len(page.entries):
        last = page.offset + len(page.entries)
        blocks.append(
            Paragraph(words.text("numbers.range", first=page.offset + 1, last=last, total=page.total), quiet=True)
        )
    turns = []
    if page.previous is not None:
        turns.append(Button(words("button.previous"), "blocklist.previous", f"{page.previous}|{query}"))
    if page.next is not None:
        turns.append(Button(words("button.next"), "blocklist.next", f"{page.next}|{query}"))
    if page.total > PAGE or query:
        turns.append(Button(words("button.search"), "blocklist.search", query, form=True))
    if query:
        turns.append(Button(words("button.show_all"), "blocklist.previous", "|"))
    if turns:
        blocks.append(Buttons(tuple(turns)))
    return [*blocks, Buttons(actions(ctx))]


def actions(ctx: Context) -> tuple[Button, ...]:
    """What a super admin can start from the blocklist."""
    words = ctx.words
    return (
        Button(words("button.add_number"), "blocklist.add", style="primary", form=True),
        Button(words("button.check"), "blocklist.check", form=True),
        Button(words("button.block_more"), "blocklist.more"),
    )


@ROUTES.press(results.SHOW_RESULT)
async def news(ctx: Context, press: Press) -> Response:
    """The list with what was just done on top: what a dialog that was opened from it leaves behind. `value` is the
    result kept with the change; one that is none of ours leaves the list as it is."""
    try:
        done = results.ROUTES.parse_result(press.value)
        head = result_blocks(ctx, done)
    except (KeyError, ValueError):
        head = ()
    return await screen(ctx, "", "", head)


def result_blocks(ctx: Context, done: Result) -> tuple[Block, ...]:
    """What was done as the head of the list."""
    said = results.ROUTES.render_result(ctx, done).blocks
    top: list[Block] = [block for block in said if isinstance(block, Paragraph)]
    if isinstance(done, results.Unblocked):
        top.append(Buttons((entry_screens.undo_button(ctx, done.key, "blocklist.list"),)))
    return (*top, Divider())
