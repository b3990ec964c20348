"""This month's minutes by number and by person, and when they will be used up (docs/domain.md 2)."""

from collections.abc import Mapping

from domain.calls import runs_out
from domain.people import Right
from handlers.framework.context import Context
from handlers.framework.screens import Block, Chart, Paragraph, Table, Text
from store.calls.records import Breakdown

SHOWN = 20  # rows of a table; the rest is summed up in one row
BARS = 10  # of a chart


def facts(ctx: Context, month: Breakdown) -> list[tuple[str, Text]]:
    """When the pool will be used up, for super admins; how many minutes are the reader's own, for other people."""
    words = ctx.words
    if not ctx.may(Right.SEE_ALL_NUMBERS):
        own = sum(month.people.get(id, 0) for id in ctx.person.ids)
        return [(words("minutes.own"), (words("minutes.count", n=own),))]
    if not month.minutes:
        return []
    day = runs_out(ctx.account, month.days, ctx.now)
    if day is None:
        text = words.text("minutes.lasts")
    elif month.minutes >= ctx.limits.minutes:
        text = words.text("minutes.used_up", day=day)
    else:
        text = words.text("minutes.runs_out", day=day)
    return [(words("minutes.projection"), text)]


async def tables(ctx: Context, month: Breakdown) -> list[Block]:
    """The minutes by number and by person, each as a chart and a table; for super admins."""
    if not ctx.may(Right.SEE_ALL_NUMBERS):
        return []
    words = ctx.words
    if not month.minutes:
        return [Paragraph(words.text("minutes.none"), quiet=True)]
    await ctx.load_names(*month.people)
    numbers = _ordered({ctx.number(e164): used for e164, used in month.numbers.items() if e164})
    people: dict[str, int] = {}
    for id, used in month.people.items():
        person = ctx.account.person(id)
        name = ctx.name(person.id if person else id)
        people[name] = people.get(name, 0) + used
    if (rest := month.minutes - sum(month.people.values())) > 0:
        people[words("person.nobody")] = rest
    return [
        _chart(ctx, words("minutes.by_number"), numbers),
        _table(ctx, words("minutes.number"), numbers, month.minutes),
        _chart(ctx, words("minutes.by_person"), _ordered(people)),
        _table(ctx, words("minutes.person"), _ordered(people), month.minutes),
    ]


def _ordered(used: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most first."""
    return sorted(used.items(), key=lambda row: (-row[1], row[0]))


def _chart(ctx: Context, title: str, rows: list[tuple[str, int]]) -> Chart:
    shown = rows[:BARS]
    values = ctx.words.join(f"{name} {ctx.words.show(used)}" for name, used in shown)
    return Chart(title, tuple(shown), ctx.words("minutes.unit"), f"{title}: {values}")


def _table(ctx: Context, column: str, rows: list[tuple[str, int]], total: int) -> Table:
    words, shown = ctx.words, rows[:SHOWN]
    if left := sum(used for _, used in rows[SHOWN:]):
        shown = [*shown, (words("minutes.others", n=len(rows) - SHOWN), left)]
    lines: list[tuple[Text, ...]] = [
        ((name,), (words.show(used),), (f"{round(100 * used / total)}%",)) for name, used in shown
    ]
    return Table((column, words("minutes.minutes"), words("minutes.share")), tuple(lines))
