"""`switchboard blocklist import` and `export`."""

import asyncio
import secrets
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import click

from bot.cli.accounts import get_account
from bot.errors import InputError, OperationError
from bot.numbers_file import open_file
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from domain.blocklist import BlocklistEntry, Direction
from handlers.blocklist.csv_file import FRAME, Frame, export_lines, header, read_file, read_frame
from handlers.framework.ports import FileSummary, ImportContext
from store.blocklist.entries import LETTERS, Import
from store.blocklist.imports import PUT_AT_ONCE
from store.blocklist.numberset import ImportBatch
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.changes import Change

BY: Final = "import"  # nobody of the account
SHOWN: Final = 100  # refused lines that are printed
_AT_ONCE: Final = 1_000  # entries that are written at once
_WHY: Final = {
    "own": "the account's own number, or a start that covers one",
    "emergency": "an emergency number",
    "country": "the account's whole country",
}


def import_blocklist(settings: Settings, account: str, file: str, *, dry_run: bool, anyway: bool) -> int:
    """Imports, printing the refused lines and a summary. The exit status: 0 all taken, 1 some not.
    Raises Wrong where the account or the file as a whole can't be used; then nothing is changed."""

    async def run() -> int:
        async with open_repositories(settings) as kept:
            snapshot = await _account(kept, account)
            own = frozenset(await kept.numbers.owned(snapshot))
            asked = ImportContext(snapshot.account, own, BY, clock(settings)())
            with tempfile.TemporaryFile() as frames:
                holds = _read(Path(file), asked, frames)
                work = _Import(kept, snapshot, asked, holds, anyway=anyway, dry_run=dry_run)
                await work.run(frames)
            return _report(account, holds, work, dry_run=dry_run, anyway=anyway)

    return asyncio.run(run())


def export_blocklist(settings: Settings, account: str, file: str) -> int:
    """Writes the blocklist as CSV; "-" is standard output. Raises Wrong."""

    async def run() -> int:
        async with open_repositories(settings) as kept:
            snapshot = await _account(kept, account)
            if file == "-":
                await _write(kept, snapshot, sys.stdout.buffer, clock(settings)())
                return 0
            path = Path(file)
            half = path.with_name(f"{path.name}.part")  # whoever reads FILE finds all of it, or what was there before
            try:
                with half.open("wb") as out:
                    count = await _write(kept, snapshot, out, clock(settings)())
                half.replace(path)
            except OSError as error:
                raise InputError(f"{path}: can't be written: {error.strerror or error}") from None
            click.echo(f"{account}: {count:,} exported to {path}", err=True)
        return 0

    return asyncio.run(run())


async def _account(kept: Repositories, account: str) -> AccountSnapshot:
    snapshot = await get_account(kept, account)
    if not snapshot.account.calling:
        raise InputError(f"{snapshot.account.id} is on {snapshot.account.tier}, which has no calling")
    if not snapshot.account.features.blocklist:
        raise InputError(f"{snapshot.account.id} has no blocklist: its records say features: blocklist: false")
    return snapshot


def _read(path: Path, asked: ImportContext, frames: BinaryIO) -> FileSummary:
    """The whole file, understood, before anything is changed. Raises Wrong."""
    with open_file(path, asked.account) as source:
        for piece in read_file(source, asked):
            if isinstance(piece, FileSummary):
                return piece
            frames.write(piece)
    raise AssertionError("a digest ends with what it holds")


