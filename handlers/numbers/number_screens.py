"""Numbers on screens: items of lists, meters, buttons and form fields."""

from functools import lru_cache

from domain.numbers.fields import NumberField, Source, edited_fields, texts_of
from domain.numbers.number import Number, NumberState
from domain.numbers.usage import Usage
from domain.people import Right
from domain.phone import pretty
from handlers.framework.context import Context
from handlers.framework.screens import Button, ListItem, Meter, Text, TextField
from handlers.wording import Words

SHOW_NUMBERS = "numbers.show"
CACHED = 10_000


@lru_cache(maxsize=CACHED)
def meters(words: Words, usage: Usage) -> tuple[Meter, ...]:
    """How many numbers, and how many of this month's minutes, are used and left."""
    numbers = words("usage.numbers", n=usage.numbers_limit, used=usage.numbers)
    numbers_left = words("usage.left", left=usage.numbers_left)
    minutes = words("usage.minutes", n=usage.minutes_limit, used=usage.minutes)
    minutes_left = words("usage.left_until", left=usage.minutes_left, resets=usage.resets)
    return (
        Meter(numbers, usage.numbers, usage.numbers_limit, numbers_left),
        Meter(minutes, usage.minutes, usage.minutes_limit, minutes_left),
    )


def number_item(ctx: Context, number: Number) -> ListItem:
    """A number with its person, forwarding and state, and the actions that the reader may take."""
    manage = number.source == "provided" and ctx.may(Right.MANAGE_NUMBERS)
    seller = ctx.services.seller
    validates = number.source == "registered" and seller is not None and seller.validates
    return _row(ctx.words, ctx.region, manage, validates, ctx.name(number.person), number)


# Cached: an item depends on nothing but the record, the words and the reader's rights.
@lru_cache(maxsize=CACHED)
def _row(words: Words, region: str, manage: bool, validates: bool, holder: str, number: Number) -> ListItem:
    shown = pretty(number.e164, region, number.extension, words("numbers.extension"))
    return ListItem(
        title=shown,
        details=((" · ".join(_details(words, region, holder, number)),),),
        menu=_menu(words, manage, validates, number),
        spoken=words("numbers.menu.spoken", number=shown),
    )


def _details(words: Words, region: str, holder: str, number: Number) -> list[str]:
    parts = [words(f"source.{number.source}"), holder]
    if number.source == "provided":
        if number.forwarding:
            to = pretty(number.forwarding, region, number.forwarding_extension, words("numbers.extension"))
            parts.append(words("numbers.forwards", number=to))
        else:
            parts.append(words("numbers.forwards_not"))
    parts += [text for text in texts_of(number).values() if text]
    if number.default:
        parts.append(words("numbers.default"))
    if number.validated is not None:
        parts.append(words("own.validated.detail"))
    if number.state is NumberState.PENDING and number.needs:
        parts.append(words(f"needs.{number.needs}"))
    elif number.state is not NumberState.ACTIVE:
        parts.append(words(f"state.{number.state.value}"))
    return parts


def text_fields(ctx: Context, source: Source, number: Number | None = None) -> tuple[TextField, ...]:
    """The editable text fields of such numbers, with the number's values."""
    values, words = texts_of(number), ctx.words

    def text_field(field: NumberField) -> TextField:
        label, hint = words(f"field.{field.name}"), words(f"field.{field.name}.hint")
        return TextField(field.name, label, values[field.name] or "", hint, max_length=field.max_length)

    return tuple(map(text_field, edited_fields(source)))


def registered_key(number: Number) -> str:
    """The value of the buttons of a registered number: "+442079460900;12"."""
    return f"{number.e164};{number.extension or ''}"


def _menu(words: Words, manage: bool, validates: bool, number: Number) -> tuple[Button, ...]:
    if number.source == "registered":
        key = registered_key(number)
        shown = validates and number.validated is None
        return (
            Button(words("button.edit"), "own.edit", key, form=True),
            *((Button(words("button.caller_id"), "own.validate", key),) if shown else ()),
            Button(words("button.delete"), "own.delete", key, form=True),
        )
    history = Button(words("button.history"), "numbers.history", number.e164)
    if not manage or number.state is NumberState.PORTING:
        return (history,)
    edit = Button(words("button.edit"), "numbers.edit", number.e164, form=True)
    if number.state is NumberState.ORDERED:
        return (edit, history)
    return (edit, history, Button(words("button.delete"), "numbers.delete", number.e164, form=True))


def deleted_item(ctx: Context, number: Number, place: str) -> ListItem:
    """A deleted number with its Undo button; the press is "place.undo"."""
    until = ctx.words.text("numbers.deleted_until", until=ctx.words.timestamp(number.undo_until or ctx.now))
    return ListItem(ctx.number(number.e164), (until,), button=undo_button(ctx, number.e164, place))


def undo_button(ctx: Context, e164: str, place: str = "numbers") -> Button:
    spoken = ctx.words("numbers.undo.spoken", number=ctx.number(e164))
    return Button(ctx.words("button.undo"), f"{place}.undo", e164, spoken=spoken)


def actions(ctx: Context, primary_get: bool = True) -> tuple[Button, ...]:
    """The actions below a list of numbers. `primary_get`: Get is the primary button."""
    blocklist = ctx.may(Right.MANAGE_BLOCKLIST) and ctx.account.features.blocklist
    return _actions(ctx.words, ctx.may(Right.MANAGE_NUMBERS), ctx.may(Right.REGISTER), blocklist, primary_get)


@lru_cache(maxsize=CACHED)
def _actions(words: Words, manage: bool, register: bool, blocklist: bool, primary: bool) -> tuple[Button, ...]:
    buttons = []
    if manage:
        get = words("button.get")
        buttons.append(Button(get, "numbers.get", style="primary" if primary else "plain", form=True))
    if register:
        buttons.append(Button(words("button.register"), "own.register", form=True))
    if blocklist:
        buttons.append(Button(words("button.blocklist"), "blocklist.show"))
    return tuple(buttons)


def managers(ctx: Context) -> Text:
    """Who manages the account's numbers, for people who don't."""
    names = ctx.account.admin_names
    return ctx.words.text("numbers.managers", n=len(names) or 1, names=names or [ctx.words("person.a_super_admin")])
