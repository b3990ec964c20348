"""Tickets on real servers: each change whole, found again, in order, and once."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from domain.accounts.account import Person
from domain.support import desk
from domain.support import tickets as life
from domain.support.channels import Channel
from domain.support.desk import find_ended_promise, next_action_at
from domain.support.ticket import Ticket, TicketChange, TicketDraft, TicketState
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.deadlines import deadline_member
from store.engine.values import Versioned
from store.server.connection import Store
from store.support import ticket_reads
from store.support.promise_records import PromiseRecords
from store.support.ticket_reads import KIND
from store.support.tickets import Tickets
from tests import present
from tests.handlers.world import NOW, PEOPLE, World, company

SAM = {"id": "sam", "name": "Sam", "slack": "USAM", "seat": "core", "specialist": True}
LENA = {"id": "lena", "name": "Lena", "slack": "ULENA", "seat": "core", "specialist": True}


class Office:
    """A company's tickets and the people who write and answer them."""

    def __init__(self, world: World, snapshot: AccountSnapshot) -> None:
        self.world, self.snapshot = world, snapshot
        self.tickets = Tickets(world.cell)
        self._ids = iter(range(1, 10_000))

    def person(self, id: str) -> Person:
        return present(self.snapshot.account.person(id))

    def change(self, id: str | None = None, result: str = "done") -> Change:
        return Change(id or f"c{next(self._ids)}", "ada", self.world.now, result)

    async def create(
        self, who: str = "max", overview: str = "Calls do not ring", channel: Channel = Channel.EMAIL, **draft: Any
    ) -> Versioned[Ticket]:
        given = TicketDraft(channel, "en", overview, "Since this morning.", **draft)
        number = await self.tickets.take_number(self.snapshot)
        after = life.create(number, self.snapshot.account, self.person(who), given, self.world.now)
        await self.tickets.create(
            self.snapshot, after, self.change(), next_action_at(self.snapshot.account, after.ticket)
        )
        return await self.filed(number)

    async def filed(self, number: int) -> Versioned[Ticket]:
        return present(await self.tickets.get(self.snapshot, number))

    async def replace(self, before: Versioned[Ticket], after: TicketChange, id: str | None = None) -> str | None:
        account = self.snapshot.account
        return await self.tickets.replace(
            self.snapshot,
            before,
            after,
            "ticket.changed",
            self.change(id),
            next_action_at(account, after.ticket),
            outcome=find_ended_promise(account, before.value, after.ticket, self.world.now),
        )

    async def due(self, number: int) -> int | None:
        score = await self.world.store.call(
            "ZSCORE", keys.due(self.snapshot.tag), deadline_member(KIND, "acme", str(number))
        )
        return None if score is None else int(float(score))


@pytest.fixture
async def office(store: Store) -> Office:
    world = World(store)
    await world.apply(company(people=[*PEOPLE, SAM, LENA]))
    return Office(world, await world.snapshot())


def numbers(tickets: Any) -> list[int]:
    return [ticket.number for ticket in tickets]


async def test_a_ticket_is_kept_with_its_timeline_and_its_next_deadline(office: Office) -> None:
    filed = await office.create()
    ticket = filed.value
    assert (ticket.number, ticket.state, ticket.person) == (1, TicketState.NEW, "max")
    (first,) = await office.tickets.timeline(office.snapshot, ticket, 10)
    assert first.value.text == "Since this morning."
    wake = present(next_action_at(office.snapshot.account, ticket))
    assert await office.due(1) == int(wake.timestamp() * 1000)


