"""The process that reads files: what it gives, what it refuses, how it ends; and who is answered meanwhile."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.reader_process import FileReaderProcess
from handlers.blocklist.csv_file import read_frame
from handlers.framework.csv_table import BadFile
from handlers.framework.ports import FileGone, FileSummary, ImportContext, Unavailable
from tests.handlers.world import company

ASKED = ImportContext(company(), frozenset({"+442079460900"}), "ada", datetime(2026, 11, 26, tzinfo=UTC))
DELAY = 0.05  # seconds that somebody else may wait


async def chunks(*parts: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def read(worker: FileReaderProcess, content: AsyncIterator[bytes]) -> tuple[list[int], FileSummary]:
    numbers: list[int] = []
    async with aclosing(worker.read(content, ASKED)) as pieces:
        async for piece in pieces:
            if isinstance(piece, FileSummary):
                return numbers, piece
            frame = read_frame(piece)
            numbers += [*frame.numbers, *(int(entry.digits) for entry in frame.entries)]
    raise AssertionError("no digest came")


def children() -> set[str]:
    """Processes of ours."""
    return {
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and f"PPid:\t{os.getpid()}\n" in _status(entry)
    }


def _status(entry: Path) -> str:
    try:
        return (entry / "status").read_text()
    except OSError:
        return ""


def lines(count: int) -> Iterable[bytes]:
    yield b"number\n"
    for start in range(0, count, 5_000):
        yield "".join(f"+4412{n:08}\n" for n in range(start, start + 5_000)).encode()


async def test_what_stands_in_a_file_comes_back_however_it_is_cut() -> None:
    text = "number,reason\n0121 496 0777,überall\n+442079460900,\nhello,\n".encode()
    for size in (1, 7, 1000):
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        numbers, found = await read(FileReaderProcess(), chunks(*parts))
        assert numbers == [441214960777, 442079460900]
        assert (found.taken, found.confirm_count, found.refused_count) == (1, 1, 1)
        assert found.confirm == [("number|+442079460900", "own")]


async def test_a_wrong_file_is_refused_as_in_this_process() -> None:
    with pytest.raises(BadFile) as wrong:
        await read(FileReaderProcess(), chunks(b"nummber\n", b"x" * 100_000))
    assert (wrong.value.code, wrong.value.params["near"]) == ("file_column_near", "number")


@pytest.mark.parametrize("problem", [FileGone(), Unavailable("slow")])
async def test_half_a_file_is_none(problem: Exception) -> None:
    with pytest.raises(type(problem)):
        await read(FileReaderProcess(), chunks(b"number\n+441214960777\n", then=problem))


async def test_it_ends_with_whoever_asked_and_after_its_time() -> None:
    before = children()

    async def never() -> AsyncIterator[bytes]:
        yield b"number\n"
        await asyncio.sleep(60)

    with pytest.raises(Unavailable):
        await read(FileReaderProcess(seconds=1.0), never())
    task = asyncio.create_task(read(FileReaderProcess(), never()))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before


@pytest.mark.slow
async def test_others_have_their_turn_while_a_long_file_is_read() -> None:
    waits: list[float] = []

    async def others() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            waits.append(time.perf_counter() - began - 0.005)

    task = asyncio.create_task(others())
    numbers, found = await read(FileReaderProcess(), chunks(*lines(300_000)))
    task.cancel()
    assert (len(numbers), found.taken) == (300_000, 300_000)
    assert sorted(waits)[int(len(waits) * 0.99)] < DELAY
