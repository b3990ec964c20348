"""What goes with every change: who asked for it, the id that makes it happen once, what is told because of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.effects import Effect


@dataclass(frozen=True, slots=True)
class Change:
    """What goes with every change: the id that makes it happen once, who, when, and what is told because of it.
    `result` is what a repeat is answered with (up to 120 bytes)."""

    id: str | None
    by: str
    at: datetime
    result: str = ""
    effects: tuple[Effect, ...] = ()
    name: tuple[str, str] | None = None  # of a person who is not listed, as (id, name)

    def audit(self, what: str, **facts: Any) -> dict[str, Any]:
        """Its line in the audit stream."""
        return {"what": what, "at": self.at.isoformat(), "by": self.by, **facts}

    def plan(self, snapshot: AccountSnapshot, audit: dict[str, Any] | None = None, *, keep_name: bool = False) -> Plan:
        """The change as it begins: its id and result, its line in the audit, its effects; with `keep_name` the name of
        a person who is not listed. The caller adds guards and writes."""
        plan = Plan(snapshot, self.id, self.result, audit).add_effects(self.effects)
        if keep_name and self.name is not None:
            plan.write("HSET", snapshot.keys.names, *self.name)
        return plan


class Changes:
    """Changes without a record of their own. Every method is one round trip and raises AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def first_answer(self, snapshot: AccountSnapshot, id: str) -> str | None:
        """The result of a change that was done before under this id."""
        result = await self._cell.read_one(snapshot, "GET", snapshot.keys.done(id))
        return None if result is None else str(result, "utf-8")

    async def send_once(self, snapshot: AccountSnapshot, id: str, effects: Sequence[Effect]) -> None:
        """Send effects that go with no change, once under `id`."""
        await self._cell.commit(Plan(snapshot, id, "told").add_effects(effects))

    async def record_event(
        self, snapshot: AccountSnapshot, what: str, details: dict[str, str], change: Change
    ) -> str | None:
        """Record in the audit stream what has no record of its own (a request to customer success), and tell of it.
        The first result where it was done before."""
        return await self._cell.commit(change.plan(snapshot, change.audit(what, details=details)))