async def test_every_view_follows_the_ticket_through_its_life(office: Office) -> None:
    filed = await office.create()
    await office.create("ada", "Minutes look wrong")
    sam, max_ = office.person("sam"), office.person("max")
    admin, mine = office.person("ada"), office.person("max")

    async def counts(reader: Person, everyone: bool) -> list[int]:
        box = await office.tickets.box(office.snapshot, reader, "all", everyone=everyone, offset=0, count=10)
        return [box.counts[view] for view in ("all", "open", "closed", "fav")]

    assert await counts(admin, True) == [2, 2, 0, 0]
    assert await counts(mine, False) == [1, 1, 0, 0]
    assert numbers((await office.tickets.waiting(office.snapshot, "sam", 10)).free) == [1, 2]
    await office.replace(filed, desk.claim(filed.value, sam, office.world.now))
    assert numbers((await office.tickets.waiting(office.snapshot, "sam", 10)).free) == [2]
    assert numbers((await office.tickets.waiting(office.snapshot, "sam", 10)).mine) == [1]
    filed = await office.filed(1)
    office.world.later(minutes=5)
    await office.replace(filed, desk.reply_desk(filed.value, sam, "Which number?", (), office.world.now))
    assert await office.due(1) is None  # it is the person's turn
    filed = await office.filed(1)
    await office.replace(filed, life.close_person(filed.value, max_, office.world.now))
    assert await counts(admin, True) == [2, 1, 1, 0]
    assert await counts(mine, False) == [1, 0, 1, 0]
    assert (await office.tickets.waiting(office.snapshot, "sam", 10)).mine == ()
    filed = await office.filed(1)
    await office.replace(filed, life.reply_person(filed.value, max_, "Still there", (), office.world.now))
    assert await counts(mine, False) == [1, 1, 0, 0]
    assert await office.due(1) is not None
    (kept,) = [row async for row in PromiseRecords(office.world.cell).in_month(office.snapshot, "2026-11")]
    assert (kept.kind, kept.kept, kept.channel, kept.specialist, kept.took) == (
        "first_response",
        True,
        "email",
        "sam",
        5.0,
    )
    texts = [e.value.text or e.value.what for e in await office.tickets.timeline(office.snapshot, filed.value, 50)]
    assert texts == ["Since this morning.", "claimed", "Which number?", "closed"]
    last = await office.tickets.timeline(office.snapshot, (await office.filed(1)).value, 2, before=4)
    assert [e.value.id for e in last] == [2, 3]


async def test_of_two_at_once_one_wins_and_the_other_is_told(office: Office) -> None:
    filed = await office.create()

    async def claim(who: str) -> str | None:
        return await office.replace(filed, desk.claim(filed.value, office.person(who), office.world.now))

    outcomes = await asyncio.gather(claim("sam"), claim("lena"), return_exceptions=True)
    assert sorted(type(o).__name__ for o in outcomes) == ["GuardFailed", "NoneType"]
    assert (await office.filed(1)).value.version == 2


async def test_the_same_change_again_changes_nothing(office: Office) -> None:
    filed = await office.create()
    after = desk.claim(filed.value, office.person("sam"), office.world.now)
    assert await office.replace(filed, after, "same") is None
    assert [await office.replace(filed, after, "same") for _ in range(4)] == ["done"] * 4
    assert len(await office.tickets.timeline(office.snapshot, (await office.filed(1)).value, 50)) == 2


async def test_a_number_is_given_once(office: Office) -> None:
    given = await asyncio.gather(*(office.tickets.take_number(office.snapshot) for _ in range(50)))
    assert sorted(given) == list(range(1, 51))
    filed = await office.create()
    with pytest.raises(GuardFailed):
        await office.tickets.create(office.snapshot, TicketChange(filed.value, ()), office.change(), None)


async def test_what_a_newer_version_wrote_is_kept_through_a_step_of_this_one(office: Office) -> None:
    filed = await office.create()
    row = orjson.loads(filed.raw) | {"mood": "calm"}
    row["clock"] |= {"zone_2": "Mars"}
    raw = orjson.dumps(row)
    await office.world.store.call("HSET", office.snapshot.keys.tickets, "1", raw)
    newer = await office.filed(1)
    await office.replace(newer, desk.claim(newer.value, office.person("sam"), NOW))
    kept = orjson.loads((await office.filed(1)).raw)
    assert kept["specialist"] == "sam"
    assert kept["mood"] == "calm"
    assert kept["clock"]["zone_2"] == "Mars"


async def test_pages_and_stars(office: Office) -> None:
    for n in range(25):
        office.world.later(seconds=1)
        await office.create("max" if n % 5 else "ada")
    ada = office.person("ada")
    first = await office.tickets.box(office.snapshot, ada, "all", everyone=True, offset=0, count=10)
    assert (numbers(first.tickets), first.total) == (list(range(25, 15, -1)), 25)
    last = await office.tickets.box(office.snapshot, ada, "all", everyone=True, offset=20, count=10)
    assert numbers(last.tickets) == [5, 4, 3, 2, 1]
    for number in (24, 3):
        await office.tickets.star(office.snapshot, ada, number, True, office.change())
    await office.tickets.star(office.snapshot, ada, 24, False, office.change())
    favourites = await office.tickets.box(office.snapshot, ada, "fav", everyone=True, offset=0, count=10)
    assert (numbers(favourites.tickets), favourites.stars, favourites.counts["fav"]) == ([3], frozenset({3}), 1)
    assert (await office.tickets.timeline_and_star(office.snapshot, ada, (await office.filed(3)).value, 1))[1]
    others = await office.tickets.box(office.snapshot, office.person("max"), "fav", everyone=False, offset=0, count=10)
    assert others.tickets == ()
    empty = await office.tickets.box(office.snapshot, office.person("noor"), "all", everyone=False, offset=0, count=10)
    assert (empty.tickets, empty.total) == ((), 0)


