"""Tickets of one account under any sequence of events, through a real router and store, and what must hold after each.

Whatever people type carries a mark that is found again wherever it gets to: on the timeline, in the outbox, in answers.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.accounts.account import Account
from domain.support.desk import next_action_at
from domain.support.ticket import Message, Ticket, TicketState, expires, visible_to_person
from handlers.framework.effects import MAIL, unpack_screen
from handlers.framework.events import Actor, Address, ChatMessage, File, MessageDeletion, MessageEdit, Press, Submit
from handlers.framework.router import Router
from handlers.framework.screens import Done, Nothing, Paragraph, Response, Screen, strip_markup
from handlers.support import ticket_screens
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.deadlines import BARRED
from store.engine.effects import Effect
from store.engine.posts import Ledger, MessageRef
from store.engine.values import to_ms
from store.server.connection import Store
from store.support.ticket_reads import VIEWS, decode
from tests import present
from tests.handlers.office import Office
from tests.handlers.world import WORKSPACE, World, buttons, company

ELSEWHERE: Final = "T0OTHER"
OTHERS: Final = "UOTHER"  # somebody of another account, a specialist and super admin there
MARKS: Final = re.compile(r"canary-[a-z]-\d+-x")
NOTE: Final = "canary-n"  # what only the desk's channel may see
Event = Press | Submit | ChatMessage | MessageEdit | MessageDeletion
IDS: Final = {"UADA": "ada", "UROBIN": "robin", "UMAX": "max", "UNOOR": "noor", "USAM": "sam", "ULENA": "lena"}
OVERVIEW: Final = "canary-o"  # what those who are called to help are told
WRITES: Final = frozenset({"ticket.create", "desk.reply", "desk.note", "ticket.reply"})  # forms that add an entry


@dataclass
class Seen:
    """What the store held after a step."""

    raws: dict[int, bytes] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    logs: dict[int, dict[int, Message]] = field(default_factory=dict)


class Life:
    """One example. `do` takes events in; everything is checked after each."""

    def __init__(self, office: Office, snapshot: AccountSnapshot) -> None:
        self.office, self.world, self.snapshot = office, office.world, snapshot
        self.routers = (self.world.router, self.world.another())
        self.seen = Seen()
        self.marks = 0
        self.owned: dict[str, int] = {}  # marks by the ticket they belong to
        self.looked: dict[int, int] = {}  # entries of each timeline looked at for stages
        self.messages: list[tuple[str, str, int, str]] = []  # said in a thread: user, message, ticket, side
        self.heard: dict[str, tuple[int, int]] = {}  # which entry of which ticket was said in a message
        self.places: dict[tuple[int, int], str] = {}  # entries by the thread that they were said in; "": a dialog
        self.accepted: list[Event] = []
        self.posts: dict[str, Screen | None] = {}  # as the effects leave them, by key
        self.wanted: dict[str, Message | None] = {}  # what a message's post must say; None: it was taken away
        self.cards: dict[str, list[str]] = {}  # what the buttons of a head must do
        self.told: set[tuple[Any, ...]] = set()  # stages, by the promise they are of
        self.effects: set[str] = set()
        self.changes: dict[str, Any] = {}

    @classmethod
    async def open(cls, store: Store) -> "Life":
        world = World(store)
        office = await Office.open(world)
        there = {"id": "other", "name": "Other", "slack": OTHERS, "specialist": True, "super_admin": True}
        globex = company(
            id="globex",
            name="Globex",
            workspaces=[{"platform": "slack", "id": ELSEWHERE}],
            people=[there],
            inventory=[],
        )
        await world.apply(globex)
        return cls(office, await world.snapshot())

    @property
    def account(self) -> Account:
        return self.snapshot.account

    # ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────

    def mark(self, kind: str) -> str:
        self.marks += 1
        return f"canary-{kind}-{self.marks}-x"

    def words(self, kind: str, decor: str) -> str:
        """With a mark, and as long as a number says; "": nothing but blanks."""
        more = "y" * int(decor) if decor.isdigit() else decor
        return f"{self.mark(kind)} {more}" if decor else " \u200f "

    def actor(self, user: str) -> Actor:
        return Actor("slack", ELSEWHERE if user == OTHERS else WORKSPACE, user)

    def where(self, user: str) -> Address:
        return Address("slack", self.actor(user).workspace, user=user, reply="here")

    def press(self, user: str, action: str, value: int | str) -> Press:
        return Press(self.actor(user), self.world.id(), action, str(value), self.where(user))

    def submit(self, user: str, form: str, number: int, values: dict[str, str]) -> Submit:
        state = {"ticket": str(number)}
        return Submit(self.actor(user), self.world.id(), form, state, values, self.where(user))

    def creation(self, user: str, channel: str, critical: bool, decor: str) -> Submit:
        values = {"overview": self.mark("o"), "description": self.words("d", decor), "language": "en"}
        values |= {"email": f"{user.lower()}@example.com", "number": "020 7946 0958"}
        if critical:
            values |= {"critical": "yes", "impact": "other", "affected": self.mark("a")}
        state = {"channel": channel, "previous": "", "opened": self.world.id()}
        return Submit(self.actor(user), self.world.id(), "ticket.create", state, values, self.where(user))

    def below(self, user: str, number: int, side: str, decor: str, files: bool) -> ChatMessage:
        message, words = self.world.id(), self.words("s", decor)
        named = f"{self.mark('f')}.txt"
        given = (File(named, named, 12, "text/plain", "ref"),) if files else ()
        self.messages.append((user, message, number, side))
        where = Address("slack", WORKSPACE, channel="CDESK") if side == "desk" else self.where(user)
        thread = f"{side}-head-{number}"
        return ChatMessage(
            self.actor(user), self.world.id(), (words,), where, given, words, message, thread, overheard=True
        )

    def change(self, user: str, which: int, decor: str | None) -> MessageEdit | MessageDeletion | None:
        """`user` "": whoever wrote it."""
        if not self.messages:
            return None
        author, message, number, side = self.messages[which % len(self.messages)]
        actor, where = self.actor(user or author), self.where(user or author)
        thread = f"{side}-head-{number}"
        if decor is None:
            return MessageDeletion(actor, self.world.id(), message, where, thread)
        return MessageEdit(actor, self.world.id(), message, self.words("s", decor), where, thread)

    # ── Taking in ───────────────────────────────────────────────────────────────────────────────────────────────

    async def do(self, *events: Event, times: int = 1, at_once: bool = False, work: int = 0) -> None:
        """Events that come at the same time; each `times` times, one after the other or all `at_once`. `work`: how many
        processes act on deadlines meanwhile."""
        self.world.later(seconds=1)

        async def deliver(event: Event, router: Router) -> list[Response]:
            if at_once:
                copies = (self.routers[i % 2].handle(event) for i in range(times))
                return list(await asyncio.gather(*copies))
            return [await router.handle(event) for _ in range(times)]

        given = (deliver(event, self.routers[i % 2]) for i, event in enumerate(events))
        outcomes, _ = await asyncio.gather(
            asyncio.gather(*given), asyncio.gather(*(self.world.work() for _ in range(work)))
        )
        if work:
            await self.world.work()  # what two of them left to each other
        await self.look({event.id: told for event, told in zip(events, outcomes, strict=True)}, events, bool(work))

    async def later(self, minutes: int, *, work: bool) -> None:
        self.world.later(minutes=minutes)
        if work:
            await self.world.work()
        await self.look({}, (), work)

    async def again(self, event: Event) -> None:
        """What was done once does nothing more, however late it comes again."""
        before = await self.read()
        for router in self.routers:
            await router.handle(event)
        assert await self.read() == before, "done again"
        assert not await self.world.effects(), "said again"

    async def apply(self, changes: dict[str, Any]) -> None:
        """The account as it is from now on."""
        self.changes |= changes
        await self.office.apply(**self.changes)
        self.snapshot = await self.world.snapshot()
        await self.look({}, (), False)

    # ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def look(self, outcomes: Mapping[str, list[Response]], events: tuple[Event, ...], worked: bool) -> None:
        before, now = self.seen, await self.read()
        self.seen = now
        effects = await self.world.effects()
        await self._new(before, now)
        changed = _changed(events)
        self._owners(now, {mark for event in events for mark in typed(event)})
        for event in events:
            if (
                isinstance(event, ChatMessage | MessageEdit) and event.message in changed
            ):  # what it said may stand nowhere by now
                number = int((event.thread or "").rpartition("-")[2])
                self.owned.update(dict.fromkeys(typed(event) - self.owned.keys(), number))
        self._timelines(before, now, events, worked)
        for event in events:
            self._answered(before, now, event, outcomes[event.id], changed)
        if len(events) == 1 and not worked and now != before:
            self.accepted.append(events[0])
        self._wanted(before, now, events)
        self._sent(now, effects)
        self._shown()
        self._clocks(now)
        await self._waits(now)
        await self._indexed(now)

    async def read(self) -> Seen:
        call, seen = self.world.store.call, Seen()
        records = await call("HGETALL", self.snapshot.keys.tickets)
        for number, raw in sorted((int(n), r) for n, r in records.items()):
            seen.raws[number], seen.tickets[number] = raw, decode(raw)
            log = await call("HVALS", self.snapshot.keys.timeline(number))
            entries = sorted(map(Message.model_validate_json, log), key=lambda m: m.id)
            seen.logs[number] = {entry.id: entry for entry in entries}
        return seen

    async def _new(self, before: Seen, now: Seen) -> None:
        """The posts at the head of a new ticket's threads stand somewhere from now on."""
        ledger = Ledger(self.world.store)
        for number in now.tickets.keys() - before.tickets.keys():
            for side in ("desk", "person"):
                place = MessageRef("slack", WORKSPACE, f"{side}-head-{number}")
                await ledger.record(self.snapshot.tag, "acme", f"ticket:{number}:{side}", place)

    def _owners(self, now: Seen, marks: set[str]) -> None:
        for number, ticket in now.tickets.items():
            self.owned.update(dict.fromkeys(marks_in(f"{ticket!r}{now.logs[number]!r}") & marks, number))

    def _timelines(self, before: Seen, now: Seen, events: tuple[Event, ...], worked: bool) -> None:
        """A timeline only grows, but for what its author changes; a record changes by whom it may be changed."""
        edits = {(e.message, self._id(e.actor)) for e in events if isinstance(e, MessageEdit | MessageDeletion)}
        changed = {self.heard.get(message) for message, _ in edits}
        for number in before.tickets.keys() - now.tickets.keys():
            end = expires(before.tickets[number], self.account)
            assert worked, "only time takes a ticket away"
            assert end is not None
            assert end <= self.world.now
        for number, ticket in now.tickets.items():
            log, old = now.logs[number], before.logs.get(number, {})
            assert list(log) == list(range(1, ticket.messages + 1)), "an entry is missing"
            for id, entry in old.items():
                if log[id] != entry:
                    assert (number, id) in changed, "an entry changed that nobody changed"
                    assert entry.by in {by for _, by in edits}, "changed by somebody else"
                    assert not entry.deleted, "what was taken back is there again"
            if not worked and now.raws[number] != before.raws.get(number):
                assert any(self._may(event, before.tickets.get(number), number) for event in events), "without a right"
                grown = ticket.version - (before.tickets[number].version if number in before.tickets else 0)
                assert 1 <= grown <= len(events), "done more than once"
            there = [mark for entry in log.values() for mark in marks_of(entry)]
            assert len(there) == len(set(there)), "said twice"
            assert len([entry for entry in log.values() if entry.what == "surveyed"]) == (ticket.survey is not None)

    def _id(self, actor: Actor) -> str:
        return IDS.get(actor.user, "") if actor.workspace == WORKSPACE else ""

    def _may(self, event: Event, ticket: Ticket | None, number: int) -> bool:
        person = self.account.person(self._id(event.actor))
        if person is None:
            return False
        owner = ticket is not None and ticket.person == person.id
        match event:
            case Submit(form="ticket.create"):
                return ticket is None
            case Press(action="desk.next"):
                return person.specialist
            case Press(action="desk.acknowledge", value=value) if ticket is not None and ticket.escalation is not None:
                named = {id for level in ticket.escalation.levels for id in level.people}
                return value == str(number) and (person.specialist or person.id in named)
            case Press(action=name, value=value) | Submit(form=name, state={"ticket": value}):
                return value == str(number) and (person.specialist if name.startswith("desk.") else owner)
            case ChatMessage(thread=str(thread)):
                return thread.endswith(f"-{number}") and (person.specialist if side_of(event) == "desk" else owner)
        return False

    def _answered(self, before: Seen, now: Seen, event: Event, outcomes: list[Response], changed: set[str]) -> None:
        """What is answered is true, and tells nobody what is not theirs to know. `changed`: messages that somebody
        changed or took back at the same time, before or after they came."""
        mine = typed(event)
        person = self.account.person(self._id(event.actor))
        for outcome in outcomes:
            seen = marks_in(repr(outcome)) - mine
            assert not any(mark.startswith(NOTE) for mark in seen), "a note got out"
            assert seen <= self.owned.keys(), "what was refused is shown"
            if person is None or not (person.specialist or person.super_admin):
                theirs = {n for n, t in now.tickets.items() if person is not None and t.person == person.id}
                assert {self.owned[mark] for mark in seen} <= theirs, "shown to somebody else"
        stored = bool(mine & self.owned.keys())
        if isinstance(event, Submit):
            done = {outcome == Done() for outcome in outcomes}
            assert len(done) == 1, "the same request, and another answer"
            if event.form in WRITES:
                assert done == {stored}, "the answer is not what was done"
        elif isinstance(event, ChatMessage):
            ticket = before.tickets.get(int((event.thread or "").rpartition("-")[2]))
            at_desk = person is not None and person.specialist and ticket is not None and ticket.live
            heard = at_desk if side_of(event) == "desk" else ticket is not None and person is not None
            kept = heard and Nothing() in outcomes
            assert kept == stored or event.message in changed, "a message is lost"

    def _wanted(self, before: Seen, now: Seen, events: tuple[Event, ...]) -> None:
        """What each side must be shown of what is new or was changed."""
        account = self.account
        desk = account.desk is not None
        for number, ticket in now.tickets.items():
            old = before.logs.get(number, {})
            person = account.person(ticket.person)
            if now.raws[number] != before.raws.get(number):
                words = ticket_screens.desk_words(account)
                if desk:
                    self._card(ticket)
                if person is not None:
                    drawn = ticket_screens.person_buttons(account, ticket, words)
                    self.cards[f"ticket:{number}:person"] = sorted(button.action for button in drawn)
            for id, entry in now.logs[number].items():
                if entry == old.get(id):
                    continue
                if id not in old:
                    self.places[number, id] = self._place(number, entry, events)
                said, content = self.places[number, id], None if entry.deleted else entry
                if desk and not (id == 1 and len(entry.text) <= ticket_screens.BLOCK_LENGTH) and said != "desk":
                    self.wanted[f"ticket:{number}:m{id}:desk"] = content
                theirs = visible_to_person(entry) and not (entry.side == "person" and entry.kind == "event") and id != 1
                if person is not None and theirs and said != "person":
                    self.wanted[f"ticket:{number}:m{id}:person"] = content

    def _card(self, ticket: Ticket) -> None:
        """What the card at the desk offers from now on."""
        words = ticket_screens.desk_words(self.account)
        drawn = (*ticket_screens.desk_buttons(ticket, words), *ticket_screens.desk_menu(ticket, words))
        self.cards[f"ticket:{ticket.number}:desk"] = sorted(button.action for button in drawn)

    def _place(self, number: int, entry: Message, events: tuple[Event, ...]) -> str:
        """The thread in which somebody wrote it."""
        changed = _changed(events)
        for event in events:
            there = f"{entry.side}-head-{number}"
            if (
                isinstance(event, ChatMessage)
                and event.thread == there
                and entry.kind == "reply"
                and (typed(event) == marks_of(entry) or event.message in changed)
            ):
                self.heard[event.message] = (number, entry.id)
                return entry.side
        return ""

    def _sent(self, now: Seen, effects: list[Effect]) -> None:
        """Nothing goes to anybody whom it is not for."""
        desk = self.account.desk
        for effect in effects:
            assert effect.id not in self.effects, "said twice"
            self.effects.add(effect.id)
            marks = marks_in(repr(effect.body))
            assert marks <= self.owned.keys(), "what was refused is sent"
            if effect.kind == MAIL:
                number = int(str(effect.body["key"]).split(":")[1])
                assert effect.body["to"] == now.tickets[number].email
                assert {self.owned[mark] for mark in marks} <= {number}
                assert not any(mark.startswith(NOTE) for mark in marks), "a note got out"
                continue
            to = effect.body["to"]
            if effect.kind.endswith(".post"):
                self.posts[effect.body["key"]] = (data := effect.body["screen"]) and unpack_screen(data)
                if re.fullmatch(r"ticket:\d+:desk", effect.body["key"]):  # also one that comes for a new desk alone
                    self._card(now.tickets[int(effect.body["key"].split(":")[1])])
            if desk is not None and (to["workspace"], to.get("channel")) == (desk.workspace, desk.channel):
                continue
            assert not any(mark.startswith(NOTE) for mark in marks), "a note got out"
            assert to["workspace"] == WORKSPACE
            id = IDS[to["user"]]
            others = {m for m in marks if (t := now.tickets.get(self.owned[m])) is None or t.person != id}
            assert all(mark.startswith(OVERVIEW) for mark in others), "sent to somebody else"
            assert not others or id in ("sam", "lena", "robin", "ada"), "sent to somebody else"

    def _shown(self) -> None:
        """Each side shows every message as it is now, and no other."""
        assert {key for key in self.posts if ":m" in key} == self.wanted.keys(), "posts of something else"
        for key, content in self.wanted.items():
            screen = self.posts[key]
            assert (screen is None) == (content is None), "a message that was taken back"
            if screen is None or content is None:
                continue
            said = plain_of(screen)
            pieces = (strip_markup(piece.text) for piece in ticket_screens.text_paragraphs(content.text))
            assert all(squeezed(piece) in squeezed(said) for piece in pieces), "a message is cut"
            # An event is a sentence about what its author wrote.
            assert content.kind == "event" or marks_in(said) == marks_of(content), "an old text"
        for key, actions in self.cards.items():
            screen = present(self.posts[key])
            assert sorted(button.action for button in buttons(screen)) == actions, f"{key} offers what can't be done"

    def _clocks(self, now: Seen) -> None:
        for number, ticket in now.tickets.items():
            clock = ticket.clock
            if ticket.state is TicketState.CLOSED:
                assert clock is None, "a clock runs on a closed ticket"
                assert ticket.callback is None or ticket.callback.due is None
                assert ticket.escalation is None or ticket.escalation.due is None
            elif ticket.state is TicketState.PENDING:
                assert clock is None or clock.paused
            log, known = now.logs[number], self.looked.get(number, 0)
            self.looked[number] = ticket.messages
            for entry in (log[id] for id in range(known + 1, ticket.messages + 1)):
                if not entry.what.startswith("stage_"):
                    continue
                of = clock or ticket.past[-1]
                once = (number, of.kind, of.since, of.critical_from, entry.what)
                assert once not in self.told, "a stage is told twice"
                self.told.add(once)

    async def _waits(self, now: Seen) -> None:
        """Each ticket waits for exactly what comes next, and nothing else does."""
        key = keys.due(self.snapshot.tag)
        rows = await self.world.store.call("ZRANGE", key, 0, -1, "WITHSCORES")
        found = {str(name, "utf-8"): int(float(at)) for name, at in rows}
        if any(name.startswith("ticket|acme|all") for name in found):
            return  # the account has changed, and nobody has looked at them yet
        wanted = {}
        for number, ticket in now.tickets.items():
            wake = next_action_at(self.account, ticket)
            if ticket.state is TicketState.CLOSED:
                assert wake == expires(ticket, self.account)
            if wake is not None:
                wanted[f"ticket|acme|{number}"] = to_ms(wake)
        looks = f"ticket|acme|{BARRED}:"  # of one that was just written: whether its number was blocked meanwhile
        waits = {name: at for name, at in found.items() if name.startswith("ticket|") and not name.startswith(looks)}
        assert waits == wanted, "what it waits for"

    async def _indexed(self, now: Seen) -> None:
        """Inboxes and queues show what there is."""
        tickets, snapshot = list(now.tickets.values()), self.snapshot
        for id, everyone in (("ada", True), ("max", False), ("ada", False), ("noor", False)):
            reader = self.account.person(id)
            if reader is None:
                continue
            theirs = [t for t in tickets if everyone or t.person == id]
            closed = {t.number for t in theirs if t.state is TicketState.CLOSED}
            truth = {"all": {t.number for t in theirs}, "closed": closed}
            truth["open"] = truth["all"] - closed
            for view in VIEWS:
                box = await self.office.tickets.box(snapshot, reader, view, everyone=everyone, offset=0, count=100)
                numbers = {ticket.number for ticket in box.tickets}
                assert box.counts[view] == box.total == len(numbers), f"the inbox counts {view} wrongly"
                assert numbers == truth.get(view, numbers)
                assert list(box.tickets) == sorted(box.tickets, key=lambda t: to_ms(t.changed), reverse=True) or (
                    view == "fav"
                ), "the last one first"
        working = [ticket for ticket in tickets if ticket.state is not TicketState.CLOSED]
        for id in ("sam", "lena"):
            waiting = await self.office.tickets.waiting(snapshot, id, 100)
            free = [ticket for ticket in working if ticket.specialist is None]
            assert named(waiting.free) == named(ticket for ticket in free if not ticket.premium)
            assert named(waiting.premium) == named(ticket for ticket in free if ticket.premium)
            assert named(waiting.mine) == named(ticket for ticket in working if ticket.specialist == id)
            assert named(waiting.calls) == named(ticket for ticket in working if calls(ticket))


