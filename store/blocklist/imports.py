"""Imports of blocked numbers: the numbers, lines with details, and the record of the import."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from domain.blocklist import BlocklistEntry, Direction
from store.blocklist.entries import EXPIRY, LETTERS, Import, encode, rows, us
from store.blocklist.numberset import AddResult, ImportBatch, LeaseLost, NumberSets
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, Plan
from store.engine.deadlines import BARRED, TICKETS, Deadline, deadline_member
from store.engine.keys import attempt_key
from store.engine.values import pairs, to_ms
from store.server.scripts import script

_PUT = script("blocklist/blocklist_put")

PUT_AT_ONCE: Final = 500  # entries with details that one script adds


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """An import: batches that were added, numbers added, numbers that were there before."""

    made: Import
    batches: int
    added: int
    there: int


class BlocklistImports:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.sets = NumberSets(cell)

    # ── Many at once ────────────────────────────────────────────────────────────────────────────────────────────

    async def bulk(
        self, snapshot: AccountSnapshot, numbers: Sequence[int], direction: Direction, job: ImportBatch | None = None
    ) -> AddResult:
        """Add up to `numberset.BATCH` numbers without details (E.164's digits as integers): see `NumberSets.add`. Only
        numbers imported earlier for the direction count as there; entries of their own don't, because they may end."""
        return await self.sets.add(snapshot, LETTERS[direction], numbers, job)

    async def count_present(self, snapshot: AccountSnapshot, numbers: Sequence[int], direction: Direction) -> int:
        """How many of up to `numberset.BATCH` numbers are there already, for a preview of `bulk`."""
        return await self.sets.count_present(snapshot, LETTERS[direction], numbers)

    async def reserve(self, snapshot: AccountSnapshot, direction: Direction, expected: int) -> None:
        """Prepare the direction's number set for about `expected` more, so that it need not grow during the import."""
        await self.sets.reserve(snapshot, LETTERS[direction], expected)

    async def put(
        self,
        snapshot: AccountSnapshot,
        entries: Sequence[BlocklistEntry],
        now: datetime,
        lease: Deadline | None = None,
        job: ImportBatch | None = None,
    ) -> list[bool]:
        """Add up to PUT_AT_ONCE entries with details; returns for each whether it is new. A repeat of a job's last
        batch returns the same, so that an import does not take its own entries for earlier ones. `lease`: default the
        job's. Raises LeaseLost."""
        if len(entries) > PUT_AT_ONCE:
            raise ValueError(f"{len(entries)} entries are more than {PUT_AT_ONCE}.")
        tag, id = snapshot.tag, snapshot.account.id
        names = [snapshot.keys.blocked, snapshot.keys.blocked_at, snapshot.keys.blocked_until]
        names += [snapshot.keys.blocked_find, keys.due(tag), snapshot.keys.blocked_imports]
        args: list[str | int] = [to_ms(now)]
        lease = lease or (job.lease if job else None)
        args += [lease.member, lease.fence] if lease else ["", 0]
        args.append(deadline_member(EXPIRY, id, ""))
        args += [job.id, job.batch] if job else ["", 0]
        args.append(deadline_member(TICKETS, id, f"{BARRED}:0"))
        for i, entry in enumerate(entries):
            made, until = us(entry.at or now) + i, 0 if entry.until is None else to_ms(entry.until)
            args += [entry.key, encode(entry), made, until, "\n".join(rows(entry.key))]
        if job is None:
            names.append(attempt_key(tag))
        reply = await self._cell.run(snapshot, _PUT, names, args)
        if reply[0] == b"lease":
            raise LeaseLost
        return [bool(new) for new in reply[1:]]

    async def record(
        self,
        snapshot: AccountSnapshot,
        made: Import,
        what: str,
        change: Change,
        also: Callable[[Plan], object] = lambda _plan: None,
    ) -> str | None:
        """Store the record of an import, with the audit entry `what`. `also` adds to the same plan, such as a deadline.
        Guards: by, and those that `also` adds."""
        meta, imports = snapshot.keys.blocked_sets, snapshot.keys.blocked_imports
        letter = LETTERS[made.direction]
        names = (f"by:{letter}", f"n:{letter}", f"n:{letter.upper()}")
        only, *sizes = await self._cell.read_one(snapshot, "HMGET", meta, *names)
        # The set stores who imported it while there was only one import.
        brief = orjson.dumps({"id": made.id, "by": made.by, "at": made.at.isoformat(), "reason": made.reason})
        first = only == brief or not any(map(int, filter(None, sizes)))
        details = {"import": made.id, "direction": made.direction.value, "reason": made.reason}
        plan = change.plan(snapshot, change.audit(what, details=details))
        plan.guard_field("by", meta, f"by:{letter}", only).write("HSET", meta, f"by:{letter}", brief if first else b"")
        plan.write("HSET", imports, made.id, made.model_dump_json())
        if made.state != "running":
            redraw_callbacks(plan, change.at)
        also(plan)
        return await self._cell.commit(plan)

    async def tally(self, snapshot: AccountSnapshot, import_id: str) -> ImportProgress | None:
        """An import by its id; None: there is none."""
        return next((t for t in await self.imports(snapshot) if t.made.id == import_id), None)

    async def imports(self, snapshot: AccountSnapshot) -> list[ImportProgress]:
        """All imports, newest first."""
        flat = await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.blocked_imports)
        fields = {str(name, "utf-8"): value for name, value in pairs(flat)}
        found = []
        for name, raw in fields.items():
            if name.endswith("|done"):
                continue
            made = Import.decode(raw)
            letter = LETTERS[made.direction]
            done = [
                [int(part) for part in fields.get(f"{name}|{which}|done", b"0 0 0").split()]
                for which in (letter, letter.upper())
            ]
            batches = min(d[0] for d in done)
            found.append(ImportProgress(made, batches, sum(d[1] for d in done), sum(d[2] for d in done)))
        return sorted(found, key=lambda t: t.made.at, reverse=True)


def redraw_callbacks(plan: Plan, at: datetime) -> Plan:
    """Add to a plan: update the callback cards right after it, as they show which numbers are blocked."""
    return plan.set_deadline(TICKETS, f"{BARRED}:0", at, soon=True)
