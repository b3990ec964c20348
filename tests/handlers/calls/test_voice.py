"""Calls that ring and calls that ended, on each kind of store; without any carrier."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from domain.numbers.number import Number, NumberState
from handlers.calls.voice import Announce, Answer, CallRequest, Dial, LegContext, LegEnd, Reject, Voice
from store.blocklist.blocklist import Blocklist
from store.engine.commit import Cell, Change
from store.engine.values import Versioned
from tests import instance_of
from tests.handlers.world import NOW, World, company

OWN, TO, CALLER = "+442079460900", "+442079460111", "+14155550132"


class Line:
    """A telephone line to the world's bot: `rings` and `ends` in one process or another."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.voice = Voice(world.services())

    async def rings(self, call: str = "CA1", frm: str = CALLER, to: str = OWN, **more: Any) -> Answer:
        return await self.voice.answer(CallRequest(call, frm, to, **{"direction": "inbound", **more}))

    async def calls(self, to: str, frm: str = "client:acme.max", call: str = "CA1", **more: Any) -> Answer:
        return await self.voice.answer(CallRequest(call, frm, to, "outbound", **more))

    async def ends(
        self, leg: str, seconds: int | str, mark: LegContext | None = None, at: datetime | None = None
    ) -> str:
        return await self.voice.count(LegEnd(leg, TO if mark else OWN, str(seconds), mark, at or self.world.now))

    async def minutes(self) -> int:
        return (await self.world.services().calls.breakdown(await self.world.snapshot(), self.world.now)).minutes


@pytest.fixture
def line(world: World) -> Line:
    return Line(world)


async def provide(world: World, e164: str = OWN, **more: Any) -> Number:
    await world.accounts.claim_number("acme", e164)
    return await world.provide(e164, **more)


async def become(world: World, before: Number, **changes: Any) -> Number:
    snapshot = await world.snapshot()
    after = before.next(NOW, **changes)
    kept = Versioned(before, before.model_dump_json(by_alias=True).encode())
    await world.numbers.replace(snapshot, kept, after, "x", Change(None, "ada", NOW))
    return after


def dialled(answer: Answer) -> Dial:
    assert isinstance(answer, Dial), answer
    return answer


async def test_a_call_is_connected_to_the_forwarding_number(world: World, line: Line) -> None:
    await provide(world, forwarding_extension="12")
    answer = dialled(await line.rings())
    assert (answer.to, answer.extension, answer.caller_id) == (TO, "12", CALLER)
    assert answer.mark == LegContext("acme", "CA1", OWN, "max", NOW)
    assert dialled(await line.rings("CA2", "anonymous")).caller_id == OWN


async def test_asked_again_the_answer_is_the_same_whatever_changed_and_whoever_is_asked(
    world: World, line: Line
) -> None:
    number = await provide(world)
    first = await line.rings()
    await become(world, number, state=NumberState.DELETED, undo_until=NOW)
    world.later(minutes=5)
    assert await line.rings() == first
    assert await Line(world).rings() == first
    assert await line.rings("CA2") == Reject("inactive")


@pytest.mark.parametrize("state", [s for s in NumberState if s is not NumberState.ACTIVE])
async def test_a_number_that_is_not_in_use_rejects(world: World, line: Line, state: NumberState) -> None:
    await provide(world, state=state)
    assert await line.rings() == Reject("inactive")


async def test_nobodys_numbers_reject(world: World, line: Line) -> None:
    assert await line.rings(to="+442079460900") == Reject("unknown")  # in the inventory, in nobody's hands
    assert await line.rings("CA2", to="+442079460999") == Reject("unknown")
    assert await line.rings("CA3", to="") == Reject("unknown")
    assert await line.rings("CA4", to="sip:max@example.com") == Reject("unknown")


