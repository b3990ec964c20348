"""`switchboard numbers import`."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from bot.cli import common
from bot.numbers_file import ImportedNumber, NumbersFileReader, RejectedLine
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from domain.numbers.number import Number
from domain.numbers.usage import limits
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.numbers.records import import_fields

BATCH: Final = 250

_WHY: Final = {
    "quota": "the account's numbers are all used: raise its limit, or delete others first",
    "number_of_another": "the number belongs to another account",
    "carrier_busy": "the carrier is just selling the number or taking it back: import the file again later",
    "stale": "somebody else changed the number just now: import the file again",
}


class _Report:
    def __init__(self) -> None:
        self.taken = 0
        self.same = 0
        self.refused = 0
        self.lines: list[str] = []  # the refused ones that are printed

    def refuse(self, line: int, why: str) -> None:
        self.refused += 1
        if self.refused <= common.SHOWN:
            self.lines.append(f"line {line}: {why}")

    def add(self, line: int, code: str | None) -> None:
        if code is None:
            self.taken += 1
        elif code == "same":
            self.same += 1
        else:
            self.refuse(line, _WHY.get(code, code))


def import_numbers(settings: Settings, account: str, file: str, *, dry_run: bool) -> int:
    """Import the file, print the refused lines and a summary, and return the exit status: 0 all taken, 1 some refused.

    Raises InputError if the account or the file as a whole can't be used; then nothing changes.
    """

    async def run() -> _Report:
        async with open_repositories(settings) as kept:
            snapshot = await common.get_calling_account(kept, account)
            with common.account_must_stay(account, "import the file again"):
                return await _import(kept, snapshot, Path(file), settings, dry_run)

    report = asyncio.run(run())
    common.echo_refused(report.lines, report.refused)
    rest = f"{report.same:,} already so, {report.refused:,} refused"
    common.echo_imported(account, report.taken, rest, dry_run=dry_run)
    return 1 if report.refused else 0


async def _import(
    kept: Repositories, snapshot: AccountSnapshot, path: Path, settings: Settings, dry_run: bool
) -> _Report:
    now = clock(settings)()
    before = {number.e164: number for number in await kept.numbers.all(snapshot)}
    reader = NumbersFileReader(
        path,
        snapshot.account,
        now,
        lambda who: common.resolve_person(snapshot.account, who),
        {e164: number.forwarding for e164, number in before.items()},
    )
    preview = _Preview(kept, snapshot, before) if dry_run else None
    report = _Report()
    with common.import_progress(reader.check()) as bar:
        for batch in _batches(reader.rows()):
            rows = [row for row in batch if isinstance(row, ImportedNumber)]
            numbers = [row.number for row in rows]
            if preview:
                codes = await preview.codes(numbers)
            else:
                codes = [code for _, code in await kept.numbers.import_rows(snapshot, numbers, now)]
            known = dict(zip((row.line for row in rows), codes, strict=True))
            for row in batch:
                if isinstance(row, RejectedLine):
                    report.refuse(row.line, row.why)
                else:
                    report.add(row.line, known[row.line])
            bar.update(len(batch))
    return report


class _Preview:
    """What `Numbers.import_rows` would answer, without a write."""

    def __init__(self, kept: Repositories, snapshot: AccountSnapshot, before: dict[str, Number]) -> None:
        self._kept = kept
        self._snapshot = snapshot
        self._numbers = dict(before)
        self._free = limits(snapshot.account).numbers - sum(number.counts for number in before.values())

    async def codes(self, numbers: Sequence[Number]) -> list[str | None]:
        owners = await asyncio.gather(
            *(self._kept.store.call("GET", keys.dir_number(number.e164)) for number in numbers)
        )
        return [self._code(number, owner) for number, owner in zip(numbers, owners, strict=True)]

    def _code(self, number: Number, owner: bytes | None) -> str | None:
        before = self._numbers.get(number.e164)
        if owner not in (None, self._snapshot.account.id.encode()):
            return "number_of_another"
        if before is not None and import_fields(before) == import_fields(number):
            return "same"
        grows = number.counts and not (before is not None and before.counts)
        if grows and self._free <= 0:
            return "quota"
        self._free -= grows
        self._numbers[number.e164] = number
        return None


def _batches(rows: Iterator[ImportedNumber | RejectedLine]) -> Iterator[list[ImportedNumber | RejectedLine]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
