"""The list of numbers: a page at a time, searched, and the usage beside it."""

import asyncio
from functools import lru_cache

from domain.numbers.fields import texts_of
from domain.numbers.number import Number
from domain.people import Right, require_right
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.addons import addon_blocks
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.forms import Form, Response, TextField
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Divider, FactSet, Link, Notice, Paragraph, Screen, Text
from handlers.numbers import minutes as minutes_of
from handlers.numbers import number_screens
from handlers.wording import Words
from store.numbers.records import NumberPage

ROUTES = Routes()

_LINE = Divider()

PAGE_SIZE = 10
LONGEST_SEARCH = 60
PEOPLE_AT_MOST = 20  # whose names fit a search


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
    require_right(ctx.account, ctx.person, Right.SEE_NUMBERS)
    words = ctx.words
    field = TextField(
        "query",
        words("field.search"),
        hint=words("numbers.search.hint"),
        required=True,
        max_length=LONGEST_SEARCH,
        value=press.value[:LONGEST_SEARCH],
    )
    return Form("numbers.search", words("numbers.search.title"), words("button.search"), (field,))


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


async def screen(ctx: Context, offset: int, query: str, news: tuple[Block, ...] = ()) -> Screen:
    """The list from `offset` on, or what a search finds; `news` on top."""
    if not ctx.may(Right.SEE_NUMBERS):
        require_right(ctx.account, ctx.person, Right.SEE_NUMBERS)  # which says why
    query = query.strip()[:LONGEST_SEARCH]
    everyone = ctx.may(Right.SEE_ALL_NUMBERS)
    page = await (_find(ctx, everyone, offset, query) if query else _page(ctx, everyone, offset))
    if page.total == 0 and not page.deleted and not query:
        empty = _empty(ctx, page, everyone)
        return Screen(empty.title, (*news, *empty.blocks), empty.summary)
    blocks = [*news, *_list(ctx, page, everyone, query, "numbers")]
    return Screen(_title(ctx), tuple(blocks), summary=_summary(ctx, page, everyone))


async def home_blocks(ctx: Context, offset: int) -> list[Block]:
    """The same list as part of the home screen."""
    require_right(ctx.account, ctx.person, Right.SEE_NUMBERS)
    everyone = ctx.may(Right.SEE_ALL_NUMBERS)
    page = await _page(ctx, everyone, offset)
    if page.total == 0 and not page.deleted:
        return list(_empty(ctx, page, everyone).blocks)
    return _list(ctx, page, everyone, "", "home")


def _list(ctx: Context, page: NumberPage, everyone: bool, query: str, place: str) -> list[Block]:
    blocks: list[Block] = []
    if everyone and not query:
        blocks += [*number_screens.meters(ctx, page.usage), _LINE]
    if query:
        blocks.append(Paragraph(_found(ctx, page, query)))
    blocks += [number_screens.number_item(ctx, number) for number in page.numbers]
    blocks += _turning(ctx, page, query, place, everyone)
    return blocks


