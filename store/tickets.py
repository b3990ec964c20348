"""Tickets as they are kept: records, timelines, the indexes that find them, and each change as one step.

A record is compared byte for byte before it is replaced (`Filed.raw`): whoever is second is told (`GuardFailed`). What
a ticket waits for is one deadline, `ticket|ACCOUNT|NUMBER`, at whichever moment comes first.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from domain import policy
from domain.accounts import Person
from domain.agenda import Ended
from domain.ticket import After, FileRef, Message, State, Ticket
from store import keys, outcomes
from store.accounts import AccountChanged, Held
from store.commit import Cell, GuardFailed, Plan
from store.deadlines import BARRED, TICKETS, Due, member
from store.numbers import Change
from store.outbox import Effect
from store.posts import Place, note_places
from store.scripts import script

_PAGE = script("tickets_page", retry=True)
_FIND = script("tickets_find", retry=True)
_FIRST = script("tickets_first", retry=True)

View = Literal["all", "open", "closed", "fav"]
VIEWS: Final[tuple[View, ...]] = ("all", "open", "closed", "fav")
EVERYBODY: Final = "*"
NOBODY: Final = "-"
PREMIUM: Final = "+"  # premium tickets that nobody has
KIND: Final = TICKETS  # of the deadline
RETIME: Final = "all"  # the deadline at which every open ticket is looked at: the account has changed
RETENTION: Final = "retention"  # of the deadline at which an account's old tickets are looked for
FOUND_AT_MOST: Final = 2_000
WORDS_KEPT: Final = 40  # of a ticket, for the search
SHORTEST_WORD: Final = 2
WORDS_ASKED: Final = 6
_SENT_OFF: Final = "~sent"  # beside the draft of a channel: the form that was sent off last
TRIES: Final = 4  # to keep a draft while more is typed
SENT: Final = "~files"  # beside the drafts, by channel: files sent to the bot
CHUNK: Final = 200  # tickets that a walk over all of them reads at once
_WORD: Final = re.compile(r"\w+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into a form and did not send. `form` names the dialog as it was opened once; `stamp`: of the
    last key, a later one sorts after it; "" where nobody says."""

    values: dict[str, str]
    form: str = ""
    stamp: str = ""


class Sent(BaseModel):
    """A file that was sent to the bot, and when."""

    model_config = ConfigDict(frozen=True)

    file: FileRef
    at: AwareDatetime


_SENT: Final = TypeAdapter(list[Sent])


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket and the bytes it was read as."""

    ticket: Ticket
    raw: bytes


@dataclass(frozen=True, slots=True)
class Timed:
    """A ticket and when it was to be looked at (ms); None: never."""

    ticket: Ticket
    at: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a timeline and the bytes it was read as."""

    message: Message
    raw: bytes


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of an inbox. `counts` by view; `total` of the view that is shown; `stars`: those that have one."""

    tickets: tuple[Ticket, ...]
    stars: frozenset[int]
    counts: dict[View, int]
    offset: int
    total: int
    more_found: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at the desk, in each the one that is due first at the top: callbacks to be made; premium tickets that
    nobody has, and others; those of one specialist."""

    calls: tuple[Ticket, ...]
    premium: tuple[Ticket, ...]
    free: tuple[Ticket, ...]
    mine: tuple[Ticket, ...]


