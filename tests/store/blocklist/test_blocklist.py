"""The blocklist as it is kept: decisions, single entries, the switch, expiry, imports, looking through it."""

import asyncio
from datetime import timedelta

import pytest

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from store.blocklist.blocklist import ALREADY_BLOCKED, NOT_BLOCKED, Blocklist
from store.blocklist.entries import EXPIRY, Import
from store.blocklist.numberset import ImportBatch, LeaseLost, OutOfOrder
from store.engine import keys
from store.engine.accounts import AccountChanged, Accounts, AccountSnapshot
from store.engine.commit import Cell, Change, GuardFailed, Plan
from store.engine.deadlines import Deadline, deadline_member
from store.server.connection import Store
from tests import present
from tests.handlers.world import NOW, World, company

IN, OUT, BOTH = Direction
NUMBER, OTHER = "+442079460958", "+442079460959"
HOUR = timedelta(hours=1)


class Rig:
    def __init__(self, store: Store, accounts: Accounts, snapshot: AccountSnapshot) -> None:
        self.store, self.accounts, self.snapshot = store, accounts, snapshot
        self.list = self.another()

    def another(self) -> Blocklist:
        """As another process would have it: it knows nothing of how the sets stand."""
        return Blocklist(Cell(self.store, "us", 10_000, lambda _tag, _conv: None))

    async def says(self, number: str | None, direction: Direction = IN, hours: float = 0) -> tuple[bool, str]:
        verdict = await self.list.check(self.snapshot, number, direction, NOW + hours * HOUR)
        return verdict.blocked, verdict.kind

    async def add(self, entry: BlocklistEntry, id: str | None = None, hours: float = 0) -> str | None:
        return await self.list.add(self.snapshot, entry, Change(id, "ada", NOW + hours * HOUR, "added"))

    async def remove(self, key: str, id: str | None = None) -> str | None:
        return await self.list.remove(self.snapshot, key, Change(id, "ada", NOW, "removed"))

    async def all(self) -> list[str]:
        return [entry.value async for entry in self.list.export(self.snapshot)]

    async def keys(self) -> int:
        found: int = await self.store.call("EXISTS", *self.every_key())
        return found

    def every_key(self) -> list[str]:
        own = self.snapshot.keys
        return [own.blocked, own.blocked_at, own.blocked_until, own.blocked_find]


@pytest.fixture
def rig(world: World, snapshot: AccountSnapshot) -> Rig:
    return Rig(world.store, world.accounts, snapshot)


def entry(
    value: str = NUMBER, kind: EntryKind = EntryKind.NUMBER, hours: float | None = None, **more: object
) -> BlocklistEntry:
    until = None if hours is None else NOW + hours * HOUR
    return BlocklistEntry(kind=kind, value=value, by="ada", at=NOW, until=until, **more)


def start(value: str, **more: object) -> BlocklistEntry:
    return entry(value, EntryKind.PREFIX, **more)  # type: ignore[arg-type] # passed on


# ── The decision ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_number_is_blocked_in_its_direction_until_it_expires_to_the_second(rig: Rig) -> None:
    assert await rig.says(NUMBER) == (False, "none")
    await rig.add(entry(direction=IN, hours=1, reason="spam"))
    assert await rig.says(NUMBER) == (True, "number")
    assert await rig.says(NUMBER, OUT) == (False, "none")
    assert await rig.says(OTHER) == (False, "none")
    assert (await rig.list.check(rig.snapshot, NUMBER, IN, NOW + HOUR - timedelta(milliseconds=1))).blocked
    assert await rig.says(NUMBER, hours=1) == (False, "none")
    verdict = await rig.list.check(rig.snapshot, NUMBER, IN, NOW)
    assert verdict.rule == entry(direction=IN, hours=1, reason="spam")