async def _page(ctx: Context, everyone: bool, offset: int) -> NumberPage:
    """A page; the last one where the list has become shorter than the offset."""
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
    runs = parse_args.digit_runs(query)
    wanted = parse_args.fold(query)
    people = [p.id for p in ctx.account.people if wanted and wanted in parse_args.fold(p.name)][:PEOPLE_AT_MOST]
    found, own = await asyncio.gather(
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
    await ctx.load_names(*(n.person for n in found.numbers))
    mine = [kept.value for kept in own if _fits(kept.value, runs, wanted)]
    room = max(0, PAGE_SIZE - len(found.numbers))
    start = max(0, offset - found.total)
    return NumberPage(
        found.usage,
        (*found.numbers, *mine[start : start + room]),
        (),
        offset,
        found.total + len(mine),
        found.more_found,
    )


def _fits(number: Number, runs: set[str], wanted: str) -> bool:
    return any(len(run) >= 3 and run in number.e164 for run in runs) or bool(
        wanted and any(wanted in parse_args.fold(text) for text in texts_of(number).values() if text)
    )


def _found(ctx: Context, page: NumberPage, query: str) -> Text:
    if page.total == 0:
        return ctx.words.text("numbers.found_none", query=query)
    key = "numbers.found_many" if page.more_found else "numbers.found"
    return ctx.words.text(key, n=page.total, query=query)


def _turning(ctx: Context, page: NumberPage, query: str, place: str, everyone: bool) -> list[Block]:
    """Where in the list this is, what can still be had back, and the ways on."""
    full = everyone and page.usage.numbers_left == 0
    foot = _foot(
        ctx.words, page.offset, len(page.numbers), page.total, query, place, number_screens.actions(ctx, not full)
    )
    deleted = [
        number_screens.deleted_item(ctx, number, "home" if place == "home" else "list") for number in page.deleted
    ]
    managers = [] if everyone else [Paragraph(number_screens.managers(ctx), quiet=True)]
    return [*foot[:-1], *deleted, *managers, foot[-1]]


@lru_cache(maxsize=number_screens.CACHED)
def _foot(
    words: Words, offset: int, count: int, total: int, query: str, place: str, actions: tuple[Button, ...]
) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if total > count:
        range_ = words.text("numbers.range", first=offset + 1, last=offset + count, total=total)
        blocks.append(Paragraph(range_, quiet=True))
    turns = []
    if offset > 0:
        turns.append(Button(words("button.previous"), f"{place}.previous", f"{max(0, offset - PAGE_SIZE)}|{query}"))
    if offset + count < total:
        turns.append(Button(words("button.next"), f"{place}.next", f"{offset + PAGE_SIZE}|{query}"))
    if total > PAGE_SIZE or query:
        turns.append(Button(words("button.search"), "numbers.search", query, form=True))
    if query:
        turns.append(Button(words("button.show_all"), f"{place}.previous", "0|"))
    if turns:
        blocks.append(Buttons(tuple(turns)))
    blocks.append(Buttons((*actions, Button(words("button.usage"), "numbers.usage"))))
    return tuple(blocks)


def _empty(ctx: Context, page: NumberPage, everyone: bool) -> Screen:
    words = ctx.words
    if everyone and not ctx.calling_ready:
        raise Refusal("not_set_up", admins=ctx.account.admin_names)
    blocks: list[Block] = [*number_screens.meters(ctx, page.usage)] if everyone else []
    blocks.append(Paragraph(words.text("numbers.empty_admin" if everyone else "numbers.empty")))
    if not everyone:
        blocks.append(Paragraph(number_screens.managers(ctx), quiet=True))
    if buttons := number_screens.actions(ctx):
        blocks.append(Buttons(buttons))
    return Screen(_title(ctx), tuple(blocks))


def _title(ctx: Context) -> str:
    return _titled(ctx.words, ctx.account.name)


@lru_cache(maxsize=number_screens.CACHED)
def _titled(words: Words, account: str) -> str:
    return words("numbers.title", account=account)


def _summary(ctx: Context, page: NumberPage, everyone: bool) -> str:
    if everyone:
        return _summed(ctx.words, ctx.account.name, page.usage.numbers_limit, page.usage.numbers)
    return ctx.words("numbers.summary_own", n=page.total)


@lru_cache(maxsize=number_screens.CACHED)
def _summed(words: Words, account: str, limit: int, used: int) -> str:
    return words("numbers.summary", account=account, n=limit, used=used)


async def usage_screen(ctx: Context, news: tuple[Block, ...] = ()) -> Screen:
    """Used and remaining of both limits, what sets them, and how to get more (docs/domain.md 2); `news` on top."""
    require_right(ctx.account, ctx.person, Right.SEE_USAGE)
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
    blocks: list[Block] = [*number_screens.meters(ctx, usage), FactSet(tuple(pairs)), *table, *addon_blocks(ctx)]
    numbers, minutes, *_ = number_screens.meters(ctx, usage)
    return Screen(words("usage.title"), (*news, *blocks), summary=f"{numbers.label}, {minutes.label}")
