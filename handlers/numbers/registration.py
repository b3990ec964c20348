"""A person's registered numbers, to call from: register with a code, edit, delete (docs/domain.md 2). Nobody else may,
not even super admins."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.numbers.codes import Challenge, challenge, verify
from domain.numbers.fields import edited_fields, parse_fields, texts_of
from domain.numbers.number import Number, edit, register, register_check
from domain.people import Right
from domain.phone import ParsedNumber, parse, parse_extension
from domain.policy import CODE_DIGITS, CODE_MINUTES, CODE_SENDS_PER_HOUR
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.context import Context, build_change
from handlers.framework.effects import effect_id
from handlers.framework.events import Command, Press, Submit
from handlers.framework.home import HomeSection
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Checkbox,
    Choice,
    Done,
    Form,
    FormField,
    Option,
    Paragraph,
    Response,
    Screen,
    TextField,
)
from handlers.numbers import number_screens, results
from store.engine.commit import GuardFailed
from store.engine.effects import Effect
from store.engine.values import Versioned
from store.numbers.registered import REGISTERED_AT_MOST

ROUTES = Routes()

HOUR = timedelta(hours=1)


@ROUTES.command("numbers", "register")
async def register_command(ctx: Context, command: Command) -> Response:
    _allow(ctx)
    text = parse_args.join_args(command.words)
    if text:
        await _parse_values(ctx, {"number": text})  # refuse at once what can't be registered
    return form(ctx, {"number": text})


@ROUTES.press("own.register")
async def register_pressed(ctx: Context, press: Press) -> Response:
    _allow(ctx)
    return form(ctx, {})


@ROUTES.submit("own.register")
async def code_requested(ctx: Context, submit: Submit) -> Response:
    """The first step: check the number and send a code to it."""
    _allow(ctx)
    parsed, texts = await _parse_values(ctx, submit.values)
    via, ways = submit.values.get("via", ""), ctx.services.carrier.can_send(ctx.account)
    if via not in ways:
        via = ways[0]
    if not parsed.valid and submit.state.get("insisted") != parsed.e164:
        return form(ctx, submit.values, doubtful=parsed)
    await _send(ctx, submit.id, parsed, texts, via)
    return code_form(ctx, parsed.e164, parsed.extension, via)


@ROUTES.press("own.code:own.resend")
async def resend(ctx: Context, press: Press) -> Response:
    """Send another code to the same number, if the hourly limit allows."""
    _allow(ctx)
    given = (await _find_challenge(ctx, press.state)).value
    parsed = parse(given.e164, ctx.region)._replace(extension=given.extension)
    try:
        await _send(ctx, press.id, parsed, texts_of(given), given.via)
    except Refusal as no:
        return code_form(ctx, given.e164, given.extension, given.via, problem=no)
    return code_form(ctx, given.e164, given.extension, given.via, again=True)


@ROUTES.submit("own.code")
async def code_submitted(ctx: Context, submit: Submit) -> Response:
    """The second step: check the code and store the number."""
    _allow(ctx)
    record = await _find_challenge(ctx, submit.state)
    given = record.value
    name = "code.again" if "code.again" in submit.values else "code"
    try:
        verify(given, submit.values.get(name, ""), ctx.now, name)
    except Refusal as no:
        if no.code in {"code_wrong", "code_tries"}:
            after = given.count_wrong_code()
            await ctx.services.registered.count_wrong_code(ctx.snapshot, ctx.person.id, record.raw, after)
        raise
    others = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    number = register(given, ctx.person, ctx.now, default=not others)
    result = RegistrationResult(number.e164, number.extension)
    change = await build_change(ctx, submit.id, result, confirm=registered(ctx, result), where=submit.where)
    await ctx.services.registered.register(ctx.snapshot, ctx.person.id, record.raw, number, (), change)
    return Done()


@ROUTES.press("own.edit")
async def edit_pressed(ctx: Context, press: Press) -> Response:
    _allow(ctx)
    record, _ = await find_own_number(ctx, press.value)
    words, number = ctx.words, record.value
    default = "yes" if number.default else ""
    parts: tuple[FormField | Paragraph, ...] = (
        Paragraph(words.text("own.edit.about", number=ctx.number(number.e164, number.extension)), quiet=True),
        *number_screens.text_fields(ctx, "registered", number),
        _extension(ctx, number.extension or ""),
        Checkbox("default", words("field.default"), words("own.default.text"), value=default),
    )
    title, save = words("own.edit.title"), words("button.save")
    return Form("own.edit", title, save, parts, _form_state(number), words("button.cancel"))


@ROUTES.submit("own.edit")
async def edited(ctx: Context, submit: Submit) -> Response:
    _allow(ctx)
    before, others = await find_own_number(ctx, submit.state.get("number", ""))
    if str(before.value.version) != submit.state.get("version"):
        raise Refusal("changed_meanwhile_own")
    values = submit.values
    default = values.get("default") == "yes"
    try:
        after = edit(before.value, ctx.person, values, values.get("extension", ""), default, ctx.now)
    except Refusal as no:
        if no.code == "registered_unchanged":
            return Done()
        raise
    same = ((o.value.e164, o.value.extension) == (after.e164, after.extension) for o in others)
    if after.extension != before.value.extension and any(same):
        raise Refusal("registered_already", "extension")
    demoted = [o for o in others if o.value.default] if after.default else []
    result = OwnEditResult(after.e164, after.extension)
    change = await build_change(ctx, submit.id, result, confirm=own_edited(ctx, result), where=submit.where)
    await ctx.services.registered.edit(ctx.snapshot, ctx.person.id, before, after, demoted, change)
    return Done()


@ROUTES.press("own.delete")
async def delete_pressed(ctx: Context, press: Press) -> Response:
    """A question without a field to type the number into."""
    ctx.require(Right.SEE_NUMBERS)
    record, _ = await find_own_number(ctx, press.value)
    words, number = ctx.words, record.value
    about = Paragraph(words.text("own.delete.about", number=ctx.number(number.e164, number.extension)))
    title, delete = words("own.delete.title"), words("button.delete")
    return Form("own.delete", title, delete, (about,), _form_state(number), words("button.cancel"))


@ROUTES.submit("own.delete")
async def deleted(ctx: Context, submit: Submit) -> Response:
    ctx.require(Right.SEE_NUMBERS)
    record, _ = await find_own_number(ctx, submit.state.get("number", ""))
    result = OwnDeletionResult(record.value.e164, record.value.extension)
    change = await build_change(ctx, submit.id, result, confirm=own_deleted(ctx, result), where=submit.where)
    await ctx.services.registered.drop(ctx.snapshot, ctx.person.id, record, change)
    return Done()


def abilities(ctx: Context) -> Sequence[str]:
    """On the home screen."""
    return ("register",) if ctx.may(Right.REGISTER) else ()


ROUTES.home_section("own numbers", HomeSection(30, abilities=abilities))


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def form(ctx: Context, values: Mapping[str, str], doubtful: ParsedNumber | None = None) -> Form:
    """The dialog for a number and how to send the code. `doubtful`: a number to insist on."""
    words = ctx.words
    ways = ctx.services.carrier.can_send(ctx.account)
    hint = words("own.number.hint", country=words.country(ctx.region))
    parts: list[FormField | Paragraph] = []
    if doubtful is not None:
        parts.append(Paragraph(words.text("own.doubtful", number=ctx.number(doubtful.e164))))
    parts += [
        Paragraph(words.text("own.about", minutes=CODE_MINUTES), quiet=True),
        TextField("number", words("field.own_number"), hint=hint, required=True, max_length=60),
        _extension(ctx, ""),
        *number_screens.text_fields(ctx, "registered"),
    ]
    options = tuple(Option(way, words(f"own.via.{way}")) for way in ways)
    parts.append(Choice("via", words("field.via"), options, value=ways[0], required=True, open=True))
    state = {"insisted": doubtful.e164} if doubtful is not None else {}
    title, submit = words("own.register.title"), words("button.send_code")
    return Form("own.register", title, submit, tuple(parts), state, words("button.cancel")).with_values(values)


def code_form(
    ctx: Context, e164: str, extension: str | None, via: str, *, again: bool = False, problem: Refusal | None = None
) -> Form:
    """The dialog for the code. `again`: another one was sent; `problem`: why it was not."""
    words = ctx.words
    key = "own.code.again" if again else f"own.code.{via}"
    text = words.text(key, number=ctx.number(e164, extension), minutes=CODE_MINUTES)
    # Another name, so that the field is empty again.
    name, hint = "code.again" if again else "code", words("own.code.hint", n=CODE_DIGITS)
    parts = (
        Paragraph(text if problem is None else (refusal_text(words, ctx.account, problem),)),
        TextField(name, words("field.code"), hint=hint, required=True, max_length=20),
        Buttons((Button(words("button.resend"), "own.resend"),)),
    )
    state = {"number": e164, "extension": extension or ""}
    title, submit = words("own.code.title"), words("button.verify")
    return Form("own.code", title, submit, parts, state, words("button.cancel"))


def _form_state(number: Number) -> dict[str, str]:
    return {"number": number_screens.registered_key(number), "version": str(number.version)}


def _extension(ctx: Context, value: str) -> TextField:
    return TextField("extension", ctx.words("field.extension"), value, max_length=20)


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _allow(ctx: Context) -> None:
    """Raise Refusal unless the person may register numbers and a code can be sent."""
    ctx.require(Right.REGISTER)
    if not ctx.services.carrier.can_send(ctx.account):
        raise Refusal("no_codes", admins=ctx.account.admin_names)


async def _parse_values(ctx: Context, values: Mapping[str, str]) -> tuple[ParsedNumber, dict[str, str | None]]:
    """The number and the other fields of the form. Raises Refusal if the number can't be registered."""
    parsed = parse(values.get("number", ""), ctx.region)
    extension = parse_extension(values.get("extension", ""))
    if extension is not None:
        parsed = parsed._replace(extension=extension)
    texts = parse_fields(edited_fields("registered"), values)
    provided = await ctx.services.numbers.get(ctx.snapshot, parsed.e164)
    register_check(parsed, provided is not None and provided.value.deleted_at is None)
    own = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    if any((record.value.e164, record.value.extension) == (parsed.e164, parsed.extension) for record in own):
        raise Refusal("registered_already", "number")
    if len(own) >= REGISTERED_AT_MOST:
        raise Refusal("registered_many", "number", n=REGISTERED_AT_MOST)
    return parsed, texts


