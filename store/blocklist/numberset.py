"""Sets of phone numbers, packed: about 5 bytes a number, however many.

Number n is in bucket n mod B as the value n div B. The server stores a small set of integers as a sorted array of 4 or
8 bytes each (intset). B = 7·3^level is odd and no multiple of 5, so lists of round numbers spread evenly too. When
buckets have `FULL` values on average, the set grows: each addition splits some buckets, in order, into three of the
next level each (r, r + B, r + 2B), so a script's keys are known beforehand. The set's state has the number of buckets
split, so every number is in one known bucket at any moment.

Values are shifted by -2^31 to use all 32 bits. Numbers of 14 and 15 digits have a set of their own, because one of them
would widen all values of its bucket to 8 bytes.

A process caches the state and names keys by it; each script compares it, and returns the state if it has changed.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, GuardFailed, Plan
from store.engine.deadlines import Deadline
from store.engine.keys import attempt_key
from store.server.connection import StoreUnavailable
from store.server.scripts import script

_COMMIT = script("blocklist/commit")
_ADD = script("blocklist/numberset_add")
_SPLIT = script("blocklist/numberset_split")
_READ = script("blocklist/numberset_read")

FULL: Final = 400  # mean size of buckets at which the set grows; above 512 the server needs eight times the memory
MOST: Final = 440  # mean size that an addition may reach before it has to split
BATCH: Final = 5_000  # numbers that one call may add: some 10 ms, in which the server does nothing else
LONG: Final = 10**13  # the first long number
_OFFSET: Final = 2**31
_STEP: Final = 24  # buckets that one call splits, some 4 ms
_PACE: Final = 24  # numbers added for each bucket split: a level is split while the set grows by 6 %
_TRIES: Final = 200  # each fails because of another process's progress
_REMEMBERED: Final = 10_000  # accounts
_KEYS_AT_ONCE: Final = 64  # buckets that one call reads, some 25,000 numbers at most


class SetState(NamedTuple):
    level: int = 0
    split: int = 0
    size: int = 0

    @property
    def buckets(self) -> int:
        return buckets(self.level)


class BucketRef(NamedTuple):
    """Where a number is in a set: its bucket on `level` (`here`) or on the next (`above`)."""

    set: str
    level: int
    here: str
    above: str


class AddResult(NamedTuple):
    """How many numbers of a batch, and of its import in all, were new and how many there already."""

    added: int
    there: int
    added_in_all: int
    there_in_all: int


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """A batch of an import, counted from 0. `lease`: the caller's deadline, whose lease must still run."""

    id: str
    batch: int
    lease: Deadline | None = None


_DRY: Final = ImportBatch("?", 0)  # add nothing, only count


class LeaseLost(Exception):
    """The lease of the import's deadline is lost: stop."""


