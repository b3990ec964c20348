"""A person is erased: nothing of theirs is left anywhere in the store, however often it is interrupted."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest

from domain.blocklist import Direction
from domain.support import desk as desk_steps
from domain.support import tickets as life
from domain.support.channels import Channel
from domain.support.ticket import FileRef, Origin, TicketState
from handlers.framework.effects import ORPHANED_POSTS, OutgoingMail, mail_effect, post_effect, screen_effect
from handlers.framework.events import Address
from handlers.framework.screens import Paragraph, Screen
from handlers.support.retention import erasure_redraw
from store.blocklist.blocklist import Blocklist
from store.blocklist.entries import Import
from store.blocklist.numberset import ImportBatch as Blocked
from store.engine import keys
from store.engine.commit import Cell, GuardFailed, Plan
from store.engine.contacts import Contacts, LastSeen
from store.engine.effects import Effect
from store.engine.keys import attempt_key
from store.engine.posts import EarlyEdit, MessageRef, Posts, record_messages
from store.privacy.erasure import ERASE, Erasure, ErasureJob
from store.server.connection import Store
from store.server.scripts import script
from store.support.promise_records import PromiseRecords
from store.support.ticket_drafts import FormDraft
from tests.handlers.world import PEOPLE, WORKSPACE, World, company
from tests.servers import Cluster, Farm, Server
from tests.store.support.test_tickets import LENA, SAM, Office

ZOE = {"id": "zoe", "name": "Zoe Quill", "email": "zoe.quill@example.com", "slack": "UZOE", "seat": "sales"}
# None of these may be found anywhere afterwards; what is left out is what the account's own record says.
WORDS = (
    "Quill",
    "zoe.quill",
    "UZOE",
    "DZOE",
    "drosophila",
    "kumquat",
    "balalaika",
    "+442079460123",
    "screen.png",
    "wonky",
)
DESK = {"platform": "slack", "workspace": WORKSPACE, "channel": "CDESK"}


class Rig(Office):
    waits = 0  # steps that had to wait for somebody
    servers: tuple[Server, ...] = ()  # those that hold the keys

    def erasing(self) -> Erasure:
        """As a process that has just started has it."""
        return Erasure(
            self.world.cell, self.world.numbers, Posts(self.world.cell), erasure_redraw(lambda: self.world.now)
        )

    async def fresh(self) -> None:
        self.snapshot = await self.world.snapshot()

    async def history_of_zoe(self) -> None:
        """Tickets in each state, posts, effects on the way, numbers, what was asked."""
        zoe, sam = self.person("zoe"), self.person("sam")
        where = Origin(platform="slack", workspace=WORKSPACE, user="UZOE")
        file = FileRef(
            id="F1", name="screen.png", size=3, platform="slack", workspace=WORKSPACE, ref="https://x/screen.png"
        )
        for n in range(3):
            filed = await self.create(
                "zoe",
                f"The drosophila button {n}",
                Channel.CALLBACK if n == 2 else Channel.EMAIL,
                email="zoe.quill@example.com",
                links=("https://example.com/kumquat",),
                files=(file,),
                asked="Where is my kumquat?",
                where=where,
                number="+442079460123" if n == 2 else None,
            )
            number = filed.value.number
            await self.replace(filed, desk_steps.claim(filed.value, sam, self.world.now))
            filed = await self.filed(number)
            await self.replace(
                filed, desk_steps.reply_desk(filed.value, sam, "Dear Zoe Quill, a wonky one.", (), self.world.now)
            )
            filed = await self.filed(number)
            await self.replace(filed, desk_steps.add_note(filed.value, sam, "The balalaika customer", self.world.now))
            filed = await self.filed(number)
            await self.replace(filed, life.reply_person(filed.value, zoe, "balalaika " * 5, (file,), self.world.now))
            plan = Plan(self.snapshot)
            record_messages(
                plan,
                [
                    (f"ticket:{number}:desk", MessageRef("slack", WORKSPACE, f"CDESK:{number}.1")),
                    (f"ticket:{number}:m4:desk", MessageRef("slack", WORKSPACE, f"CDESK:{number}.2")),
                    (f"ticket:{number}:person", MessageRef("slack", WORKSPACE, f"DZOE:{number}.3")),
                    (f"ticket:{number}:m3:person", MessageRef("slack", WORKSPACE, f"DZOE:{number}.4")),
                    (f"ticket:{number}:m5:src", MessageRef("slack", WORKSPACE, f"DZOE:{number}.5")),
                ],
            )
            await self.world.cell.commit(plan)
        filed = await self.filed(1)
        await self.replace(filed, life.close_person(filed.value, zoe, self.world.now))
        filed = await self.filed(1)
        await self.replace(filed, life.survey(filed.value, zoe, "2", "So wonky", self.world.now))
        await self.tickets.star(self.snapshot, zoe, 2, True, self.change())
        blocklist = Blocklist(self.world.cell)
        made = Import(id="i1", by="zoe", at=self.world.now, reason="the list of Zoe Quill")
        await blocklist.record(self.snapshot, made, "block.imported", self.change())
        await blocklist.bulk(self.snapshot, [442079460958], Direction.BOTH, Blocked("i1", 0))
        await self.tickets.keep_draft(self.snapshot, "zoe", "email", FormDraft({"overview": "kumquat"}))
        early = MessageRef("slack", WORKSPACE, "DZOE:9.9")
        await Posts(self.world.cell).keep_early_edit(self.snapshot, "zoe", early, EarlyEdit("e1", "kumquat"))
        await Contacts(self.world.cell).record_seen(self.snapshot, "zoe", "slack", LastSeen(WORKSPACE, "UZOE", True, 1))
        card = self.screen("The drosophila button 0 by Zoe Quill")
        desk, home = Address("slack", WORKSPACE, channel="CDESK"), Address("slack", WORKSPACE, user="UZOE")
        effects = (
            post_effect(self.snapshot, "p1", desk, "ticket:2:desk", card),
            post_effect(self.snapshot, "p2", desk, "ticket:2:m9:desk", self.screen("kumquat"), below="ticket:2:desk"),
            post_effect(self.snapshot, "p3", desk, "ticket:22:desk", self.screen("Somebody else's")),
            screen_effect("s1", home, self.screen("Hello")),
            screen_effect("s2", Address("slack", WORKSPACE, user="UMAX"), self.screen("SB-2 is late: kumquat")),
            screen_effect("s3", Address("slack", WORKSPACE, user="UMAX"), self.screen("SB-22 is late")),
            Effect("mail:kim@example.com", "mail", {"text": "Zoe Quill asks for more"}, "m1"),
            mail_effect(
                self.snapshot,
                "l1",
                "mail:acme:ticket:2",
                OutgoingMail("zoe.quill@example.com", "[SB-2] drosophila", "wonky", key="ticket:2:m3:mail"),
            ),
            mail_effect(
                self.snapshot, "l2", "mail:acme:ticket:22", OutgoingMail("max@example.com", "[SB-22] Piano", "Tuned")
            ),
        )
        plan = Plan(self.snapshot).add_effects(effects)
        await self.world.cell.commit(plan)

    @staticmethod
    def screen(text: str) -> Screen:
        return Screen("", (Paragraph((text,)),))

    async def others(self) -> None:
        """Somebody else's ticket, on which Zoe has no part."""
        await self.create("max", "The piano is out of tune")

    async def step(self, erasing: Erasure, job_for: tuple[str, ...] = ("zoe", "slack:UZOE")) -> bool:
        """One step; False: it is over."""
        kept = await erasing.under_way(self.snapshot)
        if kept is None:
            kept = await erasing.begin(
                self.snapshot, job_for, ("Zoe Quill", "zoe.quill@example.com", "UZOE"), self.world.now
            )
        after, waits = await erasing.step(self.snapshot, kept, self.world.now)
        self.waits += waits
        return after is not None

    async def erase(self, **given: Any) -> int:
        erasing, steps = self.erasing(), 1
        while await self.step(erasing, **given):
            steps += 1
        return steps

    async def taken_away(self) -> list[str]:
        """Where posts are that wait to be taken away on the platform; they are, as by a sender."""
        conv = f"slack:{WORKSPACE}:{ORPHANED_POSTS}"
        names = keys.outbox(self.snapshot.tag, conv)
        rows = await self.world.store.call("LRANGE", names, 0, -1)
        await self.world.store.call("DEL", names)
        effects = [Effect.decode(row) for row in rows]
        assert all(effect.kind == "slack.post" and effect.body["screen"] is None for effect in effects)
        return sorted(str(effect.body["at"]).rpartition("|")[2] for effect in effects)

    async def left(self, words: tuple[str, ...] = WORDS) -> list[str]:
        """Every key that holds one of the words, or has it in its name."""
        found = []
        for name, content in (await self.dump()).items():
            if name == self.snapshot.keys.account:
                continue
            found += [f"{word} in {name}" for word in words if word.lower() in (name + content).lower()]
        return found

    async def dump(self) -> dict[str, str]:
        call, names, found = self.world.store.call, {name for server in self.servers for name in scanned(server)}, {}
        for name in names:
            kind = (await call("TYPE", name)).decode()
            read: dict[str, tuple[Any, ...]] = {
                "string": ("GET", name),
                "hash": ("HGETALL", name),
                "list": ("LRANGE", name, 0, -1),
                "set": ("SMEMBERS", name),
                "zset": ("ZRANGE", name, 0, -1),
                "stream": ("XRANGE", name, "-", "+"),
            }
            found[name.decode()] = repr(await call(*read[kind]))
        return found


