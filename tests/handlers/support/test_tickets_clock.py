"""What comes by itself: stages of a promise, steps of an escalation, the end of keeping, a policy that changed."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from domain.support.ticket import TicketState
from handlers.support.ticket_job import TicketJob
from store.engine.commit import Plan
from store.engine.deadlines import TICKETS, Deadlines
from store.engine.keys import due
from store.support.tickets import Tickets
from tests import present
from tests.handlers.office import POLICY, Office, key_of, shown, to_desk, to_person
from tests.handlers.world import World, words


@pytest.fixture
async def office(world: World) -> Office:
    office = await Office.open(world)
    await world.type("ULENA", "usage")  # she has been seen
    return office


async def stages(office: Office, number: int) -> list[str]:
    """What the ticket's timeline has gained by itself, in order."""
    entries = await office.tickets.timeline(await office.world.snapshot(), await office.get(number), 100)
    return [e.value.what for e in entries if e.value.kind == "event"]


async def test_each_stage_is_told_once_to_the_desk_and_a_breach_to_the_policys_first_level(office: Office) -> None:
    made = await office.create("UADA", "premium_email")  # first answer guaranteed within an hour
    await office.world.effects()
    told = []
    for minutes in (29, 2, 18, 12, 30, 600):
        office.world.later(minutes=minutes)
        for _ in range(2):
            await office.world.work()
        told.append(await stages(office, made.number))
    assert told[0] == []
    assert told[1] == ["stage_half"]
    assert told[2] == ["stage_half", "stage_warning"]
    assert told[3] == ["stage_half", "stage_warning", "stage_breach"]
    assert [what for what in told[5] if what.startswith("stage")] == told[3]
    effects = await office.world.effects()
    *_, breach = [text for text in map(shown, effects) if "missed" in text and "Acknowledge" not in text]
    assert "SB-1 missed its first response (due" in breach
    assert "1 h, premium)" in breach
    assert "Nobody has it. Told now: Lena. Next: Robin is told at" in breach
    assert breach.split(" Told")[0] in to_person(effects, "ULENA")[0]
    assert not any("stage" in key_of(e) for e in effects)
    assert len([e for e in effects if key_of(e).startswith("ticket:1:m") and key_of(e).endswith(":person")]) == 0


async def test_a_breach_climbs_the_policy_until_somebody_acts(office: Office) -> None:
    made = await office.create("UADA", "premium_email")
    await office.world.work_after(minutes=61)
    effects = await office.world.effects()
    assert len(to_person(effects, "ULENA")) == 1, "the breach itself, and no second line about the escalation"
    await office.world.work_after(minutes=10)
    assert "escalated" in to_person(await office.world.effects(), "UROBIN")[0]
    await office.press("USAM", "desk.pend", made.number)
    office.world.later(minutes=600)
    await office.world.effects()
    await office.world.work()
    assert not to_person(await office.world.effects(), "ULENA"), "somebody has seen to it"


async def test_an_escalation_under_way_is_not_begun_anew_by_a_breach(office: Office) -> None:
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.work()
    await office.world.work_after(minutes=15)  # Robin is told
    await office.world.effects()
    begun = present((await office.get(made.number)).escalation)
    await office.world.work_after(minutes=16)
    after = present((await office.get(made.number)).escalation)
    assert (after.began, after.rounds) == (begun.began, begun.rounds)
    breach = next(text for text in map(shown, await office.world.effects()) if "missed" in text)
    assert "premium business critical" in breach


async def test_what_is_told_of_one_promise_does_not_pass_for_what_was_told_of_another(office: Office) -> None:
    made = await office.create("UADA", "premium_email")
    await office.press("USAM", "desk.claim", made.number)
    told = []
    for turn in range(2):
        await office.world.work_after(hours=80)
        told += [e for e in await office.world.effects() if e.kind == "slack.screen"]
        await office.fill("USAM", "desk.reply", made.number, {"reply": f"Sorry {turn}"})
        await office.below("UADA", made.number, "person", f"And now? {turn}", message=f"p{turn}")
    assert len([e for e in told if e.body["to"]["user"] == "USAM"]) == 4, "a warning and a breach of each"
    assert len({effect.id for effect in told}) == len(told)