async def test_own_block_wins_over_the_allow_list_which_wins_over_starts(rig: Rig) -> None:
    await rig.add(start("+4420", direction=OUT))
    assert await rig.says(NUMBER) == (False, "none")
    await rig.add(start("+442079"))
    assert await rig.says(NUMBER) == (True, "prefix")
    await rig.add(entry(kind=EntryKind.ALLOW))
    assert await rig.says(NUMBER) == (False, "allow")
    assert await rig.says(OTHER) == (True, "prefix")
    await rig.add(entry(hours=2))
    assert await rig.says(NUMBER) == (True, "number")
    assert await rig.says(NUMBER, hours=2) == (False, "allow")
    await rig.remove(f"number|{NUMBER}")
    await rig.list.bulk(rig.snapshot, [int(NUMBER[1:])], BOTH)
    assert await rig.says(NUMBER) == (True, "number")  # an imported number is a number


async def test_the_longest_start_that_is_about_the_call_decides(rig: Rig) -> None:
    await rig.add(start("+4420"))
    await rig.add(start("+4420794", direction=OUT))
    await rig.add(start("+44207946", hours=1))
    rules = [
        (await rig.list.check(rig.snapshot, NUMBER, d, NOW + h * HOUR)).rule for d, h in ((IN, 0), (IN, 1), (OUT, 1))
    ]
    assert [rule and rule.value for rule in rules] == ["+44207946", "+4420", "+4420794"]


async def test_callers_without_a_number_and_dialled_digits(rig: Rig) -> None:
    await rig.add(start("+4420"))
    assert await rig.says(None) == (False, "none")
    await rig.add(BlocklistEntry(kind=EntryKind.ANONYMOUS, direction=IN, by="ada", at=NOW, until=NOW + HOUR))
    assert await rig.says(None) == (True, "anonymous")
    assert await rig.says(None, hours=1) == (False, "none")
    await rig.add(entry("116117"))
    assert await rig.says("116117", OUT) == (True, "number")
    assert await rig.says("+116117") == (False, "none")
    assert await rig.says("+44" + "1" * 40) == (False, "none")


async def test_switched_off_nothing_is_blocked(rig: Rig) -> None:
    await rig.add(entry())
    assert await rig.list.on(rig.snapshot)
    await rig.list.switch(rig.snapshot, False, Change("s1", "ada", NOW))
    assert not await rig.list.on(rig.snapshot)
    assert await rig.says(NUMBER) == (False, "off")
    with pytest.raises(GuardFailed):
        await rig.list.switch(rig.snapshot, False, Change("s2", "ada", NOW))
    await rig.list.switch(rig.snapshot, True, Change("s3", "ada", NOW))
    assert await rig.says(NUMBER) == (True, "number")
    await rig.accounts.apply([company(features={"blocklist": False})], NOW)
    with pytest.raises(AccountChanged):
        await rig.says(NUMBER)
    rig.snapshot = await rig.accounts.get("acme") or rig.snapshot
    assert await rig.says(NUMBER) == (False, "off")
    assert not await rig.list.on(rig.snapshot)


# ── Single entries ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_adding_what_is_there_changes_nothing(rig: Rig) -> None:
    await rig.add(entry(reason="first"))
    with pytest.raises(GuardFailed) as failed:
        await rig.add(entry(reason="second", direction=OUT))
    assert failed.value.guard == ALREADY_BLOCKED
    assert present(await rig.list.get(rig.snapshot, f"number|{NUMBER}")).reason == "first"
    await rig.list.bulk(rig.snapshot, [int(OTHER[1:])], BOTH)
    with pytest.raises(GuardFailed):
        await rig.another().add(rig.snapshot, entry(OTHER), Change("x", "ada", NOW))


async def test_an_expired_entry_gives_way_to_a_new_one(rig: Rig) -> None:
    await rig.add(entry(hours=1, reason="first"))
    await rig.add(entry(reason="second"), hours=1)
    assert (await rig.list.counts(rig.snapshot)).entries == 1
    assert await rig.list.clear_expired(rig.snapshot, NOW + 2 * HOUR) == 0
    assert await rig.says(NUMBER, hours=99) == (True, "number")


async def test_two_admins_at_once_and_the_same_request_five_times(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.add(entry(), "one") for _ in range(5)))
    assert sorted(map(str, answers)) == ["None", *["added"] * 4]
    both = await asyncio.gather(rig.add(entry(OTHER), "a"), rig.add(entry(OTHER), "b"), return_exceptions=True)
    assert sorted(type(b).__name__ for b in both) == ["GuardFailed", "NoneType"]
    gone = await asyncio.gather(*(rig.remove(f"number|{NUMBER}", "gone") for _ in range(3)))
    assert sorted(map(str, gone)) == ["None", "removed", "removed"]
    with pytest.raises(GuardFailed) as failed:
        await rig.remove(f"number|{NUMBER}", "again")
    assert failed.value.guard == NOT_BLOCKED