def scanned(server: Server) -> set[bytes]:
    """All keys of one server."""
    cursor, names = b"0", set[bytes]()
    while True:
        cursor, some = server.ask("SCAN", cursor.decode(), "COUNT", 1000)
        names |= set(some)
        if cursor == b"0":
            return names


@pytest.fixture
async def rig(store: Store, farm: Farm, request: pytest.FixtureRequest) -> Rig:
    running = farm.get(request.node.callspec.params["store"])
    world = World(store)
    world.cell = Cell(store, "command", 1, lambda _tag, _conv: None)  # nobody sends what it says
    await world.apply(company(people=[*PEOPLE, SAM, LENA, ZOE], desk=DESK))
    rig = Rig(world, await world.snapshot())
    rig.servers = tuple(running.nodes) if isinstance(running, Cluster) else (running,)
    return rig


async def test_scan_finds_nothing_of_them_and_the_counts_stay(rig: Rig) -> None:
    await rig.history_of_zoe()
    await rig.others()
    ada = rig.person("ada")
    before = (await rig.tickets.box(rig.snapshot, ada, "all", everyone=True, offset=0, count=10)).counts
    assert {word.split(" in ")[0] for word in await rig.left()} == set(WORDS)  # the scan sees all of them
    await rig.erase()
    assert rig.waits <= 1  # nobody sends; a lease of 1 ms may just run
    assert await rig.taken_away() == [f"DZOE:{n}.{post}" for n in (1, 2, 3) for post in (3, 4)]
    assert await rig.left((*WORDS, '"zoe"', ":zoe")) == []
    box = await rig.tickets.box(rig.snapshot, ada, "all", everyone=True, offset=0, count=10)
    assert box.counts == before
    assert [(t.number, t.state) for t in sorted(box.tickets, key=lambda t: t.number)] == [
        (1, TicketState.CLOSED),
        (2, TicketState.OPEN),
        (3, TicketState.OPEN),
        (4, TicketState.NEW),
    ]
    first = (await rig.filed(1)).value
    assert first.survey is not None
    assert (first.survey.rating, first.survey.comment) == (2, "")
    assert (await rig.filed(4)).value.overview == "The piano is out of tune"
    entries = await rig.tickets.timeline(rig.snapshot, first, 20)
    assert [(e.value.side, e.value.kind) for e in entries][:2] == [("person", "reply"), ("desk", "event")]
    assert {e.value.text for e in entries} == {""}
    blocked = await Blocklist(rig.world.cell).get(rig.snapshot, "number|+442079460958")
    assert blocked is not None, "what is blocked stays blocked"
    assert blocked.by == first.person
    for word in ("drosophila", "quill", "zoe"):
        found = await rig.tickets.find(rig.snapshot, ada, word, everyone=True, offset=0, count=10)
        assert found.total == 0, word
    assert (await rig.tickets.find(rig.snapshot, ada, "piano", everyone=True, offset=0, count=10)).total == 1
    assert (await rig.tickets.find(rig.snapshot, ada, "2", everyone=True, offset=0, count=10)).total == 1