class Tickets:
    """Every method raises AccountChanged; changes raise GuardFailed and return the first result when they were done
    before under the same id, else None."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, held: Held, number: int) -> Filed | None:
        (raw,) = await self._cell.read(held, ("HGET", keys.tickets(held.tag, held.account.id), number))
        return None if raw is None else Filed(decode(raw), raw)

    async def asked(self, held: Held, number: int, id: str) -> tuple[Filed | None, str | None]:
        """The ticket that a change is asked of, and the result of that change where it was done before under the id."""
        tag, account = held.tag, held.account.id
        raw, first = await self._cell.read(
            held, ("HGET", keys.tickets(tag, account), number), ("GET", keys.done(tag, account, id))
        )
        return None if raw is None else Filed(decode(raw), raw), None if first is None else str(first, "utf-8")

    async def timeline(self, held: Held, ticket: Ticket, count: int, *, before: int | None = None) -> list[Entry]:
        """The last `count` messages of a ticket, oldest first; those before message `before`, where one is named."""
        ids = _last(ticket, count, before)
        if not ids:
            return []
        log = keys.timeline(held.tag, held.account.id, ticket.number)
        (raws,) = await self._cell.read(held, ("HMGET", log, *ids))
        return [Entry(Message.model_validate_json(raw), raw) for raw in raws if raw is not None]

    async def message(self, held: Held, number: int, id: int) -> Entry | None:
        (raw,) = await self._cell.read(held, ("HGET", keys.timeline(held.tag, held.account.id, number), id))
        return None if raw is None else Entry(Message.model_validate_json(raw), raw)

    async def box(self, held: Held, reader: Person, view: View, *, everyone: bool, offset: int, count: int) -> Box:
        """The account's tickets (`everyone`) or the reader's own, `count` (1 or more) of them. Stars are the reader's,
        on what they may see by now."""
        tag, id = held.tag, held.account.id
        scope = EVERYBODY if everyone else reader.id
        # A specialist opens any ticket at the desk, and keeps those among the favorites too.
        seen = EVERYBODY if everyone or reader.specialist else reader.id
        names = [keys.account(tag, id), keys.tickets(tag, id), *(keys.inbox(tag, id, scope, v) for v in VIEWS[:3])]
        names += [keys.inbox(tag, id, reader.id, "fav"), keys.inbox(tag, id, seen, "all")]
        reply = await self._cell.store.run(_PAGE, names, [held.rev, offset, count, 3 + VIEWS.index(view)])
        if reply[0] != b"ok":
            raise AccountChanged(id)
        *sizes, page, starred = reply[1:]
        counts = dict(zip(VIEWS, sizes, strict=True))
        return Box(*_starred(page, starred), counts, offset, counts[view])

    async def find(self, held: Held, reader: Person, query: str, *, everyone: bool, offset: int, count: int) -> Box:
        """Tickets in which each word of `query` begins a word of the overview, the person's name or the number."""
        tag, id = held.tag, held.account.id
        wanted = [word for word in _words(query) if len(word) >= SHORTEST_WORD or word.isdigit()][:WORDS_ASKED]
        if not wanted:
            return Box((), frozenset(), {}, 0, 0)
        scope = keys.inbox(tag, id, EVERYBODY if everyone else reader.id, "all")
        stars = keys.inbox(tag, id, reader.id, "fav")
        reply = await self._cell.store.run(
            _FIND,
            [keys.account(tag, id), keys.tickets(tag, id), keys.tickets_find(tag, id), scope, stars],
            [held.rev, offset, count, FOUND_AT_MOST, *wanted],
        )
        if reply[0] != b"ok":
            raise AccountChanged(id)
        _, found, more, page, starred = reply
        return Box(*_starred(page, starred), {}, offset, found, bool(more))

    async def look(
        self, held: Held, reader: Person, ticket: Ticket, count: int, *, before: int | None = None
    ) -> tuple[list[Entry], bool]:
        """The last `count` messages of a ticket, as `timeline`, and whether the reader gave it a star."""
        ids = _last(ticket, count, before)
        log = keys.timeline(held.tag, held.account.id, ticket.number)
        stars = keys.inbox(held.tag, held.account.id, reader.id, "fav")
        raws, score = await self._cell.read(held, ("HMGET", log, *(ids or (0,))), ("ZSCORE", stars, ticket.number))
        return [Entry(Message.model_validate_json(raw), raw) for raw in raws if raw is not None], score is not None

    async def starred(self, held: Held, reader: Person, number: int) -> bool:
        (score,) = await self._cell.read(
            held, ("ZSCORE", keys.inbox(held.tag, held.account.id, reader.id, "fav"), number)
        )
        return score is not None

    async def waiting(self, held: Held, specialist: str, count: int) -> Waiting:
        """What waits at the desk, of each kind the first `count`."""
        tag, id = held.tag, held.account.id
        queues = [keys.callbacks(tag, id), *(keys.desk(tag, id, whose) for whose in (PREMIUM, NOBODY, specialist))]
        reply = await self._cell.store.run(
            _FIRST, [keys.account(tag, id), keys.tickets(tag, id), *queues], [held.rev, count]
        )
        if reply[0] != b"ok":
            raise AccountChanged(id)
        return Waiting(*(tuple(decode(raw) for raw in raws if raw is not None) for raws in reply[1:]))

    async def walk(self, held: Held, view: View = "all") -> AsyncIterator[Filed]:
        """Every ticket of a view, by number, a chunk at a time. For jobs and the command line: its cost
        grows with the tickets that were ever made."""
        tag, id = held.tag, held.account.id
        index, first = keys.inbox(tag, id, EVERYBODY, view), 1
        while True:
            some = range(first, first + CHUNK)
            newest, raws, scores = await self._cell.read(
                held,
                ("GET", keys.tickets_seq(tag, id)),
                ("HMGET", keys.tickets(tag, id), *some),
                ("ZMSCORE", index, *some),
            )
            for raw, there in zip(raws, scores, strict=True):
                if raw is not None and there is not None:
                    yield Filed(decode(raw), raw)
            first += CHUNK
            if first > int(newest or 0):
                return

    async def stretch(self, held: Held, start: int, count: int) -> tuple[list[Timed], bool]:
        """The tickets with `count` numbers from `start` on, and whether there are numbers after those."""
        tag, id = held.tag, held.account.id
        names = range(start, start + count)
        raws, scores, last = await self._cell.read(
            held,
            ("HMGET", keys.tickets(tag, id), *names),
            ("ZMSCORE", keys.due(tag), *(member(KIND, id, str(number)) for number in names)),
            ("GET", keys.tickets_seq(tag, id)),
        )
        found = [
            Timed(decode(raw), None if at is None else int(float(at)))
            for raw, at in zip(raws, scores, strict=True)
            if raw is not None
        ]
        return found, int(last or 0) >= start + count

    async def open_from(self, held: Held, start: int, count: int) -> tuple[list[Filed], bool]:
        """The open ones of the tickets with `count` numbers from `start` on, and whether there are numbers after."""
        tag, id = held.tag, held.account.id
        raws, last = await self._cell.read(
            held,
            ("HMGET", keys.tickets(tag, id), *range(start, start + count)),
            ("GET", keys.tickets_seq(tag, id)),
        )
        found = [Filed(decode(raw), raw) for raw in raws if raw is not None]
        return [filed for filed in found if filed.ticket.state is not State.CLOSED], int(last or 0) >= start + count

    async def first_answer(self, held: Held, id: str) -> str | None:
        """The result of a change already done under this id."""
        return await self._cell.first_answer(held, id)

    async def sent_files(self, held: Held, person: str, now: datetime) -> list[FileRef]:
        """The files that the person sent to the bot a short while ago, the last one first."""
        (raw,) = await self._cell.read(held, ("HGET", keys.drafts(held.tag, held.account.id, person), SENT))
        return [sent.file for sent in _sent(raw, now)]

    async def draft(self, held: Held, person: str, channel: str) -> dict[str, str]:
        """What the person typed into the form of a channel and did not send."""
        (raw,) = await self._cell.read(held, ("HGET", keys.drafts(held.tag, held.account.id, person), channel))
        return _draft(raw).values

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def keep_draft(self, held: Held, person: str, channel: str, draft: Typed) -> bool:
        """To be there again when the form is opened again. False: nothing was kept, for what was typed later is there,
        or that form has been sent off."""
        drafts, sent = keys.drafts(held.tag, held.account.id, person), f"{channel}{_SENT_OFF}"
        for _ in range(TRIES):
            ((raw, gone),) = await self._cell.read(held, ("HMGET", drafts, channel, sent))
            before = _draft(raw)
            later = before.form == draft.form and before.stamp > draft.stamp > ""
            if later or (draft.form and gone == draft.form.encode()):
                return False
            plan = Plan(held).same("draft", drafts, channel, raw).same("sent", drafts, sent, gone)
            plan.write("HSET", drafts, channel, orjson.dumps(draft))
            try:
                await self._cell.commit(plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400))
            except GuardFailed:
                continue  # another key was pressed meanwhile
            return True
        return False

    async def keep_files(self, held: Held, person: str, files: Sequence[FileRef], now: datetime) -> None:
        """To go along into a ticket that is written soon. Guards: files."""
        drafts = keys.drafts(held.tag, held.account.id, person)
        (raw,) = await self._cell.read(held, ("HGET", drafts, SENT))
        known = {sent.file.id: sent for sent in reversed(_sent(raw, now))}
        for file in files:
            known.pop(file.id, None)
            known[file.id] = Sent(file=file, at=now)
        last = list(known.values())[-policy.SENT_FILES :]
        plan = Plan(held).same("files", drafts, SENT, raw).write("HSET", drafts, SENT, _SENT.dump_json(last))
        await self._cell.commit(plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400))

    async def retime(
        self, held: Held, due: Due, wakes: Sequence[tuple[Timed, datetime | None]], then: int | None
    ) -> None:
        """When each of some tickets must be looked at, by the account as it is now. One that has changed meanwhile has
        set its own, which stays. `then`: the number to go on from. Guards: lease."""
        plan = Plan(held)
        plan.met("lease", due)
        for timed, wake in wakes:
            plan.moved(KIND, str(timed.ticket.number), timed.at, wake)
            if timed.ticket.state is not State.CLOSED and timed.at != (wake and score(wake)):
                self._requeue(plan, timed.ticket, wake)
        # The account's record may switch the blocklist off, and on.
        plan.due(KIND, f"{BARRED}:0" if then is None else f"{RETIME}:{then}", due.at, soon=True)
        await self._cell.commit(plan)

    async def callbacks(self, held: Held, after: int, count: int) -> tuple[list[Filed], int | None]:
        """Tickets whose person waits for a call, by number, those above `after`; and the last of them where there are
        more."""
        tag, id = held.tag, held.account.id
        (waiting,) = await self._cell.read(held, ("ZRANGE", keys.callbacks(tag, id), 0, -1))
        numbers = sorted(number for number in map(int, waiting) if number > after)
        some = numbers[:count]
        if not some:
            return [], None
        (raws,) = await self._cell.read(held, ("HMGET", keys.tickets(tag, id), *some))
        found = [Filed(decode(raw), raw) for raw in raws if raw is not None]
        return found, some[-1] if len(numbers) > count else None

    async def drawn(
        self,
        held: Held,
        due: Due,
        seen: Sequence[tuple[Filed, Ticket]],
        effects: Sequence[Effect],
        then: str,
    ) -> None:
        """What is shown of some tickets anew, each with what its record says from now on; `then`: the name of the
        deadline at which it goes on. Guards: lease, ticket (one has changed meanwhile)."""
        plan = Plan(held).met("lease", due)
        log = keys.tickets(held.tag, held.account.id)
        for filed, after in seen:
            plan.same("ticket", log, str(filed.ticket.number), filed.raw)
            if after is not filed.ticket:
                plan.write("HSET", log, after.number, after.model_dump_json(by_alias=True))
        if then:
            plan.due(KIND, then, due.at, soon=True)
        await self._cell.commit(plan.tell(effects))

    async def number(self, held: Held) -> int:
        """The next ticket's number. One that is not used is never used."""
        taken: int = await self._cell.store.call("INCR", keys.tickets_seq(held.tag, held.account.id))
        return taken

    async def create(
        self, held: Held, after: After, change: Change, wake: datetime | None, form: str = ""
    ) -> str | None:
        """A new ticket. `wake`: when somebody must look at it; `form`: the one it was sent off in, of which no draft is
        kept from now on. Guards: there."""
        ticket = after.ticket
        plan = self._plan(held, change, "ticket.created", ticket)
        plan.same("there", keys.tickets(held.tag, held.account.id), str(ticket.number), None)
        rows = find_rows(ticket)
        plan.write("ZADD", keys.tickets_find(held.tag, held.account.id), *(p for row in rows for p in ("0", row)))
        # What came before is in the ticket from here on.
        plan.write("DEL", keys.asked(held.tag, held.account.id, ticket.person))
        drafts = keys.drafts(held.tag, held.account.id, ticket.person)
        plan.write("HDEL", drafts, ticket.channel.value, SENT)
        if form:
            plan.write("HSET", drafts, f"{ticket.channel.value}{_SENT_OFF}", form)
            plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400)
        self._put(plan, None, after, change.at, wake)
        return await self._cell.commit(plan)

    async def replace(
        self,
        held: Held,
        before: Filed,
        after: After,
        what: str,
        change: Change,
        wake: datetime | None,
        *,
        due: Due | None = None,
        outcome: Ended | None = None,
        places: Sequence[tuple[str, Place]] = (),
    ) -> str | None:
        """The ticket as it is now, in the place of what was read.

        Args:
            due: the deadline that it comes of.
            outcome: of the promise that ended with it.
            places: messages of people, by the key that they are known by from now on.

        Guards: ticket, lease.
        """
        plan = self._plan(held, change, what, after.ticket)
        if due is not None:
            plan.met("lease", due, wake)
        plan.same("ticket", keys.tickets(held.tag, held.account.id), str(after.ticket.number), before.raw)
        self._put(plan, before.ticket, after, change.at, wake, timed=due is None)
        outcomes.note(plan, before.ticket, after.ticket, outcome)
        note_places(plan, places)
        return await self._cell.commit(plan)

    async def change_message(
        self, held: Held, number: int, before: Entry, after: Message, change: Change
    ) -> str | None:
        """What was said, as it is now. Guards: message."""
        log = keys.timeline(held.tag, held.account.id, number)
        entry = {
            "what": "message.deleted" if after.deleted else "message.edited",
            "ticket": number,
            "message": after.id,
        }
        plan = Plan(held, change.id, change.result, {**entry, "at": change.at.isoformat(), "by": change.by})
        plan.same("message", log, str(after.id), before.raw)
        plan.write("HSET", log, after.id, after.model_dump_json(by_alias=True))
        return await self._cell.commit(plan.tell(change.effects))

    async def note_mail(self, held: Held, number: int, before: Entry, after: Message, change: Change) -> str | None:
        """Where the mail of an entry stands; what was said stays what it was. Guards: message."""
        log = keys.timeline(held.tag, held.account.id, number)
        plan = Plan(held, change.id, change.result).same("message", log, str(after.id), before.raw)
        plan.write("HSET", log, after.id, after.model_dump_json(by_alias=True))
        return await self._cell.commit(plan.tell(change.effects))

    async def star(self, held: Held, reader: Person, number: int, on: bool, change: Change) -> str | None:
        """The reader's star on a ticket."""
        stars = keys.inbox(held.tag, held.account.id, reader.id, "fav")
        plan = Plan(held, change.id, change.result)
        if on:
            plan.write("ZADD", stars, score(change.at), number)
        else:
            plan.write("ZREM", stars, number)
        return await self._cell.commit(plan.tell(change.effects))

    async def drop(self, held: Held, before: Filed, due: Due | None, change: Change) -> str | None:
        """Nothing is left of a ticket but what the reports count. Its posts are forgotten first, some at a time, so no
        step is longer than others. Stars on it go when they are next looked at. Guards: ticket, lease."""
        tag, id, ticket = held.tag, held.account.id, before.ticket
        while await self._forget_posts(held, ticket.number):
            pass
        plan = Plan(held, change.id, change.result, self._entry("ticket.dropped", change, ticket))
        if due is not None:
            plan.met("lease", due)
        plan.same("ticket", keys.tickets(tag, id), str(ticket.number), before.raw)
        plan.write("HDEL", keys.tickets(tag, id), ticket.number)
        plan.write("UNLINK", keys.timeline(tag, id, ticket.number))
        plan.write("ZREM", keys.tickets_find(tag, id), *find_rows(ticket))
        for scope in (EVERYBODY, ticket.person):
            for view in VIEWS:
                plan.write("ZREM", keys.inbox(tag, id, scope, view), ticket.number)
        for whose in {NOBODY, seat(ticket)}:
            plan.write("ZREM", keys.desk(tag, id, whose), ticket.number)
        plan.write("ZREM", keys.callbacks(tag, id), ticket.number)
        month = ticket.created.astimezone(held.account.zone).strftime("%Y-%m")
        plan.write("HINCRBY", keys.tickets_gone(tag, id), month, 1)
        plan.dropped(KIND, str(ticket.number))
        result = await self._cell.commit(plan.tell(change.effects))
        while await self._forget_posts(held, ticket.number):  # what a sender noted meanwhile, both ways
            pass
        return result

    async def _forget_posts(self, held: Held, number: int) -> bool:
        """Some of a ticket's posts lead nowhere from now on. False: none is left."""
        tag, id = held.tag, held.account.id
        posts = keys.posts(tag, id, f"{KIND}:{number}")
        ((_, flat),) = await self._cell.read(held, ("HSCAN", posts, 0, "COUNT", CHUNK))
        for start in range(0, len(flat), 2 * CHUNK):  # a small hash comes whole
            some = flat[start : start + 2 * CHUNK]
            plan = Plan(held).write("HDEL", posts, *some[::2])
            await self._cell.commit(plan.write("HDEL", keys.posted(tag, id), *some[1::2]))
        return bool(flat)

    async def expired(self, held: Held, until: datetime, count: int) -> list[Filed]:
        """Closed tickets that have not changed since `until`, the oldest first."""
        tag, id = held.tag, held.account.id
        closed = keys.inbox(tag, id, EVERYBODY, "closed")
        (ids,) = await self._cell.read(held, ("ZRANGE", closed, "-inf", score(until), "BYSCORE", "LIMIT", 0, count))
        if not ids:
            return []
        (raws,) = await self._cell.read(held, ("HMGET", keys.tickets(tag, id), *(str(i, "utf-8") for i in ids)))
        return [Filed(decode(raw), raw) for raw in raws if raw is not None]

    async def keep_clear(self, held: Held, at: datetime) -> None:
        """From `at` on somebody looks for closed tickets that are no longer kept: what was closed under another rule
        has no deadline by this one."""
        await self._cell.commit(Plan(held).due(RETENTION, "all", at))

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, held: Held, change: Change, what: str, ticket: Ticket) -> Plan:
        plan = Plan(held, change.id, change.result, self._entry(what, change, ticket))
        if change.name is not None:
            plan.write("HSET", keys.names(held.tag, held.account.id), *change.name)
        return plan.tell(change.effects)

    @staticmethod
    def _entry(what: str, change: Change, ticket: Ticket) -> dict[str, object]:
        return {"what": what, "at": change.at.isoformat(), "by": change.by, "ticket": ticket.number}

    def _put(
        self,
        plan: Plan,
        before: Ticket | None,
        after: After,
        now: datetime,
        wake: datetime | None,
        *,
        timed: bool = True,
    ) -> None:
        """The record, its messages and every index that follows from it."""
        tag, id, ticket = plan.held.tag, plan.held.account.id, after.ticket
        number = ticket.number
        plan.write("HSET", keys.tickets(tag, id), number, ticket.model_dump_json(by_alias=True))
        log = keys.timeline(tag, id, number)
        for message in after.messages:
            plan.write("HSET", log, message.id, message.model_dump_json(by_alias=True))
        closed = ticket.state is State.CLOSED
        came, left = ("closed", "open") if closed else ("open", "closed")
        for scope in (EVERYBODY, ticket.person):
            plan.write("ZADD", keys.inbox(tag, id, scope, "all"), score(ticket.changed), number)
            plan.write("ZADD", keys.inbox(tag, id, scope, came), score(ticket.changed), number)
            if before is not None and (before.state is State.CLOSED) != closed:
                plan.write("ZREM", keys.inbox(tag, id, scope, left), number)
        whose = seat(ticket)
        if before is not None and seat(before) != whose:
            plan.write("ZREM", keys.desk(tag, id, seat(before)), number)
        if closed:
            plan.write("ZREM", keys.desk(tag, id, whose), number)
        else:
            plan.write("ZADD", keys.desk(tag, id, whose), score(wake or ticket.created), number)
        self._callback(plan, before, ticket, wake)
        if timed:
            if wake is None:
                plan.dropped(KIND, str(number))
            else:
                plan.due(KIND, str(number), wake, soon=wake <= now)

    @staticmethod
    def _requeue(plan: Plan, ticket: Ticket, wake: datetime | None) -> None:
        """Another place in the queues that it is in; one that has left a queue meanwhile does not come back."""
        tag, id = plan.held.tag, plan.held.account.id
        plan.write("ZADD", keys.desk(tag, id, seat(ticket)), "XX", score(wake or ticket.created), ticket.number)
        due = ticket.callback.due if ticket.callback is not None else None
        plan.write("ZADD", keys.callbacks(tag, id), "XX", score(due or wake or ticket.created), ticket.number)

    @staticmethod
    def _callback(plan: Plan, before: Ticket | None, ticket: Ticket, wake: datetime | None) -> None:
        index = keys.callbacks(plan.held.tag, plan.held.account.id)
        callback = ticket.callback
        waits = callback is not None and callback.called is None and ticket.state is not State.CLOSED
        promised = ticket.clock is not None and ticket.clock.kind == "callback"
        if callback is not None and waits and (promised or callback.due is not None):
            plan.write("ZADD", index, score(callback.due or wake or ticket.created), ticket.number)
        elif before is not None and before.callback is not None:
            plan.write("ZREM", index, ticket.number)


