"""Reads and writes a blocklist as a CSV file, for the chat and the command line.

Columns: `number` (a number, a prefix such as +4870*, or "anonymous"), `direction` (inbound, outbound, both; "allow" for
an exception), `reason`, `expires`. If the file has few lines, or a line has more than a number and a direction, the
entry records who, when and why; the other lines become bare numbers, many in one byte string.

A file is read into frames of one size, so that a job can continue at any of them: a header of five bytes (kind, length
of the content), the content, zeros. Numbers are eight bytes each, at most a batch of the store's per frame, so that a
frame is imported entirely or not at all. Entries are JSON, one per line.
"""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from struct import Struct
from typing import Any, BinaryIO, Final, Literal

from domain.accounts.account import Account
from domain.blocklist import (
    ANONYMOUS,
    BlocklistEntry,
    BlockTarget,
    Direction,
    EntryKind,
    allow_number,
    block,
    read_direction,
    read_expiry,
    read_target,
    warnings,
)
from domain.e164 import is_clearly_e164
from domain.policy import IMPORT_DETAILED, IMPORT_LINES
from domain.refusal import Refusal
from handlers.framework.csv_table import (
    Columns,
    cells_by_column,
    clean_number_cell,
    escape_cell,
    read_rows,
    unescape_cell,
)
from handlers.framework.ports import FileSummary, ImportContext
from handlers.framework.refusals import refusal_text
from handlers.wording import words_in
from store.blocklist.numberset import BATCH

COLUMNS: Final = Columns(
    {
        "number": ("phone number", "phone", "telephone", "tel", "e164", "caller", "prefix", "start"),
        "direction": ("calls",),
        "reason": ("why", "note", "comment", "description", "label"),
        "expires": ("until", "expiry", "expires on", "expires at", "valid until", "end"),
    }
)
FRAME: Final = 64 * 1024  # bytes; the size of a blob's chunk, so that each frame is one
REFUSED_KEPT: Final = 10_000  # refused lines in the report
CONFIRMED_KEPT: Final = 100  # lines to confirm in the summary
WRITTEN_KEPT: Final = 40  # characters of a refused line's number
ALLOW: Final = frozenset({"allow", "allowed", "exception"})
_ANONYMOUS: Final = frozenset({"anonymous", "withheld", "private"})
_HEAD: Final = Struct(">cI")
_ROOM: Final = FRAME - _HEAD.size

