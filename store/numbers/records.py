"""Provided numbers: their records and indexes; each change is one commit.

A record is replaced only if it is still the one that was read, compared byte for byte (`Versioned.raw`); else
GuardFailed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import orjson

from domain.accounts.account import Person
from domain.numbers.fields import NAMES, texts_of
from domain.numbers.number import Number, NumberState
from domain.numbers.usage import Limits, Usage, limits, month_key, resets_on
from store.engine.accounts import Accounts, AccountSnapshot
from store.engine.commit import HISTORY_LENGTH, Cell, Change, GuardFailed, Plan
from store.engine.values import Versioned, pairs, to_ms, versioned
from store.server.scripts import script

_PAGE = script("numbers/numbers_page")
_FIND = script("numbers/numbers_find")

FOUND_AT_MOST = 2_000
SHORTEST_SEARCH = 3  # digits; shorter suffixes are not indexed
AT_ONCE = 50  # rows of an import written at the same time
NO_ROOM = "room"  # guard: the account has no free slot
RELEASE = "release"  # kind of deadline: release a deleted number
PEOPLE_AT_ONCE = 200  # whose numbers one round trip reads


@dataclass(frozen=True, slots=True)
class NumberPage:
    """A page of a person's list. `total`: length of the list; `more_found`: a search reached its maximum."""

    usage: Usage
    numbers: tuple[Number, ...]
    deleted: tuple[Number, ...]
    offset: int
    total: int
    more_found: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An entry of a number's history."""

    what: str
    at: datetime
    by: str
    details: dict[str, str]


