"""Assign and forward numbers by command, or in the Edit dialog, which tells what changed while it was open."""

from collections.abc import Mapping

from domain.accounts.account import Person
from domain.numbers.number import Number, NumberState, edit_texts, forward, reassign
from domain.people import Right, owns_number
from domain.phone import ParsedNumber, country_of, is_e164, is_number, parse, split_two
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.context import Context, Notification, build_change
from handlers.framework.events import Address, Command, OptionsRequest, Press, Submit
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Choice,
    Done,
    Form,
    FormField,
    Link,
    Option,
    Options,
    Paragraph,
    Response,
    Screen,
    Text,
    TextField,
)
from handlers.numbers import number_screens, results
from store.engine.commit import GuardFailed
from store.engine.values import Versioned

ROUTES = Routes(require=lambda ctx: ctx.require(Right.MANAGE_NUMBERS))

NOBODY = "nobody"
# S 000 refers to the carrier's documentation of hosted SMS; the page as of 2026-11.
HOSTED_SMS_URL = "https://www.twilio.com/docs/messaging/hosted-sms"
LISTED_AT_MOST = 99  # people in a list; more are searched


@ROUTES.command("numbers", "assign")
async def assign(ctx: Context, command: Command) -> Response:
    text, rest = parse_args.split_number(command.words)
    if not text or not rest:
        raise Refusal("assign_usage")
    before = await find_typed_number(ctx, text)
    person = await parse_args.parse_person(ctx, rest)
    after = reassign(before.value, person, ctx.now)
    if person is not None and not person.listed:
        ctx.names[person.id] = person.name
    result = results.AssignResult(after.e164, after.person)
    first = await _write(ctx, command.id, before, after, "number.assigned", result, holder=person)
    return results.assigned(ctx, result.as_first(first))


@ROUTES.command("numbers", "forward")
async def forward_command(ctx: Context, command: Command) -> Response:
    words = [w for w in command.words if isinstance(w, str)]
    if len(words) < 2 or len(words) != len(command.words):  # a number and where to
        raise Refusal("forward_usage")
    if words[-1].casefold() in parse_args.OFF_WORDS:
        text, to_text = " ".join(words[:-1]), "off"
    else:
        if is_number(" ".join(words), ctx.region):
            raise Refusal("forward_usage")  # one good number, and nowhere to
        text, to_text = split_two(words, ctx.region)
    before = await find_typed_number(ctx, text)
    to = None if to_text == "off" else parse(to_text, ctx.region, "forwarding")
    after = await apply_forwarding(ctx, before.value, to)
    if to is not None and not to.valid:
        # Our numbering plans may be outdated: the person may insist in the dialog.
        return await form(ctx, before, {"forwarding": to_text}, doubtful=to)
    result = results.ForwardResult(after.e164, after.forwarding, after.forwarding_extension)
    first = await _write(ctx, command.id, before, after, "number.forwarded", result)
    return results.forwarded(ctx, result.as_first(first))


@ROUTES.press("numbers.edit")
async def edit(ctx: Context, press: Press) -> Response:
    before = await find_number(ctx, press.value)
    if before.value.state is NumberState.DELETED:
        raise Refusal("number_deleted")
    return await form(ctx, before)


@ROUTES.submit("numbers.edit")
async def edited(ctx: Context, submit: Submit) -> Response:
    before = await find_number(ctx, submit.state.get("number", ""))
    if str(before.value.version) != submit.state.get("version"):
        if await ctx.services.changes.first_answer(ctx.snapshot, submit.id) is not None:
            return Done()
        return await _stale(ctx, before, submit)
    now = before.value
    person = await _chosen(ctx, submit.values.get("person", ""), now)
    text = submit.values.get("forwarding", "").strip()
    to = parse(text, ctx.region, "forwarding") if text else None
    after = now
    if (person.id if person else None) != now.person and not (person and owns_number(person, now)):
        after = reassign(after, person, ctx.now)
    if (to.e164 if to else None, to.extension if to else None) != (now.forwarding, now.forwarding_extension):
        after = await apply_forwarding(ctx, after, to)
        if to is not None and not to.valid and submit.state.get("insisted") != to.e164:
            return await form(ctx, before, submit.values, doubtful=to)
    after = edit_texts(after, submit.values, ctx.now)
    if after is now:
        return Done()  # saved as it was
    after = after.model_copy(update={"version": now.version + 1})
    result = results.EditResult(after.e164, after.person, after.forwarding, after.forwarding_extension)
    confirm = results.edited(ctx, result)
    try:
        await _write(ctx, submit.id, before, after, "number.edited", result, confirm=confirm, where=submit.where)
    except GuardFailed:
        return await _stale(ctx, await find_number(ctx, now.e164), submit)
    return Done()


@ROUTES.suggest("person")
async def person_options(ctx: Context, suggest: OptionsRequest) -> Options:
    """People with a name that fits the text."""
    wanted = suggest.text.casefold().strip()
    people = [Option(p.id, p.name) for p in ctx.account.people if wanted in p.name.casefold()]
    nobody = Option(NOBODY, ctx.words("person.nobody_option"))
    return Options((nobody, *people[:LISTED_AT_MOST]))


async def find_typed_number(ctx: Context, text: str) -> Versioned[Number]:
    """The account's provided number that was typed. Raises Refusal if it has no such number."""
    return await find_number(ctx, parse(text, ctx.region).e164)


