"""One account on two platforms at once: what one changes the other shows, and nothing is done or said twice."""

import pytest

from tests.scenarios.actors import Person, all_at_once
from tests.scenarios.company import INVENTORY, OTHERS, provided
from tests.scenarios.stage import Stage

LINE = INVENTORY[0]
ELSEWHERE = pytest.mark.parametrize(("here", "there"), [("slack", "teams"), ("teams", "slack")])


def each(both: Stage, name: str) -> list[Person]:
    """The same person at each client."""
    return [both.person(name, platform) for platform in both.listed]


@ELSEWHERE
async def test_what_one_platform_changes_the_other_shows(both: Stage, here: str, there: str) -> None:
    ada, robin = both.person("Ada", here), both.person("Robin", there)
    await ada.types("numbers get GB")
    await robin.types("numbers")
    await robin.sees("020 7946 0900", "Provided · nobody", "1 of 3 numbers")
    await robin.presses("Edit", near="0900", dialog="Edit number")
    await robin.fills({"Assigned to": "Noor", "Forwarding number": "020 7946 0111"})
    await robin.sends("Save")
    await robin.has_no_dialog()
    await ada.types("numbers")
    await ada.sees("Provided · Noor · forwards to 020 7946 0111")
    await ada.types("numbers delete 020 7946 0900", dialog="Delete number")
    await ada.fills({"Type the number to confirm": "020 7946 0900"})
    await ada.sends("Delete")
    await ada.has_no_dialog()
    await robin.types("numbers undo")
    await robin.sees("020 7946 0900 is back", "It belongs to Noor")
    await ada.types("numbers history 020 7946 0900")
    await ada.sees("acquired", "to Noor", "deletion undone", "Robin")


async def test_homes_on_both_are_drawn_anew(both: Stage) -> None:
    adas, maxes = each(both, "Ada"), each(both, "Max")
    for person in adas + maxes:
        await person.opens_home()
    for ada, other, used in ((adas[0], adas[1], 1), (adas[1], adas[0], 2)):
        await ada.types("numbers get GB")
        await ada.sees("is yours to use")
        await all_at_once(*(a.sees_at_home(f"{used} of 3 numbers") for a in (ada, other)))
    await adas[1].types("numbers assign 020 7946 0901 @max")
    await all_at_once(*(person.sees_at_home("020 7946 0901") for person in maxes))
    await adas[0].types("numbers assign 020 7946 0901 nobody")
    await all_at_once(*(person.sees_no_at_home("020 7946 0901") for person in maxes))


@ELSEWHERE
async def test_somebody_on_both_is_told_once(both: Stage, here: str, there: str) -> None:
    await both.has(provided(LINE))
    ada = both.person("Ada", here)
    await ada.types("numbers assign 020 7946 0900 @max")
    await ada.sees("now belongs to Max")
    await both.settled()
    assert sum(person.times_told("Ada gave you the number 020 7946 0900") for person in each(both, "Max")) == 1


@ELSEWHERE
async def test_they_are_told_where_they_were_seen(both: Stage, here: str, there: str) -> None:
    await both.has(provided(LINE))
    seen, unseen = both.person("Noor", there), both.person("Noor", here)
    await seen.opens_home()
    ada = both.person("Ada", here)
    await ada.types("numbers assign 020 7946 0900 noor")
    await seen.is_told("Ada gave you the number 020 7946 0900")
    await both.settled()
    assert unseen.times_told("gave you") == 0