async def test_a_number_that_went_to_another_account_is_found_there(world: World, line: Line) -> None:
    number = await provide(world, "+442079460950")
    assert dialled(await line.rings(to="+442079460950")).mark.account == "acme"
    await world.accounts.apply([company(id="other", workspaces=[], inventory=[])], NOW)
    await become(world, number, state=NumberState.DELETED, undo_until=NOW)
    await world.accounts.release_number("acme", "+442079460950")
    other = await world.snapshot("other")
    assert await world.accounts.claim_number("other", "+442079460950")
    await world.numbers.add(other, replace_person(number), None, 3, Change(None, "ada", NOW))
    assert dialled(await line.rings("CA2", to="+442079460950")).mark.account == "other"


def replace_person(number: Number) -> Number:
    return number.model_copy(update={"person": None})


async def test_a_number_that_rings_nowhere_says_so_in_the_accounts_language(world: World, line: Line) -> None:
    await provide(world, forwarding=None)
    answer = instance_of(Announce, await line.rings())
    assert (answer.why, answer.language) == ("no_forwarding", "en")
    await world.apply(company(default_person={"language": "pl"}))
    answer = instance_of(Announce, await line.rings("CA2"))
    assert answer.language == "pl"
    assert answer.text.startswith("Pod tym numerem")


async def test_the_last_minute_may_be_begun_and_then_calls_are_refused(world: World, line: Line) -> None:
    await world.apply(company(limits={"minutes": 3}))
    await provide(world)
    first, second = dialled(await line.rings("CA1")), dialled(await line.rings("CA2"))
    assert await line.ends("CA1-2", 150, first.mark) == "counted"
    assert instance_of(Announce, await line.rings("CA3")).why == "pool"
    assert await line.ends("CA2-2", 150, second.mark) == "counted"  # in progress, it ended normally
    assert await line.minutes() == 6
    assert await line.ends("CA3", 7) == "waiting"  # the sentence that was said costs nothing
    assert await line.minutes() == 6
    world.later(days=15)
    assert isinstance(await line.rings("CA4"), Dial)  # the pool is full again


async def test_both_legs_of_a_forwarded_call_count_each_begun_minute_once(world: World, line: Line) -> None:
    await provide(world)
    mark = dialled(await line.rings()).mark
    world.later(seconds=70)
    assert [await line.ends("CA2", 59, mark) for _ in range(3)] == ["counted", "repeat", "repeat"]
    assert [await line.ends("CA1", 61) for _ in range(3)] == ["counted", "repeat", "repeat"]
    assert await line.minutes() == 3


async def test_the_legs_may_end_in_any_order_and_at_once(world: World, line: Line) -> None:
    await provide(world)
    mark = dialled(await line.rings()).mark
    others = [Line(world) for _ in range(5)]
    await asyncio.gather(*(o.ends("CA1", 61) for o in others), *(o.ends("CA2", 59, mark) for o in others))
    assert await line.minutes() == 3


async def test_a_dialled_leg_that_is_told_without_its_mark_is_known_by_its_call(world: World, line: Line) -> None:
    await provide(world)
    await line.rings()
    plain = LegEnd("CA2", TO, "59", None, NOW, "CA1")
    assert [await line.voice.count(plain) for _ in range(2)] == ["counted", "repeat"]
    assert await Line(world).voice.count(replace(plain, leg="CA3")) == "ignored"  # a process that did not dial it
    assert await line.minutes() == 1


async def test_a_call_that_nobody_saw_ring_counts_by_the_leg_that_we_dialled(world: World, line: Line) -> None:
    await provide(world)
    mark = LegContext("acme", "CA1", OWN, "max", NOW)
    assert await line.ends("CA1", 61) == "waiting"
    assert await line.ends("CA1", 61) == "repeat"
    assert await line.minutes() == 0
    assert await line.ends("CA2", 59, mark) == "counted"
    assert await line.minutes() == 3
    assert await line.ends("CA1", 61) == "repeat"
    # The other way round.
    mark = replace(mark, call="CB1")
    assert await line.ends("CB2", 59, mark) == "counted"
    assert await line.ends("CB1", 61) == "counted"
    assert await line.minutes() == 6


