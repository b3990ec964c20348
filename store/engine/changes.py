"""What every change carries: actor, time, idempotency key, effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.effects import Effect


@dataclass(frozen=True, slots=True)
class Change:
    """Idempotency key (None: a repeat is made again), actor, time and effects of a change. `result`: what a repeat
    returns, up to 120 bytes."""

    id: str | None
    by: str
    at: datetime
    result: str = ""
    effects: tuple[Effect, ...] = ()
    name: tuple[str, str] | None = None  # (id, name) of an actor who is not listed

    def audit(self, what: str, **facts: Any) -> dict[str, Any]:
        """Its entry for the audit stream."""
        return {"what": what, "at": self.at.isoformat(), "by": self.by, **facts}

    def plan(self, snapshot: AccountSnapshot, audit: dict[str, Any] | None = None, *, keep_name: bool = False) -> Plan:
        """A plan with the change's id, result and effects and the audit entry, to which the caller adds guards and
        writes. `keep_name`: store the name of an actor who is not listed."""
        plan = Plan(snapshot, self.id, self.result, audit).add_effects(self.effects)
        if keep_name and self.name is not None:
            plan.write("HSET", snapshot.keys.names, *self.name)
        return plan


class Changes:
    """Changes without a record of their own. Every method is one round trip and raises AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def first_answer(self, snapshot: AccountSnapshot, id: str) -> str | None:
        """The result of the change that was made under this id; None: none was, or it is longer ago than 24 hours."""
        result = await self._cell.read_one(snapshot, "GET", snapshot.keys.done(id))
        return None if result is None else str(result, "utf-8")

    async def send_once(self, snapshot: AccountSnapshot, id: str, effects: Sequence[Effect]) -> None:
        """Send effects that belong to no change, once under `id`."""
        await self._cell.commit(Plan(snapshot, id, "told").add_effects(effects))

    async def record_event(
        self, snapshot: AccountSnapshot, what: str, details: dict[str, str], change: Change
    ) -> str | None:
        """Add an audit entry for something without a record (a request to customer success) and send the change's
        effects. Returns the first result if it was made before."""
        return await self._cell.commit(change.plan(snapshot, change.audit(what, details=details)))
