"""Values as the store keeps and returns them: moments, rows, records with the bytes that they were read as."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return int(moment.timestamp() * 1000)


def from_ms(ms: float) -> datetime:
    """The moment, in UTC, that is so many milliseconds after 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Name and value of each row of a flat reply, as scripts give it for HGETALL, HSCAN and WITHSCORES."""
    return zip(flat[::2], flat[1::2], strict=True)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A record and the bytes it was read as. A change of it compares them (`Plan.guard_field`); if somebody else has
    changed it meanwhile, it raises `GuardFailed`: read again."""

    value: T
    raw: bytes


def versioned(raw: bytes | None, decode: Callable[[bytes], T]) -> Versioned[T] | None:
    """The record that `raw` holds; None if there is none."""
    return None if raw is None else Versioned(decode(raw), raw)