@ELSEWHERE
async def test_the_second_admin_is_told_what_the_first_did_on_the_other_platform(
    both: Stage, here: str, there: str
) -> None:
    await both.has(provided(LINE))
    ada, robin = both.person("Ada", here), both.person("Robin", there)
    for admin in (ada, robin):
        await admin.types("numbers")
        await admin.presses("Edit", near="0900", dialog="Edit number")
    await robin.fills({"Forwarding number": "020 7946 0222"})
    await ada.fills({"Assigned to": "Max", "Forwarding number": "020 7946 0111"})
    await ada.sends("Save")
    await ada.has_no_dialog()
    await robin.sends("Save")
    await robin.sees("Ada changed this number meanwhile", "belongs to Max and forwards to 020 7946 0111")
    await robin.sees_filled({"Assigned to": "Nobody", "Forwarding number": "020 7946 0222"})
    await robin.sends("Save")
    await robin.has_no_dialog()
    await ada.types("numbers")
    await ada.sees("Provided · nobody · forwards to 020 7946 0222")


@ELSEWHERE
async def test_deleting_what_was_changed_on_the_other_platform_is_stopped(both: Stage, here: str, there: str) -> None:
    await both.has(provided(LINE))
    ada, robin = both.person("Ada", here), both.person("Robin", there)
    await ada.types("numbers delete 020 7946 0900", dialog="Delete number")
    await robin.types("numbers assign 020 7946 0900 @max")
    await robin.sees("now belongs to Max")
    await ada.fills({"Type the number to confirm": "020 7946 0900"})
    await ada.sends("Delete")
    await ada.sees_error("Type the number to confirm", "Somebody changed this number meanwhile: it belongs to Max")
    assert [n.person for n in await both.numbers()] == ["max"]


@ELSEWHERE
async def test_a_right_lost_meanwhile_is_lost_on_both(both: Stage, here: str, there: str) -> None:
    await both.has(provided(LINE))
    clients = [both.person("Ada", here), both.person("Ada", there)]
    for ada in clients:
        await ada.types("numbers")
        await ada.presses("Edit", near="0900", dialog="Edit number")
        await ada.fills({"Assigned to": "Max"})
    await both.records(admins=("Robin",))
    for ada in clients:
        await ada.sends("Save")
        await ada.sees_error("", "Only super admins can do this. Ask Robin.")
        await ada.closes()
        await ada.types("numbers get GB")
        await ada.sees("Only super admins can do this. Ask Robin.")
    assert [(n.person, n.version) for n in await both.numbers()] == [(None, 1)]


async def test_the_same_request_five_times_on_each_is_one_on_each(both: Stage) -> None:
    for ada in each(both, "Ada"):
        await ada.types("numbers get GB")
        await ada.repeats(4)
        await ada.sees("is yours to use")
    await both.settled()
    assert [n.e164 for n in await both.numbers()] == list(INVENTORY[:2])


async def test_sixty_gets_from_both_against_a_limit_of_three_give_three(both: Stage) -> None:
    admins = [*each(both, "Ada"), *each(both, "Robin")]
    await all_at_once(*(admin.types("numbers get GB") for _ in range(15) for admin in admins))
    await both.settled()
    assert len(await both.numbers()) == 3
    for admin in admins:
        await admin.types("numbers")
        await admin.sees("3 of 3 numbers")


@pytest.mark.parametrize("platform", ["slack", "teams"])
async def test_data_of_another_accounts_card_finds_nothing(both: Stage, platform: str) -> None:
    await both.has(provided(LINE, "max"))
    eve = both.person("Eve", platform)
    await eve.types("numbers get GB")
    await eve.sees("0121 496 0111 is yours to use")
    await eve.types("numbers")
    for label in ("Edit", "Delete", "History"):
        await eve.presses(label, near="0111", forged={OTHERS: LINE})
        await eve.sees("020 7946 0900 is not one of this account's numbers")
    await eve.presses("Edit", near="0111", dialog="Edit number")
    await eve.fills({"Forwarding number": "020 7946 0111"})
    await eve.sends("Save", forged={OTHERS: LINE})
    await eve.sees_error("", "020 7946 0900 is not one of this account's numbers")
    assert [(n.e164, n.person, n.version) for n in await both.numbers()] == [(LINE, "max", 1)]
