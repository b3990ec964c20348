"""Reads a table from a CSV file as spreadsheets write it, as a stream.

The header has the columns in any order, each by one of several names. The separator is a comma, a semicolon or a tab;
the encoding UTF-8, with or without a byte order mark. A fault of the whole file raises `BadFile`, a fault of a line
`Refusal` (codes `row_*`).
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
_SHOWN: Final = 40  # characters of a cell that a refusal repeats
_SHORTENED: Final = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class BadFile(Refusal):
    """The whole file can't be read. `line`: where the fault is, from 1 on; None if in no line."""

    def __init__(self, code: str, line: int | None = None, **params: object) -> None:
        super().__init__(code, None, **params)
        self.line = line


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file may have, each with its other names in lower case, with spaces."""

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
    """Yield 1 and the header's columns, then the number and the raw cells of each line that is not blank. Raises
    BadFile (`file_*`) at any line.

    Args:
        most: lines allowed below the header.
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
        file.detach()  # the caller closes the source


def cells_by_column(cells: list[str], columns: Sequence[str]) -> dict[str, str]:
    """The stripped cells by column; cells missing at the end of a line are "". Raises Refusal: `row_cells`,
    `row_formula`, `row_cell_long`."""
    stripped = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
    if any(stripped[len(columns) :]):
        raise Refusal("row_cells")
    cells_by_name = dict(zip(columns, stripped, strict=False))
    for name, cell in cells_by_name.items():
        if cell.startswith("="):
            raise Refusal("row_formula", name, column=name, cell=cell[:20])
        if len(cell) > MAX_CELL:
            raise Refusal("row_cell_long", name, column=name, limit=MAX_CELL)
    return cells_by_name


def clean_number_cell(text: str) -> str:
    """A number without the apostrophe that marks text in a spreadsheet. Raises Refusal (`row_shortened`) if the
    spreadsheet has rounded it to an exponent."""
    if _SHORTENED.fullmatch(text):
        raise Refusal("row_shortened", "number", cell=text[:_SHOWN])
    return text.removeprefix("'")


def _text(source: BinaryIO) -> io.TextIOWrapper:
    buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)  # type: ignore[type-var] # any raw stream will do
    if buffered.peek(2)[:2] in _UTF16:
        raise BadFile("file_utf16")
    return io.TextIOWrapper(buffered, "utf-8-sig", newline="")


# A spreadsheet runs cells that begin so as formulas (CSV injection); an apostrophe before them prevents it.
_RUN: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def escape_cell(text: str) -> str:
    """A text as a cell that no spreadsheet runs as a formula; inverse: `unescape_cell`."""
    return f"'{text}" if text.startswith(_RUN) else text


def unescape_cell(cell: str) -> str:
    return cell.removeprefix("'")
