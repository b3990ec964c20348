"""The results of changes to numbers, and the screens made from them alone, so that a repeat of a request gets the same
answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from domain.phone import country_of
from handlers.framework.context import Context, Notification
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Paragraph, Screen, Text
from handlers.numbers.number_screens import SHOW_NUMBERS, undo_button

ROUTES = Routes()

SHOW_RESULT = "numbers.news"


class NumberResult(Result):
    """Shown on top of the list of numbers."""

    SHOW: ClassVar[str] = SHOW_RESULT


class GetResult(NumberResult, word="got"):
    e164: str
    state: str


class OrderResult(NumberResult, word="ordered"):
    e164: str


class OrderNeedsResult(NumberResult, word="order_needs"):
    """`needs`: "papers" or "address"."""

    e164: str
    needs: str


class OrderRefusalResult(NumberResult, word="order_refused"):
    """`why`: the carrier's reason, and its error code after a colon if there is one."""

    e164: str
    why: str


class AssignResult(NumberResult, word="assigned"):
    e164: str
    person: str | None


class ForwardResult(NumberResult, word="forwarded"):
    e164: str
    to: str | None
    extension: str | None


class EditResult(NumberResult, word="edited"):
    e164: str
    person: str | None
    to: str | None
    extension: str | None


class DeleteResult(NumberResult, word="deleted"):
    """`until`: when undoing ends, in seconds since 1970."""

    e164: str
    until: int


class UndoResult(NumberResult, word="undone"):
    e164: str
    person: str | None


def confirmation_screen(ctx: Context, title: str, text: Text, *buttons: Button, more: Sequence[Block] = ()) -> Screen:
    """A change in one sentence, with buttons for what can follow."""
    show = Button(ctx.words("button.show_numbers"), SHOW_NUMBERS)
    return Screen(title, (Paragraph(text), *more, Buttons((*buttons, show))))


def notify(ctx: Context, person: str | None, key: str, e164: str) -> list[Notification]:
    """Tell a person of the account in a sentence what was done to a number, and by whom."""
    recipient = ctx.account.person(person) if person else None
    if recipient is None:
        return []
    reader = ctx.for_reader(recipient)
    text = reader.words.text(key, who=ctx.person.name, number=reader.number(e164))
    return [Notification(recipient, confirmation_screen(reader, reader.words("numbers.told.title"), text))]


@ROUTES.result(GetResult)
def got(ctx: Context, done: GetResult) -> Screen:
    key = "numbers.got_pending" if done.state == "pending" else "numbers.got"
    text = ctx.words.text(key, number=ctx.number(done.e164))
    edit = Button(ctx.words("button.set_up"), "numbers.edit", done.e164, style="primary", form=True)
    return confirmation_screen(ctx, ctx.words("numbers.got.title"), text, edit)


@ROUTES.result(OrderResult)
def ordered(ctx: Context, done: OrderResult) -> Screen:
    text = ctx.words.text("numbers.ordered", number=ctx.number(done.e164))
    return confirmation_screen(ctx, ctx.words("numbers.ordered.title"), text)


@ROUTES.result(OrderNeedsResult)
def order_needs(ctx: Context, done: OrderNeedsResult) -> Screen:
    key = "numbers.needs_papers" if done.needs == "papers" else "numbers.needs_address"
    country = ctx.words.country(country_of(done.e164) or "")
    text = ctx.words.text(key, number=ctx.number(done.e164), country=country)
    return confirmation_screen(ctx, ctx.words("numbers.needs.title"), text)


@ROUTES.result(OrderRefusalResult)
def order_refused(ctx: Context, done: OrderRefusalResult) -> Screen:
    reason, _, code = done.why.partition(":")
    key = "numbers.refused_sold" if reason == "sold" else "numbers.refused"
    text = ctx.words.text(key, number=ctx.number(done.e164), code=code or reason)
    again = Button(ctx.words("button.get_another"), "numbers.get", style="primary", form=True)
    return confirmation_screen(ctx, ctx.words("numbers.refused.title"), text, again)


@ROUTES.result(AssignResult)
def assigned(ctx: Context, done: AssignResult) -> Screen:
    key = "numbers.assigned" if done.person else "numbers.unassigned"
    return _changed(ctx, ctx.words.text(key, number=ctx.number(done.e164), person=ctx.name(done.person)))


@ROUTES.result(ForwardResult)
def forwarded(ctx: Context, done: ForwardResult) -> Screen:
    number = ctx.number(done.e164)
    if done.to is None:
        return _changed(ctx, ctx.words.text("numbers.forwarded_off", number=number))
    to = ctx.number(done.to, done.extension)
    return _changed(ctx, ctx.words.text("numbers.forwarded", number=number, to=to))


@ROUTES.result(EditResult)
def edited(ctx: Context, done: EditResult) -> Screen:
    key = "numbers.edited" if done.to else "numbers.edited_unforwarded"
    to = ctx.number(done.to, done.extension) if done.to else ""
    return _changed(ctx, ctx.words.text(key, number=ctx.number(done.e164), person=ctx.name(done.person), to=to))


def _changed(ctx: Context, text: Text) -> Screen:
    return confirmation_screen(ctx, ctx.words("numbers.changed.title"), text)


@ROUTES.result(DeleteResult)
def deleted(ctx: Context, done: DeleteResult) -> Screen:
    until = ctx.words.timestamp(datetime.fromtimestamp(done.until, UTC))
    text = ctx.words.text("numbers.deleted", number=ctx.number(done.e164), until=until)
    return confirmation_screen(ctx, ctx.words("numbers.deleted.title"), text, undo_button(ctx, done.e164))


@ROUTES.result(UndoResult)
def undone(ctx: Context, done: UndoResult) -> Screen:
    text = ctx.words.text("numbers.undone", number=ctx.number(done.e164), person=ctx.name(done.person))
    return confirmation_screen(ctx, ctx.words("numbers.undone.title"), text)
