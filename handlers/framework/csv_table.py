"""A table from a CSV file, as spreadsheets write it: read as a stream, whatever it holds.

The header names the columns in any order and by several names. Comma, semicolon or tab; UTF-8 with or without a byte
order mark. What is wrong with the file as a whole refuses it (`BadFile`), what is wrong with a line is for its reader
to refuse (`Refusal`, codes `row_*`).
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import BinaryIO, Final

from domain.refusal import Refusal

MAX_BYTES: Final = 50_000_000
MAX_CELL: Final = 2_000  # characters
_SHOWN: Final = 40  # characters of a cell that are said back
_SHORTENED: Final = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class BadFile(Refusal):
    """The file as a whole can't be used. `line`: where in it that shows, from 1 on; None: nowhere in particular."""

    def __init__(self, code: str, line: int | None = None, **params: object) -> None:
        super().__init__(code, None, **params)
        self.line = line


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file may have, each with its other names; spelled in small letters, with spaces."""

    known: Mapping[str, tuple[str, ...]]
    required: str = "number"

    def parse_header(self, head: Sequence[str]) -> list[str]:
        """The columns of a header. Raises BadFile."""
        names = {alias: name for name, also in self.known.items() for alias in (name.replace("_", " "), *also)}
        columns: list[str] = []
        for cell in head:
            written = " ".join(cell.replace("_", " ").split()).lower()
            name = names.get(written)
            if name is None:
                near = get_close_matches(written, names, n=1)
                if near:
                    raise BadFile("file_column_near", 1, column=cell.strip()[:_SHOWN], near=names[near[0]])
                raise BadFile("file_column", 1, column=cell.strip()[:_SHOWN], known=", ".join(self.known))
            if name in columns:
                raise BadFile("file_column_twice", 1, column=name)
            columns.append(name)
        if self.required not in columns:
            raise BadFile("file_column_missing", 1, column=self.required)
        return columns


def read_rows(source: BinaryIO, columns: Columns, most: int) -> Iterator[tuple[int, list[str]]]:
    """The header's columns as line 1, then each line that is not blank with its cells as they stand in the file.
    Raises BadFile: `file_*`, in the middle too.

    Args:
        most: lines under the header.
    """
    file = _text(source)
    try:
        head = file.readline(MAX_CELL * 10)
        if not head.strip():
            raise BadFile("file_empty", 1, known=",".join(columns.known))
        separator = max(",;\t", key=head.count)
        try:
            names = columns.parse_header(next(csv.reader([head], delimiter=separator)))
        except csv.Error:
            raise BadFile("file_csv", 1, at=1) from None
        yield 1, names
        reader = csv.reader(file, delimiter=separator, strict=True)
        count, line = 0, 2
        try:
            for cells in reader:
                if cells and (cells[0] or any(cell.strip() for cell in cells)):
                    count += 1
                    if count > most:
                        raise BadFile("file_lines", line, limit=most)
                    yield line, cells
                line = reader.line_num + 2
        except csv.Error:
            raise BadFile("file_csv", line, at=line) from None
    except UnicodeDecodeError:
        raise BadFile("file_encoding") from None
    finally:
        file.detach()  # the caller's to close


def cells_by_column(cells: list[str], columns: Sequence[str]) -> dict[str, str]:
    """The cells by column; what is missing at the end of a line is blank. Raises Refusal: `row_cells`, `row_formula`,
    `row_cell_long`."""
    stripped = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
    if any(stripped[len(columns) :]):
        raise Refusal("row_cells")
    found = dict(zip(columns, stripped, strict=False))
    for name, cell in found.items():
        if cell.startswith("="):
            raise Refusal("row_formula", name, column=name, cell=cell[:20])
        if len(cell) > MAX_CELL:
            raise Refusal("row_cell_long", name, column=name, limit=MAX_CELL)
    return found


def clean_number_cell(text: str) -> str:
    """The text of a number without the apostrophe that marks text in a spreadsheet. Raises Refusal where the
    spreadsheet has shortened it: `row_shortened`."""
    if _SHORTENED.fullmatch(text):
        raise Refusal("row_shortened", "number", cell=text[:_SHOWN])
    return text.removeprefix("'")


def _text(source: BinaryIO) -> io.TextIOWrapper:
    buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)  # type: ignore[type-var] # any raw stream will do
    if buffered.peek(2)[:2] in _UTF16:
        raise BadFile("file_utf16")
    return io.TextIOWrapper(buffered, "utf-8-sig", newline="")


# Cells that a spreadsheet would run, and the apostrophe that keeps it from doing so.
_RUN: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def escape_cell(text: str) -> str:
    """What people wrote, as a cell that no spreadsheet runs; `unescape_cell` has it back."""
    return f"'{text}" if text.startswith(_RUN) else text


def unescape_cell(cell: str) -> str:
    return cell.removeprefix("'")