def calls(ticket: Ticket) -> bool:
    """Whether somebody is to be called."""
    callback = ticket.callback
    promised = ticket.clock is not None and ticket.clock.kind == "callback"
    return callback is not None and callback.called is None and (promised or callback.due is not None)


def named(tickets: Iterable[Ticket]) -> list[int]:
    return sorted(ticket.number for ticket in tickets)


def marks_in(text: str) -> set[str]:
    return set(MARKS.findall(text))


def marks_of(entry: Message) -> set[str]:
    return marks_in(f"{entry.text} {[file.name for file in entry.files]}")


def typed(event: Event) -> set[str]:
    """The marks of what somebody wrote."""
    match event:
        case Submit(values=values):
            return marks_in(" ".join(values.values()))
        case ChatMessage(text=text, files=files):
            return marks_in(f"{text} {files!r}")
        case MessageEdit(text=text):
            return marks_in(text)
    return set()


def _changed(events: tuple[Event, ...]) -> set[str]:
    """The messages of people to which more than one thing happens at a time, one of them a change."""
    there = Counter(event.message for event in events if isinstance(event, ChatMessage | MessageEdit | MessageDeletion))
    changed = {event.message for event in events if isinstance(event, MessageEdit | MessageDeletion)}
    return {message for message in changed if there[message] > 1}


def side_of(event: ChatMessage) -> str:
    return (event.thread or "").partition("-")[0]


def squeezed(text: str) -> str:
    return "".join(text.split())


def plain_of(screen: Screen) -> str:
    return "\n".join(strip_markup(block.text) for block in screen.blocks if isinstance(block, Paragraph))