async def test_the_first_leg_and_the_proof_come_at_the_same_moment(world: World) -> None:
    await provide(world)
    lines = [Line(world) for _ in range(4)]
    for turn in range(10):
        mark = LegContext("acme", f"C{turn}", OWN, "max", NOW)
        await asyncio.gather(*(o.ends(f"C{turn}", 61) for o in lines), *(o.ends(f"C{turn}-2", 59, mark) for o in lines))
    assert await lines[0].minutes() == 30


async def test_legs_of_nobody_and_lengths_that_can_not_be_change_nothing(world: World, line: Line) -> None:
    await provide(world)
    mark = dialled(await line.rings()).mark
    for seconds in ("", "-5", "90000", "soon", "1e9"):
        assert await line.ends("CA2", seconds, mark) == "bad"
    assert await line.ends("CA2", 0, mark) == "nothing"
    assert await line.voice.count(LegEnd("CA9", "+442079460999", "60", None, NOW)) == "ignored"
    assert await line.ends("CA3", 60, replace(mark, account="gone")) == "ignored"
    assert await line.minutes() == 0


async def test_a_call_counts_in_the_month_in_which_it_began(world: World, line: Line) -> None:
    await provide(world)
    world.now = datetime.fromisoformat("2026-11-30T23:58:00+00:00")
    mark = dialled(await line.rings()).mark
    world.later(minutes=10)
    assert await line.ends("CA2", 600, mark) == "counted"
    assert await line.ends("CA1", 600) == "counted"
    assert await line.minutes() == 0
    world.now = NOW
    assert await line.minutes() == 20


async def test_super_admins_are_told_at_each_threshold_once(world: World, line: Line) -> None:
    await world.apply(company(limits={"minutes": 200}))
    await provide(world)

    async def talk(number: int, minutes: int) -> list[str]:
        mark = LegContext("acme", f"C{number}", OWN, "max", world.now)
        outcomes = await asyncio.gather(*(Line(world).ends(f"C{number}-2", minutes * 60, mark) for _ in range(3)))
        assert sorted(outcomes) == ["counted", "repeat", "repeat"]
        return await world.said("UADA")

    assert await talk(1, 99) == []
    (low,) = await talk(2, 1)
    assert "100 minutes of this month are left" in low
    assert "Few minutes are left" in low
    assert await talk(3, 59) == []
    (warning,) = await talk(4, 5)
    assert "36 minutes are left until 1 Dec" in warning
    (empty,) = await talk(5, 60)
    assert "used up" in empty
    assert await talk(6, 60) == []
    world.later(days=15)
    assert len(await talk(7, 100)) == 1  # another month


async def test_everybody_who_runs_the_account_is_told_and_nobody_else(world: World, line: Line) -> None:
    await world.apply(company(limits={"minutes": 10}))
    await line.ends("C2", 600, LegContext("acme", "C1", OWN, "max", NOW))
    assert sorted([e.body["to"]["user"] for e in await world.effects()]) == ["UADA", "UROBIN"]


async def test_calling_out(world: World, line: Line) -> None:
    assert instance_of(Announce, await line.calls("020 7946 0958")).why == "no_caller_id"
    await provide(world)
    answer = dialled(await line.calls("020 7946 0958", call="CA2"))
    assert (answer.to, answer.caller_id, answer.mark.person) == ("+442079460958", OWN, "max")
    assert dialled(await line.calls("+442079460958", frm=OWN, call="CA3")).caller_id == OWN
    by_sip = await line.calls("sip:+442079460958@acme.example.com", frm="sip:max@acme.example.com", call="CA4")
    assert dialled(by_sip).to == "+442079460958"
    spoofed = await line.calls(
        "+442079460958", frm="sip:max@acme.example.com", call="CA5", sip_domain="other.example.com"
    )
    assert spoofed == Reject("unknown")
    assert await line.calls("+442079460958", frm="client:acme.nobody", call="CA6") == Reject("unknown")
    assert await line.calls("+442079460958", frm="+442079460999", call="CA7") == Reject("unknown")
    assert instance_of(Announce, await line.calls("call me", call="CA8")).why == "callee"
    assert isinstance(await line.calls("84433", call="CA9"), Announce)


