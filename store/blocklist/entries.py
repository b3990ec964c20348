"""Stored forms of the blocklist: entries, their suffix rows, the records of imports."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, Literal

import orjson
from pydantic import AwareDatetime, Field

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from domain.record import Record
from store.engine.values import to_ms

LETTERS: Final = {Direction.INBOUND: "i", Direction.OUTBOUND: "o", Direction.BOTH: "b"}
DIRECTIONS: Final = {letter: direction for direction, letter in LETTERS.items()}
SHORTEST_SEARCH: Final = 3  # digits; shorter suffixes are not indexed
EXPIRY: Final = "block-expiry"  # kind of deadline: delete an account's expired entries
SCHEMA: Final = 1


class Import(Record):
    """An imported list. `expected`: estimate of its numbers; `refused`: lines that are no number. `ImportProgress`
    counts what was added."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    id: str
    by: str
    at: AwareDatetime
    reason: str = ""
    direction: Direction = Direction.BOTH
    expected: int = 0
    refused: int = 0
    state: Literal["running", "stopped", "done"] = "running"
    note: str = ""  # for the job, when it continues


def encode(entry: BlocklistEntry) -> str:
    """`direction|until ms|record`: scripts compare the first two. `lists` is not stored; the number sets have it."""
    until = 0 if entry.until is None else to_ms(entry.until)
    return f"{LETTERS[entry.direction]}|{until}|{entry.model_copy(update={'lists': ()}).model_dump_json()}"


def decode(raw: bytes, lists: Sequence[Direction] = ()) -> BlocklistEntry:
    entry = BlocklistEntry.decode(raw.split(b"|", 2)[2])
    return entry.model_copy(update={"lists": tuple(lists)}) if lists else entry


def decode_listed(number: int, letters: Sequence[str], import_: bytes) -> BlocklistEntry:
    """The entry of an imported number without details. `import_`: brief record of the direction's import if there was
    only one, else empty."""
    return _listed("".join(letters), import_).model_copy(update={"value": f"+{number}"})


@lru_cache(maxsize=1_000)  # entries of a list differ only by their number
def _listed(letters: str, import_: bytes) -> BlocklistEntry:
    lists = tuple(DIRECTIONS[letter] for letter in letters)
    made = orjson.loads(import_) if import_ else {}
    return BlocklistEntry(
        kind=EntryKind.NUMBER,
        direction=lists[0] if len(lists) == 1 else Direction.BOTH,
        reason=made.get("reason", ""),
        by=made.get("by", ""),
        at=datetime.fromisoformat(made["at"]) if made else None,
        source="import",
        bare=True,
        lists=lists,
    )


def listed_number(key: str) -> int | None:
    """The number in an entry's key as number sets store it; None if they can't."""
    kind, _, value = key.partition("|")
    whole = kind == EntryKind.NUMBER and value.startswith("+") and value[1:].isdecimal() and len(value) <= 16
    return int(value) if whole and int(value) else None


def rows(key: str) -> list[str]:
    """The rows of an entry in the search index, one for each suffix of its digits."""
    digits = key.partition("|")[2].removeprefix("+")
    return [f"{digits[i:]}|{key}" for i in range(len(digits) - SHORTEST_SEARCH + 1)]


def us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
