"""How much of a file the blocklist has already: looked at before anything is imported."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from domain.blocklist import Direction, Entry
from store import keys
from store.accounts import Held
from store.blocked import LETTERS
from store.commit import Cell
from store.numberset import NumberSets, buckets, set_of
from store.scripts import script

_KNOWN: Final = script("numberset_known", retry=True)
_OFFSET: Final = 2**31
_TRIES: Final = 20
_AT_ONCE: Final = 2_000  # numbers a script looks for


async def known_numbers(cell: Cell, sets: NumberSets, held: Held, numbers: Sequence[int], direction: Direction) -> int:
    """How many of the numbers are in the imported list of that direction; a rough answer while the list is growing."""
    known = 0
    for start in range(0, len(numbers), _AT_ONCE):
        by_set: defaultdict[str, list[int]] = defaultdict(list)
        for number in numbers[start : start + _AT_ONCE]:
            by_set[set_of(LETTERS[direction], number)].append(number)
        for which, some in by_set.items():
            known += await _known(cell, sets, held, which, some)
    return known


async def _known(cell: Cell, sets: NumberSets, held: Held, which: str, numbers: Sequence[int]) -> int:
    await sets.look(held, [which])
    for _ in range(_TRIES):
        state = sets.known(held, which)
        if not state.size:
            return 0
        groups: defaultdict[str, list[int]] = defaultdict(list)
        # While it grows a number lies on one of two levels.
        for level in (state.level, state.level + 1) if state.split else (state.level,):
            of = buckets(level)
            for number in numbers:
                key = keys.blocked_bucket(held.tag, held.account.id, which, str(level), str(number % of))
                groups[key].append(number // of - _OFFSET)
        args: list[str | int] = [which, state.level]
        for values in groups.values():
            args += [len(values), *values]
        names = [keys.blocked_sets(held.tag, held.account.id), *groups]
        found = await cell.store.run(_KNOWN, names, args)
        if found >= 0:
            return int(found)
        await sets.look(held, [which])
    return 0


async def known_entries(cell: Cell, held: Held, entries: Sequence[Entry]) -> int:
    """How many of the entries' keys have an entry."""
    if not entries:
        return 0
    (raws,) = await cell.read(
        held, ("HMGET", keys.blocked(held.tag, held.account.id), *(entry.key for entry in entries))
    )
    return sum(raw is not None for raw in raws)
