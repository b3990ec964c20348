"""Pages of the blocklist: entries with details, newest first, then the imported numbers in a fixed order."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.blocklist import BlocklistEntry
from store.blocklist.entries import SHORTEST_SEARCH, decode, decode_listed
from store.blocklist.numberset import NumberSets, buckets
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell
from store.engine.values import pairs
from store.server.scripts import script

_PAGE = script("blocklist/blocklist_page")

FOUND_AT_MOST: Final = 2_000
_READ_AT_MOST: Final = 2_048  # remainders that one page reads for its numbers
_CHUNK: Final = 500  # entries that an export reads at once
_ORDER: Final = "bBiIoO"  # of the number sets; those of long numbers after the others


@dataclass(frozen=True, slots=True)
class BlocklistPage:
    """A page of the blocklist or of a search. `offset`: of its first entry; `total`: of the list, or found. `previous`,
    `next`: cursors, None at the ends. `more_found`: the search reached its maximum. `whole_only`: it found none of the
    imported numbers, which it finds only if they are typed whole."""

    entries: tuple[BlocklistEntry, ...]
    offset: int
    total: int
    previous: str | None = None
    next: str | None = None
    more_found: bool = False
    whole_only: bool = False


class _Spot(NamedTuple):
    """Where a page of imported numbers begins: the set, the remainder (`bucket`, on level `base`) and the position in
    its row (`at`). `place`: how many imported numbers are before it."""

    which: str
    base: int
    bucket: int
    at: int
    place: int

    def text(self) -> str:
        return ":".join(map(str, self))


class BlocklistPages:
    _cell: Cell
    sets: NumberSets

    async def page(
        self,
        snapshot: AccountSnapshot,
        *,
        cursor: str = "",
        count: int = 10,
        digits: Sequence[str] = (),
        text: str = "",
    ) -> BlocklistPage:
        """The page at `cursor` ("": the first; others are from pages). `digits`: runs of digits without '+', of which
        the number must contain one; without any, `text` must be in the reason, or be the id of who made the entry."""
        spot = _spot(cursor)
        wanted = [run for run in digits if len(run) >= SHORTEST_SEARCH]
        if wanted:
            return await self._found(snapshot, wanted, _offset(cursor), count)
        if text.strip():
            return await self._worded(snapshot, text.strip().casefold(), _offset(cursor), count)
        sizes = await self._sizes(snapshot)
        imported = sum(sizes.values())
        if spot is None and cursor != "n":
            offset = _offset(cursor)
            total, _, entries = await self._entries(snapshot, offset, count)
            if entries or not imported:
                following = f"d:{offset + count}" if offset + count < total else "n" if imported else None
                before = f"d:{max(0, offset - count)}" if offset else None
                return BlocklistPage(tuple(entries), offset, total + imported, before, following)
        else:
            total, _, _ = await self._entries(snapshot, 0, 0)
        # The first page of imported numbers follows the last of the entries.
        last = f"d:{(total - 1) // count * count}" if total else None
        numbers, here, following_spot = await self._numbers(snapshot, spot, sizes, count)
        back = await self._back(snapshot, here, sizes, count) if here and here.place else None
        return BlocklistPage(
            tuple(numbers),
            total + (here.place if here else 0),
            total + imported,
            back.text() if back else last,
            following_spot.text() if following_spot else None,
        )

    async def export(self, snapshot: AccountSnapshot) -> AsyncIterator[BlocklistEntry]:
        """All entries with details, oldest first, then all imported numbers; a number with both comes twice. Read in
        chunks; what exists throughout comes exactly once."""
        score, seen = "0", set[str]()
        while True:
            limit = _CHUNK + len(seen)
            args = (score, "+inf", "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
            flat = await self._cell.read_one(snapshot, "ZRANGE", snapshot.keys.blocked_at, *args)
            rows = [(str(name, "utf-8"), str(at, "utf-8")) for name, at in pairs(flat)]
            new = [(name, at) for name, at in rows if name not in seen]
            if not new:
                break
            raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.blocked, *(name for name, _ in new))
            for raw in raws:
                if raw is not None:
                    yield decode(raw)
            score = new[-1][1]
            seen = {name for name, at in rows if at == score} | (seen if rows[0][1] == score else set())
        for which in await self._sizes(snapshot):
            made = await self._made(snapshot, which)
            base, bucket = self.sets.state(snapshot, which).level, 0
            while bucket < buckets(base):
                for row in (read := await self.sets.read(snapshot, which, base, bucket, 64)):
                    for number in row:
                        yield decode_listed(number, [which.lower()], made)
                bucket += len(read)

    async def _entries(
        self, snapshot: AccountSnapshot, offset: int, count: int, digits: Sequence[str] = ()
    ) -> tuple[int, bool, list[BlocklistEntry]]:
        names = [snapshot.keys.blocked, snapshot.keys.blocked_at, snapshot.keys.blocked_find]
        args: list[str | int] = [offset, count, FOUND_AT_MOST, *digits]
        _, total, more, raws = await self._cell.run(snapshot, _PAGE, names, args)
        return total, bool(more), [decode(raw) for raw in raws if raw is not None]

    async def _found(self, snapshot: AccountSnapshot, digits: Sequence[str], offset: int, count: int) -> BlocklistPage:
        total, more, entries = await self._entries(snapshot, offset, count, digits)
        whole = [f"number|+{run}" for run in dict.fromkeys(digits) if 7 <= len(run) <= 15 and not run.startswith("0")]
        bare = [entry for key in whole[:8] if (entry := await self.get(snapshot, key)) is not None and entry.bare]
        sizes = await self._sizes(snapshot)
        if offset + len(entries) >= total:
            room = count - len(entries)
            entries += bare[max(0, offset - total) :][:room]
        total += len(bare)
        return _plain(entries, offset, count, total, more, whole_only=bool(sizes) and not bare)

    async def _worded(self, snapshot: AccountSnapshot, text: str, offset: int, count: int) -> BlocklistPage:
        total, _, entries = await self._entries(snapshot, 0, FOUND_AT_MOST)
        fits = [entry for entry in entries if text in entry.reason.casefold() or text == entry.by.casefold()]
        more, sizes = total > FOUND_AT_MOST, await self._sizes(snapshot)
        return _plain(fits[offset : offset + count], offset, count, len(fits), more, whole_only=bool(sizes))

    async def get(self, snapshot: AccountSnapshot, key: str) -> BlocklistEntry | None:
        raise NotImplementedError

    async def _sizes(self, snapshot: AccountSnapshot) -> dict[str, int]:
        """The sizes of the number sets that are not empty, in order. Learns the sets' states."""
        fields = [f"{field}:{which}" for which in _ORDER for field in "kcn"]
        found = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.blocked_sets, *fields)
        sizes = {}
        for i, which in enumerate(_ORDER):
            state = self.sets.learn_fields(snapshot, which, found[3 * i : 3 * i + 3])
            if state.size:
                sizes[which] = state.size
        return sizes

    async def _made(self, snapshot: AccountSnapshot, which: str) -> bytes:
        made = await self._cell.read_one(snapshot, "HGET", snapshot.keys.blocked_sets, f"by:{which.lower()}")
        return made or b""

    async def _numbers(
        self, snapshot: AccountSnapshot, spot: _Spot | None, sizes: dict[str, int], count: int
    ) -> tuple[list[BlocklistEntry], _Spot | None, _Spot | None]:
        """Up to `count` numbers from a spot on, where they begin, and where the next page does."""
        lists = [which for which in _ORDER if which in sizes]
        if not lists:
            return [], None, None
        if spot is None or spot.which not in sizes:
            spot = _Spot(lists[0], self.sets.state(snapshot, lists[0]).level, 0, 0, 0)
        here, found, looked = spot, list[BlocklistEntry](), 0
        while True:
            made, step = await self._made(snapshot, spot.which), 1
            while spot.bucket < buckets(spot.base):
                read = await self.sets.read(snapshot, spot.which, spot.base, spot.bucket, step)
                for row in read:
                    some = row[spot.at : spot.at + count - len(found)]
                    found += (decode_listed(number, [spot.which.lower()], made) for number in some)
                    spot = spot._replace(at=spot.at + len(some), place=spot.place + len(some))
                    if len(found) == count and spot.at < len(row):
                        return found, here, spot
                    spot = spot._replace(bucket=spot.bucket + 1, at=0)
                    if len(found) == count:
                        break
                looked, step = looked + len(read), min(64, step * 2)
                if len(found) == count or looked >= _READ_AT_MOST:
                    break
            after = lists[lists.index(spot.which) + 1 :]
            if spot.bucket < buckets(spot.base):
                return found, here, spot if spot.place < sum(sizes.values()) else None
            if not after:
                return found, here, None
            spot = _Spot(after[0], self.sets.state(snapshot, after[0]).level, 0, 0, spot.place)
            if len(found) == count:
                return found, here, spot

    async def _back(self, snapshot: AccountSnapshot, spot: _Spot, sizes: dict[str, int], count: int) -> _Spot:
        """Where the page before the one at a spot begins."""
        lists = [which for which in _ORDER if which in sizes]
        missing = min(count, spot.place)
        start = spot._replace(place=spot.place - missing)
        step, looked = 1, 0
        if spot.at >= missing:
            return start._replace(at=spot.at - missing)
        missing -= spot.at
        which, base, bucket = spot.which, spot.base, spot.bucket
        while looked < _READ_AT_MOST:
            if bucket == 0:
                at = lists.index(which) if which in lists else 0
                if at == 0:
                    break
                which = lists[at - 1]
                base = self.sets.state(snapshot, which).level
                bucket = buckets(base)
            first = max(0, bucket - step)
            rows: list[list[int]] = []
            while first + len(rows) < bucket:
                rows += await self.sets.read(snapshot, which, base, first + len(rows), bucket - first - len(rows))
            for back, row in enumerate(reversed(rows), 1):
                if len(row) >= missing:
                    return start._replace(which=which, base=base, bucket=bucket - back, at=len(row) - missing)
                missing -= len(row)
            bucket, looked, step = first, looked + len(rows), min(64, step * 2)
        return _Spot(lists[0], self.sets.state(snapshot, lists[0]).level, 0, 0, 0)


def _plain(
    entries: Sequence[BlocklistEntry], offset: int, count: int, total: int, more: bool, *, whole_only: bool
) -> BlocklistPage:
    return BlocklistPage(
        tuple(entries),
        offset,
        total,
        f"d:{max(0, offset - count)}" if offset else None,
        f"d:{offset + count}" if offset + count < total else None,
        more,
        whole_only,
    )


def _offset(cursor: str) -> int:
    kind, _, number = cursor.partition(":")
    return int(number) if kind == "d" and number.isascii() and number.isdigit() else 0


def _spot(cursor: str) -> _Spot | None:
    """The spot that a cursor names; None if it is of entries, or malformed."""
    which, *rest = cursor.split(":")
    if which not in _ORDER or len(rest) != 4 or not all(re.fullmatch(r"[0-9]{1,15}", part) for part in rest):
        return None
    spot = _Spot(which, *map(int, rest))
    return spot if spot.base < 30 else None
