"""The blocklist (docs/domain.md 3) as people go through it. No platform in here: every function is run on each."""

from domain.blocklist import BlocklistEntry
from tests import present
from tests.scenarios.actors import all_at_once
from tests.scenarios.company import INVENTORY, provided
from tests.scenarios.stage import Cast

LINE = INVENTORY[0]  # +44 20 7946 0900
FILE = "number,direction,reason\n0121 496 0701,in,rude\n+4870*,,premium\n4.42E+11,,\n"


async def _entries(cast: Cast) -> list[BlocklistEntry]:
    kept = cast.stage.app.kept
    snapshot = present(await kept.accounts.get("acme"))
    return [entry async for entry in kept.blocklist.export(snapshot)]


async def an_empty_list_says_what_to_do(cast: Cast) -> None:
    await cast.ada.types("blocklist")
    await cast.ada.sees("Blocklist · Acme", "Nothing is blocked yet")
    await cast.ada.presses("Add number", dialog="Add number")


async def blocking_by_command_acts_at_once_and_is_listed(cast: Cast) -> None:
    await cast.ada.types("numbers block 0121 496 0777 sells nothing")
    await cast.ada.sees("0121 496 0777 is blocked: calls from it and to it are rejected")
    await cast.robin.types("numbers blocked")
    await cast.robin.sees("0121 496 0777", "Both directions · sells nothing · Ada")
    await cast.robin.types("blocklist add 0121 496 0777")
    await cast.robin.sees("0121 496 0777 is blocked already. Nothing was changed.")


async def the_dialog_takes_direction_reason_and_a_date(cast: Cast) -> None:
    await cast.ada.types("blocklist add", dialog="Add number")
    await cast.ada.fills({"Phone number": "hello", "Reason": "junk"})
    await cast.ada.sends("Add")
    await cast.ada.sees_error("Phone number", "There is no phone number in that")
    await cast.ada.fills({"Phone number": "+4870*", "Direction": "Inbound", "Expires": "On a date"})
    await cast.ada.sees_filled({"Phone number": "+4870*", "Reason": "junk"})
    await cast.ada.fills({"Last day": "2030-12-31"})
    await cast.ada.sends("Add")
    await cast.ada.has_no_dialog()
    await cast.ada.is_told("is blocked: calls from it are rejected", "It ends")
    (entry,) = await _entries(cast)
    assert (entry.value, entry.reason, entry.direction) == ("+4870", "junk", "inbound")