async def test_scan_after_being_killed_between_any_two_steps(rig: Rig) -> None:
    await rig.history_of_zoe()
    steps = 0
    while await rig.step(rig.erasing()):  # each by a process of its own
        steps += 1
    assert steps > 10
    assert len(await rig.taken_away()) == 6, "each once"
    assert await rig.left() == []
    assert not await rig.erasing().under_way(rig.snapshot)


async def test_scan_after_each_step_was_done_twice(rig: Rig) -> None:
    """Two processes go on with the same job: the second of them finds that it was done."""
    await rig.history_of_zoe()
    one, two = rig.erasing(), rig.erasing()
    kept = await one.begin(rig.snapshot, ("zoe", "slack:UZOE"), ("Zoe Quill", "zoe.quill@example.com"), rig.world.now)
    while (current := await two.under_way(rig.snapshot)) is not None:
        after, _ = await one.step(rig.snapshot, current, rig.world.now)
        with contextlib.suppress(GuardFailed):
            await two.step(rig.snapshot, current, rig.world.now)
        kept = after or kept
    assert len(await rig.taken_away()) == 6, "each once"
    assert await rig.left() == []
    assert kept.value.tickets == 3


async def test_scan_when_the_person_writes_meanwhile(rig: Rig) -> None:
    await rig.history_of_zoe()
    erasing = rig.erasing()
    for _ in range(3):
        await rig.step(erasing)
    filed = await rig.filed(3)
    if filed.value.person == "zoe":
        after = life.reply_person(filed.value, rig.person("zoe"), "another balalaika", (), rig.world.now)
        await rig.replace(filed, after)
    while await rig.step(erasing):
        pass
    await rig.taken_away()
    assert await rig.left() == []


