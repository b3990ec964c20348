"""`switchboard report sla`: promises kept and broken, and how long people waited for the first answer."""

import asyncio
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import click

from bot.cli.common import account_must_stay, echo_json, format_count, get_account, parse_day
from bot.errors import InputError
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from domain.accounts.account import Account
from domain.support.report import NOBODY, PromiseTally, Report
from handlers.support.report_data import DAYS, DateRange, clamp_date_range, load_report

BAR: Final = 20  # characters of a full bar


class AccountReport(NamedTuple):
    """An account's report. `removed`: tickets made in the span's months that are no longer kept."""

    account: Account
    span: DateRange
    report: Report
    removed: int


def sla(settings: Settings, *, account: str | None, first: str | None, last: str | None, as_json: bool) -> None:
    """Print the report of an account, or of all. Raises InputError, OperationError."""
    begin, end = parse_day("--from", first), parse_day("--to", last)
    if begin is not None and end is not None and begin > end:
        raise InputError(f"--from {begin} is after --to {end}")

    async def run() -> list[AccountReport]:
        async with open_repositories(settings) as kept:
            now = clock(settings)()
            ids = [account] if account is not None else await kept.accounts.ids()
            return [await _load(kept, id, begin, end, now) for id in ids]

    reports = asyncio.run(run())
    if as_json:
        data = [as_data(each) for each in reports]
        echo_json(data[0] if account is not None else {"accounts": data})
        return
    if not reports:
        click.echo("there are no accounts yet, see accounts apply")
    for at, each in enumerate(reports):
        click.echo("\n" * (at > 0) + "\n".join(_lines(each)))


async def _load(kept: Repositories, id: str, begin: date | None, end: date | None, now: datetime) -> AccountReport:
    snapshot = await get_account(kept, id)
    zone = snapshot.account.zone
    today = now.astimezone(zone).date()
    last = min(end or today, today)
    first = begin or last - timedelta(days=DAYS - 1)
    if first > today:
        raise InputError(f"--from {first} is in the future")
    span = clamp_date_range(DateRange(first, last), today)
    with account_must_stay(id, "ask for the report again"):
        figures = await load_report(kept.outcomes, snapshot, span)
    return AccountReport(snapshot.account, span, figures.report, figures.removed)


def as_data(found: AccountReport) -> dict[str, Any]:
    report, span = found.report, found.span
    return {
        "account": found.account.id,
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "percentiles": "nearest rank, minutes of the promise's calendar",
        "total": _tally(report.total),
        "guaranteed": _tally(report.guaranteed),
        "kinds": {name: _tally(tally) for name, tally in sorted(report.kinds.items())},
        "channels": {name: _tally(tally) for name, tally in sorted(report.channels.items())},
        "people": [
            {"person": id or None, "name": _name(found.account, id), **_tally(tally)}
            for id, tally in sorted(report.people.items())
        ],
        "removed_tickets": found.removed,
    }


def _tally(tally: PromiseTally) -> dict[str, Any]:
    waits = {"count": tally.answered, "median": tally.percentile(50), "p90": tally.percentile(90)}
    return {"kept": tally.kept, "broken": tally.broken, "left": tally.left, "first_response": waits}


def _lines(found: AccountReport) -> list[str]:
    report, span = found.report, found.span
    total = report.total
    head = f"{found.account.id}, {span.first} to {span.last}: "
    if total.promises == 0:
        return [f"{head}no promise ended"]
    lines = [
        f"{head}{format_count(total.promises, 'promise')} ended",
        f"all: {total.kept:,} kept, {total.broken:,} broken, {total.left:,} not waited for",
        f"guaranteed: {report.guaranteed.kept:,} kept, {report.guaranteed.broken:,} broken",
    ]
    people = {_label(found.account, id, report.people): tally for id, tally in sorted(report.people.items())}
    for title, rows in (("Kind", report.kinds), ("Channel", report.channels), ("Person", people)):
        width = max(24, *(len(name) for name in rows))
        lines += ["", f"{title:<{width}} {'kept':>7} {'broken':>7} {'left':>6}  {'':<{BAR}}       median       90 %"]
        for name, tally in sorted(rows.items()):
            label = name.replace("_", " ") if title != "Person" else name
            lines.append(
                f"{label:<{width}} {tally.kept:>7,} {tally.broken:>7,} {tally.left:>6,}  {_bar(tally)} "
                f"{_minutes(tally.percentile(50)):>10} {_minutes(tally.percentile(90)):>10}"
            )
    lines += ["", "Median and 90 %: of the waits for the first answer, in open time; by kind, of the kind's own."]
    if found.removed:
        lines.append(
            f"{format_count(found.removed, 'ticket')} of these months no longer kept; the promises still count."
        )
    return lines


def _bar(tally: PromiseTally) -> str:
    share = tally.share
    if share is None:
        return f"{'':<{BAR}}   – "
    full = int(share * BAR)  # what is not whole is not shown as if it were
    return f"{'█' * full}{'░' * (BAR - full)} {int(share * 100):>3} %"[: BAR + 6]


def _minutes(minutes: float | None) -> str:
    if minutes is None:
        return "–"
    if minutes < 60:  # of an hour
        return f"{minutes:.1f} min"
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest:02} min"


def _name(account: Account, id: str) -> str:
    if id == NOBODY:
        return "nobody"
    person = account.person(id)
    return person.name if person is not None else "somebody who has left"


def _label(account: Account, id: str, people: Iterable[str]) -> str:
    """A name; with the id where others have the same one."""
    name = _name(account, id)
    return f"{name} ({id})" if sum(_name(account, other) == name for other in people) > 1 else name
