"""Values in the form in which the store keeps and returns them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return int(moment.timestamp() * 1000)


def from_ms(ms: float) -> datetime:
    """The moment, in UTC, that is so many milliseconds after 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Name and value of each row of a flat reply, as scripts give it for HGETALL, HSCAN and WITHSCORES."""
    return zip(flat[::2], flat[1::2], strict=True)