async def test_what_is_on_the_way_to_others_still_goes(rig: Rig) -> None:
    await rig.history_of_zoe()
    await rig.erase()
    waiting = {}
    for conv in await rig.world.store.call("HKEYS", keys.owners(rig.snapshot.tag)):
        rows = await rig.world.store.call("LRANGE", keys.outbox(rig.snapshot.tag, conv.decode()), 0, -1)
        waiting[conv.decode()] = [Effect.decode(row) for row in rows]
    assert ["SB-22" in str(effect.body) for effect in waiting[f"slack:{WORKSPACE}:UMAX"]] == [True]
    desk = [(effect.body["key"], effect.body["screen"] is None) for effect in waiting[f"slack:{WORKSPACE}:CDESK"]]
    assert desk[0] == ("ticket:22:desk", False)
    assert sorted(desk[1:]) == sorted(
        (f"ticket:{n}:{w}", gone) for n in (1, 2, 3) for w, gone in (("desk", False), ("m4:desk", True))
    )
    assert f"slack:{WORKSPACE}:UZOE" not in waiting
    assert "mail:kim@example.com" not in waiting
    assert not waiting.get("mail:acme:ticket:2")
    assert len(waiting["mail:acme:ticket:22"]) == 1


async def test_what_is_being_sent_is_waited_for(rig: Rig) -> None:
    await rig.history_of_zoe()
    tag, conv = rig.snapshot.tag, f"slack:{WORKSPACE}:UZOE"
    await asyncio.sleep(0.05)  # the lease of who wrote it is over
    taken = await rig.world.store.run(
        script("engine/outbox_take"),
        [keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag), attempt_key(tag)],
        [conv, "another", 400],
    )
    assert taken[0] == b"held"
    waited, erasing = 0, rig.erasing()
    kept = await erasing.begin(rig.snapshot, ("zoe", "slack:UZOE"), ("Zoe Quill",), rig.world.now)
    after: Any = kept
    while after is not None:
        after, waits = await erasing.step(rig.snapshot, after, rig.world.now)
        waited += waits
    assert waited > 0
    assert await rig.world.store.call("LLEN", keys.outbox(tag, conv)) == 0


