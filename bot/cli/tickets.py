"""`switchboard report sla`: how promises were kept. `switchboard export`: tickets with what was said, as JSON lines."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import click
import orjson

from bot.cli.accounts import found
from bot.settings import Settings
from bot.wiring import clock, records
from bot.wrong import Wrong
from domain.agenda import Ended
from domain.kept import Line, line, lines

WIDEST_BAR: Final = 30
_NOBODY: Final = "nobody"
_WAYS: Final = {"files": {"__all__": {"ref"}}}  # may open a file by itself
# What the promises are grouped by.
GROUPS: Final[dict[str, Callable[[Ended], str]]] = {
    "promise": lambda one: one.kind.replace("_", " "),
    "channel": lambda one: one.channel.replace("_", " "),
    "person": lambda one: one.specialist or _NOBODY,
}


def sla(settings: Settings, *, account: str, month: str | None, as_json: bool) -> None:
    """Prints how the promises that ended in a month ("2026-11"; None: this one) were kept. Raises Wrong."""
    if month is not None:
        _month(month)

    async def run() -> tuple[str, list[Ended]]:
        async with records(settings) as kept:
            held = await found(kept, account)
            wanted = month or clock(settings)().astimezone(held.account.zone).strftime("%Y-%m")
            return wanted, await kept.tickets.outcomes(held, wanted)

    shown, outcomes = asyncio.run(run())
    if as_json:
        click.echo(orjson.dumps(as_data(account, shown, outcomes), option=orjson.OPT_INDENT_2))
        return
    for text in as_text(account, shown, outcomes):
        click.echo(text)


def as_text(account: str, month: str, outcomes: list[Ended]) -> list[str]:
    """A table a group, and a bar for the part of each that was kept."""
    if not outcomes:
        return [f"{account}, {month}: no promise has ended"]
    whole = line("all", outcomes)
    said = [
        f"{account}, {month}: {whole.kept:,} kept, {whole.broken:,} broken; minutes are those of the hours promised in"
    ]
    for name, by in GROUPS.items():
        said += ["", f"{f'by {name}':<20} {'kept':>6} {'broken':>6} {'neither':>7} {'median':>8} {'90 %':>8}"]
        said += [_row(each) for each in lines(outcomes, by)]
    return said


def as_data(account: str, month: str, outcomes: list[Ended]) -> dict[str, object]:
    groups = {f"by_{name}": [each._asdict() for each in lines(outcomes, by)] for name, by in GROUPS.items()}
    return {"account": account, "month": month, "all": line("all", outcomes)._asdict(), **groups}


def export(settings: Settings, *, account: str) -> None:
    """Prints every ticket with its timeline, a JSON object a line, by number. Raises Wrong."""

    async def run() -> None:
        async with records(settings) as kept:
            held = await found(kept, account)
            async for filed in kept.tickets.walk(held):
                entries = await kept.tickets.timeline(held, filed.ticket, filed.ticket.messages)
                ticket = filed.ticket.model_dump(mode="json", by_alias=True, exclude=_WAYS)
                timeline = [e.message.model_dump(mode="json", by_alias=True, exclude=_WAYS) for e in entries]
                click.echo(orjson.dumps({"ticket": ticket, "timeline": timeline}))

    asyncio.run(run())


def _row(each: Line) -> str:
    judged = each.kept + each.broken
    bar = "█" * round(WIDEST_BAR * each.kept / judged) if judged else ""
    rest = "░" * (WIDEST_BAR - len(bar)) if judged else ""
    counts = f"{each.kept:>6,} {each.broken:>6,} {each.neither:>7,}"
    return f"{each.name[:20]:<20} {counts} {_minutes(each.median):>8} {_minutes(each.most):>8}  {bar}{rest}".rstrip()


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _month(text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m")  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise Wrong(f"{text!r} is no month: write it as 2026-11") from None