class OutOfOrder(Exception):
    """Another batch is due next: `expected`."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


def buckets(level: int) -> int:
    return int(7 * 3**level)


def level_for(size: int) -> int:
    """The lowest level with no more than `FULL` of so many numbers a bucket."""
    level = 0
    while size > FULL * buckets(level):
        level += 1
    return level


def set_of(letter: str, number: int) -> str:
    """The set of a number in a direction (i, o, b); a capital is that of long numbers."""
    return letter.upper() if number >= LONG else letter


def guard_blocked(
    plan: Plan, guard: str, key: str, now_ms: int, number: int, places: Sequence[BucketRef], *, is_: bool
) -> None:
    """Guard: the blocklist has (`is_`), or has not, the entry `key` or the number in one of the sets.
    GuardFailed.current is b"again" if a set has another level than its place."""
    plan.script = _COMMIT
    rows = [[p.set, p.level, plan.position(p.here), plan.position(p.above)] for p in places]
    sets = plan.position(plan.keys.blocked_sets)
    plan.add_guard(guard, "blocked", plan.keys.blocked, key, now_ms, is_, sets, number, rows)


def write_number(plan: Plan, command: Literal["put", "drop"], number: int, place: BucketRef) -> None:
    """Add a number to a set, or remove it. Needs `guard_blocked` with the same place."""
    plan.script = _COMMIT
    here, above = plan.position(place.here), plan.position(place.above)
    sets = plan.position(plan.keys.blocked_sets)
    plan.writes.append([command, sets, number, place.set, place.level, here, above])


class NumberSets:
    """The number sets of all accounts, with a cache of their states."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._store = cell.store
        self._hints: OrderedDict[str, dict[str, SetState]] = OrderedDict()

    # ── Where a number lies ─────────────────────────────────────────────────────────────────────────────────────

    def place(self, snapshot: AccountSnapshot, letter: str, number: int) -> BucketRef:
        """The number's place by the cached state."""
        which = set_of(letter, number)
        level = self.state(snapshot, which).level
        of = 7 * 3**level
        name = self._bucket(snapshot, which, "", "")[:-1]
        return BucketRef(which, level, f"{name}{level}:{number % of}", f"{name}{level + 1}:{number % (3 * of)}")

    def state(self, snapshot: AccountSnapshot, which: str) -> SetState:
        hints = self._hints.get(snapshot.account.id)
        return hints.get(which, SetState()) if hints else SetState()

    def learn(self, snapshot: AccountSnapshot, which: str, state: SetState) -> SetState:
        hints = self._hints.setdefault(snapshot.account.id, {})
        self._hints.move_to_end(snapshot.account.id)
        if len(self._hints) > _REMEMBERED:
            self._hints.popitem(last=False)
        hints[which] = state
        return state

    async def refresh(self, snapshot: AccountSnapshot, sets: Iterable[str]) -> None:
        """Read the sets' states into the cache."""
        for which in sets:
            fields = (f"k:{which}", f"c:{which}", f"n:{which}")
            found = await self._store.call("HMGET", snapshot.keys.blocked_sets, *fields)
            self.learn_fields(snapshot, which, found)

    def learn_fields(self, snapshot: AccountSnapshot, which: str, fields: Sequence[bytes | None]) -> SetState:
        """Cache the state from its three fields: level, split, size."""
        return self.learn(snapshot, which, SetState(*(int(value or 0) for value in fields)))

    # ── Many at once ────────────────────────────────────────────────────────────────────────────────────────────

    async def add(
        self, snapshot: AccountSnapshot, letter: str, numbers: Sequence[int], job: ImportBatch | None
    ) -> AddResult:
        """Add up to `BATCH` numbers. With a job, a batch is counted once, and a repeat returns the first result.

        Raises:
            AccountChanged, LeaseLost, OutOfOrder.
            StoreUnavailable: some or all may have been added.
        """
        if len(numbers) > BATCH:
            raise ValueError(f"{len(numbers)} numbers are more than one batch.")
        if numbers and not (min(numbers) > 0 and max(numbers) < 10**15):
            raise ValueError("A number is 1 to 15 digits.")
        short = [n for n in numbers if n < LONG] if numbers and max(numbers) >= LONG else numbers
        long = [n for n in numbers if n >= LONG] if len(short) < len(numbers) else []
        done = [
            await self._add(snapshot, which, some, job)
            for which, some in ((letter, short), (letter.upper(), long))
            if some or job not in (None, _DRY)  # every batch of an import is counted in both
        ]
        return AddResult(*map(sum, zip(*done, strict=True))) if done else AddResult(0, 0, 0, 0)

    async def count_present(self, snapshot: AccountSnapshot, letter: str, numbers: Sequence[int]) -> int:
        """How many of up to `BATCH` numbers are there already. Raises as `add`."""
        return (await self.add(snapshot, letter, sorted(set(numbers)), _DRY)).there_in_all

    async def reserve(self, snapshot: AccountSnapshot, letter: str, expected: int) -> None:
        """Grow the set to the level that it needs with `expected` numbers more."""
        await self.refresh(snapshot, letter)
        while (state := self.state(snapshot, letter)).level < (level := level_for(state.size + expected)):
            if state.size:
                await self.grow(snapshot, letter, 1)
                continue
            meta = snapshot.keys.blocked_sets
            plan = Plan(snapshot).guard_field("empty", meta, f"n:{letter}", None)
            plan.write("HSET", meta, f"k:{letter}", level)
            with suppress(GuardFailed):
                await self._cell.commit(plan)
            await self.refresh(snapshot, letter)

    async def _add(
        self, snapshot: AccountSnapshot, which: str, numbers: Sequence[int], job: ImportBatch | None
    ) -> AddResult:
        state = self.state(snapshot, which)
        for _ in range(_TRIES):
            if state.size == 0 and state.level == 0:
                state = SetState(level_for(len(numbers)))
            reply = await self._cell.run(snapshot, _ADD, *self._addition(snapshot, which, state, numbers, job))
            match reply[0]:
                case b"ok":
                    added, *now, in_all, there = reply[1:]
                    state = self.learn(snapshot, which, SetState(*now))
                    if job is _DRY:
                        return AddResult(0, 0, added, len(numbers) - added)
                    if state.split or state.size > FULL * state.buckets:
                        await self.grow(snapshot, which, 1 + len(numbers) // _PACE)
                    return AddResult(added, len(numbers) - added, in_all, there)
                case b"again":
                    state = self.learn(snapshot, which, SetState(*reply[1:]))
                    if job is not _DRY and not state.split and state.size + len(numbers) > MOST * state.buckets:
                        state = await self.grow(snapshot, which, 1 + len(numbers) // _PACE)
                case b"order":
                    raise OutOfOrder(reply[1])
                case _:
                    raise LeaseLost
        raise StoreUnavailable("The set of numbers is being split all the time.")

    def _addition(
        self, snapshot: AccountSnapshot, which: str, state: SetState, numbers: Sequence[int], job: ImportBatch | None
    ) -> tuple[list[str], list[Any]]:
        """The further keys and arguments of `numberset_add`."""
        level, of = state.level, state.buckets
        names = [snapshot.keys.blocked_sets, snapshot.keys.blocked_imports, keys.due(snapshot.tag)]
        lease = job.lease if job else None
        args: list[Any] = [which, level, len(numbers), MOST * of]
        args += ["?", 0] if job is _DRY else [f"{job.id}|{which}", job.batch] if job else ["", 0]
        args += [lease.member, lease.fence] if lease else ["", 0]
        here = self._bucket(snapshot, which, level, "")
        if state.split:
            above, wide = self._bucket(snapshot, which, level + 1, ""), of * 3
            args.append("")
            args += numbers
            for number in numbers:
                names += (f"{here}{number % of}", f"{above}{number % wide}")
        else:
            groups: defaultdict[int, list[int]] = defaultdict(list)
            for number in numbers:
                groups[number % of].append(number // of - _OFFSET)
            sizes = bytearray()
            values: list[int] = []
            for bucket, some in groups.items():
                values += some
                left = len(some)
                while left > 0:
                    names.append(f"{here}{bucket}")
                    sizes.append(min(left, 255))
                    left -= 255
            args.append(bytes(sizes))
            args += values
        if job is None:
            names.append(attempt_key(snapshot.tag))
        return names, args

    async def grow(self, snapshot: AccountSnapshot, which: str, steps: int) -> SetState:
        """Split about `steps` buckets, at most to the end of the level."""
        state = self.state(snapshot, which)
        while steps > 0:
            count = min(_STEP, state.buckets - state.split)
            names = [snapshot.keys.blocked_sets]
            for bucket in range(state.split, state.split + count):
                names.append(self._bucket(snapshot, which, state.level, bucket))
                names += (self._bucket(snapshot, which, state.level + 1, bucket + i * state.buckets) for i in range(3))
            level = state.level
            reply = await self._store.run(_SPLIT, names, [which, level, state.split])
            state = self.learn(snapshot, which, SetState(*reply))
            steps -= count
            if state.level != level:
                break
        return state

    # ── Reading through ─────────────────────────────────────────────────────────────────────────────────────────

    async def read(self, snapshot: AccountSnapshot, which: str, base: int, first: int, count: int) -> list[list[int]]:
        """The numbers by remainder n mod `buckets(base)`, for up to `count` remainders from `first` on; each list
        sorted. Reading all remainders of a base returns every number that exists throughout exactly once, even if the
        set grows meanwhile. `base`: a level that the set has or had. Raises AccountChanged."""
        of = buckets(base)
        for _ in range(_TRIES):
            state = self.state(snapshot, which)
            # A set that was emptied has started on a lower level, where each bucket has several remainders.
            levels = range(state.level, state.level + (2 if state.split else 1))
            parts = max(1, 3 ** (levels[-1] - base)) + max(1, 3 ** (levels[0] - base))
            some = range(first, min(first + max(1, min(count, _KEYS_AT_ONCE // parts)), of))
            wanted = [
                (level, bucket)
                for level in levels
                for bucket in sorted(
                    {(r + j * of) % buckets(level) for r in some for j in range(max(1, 3 ** (level - base)))}
                )
            ]
            names = [snapshot.keys.blocked_sets]
            names += (self._bucket(snapshot, which, level, bucket) for level, bucket in wanted)
            reply = await self._cell.run(snapshot, _READ, names, [which, state.level, len(levels) - 1])
            if reply[0] == b"again":
                self.learn(snapshot, which, SetState(*reply[1:]))
                continue
            rows: dict[int, list[int]] = {r: [] for r in some}
            for (level, bucket), values in zip(wanted, reply[1:], strict=True):
                for value in values:
                    number = (int(value) + _OFFSET) * buckets(level) + bucket
                    if number % of in rows:
                        rows[number % of].append(number)
            return [sorted(row) for row in rows.values()]
        raise StoreUnavailable("The set of numbers is being split all the time.")

    @staticmethod
    def _bucket(snapshot: AccountSnapshot, which: str, level: int | str, bucket: int | str) -> str:
        return snapshot.keys.blocked_bucket(which, str(level), str(bucket))
