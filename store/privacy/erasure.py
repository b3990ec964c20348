"""Erases a person from an account's records, step by step.

A job record in the account's cell has the progress. Each step is bounded and idempotent and ends with a commit that
advances the job, so it can be resumed: by the command that began it or, at the deadline ERASE, by a serving process.
An account has one job at a time, because streams are rewritten as a whole.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import AwareDatetime, Field

from domain import erasure
from domain.erasure import ALIAS
from domain.record import Record
from domain.support.ticket import Message, Ticket
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.effects import Effect
from store.engine.posts import MessageRef, Posts
from store.engine.values import Versioned, to_ms, versioned
from store.numbers.records import Numbers
from store.privacy.message_erasure import MessageErasure
from store.privacy.record_erasure import RecordErasure
from store.support.ticket_reads import VIEWS, decode, index_words, queue_of

ERASE: Final = "erase"  # kind of deadline
SCHEMA: Final = 1
JOB: Final = "job"
MESSAGES: Final = 200  # messages of a timeline read in one step
TICKETS: Final = 50  # tickets of the account read in one step
_THEIRS, _OTHERS = 0, 1  # scores of the person's own and of other changed tickets
PATIENCE: Final = timedelta(seconds=60)  # without a step, after which another process resumes the job

# The effects that update or delete a ticket's posts: gets the account, the ticket, its posts by key, and the ids of its
# deleted messages.
Redraw = Callable[[AccountSnapshot, Ticket, Mapping[str, MessageRef], Collection[int]], Sequence[Effect]]


class ErasureJob(Record):
    """The job's record. `words`: the person's names, addresses and numbers found so far; `phase`: index of the next
    one; `logs`: numbers in whose history the person occurs."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    alias: str
    ids: tuple[str, ...]
    words: tuple[str, ...] = ()
    began: AwareDatetime
    phase: int = 0
    cursor: str = ""
    logs: tuple[str, ...] = ()
    tickets: int = 0
    messages: int = 0
    effects: int = 0

    @property
    def person(self) -> erasure.ErasedPerson:
        return erasure.ErasedPerson(self.alias, self.ids, self.words)

    def next(self) -> "ErasureJob":
        return self.model_copy(update={"phase": self.phase + 1, "cursor": ""})


VersionedJob: TypeAlias = Versioned[ErasureJob]


