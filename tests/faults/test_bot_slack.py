"""A bad day at Slack's: people are answered all the same, and what must be said arrives later, once and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from playground.slack.find import visible_text
from playground.slack.people import ActionResult
from tests.faults.bot import ANSWER, Rig, answered, rigged, shown
from tests.servers import eventually, serving

pytestmark = pytest.mark.slow

SOON: Final = 30.0  # seconds within which everything has arrived, though Slack was away for ten


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as made:
        await made.start()
        yield made


def in_time(outcome: ActionResult) -> ActionResult:
    assert outcome.ok, outcome
    assert outcome.seconds < ANSWER
    return outcome


@pytest.mark.parametrize(
    ("kind", "details"), [("ratelimited", {"retry_after": 2}), ("error", {"times": 2}), ("lost", {})]
)
async def test_effects_arrive_later_once_and_in_order(rig: Rig, kind: Any, details: dict[str, Any]) -> None:
    await rig.get(1)
    await rig.slack.open_home("robin")
    await rig.edit(0)
    for method in ("chat.postMessage", "hooks", "views.publish"):
        rig.slack.faults.add(method, kind, **details)

    in_time(await rig.slack.submit("ada", {"Assigned to": "P1", "Forwarding number": "020 7946 0111"}))
    assert "now belongs to P2" in await rig.type(f"assign {shown(0)} @p2")
    assert "now belongs to P1" in await rig.type(f"assign {shown(0)} @p1")
    listed = f"{shown(0)}*\nProvided · P1 · forwards to 020 7946 0111"
    assert listed in await rig.type("", by="robin")

    await eventually(lambda: len(rig.told("p1")) >= 3 and len(rig.told("p2")) >= 2, "five lines", SOON)
    await eventually(lambda: listed in visible_text(rig.slack.home("robin")), "a home screen that shows it", SOON)
    await eventually(lambda: done(rig), "the confirmation", SOON)
    await rig.slack.settled(quiet=3.0, timeout=SOON)  # whatever may still come a second time
    assert [line.split("*")[0] for line in (text.splitlines()[1] for text in rig.said("p1"))] == [
        "Ada gave you the number ",
        "Ada took the number ",
        "Ada gave you the number ",
    ]
    assert ["gave" in text for text in rig.said("p2")] == [True, False]
    assert len(set(rig.told("p1"))) == 3
    assert done(rig) == 1
    assert not rig.slack.faults.take("chat.postMessage")


def done(rig: Rig) -> int:
    """How often Ada reads that what she chose in the dialog was done."""
    return sum("belongs to P1 and forwards to" in text for text in rig.heard("ada"))


async def test_a_dialog_opened_by_a_command_is_confirmed_once_though_the_answer_of_slack_was_lost(rig: Rig) -> None:
    assert (await rig.slack.command("ada", "#general", "/numbers", "get")).ok
    await rig.dialog("ada")
    for method in ("chat.postMessage", "hooks"):
        rig.slack.faults.add(method, "lost")
    in_time(await rig.slack.submit("ada", {"Country": "United Kingdom"}))
    await eventually(lambda: got(rig), "the confirmation", SOON)
    await rig.slack.settled(quiet=4.0, timeout=SOON)
    assert got(rig) == 1


def got(rig: Rig) -> int:
    return sum(f"{shown(0)}* is yours to use" in text for text in rig.heard("ada"))


async def test_while_slack_hangs_a_command_for_a_dialog_gets_a_sentence(rig: Rig) -> None:
    rig.slack.faults.add("views.open", "hang", seconds=10.0)
    said = answered(await rig.slack.command("ada", "#general", "/numbers", "get"))
    assert "Slack did not open the dialog in time" in said


async def test_while_slack_hangs_somebody_who_is_not_listed_gets_a_sentence(rig: Rig) -> None:
    rig.slack.faults.add("users.info", "hang", times=3, seconds=10.0)
    said = answered(await rig.slack.command("visitor", "#general", "/numbers", ""))
    assert "the chat service didn't answer" in said
    rig.slack.faults.clear()
    assert "You have no number yet" in answered(await rig.slack.command("visitor", "#general", "/numbers", ""))


class Relay:
    """Stands before the pretend Slack and does what is asked of it late, also for callers who have hung up since."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._held: dict[str, float] = {}
        self._ask = aiohttp.ClientSession()
        self._tasks: set[asyncio.Task[web.Response]] = set()

    def hold(self, part: str, seconds: float) -> None:
        """The next request whose path has this part in it is held up."""
        self._held[part] = seconds

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        late = next((self._held.pop(part) for part in list(self._held) if part in request.path), 0.0)
        task = asyncio.create_task(self._pass_on(request, body, late))
        self._tasks.add(task)
        return await asyncio.shield(task)

    async def _pass_on(self, request: web.Request, body: bytes, late: float) -> web.Response:
        await asyncio.sleep(late)
        headers = {k: v for k, v in request.headers.items() if k in ("Authorization", "Content-Type")}
        async with self._ask.post(f"{self._origin}{request.path}", data=body, headers=headers) as answer:
            kept = {k: v for k, v in answer.headers.items() if k in ("Content-Type", "Retry-After")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ask.close()


@asynccontextmanager
async def relayed(rig: Rig) -> AsyncIterator[Relay]:
    """The bot's way to Slack, from the next start on."""
    relay, app = Relay(rig.slack.base_url), web.Application()
    app.router.add_post("/{path:.*}", relay.handle)
    async with serving(app) as rig.slack.base_url:
        try:
            rig.environment["SLACK_API_URL"] = rig.slack.api_url
            yield relay
        finally:
            await relay.close()


async def test_what_slack_does_ten_seconds_late_is_not_done_twice(tmp_path: Path) -> None:
    (tmp_path / "stays").mkdir()
    (tmp_path / "stops").mkdir()
    async with asyncio.TaskGroup() as both:  # each is mostly waiting
        both.create_task(late_for_one_who_stays(tmp_path / "stays"))
        both.create_task(late_for_one_who_stops(tmp_path / "stops"))


async def late_for_one_who_stays(folder: Path) -> None:
    async with rigged(folder) as rig, relayed(rig) as relay:
        await rig.start()
        await rig.get(2)
        await rig.slack.open_home("robin")
        await rig.edit(0)
        for part in ("chat.postMessage", "slack-hooks", "views.publish"):
            relay.hold(part, 10.0)
        in_time(await rig.slack.submit("ada", {"Assigned to": "P1"}))
        assert "now belongs to P1" in await rig.type(f"assign {shown(1)} @p1")
        await eventually(lambda: len(rig.told("p1")) >= 2, "both lines", SOON)
        await rig.slack.settled(quiet=6.0, timeout=SOON)
        assert [text.split("*")[1] for text in rig.said("p1")] == [shown(0), shown(1)]
        assert sum("belongs to P1 and forwards nowhere" in text for text in rig.heard("ada")) == 1
        assert visible_text(rig.slack.home("robin")).count("Provided · P1") == 2


async def late_for_one_who_stops(folder: Path) -> None:
    """The process ends before Slack has done it, and the next one finds the effect in doubt."""
    async with rigged(folder) as rig, relayed(rig) as relay:
        process = await rig.start()
        await rig.get(2)
        relay.hold("chat.postMessage", 10.0)
        assert "now belongs to P1" in await rig.type(f"assign {shown(0)} @p1")
        assert "now belongs to P1" in await rig.type(f"assign {shown(1)} @p1")
        assert await process.stop() == 0
        await rig.start()
        await eventually(lambda: len(rig.told("p1")) >= 2, "both lines", SOON)
        await rig.slack.settled(quiet=6.0, timeout=SOON)
        assert [text.split("*")[1] for text in rig.said("p1")] == [shown(0), shown(1)]
