"""Caches what was drawn of a block.

Handlers return the same object for the same record, language and rights, so its drawing stays the same too. Drawings
are shared: change only copies of them.
"""

from collections.abc import Callable
from typing import TypeVar

KEPT = 4_096  # pieces; then it starts over

T = TypeVar("T")
R = TypeVar("R")


def cache_by_identity(draw: Callable[[T], R]) -> Callable[[T], R]:
    """`draw`, cached by the identity of its argument."""
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