async def test_a_star_shows_only_what_its_reader_may_see_by_now(office: Office) -> None:
    for who in ("max", "ada", "noor", "max"):
        office.world.later(seconds=1)
        await office.create(who)
    ada, sam = office.person("ada"), office.person("sam")
    for reader in (ada, sam):
        for number in (1, 2, 3):
            await office.tickets.star(office.snapshot, reader, number, True, office.change())

    async def favourites(
        reader: Person, everyone: bool, offset: int = 0, count: int = 10
    ) -> tuple[list[int], int, int]:
        box = await office.tickets.box(office.snapshot, reader, "fav", everyone=everyone, offset=offset, count=count)
        return numbers(box.tickets), box.counts["fav"], box.total

    assert await favourites(ada, everyone=True) == ([3, 2, 1], 3, 3)
    assert await favourites(ada, everyone=True, offset=1, count=1) == ([2], 3, 3)
    assert await favourites(ada, everyone=True, offset=3) == ([], 3, 3)
    assert await favourites(sam, everyone=False) == ([3, 2, 1], 3, 3)  # a specialist opens them at the desk
    # Ada is no super admin any more: of what she gave a star, her own is left.
    assert await favourites(ada, everyone=False) == ([2], 1, 1)
    assert (await office.tickets.box(office.snapshot, ada, "all", everyone=False, offset=0, count=10)).counts[
        "fav"
    ] == 1
    filed = await office.filed(2)
    await office.tickets.drop(office.snapshot, filed, None, office.change())
    assert await favourites(ada, everyone=False) == ([], 0, 0)


async def test_what_is_found_has_its_stars_and_so_has_a_ticket_that_is_looked_at(office: Office) -> None:
    await office.create("max", "Billing question")
    second = await office.create("max", "Another billing question")
    ada = office.person("ada")
    await office.tickets.star(office.snapshot, ada, 1, True, office.change())
    box = await office.tickets.find(office.snapshot, ada, "billing", everyone=True, offset=0, count=10)
    assert (numbers(box.tickets), box.stars) == ([2, 1], frozenset({1}))
    entries, star = await office.tickets.timeline_and_star(office.snapshot, ada, second.value, 15)
    assert ([entry.value.id for entry in entries], star) == ([1], False)
    assert (await office.tickets.timeline_and_star(office.snapshot, ada, (await office.filed(1)).value, 15))[1]
    assert await office.tickets.timeline_and_star(office.snapshot, ada, second.value, 15, before=1) == ([], False)


async def test_found_by_words_names_and_numbers_within_what_one_may_see(office: Office) -> None:
    await office.create("max", "Größere Störung beim Anrufen")
    await office.create("ada", "Billing question about minutes")
    await office.create("max", "Another billing question")

    async def found(query: str, who: str = "ada", everyone: bool = True) -> list[int]:
        box = await office.tickets.find(
            office.snapshot, office.person(who), query, everyone=everyone, offset=0, count=10
        )
        return numbers(box.tickets)

    assert await found("billing") == [3, 2]
    assert await found("bill quest") == [3, 2]
    assert await found("BILLING another") == [3]
    assert await found("storung") == [1]
    assert await found("SB-2") == [2]
    assert await found("3") == [3]
    assert await found("miller") == [3, 1]
    assert await found("billing", "max", everyone=False) == [3]
    for nothing in ("", "  ", "*", "zzz", "billing zzz", "|", "\x00", "a" * 5000):
        assert await found(nothing) == [], nothing


