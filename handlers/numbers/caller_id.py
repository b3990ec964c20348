"""A registered number as caller id: where the carrier shows only what was validated with it, it calls the number and
wants a code typed there, which is shown here."""

from collections.abc import Mapping
from dataclasses import replace

from domain.numbers.number import Number, validate
from domain.people import Right, require_right
from domain.phone import is_e164
from domain.refusal import Refusal
from handlers.framework.context import Context, build_change, words_for
from handlers.framework.context import addresses as addresses_of
from handlers.framework.effects import effect_id, screen_effect
from handlers.framework.events import Actor, Press
from handlers.framework.forms import Response
from handlers.framework.ports import CarrierRefusal, Services, Unavailable
from handlers.framework.routes import Routes
from handlers.framework.screens import Notice, Screen
from handlers.numbers import registration, results
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.effects import InDoubt
from store.engine.versioned import Versioned

ROUTES = Routes()


@ROUTES.press("own.validate")
async def pressed(ctx: Context, press: Press) -> Response:
    """Pressed twice, the phone rings twice; the code shown last is the one that counts."""
    require_right(ctx.account, ctx.person, Right.REGISTER)
    kept, _ = await registration.find_own_number(ctx, press.value)
    seller, number = ctx.services.seller, kept.value
    if seller is None or not seller.validates:
        raise Refusal("carrier_silent")
    try:
        code = await seller.validate(ctx.account, ctx.person.id, number.e164, number.extension)
    except (Unavailable, InDoubt):
        raise Refusal("carrier_silent") from None
    except CarrierRefusal as no:
        raise Refusal("validation_refused", number=ctx.number(number.e164), error=no.code) from None
    title, shown = ctx.words("own.validate.title"), ctx.number(number.e164, number.extension)
    if code is None:  # it was validated before, perhaps for somebody else of the operator's
        if number.validated is None:
            made = await build_change(ctx, press.id, Validated(number.e164, number.extension))
            after = validate(number, ctx.now)
            await ctx.services.registered.edit(ctx.snapshot, ctx.person.id, kept, after, (), made)
        return Notice(validated(ctx, Validated(number.e164, number.extension)))
    return Notice(
        results.confirmation_screen(ctx, title, ctx.words.text("own.validate.code", number=shown, code=" ".join(code)))
    )


class Validated(registration.OwnResult, word="validated"): ...


@ROUTES.result(Validated)
def validated(ctx: Context, done: Validated) -> Screen:
    shown = ctx.number(done.e164, done.extension)
    return results.confirmation_screen(
        ctx, ctx.words("own.validate.title"), ctx.words.text("own.validated", number=shown)
    )


async def handle_validation(services: Services, fields: Mapping[str, str]) -> bool:
    """The carrier's callback after a validation call, its signature checked: the number is marked and its owner told,
    once however often the callback comes. `fields`: the callback's, and what `TwilioCarrier.validate` put into its
    address. False: it is about nothing that we know."""
    e164, person = fields.get("validated", ""), fields.get("person", "")
    if not is_e164(e164) or not person:
        return False
    good = fields.get("VerificationStatus") == "success"

    async def of(snapshot: AccountSnapshot) -> bool:
        kept = await _registered(services, snapshot, person, e164, fields.get("extension") or None)
        if kept is None:
            return False
        owner, now = snapshot.account.person(person), services.now()
        if owner is None:
            return False
        ctx = Context(services, snapshot, owner, Actor("", "", person), words_for(snapshot.account, owner, None), now)
        key = "own.validated" if good else "own.validated.failed"
        shown = ctx.number(e164, kept.value.extension)
        screen = results.confirmation_screen(ctx, ctx.words("own.validate.title"), ctx.words.text(key, number=shown))
        seen = await services.contacts.last_seen(snapshot, [person], services.platforms)
        dedup_key = f"validated|{fields.get('CallSid', '')}|{e164}|{key}"
        effects = tuple(screen_effect(dedup_key, to, screen) for to in addresses_of(ctx, owner, seen)[:1])
        made = Change(effect_id(dedup_key), person, now, "told", effects)
        if good and kept.value.validated is None:
            after = validate(kept.value, now)
            await services.registered.edit(snapshot, person, kept, after, (), replace(made, result=Validated.WORD))
        elif not good:
            await services.changes.send_once(snapshot, effect_id(dedup_key), effects)
        return True

    for _ in range(3):
        try:
            return await services.accounts.run_on_current(fields.get("account", ""), of) or False
        except GuardFailed:
            continue  # its owner changed it this moment
    return False


async def _registered(
    services: Services, snapshot: AccountSnapshot, person: str, e164: str, extension: str | None
) -> Versioned[Number] | None:
    mine = await services.registered.of(snapshot, person)
    return next((k for k in mine if (k.value.e164, k.value.extension) == (e164, extension)), None)