def _draft(raw: bytes | None) -> Typed:
    return Typed(**orjson.loads(raw)) if raw is not None else Typed({})


def _sent(raw: bytes | None, now: datetime) -> list[Sent]:
    """Those that are not too old, the last one first."""
    since = now.astimezone(UTC) - timedelta(minutes=policy.SENT_FILES_MINUTES)
    return [sent for sent in reversed(_SENT.validate_json(raw or b"[]")) if sent.at > since]


@lru_cache(maxsize=4_096)  # the bytes are all there is to a record, and the record can't be changed
def decode(raw: bytes) -> Ticket:
    """A record as it was kept."""
    return Ticket.model_validate_json(raw)


def _last(ticket: Ticket, count: int, before: int | None) -> range:
    """The ids of the last `count` messages before message `before`."""
    last = ticket.messages if before is None else min(before - 1, ticket.messages)
    return range(max(1, last - count + 1), last + 1)


def _starred(page: Sequence[bytes | None], stars: Sequence[object]) -> tuple[tuple[Ticket, ...], frozenset[int]]:
    """The tickets of a page that are there, and the numbers of those with a star."""
    found = [(decode(raw), star is not None) for raw, star in zip(page, stars, strict=True) if raw is not None]
    return tuple(ticket for ticket, _ in found), frozenset(ticket.number for ticket, star in found if star)


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(c for c in folded if not unicodedata.combining(c)))


def seat(ticket: Ticket) -> str:
    """In whose queue it waits while it is open."""
    return ticket.specialist or (PREMIUM if ticket.premium else NOBODY)


def find_rows(ticket: Ticket) -> list[str]:
    """The rows by which the search finds a ticket."""
    return [f"{word}|{ticket.number:012}" for word in _tokens(ticket)]


def _tokens(ticket: Ticket) -> list[str]:
    said = [*_words(ticket.overview), *_words(ticket.name), str(ticket.number), f"sb{ticket.number}", "sb"]
    return list(dict.fromkeys(word[:40] for word in said if len(word) >= SHORTEST_WORD or word.isdigit()))[:WORDS_KEPT]


def score(moment: datetime) -> int:
    """Of a moment in the indexes: ms."""
    return int(moment.timestamp() * 1000)
