"""The demo as a process of its own, and a person at its page in a real browser."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests import QUIET_BROWSER
from tests.servers import free_port

PATIENCE: Final = 10_000  # milliseconds, on a busy machine
_BINARIES: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = (*QUIET_BROWSER, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


def chromium() -> str | None:
    """The path of a Chromium that is installed."""
    return next((found for name in _BINARIES if (found := shutil.which(name))), None)


@contextmanager
def browsing(binary: str) -> Iterator[Browser]:
    """A headless browser that knows no host but this one."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Demo:
    """`switchboard demo`, running."""

    process: subprocess.Popen[str]
    url: str
    store: Path

    def server(self) -> int:
        """The pid of its embedded server."""
        return int((self.store / "valkey.pid").read_text())

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; the exit status, and what it said on stderr."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=15)
        return self.process.returncode, err


@contextmanager
def demonstrated(folder: Path, *options: str) -> Iterator[Demo]:
    """The demo with its data in `folder`; ended, if the test has not ended it."""
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "SWITCHBOARD_DATA_DIR": str(folder), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "bot", "demo", *options]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        demo = Demo(process, f"http://127.0.0.1:{port}", folder / "demo" / "store")
        try:
            said = process.stdout.readline()
            if said != f"Switchboard demo: {demo.url}\n":
                raise AssertionError(said + process.communicate(timeout=15)[1])
            yield demo
        finally:
            if process.poll() is None:
                demo.stop()


@dataclass
class Person:
    """Somebody at the page: what they do there, and what went wrong in their browser meanwhile."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        browser: Browser,
        demo: Demo,
        who: str,
        where: str = "CGENERAL",
        *,
        size: tuple[int, int] = (1280, 860),
        colours: Literal["dark", "light"] = "light",
    ) -> "Person":
        """`who`, such as UADA, in a window of their own; `where`: a channel, or `home`."""
        width, height = size
        window = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=colours, base_url=demo.url
        )
        window.set_default_timeout(PATIENCE)
        person = cls(window.new_page())
        person._watch(demo.url)
        person.page.goto(f"/?as={who}#{where}")
        person.page.locator("#channels li").first.wait_for(state="attached")
        return person

    def _watch(self, url: str) -> None:
        page = self.page
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        own = (url, "data:")
        page.on("request", lambda r: self.troubles.append(r.url) if not r.url.startswith(own) else None)

    def leave(self) -> None:
        """Closes the window. Raises AssertionError where anything went wrong in it."""
        self.page.context.close()
        assert self.troubles == []

    # ── Conversations ───────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Types it into the message box and sends it as it stands."""
        box = self.page.locator("#compose")
        box.fill(text)
        box.press("Escape")  # whatever completion is on offer
        box.press("Enter")

    @property
    def latest(self) -> Locator:
        """The last message of the conversation."""
        return self.page.locator("#messages .message").last

    @property
    def home(self) -> Locator:
        return self.page.locator("#home")

    def reads(self, *texts: str, where: Locator | None = None) -> None:
        """Waits until the last message, or another place, says all of it."""
        place = where or self.latest
        for text in texts:
            expect(place).to_contain_text(text)

    def press(self, name: str, where: Locator | None = None) -> None:
        (where or self.latest).get_by_role("button", name=name, exact=True).click()

    def choose(self, number: str, action: str, where: Locator | None = None) -> None:
        """One of the actions in the menu beside a number."""
        (where or self.latest).get_by_role("button", name=f"More actions: {number}").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    # ── Dialogs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog.dialog")

    def input(self, label: str) -> Locator:
        return self.dialog.get_by_label(label, exact=True)

    def submit(self) -> None:
        self.dialog.locator("button[type=submit]").click()

    def done(self) -> None:
        """Waits until no dialog is open."""
        expect(self.dialog).to_have_count(0)

    # ── Outside ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def code(self) -> str:
        """The newest code on the phone."""
        shown = self.page.locator("#rings .code").first.inner_text()
        return "".join(filter(str.isdigit, shown))

    def call(self, to: str, frm: str | None = None, typed: str = "") -> None:
        """Calls one of the account's numbers, as its option reads, from a number of the list or one that is typed."""
        caller = self.page.get_by_role("form", name="Call one of the account’s numbers")
        caller.get_by_label("Number to call").select_option(label=to)
        if typed:
            caller.get_by_label("Calling from").select_option(label="Another number…")
            caller.get_by_label("Caller’s number").fill(typed)
        elif frm:
            caller.get_by_label("Calling from").select_option(label=frm)
        caller.get_by_role("button", name="Call", exact=True).click()

    @property
    def rings(self) -> Locator:
        """The newest call on the phone."""
        return self.page.locator("#rings .call").first