async def test_calling_out_costs_the_leg_that_is_dialled(world: World, line: Line) -> None:
    await provide(world)
    mark = dialled(await line.calls("020 7946 0958")).mark
    assert await line.ends("CA1", 61) == "nothing"
    assert await line.ends("CA2", 61, mark) == "counted"
    assert await line.minutes() == 2
    month = await world.services().calls.breakdown(await world.snapshot(), NOW)
    assert (month.numbers, month.people) == ({OWN: 2}, {"max": 2})


async def test_an_emergency_call_goes_through_with_the_pool_used_up_and_no_number_of_ones_own(
    world: World, line: Line
) -> None:
    await world.apply(company(limits={"minutes": 0}))
    none = dialled(await line.calls("999"))
    assert (none.to, none.caller_id) == ("999", None)
    await provide(world, person="noor")
    assert dialled(await line.calls("112", call="CA2")).caller_id == OWN
    assert isinstance(await line.calls("+442079460958", call="CA3"), Announce)


async def test_an_emergency_call_of_somebody_unknown_goes_through(world: World, line: Line) -> None:
    for n, frm in enumerate(("client:acme.nobody", "client:gone.max", "sip:x@y", "anonymous")):
        assert dialled(await line.calls("112", frm=frm, call=f"CA{n}")).to == "112"
        assert await line.calls("+442079460958", frm=frm, call=f"CB{n}") == Reject("unknown")


async def test_a_plan_without_calling_connects_nobody(world: World, line: Line) -> None:
    await provide(world)
    await world.apply(company(subscription={"line": "sales", "tier": "free"}))
    assert await line.rings() == Reject("no_calling")
    assert await line.calls("+442079460958", call="CA2") == Reject("no_calling")


async def test_the_note_of_a_call_goes_away_by_itself(world: World, line: Line) -> None:
    await provide(world)
    await line.rings()
    snapshot = await world.snapshot()
    assert await world.store.call("TTL", snapshot.keys.call("CA1")) <= timedelta(hours=48).total_seconds()


async def block(world: World, kind: str, value: str = "", **more: Any) -> None:
    snapshot = await world.snapshot()
    entry = BlocklistEntry(kind=EntryKind(kind), value=value, by="ada", at=NOW, **more)
    await Blocklist(Cell(world.store, "test", 15_000, lambda _tag, _conv: None)).add(
        snapshot, entry, Change(None, "ada", NOW)
    )


async def test_blocked_callers_are_rejected_until_that_very_second(world: World, line: Line) -> None:
    await provide(world)
    await block(world, "number", CALLER, until=NOW + timedelta(seconds=10))
    await block(world, "anonymous")
    assert await line.rings("CA1") == Reject("blocked")
    assert await line.rings("CA2", "anonymous") == Reject("anonymous")
    assert await line.rings("CA3", "+266696687") == Reject("anonymous")
    world.later(seconds=10)
    assert await line.rings("CA1") == Reject("blocked")  # the same call
    assert isinstance(await line.rings("CA4"), Dial)
    assert await line.ends("CA1", 5) == "waiting"
    assert await line.minutes() == 0


async def test_blocked_callees_are_rejected_and_emergency_calls_never(world: World, line: Line) -> None:
    await provide(world)
    await block(world, "prefix", "+4412")
    await block(world, "number", "999", direction=Direction.OUTBOUND)
    assert await line.calls("+441214960199") == Reject("blocked")
    assert isinstance(await line.calls("+442079460958", call="CA2"), Dial)
    assert isinstance(await line.calls("999", call="CA3"), Dial)
