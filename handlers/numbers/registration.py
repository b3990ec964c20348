"""A person's own numbers to call from: register with a code, edit, delete (docs/domain.md 2). Nobody else's, not even
for super admins."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.numbers.codes import Challenge, challenge, verify
from domain.numbers.fields import edited_fields, parse_fields, texts_of
from domain.numbers.number import Number, edit, register, register_check
from domain.people import Right, require_right
from domain.phone import ParsedNumber, parse_extension
from domain.policy import CODE_DIGITS, CODE_MINUTES, CODE_SENDS_PER_HOUR
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.context import Context, build_change
from handlers.framework.effects import effect_id
from handlers.framework.events import Command, Press, Submit
from handlers.framework.forms import Checkbox, Choice, Done, Form, FormField, Option, Response, TextField
from handlers.framework.home import HomeSection
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Paragraph, Screen
from handlers.numbers import number_screens, results
from store.engine.commit import GuardFailed
from store.engine.effects import Effect
from store.engine.versioned import Versioned
from store.numbers.registered import REGISTERED_AT_MOST

ROUTES = Routes()

HOUR = timedelta(hours=1)


@ROUTES.command("numbers", "register")
async def register_command(ctx: Context, command: Command) -> Response:
    _allow(ctx)
    text = parse_args.join_args(command.words)
    if text:
        await _checked(ctx, {"number": text})  # what can't be registered is said at once
    return form(ctx, {"number": text})


@ROUTES.press("own.register")
async def register_pressed(ctx: Context, press: Press) -> Response:
    _allow(ctx)
    return form(ctx, {})


@ROUTES.submit("own.register")
async def asked(ctx: Context, submit: Submit) -> Response:
    """The first step: everything about the number is right, and a code is on its way."""
    _allow(ctx)
    parsed, texts = await _checked(ctx, submit.values)
    via = submit.values.get("via", "")
    ways = ctx.services.carrier.can_send(ctx.account)
    if via not in ways:
        via = ways[0]
    if not parsed.valid and submit.state.get("insisted") != parsed.e164:
        return form(ctx, submit.values, doubtful=parsed)
    await _send(ctx, submit.id, parsed, texts, via)
    return code_form(ctx, parsed.e164, parsed.extension, via)


@ROUTES.press("own.code:own.resend")
async def resend(ctx: Context, press: Press) -> Response:
    """Another code to the same number, within what an hour allows."""
    _allow(ctx)
    under_way = await _under_way(ctx, press.state)
    if under_way is None:
        raise Refusal("code_gone", "code")
    given = under_way.value
    parsed = parse_args.parse_number(ctx, given.e164)._replace(extension=given.extension)
    try:
        await _send(ctx, press.id, parsed, texts_of(given), given.via)
    except Refusal as no:
        return code_form(ctx, given.e164, given.extension, given.via, problem=no)
    return code_form(ctx, given.e164, given.extension, given.via, again=True)


@ROUTES.submit("own.code")
async def proved(ctx: Context, submit: Submit) -> Response:
    """The second step: the code is right, and only now anything is kept."""
    _allow(ctx)
    under_way = await _under_way(ctx, submit.state)
    if under_way is None:
        raise Refusal("code_gone", "code")
    given = under_way.value
    name = "code.again" if "code.again" in submit.values else "code"
    try:
        verify(given, submit.values.get(name, ""), ctx.now, name)
    except Refusal as no:
        if no.code in {"code_wrong", "code_tries"}:
            await ctx.services.registered.count_wrong_code(
                ctx.snapshot, ctx.person.id, under_way.raw, given.count_wrong_code()
            )
        raise
    others = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    number = register(given, ctx.person, ctx.now, default=not others)
    result = Registered(number.e164, number.extension)
    confirm = registered(ctx, result)
    made = await build_change(ctx, submit.id, result, confirm=confirm, where=submit.where)
    await ctx.services.registered.register(ctx.snapshot, ctx.person.id, under_way.raw, number, (), made)
    return Done()


@ROUTES.press("own.edit")
async def edit_pressed(ctx: Context, press: Press) -> Response:
    _allow(ctx)
    kept, _ = await find_own_number(ctx, press.value)
    words, number = ctx.words, kept.value
    return Form(
        "own.edit",
        words("own.edit.title"),
        words("button.save"),
        (
            Paragraph(words.text("own.edit.about", number=ctx.number(number.e164, number.extension)), quiet=True),
            *number_screens.text_fields(ctx, "registered", number),
            _extension(ctx, number.extension or ""),
            Checkbox(
                "default", words("field.default"), words("own.default.text"), value="yes" if number.default else ""
            ),
        ),
        {"number": number_screens.registered_key(number), "version": str(number.version)},
        words("button.cancel"),
    )


@ROUTES.submit("own.edit")
async def edited(ctx: Context, submit: Submit) -> Response:
    _allow(ctx)
    key = submit.state.get("number", "")
    kept, others = await find_own_number(ctx, key)
    if str(kept.value.version) != submit.state.get("version"):
        raise Refusal("changed_meanwhile_own")
    values = submit.values
    default = values.get("default") == "yes"
    try:
        after = edit(kept.value, ctx.person, values, values.get("extension", ""), default, ctx.now)
    except Refusal as no:
        if no.code == "registered_unchanged":
            return Done()
        raise
    if after.extension != kept.value.extension and any(_same_line(o.value, after) for o in others):
        raise Refusal("registered_already", "extension")
    demoted = [o for o in others if o.value.default] if after.default else []
    result = OwnEdited(after.e164, after.extension)
    confirm = own_edited(ctx, result)
    made = await build_change(ctx, submit.id, result, confirm=confirm, where=submit.where)
    await ctx.services.registered.edit(ctx.snapshot, ctx.person.id, kept, after, demoted, made)
    return Done()


@ROUTES.press("own.delete")
async def delete_pressed(ctx: Context, press: Press) -> Response:
    """Asked once, nothing to type."""
    require_right(ctx.account, ctx.person, Right.SEE_NUMBERS)
    kept, _ = await find_own_number(ctx, press.value)
    words = ctx.words
    shown = ctx.number(kept.value.e164, kept.value.extension)
    return Form(
        "own.delete",
        words("own.delete.title"),
        words("button.delete"),
        (Paragraph(words.text("own.delete.about", number=shown)),),
        {"number": number_screens.registered_key(kept.value), "version": str(kept.value.version)},
        words("button.cancel"),
    )


@ROUTES.submit("own.delete")
async def dropped(ctx: Context, submit: Submit) -> Response:
    require_right(ctx.account, ctx.person, Right.SEE_NUMBERS)
    kept, _ = await find_own_number(ctx, submit.state.get("number", ""))
    result = OwnDeleted(kept.value.e164, kept.value.extension)
    confirm = own_deleted(ctx, result)
    made = await build_change(ctx, submit.id, result, confirm=confirm, where=submit.where)
    await ctx.services.registered.drop(ctx.snapshot, ctx.person.id, kept, made)
    return Done()


def abilities(ctx: Context) -> Sequence[str]:
    """On the home screen."""
    return ("register",) if ctx.may(Right.REGISTER) else ()


ROUTES.home_section("own numbers", HomeSection(30, abilities=abilities))


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def form(ctx: Context, values: Mapping[str, str], doubtful: ParsedNumber | None = None) -> Form:
    """The number, and how the code shall come."""
    words = ctx.words
    ways = ctx.services.carrier.can_send(ctx.account)
    parts: list[FormField | Paragraph] = []
    if doubtful is not None:
        parts.append(Paragraph(words.text("own.doubtful", number=ctx.number(doubtful.e164))))
    parts += [
        Paragraph(words.text("own.about", minutes=CODE_MINUTES), quiet=True),
        TextField(
            "number",
            words("field.own_number"),
            hint=words("own.number.hint", country=words.country(ctx.region)),
            required=True,
            max_length=60,
        ),
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
    """Type the code that was sent."""
    words = ctx.words
    shown = ctx.number(e164, extension)
    key = "own.code.again" if again else f"own.code.{via}"
    # A code that was typed for the one before means nothing now: another field, which is empty.
    name = "code.again" if again else "code"
    parts: list[FormField | Paragraph | Buttons] = []
    if problem is not None:
        parts.append(Paragraph((refusal_text(words, ctx.account, problem),)))
    else:
        parts.append(Paragraph(words.text(key, number=shown, minutes=CODE_MINUTES)))
    parts += [
        TextField(name, words("field.code"), hint=words("own.code.hint", n=CODE_DIGITS), required=True, max_length=20),
        Buttons((Button(words("button.resend"), "own.resend"),)),
    ]
    state = {"number": e164, "extension": extension or ""}
    title, submit = words("own.code.title"), words("button.verify")
    return Form("own.code", title, submit, tuple(parts), state, words("button.cancel"))


def _extension(ctx: Context, value: str) -> TextField:
    return TextField("extension", ctx.words("field.extension"), value, max_length=20)


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _allow(ctx: Context) -> None:
    require_right(ctx.account, ctx.person, Right.REGISTER)
    if not ctx.services.carrier.can_send(ctx.account):
        raise Refusal("no_codes", admins=ctx.account.admin_names)


async def _checked(ctx: Context, values: Mapping[str, str]) -> tuple[ParsedNumber, dict[str, str | None]]:
    """The number as typed, fit to be registered, and what it will carry."""
    parsed = parse_args.parse_number(ctx, values.get("number", ""))
    extension = parse_extension(values.get("extension", ""))
    if extension is not None:
        parsed = parsed._replace(extension=extension)
    texts = parse_fields(edited_fields("registered"), values)
    provided = await ctx.services.numbers.get(ctx.snapshot, parsed.e164)
    register_check(parsed, provided is not None and provided.value.deleted_at is None)
    theirs = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    if any((k.value.e164, k.value.extension) == (parsed.e164, parsed.extension) for k in theirs):
        raise Refusal("registered_already", "number")
    if len(theirs) >= REGISTERED_AT_MOST:
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
    made = await build_change(ctx, id, CodeSent(parsed.e164), more=(sending,))
    try:
        await ctx.services.registered.challenge(
            ctx.snapshot,
            ctx.person.id,
            given,
            CODE_SENDS_PER_HOUR,
            ctx.now - HOUR,
            CODE_MINUTES * 60,
            made,
        )
    except GuardFailed:
        raise Refusal("code_sends_hour", None, n=CODE_SENDS_PER_HOUR) from None


async def _under_way(ctx: Context, state: Mapping[str, str]) -> Versioned[Challenge] | None:
    number, extension = state.get("number", ""), state.get("extension") or None
    return await ctx.services.registered.get_challenge(ctx.snapshot, ctx.person.id, number, extension)


async def find_own_number(ctx: Context, key: str) -> tuple[Versioned[Number], list[Versioned[Number]]]:
    """One of the person's own, and the others. Looked up among theirs alone, so an id from elsewhere finds nothing."""
    theirs = await ctx.services.registered.of(ctx.snapshot, ctx.person.id)
    for kept in theirs:
        if number_screens.registered_key(kept.value) == key:
            return kept, [k for k in theirs if k is not kept]
    raise Refusal("own_unknown")


