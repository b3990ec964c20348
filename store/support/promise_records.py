"""Records of ended promises, kept for the reports longer than the tickets, without any text of theirs.

A member's name is ticket, kind and start of the promise. A promise that continues after its end (its ticket was
reopened) ends a second time under the same name: the first record is removed, so that it counts once.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from domain.support.report import PromiseRecord
from domain.support.ticket import Ticket
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.values import from_ms

CHUNK: Final = 500  # records read at once
MONTHS: Final = 26  # including the current one
LIFE: Final = (MONTHS - 1) * 31 * 86_400  # seconds that a month's records are kept


class PromiseRecords:
    """Reads the records; `record_outcome` writes them with the commit that ends the promise. Methods raise
    AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def in_month(self, snapshot: AccountSnapshot, month: str) -> AsyncIterator[PromiseRecord]:
        """The promises that ended in a month ("2026-11"), by ticket; read in chunks, so a month may have any size. A
        record that exists throughout is returned exactly once."""
        key, last = snapshot.keys.promises_kept(month), "-"
        while True:
            members = await self._cell.read_one(snapshot, "ZRANGEBYLEX", key, last, "+", "LIMIT", 0, CHUNK)
            for member in members:
                yield decode(member)
            if len(members) < CHUNK:
                return
            last = f"({members[-1].decode()}"

    async def count_removed(self, snapshot: AccountSnapshot, month: str) -> int:
        """How many tickets created in a month are deleted."""
        return int(await self._cell.read_one(snapshot, "HGET", snapshot.keys.tickets_gone, month) or 0)


def record_outcome(plan: Plan, before: Ticket, after: Ticket, outcome: PromiseRecord | None) -> None:
    """Add to a ticket's change: the record of the promise that it ends, if any; and the removal of the record of the
    promise that continues although it had ended."""
    if before.past and before.past[-1] not in after.past and (earlier := before.past[-1]).ended is not None:
        _take_back(plan, _name(before.number, earlier.kind, earlier.since), earlier.ended)
    if outcome is not None:
        key = plan.keys.promises_kept(_month(plan, outcome.at))
        _take_back(plan, _name(outcome.ticket, outcome.kind, outcome.since), outcome.at)
        plan.write("ZADD", key, 0, encode(outcome)).write("EXPIRE", key, LIFE)


def months_back(now: datetime) -> list[str]:
    """The months ("2026-11") that records are kept of, the oldest first and the current one last, in `now`'s zone."""
    first, found = now.replace(day=1), []
    for _ in range(MONTHS):
        found.append(first.strftime("%Y-%m"))
        first = (first - timedelta(days=1)).replace(day=1)
    return found[::-1]


def decode(member: bytes) -> PromiseRecord:
    number, kind, since, rest = member.decode().split("|", 3)
    facts: list[Any] = orjson.loads(rest)
    return PromiseRecord._make([int(number), kind, from_ms(int(since)), *facts[:-1], from_ms(facts[-1])])


def encode(row: PromiseRecord) -> str:
    """Inverse of `decode`."""
    facts = [row.kept, row.met, row.guaranteed, row.channel, row.specialist, row.promised, row.took, _ms(row.at)]
    return f"{_name(row.ticket, row.kind, row.since)}{orjson.dumps(facts).decode()}"


def _take_back(plan: Plan, name: str, at: datetime) -> None:
    """Remove the record of that name from the month of `at`."""
    key = plan.keys.promises_kept(_month(plan, at))
    plan.write("ZREMRANGEBYLEX", key, f"[{name}", f"({name[:-1]}}}")  # "}" follows the "|" that ends a name


def _name(number: int, kind: str, since: datetime) -> str:
    return f"{number:012}|{kind}|{_ms(since)}|"


def _month(plan: Plan, at: datetime) -> str:
    return at.astimezone(plan.snapshot.account.zone).strftime("%Y-%m")


def _ms(moment: datetime) -> int:
    """Milliseconds since 1970 as names of stored records have them: rounded to the nearest, unlike `to_ms`."""
    return round(moment.timestamp() * 1000)
