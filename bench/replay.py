"""What a bot asks of its store, recorded on the way, and asked again by a bare client: the steps on the store without
anything around them."""

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import hiredis

from store.server.scripts import FOLDER, load

CONNECTIONS: Final = 10
# What only looks for work or sends: it comes beside a change, not of it.
_BESIDE: Final = (
    "outbox_beat",
    "outbox_due",
    "outbox_take",
    "outbox_settle",
    "outbox_release",
    "due_take",
    "post_note",
)

Command = list[bytes]


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Recorder:
    """Between a bot and its store; what went by stands in `seen`."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._beside = {_sha(load(name)).encode() for name in _BESIDE}
        self.seen: list[Command] = []

    def taken(self) -> list[Command]:
        """What went by since the last time and belongs to a change: its scripts, and the ticket's number."""
        found = list(self._of_changes())
        self.seen.clear()
        return found

    def _of_changes(self) -> Iterator[Command]:
        for command in self.seen:
            whole = command[0] == b"EVAL"
            known = [b"EVALSHA", _sha(command[1].decode()).encode(), *command[2:]] if whole else command
            if (known[0] == b"EVALSHA" and known[1] not in self._beside) or known[0] == b"INCR":
                yield known

    @asynccontextmanager
    async def listening(self, path: Path) -> Any:
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield f"unix://{path}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(self._store)
        parser = hiredis.Reader()

        async def up() -> None:
            while data := await reader.read(1 << 16):
                ours.write(data)
                parser.feed(data)
                while (command := parser.gets()) is not False:
                    self.seen.append(command)
            ours.close()

        async def down() -> None:
            while data := await theirs.read(1 << 16):
                writer.write(data)
            writer.close()

        await asyncio.gather(up(), down(), return_exceptions=True)


class Bare:
    """Ten connections to a store, each asking again as soon as it was answered."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._pairs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open(self) -> None:
        """Connects, and tells the server the scripts."""
        self._pairs = [await asyncio.open_unix_connection(self._store) for _ in range(CONNECTIONS)]
        for path in FOLDER.glob("*/*.lua"):
            await self._ask(
                *self._pairs[0], [b"SCRIPT", b"LOAD", load(str(path.relative_to(FOLDER).with_suffix(""))).encode()]
            )

    async def replay(self, commands: Sequence[Command]) -> float:
        """Seconds that they took. Raises RuntimeError where the store answers with an error."""
        left = iter(commands)

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for command in left:
                await self._ask(reader, writer, command)

        began = time.perf_counter()
        await asyncio.gather(*(one(*pair) for pair in self._pairs))
        return time.perf_counter() - began

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: Command) -> None:
        writer.write(hiredis.pack_command(tuple(command)))  # type: ignore[arg-type] # declared as a tuple of one
        parser = hiredis.Reader()
        while (reply := parser.gets()) is False:
            parser.feed(await reader.read(1 << 16))
        if isinstance(reply, Exception):
            raise RuntimeError(f"{command[:2]!r}: {reply}")  # noqa: TRY004 # no type is wrong: it is an answer

    def close(self) -> None:
        for _, writer in self._pairs:
            writer.close()
