"""Numbers of people's own, which they registered by a code: records by person, and the codes under way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.numbers.codes import Challenge
from domain.numbers.number import Number
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import Cell, Plan
from store.engine.values import to_ms
from store.engine.versioned import Versioned, versioned
from store.numbers.records import decode, plan_change

REGISTERED_AT_MOST: Final = 20  # a person's own numbers, so that a list of them stays a list


class RegisteredNumbers:
    """Every method is one round trip and raises AccountChanged; changes raise GuardFailed and return the first result
    when they were done before under the same id, else None."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def of(self, snapshot: AccountSnapshot, person: str) -> list[Versioned[Number]]:
        """A person's own numbers, the default first."""
        raws = await self._cell.read_one(snapshot, "HVALS", snapshot.keys.registered(person))
        return sorted((Versioned(decode(raw), raw) for raw in raws), key=lambda k: (not k.value.default, k.value.e164))

    async def challenge(
        self,
        snapshot: AccountSnapshot,
        person: str,
        given: Challenge,
        sends: int,
        since: datetime,
        life_s: int,
        change: Change,
    ) -> str | None:
        """Keeps a code under way, within so many an hour. Guards: sends."""
        plan = change.plan(snapshot, change.audit("code.sent", details={"number": given.e164}))
        asked, sent = snapshot.keys.codes(person), snapshot.keys.code_sends(person)
        plan.guard_recent("sends", sent, sends, to_ms(since))
        plan.write("HSET", asked, _own(given.e164, given.extension), given.model_dump_json(by_alias=True))
        plan.write("EXPIRE", asked, life_s)
        plan.write("ZADD", sent, to_ms(change.at), f"{to_ms(change.at)}:{change.id}")
        plan.write("EXPIRE", sent, 3600)
        return await self._cell.commit(plan)

    async def get_challenge(
        self, snapshot: AccountSnapshot, person: str, e164: str, extension: str | None
    ) -> Versioned[Challenge] | None:
        """The code under way for a number."""
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.codes(person), _own(e164, extension))
        return versioned(raw, Challenge.decode)

    async def count_wrong_code(self, snapshot: AccountSnapshot, person: str, before: bytes, after: Challenge) -> None:
        """Counts a wrong code. Guards: code."""
        asked = snapshot.keys.codes(person)
        name = _own(after.e164, after.extension)
        await self._cell.commit(
            Plan(snapshot)
            .guard_field("code", asked, name, before)
            .write("HSET", asked, name, after.model_dump_json(by_alias=True))
        )

    async def register(
        self,
        snapshot: AccountSnapshot,
        person: str,
        proven: bytes,
        number: Number,
        demoted: Sequence[Versioned[Number]],
        change: Change,
    ) -> str | None:
        """The code was right: the number is the person's. Guards: code, other."""
        name = _own(number.e164, number.extension)
        plan = plan_change(snapshot, change, "number.registered", number)
        plan.guard_field("code", snapshot.keys.codes(person), name, proven)
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
        """Label, extension or default. Guards: number, other."""
        plan = plan_change(snapshot, change, "number.edited", after, before.value)
        mine = snapshot.keys.registered(person)
        old, new = (_own(n.e164, n.extension) for n in (before.value, after))
        plan.guard_field("number", mine, old, before.raw)
        if new != old:
            plan.guard_field("other", mine, new, None).write("HDEL", mine, old)
        plan.write("HSET", mine, new, after.model_dump_json(by_alias=True))
        _demote(plan, person, demoted)
        return await self._cell.commit(plan)

    async def drop(
        self, snapshot: AccountSnapshot, person: str, before: Versioned[Number], change: Change
    ) -> str | None:
        """Guards: number."""
        plan = plan_change(snapshot, change, "number.unregistered", before.value)
        mine = snapshot.keys.registered(person)
        name = _own(before.value.e164, before.value.extension)
        plan.guard_field("number", mine, name, before.raw).write("HDEL", mine, name)
        return await self._cell.commit(plan)


def _demote(plan: Plan, person: str, demoted: Sequence[Versioned[Number]]) -> None:
    """Only one number is the default caller ID."""
    mine = plan.keys.registered(person)
    for kept in demoted:
        name = _own(kept.value.e164, kept.value.extension)
        plain = kept.value.model_copy(update={"default": False, "version": kept.value.version + 1})
        plan.guard_field("other", mine, name, kept.raw).write("HSET", mine, name, plain.model_dump_json(by_alias=True))


def _own(e164: str, extension: str | None) -> str:
    """One line behind a switchboard is not another: the extension belongs to the name."""
    return f"{e164};{extension}" if extension else e164
