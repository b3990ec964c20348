"""What is noted of calls and counted of them, on each kind of server, with several at once."""

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest

from domain.blocklist import BlocklistEntry, Direction
from domain.calls import CallDirection as Way
from domain.numbers.number import Number, NumberState
from store.blocklist.blocklist import Blocklist
from store.calls.records import Calls, Leg
from store.engine import keys
from store.engine.accounts import AccountChanged, Accounts
from store.engine.commit import Cell, Change, GuardFailed
from store.engine.values import Versioned
from tests import present
from tests.handlers.world import NOW, World, company

OWN = "+442079460900"


def calls(world: World) -> Calls:
    cell = Cell(world.store, "test", 15_000, lambda _tag, _conv: None)
    return Calls(cell, Blocklist(cell))


def leg(id: str = "CA1", seconds: int = 61, call: str = "CA1", **more: object) -> Leg:
    given = {"number": OWN, "person": "max", "began": NOW, "proof": False, **more}
    return Leg(call, id, seconds, **given)  # type: ignore[arg-type] # by name


async def count(world: World, *legs: Leg, at: datetime = NOW) -> int:
    now, kept = await world.snapshot(), calls(world)
    known = await kept.known(now, legs[0].call, at)
    return await kept.count(now, known, legs, kept.due_alerts(now, known, 2), ())


async def test_the_facts_are_noted_with_the_call(world: World) -> None:
    number, kept, now = await world.provide(), calls(world), await world.snapshot()
    first = await kept.decide(now, "CA1", "inbound", NOW, own=OWN)
    assert first.fresh
    assert first.facts[:4] == (number, 0, 3000, False)
    assert (first.person, first.at) == ("max", NOW)
    # What changes later changes no answer.
    before = Versioned(number, number.model_dump_json(by_alias=True).encode())
    await world.numbers.replace(now, before, number.next(NOW, forwarding=None), "x", Change(None, "ada", NOW))
    again = await kept.decide(now, "CA1", "inbound", NOW + timedelta(minutes=1), own=OWN)
    assert (again.facts, again.at, again.fresh) == (first.facts, NOW, False)
    other = await kept.decide(now, "CA2", "inbound", NOW, own=OWN)
    assert other.facts.own is not None
    assert other.facts.own.forwarding is None
    assert 0 < await world.store.call("TTL", now.keys.call("CA1")) <= 48 * 3600


async def test_an_older_record_of_the_account_decides_nothing(world: World) -> None:
    old = await world.snapshot()
    await world.apply(company(name="Acme Limited"))
    with pytest.raises(AccountChanged):
        await calls(world).decide(old, "CA1", "inbound", NOW, own=OWN)
    assert not await world.store.call("EXISTS", old.keys.call("CA1"))


async def test_a_number_that_is_not_there_is_none(world: World) -> None:
    noted = await calls(world).decide(await world.snapshot(), "CA1", "inbound", NOW, own="+442079460999")
    assert noted.facts.own is None
    assert noted.person is None


async def test_who_calls_out_has_a_number_to_call_from(world: World) -> None:
    now, kept = await world.snapshot(), calls(world)
    assert (await kept.decide(now, "CA1", "outbound", NOW, person="max")).facts.caller_id is None
    await world.provide(state=NumberState.PENDING)
    assert (await kept.decide(now, "CA2", "outbound", NOW, person="max")).facts.caller_id is None
    await world.provide("+442079460901")
    await world.provide("+442079460902", person="noor")
    found = (await kept.decide(now, "CA3", "outbound", NOW, person="max")).facts
    assert found.caller_id is not None
    assert (found.caller_id.e164, found.own) == ("+442079460901", None)
    mine = Number(e164="+442079460222", source="registered", person="max", default=True, since=NOW)
    await world.store.call("HSET", now.keys.registered("max"), mine.e164, mine.model_dump_json(by_alias=True))
    assert (await kept.decide(now, "CA4", "outbound", NOW, person="max")).facts.caller_id == mine
    assert (await kept.decide(now, "CA5", "outbound", NOW, person="ola")).facts.caller_id is None
    emergency = (await kept.decide(now, "CA6", "outbound", NOW, person="ola", emergency=True)).facts
    assert emergency.caller_id is not None
    from_number = await kept.decide(now, "CA7", "outbound", NOW, own="+442079460902")
    assert (from_number.person, from_number.facts.caller_id) == ("noor", from_number.facts.own)


async def test_a_leg_counts_once_by_number_person_and_day(world: World) -> None:
    assert await count(world, leg()) == 2
    with pytest.raises(GuardFailed):
        await count(world, leg())
    assert await count(world, leg("CA2", 1, proof=True)) == 1
    month = await calls(world).breakdown(await world.snapshot(), NOW)
    assert (month.minutes, month.numbers, month.people) == (3, {OWN: 3}, {"max": 3})
    assert month.days == {NOW.date(): 3}
    usage = (await world.snapshot()).keys.usage("2026-11")
    assert await world.store.call("TTL", usage) > 300 * 86_400