class Numbers:
    """Every method raises AccountChanged. Changes raise GuardFailed, and return the first result if they were made
    before under the same id, else None."""

    def __init__(self, cell: Cell, accounts: Accounts) -> None:
        self._cell = cell
        self._accounts = accounts

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def page(
        self,
        snapshot: AccountSnapshot,
        person: Person,
        *,
        everyone: bool,
        offset: int,
        count: int,
        allowed: Limits,
        now: datetime,
    ) -> NumberPage:
        """A page of the account's provided numbers (`everyone`) or the person's, then the person's registered ones."""
        scope = snapshot.keys.index if everyone else snapshot.keys.numbers_of(person.id)
        _, used, minutes, provided, registered, page, own, deleted = await self._cell.run(
            snapshot,
            _PAGE,
            [
                snapshot.keys.numbers,
                scope,
                snapshot.keys.registered(person.id),
                snapshot.keys.slots,
                snapshot.keys.usage(month_key(snapshot.account, now)),
                snapshot.keys.deleted,
            ],
            [offset, count, to_ms(now), 3 if everyone and offset == 0 else 0],
        )
        numbers = [decode(raw) for raw in page if raw is not None]
        if own:
            start = max(0, offset - provided)
            numbers += sorted(map(decode, own), key=lambda n: (not n.default, n.e164))[
                start : start + count - len(numbers)
            ]
        return NumberPage(
            usage=_usage(snapshot, used, minutes, allowed, now),
            numbers=tuple(numbers),
            deleted=tuple(decode(raw) for raw in deleted if raw is not None),
            offset=offset,
            total=provided + registered,
        )

    async def find(
        self,
        snapshot: AccountSnapshot,
        person: Person,
        *,
        everyone: bool,
        digits: Sequence[str],
        people: Sequence[str],
        offset: int,
        count: int,
        allowed: Limits,
        now: datetime,
    ) -> NumberPage:
        """A page of the provided numbers that contain one of the runs of digits or belong to one of the people."""
        _, used, minutes, found, more, page = await self._cell.run(
            snapshot,
            _FIND,
            [
                snapshot.keys.numbers,
                snapshot.keys.find,
                snapshot.keys.index if everyone else snapshot.keys.numbers_of(person.id),
                snapshot.keys.slots,
                snapshot.keys.usage(month_key(snapshot.account, now)),
                *(snapshot.keys.numbers_of(other) for other in people),
            ],
            [offset, count, FOUND_AT_MOST, *(d for d in digits if len(d) >= SHORTEST_SEARCH)],
        )
        return NumberPage(
            usage=_usage(snapshot, used, minutes, allowed, now),
            numbers=tuple(decode(raw) for raw in page if raw is not None),
            deleted=(),
            offset=offset,
            total=found,
            more_found=bool(more),
        )

    async def usage(self, snapshot: AccountSnapshot, allowed: Limits, now: datetime) -> Usage:
        used, minutes = await self._cell.read(
            snapshot,
            ("SCARD", snapshot.keys.slots),
            ("HGET", snapshot.keys.usage(month_key(snapshot.account, now)), "minutes"),
        )
        return _usage(snapshot, used, minutes or b"0", allowed, now)

    async def get(self, snapshot: AccountSnapshot, e164: str) -> Versioned[Number] | None:
        """A provided number, also a deleted one."""
        return versioned(await self._cell.read_one(snapshot, "HGET", snapshot.keys.numbers, e164), decode)

    async def free(
        self, snapshot: AccountSnapshot, candidates: Sequence[str], now: datetime
    ) -> dict[str, bytes | None]:
        """The candidates that nobody has, each with the bytes of the record that it would replace, if any: of a number
        whose undo time is over."""
        if not candidates:
            return {}
        records, ends = await self._cell.read(
            snapshot, ("HMGET", snapshot.keys.numbers, *candidates), ("ZMSCORE", snapshot.keys.deleted, *candidates)
        )
        moment = to_ms(now)
        return {
            e164: raw
            for e164, raw, end in zip(candidates, records, ends, strict=True)
            if raw is None or (end is not None and float(end) <= moment and decode(raw).carrier_id is None)
        }

    async def last_deleted(self, snapshot: AccountSnapshot, now: datetime) -> Versioned[Number] | None:
        """The number deleted last, if its undo time is not over."""
        args = ("+inf", f"({to_ms(now)}", "BYSCORE", "REV", "LIMIT", 0, 1)
        ids = await self._cell.read_one(snapshot, "ZRANGE", snapshot.keys.deleted, *args)
        return await self.get(snapshot, str(ids[0], "utf-8")) if ids else None

    async def unused(self, snapshot: AccountSnapshot, limit: int) -> list[Number]:
        """Up to `limit` provided numbers that have a slot and are assigned to nobody."""
        # Read a few more, as some unassigned numbers have no slot (those being ported out).
        ids = await self._cell.read_one(snapshot, "ZRANGE", snapshot.keys.numbers_of(""), 0, 4 * limit)
        if not ids:
            return []
        raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.numbers, *(str(i, "utf-8") for i in ids))
        return [n for n in (decode(raw) for raw in raws if raw is not None) if n.counts][:limit]

    async def history(self, snapshot: AccountSnapshot, e164: str, count: int) -> list[HistoryEvent]:
        """The last events of a number, newest first."""
        log = snapshot.keys.history(e164)
        entries = await self._cell.read_one(snapshot, "XREVRANGE", log, "+", "-", "COUNT", count)
        events = [orjson.loads(fields[1]) for _, fields in entries]
        return [HistoryEvent(e["what"], datetime.fromisoformat(e["at"]), e["by"], e.get("details", {})) for e in events]

    async def all(self, snapshot: AccountSnapshot, *, deleted: bool = False) -> list[Number]:
        """Every provided number, by E.164; with `deleted` also deleted ones. For the command line only: the cost grows
        with the account."""
        raws = await self._cell.read_one(snapshot, "HVALS", snapshot.keys.numbers)
        numbers = [n for n in map(decode, raws) if deleted or n.state is not NumberState.DELETED]
        return sorted(numbers, key=lambda number: number.e164)

    async def owned(self, snapshot: AccountSnapshot) -> dict[str, str]:
        """Every provided or registered number of the account, with the id of the person who has it ("": nobody). For
        rare use: the cost grows with the account."""
        flat, strangers = await self._cell.read(
            snapshot, ("HVALS", snapshot.keys.numbers), ("HKEYS", snapshot.keys.names)
        )
        numbers = [n for n in map(decode, flat) if n.state is not NumberState.DELETED]
        found = {n.e164: n.person or "" for n in numbers}
        people = [*(p.id for p in snapshot.account.people), *(str(name, "utf-8") for name in strangers)]
        for start in range(0, len(people), PEOPLE_AT_ONCE):
            some = people[start : start + PEOPLE_AT_ONCE]
            lists = await self._cell.read(snapshot, *(("HKEYS", snapshot.keys.registered(person)) for person in some))
            for person, own in zip(some, lists, strict=True):
                found.update((str(name, "utf-8").partition(";")[0], person) for name in own)
        return found

    async def adopt(self, snapshot: AccountSnapshot, person: Person, now: datetime) -> int:
        """Move to a person the numbers that they had under a platform's id before the account listed them. Returns how
        many. Idempotent."""
        moved = 0
        for old in person.ids:
            if old == person.id:
                continue
            provided, own = await self._cell.read(
                snapshot, ("ZRANGE", snapshot.keys.numbers_of(old), 0, -1), ("HGETALL", snapshot.keys.registered(old))
            )
            for e164 in provided:
                before = await self.get(snapshot, str(e164, "utf-8"))
                if before is not None and before.value.person == old:
                    after = before.value.model_copy(update={"person": person.id, "version": before.value.version + 1})
                    await self.replace(snapshot, before, after, "number.assigned", Change(None, "import", now))
                    moved += 1
            if own:
                plan, mine = Plan(snapshot), snapshot.keys.registered(person.id)
                for name, raw in pairs(own):
                    theirs = decode(raw).model_copy(update={"person": person.id})
                    plan.write("HSETNX", mine, name, theirs.model_dump_json(by_alias=True))
                    moved += 1
                await self._cell.commit(plan.write("DEL", snapshot.keys.registered(old)))
        return moved

    # ── Provided numbers ────────────────────────────────────────────────────────────────────────────────────────

    async def add(
        self,
        snapshot: AccountSnapshot,
        number: Number,
        replaced: bytes | None,
        limit: int,
        change: Change,
        what: str = "number.got",
    ) -> str | None:
        """Add a provided number within the limit. `replaced`: the bytes of the deleted record that it replaces, if any.
        Guards: room, number."""
        plan = plan_change(snapshot, change, what, number)
        if number.counts:
            plan.guard_set_size(NO_ROOM, snapshot.keys.slots, limit)
        plan.guard_field("number", snapshot.keys.numbers, number.e164, replaced)
        self.put(plan, None, number)
        return await self._cell.commit(plan)

    async def replace(
        self,
        snapshot: AccountSnapshot,
        before: Versioned[Number],
        after: Number,
        what: str,
        change: Change,
        limit: int | None = None,
    ) -> str | None:
        """Replace the record that was read. `limit`: only if a slot is free (undo). Guards: room, number."""
        plan = plan_change(snapshot, change, what, after, before.value)
        if limit is not None:
            plan.guard_set_size(NO_ROOM, snapshot.keys.slots, limit)
        plan.guard_field("number", snapshot.keys.numbers, after.e164, before.raw)
        self.put(plan, before.value, after)
        return await self._cell.commit(plan)

    async def import_rows(
        self, snapshot: AccountSnapshot, rows: Sequence[Number], now: datetime
    ) -> list[tuple[Number, str | None]]:
        """Import provided numbers from a file. Returns each with None (written), "same" (no change) or a refusal's
        code."""
        limit = limits(snapshot.account).numbers
        report: list[tuple[Number, str | None]] = []
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            codes = await asyncio.gather(*(self._import(snapshot, row, limit, now) for row in some))
            report += zip(some, codes, strict=True)
        return report

    async def _import(self, snapshot: AccountSnapshot, row: Number, limit: int, now: datetime) -> str | None:
        change = Change(None, "import", now)
        before = await self.get(snapshot, row.e164)
        if before is not None and import_fields(before.value) == import_fields(row):
            return "same"
        if before is not None and (before.value.leaving or before.value.state is NumberState.ORDERED):
            return "carrier_busy"
        if before is not None:  # the file does not contain what the carrier says
            needs = before.value.needs if row.state is NumberState.PENDING else ""
            row = row.model_copy(update={"carrier_id": before.value.carrier_id, "needs": needs})
        if before is None and not await self._accounts.claim_number(snapshot.account.id, row.e164):
            return "number_of_another"
        try:
            if before is None or (before.value.state is NumberState.DELETED):
                await self.add(snapshot, row, before.raw if before else None, limit, change, "number.imported")
            else:
                after = row.model_copy(update={"version": before.value.version + 1, "since": before.value.since})
                grows = after.counts and not before.value.counts
                await self.replace(snapshot, before, after, "number.imported", change, limit if grows else None)
        except GuardFailed as error:
            if before is None and row.e164 not in snapshot.account.inventory:
                await self._accounts.release_number(snapshot.account.id, row.e164)
            return "quota" if error.guard == NO_ROOM else "stale"
        return None

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def drop(self, plan: Plan, before: Number) -> None:
        """Add to a plan: delete the number's record and its index entries."""
        e164 = before.e164
        plan.write("HDEL", plan.keys.numbers, e164)
        plan.write("ZREM", plan.keys.deleted, e164)
        plan.write("ZREM", plan.keys.index, e164)
        plan.write("ZREM", plan.keys.find, *_suffixes(e164))
        plan.write("SREM", plan.keys.slots, e164)
        plan.write("ZREM", plan.keys.numbers_of(before.person or ""), e164)

    def put(self, plan: Plan, before: Number | None, after: Number) -> None:
        """Add to a plan: the number's record, its index entries, the deadline at which a deleted one is released."""
        e164 = after.e164
        plan.write("HSET", plan.keys.numbers, e164, after.model_dump_json(by_alias=True))
        was_deleted = before is not None and before.state is NumberState.DELETED
        is_deleted = after.state is NumberState.DELETED
        if is_deleted and after.undo_until is not None:
            plan.write("ZADD", plan.keys.deleted, to_ms(after.undo_until), e164)
            plan.set_deadline(RELEASE, e164, after.undo_until)
        else:
            plan.write("ZREM", plan.keys.deleted, e164)
            if was_deleted and not is_deleted:
                plan.drop_deadline(RELEASE, e164)
        # The person whose index has the number: "" if it is unassigned, None if it is in no index.
        old = None if before is None or was_deleted else before.person or ""
        new = None if is_deleted else after.person or ""
        if new is None and old is not None:
            plan.write("ZREM", plan.keys.index, e164)
            plan.write("ZREM", plan.keys.find, *_suffixes(e164))
        elif old is None and new is not None:
            plan.write("ZADD", plan.keys.index, 0, e164)
            plan.write("ZADD", plan.keys.find, *(piece for row in _suffixes(e164) for piece in ("0", row)))
        plan.write("SADD" if after.counts else "SREM", plan.keys.slots, e164)
        if old is not None and old != new:
            plan.write("ZREM", plan.keys.numbers_of(old), e164)
        if new is not None and old != new:
            plan.write("ZADD", plan.keys.numbers_of(new), 0, e164)


