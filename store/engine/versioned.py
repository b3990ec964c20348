"""Records with the bytes they were read as, for optimistic locking."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

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