async def _send(ctx: Context, id: str, parsed: ParsedNumber, texts: Mapping[str, str | None], via: str) -> None:
    code, salt = ctx.services.draw_code()
    way = "sms" if via == "sms" else "call"
    given = challenge(parsed, via=way, code=code, salt=salt, now=ctx.now, **texts)  # type: ignore[arg-type] # one of the two
    body = {
        "account": ctx.account.id,
        "to": parsed.e164,
        "extension": parsed.extension,
        "code": code,
        "via": way,
        "expires": given.expires.timestamp(),
        "language": ctx.words.language,
        "text": ctx.words(f"own.message.{way}", code=" ".join(code) if way == "call" else code, minutes=CODE_MINUTES),
    }
    sending = Effect(conv=f"code:{parsed.e164}", kind="code", body=body, id=effect_id(id, "code", parsed.e164))
    change = await build_change(ctx, id, CodeResult(parsed.e164), more=(sending,))
    try:
        await ctx.services.registered.challenge(
            ctx.snapshot, ctx.person.id, given, CODE_SENDS_PER_HOUR, ctx.now - HOUR, CODE_MINUTES * 60, change
        )
    except GuardFailed:
        raise Refusal("code_sends_hour", None, n=CODE_SENDS_PER_HOUR) from None


async def _find_challenge(ctx: Context, state: Mapping[str, str]) -> Versioned[Challenge]:
    """The challenge of a code dialog. Raises Refusal if it has expired."""
    number, extension = state.get("number", ""), state.get("extension") or None
    record = await ctx.services.registered.get_challenge(ctx.snapshot, ctx.person.id, number, extension)
    if record is None:
        raise Refusal("code_gone", "code")
    return record


