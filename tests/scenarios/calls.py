"""Calls and what people see of them (docs/domain.md 2 and 3). No platform in here: every function is run on each."""

from tests.scenarios.company import INVENTORY, provided
from tests.scenarios.stage import Cast

LINE, OTHER = INVENTORY[:2]


async def _forwarded(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"), provided(OTHER, "ada"))
    for number, phone in (("020 7946 0900", "020 7946 0111"), ("020 7946 0901", "020 7946 0112")):
        await cast.ada.types(f"numbers forward {number} {phone}")
        await cast.ada.sees(phone)


async def minutes_are_those_talked_by_number_and_by_person(cast: Cast) -> None:
    await _forwarded(cast)
    await cast.talks(LINE, 125)
    await cast.talks(OTHER, 30)
    await cast.ada.types("numbers usage")
    await cast.ada.sees("8 of 3,000 minutes", "Minutes by number", "020 7946 0900", "Minutes by person", "Max")
    await cast.ada.sees("75%", "25%")
    await cast.max.types("numbers usage")
    await cast.max.sees("8 of 3,000 minutes", "6 minutes this month")
    await cast.max.sees_no("Minutes by person")


async def a_number_rings_where_it_is_forwarded_to_from_the_next_call_on(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    call = await cast.calls(LINE)
    assert "Nobody can be reached" in call.heard
    await cast.ada.types("numbers forward 020 7946 0900 020 7946 0111")
    await cast.ada.sees("020 7946 0111")
    call = await cast.calls(LINE)
    assert call.dialled == "+442079460111"
    await call.decline()
    await cast.ada.types("numbers delete 020 7946 0900", dialog="Delete number")
    await cast.ada.fills({"Type the number to confirm": "020 7946 0900"})
    await cast.ada.sends("Delete")
    await cast.stage.settled()
    assert (await cast.calls(LINE)).state == "rejected"


async def super_admins_are_told_before_the_minutes_run_out_and_when_they_have(cast: Cast) -> None:
    await cast.records(limits={"minutes": 10})
    await _forwarded(cast)
    await cast.talks(LINE, 240)
    await cast.ada.is_told("Most minutes are used", "2 minutes are left")
    await cast.robin.is_told("Most minutes are used")
    await cast.talks(LINE, 60)
    await cast.ada.is_told("All minutes are used", "further ones are refused")
    await cast.lena.is_told("Minuty się skończyły")
    assert "can't take calls" in (await cast.calls(LINE)).heard
    assert cast.max.times_told("All minutes are used") == 0
    assert cast.ada.times_told("Most minutes are used") == 1