async def ones_own_number_is_asked_about_and_what_was_typed_stays(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    await cast.ada.types("blocklist add", dialog="Add number")
    await cast.ada.fills({"Phone number": "020 7946 0900", "Reason": "a slip"})
    await cast.ada.sends("Add")
    await cast.ada.sees("This is your own number 020 7946 0900. Calls to Max would stop.")
    await cast.ada.sees_filled({"Phone number": "020 7946 0900", "Reason": "a slip"})
    assert await _entries(cast) == []
    await cast.ada.fills({"Are you sure?": "yes"})
    await cast.ada.sends("Add")
    await cast.ada.has_no_dialog()
    await cast.ada.is_told("020 7946 0900 is blocked")


async def an_emergency_number_is_refused_outright(cast: Cast) -> None:
    await cast.ada.types("numbers block 999")
    await cast.ada.sees("Emergency numbers can't be blocked for outbound calls")
    assert await _entries(cast) == []


async def removing_is_asked_about_and_undone(cast: Cast) -> None:
    await cast.ada.types("numbers block 0121 496 0777 rude")
    before = await _entries(cast)
    await cast.ada.types("blocklist list")
    await cast.ada.presses("Remove", near="0121 496 0777")
    await cast.ada.sees("0121 496 0777 is no longer on the blocklist")
    assert await _entries(cast) == []
    await cast.ada.presses("Undo")
    await cast.ada.sees("0121 496 0777 is back as it was")
    assert await _entries(cast) == before
    await cast.robin.types("numbers unblock 0121 496 0777", dialog="Remove from blocklist")
    await cast.robin.sees("0121 496 0777", "rude")
    await cast.robin.sends("Remove")
    await cast.robin.has_no_dialog()
    await cast.robin.is_told("0121 496 0777 is no longer on the blocklist")
    await cast.ada.presses("Remove", near="0121 496 0777")
    await cast.ada.sees("is not on the list any more")


async def check_names_the_rule_for_both_directions(cast: Cast) -> None:
    await cast.ada.types("blocklist add 0121 496* junk")
    await cast.ada.types("blocklist check 0121 496 0777")
    await cast.ada.sees("A call from it", "A call to it", "Rejected by the rule +44121496", "junk")
    await cast.ada.types("blocklist check", dialog="Check a number")
    await cast.ada.fills({"Phone number": "0161 496 0777"})
    await cast.ada.sends("Check")
    await cast.ada.sees("no rule is about it")


async def exceptions_anonymous_callers_and_the_switch(cast: Cast) -> None:
    await cast.ada.types("blocklist add 0121 496*")
    await cast.ada.types("blocklist")
    await cast.ada.presses("More")
    await cast.ada.sees("Calls without a number are let through", "The blocklist is on")
    await cast.ada.presses("Reject them")
    await cast.ada.sees("Calls without a number are rejected")
    await cast.ada.presses("Allow a number", dialog="Allow a number")
    await cast.ada.fills({"Phone number": "0121 496 0777"})
    await cast.ada.sends("Add")
    await cast.ada.has_no_dialog()
    await cast.ada.types("blocklist check 0121 496 0777")
    await cast.ada.sees("it is on the allow list")
    await cast.ada.types("blocklist")
    await cast.ada.presses("More", just_come=True)
    await cast.ada.presses("Switch off")
    await cast.ada.sees("The blocklist is switched off: nothing is blocked")
    await cast.ada.presses("Switch on")
    await cast.ada.types("blocklist check anonymous")
    await cast.ada.sees("callers without a number are blocked")


async def only_super_admins_and_others_are_told_whom_to_ask(cast: Cast) -> None:
    for text in ("blocklist", "numbers block 0121 496 0777", "blocklist add", "blocklist export"):
        await cast.max.types(text)
        await cast.max.sees("Only super admins can do this. Ask Ada")
    await cast.max.types("numbers")
    await cast.max.sees_no("Blocklist")
    await cast.ada.types("numbers")
    await cast.ada.presses("Blocklist")
    await cast.ada.sees("Nothing is blocked yet")


async def two_admins_at_once_block_once(cast: Cast) -> None:
    await all_at_once(*(who.types("numbers block 0121 496 0777") for who in (cast.ada, cast.robin)))
    await cast.ada.sees("0121 496 0777 is blocked")
    await cast.robin.sees("0121 496 0777 is blocked")
    assert len(await _entries(cast)) == 1


async def a_request_that_comes_five_times_blocks_once(cast: Cast) -> None:
    await cast.ada.types("numbers block 0121 496 0777")
    await cast.ada.repeats()
    await cast.ada.sees("0121 496 0777 is blocked: calls from it")
    assert len(await _entries(cast)) == 1


async def a_file_is_shown_imported_and_reported(cast: Cast) -> None:
    await cast.ada.types("blocklist import")
    await cast.ada.sees("Drop a CSV file", "number,direction,reason,expires")
    await cast.ada.drops("block.csv", FILE)
    await cast.ada.is_told(
        "I am reading block.csv", "New: 2 · there already: 0 · refused: 1", "A spreadsheet shortened"
    )
    assert await _entries(cast) == []
    await cast.ada.presses("Import")
    await cast.ada.sees("block.csv is imported. Added: 2 · there already: 0 · refused: 1")
    assert len(await _entries(cast)) == 2


async def a_wrong_file_and_somebody_elses_are_refused(cast: Cast) -> None:
    await cast.ada.drops("block.csv", "nummber\n1\n")
    await cast.ada.is_told("block.csv was not imported", "did you mean “number”")
    await cast.max.drops("block.csv", FILE)
    await cast.max.is_told("Only super admins can do this")
    assert await _entries(cast) == []


async def an_export_comes_as_a_file_that_changes_nothing(cast: Cast) -> None:
    await cast.ada.types("numbers block 0121 496 0777 =SUM(1)")
    await cast.ada.types("blocklist export")
    await cast.ada.sees("is on its way to you as a file")


async def polish_readers_read_polish(cast: Cast) -> None:
    await cast.lena.types("numbers block 0121 496 0777")
    await cast.lena.sees("0121 496 0777 jest na liście blokowanych")
    await cast.lena.types("blocklist")
    await cast.lena.sees("Lista blokowanych · Acme", "Oba kierunki")
