"""`switchboard demo`: the bot and a pretend Slack in one process."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import phonenumbers

from bot.app import running
from bot.cli import demo
from bot.settings import Settings
from bot.slack.settings import Settings as SlackSettings
from bot.wiring import clock, open_repositories
from playground.clock import Clock
from playground.data import carrier
from playground.data.world import PEOPLE, TEAM
from playground.page.outside import Outside
from playground.slack.pretend import PretendSlack
from playground.twilio.pretend import PretendTwilio
from store.engine.effects import Effect, Sent
from tests import instance_of, present
from tests.bot.cli.conftest import Run
from tests.servers import eventually, free_port


@contextmanager
def demonstrated(tmp_path: Path, *options: str) -> Iterator[str]:
    """The demo, running; its URL. Stopped by Ctrl-C."""
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "SWITCHBOARD_DATA_DIR": str(tmp_path), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "bot", "demo", *options]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"Switchboard demo: http://127.0.0.1:{port}\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")


async def screen(session: aiohttp.ClientSession, user: str, word: str) -> str:
    """What a person's page shows, as JSON text, once it holds `word`."""
    async with asyncio.timeout(10), session.get("/play/events", params={"user": user}) as stream:
        async for line in stream.content:
            if line.startswith(b"data: ") and word in line.decode():
                return line.decode()
    raise AssertionError(word)


async def type_(session: aiohttp.ClientSession, user: str, text: str) -> dict[str, Any]:
    async with session.post("/play/send", json={"user": user, "channel": "CGENERAL", "text": text}) as answer:
        return instance_of(dict, orjson.loads(await answer.read()))


