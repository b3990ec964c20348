"""Validate a registered number as caller id with carriers that require it: the carrier calls the number, and the person
types the code shown here."""

from collections.abc import Mapping
from dataclasses import replace

from domain.numbers.number import validate
from domain.people import Right
from domain.phone import is_e164
from domain.refusal import Refusal
from handlers.framework.context import Context, build_change, person_effects
from handlers.framework.effects import effect_id
from handlers.framework.events import Actor, Press
from handlers.framework.ports import CarrierRefusal, Services, Unavailable
from handlers.framework.routes import Routes
from handlers.framework.screens import Notice, Response, Screen
from handlers.numbers import registration, results
from handlers.numbers.number_screens import registered_key
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.effects import InDoubt

ROUTES = Routes()


@ROUTES.press("own.validate")
async def pressed(ctx: Context, press: Press) -> Response:
    """A second press calls the phone again; the code shown last counts."""
    ctx.require(Right.REGISTER)
    before, _ = await registration.find_own_number(ctx, press.value)
    seller, number = ctx.services.seller, before.value
    if seller is None or not seller.validates:
        raise Refusal("carrier_silent")
    try:
        code = await seller.validate(ctx.account, ctx.person.id, number.e164, number.extension)
    except (Unavailable, InDoubt):
        raise Refusal("carrier_silent") from None
    except CarrierRefusal as no:
        raise Refusal("validation_refused", number=ctx.number(number.e164), error=no.code) from None
    if code is None:  # it was validated before, perhaps for another account of the operator
        result = ValidationResult(number.e164, number.extension)
        if number.validated is None:
            change = await build_change(ctx, press.id, result)
            after = validate(number, ctx.now)
            await ctx.services.registered.edit(ctx.snapshot, ctx.person.id, before, after, (), change)
        return Notice(validated(ctx, result))
    shown = ctx.number(number.e164, number.extension)
    text = ctx.words.text("own.validate.code", number=shown, code=" ".join(code))
    return Notice(results.confirmation_screen(ctx, ctx.words("own.validate.title"), text))


class ValidationResult(registration.OwnResult, word="validated"): ...


@ROUTES.result(ValidationResult)
def validated(ctx: Context, done: ValidationResult) -> Screen:
    text = ctx.words.text("own.validated", number=ctx.number(done.e164, done.extension))
    return results.confirmation_screen(ctx, ctx.words("own.validate.title"), text)


async def handle_validation(services: Services, fields: Mapping[str, str]) -> bool:
    """The carrier's callback after a validation call, with its signature checked: mark the number and notify its owner,
    once however often the callback comes. `fields`: the callback's, and those that `TwilioCarrier.validate` put into
    its URL. False: the number or the person is unknown."""
    e164, person = fields.get("validated", ""), fields.get("person", "")
    if not is_e164(e164) or not person:
        return False
    good = fields.get("VerificationStatus") == "success"

    async def of(snapshot: AccountSnapshot) -> bool:
        own, key = await services.registered.of(snapshot, person), f"{e164};{fields.get('extension', '')}"
        before = next((record for record in own if registered_key(record.value) == key), None)
        owner, now = snapshot.account.person(person), services.now()
        if before is None or owner is None:
            return False
        ctx = Context.for_person(services, snapshot, owner, Actor("", "", person), now)
        text = "own.validated" if good else "own.validated.failed"
        shown = ctx.number(e164, before.value.extension)
        screen = results.confirmation_screen(ctx, ctx.words("own.validate.title"), ctx.words.text(text, number=shown))
        seen = await services.contacts.last_seen(snapshot, [person], services.platforms)
        dedup_key = f"validated|{fields.get('CallSid', '')}|{e164}|{text}"
        effects = tuple(person_effects(ctx, dedup_key, owner, screen, seen))
        change = Change(effect_id(dedup_key), person, now, "told", effects)
        if good and before.value.validated is None:
            after = validate(before.value, now)
            await services.registered.edit(
                snapshot, person, before, after, (), replace(change, result=ValidationResult.WORD)
            )
        elif not good:
            await services.changes.send_once(snapshot, effect_id(dedup_key), effects)
        return True

    for _ in range(3):
        try:
            return await services.accounts.run_on_current(fields.get("account", ""), of) or False
        except GuardFailed:
            continue  # its owner has just changed it
    return False
