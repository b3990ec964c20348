"""Records the commands of a bot to its store, and replays them by a bare client: the store's share of the time."""

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import hiredis

from store.server.scripts import FOLDER, load, script

CONNECTIONS: Final = 10
# Scripts that look for work or send, and so belong to no change.
_BESIDE: Final = tuple("outbox_beat outbox_due outbox_take outbox_settle outbox_release due_take post_note".split())

Command = list[bytes]


class Recorder:
    """A proxy between a bot and its store; `seen` holds the commands."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._beside = {script(f"engine/{name}").sha.encode() for name in _BESIDE}
        self.seen: list[Command] = []

    def taken(self) -> list[Command]:
        """The commands since the last call that belong to a change: its scripts, by their SHA-1."""
        found = list(self._of_changes())
        self.seen.clear()
        return found

    def _of_changes(self) -> Iterator[Command]:
        for name, *arguments in self.seen:
            if name in (b"EVAL", b"EVALSHA"):
                sha, *rest = arguments
                if name == b"EVAL":
                    sha = hashlib.sha1(sha, usedforsecurity=False).hexdigest().encode()
                if sha not in self._beside:
                    yield [b"EVALSHA", sha, *rest]

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
    """`CONNECTIONS` connections to a store, each of which sends the next command as soon as it has its reply."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._pairs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open(self) -> None:
        """Connect, and load the scripts."""
        self._pairs = [await asyncio.open_unix_connection(self._store) for _ in range(CONNECTIONS)]
        for path in FOLDER.glob("*/*.lua"):
            await self._ask(
                *self._pairs[0], [b"SCRIPT", b"LOAD", load(str(path.relative_to(FOLDER).with_suffix(""))).encode()]
            )

    async def replay(self, commands: Sequence[Command]) -> float:
        """Send the commands; return the seconds that they took. Raises RuntimeError for an error reply."""
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