async def test_without_a_policy_a_breach_promises_nobody(office: Office) -> None:
    await office.apply(escalation={})
    made = await office.create("UADA", "premium_email")
    await office.press("USAM", "desk.claim", made.number)
    await office.world.work_after(minutes=61)
    effects = await office.world.effects()
    breach = next(text for text in map(shown, effects) if "missed" in text)
    assert "Sam has it." in breach
    assert "Next" not in breach
    assert "Told" not in breach
    assert (await office.get(made.number)).escalation is None


async def test_a_stage_draws_the_card_anew_only_where_something_on_it_has_changed(office: Office) -> None:
    office.world.later(minutes=2)  # after the account was set up
    made = await office.create("UADA", "premium_email")
    await office.world.effects()

    async def drawn(minutes: int) -> list[str]:
        await office.world.work_after(minutes=minutes)
        return [key_of(e).partition(":")[2] for e in await office.world.effects() if key_of(e)]

    assert await drawn(31) == [f"{made.number}:m2:desk"]
    await office.apply(promises={"email": 600})  # the account may have been promised something else
    assert sorted(await drawn(18)) == [f"{made.number}:desk", f"{made.number}:m3:desk", f"{made.number}:person"]
    assert sorted(await drawn(12)) == [f"{made.number}:desk", f"{made.number}:m4:desk", f"{made.number}:person"]


async def test_a_late_process_catches_up_in_order(office: Office) -> None:
    made = await office.create("UADA", "premium_email")
    await office.world.work_after(hours=5)
    assert await stages(office, made.number) == ["stage_half", "stage_warning", "stage_breach"]


async def test_four_processes_at_once_tell_each_stage_once(office: Office) -> None:
    made = await office.create("UADA", "premium_email")
    office.world.later(hours=5)
    await asyncio.gather(*(office.world.work() for _ in range(4)))
    await office.world.work()
    assert sorted(await stages(office, made.number)) == ["stage_breach", "stage_half", "stage_warning"]


async def test_nothing_comes_of_what_is_answered_pending_or_closed(office: Office) -> None:
    numbers = [(await office.create("UADA", "premium_email")).number for _ in range(3)]
    for number in numbers:
        await office.press("USAM", "desk.claim", number)
    await office.fill("USAM", "desk.reply", numbers[0], {"reply": "On it."})
    await office.press("USAM", "desk.pend", numbers[1])
    await office.press("USAM", "desk.close", numbers[2])
    await office.world.work_after(days=3)
    for number in numbers:
        assert not [what for what in await stages(office, number) if what.startswith("stage")]
    # What was pending goes on where it stood.
    await office.below("UADA", numbers[1], "person", "Here you are", message="p1")
    await office.world.work_after(minutes=31)
    assert "stage_half" in await stages(office, numbers[1])


async def test_what_is_critical_climbs_the_policy_until_somebody_acts(office: Office) -> None:
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.work()
    assert to_person(await office.world.effects(), "ULENA")
    await office.world.work_after(minutes=10)
    effects = await office.world.effects()
    assert to_person(effects, "UROBIN")
    assert not to_person(effects, "ULENA")
    # A policy that changes meanwhile holds for the next one.
    await office.apply(escalation={})
    await office.world.work_after(minutes=10)
    assert to_person(await office.world.effects(), "ULENA"), "the second round"
    await office.press("USAM", "desk.confirm", made.number)
    await office.world.effects()
    await office.world.work_after(minutes=60)
    assert not to_person(await office.world.effects(), "UROBIN")


async def test_who_is_told_of_an_escalation_acknowledges_it_there(office: Office) -> None:
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.work()
    await office.press("ULENA", "desk.acknowledge", made.number)
    assert present((await office.get(made.number)).escalation).due is None
    assert "No escalation" in words(await office.press("USAM", "desk.acknowledge", made.number))


