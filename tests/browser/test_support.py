"""Support in the demo, by real browsers: from a question to the survey, and promises as time goes by."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.support import below, choose, contact, critical, forward

pytestmark = pytest.mark.browser


def test_from_a_question_to_the_survey_and_open_again(arrive: Arrive) -> None:
    max_, sam = arrive("UMAX", "DMAX"), arrive("USAM", "CDESK")
    max_.say("/support How do I forward my number?")
    max_.reads("Forward a number to another phone", "Was this helpful?")
    max_.latest.get_by_role("button", name="Read", exact=True).first.click()
    max_.reads("Contact us")
    max_.press("Contact us")
    choose(max_, "Email support")
    max_.reads("How do I forward my number?", where=max_.dialog)
    max_.input("Description").fill("It rings, then nobody hears me.")
    max_.input("Email").fill("nowhere")
    max_.submit()
    expect(max_.input("Email")).to_have_attribute("aria-invalid", "true")
    expect(max_.input("Description")).to_have_value("It rings, then nobody hears me.")
    max_.input("Email").fill("max@example.com")
    max_.submit()
    max_.done()
    max_.reads("SB-1")
    max_.latest.locator("button").filter(has_text="Escalate").click()
    max_.reads("said by a designated super admin", "promises nothing", where=max_.dialog)
    max_.dialog.get_by_role("button", name="Dismiss dialog").click()
    max_.done()

    card = sam.page.locator("#messages .message").filter(has_text="SB-1 ·").first
    sam.reads("It rings, then nobody hears me.", "Max", where=card)
    sam.press("Claim", card)
    sam.reads("Sam", where=card)
    sam.press("Reply", card)
    sam.input("Reply").fill("Is the other phone switched on?")
    sam.submit()
    sam.done()
    talk = max_.page.locator("#messages")
    max_.reads("Is the other phone switched on?", where=talk)
    sam.press("Note", card)
    sam.input("Note").fill("canary")
    sam.submit()
    sam.done()
    sam.reads("canary", where=sam.page.locator("#messages"))
    sam.choose("SB-1", "Wait for the person", card)
    sam.reads("Sam waits for an answer.", where=sam.page.locator("#messages"))
    sam.choose("SB-1", "Close this ticket", card)
    sam.reads("closed", where=card)
    head = talk.locator(".message").filter(has_text="SB-1 ·").first
    head.locator("button").filter(has_text="Rate this ticket").click()
    max_.dialog.get_by_label("5: very good").check()
    max_.submit()
    max_.done()
    sam.reads("Max rated the ticket: 5 of 5.", where=sam.page.locator("#messages"))
    head.locator("button").filter(has_text="Reopen this ticket").click()
    card.get_by_role("button", name="Reply", exact=True).wait_for()
    expect(talk).not_to_contain_text("canary")


def test_a_live_chat_goes_both_ways(arrive: Arrive) -> None:
    max_, sam = arrive("UMAX", "DMAX"), arrive("USAM", "CDESK")
    contact(max_, "Chat with the team")
    max_.input("Overview").fill("Echo on every call")
    max_.input("Description").fill("I hear myself.")
    max_.submit()
    max_.done()
    desk, talk = sam.page.locator("#messages"), max_.page.locator("#messages")
    card = desk.locator(".message").filter(has_text="SB-1 ·").first
    sam.press("Claim", card)
    below(sam, "SB-1 ·", "Which phone is it?")
    max_.reads("Sam: Which phone is it?", where=talk)
    below(max_, "SB-1 ·", "The one at the front desk")
    sam.reads("Max: The one at the front desk", where=desk)


def test_a_promise_that_is_not_kept_is_told_stage_by_stage_until_somebody_has_it(arrive: Arrive) -> None:
    ada, sam, lena = arrive("UADA", "DADA"), arrive("USAM", "CDESK"), arrive("ULENA", "DLENA")
    critical(ada)
    desk, own, hers = (person.page.locator("#messages") for person in (sam, ada, lena))
    sam.reads("BUSINESS CRITICAL", "level 1, round 1: told Sam.", where=desk)
    forward(sam, "+15 minutes")
    sam.reads("level 2, round 1: told Ada and Lena.", "Half of the promised time has passed.", where=desk)
    expect(desk).not_to_contain_text("Four fifths")
    ada.reads("is escalated and waits for somebody", where=own)
    lena.reads("zostało eskalowane i czeka", "Mam to", where=hers)
    forward(sam, "Next deadline")
    forward(sam, "Next deadline")
    sam.reads("Four fifths of the promised time have passed.", "level 1, round 2: told Sam.", where=desk)
    expect(desk).not_to_contain_text("missed")
    forward(sam, "+15 minutes")
    sam.reads("SB-1 missed its first response", "premium business critical", "is late", where=desk)
    told = arrive("USAM", "DSAM")
    told.page.locator("#messages button").filter(has_text="I have it").last.click()
    sam.reads("Sam has seen the escalation.", where=desk)
