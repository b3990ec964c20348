"""`python -m tests.browser.pictures`: takes the pictures in docs/pictures anew."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect

from tests import ROOT
from tests.browser.person import Demo, Person, browsing, chromium, demonstrated
from tests.browser.support import contact, critical, forward

FOLDER: Final = ROOT / "docs" / "pictures"
SIZE: Final = (1280, 800)


def take_list(browser: Browser, demo: Demo) -> Person:
    """The numbers, and a menu beside one."""
    ada = Person.at(browser, demo, "UADA", size=SIZE)
    ada.say("/numbers")
    ada.reads("2 of 3 numbers")
    ada.latest.get_by_role("button", name="More actions: 020 7946 0900").click()
    return ada


def take_edit(browser: Browser, demo: Demo) -> Person:
    """Who has a number and where it rings, with an error at its field."""
    ada = Person.at(browser, demo, "UADA", size=SIZE)
    ada.choose("020 7946 0901", "Edit")
    ada.input("Assigned to").select_option(label="Noor")
    ada.input("Forwarding number").fill("020 7946")
    ada.submit()
    expect(ada.input("Forwarding number")).to_have_attribute("aria-invalid", "true")
    return ada


def take_undo(browser: Browser, demo: Demo) -> Person:
    """A number just deleted, in the dark."""
    ada = Person.at(browser, demo, "UADA", size=SIZE, colours="dark")
    ada.choose("020 7946 0900", "Delete")
    ada.input("Type the number to confirm").fill("020 7946 0900")
    ada.submit()
    ada.done()
    ada.reads("can be undone until")
    return ada


def take_home(browser: Browser, demo: Demo) -> Person:
    """The home screen of somebody who runs the numbers."""
    ada = Person.at(browser, demo, "UADA", "home", size=SIZE)
    ada.reads("What you can do", where=ada.home)
    return ada


def take_phone(browser: Browser, demo: Demo) -> Person:
    """A code on the phone, and the dialog that asks for it."""
    max_ = Person.at(browser, demo, "UMAX", "CSALES", size=SIZE)
    max_.say("/numbers register 020 7946 0958")
    max_.input("Text message").check()
    max_.submit()
    max_.input("Verification code").fill(max_.code())
    return max_


def take_call(browser: Browser, demo: Demo) -> Person:
    """A call that rings at the phone it is forwarded to, another one that was turned away, and the minutes."""
    ada = Person.at(browser, demo, "UADA", "CSALES", size=SIZE)
    ada.call("020 7946 0900")
    ada.press("Answer the call from 0121 496 0199", ada.rings)
    ada.press("Hang up after 20 minutes", ada.rings)
    ada.call("020 7946 0902", "Anonymous")
    ada.reads("Rejected", where=ada.rings)
    ada.call("020 7946 0900", "+1 202-555-0143")
    ada.reads("Rings at", where=ada.rings)
    ada.say("/numbers usage")
    ada.reads("40 of 3,000 minutes")
    return ada


def take_form(browser: Browser, demo: Demo) -> Person:
    """The form of a ticket that may be business critical."""
    ada = Person.at(browser, demo, "UADA", "DADA", size=(1280, 1000))
    contact(ada, "Premium email support")
    ada.input("Overview").fill("Nobody can call us")
    ada.input("Description").fill("All numbers have been silent since nine.")
    return ada


def take_desk(browser: Browser, demo: Demo) -> Person:
    """The card at the desk of a ticket that presses, when half of its time has passed."""
    ada, sam = Person.at(browser, demo, "UADA", "DADA"), Person.at(browser, demo, "USAM", "CDESK", size=SIZE)
    critical(ada)
    ada.leave()
    sam.reads("level 1, round 1: told Sam.")
    forward(sam, "+15 minutes")
    sam.reads("Half of the promised time has passed.")
    return sam


def take_breach(browser: Browser, demo: Demo) -> Person:
    """Who was told, and when, until the promise was missed."""
    sam = Person.at(browser, demo, "USAM", "CDESK", size=SIZE)
    forward(sam, "+15 minutes")
    sam.reads("missed its first response", where=sam.page.locator("#messages"))
    sam.page.locator("#show-clock").click()
    return sam


def take_escalation(browser: Browser, demo: Demo) -> Person:
    """The message to somebody whom the policy names, in Polish and in the dark."""
    lena = Person.at(browser, demo, "ULENA", "DLENA", size=SIZE, colours="dark")
    lena.reads("eskalowane")
    return lena


def take_inbox(browser: Browser, demo: Demo) -> Person:
    """A super admin's inbox."""
    ada = Person.at(browser, demo, "UADA", "CSALES", size=SIZE)
    ada.say("/support inbox")
    ada.reads("Nobody can call us")
    return ada


PICTURES: Final[tuple[Callable[[Browser, Demo], Person], ...]] = (
    take_list,
    take_edit,
    take_phone,
    take_call,
    take_home,
    take_undo,
    take_form,
    take_desk,
    take_breach,
    take_escalation,
    take_inbox,
)


def main() -> int:
    """Takes all of them on one demo, in their order: each goes on from where the last one left the conversation."""
    binary = chromium()
    if binary is None:
        sys.stderr.write("no Chromium on PATH\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, demonstrated(Path(folder)) as demo, browsing(binary) as browser:
        for take in PICTURES:
            person = take(browser, demo)
            path = FOLDER / f"{take.__name__.removeprefix('take_')}.png"
            person.page.screenshot(path=path, animations="disabled")
            if person.dialog.count():
                person.dialog.get_by_role("button", name="Dismiss dialog").click()
                person.done()
            person.leave()
            sys.stdout.write(f"{path.name}: {path.stat().st_size // 1024} kB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
