"""`switchboard blocklist import` and `export`."""

import asyncio
import secrets
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import click

from bot.cli import common
from bot.errors import InputError
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
from store.engine.commit import Change

BY: Final = "import"  # nobody of the account
_EXPORT_BATCH: Final = 1_000  # entries of an export that are written at once
_WHY: Final = {
    "own": "the account's own number, or a start that covers one",
    "emergency": "an emergency number",
    "country": "the account's whole country",
}


def import_blocklist(settings: Settings, account: str, file: str, *, dry_run: bool, anyway: bool) -> int:
    """Import the file, print the refused lines and a summary, and return the exit status: 0 all taken, 1 some not.

    Raises InputError if the account or the file as a whole can't be used; then nothing changes.
    """

    async def run() -> int:
        async with open_repositories(settings) as kept:
            snapshot = await _account(kept, account)
            own = frozenset(await kept.numbers.owned(snapshot))
            context = ImportContext(snapshot.account, own, BY, clock(settings)())
            with tempfile.TemporaryFile() as frames:
                summary = _read(Path(file), context, frames)
                importer = _Importer(kept, snapshot, context, summary, anyway=anyway, dry_run=dry_run)
                await importer.run(frames)
            return _report(account, summary, importer, dry_run=dry_run, anyway=anyway)

    return asyncio.run(run())


def export_blocklist(settings: Settings, account: str, file: str) -> None:
    """Write the blocklist as CSV; "-" is standard output. Raises InputError, OperationError."""

    async def run() -> None:
        async with open_repositories(settings) as kept:
            snapshot = await _account(kept, account)
            await common.export_to(file, account, lambda out: _write(kept, snapshot, out, clock(settings)()))

    asyncio.run(run())


async def _account(kept: Repositories, account: str) -> AccountSnapshot:
    snapshot = await common.get_calling_account(kept, account)
    if not snapshot.account.features.blocklist:
        raise InputError(f"{snapshot.account.id} has no blocklist: its records say features: blocklist: false")
    return snapshot


def _read(path: Path, context: ImportContext, frames: BinaryIO) -> FileSummary:
    """Read the whole file, before anything changes: its frames go to `frames`. Raises InputError."""
    with open_file(path, context.account) as source:
        for piece in read_file(source, context):
            if isinstance(piece, FileSummary):
                return piece
            frames.write(piece)
    raise AssertionError("a digest ends with what it holds")


class _Importer:
    """Takes the frames of a file, one after the other. Repeating it changes nothing."""

    def __init__(
        self,
        kept: Repositories,
        snapshot: AccountSnapshot,
        context: ImportContext,
        summary: FileSummary,
        *,
        anyway: bool,
        dry_run: bool,
    ) -> None:
        self.added = self.present = 0
        self._kept = kept
        self._snapshot = snapshot
        self._context = context
        self._summary = summary
        self._anyway = anyway
        self._dry_run = dry_run
        self._id = f"cli{secrets.token_hex(6)}"
        self._batches: dict[Direction, int] = {}

    async def run(self, frames: BinaryIO) -> None:
        frames.seek(0)
        with common.import_progress(self._summary.frames) as bar:
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
                self._kept.accounts.forget(self._snapshot.account.id)
                self._snapshot = await _account(self._kept, self._snapshot.account.id)
            else:
                return

    async def _look(self, frame: Frame) -> None:
        direction = frame.direction or Direction.BOTH
        present = await self._kept.uploads.count_present(self._snapshot, frame.numbers, direction, frame.entries)
        self.present += present
        self.added += len(frame.numbers) + len(frame.entries) - present

    async def _numbers(self, direction: Direction, numbers: list[int]) -> None:
        batch = self._batches.get(direction, 0)
        if batch == 0:
            await self._record(direction, "running")
            await self._kept.blocklist.reserve(self._snapshot, direction, self._summary.numbers[direction.value])
        done = await self._kept.blocklist.bulk(
            self._snapshot, numbers, direction, ImportBatch(f"{self._id}{LETTERS[direction]}", batch)
        )
        self.added, self.present = self.added + done.added, self.present + done.there
        self._batches[direction] = batch + 1

    async def _entries(self, entries: list[BlocklistEntry]) -> None:
        for start in range(0, len(entries), PUT_AT_ONCE):
            new = await self._kept.blocklist.put(
                self._snapshot, entries[start : start + PUT_AT_ONCE], self._context.now
            )
            self.added, self.present = self.added + sum(new), self.present + len(new) - sum(new)

    async def _record(self, direction: Direction, state: str) -> None:
        made = Import.model_validate(
            {
                "schema": 1,
                "id": f"{self._id}{LETTERS[direction]}",
                "by": BY,
                "at": self._context.now,
                "direction": direction,
                "expected": self._summary.numbers.get(direction.value, 0),
                "refused": self._summary.refused_count,
                "state": state,
            }
        )
        what = "block.importing" if state == "running" else "block.imported"
        await self._kept.blocklist.record(self._snapshot, made, what, Change(None, BY, self._context.now))


def _report(account: str, summary: FileSummary, importer: _Importer, *, dry_run: bool, anyway: bool) -> int:
    lines = [f"line {line}: {text}: {why}" if text else f"line {line}: {why}" for line, text, why in summary.refused]
    common.echo_refused(lines, summary.refused_count)
    left = 0 if anyway else summary.confirm_count
    if left:
        for key, codes in summary.confirm:
            whose = " and ".join(_WHY[code] for code in codes.split(","))
            click.echo(f"{key.partition('|')[2]}: {whose}: only with --anyway")
        if left > len(summary.confirm):
            click.echo(f"… and {left - len(summary.confirm):,} more only with --anyway")
    rest = f"{importer.present:,} already there, {summary.refused_count:,} refused"
    rest += f", {left:,} only with --anyway" if left else ""
    common.echo_imported(account, importer.added, rest, dry_run=dry_run)
    return 1 if summary.refused_count or left else 0


async def _write(kept: Repositories, snapshot: AccountSnapshot, out: BinaryIO, now: datetime) -> int:
    count, some = 0, list[BlocklistEntry]()
    out.write(header().encode())
    with common.account_must_stay(snapshot.account.id, "export it again"):
        async for entry in kept.blocklist.export(snapshot):
            if entry.live(now):
                some.append(entry)
            if len(some) >= _EXPORT_BATCH:
                out.write(export_lines(some, snapshot.account).encode())
                count += len(some)
                some.clear()
    out.write(export_lines(some, snapshot.account).encode())
    out.flush()
    return count + len(some)
