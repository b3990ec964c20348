"""Buying, giving back, numbers that need something: both sides' books after each way that it can go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from domain.numbers.number import Number, NumberState
from domain.numbers.orders import OrderStep
from domain.policy import STRAY_LOOKS, UNDO_DAYS
from handlers.framework.ports import Offer
from handlers.framework.screens import Done, Form, Notice
from handlers.workflows import ROUTES
from store.engine import keys
from tests import instance_of, present
from tests.bot.carriers.test_twilio import add_address
from tests.handlers.conftest import KINDS
from tests.handlers.shop import PUBLIC, SOLD, Shop, shop
from tests.handlers.world import button, company, errors, form, words
from tests.servers import Farm

BUY = "POST IncomingPhoneNumbers"


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[Shop]:
    store = await farm.open(request.param)
    async with shop(store) as made:
        await made.apply(company(inventory=[]))
        yield made
    await store.aclose()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request waits less: what isn't there by then is told by message all the same."""
    monkeypatch.setattr("handlers.numbers.get.ORDER_ANSWER_SECONDS", 0.5)


async def test_a_bought_number_is_there_with_the_answer(world: Shop) -> None:
    said = words(await world.type("UADA", "get GB 20", id="r1"))
    number = present(await world.number("+442079460910"))
    assert "020 7946 0910" in said
    assert "is yours" in said
    assert number.state is NumberState.ACTIVE
    owned = present(world.twilio.world.owned("+442079460910"))
    assert (number.carrier_id, owned["voice_url"]) == (owned["sid"], f"{PUBLIC}/voice/inbound")
    assert await world.owner("+442079460910") == ("acme", -1)
    assert await world.order("+442079460910") is None
    assert await world.due() == {}
    assert await world.said("UADA") == []  # it said so itself
    assert words(await world.type("UADA", "get GB 20", id="r1")) == said
    assert world.twilio.journal.done(BUY) == 1


async def test_what_takes_longer_is_told_by_message(world: Shop) -> None:
    world.twilio.faults.next(BUY, "hang", seconds=2.0)
    said = words(await world.type("UADA", "get GB 20", id="r1"))
    assert "is being bought; I tell you when it is there" in said
    listed = words(await world.type("UADA", "list"))
    assert "being bought" in listed
    assert "1 of 3 numbers" in listed
    assert words(await world.type("UADA", "get GB 20", id="r1")) == said  # a repeat, while it is under way
    await world.run()
    (told,) = await world.said("UADA")
    assert "020 7946 0910" in told
    assert "is yours" in told
    assert "is yours" in words(await world.type("UADA", "get GB 20", id="r1"))
    assert world.twilio.journal.done(BUY) == 1


async def test_by_dialog_the_news_follows_the_closed_form(world: Shop) -> None:
    shown = form(await world.type("UADA", "get"))
    assert isinstance(await world.submit("UADA", shown, {"Area code": "0121"}), Done)
    assert "0121 496 0150" in await world.told("UADA")
    assert await world.slots() == {"+441214960150"}


async def test_a_chosen_number_is_the_one_that_is_bought(world: Shop) -> None:
    shown = form(await world.type("UADA", "get"))
    assert isinstance(await world.submit("UADA", shown, {"Number": "020 7946 0915"}), Done)
    assert await world.slots() == {"+442079460915"}
    assert "number.GB" in errors(await world.submit("UADA", shown, {"Number": "020 7946 0915"}))


@pytest.mark.parametrize("kind", ["lost", "error_after", "late"])
async def test_an_answer_that_never_came_is_looked_up_and_nothing_is_bought_twice(world: Shop, kind: str) -> None:
    world.twilio.faults.next(BUY, kind)  # type: ignore[arg-type] # one of the kinds
    if kind == "late":
        world.twilio.faults.clear()
        world.twilio.faults.next(BUY, "lost")
    assert "is being bought" in words(await world.type("UADA", "get GB 20"))
    order = present(await world.order("+442079460910"))
    assert (order.step, order.doubted) == (OrderStep.ASKED, True)
    await world.run_after(seconds=3)
    assert present(await world.number("+442079460910")).state is NumberState.ACTIVE
    assert len(world.twilio.journal.of(BUY)) == 1
    assert len(world.twilio.world.numbers) == 1
    assert "is yours" in await world.told("UADA")


