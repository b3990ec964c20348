"""Draws the same piece of a screen once.

Handlers give the very same object for the same record, words and rights, so what was drawn of it stands, too. What is
kept is shared: whoever changes a block must change a copy.
"""

from collections.abc import Callable
from typing import TypeVar

KEPT = 4_096  # pieces; then it starts over

T = TypeVar("T")
R = TypeVar("R")


def cache_by_identity(draw: Callable[[T], R]) -> Callable[[T], R]:
    """`draw`, remembered by the identity of its argument."""
    kept: dict[int, tuple[T, R]] = {}

    def drawn(piece: T) -> R:
        known = kept.get(id(piece))
        # The piece is kept with its drawing, so its id can't have become another's.
        if known is not None:
            return known[1]
        made = draw(piece)
        if len(kept) >= KEPT:
            kept.clear()
        kept[id(piece)] = (piece, made)
        return made

    return drawn