async def test_whom_the_policy_names_acknowledges_without_being_a_specialist(office: Office) -> None:
    levels = [{"people": ["robin"], "minutes": 10}, {"people": ["max"], "minutes": 10}]
    await office.apply(escalation={"levels": levels})
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.work()
    assert "There is no ticket" in words(await office.press("UNOOR", "desk.acknowledge", made.number))
    await office.press("UMAX", "desk.acknowledge", made.number)
    after = present((await office.get(made.number)).escalation)
    assert after.acknowledged is not None
    assert after.acknowledged[0] == "max"
    # It is no more than that: the desk's own buttons stay the desk's.
    assert "Only specialists" in words(await office.press("UMAX", "desk.claim", made.number))


async def test_at_a_desk_that_is_new_the_card_comes_before_what_is_put_below_it(office: Office) -> None:
    await office.apply(desk=None)
    made = await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.work()
    office.world.later(minutes=10)
    await office.apply()
    await office.world.effects()
    await office.world.work()
    keys = [key_of(e) for e in await office.world.effects() if e.body["to"].get("channel") == "CDESK"]
    assert keys[0] == f"ticket:{made.number}:desk"
    assert len(keys) > 1


async def test_a_policy_that_names_nobody_says_so(office: Office) -> None:
    await office.apply(escalation={})
    made = await office.create("UMAX", "chat")
    assert "names nobody" in words(await office.press("USAM", "desk.escalate", made.number))
    await office.apply(escalation=POLICY)
    await office.press("USAM", "desk.escalate", made.number)
    await office.world.effects()
    await office.world.work()
    assert to_person(await office.world.effects(), "ULENA")
    assert "escalated already" in words(await office.press("USAM", "desk.escalate", made.number))


async def test_a_shorter_promise_comes_sooner_and_a_longer_one_later(office: Office) -> None:
    made = await office.create("UMAX")  # Friday 10:00 in London; one business day
    await office.world.work_after(minutes=31)
    assert await stages(office, made.number) == []
    await office.apply(promises={"email": 60})
    await office.world.work()
    assert await stages(office, made.number) == ["stage_half"]
    await office.apply(promises={"email": 6_000})
    await office.world.work_after(minutes=60)
    assert await stages(office, made.number) == ["stage_half"]


async def test_the_queue_follows_the_promises_of_an_account_that_has_changed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.support.desk.QUEUED", 1)
    emails, chats, gone = await office.create("UMAX"), await office.create("UADA", "chat"), await office.create("UMAX")
    calls, sooner = [await office.create("UADA", "callback", **{"Phone number": "020 7946 0958"}) for _ in range(2)]
    await office.press("USAM", "desk.no_answer", sooner.number)

    async def first() -> list[int]:
        """The first to be called, and the first that nobody has."""
        queue = words(await office.world.type("USAM", "queue", name="support"))
        return [int(number) for number in re.findall(r"^SB-(\d+) ", queue, re.MULTILINE)][:2]

    assert await first() == [calls.number, chats.number]
    await office.apply(promises={"chat": 6_000, "email": 5, "callback": 5_000})
    await office.press("USAM", "desk.close", gone.number)
    await office.world.work()
    assert await first() == [sooner.number, emails.number], "the call that is tried again is promised already"
    await office.apply(promises={})
    await office.world.work()
    assert await first() == [calls.number, chats.number]