async def test_what_never_arrived_is_sent_again_only_after_a_while_and_a_look(world: Shop) -> None:
    world.twilio.faults.next(BUY, "error")  # 500, nothing done: nobody can know
    await world.type("UADA", "get GB 20")
    await world.run_after(seconds=2.5)
    assert len(world.twilio.journal.of(BUY)) == 1  # it may still be on its way
    await world.run_after(seconds=4)
    assert world.twilio.journal.done(BUY) == 1
    assert present(await world.number("+442079460910")).state is NumberState.ACTIVE
    assert "is yours" in await world.told("UADA")


async def test_a_carrier_that_is_down_is_tried_again_less_and_less_often_and_told_once(world: Shop) -> None:
    world.twilio.faults.next(BUY, "ratelimited", times=8, retry_after=1)
    await world.type("UADA", "get GB 20")
    pauses = []
    for _ in range(7):
        (pause,) = (await world.due()).values()
        pauses.append(round(pause))
        await world.run_after(seconds=pause + 0.01)
    assert pauses == sorted(pauses)
    assert pauses[0] < 5
    assert pauses[-1] >= 100
    assert await world.said("UADA") == []
    await world.run_after(seconds=400)
    assert "is yours" in await world.told("UADA")


async def test_a_definite_no_frees_slot_and_claim_and_says_why_with_the_way_on(world: Shop) -> None:
    shown = form(await world.type("UADA", "get"))
    world.twilio.faults.next("GET AvailablePhoneNumbers/GB/*", "hang", seconds=0.3)
    sent = asyncio.create_task(world.submit("UADA", shown, {"Number": "020 7946 0915"}))
    await sent
    # Somebody else buys the next one between the search and our order.
    free = present(await world.wired.carrier.offered(company(), "+442079460916"))
    world.twilio.world.stock = tuple(s for s in world.twilio.world.stock if s.number != "+442079460916")
    await world.effects()
    world.seller._search = _still(free)  # type: ignore[method-assign] # a search of a moment ago
    assert isinstance(await world.submit("UADA", shown, {"Number": "020 7946 0916"}), Done)
    assert "Somebody else bought 020 7946 0916" in await world.told("UADA")
    assert await world.number("+442079460916") is None
    assert await world.slots() == {"+442079460915"}
    owner, left = await world.owner("+442079460916")
    assert owner == "acme"
    assert 0 < left <= 120
    assert await world.due() == {}


def _still(offer: Offer) -> Callable[..., Coroutine[Any, Any, list[Offer]]]:
    async def found(country: str, area: str, e164: str = "") -> list[Offer]:
        return [offer]

    return found


async def test_a_refused_number_that_had_been_in_doubt_is_looked_for_and_given_back(world: Shop) -> None:
    world.twilio.faults.next(BUY, "error")
    await world.type("UADA", "get GB 20")
    stock = world.twilio.world.stock
    world.twilio.world.stock = tuple(s for s in stock if s.number != "+442079460910")
    await world.run_after(seconds=6)
    assert await world.number("+442079460910") is None
    assert "Somebody else bought" in await world.told("UADA")
    assert present(await world.order("+442079460910")).step is OrderStep.STRAY
    assert await world.slots() == set()
    # The first purchase comes through after all, hours late.
    world.twilio.own("+442079460910")["friendly_name"] = "Switchboard acme"
    await world.run_after(seconds=STRAY_LOOKS[0].total_seconds())
    assert world.twilio.world.owned("+442079460910") is None
    assert await world.order("+442079460910") is None
    assert await world.due() == {}


async def lose_order(world: Shop) -> None:
    """An order that may have gone through, and is refused when it is sent again."""
    world.twilio.faults.next(BUY, "error")
    await world.type("UADA", "get GB 20")
    world.twilio.world.stock = ()
    await world.run_after(seconds=6)


async def test_a_stray_that_never_turns_up_is_forgotten_after_a_day(world: Shop) -> None:
    await lose_order(world)
    for pause in STRAY_LOOKS:
        assert await world.order("+442079460910") is not None
        await world.run_after(seconds=pause.total_seconds() + 1)
    assert await world.order("+442079460910") is None
    assert await world.due() == {}


