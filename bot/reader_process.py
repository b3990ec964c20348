"""Blocklist files are read in a process of their own, so that the bot answers meanwhile: one at a time, in time.

Its input: four bytes of length, the context as JSON, then the file in chunks, each after its length, and a length of
zero. Its output: `F` and a frame, any number of times; then `D`, four bytes of length and the summary as JSON, or `X`,
length and the file's error.
"""

import asyncio
import io
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress
from datetime import datetime
from struct import Struct
from typing import BinaryIO, Final

import orjson

from domain.accounts.account import Account
from handlers.blocklist.csv_file import FRAME, read_file, summary_from_data, summary_to_data
from handlers.framework.csv_table import BadFile
from handlers.framework.ports import FileSummary, ImportContext, Unavailable

SECONDS: Final = 180.0  # that one file may take
_SIZE: Final = Struct(">I")
_NICENESS: Final = 10
_AT_ONCE: Final = 1  # files


class FileReaderProcess:
    """`handlers.framework.ports.BlocklistReader`. Must be created in the event loop it runs in."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._seconds = seconds

    async def read(
        self, content: AsyncIterable[bytes], asked: ImportContext
    ) -> AsyncGenerator[bytes | FileSummary, None]:
        """As `handlers.blocklist.csv_file.read_file`. Raises BadFile, Unavailable after `seconds`, and what `content`
        raises."""
        async with self._room:
            limit = asyncio.timeout(self._seconds)
            try:
                async with limit, aclosing(_run(content, asked)) as pieces:
                    async for piece in pieces:
                        yield piece
            except TimeoutError:
                if not limit.expired():
                    raise
                raise Unavailable("the file took too long") from None


async def _run(content: AsyncIterable[bytes], asked: ImportContext) -> AsyncGenerator[bytes | FileSummary, None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.reader_process import main; main()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,  # Ctrl-C at a terminal is the bot's to deal with
        limit=2 * FRAME,
    )
    assert child.stdin is not None  # noqa: S101 - both are pipes
    assert child.stdout is not None  # noqa: S101
    feeding = asyncio.create_task(_feed(child.stdin, content, asked))
    try:
        while True:
            kind = await child.stdout.readexactly(1)
            if kind == b"F":
                yield await child.stdout.readexactly(FRAME)
                continue
            (size,) = _SIZE.unpack(await child.stdout.readexactly(_SIZE.size))
            data = orjson.loads(await child.stdout.readexactly(size))
            if kind == b"D":
                await feeding
                yield summary_from_data(data)
                return
            raise BadFile(data["code"], data["line"], **data["params"])
    except asyncio.IncompleteReadError:
        if feeding.done() and not feeding.cancelled() and (error := feeding.exception()) is not None:
            raise error from None
        raise Unavailable("the worker ended") from None
    finally:
        feeding.cancel()
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.gather(feeding, child.wait(), return_exceptions=True)


async def _feed(into: asyncio.StreamWriter, content: AsyncIterable[bytes], asked: ImportContext) -> None:
    """Write the context and the file. If `content` fails, close without the final zero: the reader fails too."""
    head = orjson.dumps(
        {
            "account": asked.account.model_dump_json(by_alias=True),
            "own": sorted(asked.own),
            "by": asked.by,
            "now": asked.now.isoformat(),
            "language": asked.language,
        }
    )
    ended = False
    try:
        into.write(_SIZE.pack(len(head)) + head)
        async for chunk in content:
            into.write(_SIZE.pack(len(chunk)) + chunk)
            await into.drain()
        into.write(_SIZE.pack(0))
        await into.drain()
        ended = True
    except (BrokenPipeError, ConnectionResetError):
        ended = True  # the process has refused the file before its end
    finally:
        if not ended:
            into.close()


# ── The process ─────────────────────────────────────────────────────────────────────────────────────────────────


class _ChunkReader(io.RawIOBase):
    """The chunks of the file. An end of input without a length of zero raises struct.error."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader gives it
        if not self._left and not self._ended:
            (size,) = _SIZE.unpack(self._source.read(_SIZE.size))
            self._left = self._source.read(size) if size else b""
            self._ended = not self._left
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def main() -> None:
    with suppress(OSError):
        os.nice(_NICENESS)
    source, out = sys.stdin.buffer, sys.stdout.buffer
    (size,) = _SIZE.unpack(source.read(_SIZE.size))
    head = orjson.loads(source.read(size))
    asked = ImportContext(
        Account.model_validate_json(head["account"]),
        frozenset(head["own"]),
        head["by"],
        datetime.fromisoformat(head["now"]),
        head["language"],
    )
    try:
        for piece in read_file(io.BufferedReader(_ChunkReader(source), FRAME), asked):
            if isinstance(piece, bytes):
                out.write(b"F" + piece)
                out.flush()
            else:
                _say(out, b"D", summary_to_data(piece))
    except BadFile as bad:
        _say(out, b"X", {"code": bad.code, "line": bad.line, "params": bad.params})


def _say(out: BinaryIO, kind: bytes, data: object) -> None:
    said = orjson.dumps(data)
    out.write(kind + _SIZE.pack(len(said)) + said)
    out.flush()
