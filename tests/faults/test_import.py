"""A million blocked numbers come in through the running bot while it answers, and it is killed in the middle."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from playground.slack.find import visible_text
from tests.faults.bot import Rig, answered, rigged
from tests.servers import eventually

pytestmark = pytest.mark.slow

NUMBERS: Final = 1_000_000
CHANNEL: Final = "#general"
KEEPS_UP: Final = 0.5  # seconds for 99 of 100 answers, on two cores that parse, import and serve at once


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as made:
        yield made


def told(rig: Rig) -> str:
    return "\n".join(rig.said("ada"))


async def blocklist(rig: Rig, text: str = "") -> str:
    return answered(await rig.slack.command("ada", CHANNEL, "/blocklist", text))


class Asking:
    """Somebody who lists the numbers again and again. `times`: what each answer took, s."""

    def __init__(self, rig: Rig) -> None:
        self.times: list[float] = []
        self._rig = rig
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Asking":
        self._task = asyncio.create_task(self._ask())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self) -> None:
        while True:
            began = time.perf_counter()
            await self._rig.type("", "robin")
            self.times.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)]


async def test_a_million_lines_while_it_answers_killed_in_the_middle(rig: Rig) -> None:
    process = await rig.start()
    file = "number\n" + "".join(f"+4412{n:08}\n" for n in range(NUMBERS))
    async with Asking(rig) as asking:
        await rig.slack.say("ada", "", "", files={"block.csv": file})
        await eventually(lambda: "New: 1,000,000 · there already: 0" in told(rig), "a preview", 40)
    assert asking.p99 < KEEPS_UP, f"{asking.p99 * 1000:.0f} ms, {len(asking.times)} answers"
    preview = rig.direct("ada")[-1]
    async with Asking(rig) as asking:
        pressed = await rig.slack.press("ada", preview, "Import")
        assert pressed.ok, pressed
        await asyncio.sleep(2.0)
    assert asking.p99 < KEEPS_UP, f"{asking.p99 * 1000:.0f} ms, {len(asking.times)} answers"
    process.kill()
    await rig.start()
    counted = await blocklist(rig)
    assert "imported number" in counted, "it was killed in the middle"
    assert "1,000,000" not in counted, "it was killed in the middle"
    await eventually(lambda: "Added: 1,000,000 · there already: 0" in _shown(rig), "the end of the import", 40)
    assert "1,000,000 imported numbers" in await blocklist(rig)
    assert "the number itself is blocked" in await blocklist(rig, "check +441200999999")
    assert "no rule is about it" in await blocklist(rig, "check +441201000000")


def _shown(rig: Rig) -> str:
    return "\n".join(visible_text(message) for message in rig.direct("ada"))
