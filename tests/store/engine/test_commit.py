"""A change is whole or nothing, happens once, and never on rights that are gone."""

import asyncio

import orjson
import pytest

from store.engine import keys
from store.engine.accounts import AccountChanged, Accounts, AccountSnapshot
from store.engine.commit import Cell, Changes, GuardFailed, Plan
from store.engine.effects import Effect
from store.server.connection import Store
from tests.handlers.world import NOW, company

LEASE_MS = 10_000


class Rig:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = Accounts(store)
        self.written: list[tuple[str, str]] = []
        self.cell = Cell(store, "us", LEASE_MS, lambda tag, conv: self.written.append((tag, conv)))


@pytest.fixture
def rig(store: Store) -> Rig:
    return Rig(store)


def counter(snapshot: AccountSnapshot) -> str:
    return snapshot.keys.numbers


async def test_writes_audit_effects_and_id_are_one_step(rig: Rig, snapshot: AccountSnapshot) -> None:
    effect = Effect("slack:T:U", "slack.screen", {"a": 1}, "e1")
    plan = Plan(snapshot, "c1", "done|1", {"what": "test"})
    plan.write("HSET", counter(snapshot), "k", "v").add_effects([effect])
    assert await rig.cell.commit(plan) is None
    assert rig.written == [(snapshot.tag, "slack:T:U")]
    assert await rig.store.call("HGET", counter(snapshot), "k") == b"v"
    (row,) = await rig.store.call("LRANGE", keys.outbox(snapshot.tag, effect.conv), 0, -1)
    assert Effect.decode(row) == effect
    entries = await rig.store.call("XREVRANGE", snapshot.keys.audit, "+", "-", "COUNT", 1)
    assert orjson.loads(entries[0][1][1]) == {"what": "test"}


async def test_the_same_id_acts_once_and_answers_the_first_result(rig: Rig, snapshot: AccountSnapshot) -> None:

    async def once(n: int) -> str | None:
        plan = Plan(snapshot, "same", f"result|{n}")
        return await rig.cell.commit(plan.write("HINCRBY", counter(snapshot), "n", 1))

    answers = await asyncio.gather(*(once(n) for n in range(20)))
    assert answers.count(None) == 1
    (first,) = {a for a in answers if a is not None}
    assert first == f"result|{answers.index(None)}"
    assert await rig.store.call("HGET", counter(snapshot), "n") == b"1"


async def test_a_changed_account_stops_reads_and_changes(rig: Rig, snapshot: AccountSnapshot) -> None:
    await rig.accounts.apply([company(name="Acme plc")], NOW)
    with pytest.raises(AccountChanged):
        await rig.cell.read(snapshot, ("HGET", counter(snapshot), "k"))
    with pytest.raises(AccountChanged):
        await rig.cell.commit(Plan(snapshot, "x").write("HSET", counter(snapshot), "k", "v"))
    assert await rig.store.call("EXISTS", counter(snapshot)) == 0
    assert await rig.store.call("EXISTS", snapshot.keys.done("x")) == 0


async def test_guards_hold_and_say_what_is_there(rig: Rig, snapshot: AccountSnapshot) -> None:
    records, slots, sends = (counter(snapshot), snapshot.keys.slots, snapshot.keys.code_sends("ada"))
    await rig.cell.commit(Plan(snapshot).write("HSET", records, "k", "v1"))
    with pytest.raises(GuardFailed) as failed:
        await rig.cell.commit(
            Plan(snapshot, "a").guard_field("mine", records, "k", b"v0").write("HSET", records, "k", "v2")
        )
    assert (failed.value.guard, failed.value.current) == ("mine", b"v1")
    with pytest.raises(GuardFailed):
        await rig.cell.commit(
            Plan(snapshot).guard_field("absent", records, "k", None).write("HSET", records, "k", "v2")
        )
    assert await rig.store.call("HGET", records, "k") == b"v1"

    for n in range(3):
        await rig.cell.commit(Plan(snapshot).guard_set_size("room", slots, 3).write("SADD", slots, str(n)))
    with pytest.raises(GuardFailed):
        await rig.cell.commit(Plan(snapshot).guard_set_size("room", slots, 3).write("SADD", slots, "3"))

    await rig.cell.commit(Plan(snapshot).write("ZADD", sends, 1_000, "old").write("ZADD", sends, 5_000, "new"))
    await rig.cell.commit(Plan(snapshot).guard_recent("sends", sends, 2, 2_000))
    with pytest.raises(GuardFailed):
        await rig.cell.commit(Plan(snapshot).guard_recent("sends", sends, 1, 2_000))


async def test_only_the_first_of_a_conversation_is_ours_to_send(rig: Rig, snapshot: AccountSnapshot) -> None:
    for n in range(2):
        await rig.cell.commit(Plan(snapshot, f"c{n}").add_effects([Effect("conv", "x", {}, f"e{n}")]))
    assert rig.written == [(snapshot.tag, "conv")]


async def test_accented_and_binary_looking_texts_come_back_as_they_went(rig: Rig, snapshot: AccountSnapshot) -> None:
    text = 'Zażółć "gęślą" jaźń \\ \u2028 \U0001f642 {"a": [1]}'
    await rig.cell.commit(Plan(snapshot, "t", text[:30]).write("HSET", counter(snapshot), "k", text))
    assert str(await rig.store.call("HGET", counter(snapshot), "k"), "utf-8") == text
    assert await Changes(rig.cell).first_answer(snapshot, "t") == text[:30]
