"""YAML with the line of each value, read strictly and within bounds.

YAML 1.2's core schema: `NO` is text (a country) and not false, `+4930…` and `007` are text, only `true` and `false` are
booleans. Repeated keys and tags are refused; nesting and aliases are bounded, so that no small file grows large.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from bot.errors import InputError

MAX_BYTES: Final = 5_000_000
MAX_DEPTH: Final = 20
MAX_ALIASES: Final = 1_000
MAX_VALUES: Final = 1_000_000  # after aliases are followed

KeyPath = tuple[str | int, ...]

_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(slots=True)
class Document:
    """The data of a file and the line of each value and key, from 1."""

    path: Path
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)  # of values
    keys: dict[KeyPath, int] = field(default_factory=dict)  # of the keys that lead to them

    def line(self, trail: KeyPath) -> int:
        """The line of the value at `trail`; of the nearest value around it if it is not in the file."""
        while trail and trail not in self.lines:
            trail = trail[:-1]
        return self.lines.get(trail, 1)

    def error_at(self, trail: KeyPath, expected: str) -> InputError:
        return InputError(f"{self.path}:{self.line(trail)}: {expected}")


@dataclass(slots=True)
class _Node:
    line: int
    value: Any = None  # of a scalar
    items: list["_Node"] | None = None
    pairs: dict[str, tuple[int, "_Node"]] | None = None


def load(path: Path) -> Document:
    """Read a file.

    Raises:
        InputError: "FILE:LINE: what was expected"; also if the file can't be read or is not UTF-8.
    """
    text = _text(path)
    try:
        root = _Composer(path, yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: {_explain(error)}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}:1: can't be read as YAML: {error}") from None
    document = Document(path)
    left = MAX_VALUES

    def plain(node: _Node, trail: KeyPath) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise InputError(f"{path}:{node.line}: the file grows too large where its aliases (*) are followed")
        document.lines[trail] = node.line
        if node.pairs is not None:
            result = {}
            for key, (line, value) in node.pairs.items():
                document.keys[(*trail, key)] = line
                result[key] = plain(value, (*trail, key))
            return result
        if node.items is not None:
            return [plain(item, (*trail, i)) for i, item in enumerate(node.items)]
        return node.value

    document.data = plain(root, ()) if root else None
    return document


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"{path}: the file is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: expected text in UTF-8") from None


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "can't be read as YAML")
    if "cannot start any token" in problem:
        return "expected spaces for indentation, or quotes around the value; a tab or a special character is here"
    if "mapping values are not allowed" in problem:
        return "expected one 'key: value' here; quote a value that holds a colon"
    return f"can't be read as YAML: {problem}"


class _Composer:
    """Builds nodes from the parser's events and checks them.

    `yaml.compose` checks nothing, overflows the stack at 200 kB of open brackets, and takes as long for its nodes as
    this for the data.
    """

    def __init__(self, path: Path, events: Iterator[Any]) -> None:
        self._path = path
        self._events = events
        self._anchors: dict[str, _Node] = {}
        self._aliases = 0

    def document(self) -> _Node | None:
        root: _Node | None = None
        for event in self._events:
            if isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent | yaml.DocumentEndEvent):
                continue
            if isinstance(event, yaml.StreamEndEvent):
                break
            if root is not None:
                raise self._error(event, "expected one document; remove the '---' and what follows")
            root = self._node(event, 0)
        return root

    def _error(self, event: Any, expected: str) -> InputError:
        return InputError(f"{self._path}:{_line(event)}: {expected}")

    def _node(self, event: Any, depth: int) -> _Node:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise self._error(event, f"more than {MAX_ALIASES} aliases (*)")
            if event.anchor not in self._anchors:
                raise self._error(event, f"*{event.anchor} names nothing above it")
            return self._anchors[event.anchor]
        if event.tag is not None and event.tag != "!":
            raise self._error(event, "tags (!…) are not used here")
        node = _Node(line)
        anchor = event.anchor
        if isinstance(event, yaml.ScalarEvent):
            node.value = self._scalar(event) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            node.items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                node.items.append(self._node(inner, depth + 1))
        else:
            node.pairs = self._pairs(depth)
        if anchor is not None:  # set at the end of the node, so that nothing can contain itself
            self._anchors[anchor] = node
        return node

    def _pairs(self, depth: int) -> dict[str, tuple[int, _Node]]:
        pairs: dict[str, tuple[int, _Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "expected a plain word before the colon")
            if event.value in pairs:
                raise self._error(event, f'"{event.value}" is here twice, first in line {pairs[event.value][0]}')
            pairs[event.value] = (_line(event), self._node(next(self._events), depth + 1))
        return pairs

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if text in ("true", "True", "TRUE"):
            return True
        if text in ("false", "False", "FALSE"):
            return False
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if day := _DATE.fullmatch(text):
            try:
                return date(*(int(part) for part in day.groups()))
            except ValueError:
                raise self._error(event, f"{text} is no day of the calendar") from None
        return text


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line
