"""The whole process: it starts, says how it is, and stops leaving nothing behind."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from bot.app import App, Overrides, running
from bot.errors import InputError, OperationError
from bot.settings import Settings, Twilio
from bot.slack.settings import Settings as SlackSettings
from store.server.connection import StoreUnavailable

BOT = (sys.executable, "-m", "bot")


def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=0)


@contextlib.asynccontextmanager
async def asking(app: App) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(app.url) as session:
        yield session


def servers_on(folder: Path) -> list[int]:
    """Processes of the embedded server that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            works_there = (entry / "cwd").resolve().is_relative_to(folder)
            if entry.name.isdigit() and works_there and "valkey" in (entry / "comm").read_text():
                found.append(int(entry.name))
    return found


async def test_it_says_that_it_lives_that_it_is_ready_and_what_it_counts(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as app, asking(app) as ask:
        async with ask.get("/healthz") as answer:
            assert answer.status == 200
        async with ask.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ready", "unwell": {}})
        async with ask.get("/metrics") as answer:
            text = await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'switchboard_store_seconds_count{script="ping"}' in text
    assert "switchboard_outbox_oldest_age_seconds 0.0" in text


async def test_calls_are_off_without_a_carrier_or_an_address_and_on_with_both(tmp_path: Path) -> None:
    off = settings(tmp_path)
    sid, token = "AC" + "0" * 32, "token"
    no_address = replace(off, twilio=Twilio(sid, token))
    for given, said in ((off, "Twilio is off here"), (no_address, "for want of a PUBLIC_URL, is off here")):
        async with running(given) as app, asking(app) as ask:
            for path in ("/voice/inbound", "/voice/outbound", "/voice/status"):
                async with ask.post(path, data={"CallSid": "CA1"}) as answer:
                    assert answer.status == 404
                    assert said in await answer.text()
    on = replace(no_address, public_url="https://voice.example.com")
    async with running(on) as app, asking(app) as ask:
        form = {"AccountSid": sid, "CallSid": "CA1", "From": "+442079460958", "To": "+442079460900"}
        async with ask.post("/voice/inbound", data=form) as answer:
            assert answer.status == 403
        signature = RequestValidator(token).compute_signature("https://voice.example.com/voice/inbound", form)
        async with ask.post("/voice/inbound", data=form, headers={"X-Twilio-Signature": signature}) as answer:
            assert (answer.status, answer.content_type) == (200, "text/xml")
            assert "<Reject" in await answer.text()
        async with ask.get("/metrics") as answer:
            assert 'switchboard_calls_total{outcome="unknown"} 1.0' in await answer.text()


async def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running(settings(tmp_path)) as app:
        assert servers_on(tmp_path)
        port = int(app.url.rpartition(":")[2])
    assert servers_on(tmp_path) == []
    assert asyncio.all_tasks() == before
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))


async def test_it_is_not_ready_while_the_store_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(settings(tmp_path)) as app, asking(app) as ask:

        async def silent() -> None:
            raise StoreUnavailable("nothing listens")

        monkeypatch.setattr(app.kept.store, "ping", silent)
        async with ask.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["unwell"] == {"store": "nothing listens"}

        async def hanging() -> None:
            await asyncio.sleep(30)

        monkeypatch.setattr(app.kept.store, "ping", hanging)
        began = time.monotonic()
        async with ask.get("/readyz") as answer:
            assert answer.status == 503
        assert time.monotonic() - began < 2
        async with ask.get("/healthz") as answer:
            assert answer.status == 200


async def test_a_body_over_a_megabyte_is_refused_in_one_sentence(tmp_path: Path) -> None:
    slack = SlackSettings("secret", "xoxb-1", None, None, None, "http://127.0.0.1:9/")
    async with running(replace(settings(tmp_path), platforms={"slack": slack})) as app, asking(app) as ask:
        for body in (b"x" * 1_000_001, _chunks(1_100_000)):
            async with ask.post("/slack/events", data=body) as answer:
                assert answer.status in (401, 413)
                assert "\n" not in (await answer.text()).strip()
        async with ask.post("/slack/events", data=b"{}") as answer:
            assert answer.status == 401


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 10_000):
        yield b"x" * 10_000


async def test_what_is_off_says_so(tmp_path: Path) -> None:
    async with running(settings(tmp_path)) as app, asking(app) as ask, ask.post("/slack/events", data=b"{}") as answer:
        assert answer.status == 404
        assert "off here" in await answer.text()


async def test_a_port_that_is_taken_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = replace(settings(tmp_path), port=taken.getsockname()[1])
        with pytest.raises(InputError, match="set another PORT"):
            async with running(wanted):
                pass
    assert not (tmp_path / "data").exists()


async def test_a_store_that_does_not_answer_is_said_and_nothing_stays(tmp_path: Path) -> None:
    wanted = replace(settings(tmp_path), redis_url="redis://127.0.0.1:1")
    with pytest.raises(OperationError, match="not available"):
        async with running(wanted):
            pass


async def test_a_request_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(0.5)
        return web.Response(text="done")

    async with aiohttp.ClientSession() as ask:
        async with running(settings(tmp_path), Overrides(routes=(web.get("/slow", slow),))) as app:
            asked = asyncio.create_task(ask.get(f"{app.url}/slow"))
            await begun.wait()
        answer = await asked
        assert (answer.status, await answer.text()) == (200, "done")


async def test_once_hastened_it_waits_for_nobody(tmp_path: Path) -> None:
    begun, hasten = asyncio.Event(), asyncio.Event()

    async def endless(_request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(60)
        return web.Response()

    async with aiohttp.ClientSession() as ask:
        async with running(settings(tmp_path), Overrides(routes=(web.get("/slow", endless),)), hasten) as app:
            asked = asyncio.create_task(ask.get(f"{app.url}/slow"))
            await begun.wait()
            hasten.set()
            began = time.monotonic()
        assert time.monotonic() - began < 3
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)


# As a process of its own.


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PORT": "0", "SWITCHBOARD_DATA_DIR": str(tmp_path / "data"), "PYTHONWARNINGS": "error"}


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*BOT, "serve"], env={**environment, "SWITCHBOARD_CLOCK_OFFSET": "60"}, stderr=subprocess.PIPE, text=True
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def until(process: "subprocess.Popen[str]", text: str) -> list[str]:
    """Its lines up to the one that holds `text`."""
    assert process.stderr is not None
    read = []
    for line in process.stderr:
        read.append(line)
        if text in line:
            return read
    raise AssertionError("".join(read))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_leaves_no_server(
    served: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    lines = until(served, '"ready"')
    assert any("the clock is moved" in line for line in lines)
    for part in ("Slack", "Teams", "Carrier", "Outgoing mail", "Incoming mail"):
        assert sum(part in line for line in lines) == 1
    served.send_signal(number)
    assert served.wait(15) == 0
    assert servers_on(tmp_path) == []


def test_a_platform_that_is_off_is_not_imported(environment: dict[str, str]) -> None:
    code = "import sys, bot.app, bot.run; print([m for m in sys.modules if m.startswith(('slack_', 'aiosmtplib'))])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_second_signal_hastens_a_process_that_hangs(tmp_path: Path) -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.bot.app.hanging", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 10
    assert servers_on(tmp_path) == []
