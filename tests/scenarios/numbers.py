"""The numbers workflow (docs/domain.md 2) as people go through it. No platform in here: each function runs on both."""

from domain.numbers.number import NumberState
from tests.scenarios.actors import all_at_once
from tests.scenarios.company import GERMAN, INVENTORY, provided
from tests.scenarios.stage import Cast

LINE = INVENTORY[0]  # +44 20 7946 0900, which people of the company write as 020 7946 0900


# ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def an_empty_list_says_what_to_do(cast: Cast) -> None:
    await cast.ada.types("numbers")
    await cast.ada.sees("No numbers yet", "0 of 3 numbers", "0 of 3,000 minutes")
    await cast.ada.presses("Get a number", dialog="Get a number")


async def the_list_shows_source_holder_forwarding_and_usage(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"), provided(INVENTORY[1]))
    await cast.ada.types("numbers list")
    await cast.ada.sees("2 of 3 numbers", "020 7946 0900", "Provided · Max · no forwarding", "Provided · nobody")
    await cast.max.types("numbers")
    await cast.max.sees("020 7946 0900", "Provided · you", "Ada, Robin and Lena manage the account's numbers")
    await cast.max.sees_no("020 7946 0901")
    await cast.noor.types("numbers")
    await cast.noor.sees("You have no number yet")


async def a_number_that_moves_away_frees_its_slot_and_stays_as_it_is(cast: Cast) -> None:
    await cast.has(provided(LINE, "max", NumberState.PORTING), provided(INVENTORY[1], "max", NumberState.PENDING))
    await cast.ada.types("numbers")
    await cast.ada.sees("1 of 3 numbers", "moving to another carrier", "waiting for approval in its country")
    await cast.ada.types("numbers assign 020 7946 0900 nobody")
    await cast.ada.sees("moving to another carrier, so it can't be changed any more")
    await cast.ada.types("numbers delete 020 7946 0900")
    await cast.ada.sees("can't be changed any more")


async def twenty_five_numbers_are_paged_in_place(cast: Cast) -> None:
    await cast.records(limits={"numbers": 40})
    await cast.has(*(provided(e164) for e164 in INVENTORY[:25]))
    await cast.ada.types("numbers")
    await cast.ada.sees("1–10 of 25", "020 7946 0909")
    await cast.ada.presses("Next")
    await cast.ada.sees("11–20 of 25", "020 7946 0910")
    await cast.ada.sees_no("020 7946 0909")
    await cast.ada.presses("Next")
    await cast.ada.sees("21–25 of 25", "020 7946 0924")
    await cast.ada.presses("Previous")
    await cast.ada.sees("11–20 of 25")
    await cast.ada.presses("Edit", near="020 7946 0915", dialog="Edit number")
    await cast.ada.sees("020 7946 0915 · Provided")


async def numbers_are_found_by_part_and_by_name(cast: Cast) -> None:
    await cast.records(limits={"numbers": 40})
    await cast.has(*(provided(e164, "max" if e164.endswith("17") else None) for e164 in INVENTORY[:25]))
    await cast.ada.types("numbers list 0917")
    await cast.ada.sees("1 number fits “0917”", "020 7946 0917")
    await cast.ada.types("numbers list max")
    await cast.ada.sees("1 number fits “max”", "020 7946 0917")
    await cast.ada.types("numbers list 020 7946")
    await cast.ada.sees("25 numbers fit", "1–10 of 25")
    await cast.ada.presses("Next")
    await cast.ada.sees("11–20 of 25")
    await cast.ada.types("numbers list 555")
    await cast.ada.sees("No number fits “555”")
    await cast.ada.types("numbers")
    await cast.ada.sees("1–10 of 25")
    await cast.ada.presses("Search", dialog="Search numbers")
    await cast.ada.fills({"Number or name": "0922"})
    await cast.ada.sends("Search")
    await cast.ada.sees("1 number fits “0922”", "020 7946 0922")
    await cast.ada.presses("Edit", near="0922", dialog="Edit number")


async def usage_is_shown_to_everybody_and_more_is_asked_for_by_super_admins(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers usage")
    await cast.ada.sees("1 of 3 numbers", "2 left", "0 of 3,000 minutes", "Professional")
    await cast.max.types("numbers usage")
    await cast.max.sees("1 of 3 numbers", "can ask for more numbers or minutes")
    await cast.max.sees_no("Request more")


async def help_names_everything_and_an_unknown_word_gets_the_nearest(cast: Cast) -> None:
    await cast.ada.types("numbers help")
    for verb in ("list", "get", "assign", "forward", "delete", "undo", "register", "usage", "history"):
        await cast.ada.sees(f"/numbers {verb}")
    await cast.ada.types("numbers asign 020 7946 0900")
    await cast.ada.sees("I don't know “asign”", "Did you mean assign?")
    await cast.ada.types("numbers frobnicate")
    await cast.ada.sees("I don't know “frobnicate”", "/numbers get")


async def a_message_does_what_a_command_does(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    await cast.max.says("numbers")
    await cast.max.is_told("Provided · you")
    await cast.max.says("hello")
    await cast.max.is_told("What I can do with numbers")


async def asked_in_a_channel_the_answer_is_theirs_alone(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    await cast.max.types("numbers", in_channel=True)
    await cast.max.sees("020 7946 0900")
    await cast.noor.sees_no("020 7946 0900")


async def home_shows_what_is_mine_and_is_drawn_anew(cast: Cast) -> None:
    await cast.max.opens_home()
    await cast.max.sees_at_home("You have no number yet", "What you can do")
    await cast.ada.opens_home()
    await cast.ada.sees_at_home("0 of 3 numbers", "0 of 3,000 minutes")
    await cast.ada.types("numbers get GB")
    await cast.ada.sees_at_home("1 of 3 numbers", "020 7946 0900")
    await cast.ada.types("numbers assign 020 7946 0900 @max")
    await cast.max.sees_at_home("020 7946 0900")
    await cast.ada.presses_at_home("Edit", near="0900", dialog="Edit number")
    await cast.ada.fills({"Assigned to": "Nobody"})
    await cast.ada.sends("Save")
    await cast.max.sees_no_at_home("020 7946 0900")
    await cast.ada.sees_at_home("Provided · nobody")


# ── Getting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def getting_by_command_acts_at_once(cast: Cast) -> None:
    await cast.ada.types("numbers get GB")
    await cast.ada.sees("020 7946 0900 is yours to use")
    await cast.ada.presses("Assign and forward", dialog="Edit number")
    await cast.ada.fills({"Assigned to": "Max"})
    await cast.ada.sends("Save")
    await cast.ada.has_no_dialog()
    await cast.max.is_told("Ada gave you the number 020 7946 0900")


async def getting_in_a_dialog_chooses_country_and_number(cast: Cast) -> None:
    await cast.ada.types("numbers get", dialog="Get a number")
    await cast.ada.sees("After this, 2 of 3 numbers will be left.")
    await cast.ada.fills({"Area code": "0999"})
    await cast.ada.sends("Get a number")
    await cast.ada.sees_error("Area code", "No number is on offer in United Kingdom with area code 0999")
    await cast.ada.fills({"Area code": "", "Country": "Germany"})
    await cast.ada.fills({"Number": "+49 30 901820001"})
    await cast.ada.sends("Get a number")
    await cast.ada.has_no_dialog()
    await cast.ada.is_told("+49 30 901820001 is yours to use")
    assert [n.e164 for n in await cast.stage.numbers()] == [GERMAN[1]]


async def the_limit_says_what_is_unused_and_whom_to_ask(cast: Cast) -> None:
    await cast.has(*(provided(e164, "max") for e164 in INVENTORY[:2]), provided(INVENTORY[2]))
    for command in ("numbers get", "numbers get GB"):
        await cast.ada.types(command)
        await cast.ada.sees("All 3 numbers of the account are used", "nobody has 020 7946 0902")
    assert len(await cast.stage.numbers()) == 3


async def what_is_nowhere_on_offer_is_said(cast: Cast) -> None:
    await cast.ada.types("numbers get PL")
    await cast.ada.sees("No number is on offer in Poland", "United Kingdom and Germany")
    await cast.ada.types("numbers get Atlantis")
    await cast.ada.sees("I don't know a country called “Atlantis”")


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def assigning_tells_the_new_holder_and_the_old_one(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers assign 020 7946 0900 @max")
    await cast.ada.sees("020 7946 0900 now belongs to Max")
    await cast.max.is_told("Ada gave you the number 020 7946 0900")
    await cast.robin.types("numbers assign +44 20 7946 0900 noor")
    await cast.robin.sees("now belongs to Noor")
    await cast.noor.is_told("Robin gave you the number 020 7946 0900")
    await cast.max.is_told("Robin took the number 020 7946 0900 from you")
    await cast.ada.types("numbers assign 02079460900 nobody")
    await cast.ada.sees("now belongs to nobody")
    await cast.ada.types("numbers assign 02079460900 @somebody")
    await cast.ada.sees("Nobody called “@somebody” is in this account")


async def forwarding_by_command_and_off_again(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    await cast.ada.types("numbers forward 020 7946 0900 020 7946 0111")
    await cast.ada.sees("Calls to 020 7946 0900 now ring 020 7946 0111")
    await cast.max.is_told("Ada changed where calls to your number 020 7946 0900 ring")
    await cast.ada.types("numbers")
    await cast.ada.sees("forwards to 020 7946 0111")
    await cast.ada.types("numbers forward 020 7946 0900 off")
    await cast.ada.sees("no longer forwarded")
    await cast.ada.types("numbers forward 02079460900")
    await cast.ada.sees("/numbers forward NUMBER NUMBER")


async def editing_with_an_error_at_its_field_and_then_right(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers")
    await cast.ada.presses("Edit", near="0900", dialog="Edit number")
    await cast.ada.sees("hosted SMS")
    await cast.ada.fills({"Assigned to": "Max", "Forwarding number": "0909 8790001"})
    await cast.ada.sends("Save")
    await cast.ada.sees_error("Forwarding number", "premium-rate")
    await cast.ada.sees_filled({"Assigned to": "Max", "Forwarding number": "0909 8790001"})
    await cast.ada.fills({"Forwarding number": "020 7946 0111"})
    await cast.ada.sends("Save")
    await cast.ada.has_no_dialog()
    await cast.ada.sees("020 7946 0900 belongs to Max and forwards to 020 7946 0111", "1 of 3 numbers")
    await cast.max.is_told("Ada gave you the number 020 7946 0900")


async def a_number_in_no_plan_is_warned_about_and_may_be_insisted_on(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers forward 020 7946 0900 +44 7700 900123", dialog="Edit number")
    await cast.ada.sees("+44 7700 900123 is in no numbering plan")
    await cast.ada.sends("Save")
    await cast.ada.has_no_dialog()
    await cast.ada.types("numbers")
    await cast.ada.sees("forwards to +44 7700 900123")


async def the_second_of_two_admins_is_told_what_changed_with_their_input_kept(cast: Cast) -> None:
    await cast.has(provided(LINE))
    for admin in (cast.ada, cast.robin):
        await admin.types("numbers")
        await admin.presses("Edit", near="0900", dialog="Edit number")
    await cast.ada.fills({"Assigned to": "Max"})
    await cast.ada.sends("Save")
    await cast.ada.has_no_dialog()
    await cast.robin.fills({"Forwarding number": "020 7946 0222"})
    await cast.robin.sends("Save")
    await cast.robin.sees("Ada changed this number meanwhile", "belongs to Max")
    await cast.robin.sees_filled({"Forwarding number": "020 7946 0222"})
    await cast.robin.fills({"Assigned to": "Max"})
    await cast.robin.sends("Save")
    await cast.robin.has_no_dialog()
    await cast.robin.sees("belongs to Max and forwards to 020 7946 0222")


async def deleting_wants_the_number_typed_and_can_be_undone(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    await cast.ada.types("numbers delete 020 7946 0900", dialog="Delete number")
    await cast.ada.sees(
        "You are about to delete 020 7946 0900", "Max can no longer be called on it", "can undo this until"
    )
    await cast.ada.fills({"Type the number to confirm": "020 7946 0901"})
    await cast.ada.sends("Delete")
    await cast.ada.sees_error("Type the number to confirm", "That is not the number")
    await cast.ada.fills({"Type the number to confirm": "(020) 7946-0900"})
    await cast.ada.sends("Delete")
    await cast.ada.has_no_dialog()
    await cast.ada.sees("020 7946 0900 is deleted")
    await cast.max.is_told("Ada deleted your number 020 7946 0900")
    await cast.ada.presses("Undo")
    await cast.ada.sees("020 7946 0900", "Max")
    await cast.ada.sees_no("can be undone until")
    await cast.max.is_told("Ada brought back your number 020 7946 0900")


async def deleting_from_the_list_leaves_the_way_back_in_it(cast: Cast) -> None:
    await cast.has(provided(LINE), provided(INVENTORY[1]))
    await cast.ada.types("numbers")
    await cast.ada.presses("Delete", near="0900", dialog="Delete number")
    await cast.ada.fills({"Type the number to confirm": "+442079460900"})
    await cast.ada.sends("Delete")
    await cast.ada.has_no_dialog()
    await cast.ada.sees("1 of 3 numbers", "Deleted · can be undone until")
    await cast.ada.presses("Undo", near="0900")
    await cast.ada.sees("2 of 3 numbers")
    await cast.ada.types("numbers delete 020 7946 0901", dialog="Delete number")
    await cast.ada.fills({"Type the number to confirm": "020 7946 0901"})
    await cast.ada.sends("Delete")
    await cast.ada.has_no_dialog()
    await cast.robin.types("numbers undo")
    await cast.robin.sees("020 7946 0901 is back")
    await cast.robin.types("numbers undo")
    await cast.robin.sees("No number was deleted in the last 7 days")


async def history_says_who_changed_what(cast: Cast) -> None:
    await cast.ada.types("numbers get GB")
    await cast.ada.types("numbers assign 020 7946 0900 @max")
    await cast.robin.types("numbers forward 020 7946 0900 020 7946 0111")
    await cast.ada.types("numbers history 020 7946 0900")
    await cast.ada.sees(
        "History of 020 7946 0900", "acquired", "assigned · to Max", "forwards to 020 7946 0111", "Robin"
    )
    await cast.max.types("numbers")
    await cast.max.presses("History", near="0900")
    await cast.max.sees("assigned · to you")
    await cast.noor.types("numbers history 020 7946 0900")
    await cast.noor.sees("not one of this account's numbers")


# ── One's own ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def a_number_of_ones_own_is_registered_changed_and_dropped(cast: Cast) -> None:
    await cast.max.types("numbers register 020 7946 0333", dialog="Register a number")
    await cast.max.sees_filled({"Phone number": "020 7946 0333"})
    await cast.max.fills({"Label": "desk", "Send the code by": "Text message"})
    await cast.max.sends("Send the code")
    await cast.max.is_asked("Enter the code", "on its way to 020 7946 0333")
    code = await cast.code("+442079460333")
    await cast.max.fills({"Verification code": "000000" if code != "000000" else "000001"})
    await cast.max.sends("Verify")
    await cast.max.sees_error("Verification code", "You have 4 tries left")
    await cast.max.fills({"Verification code": code})
    await cast.max.sends("Verify")
    await cast.max.has_no_dialog()
    await cast.max.is_told("020 7946 0333 is registered")

    await cast.max.types("numbers")
    await cast.max.sees("Registered · you · desk · default caller ID")
    await cast.ada.types("numbers list 0333")
    await cast.ada.sees("No number fits")
    await cast.max.presses("Edit", near="0333", dialog="Edit number")
    await cast.max.fills({"Label": "front desk", "Extension": "twelve"})
    await cast.max.sends("Save")
    await cast.max.sees_error("Extension", "digits")
    await cast.max.fills({"Extension": "12"})
    await cast.max.sends("Save")
    await cast.max.has_no_dialog()
    await cast.max.sees("020 7946 0333 ext. 12", "front desk")
    await cast.max.presses("Delete", near="0333", dialog="Delete number")
    await cast.max.sees("can register it again at any time")
    await cast.max.sends("Delete")
    await cast.max.has_no_dialog()
    await cast.max.sees("is no longer registered", "You have no number yet")


async def a_new_code_takes_the_place_of_the_first(cast: Cast) -> None:
    await cast.max.types("numbers register", dialog="Register a number")
    await cast.max.fills({"Phone number": "999"})
    await cast.max.sends("Send the code")
    await cast.max.sees_error("Phone number", "emergency")
    await cast.max.fills({"Phone number": "020 7946 0333"})
    await cast.max.sends("Send the code")
    await cast.max.is_asked("Enter the code", "020 7946 0333 is being called")
    await cast.code("+442079460333")
    cast.stage.rings.clear()
    await cast.max.presses("Send a new code")
    await cast.max.sees("A new code is on its way to 020 7946 0333")
    await cast.max.fills({"Verification code": await cast.code("+442079460333")})
    await cast.max.sends("Verify")
    await cast.max.has_no_dialog()
    await cast.max.is_told("020 7946 0333 is registered")


# ── More ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def the_request_for_more_goes_to_the_contact_by_mail(cast: Cast) -> None:
    await cast.ada.types("numbers usage")
    await cast.ada.presses("Request more", dialog="Request more")
    await cast.ada.sees("Kim, your customer-success contact, gets this by mail")
    await cast.ada.fills({"How many": "lots"})
    await cast.ada.sends("Send the request")
    await cast.ada.sees_error("How many", "a whole number")
    await cast.ada.fills({"What you need": "More minutes a month", "How many": "1,000"})
    await cast.ada.fills({"Anything the contact should know": "From March on"})
    await cast.ada.sends("Send the request")
    await cast.ada.has_no_dialog()
    mail = await cast.mail()
    assert "kim@example.com Acme asks for 1,000 more minutes a month" in mail
    assert "Ada of Acme" in mail
    assert "From March on" in mail
    assert len(cast.stage.mails) == 1


# ── Who may not ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def only_super_admins_change_the_companys_numbers(cast: Cast) -> None:
    await cast.has(provided(LINE, "max"))
    for command in (
        "get GB",
        "get",
        "assign 02079460900 @max",
        "forward 02079460900 off",
        "delete 02079460900",
        "undo",
    ):
        await cast.max.types(f"numbers {command}")
        await cast.max.sees("Only super admins can do this. Ask Ada, Robin and Lena.")
    await cast.noor.types("numbers register")
    await cast.noor.sees("You need a core, sales or service seat to register a number")
    (left,) = await cast.stage.numbers()
    assert left.version == 1


async def on_free_there_is_no_calling_and_it_says_why(cast: Cast) -> None:
    await cast.records(subscription={"line": "sales", "tier": "free"})
    for command in ("", "get GB", "register", "usage"):
        await cast.ada.types(f"numbers {command}".strip())
        await cast.ada.sees("Calling comes with Starter and up; this account is on Free")
    await cast.ada.opens_home()
    await cast.ada.sees_at_home("Calling comes with Starter and up")


async def until_calling_is_set_up_it_says_who_can_do_it(cast: Cast) -> None:
    await cast.records(inventory=[])
    await cast.ada.types("numbers get GB")
    await cast.ada.sees("Calling isn't set up for this account yet", "Ada, Robin and Lena can ask for it")


async def people_are_known_by_their_address_too(cast: Cast) -> None:
    await cast.records(by_email=True)
    await cast.has(provided(LINE))
    await cast.ada.types("numbers assign 020 7946 0900 @max")
    await cast.ada.sees("now belongs to Max")
    await cast.max.types("numbers")
    await cast.max.sees("Provided · you")
    await cast.max.types("numbers get GB")
    await cast.max.sees("Only super admins")


async def a_right_that_is_lost_before_the_dialog_is_sent_is_lost(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers")
    await cast.ada.presses("Edit", near="0900", dialog="Edit number")
    await cast.ada.fills({"Assigned to": "Max"})
    await cast.records(admins=("Robin",))
    await cast.ada.sends("Save")
    await cast.ada.sees_error("", "Only super admins can do this. Ask Robin.")
    (left,) = await cast.stage.numbers()
    assert (left.person, left.version) == (None, 1)


async def made_up_data_in_a_control_or_a_dialog_finds_nothing(cast: Cast) -> None:
    await cast.has(provided(LINE))
    await cast.ada.types("numbers")
    await cast.ada.presses("Edit", near="0900", forged={LINE: "+442079460999"})
    await cast.ada.sees("020 7946 0999 is not one of this account's numbers")
    await cast.ada.types("numbers delete 020 7946 0900", dialog="Delete number")
    await cast.ada.fills({"Type the number to confirm": "020 7946 0999"})
    await cast.ada.sends("Delete", forged={LINE: "+442079460999"})
    await cast.ada.sees_error("", "not one of this account's numbers")


# ── The same once more, and all at once ─────────────────────────────────────────────────────────────────────────────


async def a_request_that_arrives_five_times_is_done_once(cast: Cast) -> None:
    await cast.ada.types("numbers get GB")
    await cast.ada.repeats(4)
    await cast.ada.sees("020 7946 0900 is yours to use")
    await cast.ada.types("numbers")
    await cast.ada.sees("1 of 3 numbers")
    await cast.ada.presses("Edit", near="0900", dialog="Edit number")
    await cast.ada.fills({"Assigned to": "Max"})
    await cast.ada.sends("Save")
    await cast.ada.repeats(4)
    await cast.max.is_told("Ada gave you the number")
    await cast.stage.settled()
    assert cast.max.times_told("Ada gave you the number") == 1
    (left,) = await cast.stage.numbers()
    assert (left.person, left.version) == ("max", 2)


async def sixty_at_once_against_a_limit_of_three_give_three(cast: Cast) -> None:
    await all_at_once(*(admin.types("numbers get GB") for _ in range(30) for admin in (cast.ada, cast.robin)))
    await cast.stage.settled()
    assert len(await cast.stage.numbers()) == 3
    await cast.ada.types("numbers")
    await cast.ada.sees("3 of 3 numbers")


# ── In other words ──────────────────────────────────────────────────────────────────────────────────────────────────


async def polish_people_read_polish(cast: Cast) -> None:
    await cast.has(provided(LINE, "lena"))
    await cast.lena.types("numbers")
    await cast.lena.sees("Numery telefonów · Acme", "1 z 3 numerów")
    await cast.lena.presses("Edytuj", near="0900", dialog="Edytuj numer")
    await cast.lena.fills({"Numer przekierowania": "999"})
    await cast.lena.sends("Zapisz")
    await cast.lena.sees_error("Numer przekierowania", "alarmowy")
    await cast.lena.closes()
    await cast.ada.types("numbers forward 020 7946 0900 020 7946 0111")
    await cast.lena.is_told("Zmieniło się przekierowanie Twojego numeru 020 7946 0900 (zmiana: Ada)")