class _Import:
    """The frames of a file, one after the other. Done over again, it changes nothing."""

    def __init__(
        self,
        kept: Repositories,
        snapshot: AccountSnapshot,
        asked: ImportContext,
        holds: FileSummary,
        *,
        anyway: bool,
        dry_run: bool,
    ) -> None:
        self.added = self.there = 0
        self._kept = kept
        self._held = snapshot
        self._asked = asked
        self._holds = holds
        self._anyway = anyway
        self._dry_run = dry_run
        self._id = f"cli{secrets.token_hex(6)}"
        self._batches: dict[Direction, int] = {}

    async def run(self, frames: BinaryIO) -> None:
        frames.seek(0)
        bar = click.progressbar(
            length=self._holds.frames, label="Importing", file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        with bar:
            while data := frames.read(FRAME):
                frame = read_frame(data)
                if not frame.confirm or self._anyway:
                    await self._take(frame)
                bar.update(1)
        if not self._dry_run:
            for direction in self._batches:
                await self._record(direction, "done")

    async def _take(self, frame: Frame) -> None:
        while True:
            try:
                if self._dry_run:
                    await self._look(frame)
                elif frame.direction is not None:
                    await self._numbers(frame.direction, frame.numbers)
                else:
                    await self._entries(frame.entries)
            except AccountChanged:
                self._kept.accounts.forget(self._held.account.id)
                self._held = await _account(self._kept, self._held.account.id)
            else:
                return

    async def _look(self, frame: Frame) -> None:
        direction = frame.direction or Direction.BOTH
        there = await self._kept.uploads.count_present(self._held, frame.numbers, direction, frame.entries)
        self.there += there
        self.added += len(frame.numbers) + len(frame.entries) - there

    async def _numbers(self, direction: Direction, numbers: list[int]) -> None:
        batch = self._batches.get(direction, 0)
        if batch == 0:
            await self._record(direction, "running")
            await self._kept.blocklist.reserve(self._held, direction, self._holds.numbers[direction.value])
        done = await self._kept.blocklist.bulk(
            self._held, numbers, direction, ImportBatch(f"{self._id}{LETTERS[direction]}", batch)
        )
        self.added, self.there = self.added + done.added, self.there + done.there
        self._batches[direction] = batch + 1

    async def _entries(self, entries: list[BlocklistEntry]) -> None:
        for start in range(0, len(entries), PUT_AT_ONCE):
            new = await self._kept.blocklist.put(self._held, entries[start : start + PUT_AT_ONCE], self._asked.now)
            self.added, self.there = self.added + sum(new), self.there + len(new) - sum(new)

    async def _record(self, direction: Direction, state: str) -> None:
        made = Import.model_validate(
            {
                "schema": 1,
                "id": f"{self._id}{LETTERS[direction]}",
                "by": BY,
                "at": self._asked.now,
                "direction": direction,
                "expected": self._holds.numbers.get(direction.value, 0),
                "refused": self._holds.refused_count,
                "state": state,
            }
        )
        what = "block.importing" if state == "running" else "block.imported"
        await self._kept.blocklist.record(self._held, made, what, Change(None, BY, self._asked.now))


def _report(account: str, holds: FileSummary, work: _Import, *, dry_run: bool, anyway: bool) -> int:
    for line, text, why in holds.refused[:SHOWN]:
        click.echo(f"line {line}: {text}: {why}" if text else f"line {line}: {why}")
    if holds.refused_count > SHOWN:
        click.echo(f"… and {holds.refused_count - SHOWN:,} more lines refused")
    left = 0 if anyway else holds.confirm_count
    if left:
        for key, codes in holds.confirm:
            whose = " and ".join(_WHY[code] for code in codes.split(","))
            click.echo(f"{key.partition('|')[2]}: {whose}: only with --anyway")
        if left > len(holds.confirm):
            click.echo(f"… and {left - len(holds.confirm):,} more only with --anyway")
    done = "would be imported" if dry_run else "imported"
    click.echo(
        f"{account}: {work.added:,} {done}, {work.there:,} already there, {holds.refused_count:,} refused"
        + (f", {left:,} only with --anyway" if left else "")
        + (" (nothing changed: a dry run)" if dry_run else "")
    )
    return 1 if holds.refused_count or left else 0


async def _write(kept: Repositories, snapshot: AccountSnapshot, out: BinaryIO, now: datetime) -> int:
    count, some = 0, list[BlocklistEntry]()
    out.write(header().encode())
    try:
        async for entry in kept.blocklist.export(snapshot):
            if entry.live(now):
                some.append(entry)
            if len(some) >= _AT_ONCE:
                out.write(export_lines(some, snapshot.account).encode())
                count += len(some)
                some.clear()
    except AccountChanged:
        raise OperationError(f"{snapshot.account.id} was changed by somebody else meanwhile: export it again") from None
    out.write(export_lines(some, snapshot.account).encode())
    out.flush()
    return count + len(some)