async def test_a_stray_of_another_account_or_of_somebody_else_is_never_touched(world: Shop) -> None:
    stock = world.twilio.world.stock
    await lose_order(world)
    world.twilio.world.stock = stock
    world.twilio.own("+442079460910")  # in the same Twilio account, by hand
    await world.run_after(hours=2)
    assert world.twilio.world.owned("+442079460910") is not None


async def test_ordering_it_again_takes_up_what_may_have_gone_through(world: Shop) -> None:
    stock = world.twilio.world.stock
    await lose_order(world)
    world.twilio.world.stock = stock
    assert "is yours" in words(await world.type("UADA", "get GB 20"))
    assert await world.slots() == {"+442079460910"}
    assert {name.split("|")[0] for name in await world.due()} == set()


async def test_a_number_that_needs_an_address_waits_and_says_so(world: Shop) -> None:
    said = words(await world.type("UADA", "get DE 30", id="r1"))
    assert "wants an address in Germany first" in said
    number = present(await world.number("+4930901820010"))
    assert (number.state, number.needs) == (NumberState.PENDING, "address")
    assert "waiting for an address with the carrier" in words(await world.type("UADA", "list"))
    assert words(await world.type("UADA", "get DE 30", id="r1")) == said
    (pause,) = (await world.due()).values()
    assert round(pause) == 3600
    await world.run_after(hours=1, seconds=1)
    assert await world.said("UADA") == []  # told once
    await add_address(world.twilio, "DE")
    await world.run_after(hours=1, seconds=1)
    assert "is yours" in await world.told("UADA")
    number = present(await world.number("+4930901820010"))
    assert (number.state, number.needs) == (NumberState.ACTIVE, "")


async def test_one_deleted_while_it_waits_is_not_bought_and_undoing_goes_on(world: Shop) -> None:
    await world.type("UADA", "get DE 30")
    await delete(world, "+49 30 901820010")
    assert await world.slots() == set()
    await add_address(world.twilio, "DE")
    await world.run_after(hours=1, seconds=1)
    assert world.twilio.world.numbers == {}
    await world.type("UADA", "undo")
    await world.run_after(hours=1, seconds=1)
    assert len(world.twilio.world.numbers) == 1
    assert present(await world.number("+4930901820010")).state is NumberState.ACTIVE


async def test_one_deleted_while_it_waits_is_gone_with_its_order(world: Shop) -> None:
    await world.type("UADA", "get DE 30")
    await delete(world, "+49 30 901820010")
    await world.run_after(days=UNDO_DAYS, seconds=1)
    assert await world.number("+4930901820010") is None
    assert await world.order("+4930901820010") is None
    assert await world.due() == {}


async def delete(world: Shop, typed: str) -> None:
    listed = await world.type("UADA", "list")
    shown = form(await world.press("UADA", button(listed, "Delete")))
    assert isinstance(await world.submit("UADA", shown, {"Type the number to confirm": typed}), Done)
    await world.effects()


async def test_a_deleted_number_goes_back_after_the_undo_time_and_not_before(world: Shop) -> None:
    await world.type("UADA", "get GB 20")
    await delete(world, "+44 20 7946 0910")
    await world.run_after(days=UNDO_DAYS, seconds=-1)
    assert world.twilio.world.owned("+442079460910") is not None
    assert world.twilio.journal.of("DELETE *") == []
    world.twilio.faults.next("DELETE *", "error_after")  # done, and nobody hears of it
    await world.run_after(seconds=1)
    assert world.twilio.world.owned("+442079460910") is None
    assert present(await world.number("+442079460910")).leaving
    assert "number" in words(await world.type("UADA", "undo"))  # too late: nothing to undo
    await world.run_after(minutes=5)  # 404 is what was wanted
    assert await world.number("+442079460910") is None
    assert await world.due() == {}
    owner, left = await world.owner("+442079460910")
    assert (owner, 0 < left <= 120) == ("acme", True)