async def test_what_very_many_have_hides_nothing_that_can_be_told_apart(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_reads, "FOUND_AT_MOST", 2)
    await office.create("ada", "Calls are silent")
    await office.create("max", "Calls drop after a minute")
    for _ in range(20):
        office.world.later(seconds=1)
        await office.create("ada", "Calls do not ring")

    async def found(query: str, who: str = "ada", everyone: bool = True) -> tuple[list[int], bool]:
        box = await office.tickets.find(
            office.snapshot, office.person(who), query, everyone=everyone, offset=0, count=10
        )
        return numbers(box.tickets), box.more_found

    assert await found("calls") == ([22, 21], True)
    assert await found("calls silent") == ([1], False)
    assert await found("SB-2") == ([22, 2], True)  # the very number is among them
    assert await found("sb 2 calls drop") == ([2], False)
    assert await found("calls", "max", everyone=False) == ([2], False)
    assert await found("calls ring", "max", everyone=False) == ([], False)
    assert await found("calls " + "x" * 50) == ([], False)


async def test_words_that_only_begin_so_are_found_beside_the_very_word(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_reads, "FOUND_AT_MOST", 3)
    for overview in ("Ringing all day", "No ring", "One ring", "Silence", "Noise"):
        await office.create("max", overview)
    box = await office.tickets.find(office.snapshot, office.person("ada"), "ring", everyone=True, offset=0, count=10)
    assert (numbers(box.tickets), box.more_found) == ([3, 2, 1], False)


async def test_what_was_said_is_changed_by_its_author_once(office: Office) -> None:
    filed = await office.create()
    entry = present(await office.tickets.message(office.snapshot, 1, 1))
    after = life.edit_message(entry.value, office.person("max"), "Since yesterday.", office.world.now)
    assert await office.tickets.change_message(office.snapshot, 1, entry, after, office.change()) is None
    with pytest.raises(GuardFailed):
        await office.tickets.change_message(office.snapshot, 1, entry, after, office.change())
    (now,) = await office.tickets.timeline(office.snapshot, filed.value, 5)
    assert now.value.text == "Since yesterday."
    assert await office.tickets.message(office.snapshot, 1, 99) is None


async def test_callbacks_wait_in_their_own_line(office: Office) -> None:
    filed = await office.create(overview="Call me", channel=Channel.CALLBACK, number="+442079460111")
    sam = office.person("sam")
    assert numbers((await office.tickets.waiting(office.snapshot, "sam", 5)).calls) == [1]
    await office.replace(filed, desk.record_no_answer(filed.value, office.snapshot.account, sam, office.world.now))
    assert numbers((await office.tickets.waiting(office.snapshot, "sam", 5)).calls) == [1]
    filed = await office.filed(1)
    await office.replace(filed, desk.record_call(filed.value, sam, office.world.now))
    assert (await office.tickets.waiting(office.snapshot, "sam", 5)).calls == ()


async def test_nothing_is_left_of_what_is_dropped(office: Office) -> None:
    filed = await office.create()
    await office.replace(filed, desk.claim(filed.value, office.person("sam"), office.world.now))
    assert {k for k in await keys_of(office) if ":t" in k}
    await office.tickets.drop(office.snapshot, await office.filed(1), None, office.change())
    assert {k for k in await keys_of(office) if ":t" in k} <= {office.snapshot.keys.tickets_seq}
    assert await office.due(1) is None


async def keys_of(office: Office) -> list[str]:
    """By the streams' names; in a test one may look at everything."""
    found = []
    names = ("t", "t:seq", "t:log:1", "t:find", "t:words", "t:calls")
    views = [f"t:in:{scope}:{view}" for scope in ("*", "max") for view in ("all", "open", "closed", "fav")]
    for name in (*names, *views, "t:desk:-", "t:desk:sam"):
        key = f"{office.snapshot.keys.account}:{name}"
        if await office.world.store.call("EXISTS", key):
            found.append(key)
    return found


async def test_a_walk_sees_every_ticket_once(office: Office) -> None:
    for _ in range(12):
        await office.create()
    seen = [filed.value.number async for filed in office.tickets.walk(office.snapshot)]
    assert seen == list(range(1, 13))


def test_what_a_ticket_waits_for_comes_first_in_time() -> None:
    account = company(people=[*PEOPLE, SAM], retention_days=30)
    max_, sam = account.person("max"), account.person("sam")
    assert max_ is not None
    assert sam is not None
    ticket: Ticket = life.create(1, account, max_, TicketDraft(Channel.EMAIL, "en", "x", "y"), NOW).ticket
    assert present(next_action_at(account, ticket)) > NOW
    closed = desk.close_desk(ticket, sam, NOW).ticket
    assert next_action_at(account, closed) == NOW + timedelta(days=30)
