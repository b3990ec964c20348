"""The list of numbers by page, what a search finds in it, and the usage."""

import asyncio
from functools import lru_cache

from domain.numbers.fields import texts_of
from domain.numbers.number import Number
from domain.people import Right
from domain.refusal import Refusal
from handlers.framework import lists, parse_args
from handlers.framework.addons import addon_blocks
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Divider,
    FactSet,
    Link,
    Notice,
    Paragraph,
    Response,
    Screen,
    Text,
)
from handlers.numbers import addon_request, number_screens, results
from handlers.numbers import minutes as minutes_of
from handlers.wording import Words
from store.numbers.records import NumberPage

ROUTES = Routes()

PAGE_SIZE = 10
LONGEST_SEARCH = 60
PEOPLE_AT_MOST = 20  # with names that fit a search


@ROUTES.command("numbers", "", "list")
async def listed(ctx: Context, command: Command) -> Response:
    return await screen(ctx, 0, parse_args.join_args(command.words))


@ROUTES.press(number_screens.SHOW_NUMBERS)
async def shown(ctx: Context, press: Press) -> Response:
    return Notice(await screen(ctx, 0, ""))


@ROUTES.press("numbers.next", "numbers.previous")
async def turned(ctx: Context, press: Press) -> Response:
    offset, _, query = press.value.partition("|")
    return await screen(ctx, parse_args.parse_offset(offset), query)


@ROUTES.press("numbers.search")
async def search(ctx: Context, press: Press) -> Response:
    ctx.require(Right.SEE_NUMBERS)
    hint = ctx.words("numbers.search.hint")
    return lists.search_form(
        ctx, "numbers.search", "numbers.search.title", "field.search", LONGEST_SEARCH, press.value, hint
    )


@ROUTES.submit("numbers.search")
async def searched(ctx: Context, submit: Submit) -> Response:
    if not parse_args.fold(submit.values.get("query", "")):
        raise Refusal("search_empty", "query")
    return await screen(ctx, 0, submit.values["query"])


@ROUTES.command("numbers", "usage")
async def used(ctx: Context, command: Command) -> Response:
    return await usage_screen(ctx)


@ROUTES.press("numbers.usage")
async def usage_pressed(ctx: Context, press: Press) -> Response:
    return Notice(await usage_screen(ctx))


@ROUTES.result_list(results.SHOW_RESULT)
async def screen_with_result(ctx: Context, result: Result | None, shown: Screen | None) -> Screen:
    head = lists.result_head(shown)
    if isinstance(result, addon_request.AddonRequestResult):  # the dialog was opened from the usage
        return await usage_screen(ctx, head)
    return await screen(ctx, 0, "", head)


async def screen(ctx: Context, offset: int, query: str, head: tuple[Block, ...] = ()) -> Screen:
    """The list from `offset` on, or what a search finds, with `head` on top. Raises Refusal."""
    ctx.require(Right.SEE_NUMBERS)
    query = query.strip()[:LONGEST_SEARCH]
    everyone = ctx.may(Right.SEE_ALL_NUMBERS)
    page = await (_find(ctx, everyone, offset, query) if query else _page(ctx, everyone, offset))
    if page.total == 0 and not page.deleted and not query:
        empty = _empty(ctx, page, everyone)
        return Screen(empty.title, (*head, *empty.blocks), empty.summary)
    blocks = [*head, *_list(ctx, page, everyone, query, "numbers")]
    name, usage = ctx.account.name, page.usage
    if everyone:
        summary = _summary(ctx.words, name, usage.numbers_limit, usage.numbers)
    else:
        summary = ctx.words("numbers.summary_own", n=page.total)
    return Screen(_title(ctx.words, name), tuple(blocks), summary=summary)


async def home_blocks(ctx: Context, offset: int) -> list[Block]:
    """The list as part of the home screen. Raises Refusal."""
    ctx.require(Right.SEE_NUMBERS)
    everyone = ctx.may(Right.SEE_ALL_NUMBERS)
    page = await _page(ctx, everyone, offset)
    if page.total == 0 and not page.deleted:
        return list(_empty(ctx, page, everyone).blocks)
    return _list(ctx, page, everyone, "", "home")


def _list(ctx: Context, page: NumberPage, everyone: bool, query: str, place: str) -> list[Block]:
    blocks: list[Block] = []
    if everyone and not query:
        blocks += [*number_screens.meters(ctx.words, page.usage), Divider()]
    if query:
        blocks.append(Paragraph(_search_summary(ctx, page, query)))
    blocks += [number_screens.number_item(ctx, number) for number in page.numbers]
    blocks += _turning(ctx, page, query, place, everyone)
    return blocks


