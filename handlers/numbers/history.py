"""The history of a number: who changed what, and when."""

from domain.numbers.fields import FIELDS
from domain.numbers.number import Number
from domain.people import Right, owns_number
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.context import Context
from handlers.framework.events import Command, Press
from handlers.framework.routes import Routes
from handlers.framework.screens import Notice, Paragraph, Response, Screen, Table, Text
from handlers.numbers import edit
from store.engine.values import Versioned
from store.numbers.records import HistoryEvent

ROUTES = Routes()

LINES = 20


@ROUTES.command("numbers", "history")
async def history_command(ctx: Context, command: Command) -> Response:
    if not command.words:
        raise Refusal("history_usage")
    return await screen(ctx, await edit.find_typed_number(ctx, parse_args.join_args(command.words)))


@ROUTES.press("numbers.history")
async def pressed(ctx: Context, press: Press) -> Response:
    return Notice(await screen(ctx, await edit.find_number(ctx, press.value)))


async def screen(ctx: Context, record: Versioned[Number]) -> Screen:
    """The newest events first. Super admins see those of every number, other people those of their own. Raises
    Refusal."""
    number, words = record.value, ctx.words
    if not ctx.may(Right.SEE_ALL_NUMBERS) and not owns_number(ctx.person, number):
        # Don't reveal that the account has the number.
        raise Refusal("number_unknown", number=ctx.number(number.e164))
    events = await ctx.services.numbers.history(ctx.snapshot, number.e164, LINES)
    await ctx.load_names(*(p for e in events for p in (e.by, e.details.get("person"))))
    title = words("history.title", number=ctx.number(number.e164))
    if not events:
        return Screen(title, (Paragraph(words.text("history.none")),))
    columns = (words("history.when"), words("history.who"), words("history.what"))
    return Screen(title, (Table(columns, tuple(_row(ctx, event) for event in events)),))


def _row(ctx: Context, event: HistoryEvent) -> tuple[Text, ...]:
    who = ctx.words("person.import") if event.by == "import" else ctx.name(event.by)
    return (ctx.words.timestamp(event.at, "datetime"),), (who,), (_what(ctx, event),)


def _what(ctx: Context, event: HistoryEvent) -> str:
    words, details = ctx.words, event.details
    parts = [words(f"event.{event.what}")]
    if "person" in details or "person_before" in details:
        parts.append(words("history.person", person=ctx.name(details.get("person"))))
    if "forwarding" in details:
        parts.append(words("history.forwarding", number=ctx.number(details["forwarding"])))
    elif "forwarding_before" in details:
        parts.append(words("history.forwarding_off"))
    parts += [
        f"{words(f'field.{field.name}')}: {details.get(field.name, '–')}"
        for field in FIELDS
        if field.recorded and (field.name in details or f"{field.name}_before" in details)
    ]
    return " · ".join(parts)