async def test_removal_takes_every_trace_and_can_be_undone(rig: Rig) -> None:
    await rig.add(entry(reason="spam", hours=5, direction=IN))
    await rig.list.bulk(rig.snapshot, [int(NUMBER[1:])], OUT)
    await rig.list.bulk(rig.snapshot, [int(NUMBER[1:])], BOTH)
    before = present(await rig.list.get(rig.snapshot, f"number|{NUMBER}"))
    assert set(before.lists) == {OUT, BOTH}
    await rig.remove(before.key)
    assert await rig.keys() == 0
    assert await rig.list.get(rig.snapshot, before.key) is None
    assert [await rig.says(NUMBER, d) for d in (IN, OUT)] == [(False, "none")] * 2
    assert (await rig.list.counts(rig.snapshot)).all == 0
    await rig.add(before)
    assert await rig.list.get(rig.snapshot, before.key) == before
    assert (await rig.list.counts(rig.snapshot)).imported == {IN: 0, OUT: 1, BOTH: 1}


async def test_removing_an_imported_number_is_one_audited_step(rig: Rig) -> None:
    numbers = [442079460000 + n for n in range(3_000)]
    await rig.list.bulk(rig.snapshot, numbers, BOTH)
    fresh = rig.another()
    bare = present(await fresh.get(rig.snapshot, "number|+442079460100"))
    assert (bare.bare, bare.lists, bare.source) == (True, (BOTH,), "import")
    assert await fresh.remove(rig.snapshot, bare.key, Change("r", "ada", NOW, "gone")) is None
    assert await fresh.remove(rig.snapshot, bare.key, Change("r", "ada", NOW, "gone")) == "gone"
    assert await rig.says(bare.value) == (False, "none")
    lines = await rig.store.call("XREVRANGE", rig.snapshot.keys.audit, "+", "-", "COUNT", 1)
    assert b'"block.removed"' in lines[0][1][1]
    await rig.another().add(rig.snapshot, bare, Change("u", "ada", NOW))
    assert await rig.says(bare.value) == (True, "number")
    assert len(await rig.all()) == 3_000


# ── Expiry ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_expired_entries_are_cleared_away_by_their_deadline(rig: Rig) -> None:
    due = keys.due(rig.snapshot.tag)
    name = deadline_member(EXPIRY, "acme", "")
    for n, hours in enumerate((3, 1, 2)):
        await rig.add(entry(f"+44207946000{n}", hours=hours))

    def at(hours: float) -> int:
        return int((NOW + hours * HOUR).timestamp() * 1000)

    assert int(await rig.store.call("ZSCORE", due, name)) == at(1)
    taken = Deadline(rig.snapshot.tag, EXPIRY, "acme", "", NOW, at(1))
    assert await rig.list.clear_expired(rig.snapshot, NOW + 2 * HOUR, deadline=taken) == 2
    assert int(await rig.store.call("ZSCORE", due, name)) == at(3)
    with pytest.raises(GuardFailed):  # it is somebody else's by now
        await rig.list.clear_expired(rig.snapshot, NOW + 4 * HOUR, deadline=taken)
    again = Deadline(rig.snapshot.tag, EXPIRY, "acme", "", NOW, at(3))
    assert await rig.list.clear_expired(rig.snapshot, NOW + 4 * HOUR, deadline=again) == 1
    assert await rig.store.call("ZSCORE", due, name) is None
    assert await rig.keys() == 0


