"""The bot and its embedded server are killed and told to stop, straight after they have acknowledged something."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from bot.run import HASTY_TIMEOUT, STOP_TIMEOUT
from playground.slack.find import visible_text
from playground.slack.people import ActionResult
from tests.faults.bot import Rig, answered, rigged, shown
from tests.servers import eventually, free_port

pytestmark = pytest.mark.slow

ROUNDS: Final = 6  # of two kills each
MOMENTS: Final = (0.0, 0.002, 0.005)  # seconds from an answer to the kill: before its effects leave, and amid them
TAKEN_OVER: Final = 30.0  # seconds: a lease of 15, a sweep, and what a busy machine adds
AT_ONCE: Final = 8
NOT_STORED: Final = "I can't reach my records right now"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as made:
        yield made


def lines(rig: Rig, who: str, part: str) -> list[str]:
    """What somebody reads, cut down to the line with a part in it."""
    return [line for text in rig.heard(who) for line in text.splitlines() if part in line]


async def test_the_bot_is_killed_twelve_times_straight_after_an_answer(rig: Rig) -> None:
    process = await rig.start()
    await rig.get(ROUNDS)
    await rig.slack.open_home("robin")
    for n in range(ROUNDS):
        # By turns a command, answered at once, and a dialog, which only closes: what it says comes as an effect.
        if n % 2:
            await rig.edit(n)
            sent = await rig.slack.submit("ada", {"Assigned to": f"P{n}"})
            await asyncio.sleep(MOMENTS[n % 3])
            process.kill()
            assert sent.ok, sent
        else:
            said = await rig.type(f"assign {shown(n)} @p{n}")
            await asyncio.sleep(MOMENTS[n % 3])
            process.kill()
            assert f"{shown(n)}* now belongs to P{n}" in said
        # All to one person: each line but the first waits behind one whose sender is dead.
        process = await rig.start()
        said = await rig.type(f"assign {shown(n)} @p12")
        process.kill()
        assert "now belongs to P12" in said
        process = await rig.start()

    listed = [await rig.type(f"list {shown(n)}") for n in range(ROUNDS)]
    assert all(f"{shown(n)}*\nProvided · P12" in text for n, text in enumerate(listed))
    await eventually(lambda: len(rig.told("p12")) >= ROUNDS, "a line for each change", TAKEN_OVER)
    await eventually(lambda: all(len(rig.told(f"p{n}")) >= 2 for n in range(ROUNDS)), "a line for each", TAKEN_OVER)
    await eventually(
        lambda: f"P{ROUNDS - 1} " not in visible_text(rig.slack.home("robin")), "the home screen drawn", TAKEN_OVER
    )
    await rig.slack.settled(quiet=2.0, timeout=10)
    assert [line.split("*")[1] for line in lines(rig, "p12", "gave you")] == [shown(n) for n in range(ROUNDS)]
    for n in range(ROUNDS):
        assert [text.split()[4] for text in rig.said(f"p{n}")] == ["gave", "took"]
        assert len(set(rig.told(f"p{n}"))) == 2
    dialogs = [line.split("*")[1] for line in lines(rig, "ada", "and forwards nowhere")]
    assert sorted(dialogs) == [shown(n) for n in range(1, ROUNDS, 2)]
    assert len(rig.servers()) == 1
    assert await process.stop() == 0
    assert rig.servers() == []


async def test_the_embedded_server_is_killed_under_load(rig: Rig) -> None:
    process = await rig.start()
    await rig.get(AT_ONCE)
    fits: dict[int, set[int]] = {}  # who may have a number: whom the last answer named, and what it left open
    acknowledged = uncertain = 0
    outcomes: list[ActionResult] = []
    over = asyncio.Event()

    async def work(n: int) -> None:
        """One number given to one person after the other, as fast as it is answered."""
        nonlocal acknowledged, uncertain
        turn = 0
        while not over.is_set():
            holder, turn = turn % 2 * AT_ONCE // 2 + n % 4, turn + 1
            outcome = await rig.slack.command("ada", "#general", "/numbers", f"assign {shown(n)} @p{holder}")
            outcomes.append(outcome)
            said = answered(outcome)
            if "now belongs to" in said:
                fits[n], acknowledged = {holder}, acknowledged + 1
            elif NOT_STORED in said:
                fits[n], uncertain = fits.get(n, set()) | {holder}, uncertain + 1
            else:
                assert "belongs to" in said, said  # an uncertain change was made
            await asyncio.sleep(0.01)

    workers = [asyncio.create_task(work(n)) for n in range(AT_ONCE)]
    recovered = []
    for _ in range(3):
        await asyncio.sleep(1.0)
        (server,) = rig.servers()
        os.kill(server, signal.SIGKILL)
        began, seen = time.monotonic(), len(outcomes) + AT_ONCE
        await eventually(lambda: len(rig.servers()) == 1 and server not in rig.servers(), "another server")  # noqa: B023 - waited for here
        await eventually(lambda: any("now belongs" in answered(o) for o in outcomes[seen:]), "an answer")  # noqa: B023
        recovered.append(time.monotonic() - began)
    over.set()
    await asyncio.gather(*workers)
    assert max(recovered) < 6.0
    await rig.slack.settled(quiet=1.0, timeout=TAKEN_OVER)
    for n in range(AT_ONCE):
        listed = await rig.type(f"list {shown(n)}")
        assert any(f"Provided · P{holder} " in listed for holder in fits[n])
    gave = sum("gave" in text for n in range(AT_ONCE) for text in rig.said(f"p{n}"))
    assert acknowledged <= gave <= acknowledged + uncertain
    assert len(set(everything(rig))) == told(rig)
    assert len(rig.servers()) == 1
    assert await process.stop() == 0
    assert rig.servers() == []


async def test_two_processes_on_one_directory_share_one_server(rig: Rig) -> None:
    first = await rig.start()
    await rig.get(1)
    second = await rig.start(free_port())
    assert len(rig.servers()) == 1

    rig.slack.delivery.url = f"{second.url}/slack/events"
    assert shown(0) in await rig.type("")
    assert "now belongs to P1" in await rig.type(f"assign {shown(0)} @p1")
    rig.slack.delivery.url = f"{first.url}/slack/events"
    assert "Provided · P1" in await rig.type("")
    await eventually(lambda: rig.told("p1"), "a line to the holder")

    assert await first.stop() == 0
    assert len(rig.servers()) == 1
    rig.slack.delivery.url = f"{second.url}/slack/events"
    assert "now belongs to P2" in await rig.type(f"assign {shown(0)} @p2")
    await eventually(lambda: len(rig.told("p1")) == 2 and rig.told("p2"), "what the second one says")
    assert await second.stop() == 0
    assert rig.servers() == []


async def test_told_to_stop_under_load_it_cuts_off_nothing_and_loses_nothing(rig: Rig) -> None:
    process = await rig.start()
    await rig.get(AT_ONCE)
    rig.slack.faults.add("chat.postMessage", "ratelimited", times=4, retry_after=3)  # so that effects wait at the end
    answers: list[ActionResult] = []

    async def work(n: int) -> None:
        for turn in range(1_000_000):
            holder = turn % 2 * AT_ONCE // 2 + n % 4
            outcome = await rig.slack.command("ada", "#general", "/numbers", f"assign {shown(n)} @p{holder}")
            answers.append(outcome)
            if outcome.error:
                return

    workers = [asyncio.create_task(work(n)) for n in range(AT_ONCE)]
    await asyncio.sleep(1.0)
    began = time.monotonic()
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    assert time.monotonic() - began < STOP_TIMEOUT
    await asyncio.gather(*workers)
    assert rig.servers() == []

    done = [o for o in answers if not o.error]
    refused = [o for o in answers if o.error]
    assert len(done) > AT_ONCE
    assert {o.error for o in refused} == {"dispatch_failed"}  # the connection was refused: nobody waited in vain
    changes = sum("now belongs to" in answered(o) for o in done)
    again = await rig.start()
    # Each change takes the number from one and gives it to another; the first of each number only gives. One more of
    # them, and something was done whose answer was cut off.
    await eventually(lambda: told(rig) >= 2 * changes - AT_ONCE, "what was acknowledged before the end", TAKEN_OVER)
    await rig.slack.settled(quiet=2.0, timeout=TAKEN_OVER)
    assert told(rig) == 2 * changes - AT_ONCE
    assert len(set(everything(rig))) == told(rig)
    assert await again.stop() == 0


def everything(rig: Rig) -> list[str]:
    return [id for n in range(AT_ONCE) for id in rig.told(f"p{n}")]


def told(rig: Rig) -> int:
    return len(everything(rig))


async def test_a_second_signal_hastens(rig: Rig) -> None:
    process = await rig.start()
    await rig.get(1)
    rig.slack.faults.add("chat.postMessage", "hang", seconds=8.0)
    assert "now belongs" in await rig.type(f"assign {shown(0)} @p1")
    await asyncio.sleep(0.2)
    process.signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    process.signal(signal.SIGTERM)
    began = time.monotonic()
    assert await process.ended() == 0
    assert time.monotonic() - began < HASTY_TIMEOUT
    assert rig.servers() == []
