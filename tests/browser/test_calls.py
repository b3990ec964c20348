"""The phone panel of the demo: calls to the account's numbers, as they ring, are turned away, and cost minutes."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive

pytestmark = pytest.mark.browser


def test_a_call_rings_where_it_is_forwarded_and_its_minutes_are_counted(arrive: Arrive) -> None:
    ada = arrive("UADA")
    ada.call("020 7946 0900", "0121 496 0199")
    ada.reads("0121 496 0199", "Rings at 020 7946 0111", where=ada.rings)
    ada.press("Answer the call from 0121 496 0199", ada.rings)
    ada.reads("Talking at 020 7946 0111", where=ada.rings)
    ada.press("Hang up after 20 minutes", ada.rings)
    ada.reads("Talked 20 min at 020 7946 0111", where=ada.rings)
    ada.say("/numbers usage")
    ada.reads("40 of 3,000 minutes")  # both legs
    ada.call("020 7946 0900", typed="+1 202 555 0143")
    ada.press("Answer the call from +1 202-555-0143", ada.rings)
    ada.press("Hang up after 20 seconds", ada.rings)
    ada.reads("Talked 20 s", where=ada.rings)
    ada.say("/numbers usage")
    ada.reads("42 of 3,000 minutes")  # a minute begun counts


def test_calls_that_nobody_takes_cost_nothing(arrive: Arrive) -> None:
    ada = arrive("UADA")
    ada.call("020 7946 0900", "Anonymous")
    ada.press("Decline the call from Anonymous", ada.rings)
    ada.reads("Declined at the phone", where=ada.rings)
    ada.call("020 7946 0900", "Anonymous")
    ada.press("Caller gives up", ada.rings)
    ada.reads("The caller gave up", where=ada.rings)
    ada.call("020 7946 0902")  # of the inventory, nobody's yet
    ada.reads("Rejected", "The number you have dialled is not in service.", where=ada.rings)
    ada.say("/numbers usage")
    ada.reads("0 of 3,000 minutes")


def test_who_uses_the_keyboard_calls_answers_and_hangs_up(arrive: Arrive) -> None:
    ada = arrive("UADA", size=(390, 844), colours="dark")
    ada.press("Phone and mail", ada.page.locator("header"))
    caller = ada.page.get_by_label("Calling from")
    caller.focus()
    caller.press("End")  # the last choice: another number
    typed = ada.page.get_by_label("Caller’s number")
    expect(typed).to_be_focused()
    typed.press_sequentially("12")
    typed.press("Enter")
    error = ada.page.get_by_role("alert").filter(has_text="Type a whole phone number.")
    expect(error).to_be_visible()
    expect(typed).to_be_focused()
    expect(typed).to_have_attribute("aria-invalid", "true")
    typed.fill("0121 496 0150")
    typed.press("Enter")
    ada.reads("Rings at", where=ada.rings)
    for _ in range(12):  # over the button, into the phone
        if ada.page.evaluate("document.activeElement.textContent") == "Answer":
            break
        ada.page.keyboard.press("Tab")
    ada.page.keyboard.press("Enter")
    expect(ada.rings.get_by_role("button", name="Hang up after 20 seconds")).to_be_focused()
    ada.page.keyboard.press("Enter")
    ada.reads("Talked 20 s", where=ada.rings)
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= 390
