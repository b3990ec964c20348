"""What people do about support on the demo's page."""

import re

from playwright.sync_api import expect

from tests.browser.person import Person


def contact(person: Person, channel: str) -> None:
    """From the conversation to the form of a channel."""
    person.say("/support contact")
    choose(person, channel)


def choose(person: Person, channel: str) -> None:
    """A channel in the dialog that offers them, by the beginning of its label."""
    person.dialog.locator("label").filter(has_text=re.compile(f"^{channel}")).click()
    person.submit()
    person.input("Overview").wait_for()


def critical(person: Person) -> None:
    """Sends a premium email that is business critical."""
    contact(person, "Premium email support")
    person.input("Overview").fill("Nobody can call us")
    person.input("Description").fill("All numbers have been silent since nine.")
    person.dialog.get_by_label("Business critical: answered", exact=False).check()
    person.dialog.get_by_label("Impact").select_option(index=1)
    person.submit()
    person.done()


def forward(person: Person, by: str) -> None:
    """Fast-forwards by the panel above the page, and leaves it closed."""
    page = person.page
    page.locator("#show-clock").click()
    before = page.locator("#clock-panel").get_attribute("data-ahead")
    page.get_by_role("button", name=by, exact=True).click()
    expect(page.locator("#clock-panel")).not_to_have_attribute("data-ahead", before or "")
    expect(page.locator("#clock-said")).to_contain_text("It is now")
    page.keyboard.press("Escape")
    expect(page.locator("#clock-panel")).to_be_hidden()


def below(person: Person, head: str, text: str) -> None:
    """Writes in the thread of the message that begins so."""
    message = person.page.locator("#messages .message").filter(has_text=head).first
    message.hover()
    message.get_by_role("button", name="Reply in thread").click()
    person.say(text)
