"""Numbers that are bought and what people see of it (docs/domain.md 2). No platform in here: each runs on every one."""

from tests.scenarios.stage import Cast


async def a_bought_number_is_there_with_the_answer_and_takes_calls(cast: Cast) -> None:
    await cast.records(inventory=[])
    await cast.ada.types("numbers get GB 0121")
    await cast.ada.sees("0121 496 0150", "is yours to use")
    await cast.ada.types("numbers forward 0121 496 0150 020 7946 0111")
    await cast.ada.sees("020 7946 0111")
    assert (await cast.calls("+441214960150")).dialled == "+442079460111"


async def by_dialog_it_is_chosen_and_the_list_shows_it(cast: Cast) -> None:
    await cast.records(inventory=[])
    await cast.ada.types("numbers get", dialog="Get a number")
    await cast.ada.fills({"Area code": "0121"})
    await cast.ada.sends("Get a number")
    await cast.ada.sees("0121 496 0150", "is yours to use")


async def what_takes_longer_is_told_when_it_is_there(cast: Cast) -> None:
    assert cast.stage.carrier is not None
    await cast.records(inventory=[])
    cast.stage.carrier.faults.next("POST IncomingPhoneNumbers", "hang", seconds=2.5)
    await cast.ada.types("numbers get GB 0121")
    await cast.ada.sees("0121 496 0150", "is being bought")
    await cast.ada.is_told("is yours to use")
    await cast.ada.types("numbers list")
    await cast.ada.sees("1 of 3 numbers")
    await cast.ada.sees_no("being bought")


async def one_that_needs_an_address_says_so(cast: Cast) -> None:
    await cast.records(inventory=[])
    await cast.ada.types("numbers get DE 030")
    await cast.ada.sees("wants an address in Germany first")
    await cast.ada.types("numbers list")
    await cast.ada.sees("waiting for an address with the carrier")


async def a_silent_carrier_is_said_with_what_to_do(cast: Cast) -> None:
    assert cast.stage.carrier is not None
    await cast.records(inventory=[])
    cast.stage.carrier.faults.next("GET *", "hang", times=20, seconds=20)
    await cast.ada.types("numbers get GB 0121")
    await cast.ada.sees("The carrier doesn't answer right now", "try again in a minute")