async def test_all_tickets_of_an_account_that_has_changed_are_looked_at(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.support.ticket_job.RETIMED", 2)
    numbers = [(await office.create("UMAX")).number for _ in range(5)]
    office.world.later(minutes=31)
    await office.apply(promises={"email": 60})
    await office.world.work()
    for number in numbers:
        assert await stages(office, number) == ["stage_half"]


async def test_a_ticket_that_changes_while_all_are_looked_at_keeps_the_deadline_that_it_set(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await office.create("UMAX", "chat")
    other = await office.create("UMAX", "chat")
    await office.press("USAM", "desk.pend", made.number)
    await office.apply(promises={"chat": 60})
    retime = Tickets.reschedule

    async def meanwhile(self: Tickets, *args: Any) -> None:
        await office.press("USAM", "desk.resume", made.number)
        await office.press("USAM", "desk.close", other.number)
        await retime(self, *args)

    monkeypatch.setattr(Tickets, "reschedule", meanwhile)
    await office.world.work()
    flat = await office.world.store.call("ZRANGE", due((await office.world.snapshot()).tag), 0, -1)
    assert [name for name in flat if name.startswith(b"ticket|")] == [b"ticket|acme|%d" % made.number]
    await office.world.work_after(minutes=61)
    assert "stage_breach" in await stages(office, made.number)


async def test_a_chat_that_nobody_takes_in_time_offers_the_other_ways(office: Office) -> None:
    made = await office.create("UMAX", "chat")
    await office.world.effects()
    await office.world.work_after(hours=2)
    told = [text for text in to_person(await office.world.effects(), "UMAX") if "Nobody was free" in text]
    assert len(told) == 1
    assert (await office.get(made.number)).state is TicketState.NEW


async def test_what_was_closed_long_ago_is_kept_as_long_as_the_account_says(office: Office) -> None:
    made = await office.create("UMAX", "chat")
    await office.press("UMAX", "ticket.close", made.number)
    await office.apply(retention_days=30)
    await office.world.work_after(days=29)
    assert await office.count() == 1
    await office.world.work_after(days=2)
    assert await office.count() == 0
    assert "no ticket" in words(await office.press("UMAX", "inbox.ticket", made.number))


async def test_a_star_goes_with_its_ticket(office: Office) -> None:
    await office.apply(retention_days=30)
    made = await office.create("UMAX", "chat")
    for user in ("UMAX", "UADA"):
        await office.press(user, "inbox.star", made.number)
    await office.press("UMAX", "ticket.close", made.number)
    assert "1 favorites" in words(await office.world.type("UADA", "inbox", name="support"))
    await office.world.work_after(days=31)
    for user in ("UMAX", "UADA"):
        assert "0 favorites" in words(await office.world.type(user, "inbox", name="support"))


async def test_a_calendar_with_no_open_hour_never_fires(office: Office) -> None:
    closed: dict[str, list[str]] = {day: [] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    await office.apply(hours=closed)
    made = await office.create("UMAX")
    assert "SB-1" in next(shown(e) for e in await office.world.effects() if key_of(e) == "ticket:1:desk")
    await office.world.work_after(days=300)
    assert await stages(office, made.number) == []


async def test_a_callback_that_nobody_takes_is_promised_again_and_at_last_left(office: Office) -> None:
    made = await office.create("UMAX", "callback", **{"Phone number": "020 7946 0958"})
    await office.press("USAM", "desk.claim", made.number)
    for tries in range(1, 10):
        await office.press("USAM", "desk.no_answer", made.number)
        now = await office.get(made.number)
        assert now.callback is not None
        assert now.callback.tries == tries
        if now.state is TicketState.PENDING:
            break
    assert now.state is TicketState.PENDING
    assert to_desk(await office.world.effects())


async def test_a_deadline_of_nothing_is_met(office: Office) -> None:
    snapshot = await office.world.snapshot()
    deadlines = Deadlines(office.world.store, lambda: office.world.now)
    clock = TicketJob(office.world.services(), deadlines)
    clock.register()
    for name in ("77", "x", "all:x", "all:-1", ""):
        cell = office.world.cell
        await cell.commit(Plan(snapshot).set_deadline(TICKETS, name, office.world.now - timedelta(seconds=1)))
    for come in await deadlines._take(snapshot.tag):
        await clock.fire(come)
    office.world.later(minutes=1)
    assert await deadlines._take(snapshot.tag) == []
