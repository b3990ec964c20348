"""The desk's report (docs/domain.md 7): promises kept and broken by kind, channel or person, and waits for the first
answer. For specialists and super admins."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from domain.refusal import Refusal
from domain.support.report import NOBODY, PromiseTally, Report
from handlers.framework import parse_args
from handlers.framework.context import Context
from handlers.framework.events import Command, Press
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Chart,
    FactSet,
    Notice,
    Paragraph,
    Response,
    Screen,
    Table,
    Text,
)
from handlers.support import ask, ticket_screens
from handlers.support.report_data import DateRange, ReportData, clamp_date_range, load_report, parse_date_range

ROUTES = Routes()

BY: Final = ("channel", "person", "kind")  # the first is shown first
PERIODS: Final = ("7 days", "30 days", "this month", "last month")
COLUMNS: Final = ("kept", "broken", "left", "median", "p90")  # after the first
ROWS: Final = 20  # of the table, those with the most promises
BARS: Final = 10


@ROUTES.command("support", "report")
async def command(ctx: Context, command: Command) -> Response:
    """The report; if the words after it are no period, a question that begins with "report"."""
    text = parse_args.join_args(command.words)
    if (span := parse_date_range(text, _today(ctx))) is None:
        return await ask.answer(ctx, f"report {text}", command.id)
    return await screen(ctx, span, BY[0])


@ROUTES.press("desk.report")
async def pressed(ctx: Context, press: Press) -> Response:
    """The report in a message of its own."""
    span = parse_date_range("", _today(ctx))
    assert span is not None  # noqa: S101 - no words at all are a period
    return Notice(await screen(ctx, span, BY[0]))


@ROUTES.press(*(f"desk.report.{by}" for by in BY), "desk.report.span")
async def turned(ctx: Context, press: Press) -> Response:
    """Another grouping or period, in place."""
    text, _, by = press.value.partition("|")
    span = parse_date_range(text, _today(ctx))
    if span is None or by not in BY:
        raise Refusal("report_days")
    return await screen(ctx, span, by, text)


async def screen(ctx: Context, span: DateRange, by: str, text: str = "") -> Screen:
    """The report. `text`: the period as it was typed."""
    if not (ctx.person.specialist or ctx.person.super_admin):
        raise Refusal("report_who")
    words = ctx.words
    found = await load_report(ctx.services.outcomes, ctx.snapshot, clamp_date_range(span, _today(ctx)))
    title = words("report.title", first=found.span.first, last=found.span.last)
    blocks: list[Block] = []
    if found.report.total.promises:
        blocks += [_facts(ctx, found), *_cut(ctx, found.report, by)]
        blocks.append(Paragraph(words.text("report.waits"), quiet=True))
    else:
        blocks.append(Paragraph(words.text("report.none")))
    if found.removed:
        blocks.append(Paragraph(words.text("report.removed", n=found.removed), quiet=True))
    if found.report.total.promises:
        blocks.append(Buttons(_ways(ctx, by, text), light=True))
    blocks.append(Buttons(_periods(ctx, by, text), light=True))
    return Screen(title, tuple(blocks), summary=title)


def _today(ctx: Context) -> date:
    return ctx.now.astimezone(ctx.account.zone).date()


def _ways(ctx: Context, by: str, text: str) -> tuple[Button, ...]:
    return tuple(
        Button(
            ctx.words(f"report.by_{name}"),
            f"desk.report.{name}",
            f"{text}|{name}",
            "primary" if name == by else "plain",
        )
        for name in BY
    )


def _periods(ctx: Context, by: str, text: str) -> tuple[Button, ...]:
    shown = text or "30 days"
    return tuple(
        Button(
            ctx.words(f"report.{key}"), "desk.report.span", f"{period}|{by}", "primary" if period == shown else "plain"
        )
        for period, key in ((period, period.replace(" ", "_")) for period in PERIODS)
    )


def _facts(ctx: Context, found: ReportData) -> FactSet:
    words, total, guaranteed = ctx.words, found.report.total, found.report.guaranteed
    pairs: list[tuple[str, Text]] = [
        (words("report.kept"), (_of(ctx, total),)),
        (words("report.broken"), (words.show(total.broken),)),
        (words("report.left"), (words.show(total.left),)),
    ]
    if guaranteed.promises:
        pairs.append((words("report.guaranteed"), (_of(ctx, guaranteed),)))
    if total.answered:
        median, slow = _wait(ctx, total.percentile(50)), _wait(ctx, total.percentile(90))
        pairs.append((words("report.first_answer"), (words("report.median_p90", median=median, p90=slow),)))
    return FactSet(tuple(pairs))


def _of(ctx: Context, tally: PromiseTally) -> str:
    share = tally.share
    if share is None:
        return ctx.words.show(tally.kept)
    return ctx.words("report.kept_of", kept=tally.kept, judged=tally.kept + tally.broken, percent=int(share * 100))


def _cut(ctx: Context, report: Report, by: str) -> list[Block]:
    """Chart and table, grouped by `by`."""
    words = ctx.words
    rows = sorted(_named(ctx, report, by).items(), key=lambda row: (-row[1].promises, row[0]))
    bars = [(name, int(tally.share * 100)) for name, tally in rows[:BARS] if tally.share is not None]
    blocks: list[Block] = []
    if bars:
        title = words("report.chart")
        said = words.join(f"{name} {percent} %" for name, percent in bars)
        blocks.append(Chart(title, tuple(bars), "%", f"{title}: {said}"))
    columns = tuple(words(f"report.{column}") for column in (by, *COLUMNS))
    lines: list[tuple[Text, ...]] = []
    for name, tally in rows[:ROWS]:
        counts = [words.show(count) for count in (tally.kept, tally.broken, tally.left)]
        waits = [_wait(ctx, tally.percentile(percent)) for percent in (50, 90)]
        lines.append(tuple((text,) for text in (name, *counts, *waits)))
    blocks.append(Table(columns, tuple(lines)))
    if len(rows) > ROWS:
        blocks.append(Paragraph(words.text("report.more", n=len(rows) - ROWS), quiet=True))
    return blocks


def _named(ctx: Context, report: Report, by: str) -> Mapping[str, PromiseTally]:
    words = ctx.words
    if by == "channel":
        return {words(f"channel.short.{channel}"): tally for channel, tally in report.channels.items()}
    if by == "kind":
        return {words(f"clock.{kind}"): tally for kind, tally in report.kinds.items()}
    named: dict[str, PromiseTally] = {}
    for id, tally in report.people.items():
        said = ticket_screens.person_name(ctx.account, id if id != NOBODY else None, words)
        # Names may be equal, and those who left have none.
        named[said if said not in named else f"{said} ({id})"] = tally
    return named


def _wait(ctx: Context, minutes: float | None) -> str:
    if minutes is None:
        return "–"
    if minutes < 1:
        return ctx.words("report.seconds", n=round(minutes * 60))
    return ticket_screens.format_duration(ctx.words, round(minutes))