async def test_an_entry_added_while_others_are_cleared_keeps_its_deadline(rig: Rig) -> None:
    due, name = keys.due(rig.snapshot.tag), deadline_member(EXPIRY, "acme", "")
    await rig.add(entry(hours=1))
    lease = int((NOW + 1.5 * HOUR).timestamp() * 1000)
    await rig.store.call("ZADD", due, lease, name)
    taken = Deadline(rig.snapshot.tag, EXPIRY, "acme", "", NOW, lease)
    cell = Cell(rig.store, "us", 10_000, lambda _tag, _conv: None)

    class Late(Cell):
        async def commit(self, plan: Plan) -> str | None:
            await rig.add(entry(OTHER, hours=2))
            return await cell.commit(plan)

    late = Blocklist(Late(rig.store, "us", 10_000, lambda _tag, _conv: None))
    with pytest.raises(GuardFailed) as failed:
        await late.clear_expired(rig.snapshot, NOW + HOUR, deadline=taken)
    assert failed.value.guard == "entry"
    assert await rig.list.clear_expired(rig.snapshot, NOW + HOUR, deadline=taken) == 1
    assert int(await rig.store.call("ZSCORE", due, name)) == int((NOW + 2 * HOUR).timestamp() * 1000)


# ── Imports ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_import_is_counted_once_however_often_its_batches_come(rig: Rig) -> None:
    made = Import(id="i1", by="ada", at=NOW, reason="fraud", expected=25)
    await rig.list.record(rig.snapshot, made, "block.import_began", Change("c1", "ada", NOW))
    first = [442079460000 + n for n in range(20)] + [49 * 10**12, 442079460000]
    for _ in range(3):
        assert await rig.another().bulk(rig.snapshot, first, BOTH, ImportBatch("i1", 0)) == (21, 1, 21, 1)
    with pytest.raises(OutOfOrder) as wrong:
        await rig.list.bulk(rig.snapshot, first, BOTH, ImportBatch("i1", 2))
    assert wrong.value.expected == 1
    assert await rig.list.bulk(rig.snapshot, [442079460019, 442079460020], BOTH, ImportBatch("i1", 1)) == (1, 1, 22, 2)
    tally = present(await rig.list.tally(rig.snapshot, "i1"))
    assert (tally.made, tally.batches, tally.added, tally.there) == (made, 2, 22, 2)
    found = present(await rig.list.get(rig.snapshot, "number|+442079460007"))
    assert (found.by, found.at, found.reason) == ("ada", NOW, "fraud")
    await rig.list.record(rig.snapshot, made.model_copy(update={"state": "done"}), "x", Change("c2", "ada", NOW))
    assert await rig.list.get(rig.snapshot, "number|+442079460007") == found
    other = Import(id="i2", by="robin", at=NOW + HOUR)
    await rig.list.record(rig.snapshot, other, "block.import_began", Change("c3", "robin", NOW))
    assert [t.made.id for t in await rig.list.imports(rig.snapshot)] == ["i2", "i1"]
    unknown = present(await rig.list.get(rig.snapshot, "number|+442079460007"))
    assert (unknown.by, unknown.at) == ("", None)  # of two imports, nobody knows which


async def test_who_lost_the_lease_adds_nothing(rig: Rig) -> None:
    await rig.store.call("ZADD", keys.due(rig.snapshot.tag), 5, deadline_member("import", "acme", "i1"))
    mine = Deadline(rig.snapshot.tag, "import", "acme", "i1", NOW, 5)
    assert (await rig.list.bulk(rig.snapshot, [44_20_7946_0000], BOTH, ImportBatch("i1", 0, mine))).added == 1
    late = Deadline(rig.snapshot.tag, "import", "acme", "i1", NOW, 4)
    with pytest.raises(LeaseLost):
        await rig.list.bulk(rig.snapshot, [44_20_7946_0001], BOTH, ImportBatch("i1", 1, late))
    with pytest.raises(LeaseLost):
        await rig.list.put(rig.snapshot, [entry()], NOW, late)
    assert len(await rig.all()) == 1


async def test_an_imports_last_batch_of_lines_is_answered_as_the_first_time(rig: Rig) -> None:
    old, new, job = (
        entry(reason="line", source="import"),
        entry(OTHER, reason="line", source="import"),
        ImportBatch("i7e0", 4),
    )
    await rig.list.put(rig.snapshot, [old], NOW)
    for _ in range(2):
        assert await rig.another().put(rig.snapshot, [old, new], NOW, job=job) == [False, True]
    assert await rig.list.put(rig.snapshot, [old, new], NOW, job=ImportBatch("i7e0", 5)) == [False, False]
    assert await rig.list.put(rig.snapshot, [old, new], NOW, job=ImportBatch("i8e0", 4)) == [False, False]
    assert await rig.list.imports(rig.snapshot) == []