def _same_line(one: Number, other: Number) -> bool:
    return (one.e164, one.extension) == (other.e164, other.extension)


# ── What was done ───────────────────────────────────────────────────────────────────────────────────────────────────


class OwnResult(results.NumberResult):
    e164: str
    extension: str | None


class Registered(OwnResult, word="registered"): ...


class OwnEdited(OwnResult, word="own_edited"): ...


class OwnDeleted(OwnResult, word="own_deleted"): ...


class CodeSent(results.NumberResult, word="code_sent"):
    e164: str


@ROUTES.result(Registered)
def registered(ctx: Context, done: Registered) -> Screen:
    seller = ctx.services.seller
    if seller is None or not seller.validates:
        return _said(ctx, "own.registered", done.e164, done.extension)
    key = f"{done.e164};{done.extension or ''}"
    start = Button(ctx.words("button.caller_id"), "own.validate", key, style="primary")
    hint = Paragraph(ctx.words.text("own.validate.hint"), quiet=True)
    return _said(ctx, "own.registered", done.e164, done.extension, start, more=(hint,))


@ROUTES.result(OwnEdited)
def own_edited(ctx: Context, done: OwnEdited) -> Screen:
    return _said(ctx, "own.edited", done.e164, done.extension)


@ROUTES.result(OwnDeleted)
def own_deleted(ctx: Context, done: OwnDeleted) -> Screen:
    return _said(ctx, "own.deleted", done.e164, done.extension)


@ROUTES.result(CodeSent)
def code_sent(ctx: Context, done: CodeSent) -> Screen:
    return _said(ctx, "own.code_sent", done.e164, None)


def _said(
    ctx: Context, key: str, e164: str, extension: str | None, *buttons: Button, more: Sequence[Block] = ()
) -> Screen:
    text = ctx.words.text(key, number=ctx.number(e164, extension))
    return results.confirmation_screen(ctx, ctx.words(f"{key}.title"), text, *buttons, more=more)