FrameKind = Literal["both", "inbound", "outbound", "entries", "confirm"]
_KINDS: Final[dict[FrameKind, bytes]] = {
    "both": b"n",
    "inbound": b"i",
    "outbound": b"o",
    "entries": b"e",
    "confirm": b"c",
}
_KINDS_BY_CODE: Final = {code: kind for kind, code in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a file: numbers (their digits as integers) of one direction, or entries if `direction` is None.
    `confirm`: entries that are imported only if the person confirms them."""

    direction: Direction | None
    numbers: list[int]
    entries: list[BlocklistEntry]
    confirm: bool = False


def read_frame(data: bytes) -> Frame:
    code, length = _HEAD.unpack_from(data)
    content, kind = data[_HEAD.size : _HEAD.size + length], _KINDS_BY_CODE[code]
    if kind in ("entries", "confirm"):
        entries = [BlocklistEntry.decode(line) for line in content.splitlines()]
        return Frame(None, [], entries, kind == "confirm")
    numbers = array("q")
    numbers.frombytes(content)
    return Frame(Direction(kind), numbers.tolist(), [])


class _Writer:
    """Collects numbers and entries into `frames`."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.counts: dict[str, int] = {}
        self._numbers: dict[Direction, array[int]] = {d: array("q") for d in Direction}
        self._lines: dict[FrameKind, list[bytes]] = {"entries": [], "confirm": []}
        self._sizes: dict[FrameKind, int] = {"entries": 0, "confirm": 0}

    def number(self, direction: Direction, value: int) -> None:
        numbers = self._numbers[direction]
        numbers.append(value)
        self.counts[direction.value] = self.counts.get(direction.value, 0) + 1
        if len(numbers) >= min(BATCH, _ROOM // 8):
            self._flush_numbers(direction)

    def entry(self, kind: FrameKind, entry: BlocklistEntry) -> None:
        line = entry.model_dump_json(by_alias=True, exclude_defaults=True).encode() + b"\n"
        if self._sizes[kind] + len(line) > _ROOM:
            self._flush_lines(kind)
        self._lines[kind].append(line)
        self._sizes[kind] += len(line)

    def end(self) -> None:
        for direction in Direction:
            self._flush_numbers(direction)
        for kind in ("entries", "confirm"):
            self._flush_lines(kind)

    def _flush_numbers(self, direction: Direction) -> None:
        if numbers := self._numbers[direction]:
            self._frame(direction.value, numbers.tobytes())
            self._numbers[direction] = array("q")

    def _flush_lines(self, kind: FrameKind) -> None:
        if self._lines[kind]:
            self._frame(kind, b"".join(self._lines[kind]))
            self._lines[kind], self._sizes[kind] = [], 0

    def _frame(self, kind: FrameKind, content: bytes) -> None:
        self.frames.append((_HEAD.pack(_KINDS[kind], len(content)) + content).ljust(FRAME, b"\0"))


def read_file(source: BinaryIO, context: ImportContext) -> Iterator[bytes | FileSummary]:
    """Yield the frames of a file as they fill up, and then the summary. Raises `csv_table.BadFile` at any line."""
    return _Reader(context).read(source)


class _Reader:
    def __init__(self, context: ImportContext) -> None:
        self._context = context
        self._words = words_in(context.language, UTC)
        self._out = _Writer()
        self._summary = FileSummary()
        self._numbers: dict[int, int] = {}  # line by digits, to find duplicates
        self._others: dict[str, int] = {}  # line by key of other entries
        self._few: list[tuple[int, Direction]] = []  # bare numbers, as long as the file may be a short one

    def read(self, source: BinaryIO) -> Iterator[bytes | FileSummary]:
        lines = read_rows(source, COLUMNS, IMPORT_LINES)
        _, columns = next(lines)
        at, width = columns.index("number"), len(columns)
        way = columns.index("direction") if "direction" in columns else None
        directions: dict[str, Direction] = {"": Direction.BOTH}
        own, summary, out = self._context.own, self._summary, self._out
        for line, cells in lines:
            summary.lines += 1
            text = cells[at] if at < len(cells) else ""
            direction_cell = cells[way] if way is not None and way < len(cells) else ""
            # Fast path for most lines: a number in E.164, and nothing else but perhaps a known direction.
            alone = len(cells) <= width and all(not c for i, c in enumerate(cells) if i not in (at, way))
            if alone and direction_cell in directions and is_clearly_e164(text) and text not in own:
                first = self._numbers.setdefault(int(text[1:]), line)
                if first != line:
                    self._refuse(line, text, Refusal("row_twice", "number", at=first))
                else:
                    summary.taken += 1
                    self._plain(int(text[1:]), directions[direction_cell])
            else:
                self._other(line, cells, columns, text)
                if way is not None and direction_cell not in directions and len(directions) < 20:
                    with suppress(Refusal):
                        directions[direction_cell] = read_direction(direction_cell)
            if out.frames:
                yield from self._full()
        if summary.lines <= IMPORT_DETAILED:
            for value, direction in self._few:
                out.entry("entries", self._detailed(value, direction))
        else:
            self._spill()
        summary.detailed = summary.lines <= IMPORT_DETAILED
        out.end()
        summary.numbers = out.counts
        yield from self._full()
        yield summary

    def _full(self) -> Iterator[bytes]:
        self._summary.frames += len(self._out.frames)
        yield from self._out.frames
        self._out.frames.clear()

    def _plain(self, value: int, direction: Direction) -> None:
        if self._summary.lines <= IMPORT_DETAILED:
            self._few.append((value, direction))
            return
        self._spill()
        self._out.number(direction, value)

    def _spill(self) -> None:
        for value, direction in self._few:
            self._out.number(direction, value)
        self._few.clear()

    def _detailed(self, value: int, direction: Direction) -> BlocklistEntry:
        number = BlockTarget(EntryKind.NUMBER, f"+{value}")
        context = self._context
        return block(context.account, number, context.by, context.now, direction=direction, source="import")

    def _other(self, line: int, cells: list[str], columns: list[str], text: str) -> None:
        """Read a line that has more than a number, or a number in another form."""
        try:
            entry = self._entry(cells_by_column(cells, columns))
            self._once(line, entry)
        except Refusal as no:
            self._refuse(line, text, no)
            return
        summary, context = self._summary, self._context
        codes = warnings(context.account, context.own, entry) if entry.kind is not EntryKind.ALLOW else ()
        if codes:
            summary.confirm_count += 1
            if len(summary.confirm) < CONFIRMED_KEPT:
                summary.confirm.append((entry.key, ",".join(codes)))
            self._out.entry("confirm", entry)
            return
        summary.taken += 1
        bare = (
            entry.kind is EntryKind.NUMBER and not entry.reason and entry.until is None and is_clearly_e164(entry.value)
        )
        if bare:
            self._plain(int(entry.digits), entry.direction)
        else:
            self._out.entry("entries", entry)

    def _once(self, line: int, entry: BlocklistEntry) -> None:
        if entry.kind is EntryKind.NUMBER and entry.value.startswith("+"):
            first = self._numbers.setdefault(int(entry.digits), line)
        else:
            first = self._others.setdefault(entry.key, line)
        if first != line:
            raise Refusal("row_twice", "number", at=first)

    def _entry(self, cells: dict[str, str]) -> BlocklistEntry:
        account, by, now = self._context.account, self._context.by, self._context.now
        text = clean_number_cell(cells["number"])
        if text.casefold() in _ANONYMOUS:
            target = ANONYMOUS
        else:
            target = BlockTarget(EntryKind.NUMBER, text) if is_clearly_e164(text) else read_target(text, account)
        reason, until = unescape_cell(cells.get("reason", "")), self._until(cells.get("expires", ""))
        way = cells.get("direction", "")
        if way.casefold() in ALLOW:
            entry = allow_number(target, by, now, reason=reason, until=until)
            return entry.model_copy(update={"source": "import"})
        direction = read_direction(way)
        return block(account, target, by, now, direction=direction, reason=reason, until=until, source="import")

    def _until(self, text: str) -> datetime | None:
        """Parse an expiry as people write it, or as an export does: ISO 8601 with a time."""
        if len(text) > 10 and text[4:5] == "-" and "T" in text:
            try:
                until = datetime.fromisoformat(text)
            except ValueError:
                raise Refusal("block_expires_unread", "expires") from None
            until = until if until.tzinfo else until.replace(tzinfo=self._context.account.zone)
            if until <= self._context.now:
                raise Refusal("block_expires_past", "expires")
            return until
        return read_expiry(text, self._context.account, self._context.now)

    def _refuse(self, line: int, text: str, no: Refusal) -> None:
        self._summary.refused_count += 1
        if len(self._summary.refused) < REFUSED_KEPT:
            why = refusal_text(self._words, self._context.account, no)
            self._summary.refused.append((line, text.strip()[:WRITTEN_KEPT], why))


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def header() -> str:
    """The first line of an export, with the byte order mark by which spreadsheets recognise UTF-8."""
    return "\ufeff" + ",".join(COLUMNS.known) + "\r\n"


def export_lines(entries: Iterable[BlocklistEntry], account: Account) -> str:
    """Entries as lines of a file, which `read_file` reads back unchanged. Texts of people are escaped; numbers and
    prefixes are not, since "+", digits and "*" are no formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    for entry in entries:
        number = {EntryKind.ANONYMOUS: "anonymous", EntryKind.PREFIX: f"{entry.value}*"}.get(entry.kind, entry.value)
        way = "allow" if entry.kind is EntryKind.ALLOW else entry.direction.value
        writer.writerow((number, way, escape_cell(entry.reason), _ends(entry.until, account)))
    return out.getvalue()


def refused_lines(refused: Iterable[tuple[int, str, str]], head: tuple[str, str, str]) -> str:
    """The refused lines as a CSV file."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(head)
    for line, text, why in refused:
        writer.writerow((line, escape_cell(text), escape_cell(why)))
    return out.getvalue()


def _ends(until: datetime | None, account: Account) -> str:
    """A date if the entry expires at the end of a day in the account's time zone, else the moment in UTC."""
    if until is None:
        return ""
    local = until.astimezone(account.zone)
    if local.time() == time():
        return (local - timedelta(days=1)).date().isoformat()
    return until.astimezone(UTC).isoformat()


def summary_to_data(digest: FileSummary) -> dict[str, Any]:
    return {name: getattr(digest, name) for name in FileSummary.__slots__}


def summary_from_data(data: dict[str, Any]) -> FileSummary:
    summary = FileSummary(**data)
    summary.confirm = [(key, codes) for key, codes in summary.confirm]
    summary.refused = [(line, text, why) for line, text, why in summary.refused]
    return summary
