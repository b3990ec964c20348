"""Registered numbers: people's own, proved by a code; and the challenges under way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.numbers.codes import Challenge
from domain.numbers.number import Number
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, Plan
from store.engine.values import Versioned, to_ms, versioned
from store.numbers.records import decode, plan_change

REGISTERED_AT_MOST: Final = 20  # numbers of a person


class RegisteredNumbers:
    """Every method raises AccountChanged. Changes raise GuardFailed, and return the first result if they were made
    before under the same id, else None."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def of(self, snapshot: AccountSnapshot, person: str) -> list[Versioned[Number]]:
        """A person's registered numbers, the default first."""
        raws = await self._cell.read_one(snapshot, "HVALS", snapshot.keys.registered(person))
        return sorted((Versioned(decode(raw), raw) for raw in raws), key=lambda k: (not k.value.default, k.value.e164))

    async def challenge(
        self,
        snapshot: AccountSnapshot,
        person: str,
        challenge: Challenge,
        sends: int,
        since: datetime,
        life_s: int,
        change: Change,
    ) -> str | None:
        """Store a challenge for `life_s` seconds, if fewer than `sends` codes were sent after `since`. Guards:
        sends."""
        plan = change.plan(snapshot, change.audit("code.sent", details={"number": challenge.e164}))
        challenges, sent = snapshot.keys.codes(person), snapshot.keys.code_sends(person)
        plan.guard_recent("sends", sent, sends, to_ms(since))
        field = _field(challenge.e164, challenge.extension)
        plan.write("HSET", challenges, field, challenge.model_dump_json(by_alias=True))
        plan.write("EXPIRE", challenges, life_s)
        plan.write("ZADD", sent, to_ms(change.at), f"{to_ms(change.at)}:{change.id}")
        plan.write("EXPIRE", sent, 3600)
        return await self._cell.commit(plan)

    async def get_challenge(
        self, snapshot: AccountSnapshot, person: str, e164: str, extension: str | None
    ) -> Versioned[Challenge] | None:
        """The challenge under way for a number, if any."""
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.codes(person), _field(e164, extension))
        return versioned(raw, Challenge.decode)

    async def count_wrong_code(self, snapshot: AccountSnapshot, person: str, before: bytes, after: Challenge) -> None:
        """Store a challenge after a wrong code. Guards: code."""
        challenges = snapshot.keys.codes(person)
        name = _field(after.e164, after.extension)
        plan = Plan(snapshot).guard_field("code", challenges, name, before)
        await self._cell.commit(plan.write("HSET", challenges, name, after.model_dump_json(by_alias=True)))

    async def register(
        self,
        snapshot: AccountSnapshot,
        person: str,
        challenge_raw: bytes,
        number: Number,
        demoted: Sequence[Versioned[Number]],
        change: Change,
    ) -> str | None:
        """Register the number after the right code, and delete its challenge (`challenge_raw`). `demoted`: numbers
        that stop being the default. Guards: code, other."""
        name = _field(number.e164, number.extension)
        plan = plan_change(snapshot, change, "number.registered", number)
        plan.guard_field("code", snapshot.keys.codes(person), name, challenge_raw)
        plan.write("HDEL", snapshot.keys.codes(person), name)
        plan.write("HSET", snapshot.keys.registered(person), name, number.model_dump_json(by_alias=True))
        _demote(plan, person, demoted)
        return await self._cell.commit(plan)

    async def edit(
        self,
        snapshot: AccountSnapshot,
        person: str,
        before: Versioned[Number],
        after: Number,
        demoted: Sequence[Versioned[Number]],
        change: Change,
    ) -> str | None:
        """Change label, extension or default. Guards: number, other."""
        plan = plan_change(snapshot, change, "number.edited", after, before.value)
        mine = snapshot.keys.registered(person)
        old, new = (_field(n.e164, n.extension) for n in (before.value, after))
        plan.guard_field("number", mine, old, before.raw)
        if new != old:
            plan.guard_field("other", mine, new, None).write("HDEL", mine, old)
        plan.write("HSET", mine, new, after.model_dump_json(by_alias=True))
        _demote(plan, person, demoted)
        return await self._cell.commit(plan)

    async def drop(
        self, snapshot: AccountSnapshot, person: str, before: Versioned[Number], change: Change
    ) -> str | None:
        """Delete a registered number. Guards: number."""
        plan = plan_change(snapshot, change, "number.unregistered", before.value)
        mine = snapshot.keys.registered(person)
        name = _field(before.value.e164, before.value.extension)
        plan.guard_field("number", mine, name, before.raw).write("HDEL", mine, name)
        return await self._cell.commit(plan)


def _demote(plan: Plan, person: str, demoted: Sequence[Versioned[Number]]) -> None:
    """Add to a plan: these numbers are not the default caller ID any more."""
    mine = plan.keys.registered(person)
    for before in demoted:
        name = _field(before.value.e164, before.value.extension)
        after = before.value.model_copy(update={"default": False, "version": before.value.version + 1})
        plan.guard_field("other", mine, name, before.raw)
        plan.write("HSET", mine, name, after.model_dump_json(by_alias=True))


def _field(e164: str, extension: str | None) -> str:
    """The field of a registered number: lines behind one switchboard differ by their extension only."""
    return f"{e164};{extension}" if extension else e164
