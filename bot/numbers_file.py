"""Provided numbers from a CSV file, read as a stream; each line is taken or refused with the reason.

The header names the columns in any order: number, and optionally assigned_to, forwarding, state and the texts of a
number (`domain.numbers.fields`). Comma, semicolon or tab; UTF-8 with or without a byte order mark. A mistake in the
file as a whole (header, encoding, size, an open quote) refuses the file before anything changes.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from bot.errors import InputError
from domain.accounts.account import Account, Person
from domain.numbers.fields import FIELDS, parse_fields
from domain.numbers.number import Number, NumberState, acquire, forward
from domain.phone import parse
from domain.refusal import Refusal
from handlers.framework.csv_table import MAX_BYTES, BadFile, Columns, cells_by_column, clean_number_cell, read_rows
from handlers.framework.refusals import refusal_text
from handlers.wording import Words

MAX_LINES: Final = 200_000

COLUMNS: Final = Columns(
    {
        "number": ("phone number", "phone", "telephone", "tel", "e164", "did"),
        "assigned_to": ("assigned", "assignee", "person", "owner", "user", "email"),
        "forwarding": ("forwarding number", "forward to", "forwards to", "forward"),
        "state": ("status",),
        **{field.name: field.columns for field in FIELDS},
    }
)
_NOTHING: Final = frozenset({"", "-", "none", "off", "nobody"})
_STATES: Final = (NumberState.ACTIVE, NumberState.PENDING, NumberState.PORTING)


@dataclass(frozen=True, slots=True)
class ImportedNumber:
    """A line and the number that it describes."""

    line: int
    number: Number


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that is refused, and why, for its author."""

    line: int
    why: str


@dataclass(slots=True)
class NumbersFileReader:
    """One pass over a file for an account.

    Args:
        find_person: returns the person whom a cell names, or raises InputError.
        forwards: where the account's numbers forward to already, by E.164.
    """

    path: Path
    account: Account
    now: datetime
    find_person: Callable[[str], Person]
    forwards: Mapping[str, str | None] = field(default_factory=dict)
    _seen: dict[str, tuple[int, str | None]] = field(default_factory=dict, init=False)  # line, forwarding
    _columns: list[str] = field(default_factory=list, init=False)

    def check(self) -> int:
        """The number of lines below the header. Raises InputError if the file as a whole can't be used."""
        return sum(1 for _ in self._lines())

    def rows(self) -> Iterator[ImportedNumber | RejectedLine]:
        """Yield each line that is not blank. Raises InputError as `check`."""
        self._seen.clear()
        for line, cells in self._lines():
            try:
                number = self._number(cells_by_column(cells, self._columns))
                self._refuse_duplicate(line, number)
            except Refusal as refusal:
                yield RejectedLine(line, refusal_text(Words("en", UTC), self.account, refusal))
            except InputError as error:
                yield RejectedLine(line, str(error))
            else:
                yield ImportedNumber(line, number)

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        with open_file(self.path, self.account) as file:
            lines = read_rows(file, COLUMNS, MAX_LINES)
            _, self._columns = next(lines)
            yield from lines

    def _number(self, cells: Mapping[str, str]) -> Number:
        region = self.account.country
        parsed = parse(clean_number_cell(cells["number"]), region)
        if parsed.extension:
            raise InputError("a provided number has no extension")
        who = cells.get("assigned_to", "")
        person = None if who.lower() in _NOTHING else self.find_person(who)
        number = acquire(parsed.e164, person, self.now, self.account)
        number = number.model_copy(update=parse_fields(FIELDS, cells))
        to = cells.get("forwarding", "")
        if to.lower() not in _NOTHING:
            target = parse(clean_number_cell(to), region, "forwarding", special=True)
            onward = self._seen[target.e164][1] if target.e164 in self._seen else self.forwards.get(target.e164)
            forwarded = forward(number, target, self.now, onward)
            number = number.model_copy(
                update={"forwarding": forwarded.forwarding, "forwarding_extension": forwarded.forwarding_extension}
            )
        if state := cells.get("state", "").lower():
            if state not in _STATES:
                raise InputError(f'the state must be {", ".join(_STATES[:-1])} or {_STATES[-1]}, not "{state[:40]}"')
            number = number.model_copy(update={"state": NumberState(state)})
        return number

    def _refuse_duplicate(self, line: int, number: Number) -> None:
        first = self._seen.get(number.e164)
        if first is not None:
            raise Refusal("row_twice", "number", at=first[0])
        self._seen[number.e164] = (line, number.forwarding)


@contextmanager
def open_file(path: Path, account: Account) -> Iterator[BinaryIO]:
    """Open the file. Raises InputError if it can't be read, and for a BadFile that is raised inside."""
    try:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file" if not path.exists() else f"{path}: expected a file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: the file is larger than {MAX_BYTES // 1_000_000} MB")
        with path.open("rb") as file:
            yield file
    except BadFile as bad:
        at = f"{path}:{bad.line}" if bad.line else str(path)
        raise InputError(f"{at}: {_clause(refusal_text(Words('en', UTC), account, bad))}") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None


def _clause(said: str) -> str:
    """A sentence to be put after a colon."""
    return f"{said[:1].lower()}{said[1:].rstrip('.')}"
