"""An order's course: what is looked at before what, and when it is tried again."""

from datetime import UTC, datetime, timedelta

from domain.numbers.number import NumberState, await_operator, begin_release, complete_purchase, delete, order, undo
from domain.numbers.orders import Order, OrderStep, in_doubt_until, next_look, next_try
from domain.policy import ORDER_DOUBT_SECONDS, ORDER_RETRY_MOST, STRAY_LOOKS
from tests.domain.samples import account, refusal

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LONDON = "+442079460958"


def asked() -> Order:
    return Order(e164=LONDON, country="GB", by="ada", at=NOW)


def test_what_was_asked_may_be_on_its_way_for_a_while() -> None:
    placed = asked()
    assert in_doubt_until(placed) is None
    sent = placed.begin_try(LATER)
    assert (sent.step, sent.tries) == (OrderStep.ASKED, 1)
    assert in_doubt_until(sent) == LATER + timedelta(seconds=ORDER_DOUBT_SECONDS)
    assert in_doubt_until(sent.mark_in_doubt(LATER)) is not None
    assert sent.mark_in_doubt(LATER).doubted
    assert sent.mark_not_found().doubted
    assert in_doubt_until(sent.mark_not_found()) is None
    assert in_doubt_until(sent.reset_try()) is None


def test_pauses_double_up_to_minutes_and_the_carrier_s_wish_counts() -> None:
    pauses = [(next_try(n, NOW) - NOW).total_seconds() for n in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[1] == 2 * pauses[0]
    assert pauses[-1] == ORDER_RETRY_MOST
    assert next_try(1, NOW, 90) == NOW + timedelta(seconds=90)
    assert next_try(1, NOW, 1e9) <= NOW + timedelta(hours=1)
    assert next_try(10_000, NOW) == NOW + timedelta(seconds=ORDER_RETRY_MOST)


def test_a_stray_is_looked_for_as_often_as_the_policy_says() -> None:
    stray = asked().mark_in_doubt(NOW).stray()
    seen = []
    while (pause := next_look(stray)) is not None:
        seen.append(pause)
        stray = stray.count_look()
    assert tuple(seen) == STRAY_LOOKS


def test_while_the_request_waits_it_says_itself_what_came_of_it() -> None:
    assert not asked().needs_message(NOW + timedelta(seconds=1))
    assert asked().needs_message(NOW + timedelta(seconds=5))
    assert asked().model_copy(update={"tell": True}).needs_message(NOW)
    assert asked().model_copy(update={"dialog": True}).needs_message(NOW)


def test_an_order_survives_being_written_down() -> None:
    sent = asked().begin_try(NOW).mark_in_doubt(NOW)
    assert Order.model_validate_json(sent.model_dump_json(by_alias=True)) == sent


def test_a_number_that_is_being_bought_holds_its_slot_and_cannot_be_deleted() -> None:
    number = order(LONDON, NOW, account())
    assert (number.state, number.counts) == (NumberState.ORDERED, True)
    assert refusal(delete, number, LONDON, "GB", NOW).code == "number_ordered"
    there = complete_purchase(number, "PN1", True, LATER)
    assert (there.state, there.carrier_id, there.version) == (NumberState.ACTIVE, "PN1", 2)
    assert complete_purchase(number, "PN1", False, LATER).state is NumberState.PENDING
    waits = await_operator(number, "address", LATER)
    assert (waits.state, waits.needs, waits.counts) == (NumberState.PENDING, "address", True)
    assert complete_purchase(waits, "PN1", True, LATER).needs == ""


def test_one_deleted_while_it_is_bought_stays_deleted_and_comes_back_as_it_is() -> None:
    gone = delete(await_operator(order(LONDON, NOW, account()), "address", NOW), LONDON, "GB", NOW)
    bought = complete_purchase(gone, "PN1", True, LATER)
    assert (bought.state, bought.before, bought.carrier_id) == (NumberState.DELETED, NumberState.ACTIVE, "PN1")
    assert undo(bought, LATER, 0, 1).state is NumberState.ACTIVE


def test_a_number_that_is_given_back_cannot_be_had_back() -> None:
    gone = delete(complete_purchase(order(LONDON, NOW, account()), "PN1", True, NOW), LONDON, "GB", NOW)
    leaving = begin_release(gone, LATER)
    assert leaving.leaving
    assert not gone.leaving
    assert refusal(undo, leaving, LATER, 0, 1).code == "undo_not_deleted"
