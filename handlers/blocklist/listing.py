"""The blocklist by page, or what a search finds in it."""

import re
from collections.abc import Sequence

from domain.refusal import Refusal
from handlers.blocklist import entry_screens, results
from handlers.framework import lists, parse_args
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Divider, Notice, Paragraph, Response, Screen, Text
from store.blocklist.blocklist import Counts
from store.blocklist.pages import BlocklistPage

ROUTES = Routes(require=entry_screens.require_rights)

PAGE_SIZE = 10
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
    hint = ctx.words("block.search.hint")
    return lists.search_form(
        ctx, "blocklist.search", "block.search.title", "field.block_search", LONGEST_SEARCH, press.value, hint
    )


@ROUTES.submit("blocklist.search")
async def searched(ctx: Context, submit: Submit) -> Response:
    query = submit.values.get("query", "")
    if not parse_args.fold(query):
        raise Refusal("search_empty", "query")
    return await screen(ctx, "", query)


async def screen(ctx: Context, cursor: str, query: str, head: tuple[Block, ...] = ()) -> Screen:
    """The list from `cursor` on, or what a search finds, with `head` on top. Raises Refusal."""
    entry_screens.require_rights(ctx)
    query = " ".join(query.replace("|", " ").split())[:LONGEST_SEARCH]
    blocklist, words = ctx.services.blocklist, ctx.words
    counts = await blocklist.counts(ctx.snapshot)
    page = await _page(ctx, cursor, query)
    await ctx.load_names(*(entry.by for entry in page.entries))
    blocks: list[Block] = [*head, *_state(ctx, counts)]
    if query:
        blocks.append(Paragraph(_found(ctx, page, query)))
    elif not counts.all:
        blocks.append(Paragraph(words.text("block.empty")))
    blocks += [entry_screens.entry_item(ctx, entry) for entry in page.entries]
    blocks += _foot(ctx, page, query)
    summary = words("block.summary", n=counts.all) if counts.on else words("block.summary_off")
    return Screen(words("block.title", account=ctx.account.name), tuple(blocks), summary)


def _state(ctx: Context, counts: Counts) -> list[Block]:
    """Whether the blocklist is switched off, and how many numbers were imported."""
    if not counts.on:
        on = Button(ctx.words("button.switch_on"), "blocklist.switch_on", style="primary")
        return [Paragraph(ctx.words.text("block.off")), Buttons((on,)), Divider()]
    if imported := sum(counts.imported.values()):
        return [Paragraph(ctx.words.text("block.counts", n=imported, entries=counts.entries), quiet=True)]
    return []


async def _page(ctx: Context, cursor: str, query: str) -> BlocklistPage:
    if not query:
        return await ctx.services.blocklist.page(ctx.snapshot, cursor=cursor, count=PAGE_SIZE)
    runs = sorted(parse_args.digit_runs(query))
    if not runs or len(max(runs, key=len)) * 2 < len(re.sub(r"\s", "", query)):
        runs = []  # a text with a digit in it
    text = parse_args.fold(query)
    person = next((p.id for p in ctx.account.people if parse_args.fold(p.name) == text), "")
    return await ctx.services.blocklist.page(
        ctx.snapshot, cursor=cursor, count=PAGE_SIZE, digits=runs, text=person or query
    )


def _found(ctx: Context, page: BlocklistPage, query: str) -> Text:
    words = ctx.words
    if page.total == 0:
        text = words.text("block.found_none", query=query)
    else:
        text = words.text("block.found_many" if page.more_found else "block.found", n=page.total, query=query)
    return (*text, " ", *words.text("block.whole_only")) if page.whole_only else text


def _foot(ctx: Context, page: BlocklistPage, query: str) -> list[Block]:
    words, count = ctx.words, len(page.entries)
    shown = lists.range_block(words, page.offset, count, page.total) if count else []
    turns = lists.paging_buttons(
        words, "blocklist", "blocklist.search", page.previous, page.next, "", query, page.total > PAGE_SIZE
    )
    return [*shown, *turns, Buttons(actions(ctx))]


def actions(ctx: Context) -> tuple[Button, ...]:
    """What a super admin can start from the blocklist."""
    words = ctx.words
    return (
        Button(words("button.add_number"), "blocklist.add", style="primary", form=True),
        Button(words("button.check"), "blocklist.check", form=True),
        Button(words("button.block_more"), "blocklist.more"),
    )


@ROUTES.result_list(results.SHOW_RESULT)
async def screen_with_result(ctx: Context, result: Result | None, shown: Screen | None) -> Screen:
    return await screen(ctx, "", "", lists.result_head(shown, *undo_blocks(ctx, result)))


def undo_blocks(ctx: Context, result: Result | None) -> Sequence[Block]:
    """The Undo button for a removal, on top of the list."""
    if not isinstance(result, results.UnblockResult):
        return ()
    return (Buttons((entry_screens.undo_button(ctx, result.key, "blocklist.list"),)),)