@asynccontextmanager
async def page(tmp_path: Path, *options: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The demo, running, and a session with its page."""
    with demonstrated(tmp_path, *options) as url:
        async with aiohttp.ClientSession(url, read_bufsize=2**22) as session:
            yield session


async def test_it_starts_with_numbers_keeps_what_is_done_and_forgets_it_when_asked(tmp_path: Path) -> None:
    async with page(tmp_path) as session:
        assert (await type_(session, "UADA", "/numbers"))["ok"]
        assert "forwards to 020 7946 0111" in await screen(session, "UADA", "2 of 3 numbers")
        assert (await type_(session, "UADA", "/numbers assign 020 7946 0901 @noor"))["ok"]
        assert "020 7946 0901" in await screen(session, "UNOOR", "Ada gave you the number")
    async with page(tmp_path) as session:
        assert "Ada gave you the number" in await screen(session, "UNOOR", "020 7946 0901")
        await type_(session, "ULENA", "/numbers")
        assert "Noor" in await screen(session, "ULENA", "Numery telefonów")
    async with page(tmp_path, "--fresh") as session:
        await type_(session, "UNOOR", "/numbers")
        assert "Ada gave you the number" not in await screen(session, "UNOOR", "You have no number yet")


def test_ctrl_c_stops_it_soon_even_with_a_page_open(tmp_path: Path) -> None:
    with demonstrated(tmp_path) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        open_page = socket.create_connection((host, int(port)))
        open_page.sendall(b"GET /play/events?user=UADA HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert open_page.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
    open_page.close()
    assert time.monotonic() - began < 6


def test_a_port_that_is_taken_is_one_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "set another PORT" in run("demo", PORT=str(taken.getsockname()[1])).refused()


def _parts(folder: Path, url: str) -> tuple[PretendSlack, Clock]:
    time = Clock(clock(Settings()), folder / "clock.json", ())
    return demo._slack(folder / "slack.json", url, "secret", time, fresh=True), time


async def test_codes_reach_the_phone_panel_and_mail_the_mailbox(tmp_path: Path) -> None:
    slack, time = _parts(tmp_path, "http://127.0.0.1:1")
    extras = demo._overrides(slack, Outside(), time, [], fresh=False)
    assert extras.phone is not None
    assert extras.mail is not None
    await extras.phone("+442079460111", "Your code is 123456", "sms")
    body = {"to": "robin@example.com", "subject": "More numbers", "text": "Ada asks", "reply_to": None}
    assert await extras.mail(Effect("mail:robin", "mail", body, "e1"), False) == Sent()
    assert [(ring.number, ring.text, ring.kind) for ring in slack.world.phone] == [
        ("020 7946 0111", "Your code is 123456", "sms")
    ]
    assert [(mail.to, mail.subject) for mail in slack.world.mail] == [("robin@example.com", "More numbers")]
    await slack.close()


async def test_a_number_is_registered_with_the_code_of_the_phone_panel_and_more_are_asked_for_by_mail(
    tmp_path: Path,
) -> None:
    port = free_port()
    slack, time = _parts(tmp_path, f"http://127.0.0.1:{port}")
    token = slack.world.workspaces[TEAM].token
    platform = SlackSettings("secret", token, None, None, None, slack.api_url)
    settings = Settings(data_dir=tmp_path / "store", port=port, platforms={"slack": platform})
    async with running(settings, demo._overrides(slack, Outside(), time, [], fresh=False)):
        await slack.command("UADA", "CGENERAL", "/numbers", "register +44 20 7946 0333")
        assert (await slack.submit("UADA")).ok
        await eventually(lambda: slack.world.phone, "the phone rings")
        digits = re.findall(r"\d", slack.world.phone[0].text)[:6]
        await slack.fill("UADA", {"Verification code": "".join(digits)})
        assert (await slack.submit("UADA")).ok
        await eventually(lambda: "is registered" in str(slack.world.messages), "it is said")

        await slack.command("UADA", "CGENERAL", "/numbers", "usage")
        await slack.press("UADA", slack.last("UADA", "CGENERAL"), "Request more")
        await eventually(lambda: slack.world.dialogs("UADA"), "the dialog opens")
        assert (await slack.submit("UADA", {"How many": "2"})).ok
        await eventually(lambda: slack.world.mail, "the mail arrives")
        assert slack.world.mail[0].to == "robin@example.com"
        await eventually(lambda: "Switchboard is ready" in str(slack.messages("UADA")), "the installer is welcomed")
    assert slack.troubles == []


async def _go(session: aiohttp.ClientSession, to: Any) -> dict[str, Any]:
    async with session.post("/play/forward", json={"user": "UADA", "to": to}) as answer:
        return instance_of(dict, orjson.loads(await answer.read()))


async def _ahead(session: aiohttp.ClientSession) -> tuple[float, float]:
    """Seconds that the page says the demo is ahead, and those that its clock is."""
    shown = orjson.loads((await screen(session, "UADA", '"clock"')).removeprefix("data: "))
    return shown["clock"]["ahead"], shown["now"] - time.time()


async def test_the_clock_goes_forward_on_the_page_alone_and_stays_there_over_a_restart(tmp_path: Path) -> None:
    async with page(tmp_path) as session:
        nothing = await _go(session, "deadline")
        assert (nothing["ok"], nothing["notice"]) == (False, "No ticket has a deadline in the next 30 days.")
        assert (await _go(session, "yesterday"))["notice"] == "That is not there any more."
        assert (await _ahead(session))[0] == 0
        both = await asyncio.gather(_go(session, "hour"), _go(session, "quarter"))
        assert all(done["ok"] for done in both)
        said, is_ = await _ahead(session)
        assert 4500 <= said <= 4510
        assert abs(said - is_) < 5
        async with session.post(
            "/play/forward", json={"user": "UADA", "to": "hour"}, headers={"Origin": "https://evil.example"}
        ) as refused:
            assert refused.status == 403
    async with page(tmp_path) as session:
        assert (await _ahead(session))[0] == said
        assert (await _go(session, "day"))["ok"]  # after the requests of a restart are signed and taken as before
        assert (await type_(session, "UADA", "/numbers delete 020 7946 0901"))["ok"]
    async with page(tmp_path, "--fresh") as session:
        assert (await _ahead(session))[0] == 0


def test_everybody_on_the_page_is_in_the_account_and_every_number_is_a_number() -> None:
    account = demo.account()
    assert [(p.user_on("slack"), p.name) for p in account.people] == [(p.id, p.name) for p in PEOPLE]
    assert account.serves("slack", TEAM)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in account.inventory)
    assert account.limits_now()[0] == 3


async def test_every_line_of_its_numbers_is_taken(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    async with open_repositories(settings) as kept:
        for _ in range(2):
            await demo.seed(kept, clock(settings)())
            snapshot = present(await kept.accounts.get("acme"))
            numbers = await kept.numbers.all(snapshot)
            assert [(n.e164, n.person, str(n.state)) for n in numbers] == [
                ("+442079460900", "max", "active"),
                ("+442079460901", None, "active"),
                ("+4930901820001", None, "porting"),
            ]


async def test_the_carrier_has_the_inventory_and_follows_the_demo_to_another_port(tmp_path: Path) -> None:
    path, (ours, *more) = tmp_path / "twilio.json", demo.account().inventory
    rang: list[tuple[str, str, str]] = []

    def started(port: int, *, fresh: bool = False) -> PretendTwilio:
        url = f"http://127.0.0.1:{port}"
        return carrier.twilio(
            path, url, [ours, *more], "GB", lambda *ring: rang.append(ring), now=time.time, fresh=fresh
        )

    twilio = started(1)
    assert {one["phone_number"] for one in twilio.world.numbers.values()} == {ours, *more}
    bought = twilio.own("+442079460920", voice_url="http://127.0.0.1:1/voice/inbound")
    twilio.send_message({"To": "+442079460958", "From": ours, "Body": "Your code is 123456"})
    assert rang == [("020 7946 0958", "Your code is 123456", "sms")]
    again = started(2)
    found = present(again.world.owned("+442079460920"))
    assert (found["sid"], found["voice_url"]) == (bought["sid"], "http://127.0.0.1:2/voice/inbound")
    assert again.base_url == "http://127.0.0.1:2/twilio"
    assert started(2, fresh=True).world.owned("+442079460920") is None