async def find_own_number(ctx: Context, key: str) -> tuple[Versioned[Number], list[Versioned[Number]]]:
    """The person's registered number with an untrusted key, and their others. Raises Refusal."""
    own = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    for record in own:
        if number_screens.registered_key(record.value) == key:
            return record, [other for other in own if other is not record]
    raise Refusal("own_unknown")


# ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class OwnResult(results.NumberResult):
    e164: str
    extension: str | None


class RegistrationResult(OwnResult, word="registered"): ...


class OwnEditResult(OwnResult, word="own_edited"): ...


class OwnDeletionResult(OwnResult, word="own_deleted"): ...


class CodeResult(results.NumberResult, word="code_sent"):
    e164: str


@ROUTES.result(RegistrationResult)
def registered(ctx: Context, done: RegistrationResult) -> Screen:
    seller = ctx.services.seller
    if seller is None or not seller.validates:
        return _sentence(ctx, "own.registered", done.e164, done.extension)
    key = f"{done.e164};{done.extension or ''}"
    start = Button(ctx.words("button.caller_id"), "own.validate", key, style="primary")
    hint = Paragraph(ctx.words.text("own.validate.hint"), quiet=True)
    return _sentence(ctx, "own.registered", done.e164, done.extension, start, more=(hint,))


@ROUTES.result(OwnEditResult)
def own_edited(ctx: Context, done: OwnEditResult) -> Screen:
    return _sentence(ctx, "own.edited", done.e164, done.extension)


@ROUTES.result(OwnDeletionResult)
def own_deleted(ctx: Context, done: OwnDeletionResult) -> Screen:
    return _sentence(ctx, "own.deleted", done.e164, done.extension)


@ROUTES.result(CodeResult)
def code_sent(ctx: Context, done: CodeResult) -> Screen:
    return _sentence(ctx, "own.code_sent", done.e164, None)


def _sentence(
    ctx: Context, key: str, e164: str, extension: str | None, *buttons: Button, more: Sequence[Block] = ()
) -> Screen:
    text = ctx.words.text(key, number=ctx.number(e164, extension))
    return results.confirmation_screen(ctx, ctx.words(f"{key}.title"), text, *buttons, more=more)
