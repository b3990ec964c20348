"""The demo in Microsoft's playground, driven in Chromium: a message, its card, a press, and a message unasked for."""

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright

from playground import teams
from tests import QUIET_BROWSER
from tests.servers import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 15_000  # milliseconds for the page to show something


@pytest.fixture(scope="module", autouse=True)
def _all_there() -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    try:
        teams.command()
    except teams.NotInstalled as missing:
        pytest.skip(str(missing))


@asynccontextmanager
async def demonstrated(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """The demo with the playground; the pages of both platforms. Stopped by Ctrl-C."""
    environ = {**os.environ, "PORT": str(free_port()), "SWITCHBOARD_DATA_DIR": str(folder), "PYTHONWARNINGS": "error"}
    command = (sys.executable, "-m", "bot", "demo", "--teams")
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            slack = (await process.stdout.readline()).decode().removeprefix("Switchboard demo: ").strip()
            page = (await process.stdout.readline()).decode().removeprefix("On Teams: ").strip()
        yield slack, page
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox").first.click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def shows(page: Page, text: str | re.Pattern[str]) -> None:
    await page.get_by_text(text).last.wait_for(timeout=PATIENCE)


@pytest.mark.browser
async def test_a_morning_on_teams(tmp_path: Path) -> None:
    async with demonstrated(tmp_path) as (slack, url), async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=QUIET_BROWSER)
        page = await browser.new_page()
        await page.goto(url)
        await shows(page, "Switchboard is ready")  # a greeting on install
        await say(page, "numbers list")
        await shows(page, "Phone numbers · Acme")
        await shows(page, "020 7946 0901")
        await page.get_by_text("Usage", exact=True).last.click()  # an Action.Execute
        await shows(page, "Usage, limits and subscription")
        await say(page, "numbers forward 020 7946 0901 020 7946 0112")
        await shows(page, re.compile("now ring 020 7946 0112"))
        # What somebody does on Slack is told here.
        async with aiohttp.ClientSession() as session:
            typed = {"user": "ULENA", "channel": "CGENERAL", "text": "/numbers assign 020 7946 0901 @Ada"}
            async with session.post(f"{slack}/play/send", json=typed) as answer:
                assert answer.status == 200
        await shows(page, re.compile("Lena gave you the number"))
        await browser.close()