class Erasure:
    """Raises AccountChanged, and GuardFailed if a record has changed meanwhile: read the job and resume."""

    def __init__(self, cell: Cell, numbers: Numbers, posts: Posts, redraw: Redraw) -> None:
        self._cell = cell
        self._posts = posts
        self._redraw = redraw
        self._records = RecordErasure(cell, numbers)
        self._messages = MessageErasure(cell)
        self._phases = (self._own, self._desk, self._rest, self._pending, self._histories, self._shown)

    async def under_way(self, snapshot: AccountSnapshot) -> VersionedJob | None:
        """The account's job, if there is one."""
        return versioned(await self._cell.read_one(snapshot, "HGET", snapshot.keys.erasing, JOB), ErasureJob.decode)

    async def known(self, snapshot: AccountSnapshot, id: str) -> bool:
        """Whether there are records under an id, for somebody whom the account does not list."""
        reads: list[tuple[str | int, ...]] = [("EXISTS", snapshot.keys.inbox(id, view)) for view in VIEWS]
        reads += [("HEXISTS", snapshot.keys.names, id), ("EXISTS", snapshot.keys.registered(id))]
        reads.append(("ZCARD", snapshot.keys.numbers_of(id)))
        return any(await self._cell.read(snapshot, *reads))

    async def begin(
        self, snapshot: AccountSnapshot, ids: Sequence[str], words: Sequence[str], now: datetime
    ) -> VersionedJob:
        """Store a job that erases the person with these ids. Guards: job (there is one already)."""
        alias = f"{ALIAS}{secrets.token_hex(6)}"
        job = ErasureJob(alias=alias, ids=tuple(ids), words=tuple(w for w in words if w), began=now)
        plan = Plan(snapshot, audit={"what": "person.erasing", "at": now.isoformat(), "by": "", "person": alias})
        await self._save(plan, None, job, now)
        return Versioned(job, _raw(job))

    async def step(
        self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime
    ) -> tuple[VersionedJob | None, bool]:
        """Do one step. Returns the job afterwards (None: done), and whether it has to wait for a send to end."""
        if current.value.phase >= len(self._phases):
            plan = Plan(
                snapshot,
                audit={"what": "person.erased", "at": now.isoformat(), "by": "", "person": current.value.alias},
            )
            plan.write("DEL", snapshot.keys.erasing_left)
            await self._save(plan, current, None, now)
            return None, False
        phase = self._phases[current.value.phase]
        after = await phase(snapshot, current, now)
        return after, phase == self._pending and after.value.phase == current.value.phase

    # ── Their tickets ───────────────────────────────────────────────────────────────────────────────────────────

    async def _own(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        job = current.value
        firsts = await self._cell.read(snapshot, *(("ZRANGE", snapshot.keys.inbox(i, "all"), 0, 0) for i in job.ids))
        found = next(((scope, int(some[0])) for scope, some in zip(job.ids, firsts, strict=True) if some), None)
        if found is None:
            return await self._advance(snapshot, current, job.next(), now)
        scope, number = found
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.tickets, number)
        if raw is None:
            plan = Plan(snapshot).write("ZREM", snapshot.keys.inbox(scope, "all"), number)
            return await self._save(plan, current, job, now)
        ticket = decode(raw)
        of, _, done = job.cursor.partition(":")
        last = int(done) if of == str(number) else 0
        if last < ticket.messages:
            return await self._timeline(snapshot, current, ticket, last, now)
        after = erasure.erase_from_own_ticket(ticket, job.person)
        plan = Plan(snapshot).guard_field("ticket", snapshot.keys.tickets, str(number), raw)
        plan.write("HSET", snapshot.keys.tickets, number, after.model_dump_json(by_alias=True))
        for each in VIEWS:
            plan.write("ZREM", snapshot.keys.inbox(scope, each), number)
        for view in ("all", "open" if ticket.closed is None else "closed"):
            plan.write("ZADD", snapshot.keys.inbox(job.alias, view), to_ms(ticket.changed), number)
        index_words(plan, ticket, after)
        plan.write("ZADD", snapshot.keys.erasing_left, _THEIRS, number)
        await self._move_queue(plan, ticket, after)
        details = (
            ticket.name,
            ticket.email,
            ticket.where and ticket.where.user,
            ticket.callback and ticket.callback.number,
        )
        words = tuple(dict.fromkeys([*job.words, *(word for word in details if word)]))
        more = {"words": words, "cursor": "", "tickets": job.tickets + 1}
        return await self._save(plan, current, job.model_copy(update=more), now)

    async def _timeline(
        self, snapshot: AccountSnapshot, current: VersionedJob, ticket: Ticket, last: int, now: datetime
    ) -> VersionedJob:
        """Erase from the next messages of the person's own ticket."""
        job, log = current.value, snapshot.keys.timeline(ticket.number)
        ids = range(last + 1, min(last + MESSAGES, ticket.messages) + 1)
        raws = await self._cell.read_one(snapshot, "HMGET", log, *ids)
        plan, words = Plan(snapshot), dict.fromkeys(job.words)
        for id, raw in zip(ids, raws, strict=True):
            if raw is not None:
                message = Message.decode(raw)
                if message.side == "person" and job.person.has_id(message.by) and message.name:
                    words[message.name] = None
                after = erasure.erase_from_own_message(message, job.person)
                plan.guard_field("message", log, str(id), raw)
                plan.write("HSET", log, id, after.model_dump_json(by_alias=True))
        done = job.messages + sum(raw is not None for raw in raws)
        more = {"cursor": f"{ticket.number}:{ids[-1]}", "messages": done, "words": tuple(words)}
        return await self._save(plan, current, job.model_copy(update=more), now)

    # ── Everybody's tickets, at the desk ────────────────────────────────────────────────────────────────────────

    async def _desk(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        job = current.value
        last = int(job.cursor or 0)
        numbers = range(last + 1, last + TICKETS + 1)
        newest, raws = await self._cell.read(
            snapshot, ("GET", snapshot.keys.tickets_seq), ("HMGET", snapshot.keys.tickets, *numbers)
        )
        changed = 0
        for raw in raws:
            if raw is not None and (ticket := decode(raw)).person != job.alias:
                changed += await self._at_desk(snapshot, job, ticket, raw)
        job = job.model_copy(update={"messages": job.messages + changed, "cursor": str(numbers[-1])})
        return await self._advance(snapshot, current, job if numbers[-1] < int(newest or 0) else job.next(), now)

    async def _at_desk(self, snapshot: AccountSnapshot, job: ErasureJob, ticket: Ticket, raw: bytes) -> int:
        """Erase a specialist's messages and name from somebody else's ticket; how many messages."""
        number, person, changed = ticket.number, job.person, 0
        log = snapshot.keys.timeline(number)
        for start in range(1, ticket.messages + 1, MESSAGES):
            ids = range(start, min(start + MESSAGES, ticket.messages + 1))
            entries = await self._cell.read_one(snapshot, "HMGET", log, *ids)
            plan = Plan(snapshot)
            for n, entry in zip(ids, entries, strict=True):
                if entry is None or not any(i.encode() in entry for i in job.ids):
                    continue
                message = Message.decode(entry)
                after = erasure.erase_from_desk_message(message, person)
                if after != message:
                    plan.guard_field("message", log, str(n), entry)
                    plan.write("HSET", log, n, after.model_dump_json(by_alias=True))
            if plan.writes:
                changed += len(plan.writes)
                await self._cell.commit(plan)
        moved = erasure.erase_from_desk_ticket(ticket, person)
        if moved is not ticket or changed:
            plan = Plan(snapshot).guard_field("ticket", snapshot.keys.tickets, str(number), raw)
            plan.write("HSET", snapshot.keys.tickets, number, moved.model_dump_json(by_alias=True))
            plan.write("ZADD", snapshot.keys.erasing_left, _OTHERS, number)
            await self._move_queue(plan, ticket, moved)
            await self._cell.commit(plan)
        return changed

    async def _move_queue(self, plan: Plan, before: Ticket, after: Ticket) -> None:
        """Add to a plan: move an open ticket to another queue if its specialist has changed."""
        if before.specialist == after.specialist:
            return
        snapshot = plan.snapshot
        there = snapshot.keys.desk(queue_of(before))
        due = await self._cell.read_one(snapshot, "ZSCORE", there, before.number)
        plan.write("ZREM", there, before.number)
        if due is not None and after.closed is None:
            free = snapshot.keys.desk(queue_of(after))
            plan.write("ZADD", free, due, before.number)

    # ── Everything else ─────────────────────────────────────────────────────────────────────────────────────────

    async def _rest(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        words, cursor = await self._records.step(snapshot, current.value.person, current.value.cursor, now)
        job = current.value.model_copy(
            update={"words": tuple(dict.fromkeys([*current.value.words, *words])), "cursor": cursor}
        )
        return await self._advance(snapshot, current, job if cursor else job.next(), now)

    async def _pending(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        left = snapshot.keys.erasing_left
        numbers = await self._cell.read_one(snapshot, "ZRANGE", left, _THEIRS, _THEIRS, "BYSCORE")
        taken, busy = await self._messages.pending(snapshot, current.value.person, [int(n) for n in numbers])
        job = current.value.model_copy(update={"effects": current.value.effects + taken})
        return await self._advance(snapshot, current, job if busy else job.next(), now)

    async def _histories(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        job = current.value
        at, logs, over = await self._messages.history(snapshot, job.person, job.cursor, job.logs)
        job = job.model_copy(update={"cursor": at, "logs": logs})
        return await self._advance(snapshot, current, job.next() if over else job, now)

    async def _shown(self, snapshot: AccountSnapshot, current: VersionedJob, now: datetime) -> VersionedJob:
        """Update or delete the posts of the changed tickets, and forget those in the person's own thread."""
        left = snapshot.keys.erasing_left
        some = await self._cell.read_one(snapshot, "ZRANGE", left, 0, 0)
        if not some:
            return await self._advance(snapshot, current, current.value.next(), now)
        number = int(some[0])
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.tickets, number)
        group = f"ticket:{number}"
        places = await self._posts.places(snapshot, group)
        plan = Plan(snapshot).write("ZREM", left, number)
        if raw is not None:
            ticket = decode(raw)
            for key, place in places.items():
                if ticket.person == current.value.alias and key.endswith((":person", ":src")):
                    plan.write("HDEL", snapshot.keys.posts(group), key)
                    plan.write("HDEL", snapshot.keys.posted, place.field())
            deleted = await self._deleted_with_posts(snapshot, number, places)
            plan.add_effects(self._redraw(snapshot, ticket, places, deleted))
        return await self._save(plan, current, current.value, now)

    async def _deleted_with_posts(
        self, snapshot: AccountSnapshot, number: int, places: Mapping[str, MessageRef]
    ) -> set[int]:
        """The ids of deleted messages that have posts."""
        parts = {key.split(":")[2] for key in places}
        ids = sorted(int(part[1:]) for part in parts if part.startswith("m") and part[1:].isdecimal())
        found: set[int] = set()
        for start in range(0, len(ids), MESSAGES):
            some = ids[start : start + MESSAGES]
            raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.timeline(number), *some)
            found |= {i for i, raw in zip(some, raws, strict=True) if raw and Message.decode(raw).deleted}
        return found

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _advance(
        self, snapshot: AccountSnapshot, current: VersionedJob, after: ErasureJob, now: datetime
    ) -> VersionedJob:
        return current if after == current.value else await self._save(Plan(snapshot), current, after, now)

    async def _save(
        self, plan: Plan, before: VersionedJob | None, after: ErasureJob | None, now: datetime
    ) -> VersionedJob:
        key = plan.keys.erasing
        plan.guard_field("job", key, JOB, before.raw if before is not None else None)
        if after is None:
            plan.write("HDEL", key, JOB).drop_deadline(ERASE, JOB)
            await self._cell.commit(plan)
            assert before is not None  # noqa: S101 # only an existing job is deleted
            return before
        raw = _raw(after)
        plan.write("HSET", key, JOB, raw).set_deadline(ERASE, JOB, now + PATIENCE)
        await self._cell.commit(plan)
        return Versioned(after, raw)


def _raw(job: ErasureJob) -> bytes:
    return job.model_dump_json(by_alias=True).encode()