async def test_lines_with_details_are_put_in_batches(rig: Rig) -> None:
    some = [entry(f"+4420794600{n:02}", reason="line", hours=n or None, source="import") for n in range(40)]
    assert await rig.list.put(rig.snapshot, some, NOW) == [True] * 40
    assert await rig.list.put(rig.snapshot, some, NOW) == [False] * 40
    assert await rig.list.put(rig.snapshot, some, NOW + 2 * HOUR) == [False, True, True, *[False] * 37]
    page = await rig.list.page(rig.snapshot, digits=["460031"], count=5)
    assert [e.value for e in page.entries] == ["+442079460031"]
    assert await rig.all() == [e.value for e in some]


@pytest.mark.parametrize("wrong", [[0], [-1], [10**15], [1] * 5_001])
async def test_what_is_no_number_or_too_many_is_refused_whole(rig: Rig, wrong: list[int]) -> None:
    with pytest.raises(ValueError, match="number"):
        await rig.list.bulk(rig.snapshot, [442079460000, *wrong], BOTH)
    assert (await rig.list.counts(rig.snapshot)).all == 0


# ── Looking through it ──────────────────────────────────────────────────────────────────────────────────────────


async def test_pages_go_through_everything_and_back(rig: Rig) -> None:
    for n in range(7):
        await rig.add(entry(f"+44207946{n:04}").model_copy(update={"at": NOW + n * HOUR}))
    await rig.list.bulk(rig.snapshot, [49301000 + n * 7 for n in range(40)], BOTH)
    await rig.list.bulk(rig.snapshot, [49 * 10**13 + n for n in range(3)], BOTH)
    await rig.list.bulk(rig.snapshot, [48220000000 + n for n in range(5)], IN)
    page = await rig.list.page(rig.snapshot, count=5)
    assert page.previous is None
    assert [e.value for e in page.entries] == [f"+44207946{n:04}" for n in (6, 5, 4, 3, 2)]
    seen, offsets, cursors = list(page.entries), [page.offset], [""]
    while page.next is not None:
        cursors.append(page.next)
        page = await rig.list.page(rig.snapshot, cursor=page.next, count=5)
        assert page.total == 55
        seen += page.entries
        offsets.append(page.offset)
    assert len(seen) == len({(e.value, e.lists) for e in seen}) == 55
    assert offsets == [0, 5, *range(7, 55, 5)]
    backwards = [page]
    while page.previous is not None:
        page = await rig.list.page(rig.snapshot, cursor=page.previous, count=5)
        backwards.append(page)
    assert [p.offset for p in reversed(backwards)] == offsets
    assert [e for p in reversed(backwards) for e in p.entries] == seen


async def test_search_by_digits_by_words_and_of_imported_numbers_whole(rig: Rig) -> None:
    await rig.add(entry(reason="Żółty spam"))
    await rig.add(start("+4870"))
    page = await rig.list.page(rig.snapshot, digits=["794"])
    assert [e.value for e in page.entries] == [NUMBER]
    assert not page.whole_only
    assert [e.value for e in (await rig.list.page(rig.snapshot, digits=["4870"])).entries] == ["+4870"]
    assert [e.value for e in (await rig.list.page(rig.snapshot, text="żÓŁTY")).entries] == [NUMBER]
    await rig.list.bulk(rig.snapshot, [int(OTHER[1:])], BOTH)
    assert (await rig.list.page(rig.snapshot, digits=["794"])).whole_only
    page = await rig.list.page(rig.snapshot, digits=["02079460959", OTHER[1:]])
    assert [e.value for e in page.entries] == [OTHER]
    assert (page.total, page.whole_only) == (1, False)


@pytest.mark.parametrize("cursor", ["x", "d:-1", "d:²", "b:1:2", "b:99:0:0:0", "b:0:9:9:9", "Z:0:0:0:0", "n:::", "n"])
async def test_a_cursor_of_nobodys_making_still_gives_a_page(rig: Rig, cursor: str) -> None:
    await rig.add(entry())
    assert (await rig.list.page(rig.snapshot, cursor=cursor)).total == 1