async def test_a_call_counts_in_the_month_in_which_it_began_there(world: World) -> None:
    await world.apply(company(timezone="Asia/Tokyo"))
    late = datetime.fromisoformat("2026-11-30T15:30:00+00:00")  # December in Tokyo
    await count(world, leg(began=late), at=late)
    assert (await calls(world).breakdown(await world.snapshot(), NOW)).minutes == 0
    december = await calls(world).breakdown(await world.snapshot(), late)
    assert (december.minutes, [d.isoformat() for d in december.days]) == (2, ["2026-12-01"])


async def test_the_first_leg_waits_for_proof_and_proof_does_not_come_too_early(world: World) -> None:
    kept, now = calls(world), await world.snapshot()
    before = await kept.known(now, "CA1", NOW)
    await kept.keep_unproven(now, before, leg())
    with pytest.raises(GuardFailed):  # decided on what was before the first leg waited
        await kept.count(now, before, [leg("CA2", proof=True)], (), ())
    known = await kept.known(now, "CA1", NOW)
    assert known.wait == b"61"
    assert await kept.count(now, known, [leg("CA2", proof=True), leg()], (), ()) == 4
    after = await kept.known(now, "CA1", NOW)
    assert (after.wait, after.dialled) == (None, b"1")
    assert after.counted == {"CA1", "CA2"}
    with pytest.raises(GuardFailed):  # proven meanwhile: it need not wait
        await kept.keep_unproven(now, before, leg())


async def test_many_processes_count_each_leg_once_and_tell_each_alert_once(world: World) -> None:
    await world.apply(company(limits={"minutes": 150}))
    rivals = []
    for _ in range(6):
        accounts = Accounts(world.store)
        rivals.append((accounts, calls(world)))
    told: list[str] = []

    async def end(index: int, number: int) -> None:
        accounts, kept = rivals[index]
        now = present(await accounts.recent("acme"))
        one = leg(f"L{number}", call=f"CA{number}")
        while True:
            known = await kept.known(now, one.call, NOW)
            if one.id in known.counted:
                return
            news = kept.due_alerts(now, known, 2)
            try:
                await kept.count(now, known, [one], news, ())
            except GuardFailed:
                continue
            told.extend(alert.name for alert in news)
            return

    await asyncio.gather(*(end(index, number) for number in range(90) for index in range(6)))
    assert (await calls(world).breakdown(await world.snapshot(), NOW)).minutes == 180
    assert sorted(told) == ["empty", "low", "warning"]


async def test_numbers_lead_to_their_account_and_a_stale_lead_is_dropped(world: World) -> None:
    now = await world.snapshot()
    assert (await world.accounts.by_number(OWN)) is now
    await world.store.call("SET", keys.dir_number(OWN), "other")
    assert (await world.accounts.by_number(OWN)) is now  # as this process knows it
    assert world.accounts.forget_number(OWN)
    assert (await world.accounts.by_number(OWN)) is None
    assert await world.accounts.by_number("+442079460999") is None


async def test_the_blocklist_decides_in_the_same_step(world: World) -> None:
    await world.provide()
    now, kept = await world.snapshot(), calls(world)
    blocklist = Blocklist(Cell(world.store, "test", 15_000, lambda _tag, _conv: None))

    async def blocked(other: str | None, direction: Way = "inbound") -> bool:
        found = await kept.decide(now, f"C{next(ids)}", direction, NOW, own=OWN, other=other)
        return found.facts.blocked

    ids = itertools.count()
    assert not await blocked("+441214960199")
    for kind, value, way in (
        ("number", "+441214960199", "both"),
        ("prefix", "+4870", "inbound"),
        ("anonymous", "", "inbound"),
        ("allow", "+48701234567", "both"),
        ("number", "+441214960200", "outbound"),
    ):
        entry = BlocklistEntry(kind=kind, value=value, direction=Direction(way), by="ada", at=NOW)
        await blocklist.add(now, entry, Change(None, "ada", NOW))
    assert await blocked("+441214960199")
    assert await blocked("+441214960199", "outbound")
    assert await blocked("+48709999999")
    assert not await blocked("+48709999999", "outbound")
    assert not await blocked("+48701234567")
    assert await blocked(None)
    assert not await blocked("+441214960200")
    assert await blocked("+441214960200", "outbound")
    await blocklist.switch(now, on=False, change=Change(None, "ada", NOW))
    assert not await blocked("+441214960199")


async def test_lists_that_grow_meanwhile_are_looked_at_as_they_are(world: World) -> None:
    await world.provide()
    now, kept = await world.snapshot(), calls(world)
    assert not (await kept.decide(now, "C0", "inbound", NOW, own=OWN, other="+441214960199")).facts.blocked
    other = Blocklist(Cell(world.store, "test", 15_000, lambda _tag, _conv: None))
    for start in range(441214000000, 441214020000, 1000):
        await other.bulk(now, range(start, start + 1000), Direction.BOTH)
    assert (await kept.decide(now, "C1", "inbound", NOW, own=OWN, other="+441214015000")).facts.blocked
    assert not (await kept.decide(now, "C2", "inbound", NOW, own=OWN, other="+441214960199")).facts.blocked
