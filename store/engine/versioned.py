"""A record and the version of it that was read."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A record and the bytes it was read as. A change of it is guarded by them (`Plan.guard_field`): whoever is second
    gets `GuardFailed` and reads again."""

    value: T
    raw: bytes
