"""A blocklist as a CSV file: what stands in one, and what one is made of; for the chat and the command line.

Columns: `number` (a number, a start such as +4870*, or "anonymous"), `direction` (inbound, outbound, both; "allow" for
an exception), `reason`, `expires`. Where the file has few lines, or a line says more than its number and direction, the
entry keeps who, when and why; the rest are numbers alone, many to a byte string.

A file is read into frames of one size, so that a job can go on at any of them: five bytes of head (kind, length of what
follows), the content, zeros. Numbers are eight bytes each, at most a batch of the store's: what a frame does is done or
not, nothing between. Entries are JSON, one a line.
"""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator
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
FRAME: Final = 64 * 1024  # bytes; as large as a chunk of a blob, so that one is the other
REFUSED_KEPT: Final = 10_000  # refused lines that are told of
CONFIRMED_KEPT: Final = 100  # lines that need a second yes and are told of
WRITTEN_KEPT: Final = 40  # characters of what stood there
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
_WHATS: Final = {code: what for what, code in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a file. `numbers`: digits as integers, of a direction; else entries. `confirm`: only with a yes."""

    direction: Direction | None
    numbers: list[int]
    entries: list[BlocklistEntry]
    confirm: bool = False


def read_frame(data: bytes) -> Frame:
    code, length = _HEAD.unpack_from(data)
    content, what = data[_HEAD.size : _HEAD.size + length], _WHATS[code]
    if what in ("entries", "confirm"):
        entries = [BlocklistEntry.decode(line) for line in content.splitlines()]
        return Frame(None, [], entries, what == "confirm")
    numbers = array("q")
    numbers.frombytes(content)
    return Frame(Direction(what), numbers.tolist(), [])


class _Writer:
    """Fills frames; hands over those that are full."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.counts: dict[str, int] = {}
        self._numbers: dict[Direction, array[int]] = {d: array("q") for d in Direction}
        self._lines: dict[FrameKind, list[bytes]] = {"entries": [], "confirm": []}
        self._sizes: dict[FrameKind, int] = {"entries": 0, "confirm": 0}

    def number(self, direction: Direction, value: int) -> None:
        kept = self._numbers[direction]
        kept.append(value)
        self.counts[direction.value] = self.counts.get(direction.value, 0) + 1
        if len(kept) >= min(BATCH, _ROOM // 8):
            self._flush_numbers(direction)

    def entry(self, what: FrameKind, entry: BlocklistEntry) -> None:
        line = entry.model_dump_json(by_alias=True, exclude_defaults=True).encode() + b"\n"
        if self._sizes[what] + len(line) > _ROOM:
            self._flush_lines(what)
        self._lines[what].append(line)
        self._sizes[what] += len(line)

    def end(self) -> None:
        for direction in Direction:
            self._flush_numbers(direction)
        for what in ("entries", "confirm"):
            self._flush_lines(what)

    def _flush_numbers(self, direction: Direction) -> None:
        if kept := self._numbers[direction]:
            self._frame(direction.value, kept.tobytes())
            self._numbers[direction] = array("q")

    def _flush_lines(self, what: FrameKind) -> None:
        if self._lines[what]:
            self._frame(what, b"".join(self._lines[what]))
            self._lines[what], self._sizes[what] = [], 0

    def _frame(self, what: FrameKind, content: bytes) -> None:
        self.frames.append((_HEAD.pack(_KINDS[what], len(content)) + content).ljust(FRAME, b"\0"))


def read_file(source: BinaryIO, asked: ImportContext) -> Iterator[bytes | FileSummary]:
    """The frames of a file as they fill, and at the end what it holds. Raises `table.BadFile`, in the middle too."""
    return _Reading(asked).read(source)


class _Reading:
    def __init__(self, asked: ImportContext) -> None:
        self._asked = asked
        self._words = words_in(asked.language, UTC)
        self._out = _Writer()
        self._found = FileSummary()
        self._numbers: dict[int, int] = {}  # digits to line: what is there twice is taken once
        self._others: dict[str, int] = {}
        self._few: list[tuple[int, Direction]] = []  # numbers alone, while the file may still be a short one

    def read(self, source: BinaryIO) -> Iterator[bytes | FileSummary]:
        lines = read_rows(source, COLUMNS, IMPORT_LINES)
        _, columns = next(lines)
        at, width = columns.index("number"), len(columns)
        way = columns.index("direction") if "direction" in columns else None
        directions: dict[str, Direction] = {"": Direction.BOTH}
        own, found, out = self._asked.own, self._found, self._out
        for line, cells in lines:
            found.lines += 1
            text = cells[at] if at < len(cells) else ""
            said = cells[way] if way is not None and way < len(cells) else ""
            # What most lines of most files are: a number in E.164, and nothing else but perhaps a known direction.
            alone = len(cells) <= width and all(not c for i, c in enumerate(cells) if i not in (at, way))
            if alone and said in directions and is_clearly_e164(text) and text not in own:
                first = self._numbers.setdefault(int(text[1:]), line)
                if first != line:
                    self._refuse(line, text, Refusal("row_twice", "number", at=first))
                else:
                    found.taken += 1
                    self._plain(int(text[1:]), directions[said])
            else:
                self._other(line, cells, columns, text)
                if way is not None and said not in directions and len(directions) < 20:
                    self._learn(said, directions)
            if out.frames:
                yield from self._full()
        if found.lines <= IMPORT_DETAILED:
            for value, direction in self._few:
                out.entry("entries", self._detailed(value, direction))
        else:
            self._spill()
        found.detailed = found.lines <= IMPORT_DETAILED
        out.end()
        found.numbers = out.counts
        yield from self._full()
        yield found

    def _full(self) -> Iterator[bytes]:
        self._found.frames += len(self._out.frames)
        yield from self._out.frames
        self._out.frames.clear()

    def _plain(self, value: int, direction: Direction) -> None:
        if self._found.lines <= IMPORT_DETAILED:
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
        asked = self._asked
        return block(asked.account, number, asked.by, asked.now, direction=direction, source="import")

    @staticmethod
    def _learn(said: str, directions: dict[str, Direction]) -> None:
        try:
            directions[said] = read_direction(said)
        except Refusal:
            return

    def _other(self, line: int, cells: list[str], columns: list[str], text: str) -> None:
        """A line that says more than a number, or says it in another way."""
        try:
            entry = self._entry(cells_by_column(cells, columns))
            self._once(line, entry)
        except Refusal as no:
            self._refuse(line, text, no)
            return
        found, asked = self._found, self._asked
        codes = warnings(asked.account, asked.own, entry) if entry.kind is not EntryKind.ALLOW else ()
        if codes:
            found.confirm_count += 1
            if len(found.confirm) < CONFIRMED_KEPT:
                found.confirm.append((entry.key, ",".join(codes)))
            self._out.entry("confirm", entry)
            return
        found.taken += 1
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
        account, by, now = self._asked.account, self._asked.by, self._asked.now
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
        """As people write it, or to the second as an export does."""
        if len(text) > 10 and text[4:5] == "-" and "T" in text:
            try:
                until = datetime.fromisoformat(text)
            except ValueError:
                raise Refusal("block_expires_unread", "expires") from None
            until = until if until.tzinfo else until.replace(tzinfo=self._asked.account.zone)
            if until <= self._asked.now:
                raise Refusal("block_expires_past", "expires")
            return until
        return read_expiry(text, self._asked.account, self._asked.now)

    def _refuse(self, line: int, text: str, no: Refusal) -> None:
        self._found.refused_count += 1
        if len(self._found.refused) < REFUSED_KEPT:
            why = refusal_text(self._words, self._asked.account, no)
            self._found.refused.append((line, text.strip()[:WRITTEN_KEPT], why))


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def header() -> str:
    """The first line of an export, with the mark that tells spreadsheets of UTF-8."""
    return "\ufeff" + ",".join(COLUMNS.known) + "\r\n"


def export_lines(entries: Iterable[BlocklistEntry], account: Account) -> str:
    """Entries as lines of a file, which `read_file` reads back as they are. What people wrote is defused; numbers and
    starts are digits, a plus and a star, which do nothing in a spreadsheet, and stay as they are."""
    out = io.StringIO()
    writer = csv.writer(out)
    for entry in entries:
        number = {EntryKind.ANONYMOUS: "anonymous", EntryKind.PREFIX: f"{entry.value}*"}.get(entry.kind, entry.value)
        way = "allow" if entry.kind is EntryKind.ALLOW else entry.direction.value
        writer.writerow((number, way, escape_cell(entry.reason), _ends(entry.until, account)))
    return out.getvalue()


def refused_lines(refused: Iterable[tuple[int, str, str]], head: tuple[str, str, str]) -> str:
    """The lines that were not taken, as a file to look through."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(head)
    for line, text, why in refused:
        writer.writerow((line, escape_cell(text), escape_cell(why)))
    return out.getvalue()


def _ends(until: datetime | None, account: Account) -> str:
    """A date where the entry lasts to the end of one, else the moment."""
    if until is None:
        return ""
    local = until.astimezone(account.zone)
    if local.time() == time():
        return (local - timedelta(days=1)).date().isoformat()
    return until.astimezone(UTC).isoformat()


def summary_to_data(digest: FileSummary) -> dict[str, Any]:
    return {name: getattr(digest, name) for name in FileSummary.__slots__}


def summary_from_data(data: dict[str, Any]) -> FileSummary:
    made = FileSummary(**data)
    made.confirm = [(key, codes) for key, codes in made.confirm]
    made.refused = [(line, text, why) for line, text, why in made.refused]
    return made
