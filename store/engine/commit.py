"""Reads and commits in an account's cell, one round trip each.

Both present the revision of the account's record that the caller decided on. If the record has changed since, they read
and write nothing and raise `AccountChanged`: rights are never checked on an older record than the data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from store.engine import keys
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.deadlines import Deadline, deadline_member
from store.engine.effects import Effect
from store.engine.keys import AccountKeys, attempt_key
from store.engine.values import to_ms
from store.server.connection import Arg, Store
from store.server.scripts import Script, script

_READ = script("engine/read")
_COMMIT = script("engine/commit")

# As long as platforms repeat a request: Slack up to an hour, carriers and Teams up to a day.
RESULT_LIFE = timedelta(hours=24)
AUDIT_LENGTH = 100_000
HISTORY_LENGTH = 500
RESULT_BYTES = 120
LEASE_LOST: Final = "lease"  # the guard of `Plan.meet_deadline`


class GuardFailed(Exception):
    """A guard failed, so nothing was written. `guard`: its name; `current`: the value found, if one was compared."""

    def __init__(self, guard: str, current: bytes) -> None:
        super().__init__(guard)
        self.guard = guard
        self.current = current


@dataclass(slots=True)
class Plan:
    """A change to be committed: guards, writes, effects. Commands and keys are never taken from input."""

    snapshot: AccountSnapshot
    id: str | None = None
    result: str = ""
    audit: dict[str, Any] | None = None
    guards: list[tuple[str, list[Any]]] = field(default_factory=list)
    writes: list[list[Any]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    soon: bool = False  # look for due deadlines right after the commit
    script: Script = _COMMIT  # must know the plan's kinds of guards and writes
    _named: list[str] = field(default_factory=list)

    @property
    def keys(self) -> AccountKeys:
        """The keys of the account."""
        return self.snapshot.keys

    def position(self, key: str) -> int:
        """The key's position among the script's KEYS, from 1."""
        if key not in self._named:
            self._named.append(key)
        return self._named.index(key) + 6

    def add_guard(self, guard: str, kind: str, key: str, *args: Any) -> "Plan":
        """Add a guard of a kind that `script` knows, under the name `guard` for GuardFailed."""
        self.guards.append((guard, [kind, self.position(key), *args]))
        return self

    def guard_field(self, guard: str, key: str, name: str, value: bytes | None) -> "Plan":
        """The hash field `name` equals `value`; None: it does not exist."""
        return self.add_guard(guard, "field", key, name, False if value is None else value.decode())

    def guard_set_size(self, guard: str, key: str, limit: int) -> "Plan":
        """The set has fewer than `limit` members."""
        return self.add_guard(guard, "room", key, limit)

    def guard_recent(self, guard: str, key: str, limit: int, since_ms: int) -> "Plan":
        """The sorted set has fewer than `limit` members with a score above `since_ms`."""
        return self.add_guard(guard, "fewer", key, limit, str(since_ms))

    def guard_counter(self, guard: str, key: str, name: str, limit: int) -> "Plan":
        """The number in the hash field `name` (0 if missing) is below `limit`."""
        return self.add_guard(guard, "under", key, name, limit)

    def guard_rank(self, guard: str, key: str, rank: int, name: str) -> "Plan":
        """The sorted set has the member `name` at that rank; "": it has none there."""
        return self.add_guard(guard, "rank", key, rank, name)

    def write(self, command: str, key: str, *args: str | bytes | int) -> "Plan":
        self.writes.append(
            [command, self.position(key), *(a.decode() if isinstance(a, bytes) else str(a) for a in args)]
        )
        return self

    def set_deadline(self, kind: str, name: str, at: datetime, *, soon: bool = False) -> "Plan":
        """Set a deadline of the account. `soon`: it is due, and this process acts on it right after the commit."""
        snapshot = self.snapshot
        self.soon = self.soon or soon
        return self.write("ZADD", keys.due(snapshot.tag), to_ms(at), deadline_member(kind, snapshot.account.id, name))

    def meet_deadline(self, deadline: Deadline, again: datetime | None = None) -> "Plan":
        """Remove the deadline that caused the change, or set it to `again`. Guards: LEASE_LOST (its lease is over and
        another process may have taken it)."""
        key = keys.due(deadline.tag)
        self.add_guard(LEASE_LOST, "score", key, deadline.member, str(deadline.fence))
        if again is None:
            return self.write("ZREM", key, deadline.member)
        return self.write("ZADD", key, to_ms(again), deadline.member)

    def drop_deadline(self, kind: str, name: str) -> "Plan":
        """Remove a deadline of the account."""
        return self.write("ZREM", keys.due(self.snapshot.tag), deadline_member(kind, self.snapshot.account.id, name))

    def move_deadline(self, kind: str, name: str, was: int | None, at: datetime | None) -> "Plan":
        """Move the deadline to `at` if it is still at `was` (ms; None: not set). `at` None removes it."""
        times = ("" if was is None else was, "" if at is None else to_ms(at))
        return self.write(
            "move", keys.due(self.snapshot.tag), deadline_member(kind, self.snapshot.account.id, name), *times
        )

    def add_effects(self, effects: Sequence[Effect]) -> "Plan":
        self.effects.extend(effects)
        return self


@dataclass(frozen=True, slots=True)
class Cell:
    """Reads and commits in any cell.

    Args:
        owner: this process, which gets the leases of conversations that a commit adds effects to.
        deliver: starts the delivery of a conversation (tag, conversation) in this process.
        look: looks for due deadlines in a cell.
    """

    store: Store
    owner: str
    lease_ms: int
    deliver: Callable[[str, str], None]
    look: Callable[[str], None] = lambda _tag: None

    async def read(self, snapshot: AccountSnapshot, *reads: tuple[str | int, ...]) -> list[Any]:
        """The replies to `reads`, each (command, key, arg, …), in their order. Raises AccountChanged."""
        rows = [[command, position, *map(str, args)] for position, (command, _, *args) in enumerate(reads, 2)]
        _, *replies = await self.run(snapshot, _READ, [str(key) for _, key, *_ in reads], [orjson.dumps(rows)])
        return replies

    async def read_one(self, snapshot: AccountSnapshot, *read: str | int) -> Any:
        """The reply to one (command, key, arg, …). Raises AccountChanged."""
        (reply,) = await self.read(snapshot, read)
        return reply

    async def run(
        self, snapshot: AccountSnapshot, script: Script, keys: Sequence[str], args: Sequence[Arg]
    ) -> list[Any]:
        """The reply of a script whose first key is the account's and whose first argument its revision; `keys` and
        `args` are the further ones. Raises AccountChanged."""
        reply: list[Any] = await self.store.run(script, [snapshot.keys.account, *keys], [snapshot.rev, *args])
        if reply[0] == b"account":
            raise AccountChanged(snapshot.account.id)
        return reply

    async def commit(self, plan: Plan) -> str | None:
        """Commit the plan and return None; if its id was committed before, do nothing and return the first result.
        Raises AccountChanged or GuardFailed; then nothing was written."""
        snapshot = plan.snapshot
        effects = [
            [plan.position(keys.outbox(snapshot.tag, effect.conv)), effect.conv, effect.encode()]
            for effect in plan.effects
        ]
        document = {
            "rev": str(snapshot.rev),
            "id": plan.id is not None,
            "result": plan.result[:RESULT_BYTES],
            "ttl": int(RESULT_LIFE.total_seconds()),
            "guards": [row for _, row in plan.guards],
            "writes": plan.writes,
            "audit": "" if plan.audit is None else orjson.dumps(plan.audit).decode(),
            "keep": AUDIT_LENGTH,
            "effects": effects,
            "owner": self.owner,
            "lease": self.lease_ms,
        }
        names = [
            snapshot.keys.account,
            snapshot.keys.done(plan.id or "-"),
            snapshot.keys.audit,
            keys.wake(snapshot.tag),
            keys.owners(snapshot.tag),
            *plan._named,
            *([] if plan.id else [attempt_key(snapshot.tag)]),
        ]
        reply = await self.store.run(plan.script, names, [orjson.dumps(document)])
        match reply[0]:
            case b"ok":
                for effect, state in zip(plan.effects, reply[1:], strict=True):
                    if state == b"yours":
                        self.deliver(snapshot.tag, effect.conv)
                if plan.soon:
                    self.look(snapshot.tag)
                return None
            case b"repeat":
                # Perhaps our own commit, whose reply was lost: then the effects are ours to send.
                for effect in plan.effects:
                    self.deliver(snapshot.tag, effect.conv)
                if plan.soon:
                    self.look(snapshot.tag)
                return str(reply[1], "utf-8")
            case b"guard":
                raise GuardFailed(plan.guards[reply[1] - 1][0], reply[2])
            case _:
                raise AccountChanged(snapshot.account.id)

    async def send_once(self, tag: str, key: str, name: str, at: str, effects: Sequence[Effect]) -> bool:
        """Send effects that concern no account, once: the field `name` of the hash `key` in the cell, set to `at`,
        records it. False: they were sent before."""
        plan = {"rev": "", "id": False, "result": "", "ttl": 0, "audit": "", "keep": 0}
        plan |= {"guards": [["field", 6, name, False]], "writes": [["HSET", 6, name, at]]}
        lists = [keys.outbox(tag, effect.conv) for effect in effects]
        plan |= {"effects": [[7 + i, e.conv, e.encode()] for i, e in enumerate(effects)]}
        plan |= {"owner": self.owner, "lease": self.lease_ms}
        names = [key, key, key, keys.wake(tag), keys.owners(tag), key, *lists, attempt_key(tag)]
        reply = await self.store.run(_COMMIT, names, [orjson.dumps(plan)])
        for effect, state in zip(effects, reply[1:], strict=False):
            if reply[0] == b"ok" and state == b"yours":
                self.deliver(tag, effect.conv)
        return bool(reply[0] == b"ok")


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
