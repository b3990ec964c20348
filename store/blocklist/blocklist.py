"""The blocklist: entries with details in a hash, imported numbers in packed sets (`numberset.py`).

A number can have an entry of its own and be imported too; it is blocked while either blocks it, and removing it removes
both. Every method raises AccountChanged. Changes raise GuardFailed, and return the first result if they were made
before under the same id, else None.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.blocklist import BlocklistEntry, Direction, Verdict
from store.blocklist.entries import DIRECTIONS, EXPIRY, LETTERS, decode, decode_listed, encode, listed_number, rows, us
from store.blocklist.imports import BlocklistImports, redraw_callbacks
from store.blocklist.numberset import BucketRef, guard_blocked, set_of, write_number
from store.blocklist.pages import BlocklistPages
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed, Plan
from store.engine.deadlines import Deadline, deadline_member
from store.engine.values import pairs, to_ms
from store.server.connection import StoreUnavailable
from store.server.scripts import script

_CHECK = script("blocklist/blocklist_check")
_GET = script("blocklist/blocklist_get")

# Guards:
ALREADY_BLOCKED: Final = "there"
NOT_BLOCKED: Final = "gone"
ALREADY_SWITCHED: Final = "same"
_TRIES: Final = 50  # each fails because a number set has grown


class Lookup(NamedTuple):
    """The six keys and eight arguments of `blocklist_find` (`blocklist_find.lua`), in order."""

    keys: list[str]
    args: list[str | int]


@dataclass(frozen=True, slots=True)
class Counts:
    """`entries`: with details, including expired ones that are not deleted yet; `imported`: numbers by direction."""

    on: bool
    entries: int
    imported: dict[Direction, int]

    @property
    def all(self) -> int:
        return self.entries + sum(self.imported.values())


class Blocklist(BlocklistImports, BlocklistPages):
    # ── The decision ────────────────────────────────────────────────────────────────────────────────────────────

    async def check(
        self, snapshot: AccountSnapshot, number: str | None, direction: Direction, now: datetime
    ) -> Verdict:
        """The verdict on a call from (inbound) or to (outbound) a number in E.164, or dialled digits such as "112";
        None: the caller withholds it. One round trip, unless a number set has grown since the last."""
        for _ in range(_TRIES):
            look = self.lookup(snapshot, number, direction, now)
            _, found = await self._cell.run(snapshot, _CHECK, look.keys, look.args)
            if (verdict := self.verdict(snapshot, number, direction, found)) is not None:
                return verdict
        raise StoreUnavailable("The blocklist is being split all the time.")

    def lookup(self, snapshot: AccountSnapshot, number: str | None, direction: Direction, now: datetime) -> Lookup:
        """Keys and arguments for a script that includes `blocklist_find`. `direction`: the call's, not both."""
        letter = LETTERS[direction]
        whole = _whole(number)
        one, both = self.sets.place(snapshot, letter, whole), self.sets.place(snapshot, "b", whole)
        on = int(snapshot.account.features.blocklist)
        return Lookup(
            [snapshot.keys.blocked_sets, snapshot.keys.blocked, one.here, one.above, both.here, both.above],
            [number or "", letter, one.set, one.level, both.set, both.level, to_ms(now), on],
        )

    def verdict(
        self, snapshot: AccountSnapshot, number: str | None, direction: Direction, found: Sequence[Any]
    ) -> Verdict | None:
        """The verdict in a reply of `blocklist_find`. None: a number set has grown; ask again with a new `lookup`."""
        match found:
            case [b"stale", int(one), int(both)]:
                whole = _whole(number)
                for letter, level in ((LETTERS[direction], one), ("b", both)):
                    which = set_of(letter, whole)
                    self.sets.learn(snapshot, which, self.sets.state(snapshot, which)._replace(level=level, split=0))
                return None
            case [b"list", bytes(letter), bytes(made)]:
                return Verdict(True, decode_listed(int(number or 0), [str(letter, "utf-8")], made), "number")
            case [b"number" | b"prefix" | b"anonymous" as kind, bytes(raw)]:
                return Verdict(True, decode(raw), kind.decode())
            case [b"allow", bytes(raw)]:
                return Verdict(False, decode(raw), "allow")
            case [b"off"]:
                return Verdict(False, None, "off")
            case _:
                return Verdict(False, None, "none")

    # ── Single entries ──────────────────────────────────────────────────────────────────────────────────────────

    async def add(
        self, snapshot: AccountSnapshot, entry: BlocklistEntry, change: Change, what: str = "block.added"
    ) -> str | None:
        """Add an entry, or restore one that `get` returned before `remove`. Guards: ALREADY_BLOCKED (an entry of that
        key has not expired, or the number is imported)."""

        def build() -> Plan:
            plan = self._plan(snapshot, entry, what, change)
            number, places = listed_number(entry.key) or 0, self._places(snapshot, entry.key)
            guard_blocked(plan, ALREADY_BLOCKED, entry.key, to_ms(change.at), number, places, is_=False)
            if not entry.bare:
                self._write(plan, entry)
            for direction in entry.lists:
                place = next(p for p in places if p.set.lower() == LETTERS[direction])
                write_number(plan, "put", number, place)
            return plan

        return await self._commit(snapshot, entry.key, build)

    async def remove(
        self, snapshot: AccountSnapshot, key: str, change: Change, what: str = "block.removed"
    ) -> str | None:
        """Remove the entry of that key, and its number from every number set. Guards: NOT_BLOCKED."""

        def build() -> Plan:
            plan = self._plan(snapshot, key, what, change)
            number, places = listed_number(key) or 0, self._places(snapshot, key)
            guard_blocked(plan, NOT_BLOCKED, key, to_ms(change.at), number, places, is_=True)
            self._erase(plan, key)
            for place in places:
                write_number(plan, "drop", number, place)
            return plan

        return await self._commit(snapshot, key, build)

    async def get(self, snapshot: AccountSnapshot, key: str) -> BlocklistEntry | None:
        """The entry of that key with its lists, also one that has expired but is not deleted yet."""
        number = listed_number(key)
        for _ in range(_TRIES):
            places = self._places(snapshot, key)
            names = [snapshot.keys.blocked, snapshot.keys.blocked_sets]
            names += (name for place in places for name in (place.here, place.above))
            args: list[str | int] = [key, number or ""]
            args += (arg for place in places for arg in (place.set, place.level))
            match await self._cell.run(snapshot, _GET, names, args):
                case [b"ok", raw, sets]:
                    letters = [str(which, "utf-8").lower() for which in sets[::2]]
                    if raw:
                        return decode(raw, [DIRECTIONS[letter] for letter in letters])
                    return decode_listed(number or 0, letters, sets[1]) if letters else None
            await self.sets.refresh(snapshot, (place.set for place in places))
        raise StoreUnavailable("The blocklist is being split all the time.")

    # ── The switch, and how much there is ───────────────────────────────────────────────────────────────────────

    async def on(self, snapshot: AccountSnapshot) -> bool:
        """Whether the account has the blocklist and it is switched on."""
        off = await self._cell.read_one(snapshot, "HEXISTS", snapshot.keys.blocked_sets, "off")
        return snapshot.account.features.blocklist and not off

    async def switch(self, snapshot: AccountSnapshot, on: bool, change: Change) -> str | None:
        """Switch the blocklist on or off. Guards: ALREADY_SWITCHED."""
        meta = snapshot.keys.blocked_sets
        what = "block.switched_on" if on else "block.switched_off"
        plan = change.plan(snapshot, change.audit(what, details={}))
        if on:
            plan.guard_field(ALREADY_SWITCHED, meta, "off", b"1").write("HDEL", meta, "off")
        else:
            plan.guard_field(ALREADY_SWITCHED, meta, "off", None).write("HSET", meta, "off", 1)
        return await self._cell.commit(redraw_callbacks(plan, change.at))

    async def counts(self, snapshot: AccountSnapshot) -> Counts:
        meta = snapshot.keys.blocked_sets
        sizes = [f"n:{which}" for letter in DIRECTIONS for which in (letter, letter.upper())]
        entries, found = await self._cell.read(
            snapshot, ("ZCARD", snapshot.keys.blocked_at), ("HMGET", meta, "off", *sizes)
        )
        off, *numbers = found
        imported = {
            direction: int(short or 0) + int(long or 0)
            for direction, short, long in zip(DIRECTIONS.values(), numbers[::2], numbers[1::2], strict=True)
        }
        return Counts(snapshot.account.features.blocklist and off is None, entries, imported)

    # ── Expiry ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def clear_expired(
        self, snapshot: AccountSnapshot, now: datetime, limit: int = 100, deadline: Deadline | None = None
    ) -> int:
        """Delete up to `limit` expired entries and return how many. `deadline` (of kind EXPIRY) is met, or set to the
        end of the next entry. Guards: entry, lease."""
        until = snapshot.keys.blocked_until
        flat = await self._cell.read_one(snapshot, "ZRANGE", until, 0, limit, "WITHSCORES")
        ends = [(str(name, "utf-8"), int(float(end))) for name, end in pairs(flat)]
        expired = [name for name, end in ends if end <= to_ms(now)][:limit]
        plan = Plan(snapshot)
        if expired:
            raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.blocked, *expired)
            for name, raw in zip(expired, raws, strict=True):
                plan.guard_field("entry", snapshot.keys.blocked, name, raw)
                self._erase(plan, name)
            redraw_callbacks(plan, now)
            plan.audit = {
                "what": "block.expired",
                "at": now.isoformat(),
                "by": "",
                "details": {"entries": expired[:20]},
            }
        if deadline is not None:
            # The guard keeps the deadline of an entry that was added meanwhile and ends before the next.
            after, end = next(((name, end) for name, end in ends if name not in expired), ("", 0))
            again = datetime.fromtimestamp(max(end, to_ms(now) + 1) / 1000, now.tzinfo) if after else None
            plan.guard_rank("entry", until, len(expired), after).meet_deadline(deadline, again)
        if expired or deadline is not None:
            await self._cell.commit(plan)
        return len(expired)

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _commit(self, snapshot: AccountSnapshot, key: str, build: Callable[[], Plan]) -> str | None:
        for _ in range(_TRIES):
            try:
                return await self._cell.commit(build())
            except GuardFailed as error:
                if error.current != b"again":
                    raise
            await self.sets.refresh(snapshot, (place.set for place in self._places(snapshot, key)))
        raise StoreUnavailable("The blocklist is being split all the time.")

    def _places(self, snapshot: AccountSnapshot, key: str) -> list[BucketRef]:
        """Where an entry's number would be in each direction's set."""
        number = listed_number(key)
        return [] if number is None else [self.sets.place(snapshot, letter, number) for letter in DIRECTIONS]

    def _plan(self, snapshot: AccountSnapshot, entry: BlocklistEntry | str, what: str, change: Change) -> Plan:
        details: dict[str, str] = {"entry": entry if isinstance(entry, str) else entry.key}
        if isinstance(entry, BlocklistEntry):
            details["direction"] = entry.direction.value
            details |= {"reason": entry.reason} if entry.reason else {}
            details |= {"until": entry.until.isoformat()} if entry.until else {}
        return redraw_callbacks(change.plan(snapshot, change.audit(what, details=details), keep_name=True), change.at)

    @staticmethod
    def _write(plan: Plan, entry: BlocklistEntry) -> None:
        tag, id, key = plan.snapshot.tag, plan.snapshot.account.id, entry.key
        plan.write("HSET", plan.keys.blocked, key, encode(entry))
        plan.write("ZADD", plan.keys.blocked_at, us(entry.at) if entry.at else 0, key)
        if found := rows(key):
            plan.write("ZADD", plan.keys.blocked_find, *(piece for row in found for piece in ("0", row)))
        if entry.until is None:
            plan.write("ZREM", plan.keys.blocked_until, key)
        else:
            plan.write("ZADD", plan.keys.blocked_until, to_ms(entry.until), key)
            # The earliest end is the account's deadline.
            plan.write("ZADD", keys.due(tag), "LT", to_ms(entry.until), deadline_member(EXPIRY, id, ""))

    @staticmethod
    def _erase(plan: Plan, key: str) -> None:
        plan.write("HDEL", plan.keys.blocked, key)
        plan.write("ZREM", plan.keys.blocked_at, key)
        plan.write("ZREM", plan.keys.blocked_until, key)
        if found := rows(key):
            plan.write("ZREM", plan.keys.blocked_find, *found)


def _whole(number: str | None) -> int:
    """The number as number sets store it; 0, which is in none, if they can't."""
    fits = number is not None and len(number) <= 16 and number[0:1] == "+" and number[1:].isdecimal()
    return int(number) if fits and number else 0
