"""Get another provided number, by command or chosen in a dialog. The commit that adds it checks the limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.numbers.number import acquire, order
from domain.numbers.orders import Order, OrderStep
from domain.people import Right, require_right
from domain.phone import area_matches, country_of, is_e164
from domain.policy import CLAIM_SECONDS, ORDER_ANSWER_SECONDS
from domain.refusal import Refusal
from handlers.framework import parse_args
from handlers.framework.context import Context, build_change
from handlers.framework.effects import pack_address, screen_effect
from handlers.framework.events import Address, Command, Press, Submit
from handlers.framework.ports import Offer, Unavailable
from handlers.framework.results import Result
from handlers.framework.routes import Routes
from handlers.framework.screens import Choice, Done, Form, FormField, Option, Paragraph, Response, TextField
from handlers.numbers import results
from store.engine.commit import GuardFailed
from store.numbers.records import NO_ROOM


def _require(ctx: Context) -> None:
    require_right(ctx.account, ctx.person, Right.MANAGE_NUMBERS, ctx.calling_ready)


ROUTES = Routes(require=_require)

SHOWN = 10  # offers in the dialog
BATCH = 200  # offers per call
ROUNDS = 60  # batches at most: an inventory of 12,000
ANY = "any"
ANSWER = 2.5  # seconds for a whole request; Slack waits 3
LONGEST_AREA = 12
# An example of an area code by country: the capital's or a well-known one.
_AREAS = {"GB": "20", "DE": "30", "FR": "1", "PL": "22", "US": "212", "ES": "91", "PT": "21", "JP": "3"}


@dataclass(frozen=True, slots=True)
class FreeOffer:
    """An offer that nobody has taken. `replaces`: the bytes of the deleted record in its place, if there is one."""

    offer: Offer
    replaces: bytes | None


@ROUTES.command("numbers", "get")
async def get(ctx: Context, command: Command) -> Response:
    if not command.words:
        return await form(ctx, {})
    country, area = parse_args.parse_country_and_area(ctx, command.words)
    return results.ROUTES.render_result(ctx, await get_number(ctx, command.id, country, area, None, None))


@ROUTES.press("numbers.get")
async def pressed(ctx: Context, press: Press) -> Response:
    return await form(ctx, {})


@ROUTES.press("numbers.get:country")
async def country_chosen(ctx: Context, press: Press) -> Response:
    return await form(ctx, press.values)


@ROUTES.submit("numbers.get")
async def submitted(ctx: Context, submit: Submit) -> Response:
    country = parse_args.parse_country(ctx, submit.values.get("country") or ctx.region)
    area = submit.values.get("area", "").strip()
    chosen = submit.values.get(f"number.{country}") or ANY
    await get_number(ctx, submit.id, country, area, None if chosen == ANY else chosen, submit.where)
    return Done()


async def form(ctx: Context, values: Mapping[str, str]) -> Form:
    """The dialog for the country chosen so far, with the offers there."""
    words = ctx.words
    usage = await ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now)
    if usage.numbers_left == 0:
        raise await limit_refusal(ctx)
    carrier = ctx.services.carrier
    countries = await carrier.countries(ctx.account)
    country = values.get("country") or (ctx.region if ctx.region in countries or not countries else countries[0])
    silent = False
    try:
        free = await find_free_offers(ctx, country, "", SHOWN)
    except Unavailable:
        free, silent = [], True
    options = [Option(ANY, words("get.any"))]
    options += [Option(f.offer.e164, ctx.number(f.offer.e164)) for f in free]
    ordered = sorted({country, *countries}, key=lambda c: (c != ctx.region, words.country(c)))
    choices = tuple(Option(code, words.country(code)) for code in ordered)
    hint = words("get.area.hint", example=_AREAS.get(country, "20"))
    fields: list[FormField | Paragraph] = [
        Paragraph(words.text("get.left", n=usage.numbers_limit, left=usage.numbers_left - 1), quiet=True),
        Choice("country", words("field.country"), choices, value=country, required=True, live=True),
        TextField("area", words("field.area"), values.get("area", ""), hint, max_length=LONGEST_AREA),
    ]
    if free:
        # One field per country, so that a choice made for another country does not count.
        fields.append(Choice(f"number.{country}", words("field.number_choice"), tuple(options), value=ANY))
    elif silent:
        fields.append(Paragraph(words.text("get.carrier_silent")))
    else:
        fields.append(Paragraph(words.text("get.none_here", country=words.country(country))))
    return Form("numbers.get", words("get.title"), words("button.get"), tuple(fields), close=words("button.cancel"))


async def get_number(
    ctx: Context, id: str, country: str, area: str, chosen: str | None, where: Address | None
) -> Result:
    """Add a number to the account, or order it. Raises Refusal: numbers_full, no_offers, offer_gone …"""
    _check_area(area)
    try:
        if chosen is not None:
            offer = await ctx.services.carrier.offered(ctx.account, chosen) if is_e164(chosen) else None
            if offer is None:
                raise Refusal("offer_gone", f"number.{country}")
            if country_of(chosen) != country or (area and not area_matches(chosen, area)):
                raise Refusal("offer_elsewhere", "area", number=ctx.number(chosen))
            free = await _free(ctx, [offer])
        else:
            free = await find_free_offers(ctx, country, area, SHOWN)
    except Unavailable:
        raise Refusal("carrier_silent") from None
    if not free and chosen is None:
        usage = await ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now)
        if usage.numbers_left == 0:
            raise await limit_refusal(ctx)
        raise await _no_offers(ctx, country, area)
    for candidate in free:
        if candidate.offer.ordered:
            if (ordered := await _order(ctx, id, candidate, where)) is None:
                continue
            return ordered
        number = acquire(candidate.offer.e164, None, ctx.now, ctx.account)
        result = results.GetResult(number.e164, number.state.value)
        change = await build_change(ctx, id, result, confirm=results.got(ctx, result), where=where)
        try:
            first = await ctx.services.numbers.add(ctx.snapshot, number, candidate.replaces, ctx.limits.numbers, change)
        except GuardFailed as failed:
            if failed.guard == NO_ROOM:
                raise await limit_refusal(ctx) from None
            continue  # somebody else was first; try the next one
        return results.ROUTES.parse_result(first) if first else result
    raise Refusal("offer_gone", f"number.{country}" if chosen else None)


async def _order(ctx: Context, id: str, free: FreeOffer, where: Address | None) -> Result | None:
    """Order a number, and wait a little for the outcome. None: somebody else was first. `where`: of a dialog, which
    only closes; the outcome is sent there."""
    services, offer, account = ctx.services, free.offer, ctx.account
    number = order(offer.e164, ctx.now, account)
    # If the process dies before the order is written, the claim expires.
    if not await services.accounts.claim_number(account.id, number.e164, CLAIM_SECONDS):
        return None
    earlier = await services.orders.get(ctx.snapshot, number.e164)
    if earlier is not None and earlier.order.value.step is not OrderStep.STRAY:
        return None
    private = Address(ctx.actor.platform, ctx.actor.workspace, user=ctx.actor.user)
    new = Order(
        e164=number.e164,
        country=offer.country,
        needs=offer.needs,
        # An earlier purchase in doubt may have gone through: look for it first.
        step=OrderStep.ASKED if earlier is not None else OrderStep.OPEN,
        asked_at=earlier.order.value.at if earlier is not None else None,
        doubted=earlier is not None,
        by=ctx.person.id,
        change=id,
        to=pack_address(where or private),
        user=ctx.actor.user,
        language=ctx.words.language,
        dialog=where is not None,
        at=ctx.now,
    )
    result = results.OrderResult(number.e164)
    change = await build_change(ctx, id, result)
    try:
        first = await services.orders.place(
            ctx.snapshot, number, new, earlier, free.replaces, ctx.limits.numbers, change
        )
    except GuardFailed as failed:
        if failed.guard == NO_ROOM:
            raise await limit_refusal(ctx) from None
        return None
    return await _outcome(ctx, id, results.ROUTES.parse_result(first) if first else result, where)


async def _outcome(ctx: Context, id: str, result: Result, where: Address | None) -> Result:
    """The result of an order if it is there in time; else `Ordered`, and the order's outcome will be sent."""
    if not isinstance(result, results.OrderResult):
        return result
    services, ordered = ctx.services, result
    spent = (services.now() - ctx.now).total_seconds()
    await services.orders.wait(ctx.snapshot, ordered.e164, max(0.1, min(ORDER_ANSWER_SECONDS, ANSWER - spent)))
    while True:
        if (stored := await services.changes.first_answer(ctx.snapshot, id)) is not None:
            result = results.ROUTES.parse_result(stored)
        current = await services.orders.get(ctx.snapshot, ordered.e164)
        if result != ordered or current is None or current.order.value.tell:
            return result
        try:
            await services.orders.mark(ctx.snapshot, current, current.order.value.model_copy(update={"tell": True}))
        except GuardFailed:
            continue  # the order has just moved on
        if where is not None:  # the dialog has closed
            redraw = ordered.redraw if where.reply else None
            effect = screen_effect(f"{id}|under way", where, results.ordered(ctx, ordered), redraw)
            await services.changes.send_once(ctx.snapshot, f"{id}|under way", (effect,))
        return result