async def test_undone_in_time_it_stays(world: Shop) -> None:
    await world.type("UADA", "get GB 20")
    await delete(world, "+44 20 7946 0910")
    await world.type("UADA", "undo")
    assert await world.due() == {}
    await world.run_after(days=UNDO_DAYS + 1)
    assert present(await world.number("+442079460910")).state is NumberState.ACTIVE
    assert world.twilio.world.owned("+442079460910") is not None


async def test_undoing_and_giving_back_at_one_moment_one_of_them_wins(world: Shop) -> None:
    for n in range(6):
        await world.type("UADA", "get GB 20")
        (e164,) = await world.slots()
        await delete(world, e164)
        # The undoing process's clock is a little behind.
        behind = world.now
        world.later(days=UNDO_DAYS)
        router, at = world.router, world.now
        before = behind + (at - behind) * 0.999999

        async def undo(router: object = router, before: object = before) -> None:
            from dataclasses import replace

            from handlers.framework.router import Router

            late = Router(replace(world.wired, now=lambda: before), ROUTES)  # type: ignore[arg-type, return-value] # a time
            world.router, kept = late, world.router
            await world.type("UADA", "undo")
            world.router = kept

        first, second = (undo(), world.run()) if n % 2 else (world.run(), undo())
        await asyncio.gather(first, second)
        await world.run()
        number = await world.number(e164)
        if number is None:
            assert world.twilio.world.owned(e164) is None
            assert await world.slots() == set()
        else:
            assert number.state is NumberState.ACTIVE
            assert world.twilio.world.owned(e164) is not None
            await delete(world, e164)
            await world.run_after(days=UNDO_DAYS, seconds=1)
        assert await world.due() == {}


async def test_an_inventory_number_is_only_forgotten_and_can_be_had_again(world: Shop) -> None:
    await world.apply(company())
    assert "is yours" in words(await world.type("UADA", "get GB 20"))
    (e164,) = await world.slots()
    await delete(world, e164)
    await world.run_after(days=UNDO_DAYS, seconds=1)
    assert await world.number(e164) is None
    assert await world.owner(e164) == ("acme", -1)
    assert world.twilio.journal.of("DELETE *") == []
    await world.type("UADA", "get GB 20")
    assert await world.slots() == {e164}


async def test_a_silent_carrier_is_said_and_the_form_stays(world: Shop) -> None:
    shown = form(await world.type("UADA", "get"))
    world.twilio.faults.next("GET *", "hang", times=50, seconds=20)
    kept = errors(await world.submit("UADA", shown, {"Area code": "20"}))
    assert "The carrier doesn't answer right now" in " ".join(kept.values())
    assert "The carrier doesn't answer" in words(instance_of(Form, await world.type("UADA", "get")))
    assert "The carrier doesn't answer" in words(await world.type("UADA", "get GB"))


async def test_the_limit_holds_whoever_orders_at_once(world: Shop) -> None:
    world.twilio.faults.next(BUY, "hang", times=3, seconds=0.3)
    said = [words(o) for o in await asyncio.gather(*(world.type("UADA", f"get GB {a}") for a in ("20", "121") * 3))]
    await world.run()
    await world.run_after(seconds=20)
    assert len(await world.slots()) <= 3
    assert {one["phone_number"] for one in world.twilio.world.numbers.values()} == await world.slots()
    assert said


async def die_ordering(world: Shop) -> None:
    """As if the process had died while the carrier has its order: what it sent may arrive yet."""
    world.twilio.faults.next(BUY, "hang", seconds=30)
    task = asyncio.create_task(world.type("UADA", "get GB 20"))
    await asyncio.sleep(0.4)
    for acting in list(world.deadlines._running):
        acting.cancel()
    await task


async def test_an_order_left_by_a_dead_process_is_another_s(world: Shop) -> None:
    await die_ordering(world)
    assert world.twilio.world.numbers == {}
    await world.until_lease_is_over()
    assert len(world.twilio.world.numbers) == 1
    assert present(await world.number("+442079460910")).state is NumberState.ACTIVE


async def test_nobody_else_can_have_a_number_that_is_being_bought(world: Shop) -> None:
    assert await world.accounts.claim_number("other", "+442079460910", 60)
    assert "is yours" in words(await world.type("UADA", "get GB 20"))
    assert await world.slots() == {"+442079460911"}
    assert len(world.twilio.world.numbers) == 1