async def find_number(ctx: Context, e164: str) -> Versioned[Number]:
    """The account's provided number; `e164` may come from a screen, untrusted. Raises Refusal if it has no such
    number."""
    record = await ctx.services.numbers.get(ctx.snapshot, e164) if is_e164(e164) else None
    number = record.value if record is not None else None
    gone = number is not None and (number.leaving or (number.undo_until is not None and number.undo_until <= ctx.now))
    if record is None or gone:
        raise Refusal("number_unknown", number=ctx.number(e164) if is_e164(e164) else e164[:40])
    return record


async def apply_forwarding(ctx: Context, number: Number, to: ParsedNumber | None) -> Number:
    """`number` forwarded to `to`, which may be another number of the account; not forwarded if None. Raises Refusal."""
    onward = await ctx.services.numbers.get(ctx.snapshot, to.e164) if to is not None else None
    return forward(number, to, ctx.now, onward.value.forwarding if onward else None)


async def form(
    ctx: Context,
    before: Versioned[Number],
    values: Mapping[str, str] | None = None,
    *,
    doubtful: ParsedNumber | None = None,
    stale: Text | None = None,
    insisted: str = "",
) -> Form:
    """The Edit dialog with the values typed so far. `doubtful`: a forwarding number to insist on; `stale`: the sentence
    that says what changed meanwhile; `insisted`: the number insisted on before."""
    words, number = ctx.words, before.value
    await ctx.load_names(number.person)
    shown = ctx.number(number.e164)
    about = words.text(
        "edit.about", number=shown, since=words.timestamp(number.since), country=words.country(country_of(number.e164))
    )
    parts: list[FormField | Paragraph] = []
    if stale is not None:
        parts.append(Paragraph(stale))
    if doubtful is not None:
        parts.append(Paragraph(words.text("edit.doubtful", number=ctx.number(doubtful.e164))))
    forwards = ctx.number(number.forwarding, number.forwarding_extension) if number.forwarding else ""
    hint, hosted = words("edit.forwarding.hint", number=shown), Link(words("edit.learn_more"), HOSTED_SMS_URL)
    parts += [
        Paragraph(about, quiet=True),
        _people_choice(ctx, number),
        TextField("forwarding", words("field.forwarding"), forwards, hint, max_length=60),
        *number_screens.text_fields(ctx, "provided", number),
        Paragraph(words.text("edit.hosted_sms", link=hosted), quiet=True),
    ]
    state = {"number": number.e164, "version": str(number.version)}
    if doubtful is not None:
        insisted = doubtful.e164
    if insisted:
        state["insisted"] = insisted
    whole = Form("numbers.edit", words("edit.title"), words("button.save"), tuple(parts), state, words("button.cancel"))
    return whole.with_values(values or {})


def _people_choice(ctx: Context, number: Number) -> Choice:
    nobody = Option(NOBODY, ctx.words("person.nobody_option"))
    people = [Option(p.id, p.name) for p in ctx.account.people]
    current = ctx.account.person(number.person) if number.person else None
    many = len(people) > LISTED_AT_MOST
    if many:
        people = []
    value = current.id if current else NOBODY
    if current is not None and all(o.value != value for o in people):
        people.insert(0, Option(value, ctx.name(number.person)))
    options = (nobody, *people)
    return Choice("person", ctx.words("field.person"), options, value=value, suggest=many)


async def _chosen(ctx: Context, value: str, number: Number) -> Person | None:
    """The person chosen in the dialog; None for nobody. Raises Refusal."""
    if value in {"", NOBODY}:
        return None
    person = ctx.account.person(value)
    # People who are not listed may keep the number, but can't be chosen (the id is untrusted).
    if person is None or (not person.listed and value != number.person):
        raise Refusal("person_unknown", "person", who=value[:40])
    return person


async def _stale(ctx: Context, now: Versioned[Number], submit: Submit) -> Form:
    """The dialog for the number as it is now, with the values typed and a sentence that says what changed."""
    words, number = ctx.words, now.value
    events = await ctx.services.numbers.history(ctx.snapshot, number.e164, 1)
    who = ctx.name(events[0].by) if events else words("person.somebody")
    stale = words.text("edit.stale", who=who, person=ctx.name(number.person), forwards=forwarding_text(ctx, number))
    return await form(ctx, now, submit.values, stale=stale, insisted=submit.state.get("insisted", ""))


def forwarding_text(ctx: Context, number: Number) -> str:
    """Where calls to the number are forwarded: a number, or "no number"."""
    if not number.forwarding:
        return ctx.words("edit.no_number")
    return ctx.number(number.forwarding, number.forwarding_extension)


async def _write(
    ctx: Context,
    id: str,
    before: Versioned[Number],
    after: Number,
    what: str,
    result: Result,
    *,
    confirm: Screen | None = None,
    where: Address | None = None,
    holder: Person | None = None,
) -> str | None:
    """Store the number in one commit, and notify the people concerned; the first result if this is a repeat."""
    notifications: list[Notification] = []
    if before.value.person != after.person:
        notifications = results.notify(ctx, after.person, "numbers.told_assigned", after.e164)
        notifications += results.notify(ctx, before.value.person, "numbers.told_taken", after.e164)
    elif before.value.forwarding != after.forwarding:
        notifications = results.notify(ctx, after.person, "numbers.told_forwarding", after.e164)
    touched = (before.value.person, after.person)
    change = await build_change(
        ctx, id, result, confirm=confirm, where=where, notifications=notifications, touched=touched, holder=holder
    )
    return await ctx.services.numbers.replace(ctx.snapshot, before, after, what, change)