async def find_free_offers(ctx: Context, country: str, area: str, wanted: int) -> list[FreeOffer]:
    """The first offers that nobody has taken. Raises Unavailable."""
    free: list[FreeOffer] = []
    for start in range(0, BATCH * ROUNDS, BATCH):
        offers = await ctx.services.carrier.offers(ctx.account, country, area, start, BATCH)
        if not offers:
            break
        free += await _free(ctx, offers)
        if len(free) >= wanted:
            break
    return free[:wanted]


async def _free(ctx: Context, offers: Sequence[Offer]) -> list[FreeOffer]:
    free = await ctx.services.numbers.free(ctx.snapshot, [o.e164 for o in offers], ctx.now)
    return [FreeOffer(o, free[o.e164]) for o in offers if o.e164 in free]


async def limit_refusal(ctx: Context) -> Refusal:
    """The Refusal at the limit, which names numbers that nobody uses."""
    unused = await ctx.services.numbers.unused(ctx.snapshot, 3)
    limit = ctx.limits.numbers
    if unused:
        return Refusal("numbers_full_unused", n=limit, unused=tuple(ctx.number(n.e164) for n in unused))
    return Refusal("numbers_full", n=limit)


async def _no_offers(ctx: Context, country: str, area: str) -> Refusal:
    countries = [c for c in await ctx.services.carrier.countries(ctx.account) if c != country]
    if area:
        return Refusal("no_offers_area", "area", country=country, area=area)
    if countries:
        others = tuple(ctx.words.country(c) for c in countries[:5])
        return Refusal("no_offers_country", "country", country=country, others=others)
    return Refusal("no_offers", "country", country=country)


def _check_area(area: str) -> None:
    if area and (len(area) > LONGEST_AREA or not any(c.isdigit() for c in area) or any(c.isalpha() for c in area)):
        raise Refusal("area_wrong", "area")