def plan_change(
    snapshot: AccountSnapshot, change: Change, what: str, after: Number, before: Number | None = None
) -> Plan:
    """A plan with the change's id, result and effects, and its entries in the audit and in the number's history."""
    entry = change.audit(what, details=_details(before, after))
    plan = change.plan(snapshot, {**entry, "number": after.e164}, keep_name=True)
    if after.source == "provided":
        log = snapshot.keys.history(after.e164)
        plan.write("XADD", log, "MAXLEN", "~", HISTORY_LENGTH, "*", "e", orjson.dumps(entry))
    return plan


@lru_cache(maxsize=10_000)  # safe: records are immutable
def decode(raw: bytes) -> Number:
    """A number from its stored JSON."""
    return Number.decode(raw)


def _usage(snapshot: AccountSnapshot, used: int, minutes: bytes, allowed: Limits, now: datetime) -> Usage:
    return Usage(used, allowed.numbers, int(minutes), allowed.minutes, resets_on(snapshot.account, now))


def _suffixes(e164: str) -> list[str]:
    digits = e164.lstrip("+")
    return [f"{digits[i:]}|{e164}" for i in range(len(digits) - SHORTEST_SEARCH + 1)]


def import_fields(number: Number) -> tuple[object, ...]:
    """The fields of a number that an import sets: if they are equal, importing it changes nothing."""
    return (number.state, number.person, number.forwarding, number.forwarding_extension, texts_of(number))


def _details(before: Number | None, after: Number) -> dict[str, str]:
    if before is None:
        return {"person": after.person} if after.person else {}
    fields = ("state", "person", "forwarding", *NAMES, "extension", "default")
    changed = [f for f in fields if getattr(before, f, None) != getattr(after, f, None)]
    return {f: str(v) for f in changed for v in [getattr(after, f, None)] if v is not None} | {
        f"{f}_before": str(v) for f in changed for v in [getattr(before, f, None)] if v is not None
    }