async def _page(ctx: Context, everyone: bool, offset: int) -> NumberPage:
    """The page at an offset; the last page if the list has become shorter."""
    numbers = ctx.services.numbers
    while True:
        page = await numbers.page(
            ctx.snapshot, ctx.person, everyone=everyone, offset=offset, count=PAGE_SIZE, allowed=ctx.limits, now=ctx.now
        )
        if page.numbers or offset == 0 or page.total == 0:
            await ctx.load_names(*(n.person for n in page.numbers))
            return page
        offset = min(offset - PAGE_SIZE, (page.total - 1) // PAGE_SIZE * PAGE_SIZE) if offset > PAGE_SIZE else 0


async def _find(ctx: Context, everyone: bool, offset: int, query: str) -> NumberPage:
    """A page of the provided numbers that fit, followed by the reader's registered ones."""
    runs = parse_args.digit_runs(query)
    wanted = parse_args.fold(query)
    people = [p.id for p in ctx.account.people if wanted and wanted in parse_args.fold(p.name)][:PEOPLE_AT_MOST]
    provided, registered = await asyncio.gather(
        ctx.services.numbers.find(
            ctx.snapshot,
            ctx.person,
            everyone=everyone,
            digits=sorted(runs),
            people=people,
            offset=offset,
            count=PAGE_SIZE,
            allowed=ctx.limits,
            now=ctx.now,
        ),
        ctx.services.registered.of(ctx.snapshot, ctx.person.id),
    )
    await ctx.load_names(*(n.person for n in provided.numbers))
    own = [record.value for record in registered if _fits(record.value, runs, wanted)]
    start = max(0, offset - provided.total)
    numbers = (*provided.numbers, *own[start : start + max(0, PAGE_SIZE - len(provided.numbers))])
    return NumberPage(provided.usage, numbers, (), offset, provided.total + len(own), provided.more_found)


def _fits(number: Number, runs: set[str], wanted: str) -> bool:
    return any(len(run) >= 3 and run in number.e164 for run in runs) or bool(
        wanted and any(wanted in parse_args.fold(text) for text in texts_of(number).values() if text)
    )


def _search_summary(ctx: Context, page: NumberPage, query: str) -> Text:
    if page.total == 0:
        return ctx.words.text("numbers.found_none", query=query)
    key = "numbers.found_many" if page.more_found else "numbers.found"
    return ctx.words.text(key, n=page.total, query=query)


def _turning(ctx: Context, page: NumberPage, query: str, place: str, everyone: bool) -> list[Block]:
    """Range and paging buttons, numbers whose deletion can be undone, who manages numbers, and the actions."""
    full = everyone and page.usage.numbers_left == 0
    actions = number_screens.actions(ctx, not full)
    foot = _foot(ctx.words, page.offset, len(page.numbers), page.total, query, place, actions)
    undo = "home" if place == "home" else "list"
    deleted = [number_screens.deleted_item(ctx, number, undo) for number in page.deleted]
    managers = [] if everyone else [Paragraph(number_screens.managers(ctx), quiet=True)]
    return [*foot[:-1], *deleted, *managers, foot[-1]]


@lru_cache(maxsize=number_screens.CACHED)
def _foot(
    words: Words, offset: int, count: int, total: int, query: str, place: str, actions: tuple[Button, ...]
) -> tuple[Block, ...]:
    previous = str(max(0, offset - PAGE_SIZE)) if offset > 0 else None
    next_ = str(offset + PAGE_SIZE) if offset + count < total else None
    turns = lists.paging_buttons(words, place, "numbers.search", previous, next_, "0", query, total > PAGE_SIZE)
    usage = Button(words("button.usage"), "numbers.usage")
    return (*lists.range_block(words, offset, count, total), *turns, Buttons((*actions, usage)))


def _empty(ctx: Context, page: NumberPage, everyone: bool) -> Screen:
    words = ctx.words
    if everyone and not ctx.calling_ready:
        raise Refusal("not_set_up", admins=ctx.account.admin_names)
    blocks: list[Block] = [*number_screens.meters(ctx.words, page.usage)] if everyone else []
    blocks.append(Paragraph(words.text("numbers.empty_admin" if everyone else "numbers.empty")))
    if not everyone:
        blocks.append(Paragraph(number_screens.managers(ctx), quiet=True))
    if buttons := number_screens.actions(ctx):
        blocks.append(Buttons(buttons))
    return Screen(_title(words, ctx.account.name), tuple(blocks))


@lru_cache(maxsize=number_screens.CACHED)
def _title(words: Words, account: str) -> str:
    return words("numbers.title", account=account)


@lru_cache(maxsize=number_screens.CACHED)
def _summary(words: Words, account: str, limit: int, used: int) -> str:
    return words("numbers.summary", account=account, n=limit, used=used)


async def usage_screen(ctx: Context, head: tuple[Block, ...] = ()) -> Screen:
    """How much of both limits is used and left, what sets them, and how to get more (docs/domain.md 2), with `head` on
    top. Raises Refusal."""
    ctx.require(Right.SEE_USAGE)
    words = ctx.words
    usage, month = await asyncio.gather(
        ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now),
        ctx.services.calls.breakdown(ctx.snapshot, ctx.now),
    )
    tier = words(f"tier.{ctx.account.tier.value}")
    plan: Text = (tier,)
    if ctx.account.pricing_url:  # S 000: "both limits are based on the subscription", with a link
        plan = (tier, " · ", Link(words("usage.limits_link"), ctx.account.pricing_url))
    addons = ctx.account.addons
    pairs: list[tuple[str, Text]] = [(words("usage.plan"), plan)]
    if addons.numbers or addons.minutes:
        extra = words("usage.addons_text", numbers=addons.numbers, minutes=addons.minutes)
        pairs.append((words("usage.addons"), (extra,)))
    pairs += minutes_of.facts(ctx, month)
    table = await minutes_of.tables(ctx, month)
    meters = number_screens.meters(words, usage)
    blocks = (*head, *meters, FactSet(tuple(pairs)), *table, *addon_blocks(ctx))
    return Screen(words("usage.title"), blocks, summary=", ".join(meter.label for meter in meters))