async def test_a_claim_that_no_order_followed_ends_by_itself(world: Shop) -> None:
    assert await world.accounts.claim_number("acme", SOLD, 60)
    _, left = await world.owner()
    assert 0 < left <= 60
    assert await world.accounts.claim_number("acme", SOLD)
    assert await world.owner() == ("acme", -1)
    assert await world.accounts.claim_number("acme", SOLD, 60)  # stays lasting
    assert await world.owner() == ("acme", -1)
    await world.accounts.lapse_number("other", SOLD, 60)
    assert await world.owner() == ("acme", -1)
    assert await world.store.call("GET", keys.dir_number(SOLD)) == b"acme"


async def test_a_number_under_review_is_asked_after_and_told_to_super_admins_once(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.numbers.number.REVIEW_COUNTRIES", frozenset({"GB"}))
    assert "reserved for you" in words(await world.type("UADA", "get GB 20"))
    owned = present(world.twilio.world.owned("+442079460910"))
    owned["status"] = "pending"
    await world.run_after(hours=1, seconds=1)
    assert present(await world.number("+442079460910")).state is NumberState.PENDING
    world.twilio.world.numbers[owned["sid"]]["status"] = "in-use"
    await world.effects()
    await world.run_after(hours=1, seconds=1)
    effects = [e for e in await world.effects() if e.kind == "slack.screen"]
    assert sorted(e.body["to"]["user"] for e in effects) == ["UADA", "UROBIN"]
    assert await world.due() == {}


async def test_caller_ids_are_validated_from_the_list(world: Shop) -> None:
    from handlers.numbers.caller_id import handle_validation

    shown = form(await world.type("UMAX", "register 020 7946 0111"))
    code = form(await world.submit("UMAX", shown, {}))
    assert isinstance(await world.submit("UMAX", code, {"Verification code": "123456"}), Done)
    assert "carrier wants to hear a code" in await world.told("UMAX")
    listed = await world.type("UMAX", "list")
    asked = instance_of(Notice, await world.press("UMAX", button(listed, "Use as caller ID")))
    waiting = world.twilio.validations["+442079460111"]
    assert " ".join(waiting.code) in words(asked)
    fields = dict(pair.split("=") for pair in waiting.callback.partition("?")[2].split("&"))
    fields |= {"validated": "+442079460111", "CallSid": "CA1"}
    assert await handle_validation(world.wired, {**fields, "VerificationStatus": "failed"})
    assert await handle_validation(world.wired, {**fields, "VerificationStatus": "failed"})
    assert "was not typed on the phone" in await world.told("UMAX")
    assert await handle_validation(world.wired, {**fields, "VerificationStatus": "success"})
    assert await handle_validation(world.wired, {**fields, "VerificationStatus": "success"})
    assert "can now be shown" in await world.told("UMAX")
    again = await world.type("UMAX", "list")
    assert "shown on calls" in words(again)
    with pytest.raises(AssertionError):
        button(again, "Use as caller ID")
    assert not await handle_validation(world.wired, {**fields, "person": "nobody", "VerificationStatus": "success"})
    assert not await handle_validation(world.wired, {"VerificationStatus": "success"})


async def test_an_order_of_a_dead_process_that_is_refused_then_is_watched_for(world: Shop) -> None:
    await die_ordering(world)
    world.twilio.world.stock = ()
    await world.until_lease_is_over()
    assert await world.number("+442079460910") is None
    assert present(await world.order("+442079460910")).step is OrderStep.STRAY


async def test_what_the_operator_imports_meanwhile_is_not_given_back_as_a_stray(world: Shop) -> None:
    await lose_order(world)
    world.twilio.own("+442079460910")["friendly_name"] = "Switchboard acme"
    snapshot = await world.snapshot()
    row = Number(e164="+442079460910", source="provided", since=world.now)
    assert [code for _, code in await world.numbers.import_rows(snapshot, [row], world.now)] == [None]
    await world.run_after(hours=2)
    assert world.twilio.world.owned("+442079460910") is not None
    assert await world.order("+442079460910") is None
