"""What people do in the demo, done by a real browser on a real process."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Arrive
from tests.browser.person import Demo, Person, demonstrated

pytestmark = pytest.mark.browser


def test_the_message_box_completes_commands_and_people(arrive: Arrive) -> None:
    ada = arrive("UADA")
    box, offers = ada.page.locator("#compose"), ada.page.locator("#complete [role=option]")
    box.press_sequentially("/")
    expect(offers).to_have_count(4)
    expect(offers.first).to_contain_text("/numbers")
    box.press("ArrowDown")
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    box.press_sequentially("n")
    expect(offers).to_have_count(1)
    box.press("Tab")
    expect(box).to_have_value("/numbers ")
    ada.reads("assign NUMBER @PERSON", where=ada.page.locator("#hint"))
    box.press_sequentially("assign 020 7946 0901 @no")
    box.press("Enter")  # takes what is offered
    expect(box).to_have_value("/numbers assign 020 7946 0901 @noor ")
    box.press("Enter")
    ada.reads("020 7946 0901 now belongs to Noor.")
    ada.say("/numbers asign")
    ada.reads("I don't know “asign”. Did you mean assign?")


def test_a_number_is_got_through_the_dialog_until_there_is_no_room(arrive: Arrive) -> None:
    ada = arrive("UADA")
    ada.say("/numbers")
    ada.reads("2 of 3 numbers", "0 of 3,000 minutes", "forwards to 020 7946 0111", "moving to another carrier")
    ada.press("Get a number")
    numbers = ada.dialog.get_by_label("Number", exact=True).locator("option")
    ada.input("Country").select_option(label="Germany")
    expect(numbers).to_contain_text(["+49 30 901820000"])
    ada.input("Country").select_option(label="United Kingdom")
    expect(numbers).to_contain_text(["020 7946 0902"])  # what is drawn late takes an error away
    ada.input("Area code").fill("abc")
    ada.submit()
    ada.reads("An area code has digits only", where=ada.dialog)
    expect(ada.input("Area code")).to_have_value("abc")
    expect(ada.input("Area code")).to_be_focused()
    ada.input("Area code").fill("121")
    ada.submit()
    ada.done()
    ada.reads("0121 496 0111 is yours to use.", "3 of 3 numbers")
    ada.press("Get a number")
    ada.reads("All 3 numbers of the account are used")
    expect(ada.dialog).to_have_count(0)


def test_a_number_is_given_and_forwarded_in_one_dialog_and_errors_keep_what_was_typed(arrive: Arrive) -> None:
    ada, noor = arrive("UADA"), arrive("UNOOR", "CSALES")
    ada.say("/numbers")
    ada.choose("020 7946 0901", "Edit")
    ada.input("Assigned to").select_option(label="Noor")
    ada.input("Forwarding number").fill("12")
    ada.submit()
    error = ada.dialog.get_by_role("alert").filter(has_text="too short")
    expect(error).to_be_visible()
    expect(ada.input("Forwarding number")).to_have_value("12")
    expect(ada.input("Forwarding number")).to_have_attribute("aria-invalid", "true")
    expect(ada.input("Assigned to").locator("option:checked")).to_have_text("Noor")
    ada.input("Forwarding number").fill("(020) 7946-0222")
    ada.submit()
    ada.done()
    ada.reads("020 7946 0901 belongs to Noor and forwards to 020 7946 0222.")
    expect(noor.page.locator("#apps .badge")).to_have_text("1")
    noor.page.locator("#apps a").click()
    noor.reads("Ada gave you the number 020 7946 0901.")


def test_who_saves_second_is_told_what_changed(arrive: Arrive) -> None:
    ada, lena = arrive("UADA"), arrive("ULENA", "CSALES")
    ada.say("/numbers")
    ada.choose("020 7946 0900", "Edit")
    ada.input("Forwarding number").fill("020 7946 0333")
    lena.say("/numbers assign 020 7946 0900 @noor")
    lena.reads("020 7946 0900")
    ada.submit()
    ada.reads("Lena changed this number meanwhile.", "Noor", where=ada.dialog)
    expect(ada.input("Forwarding number")).to_have_value("020 7946 0333")
    ada.submit()
    ada.done()
    ada.reads("020 7946 0900 belongs to Max and forwards to 020 7946 0333.")


def test_deleting_takes_the_number_typed_and_can_be_undone(arrive: Arrive) -> None:
    ada = arrive("UADA")
    ada.say("/numbers")
    ada.choose("020 7946 0900", "Delete")
    ada.reads("Max can no longer be called on it", "You can undo this until", where=ada.dialog)
    ada.input("Type the number to confirm").fill("020 7946 0901")
    ada.submit()
    ada.reads("That is not the number.", where=ada.dialog)
    ada.input("Type the number to confirm").fill("+44 20 7946 0900")
    ada.submit()
    ada.done()
    ada.reads("020 7946 0900 is deleted.", "1 of 3 numbers", "Deleted · can be undone until")
    ada.press("Undo the deletion of 020 7946 0900")
    ada.reads("2 of 3 numbers", "020 7946 0900Provided · Max · forwards to 020 7946 0111")
    ada.choose("020 7946 0900", "History")
    ada.reads("History of 020 7946 0900", "deleted", "deletion undone")


def test_a_number_of_ones_own_is_registered_with_the_code_on_the_phone(arrive: Arrive) -> None:
    max_ = arrive("UMAX")
    max_.say("/numbers")
    max_.press("Register a number")
    max_.input("Phone number").fill("020 7946 0958")
    max_.input("Label").fill("Front desk")
    max_.input("Text message").check()
    max_.submit()
    max_.reads("Your code is on its way to 020 7946 0958", where=max_.dialog)
    code = max_.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    max_.input("Verification code").fill(wrong)
    max_.submit()
    max_.reads("That is not the code.", where=max_.dialog)
    max_.page.get_by_role("button", name="Copy code").click()  # the phone is in reach while the dialog is open
    max_.page.get_by_role("button", name="Copied").wait_for()
    max_.input("Verification code").fill(code)
    max_.submit()
    max_.done()
    max_.reads("020 7946 0958 is registered", "Registered · you · Front desk · default caller ID", "Provided · you")


def test_a_colleague_without_rights_sees_and_does_only_their_own(visit: Arrive) -> None:
    noor = visit("UNOOR")
    noor.say("/numbers")
    noor.reads("You have no number yet.", "Ada and Lena manage the account's numbers.")
    expect(noor.latest).not_to_contain_text("020 7946")
    for name in ("Get a number", "Register a number"):
        expect(noor.latest.get_by_role("button", name=name)).to_have_count(0)
    for text in ("get", "delete 020 7946 0900", "assign 020 7946 0901 @noor"):
        noor.say(f"/numbers {text}")
        noor.reads("Not done", "Ask Ada and Lena.")
        noor.press("Dismiss message")
    expect(noor.dialog).to_have_count(0)


def test_the_home_shows_what_is_mine_and_keeps_up(arrive: Arrive) -> None:
    ada, max_ = arrive("UADA", "home"), arrive("UMAX", "home")
    max_.reads("020 7946 0900", "What you can do", where=max_.home)
    ada.reads("2 of 3 numbers", "020 7946 0901", "What you can do", where=ada.home)
    expect(max_.home).not_to_contain_text("020 7946 0901")
    ada.choose("020 7946 0901", "Edit", ada.home)
    ada.input("Assigned to").select_option(label="Max")
    ada.submit()
    ada.done()
    max_.reads("020 7946 0901", where=max_.home)
    ada.reads("020 7946 0901Provided · Max", where=ada.home)
    expect(max_.page.get_by_role("tab", name="Messages")).to_contain_text("1")
    max_.page.get_by_role("tab", name="Messages").click()
    max_.reads("Ada gave you the number 020 7946 0901.")


def test_more_is_asked_for_by_mail(visit: Arrive) -> None:
    ada = visit("UADA")
    ada.say("/numbers usage")
    ada.reads("Usage, limits and subscription", "2 of 3 numbers", "Enterprise")
    ada.press("Request more")
    ada.dialog.locator("input[type=text]").fill("5")
    ada.submit()
    ada.done()
    ada.reads("Robin will get your request for 5 more phone numbers by mail.")
    expect(ada.page.locator("#mail-badge")).to_have_text("1")
    ada.page.get_by_role("tab", name="Mailbox").click()
    ada.reads("To robin@example.com", "Acme asks for 5 more phone numbers", where=ada.page.locator("#mails"))


def test_who_reads_polish_is_answered_in_polish(visit: Arrive) -> None:
    lena = visit("ULENA")
    lena.say("/numbers")
    lena.reads("Numery telefonów · Acme", "2 z 3 numerów")
    lena.choose("020 7946 0901", "Edytuj")
    lena.input("Numer przekierowania").fill("12")
    lena.submit()
    expect(lena.dialog.get_by_role("alert").last).to_contain_text("za krótki")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_fits_a_telephone_where_the_code_can_still_be_read(visit: Arrive, colours: str) -> None:
    ada = visit("UADA", size=(390, 844), colours=colours)
    ada.say("/numbers")
    ada.reads("2 of 3 numbers")
    ada.say("/numbers help")
    ada.reads("/numbers forward NUMBER NUMBER")
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert ada.page.evaluate("document.getElementById('scroll').scrollWidth") <= 390
    ada.say("/numbers register 020 7946 0958")
    ada.submit()
    ada.input("Verification code").wait_for()
    ada.press("Phone and mail", ada.page.locator("header"))
    assert re.fullmatch(r"\d{6}", ada.code())
    ada.press("Phone and mail", ada.page.locator("header"))
    ada.input("Verification code").press("Escape")
    ada.done()


def test_everything_is_kept_over_a_restart_until_a_fresh_start(browser: Browser, tmp_path: Path) -> None:
    with demonstrated(tmp_path) as demo:
        ada = Person.at(browser, demo, "UADA")
        ada.say("/numbers assign 020 7946 0901 @noor")
        ada.reads("now belongs to Noor")
        ada.leave()
    with demonstrated(tmp_path) as demo:
        ada = Person.at(browser, demo, "UADA")
        ada.reads("now belongs to Noor")
        ada.say("/numbers")
        ada.reads("020 7946 0901Provided · Noor")
        ada.leave()
    with demonstrated(tmp_path, "--fresh") as demo:
        ada = Person.at(browser, demo, "UADA")
        ada.say("/numbers")
        ada.reads("020 7946 0901Provided · nobody")
        expect(ada.page.locator("#messages")).not_to_contain_text("now belongs to Noor")
        ada.leave()


def test_ctrl_c_ends_all_of_it_while_somebody_looks(browser: Browser, demo: Demo) -> None:
    ada = Person.at(browser, demo, "UADA", "home")
    ada.reads("2 of 3 numbers", where=ada.home)
    server = demo.server()
    os.kill(server, 0)
    assert demo.stop() == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    expect(ada.page.get_by_text("Reconnecting…")).to_be_visible()
    ada.page.context.close()


def test_a_file_is_attached_taken_off_again_and_sent(visit: Arrive, tmp_path: Path) -> None:
    ada = visit("UADA", "DADA")
    for name in ("numbers.txt", "holiday.gif"):
        (tmp_path / name).write_text("not much")
    with ada.page.expect_file_chooser() as chooser:
        ada.page.get_by_role("button", name="Attach a file").click()
    chooser.value.set_files([tmp_path / "numbers.txt", tmp_path / "holiday.gif"])
    waiting = ada.page.get_by_role("list", name="Files to send").get_by_role("listitem")
    expect(waiting).to_have_count(2)
    ada.page.get_by_role("button", name="Remove numbers.txt").click()
    expect(waiting).to_have_count(1)
    ada.page.get_by_role("button", name="Send now").click()
    expect(waiting).to_have_count(0)
    ada.reads("holiday.gif goes along if you contact us")
    with ada.page.expect_download() as saving:
        ada.page.get_by_role("link", name="holiday.gif").click()
    assert Path(saving.value.path()).read_text() == "not much"


def test_a_file_is_let_go_over_the_conversation(visit: Arrive) -> None:
    ada = visit("UADA", "DADA")
    carried = ada.page.evaluate_handle(
        "() => { const carried = new DataTransfer();"
        " carried.items.add(new File(['a,b'], 'dragged.odt')); return carried; }"
    )
    area = ada.page.locator("#conversation")
    area.dispatch_event("dragenter", {"dataTransfer": carried})
    expect(area).to_have_class(re.compile("dropping"))
    area.dispatch_event("drop", {"dataTransfer": carried})
    expect(area).not_to_have_class(re.compile("dropping"))
    ada.page.locator("#compose").press("Enter")
    ada.reads("dragged.odt goes along if you contact us")