async def test_scan_of_a_specialist_who_is_erased(rig: Rig) -> None:
    sam, max_ = rig.person("sam"), rig.person("max")
    filed = await rig.create("max", "The piano is out of tune")
    await rig.replace(filed, desk_steps.reply_desk(filed.value, sam, "Tune it with a kumquat", (), rig.world.now))
    filed = await rig.filed(1)
    await rig.replace(filed, life.reply_person(filed.value, max_, "Thanks", (), rig.world.now))
    plan = Plan(rig.snapshot)
    where = {"desk": "CDESK:1.1", "m2:desk": "CDESK:1.2", "person": "DMAX:1.3", "m3:person": "DMAX:1.4"}
    (answer,) = [
        m.value.id for m in await rig.tickets.timeline(rig.snapshot, filed.value, 9) if "kumquat" in m.value.text
    ]
    where |= {f"m{answer}:person": "DMAX:1.9", f"m{answer}:desk": "CDESK:1.9"}
    record_messages(plan, [(f"ticket:1:{what}", MessageRef("slack", WORKSPACE, at)) for what, at in where.items()])
    await rig.world.cell.commit(plan)
    await rig.erase(job_for=("sam", "slack:USAM"))
    assert await rig.taken_away() == ["DMAX:1.9"], "what they had written, and nothing else of Max's conversation"
    assert await rig.left(("kumquat", "USAM")) == []
    ticket = (await rig.filed(1)).value
    assert (ticket.overview, ticket.person, ticket.specialist) == ("The piano is out of tune", "max", None)
    assert [t.number for t in (await rig.tickets.waiting(rig.snapshot, "sam", 10)).free] == [1]
    texts = [e.value.text for e in await rig.tickets.timeline(rig.snapshot, ticket, 10)]
    assert texts == ["Since this morning.", "", "Thanks"]
    (row,) = [row async for row in PromiseRecords(rig.world.cell).in_month(rig.snapshot, "2026-11")]
    assert (row.kept, row.specialist is not None and row.specialist.startswith("~")) == (True, True)


async def test_again_it_changes_nothing(rig: Rig) -> None:
    await rig.history_of_zoe()
    await rig.erase()
    job = await self_job(rig)
    assert (job.tickets, job.messages, job.effects) == (0, 0, 0)


async def self_job(rig: Rig) -> ErasureJob:
    erasing = rig.erasing()
    kept: Any = await erasing.begin(rig.snapshot, ("zoe", "slack:UZOE"), ("Zoe Quill",), rig.world.now)
    while True:
        after, _ = await erasing.step(rig.snapshot, kept, rig.world.now)
        if after is None:
            return ErasureJob.model_validate(kept.value)
        kept = after


async def test_one_at_a_time(rig: Rig) -> None:
    await rig.erasing().begin(rig.snapshot, ("zoe",), (), rig.world.now)
    with pytest.raises(GuardFailed, match="job"):
        await rig.erasing().begin(rig.snapshot, ("max",), (), rig.world.now)
    assert await rig.world.store.call("ZSCORE", keys.due(rig.snapshot.tag), f"{ERASE}|acme|job") is not None


async def test_a_promise_that_ends_twice_counts_once(rig: Rig) -> None:
    """Closed unanswered, opened again, answered: the first end is taken back, also from the month before."""
    filed = await rig.create("max")
    await rig.replace(filed, life.close_person(filed.value, rig.person("max"), rig.world.now))
    rows = PromiseRecords(rig.world.cell)
    assert [(row.kept, row.met) async for row in rows.in_month(rig.snapshot, "2026-11")] == [(None, False)]
    rig.world.now += timedelta(days=14)
    filed = await rig.filed(1)
    await rig.replace(filed, life.reopen_person(filed.value, rig.person("max"), rig.world.now))
    assert [row async for row in rows.in_month(rig.snapshot, "2026-11")] == []
    filed = await rig.filed(1)
    await rig.replace(filed, desk_steps.reply_desk(filed.value, rig.person("sam"), "Here", (), rig.world.now))
    assert [(row.ticket, row.kept, row.met) async for row in rows.in_month(rig.snapshot, "2026-12")] == [
        (1, True, True)
    ]
