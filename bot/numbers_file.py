"""Provided numbers from a CSV file: read as a stream, each line taken or refused with the reason.

The header names the columns in any order: number, and where wanted assigned_to, forwarding, state and label. Comma,
semicolon or tab; UTF-8 with or without a byte order mark. What is wrong with the file as a whole (header, encoding,
size, an open quote) refuses the file before anything is changed; what is wrong with a line refuses the line.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TextIO

from bot.wrong import Wrong
from domain.accounts import Account, Person
from domain.numbers import Number, State, acquire, forward, parse, parse_label
from domain.refusal import Refusal
from handlers.refusals import sentence
from handlers.wording import Words

MAX_BYTES: Final = 50_000_000
MAX_LINES: Final = 200_000
MAX_CELL: Final = 2_000  # characters

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("phone number", "phone", "telephone", "tel", "e164", "did"),
    "assigned_to": ("assigned", "assignee", "person", "owner", "user", "email"),
    "forwarding": ("forwarding number", "forward to", "forwards to", "forward"),
    "state": ("status",),
    "label": ("name", "description", "note"),
}
_NAMES: Final = {alias: name for name, aliases in COLUMNS.items() for alias in (name.replace("_", " "), *aliases)}
_SHORTENED: Final = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_NOTHING: Final = frozenset({"", "-", "none", "off", "nobody"})
_STATES: Final = (State.ACTIVE, State.PENDING, State.PORTING)


@dataclass(frozen=True, slots=True)
class Row:
    """A line as the record it asks for."""

    line: int
    number: Number


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that can't be taken, and why, for who wrote it."""

    line: int
    why: str


@dataclass(slots=True)
class Reader:
    """One pass over a file for an account. `named` finds a person by what is written, or raises Wrong; `forwards`
    says where the account's numbers forward to already."""

    path: Path
    account: Account
    now: datetime
    named: Callable[[str], Person]
    forwards: Mapping[str, str | None] = field(default_factory=dict)
    _seen: dict[str, tuple[int, str | None]] = field(default_factory=dict, init=False)  # line, forwarding

    def check(self) -> int:
        """Lines under the header. Raises Wrong where the file as a whole can't be used."""
        return sum(1 for _ in self._lines())

    def rows(self) -> Iterator[Row | Refused]:
        """Each line that is not blank. Raises Wrong as `check`."""
        self._seen.clear()
        for line, cells in self._lines():
            try:
                number = self._number(cells)
                self._once(line, number)
            except Refusal as no:
                yield Refused(line, sentence(Words("en", UTC), self.account, no))
            except Wrong as wrong:
                yield Refused(line, str(wrong))
            else:
                yield Row(line, number)

    def _lines(self) -> Iterator[tuple[int, dict[str, str]]]:
        with _opened(self.path) as file:
            head = file.readline(MAX_CELL * 10)
            if not head.strip():
                raise Wrong(f"{self.path}:1: expected a header such as number,assigned_to,forwarding,state,label")
            separator = max(",;\t", key=head.count)
            columns = self._columns(next(csv.reader([head], delimiter=separator)))
            reader = csv.reader(file, delimiter=separator, strict=True)
            count, line = 0, 2
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        count += 1
                        if count > MAX_LINES:
                            raise Wrong(f"{self.path}:{line}: more than {MAX_LINES:,} lines: cut the file in two")
                        yield line, _row(cells, columns)
                    line = reader.line_num + 2
            except csv.Error as error:
                raise Wrong(f"{self.path}:{line}: can't be read as CSV: {error}") from None
            except UnicodeDecodeError:
                raise Wrong(f"{self.path}: not text in UTF-8; save it as 'CSV UTF-8'") from None

    def _columns(self, head: list[str]) -> list[str]:
        columns: list[str] = []
        for cell in head:
            written = " ".join(cell.replace("_", " ").split()).lower()
            name = _NAMES.get(written)
            if name is None:
                near = get_close_matches(written, _NAMES, n=1)
                hint = f'; did you mean "{_NAMES[near[0]]}"?' if near else f"; known are {', '.join(COLUMNS)}"
                raise Wrong(f'{self.path}:1: the column "{cell.strip()[:40]}" is not known{hint}')
            if name in columns:
                raise Wrong(f'{self.path}:1: the column "{name}" is there twice')
            columns.append(name)
        if "number" not in columns:
            raise Wrong(f'{self.path}:1: the column "number" is missing')
        return columns

    def _number(self, cells: Mapping[str, str]) -> Number:
        if cells[""]:
            raise Wrong("there are more cells than the header has columns: quote what holds a separator")
        for name, cell in cells.items():
            if cell.startswith("="):
                raise Wrong(f"{name} holds a formula ({cell[:20]}): expected the text itself")
            if len(cell) > MAX_CELL:
                raise Wrong(f"{name} is longer than {MAX_CELL} characters")
        region = self.account.country
        parsed = parse(_unspoiled(cells["number"]), region)
        if parsed.extension:
            raise Wrong("a provided number has no extension")
        who = cells.get("assigned_to", "")
        person = None if who.lower() in _NOTHING else self.named(who)
        number = acquire(parsed.e164, person, self.now, self.account)
        number = number.model_copy(update={"label": parse_label(cells.get("label", ""))})
        to = cells.get("forwarding", "")
        if to.lower() not in _NOTHING:
            target = parse(_unspoiled(to), region, "forwarding", special=True)
            goes = self._seen[target.e164][1] if target.e164 in self._seen else self.forwards.get(target.e164)
            forwarded = forward(number, target, self.now, goes)
            number = number.model_copy(
                update={"forwarding": forwarded.forwarding, "forwarding_extension": forwarded.forwarding_extension}
            )
        if state := cells.get("state", "").lower():
            if state not in _STATES:
                raise Wrong(f'the state must be {", ".join(_STATES[:-1])} or {_STATES[-1]}, not "{state[:40]}"')
            number = number.model_copy(update={"state": State(state)})
        return number

    def _once(self, line: int, number: Number) -> None:
        first = self._seen.get(number.e164)
        if first is not None:
            raise Wrong(f"the number is in line {first[0]} already")
        self._seen[number.e164] = (line, number.forwarding)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        if not path.is_file():
            raise Wrong(f"{path}: there is no such file" if not path.exists() else f"{path}: expected a file")
        if path.stat().st_size > MAX_BYTES:
            raise Wrong(f"{path}: the file is larger than {MAX_BYTES // 1_000_000} MB")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        raise Wrong(f"{path}: not text in UTF-8; save it as 'CSV UTF-8'") from None
    except OSError as error:
        raise Wrong(f"{path}: can't be read: {error.strerror or error}") from None


def _row(cells: list[str], columns: list[str]) -> dict[str, str]:
    """The cells by column, "" being those beyond the last column; what is missing at the end of a line is blank."""
    padded = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
    return {**dict(zip(columns, padded, strict=False)), "": "".join(padded[len(columns) :])}


def _unspoiled(text: str) -> str:
    """The text of a number, unless a spreadsheet has shortened it."""
    if _SHORTENED.fullmatch(text):
        raise Wrong(f"a spreadsheet shortened the number to {text}: format the column as text and export it again")
    return text.removeprefix("'")
