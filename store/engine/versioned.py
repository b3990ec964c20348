"""A record and the version of it that was read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A record and the bytes it was read as. A change of it is guarded by them (`Plan.guard_field`): whoever is second
    gets `GuardFailed` and reads again."""

    value: T
    raw: bytes


def versioned(raw: bytes | None, decode: Callable[[bytes], T]) -> Versioned[T] | None:
    """The record that `raw` holds; None if there is none."""
    return None if raw is None else Versioned(decode(raw), raw)
