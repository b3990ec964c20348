"""Changes of tickets.

A record is written only if it is still the one that was read, compared byte for byte (`Versioned.raw`); else
GuardFailed. A ticket has one deadline, `ticket|ACCOUNT|NUMBER`, at the earliest time at which something is to happen.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain import policy
from domain.accounts.account import Person
from domain.support.report import PromiseRecord
from domain.support.ticket import Message, Ticket, TicketChange
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, Plan
from store.engine.deadlines import BARRED, Deadline
from store.engine.effects import Effect
from store.engine.keys import attempt_key
from store.engine.posts import MessageRef, record_messages
from store.engine.values import Versioned, to_ms
from store.server.scripts import script
from store.support import promise_records
from store.support.ticket_drafts import SENT, SENT_OFF, Drafts
from store.support.ticket_reads import (
    CHUNK,
    EVERYBODY,
    KIND,
    NOBODY,
    VIEWS,
    ScheduledTicket,
    TicketReader,
    decode,
    index_words,
    queue_of,
)

RETIME: Final = "all"  # deadline: reschedule all tickets, because the account has changed
RETENTION: Final = "retention"  # kind of the deadline at which expired tickets are looked for

_NUMBER = script("support/ticket_number")


class Tickets(TicketReader, Drafts):
    """Every method raises AccountChanged. Changes raise GuardFailed, and return the first result if they were made
    before under the same id, else None."""

    async def reschedule(
        self,
        snapshot: AccountSnapshot,
        deadline: Deadline,
        wakes: Sequence[tuple[ScheduledTicket, datetime | None]],
        then: int | None,
    ) -> None:
        """Move the deadlines of some tickets to what the account now says. A ticket that has changed in the meantime
        has set its own, which stays. `then`: the number to continue from. Guards: lease."""
        plan = Plan(snapshot).meet_deadline(deadline)
        for scheduled, wake in wakes:
            plan.move_deadline(KIND, str(scheduled.ticket.number), scheduled.at, wake)
            if not scheduled.ticket.is_closed and scheduled.at != (wake and to_ms(wake)):
                self._requeue(plan, scheduled.ticket, wake)
        # The record may have switched the blocklist off or on.
        plan.set_deadline(KIND, f"{BARRED}:0" if then is None else f"{RETIME}:{then}", deadline.at, soon=True)
        await self._cell.commit(plan)

    async def commit_redraw(
        self,
        snapshot: AccountSnapshot,
        deadline: Deadline,
        redrawn: Sequence[tuple[Versioned[Ticket], Ticket]],
        effects: Sequence[Effect],
        then: str,
    ) -> None:
        """Send updated cards of some tickets, and write their records. `then`: name of the deadline that continues.
        Guards: lease, ticket."""
        plan = Plan(snapshot).meet_deadline(deadline)
        log = snapshot.keys.tickets
        for before, after in redrawn:
            plan.guard_field("ticket", log, str(before.value.number), before.raw)
            if after is not before.value:
                plan.write("HSET", log, after.number, after.model_dump_json(by_alias=True))
        if then:
            plan.set_deadline(KIND, then, deadline.at, soon=True)
        await self._cell.commit(plan.add_effects(effects))

    async def take_number(self, snapshot: AccountSnapshot) -> int:
        """The next ticket's number. Numbers that are not used are lost."""
        return int(await self._cell.store.run(_NUMBER, [snapshot.keys.tickets_seq, attempt_key(snapshot.tag)]))

    async def create(
        self, snapshot: AccountSnapshot, after: TicketChange, change: Change, wake: datetime | None, form: str = ""
    ) -> str | None:
        """A new ticket. `wake`: its deadline; `form`: the one it was sent in, whose draft is deleted and not kept
        again. Guards: there."""
        ticket = after.ticket
        plan = change.plan(snapshot, change.audit("ticket.created", ticket=ticket.number), keep_name=True)
        plan.guard_field("there", snapshot.keys.tickets, str(ticket.number), None)
        index_words(plan, None, ticket)
        # The question is in the ticket now.
        plan.write("DEL", snapshot.keys.asked(ticket.person))
        drafts = snapshot.keys.drafts(ticket.person)
        plan.write("HDEL", drafts, ticket.channel.value, SENT)
        if form:
            plan.write("HSET", drafts, f"{ticket.channel.value}{SENT_OFF}", form)
            plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400)
        if ticket.callback is not None:  # its number may have been blocked since it was checked
            plan.set_deadline(KIND, f"{BARRED}:{ticket.number - 1}", change.at, soon=True)
        self._put(plan, None, after, change.at, wake)
        return await self._cell.commit(plan)

    async def replace(
        self,
        snapshot: AccountSnapshot,
        before: Versioned[Ticket],
        after: TicketChange,
        what: str,
        change: Change,
        wake: datetime | None,
        *,
        deadline: Deadline | None = None,
        outcome: PromiseRecord | None = None,
        places: Sequence[tuple[str, MessageRef]] = (),
    ) -> str | None:
        """Replace the ticket that was read by its next version.

        Args:
            deadline: the one that caused the change, which it meets.
            outcome: record of the promise that it ended.
            places: messages of people, by the post key that they get.

        Guards: ticket, lease.
        """
        plan = change.plan(snapshot, change.audit(what, ticket=after.ticket.number), keep_name=True)
        if deadline is not None:
            plan.meet_deadline(deadline, wake)
        plan.guard_field("ticket", snapshot.keys.tickets, str(after.ticket.number), before.raw)
        self._put(plan, before.value, after, change.at, wake, set_deadline=deadline is None)
        promise_records.record_outcome(plan, before.value, after.ticket, outcome)
        record_messages(plan, places)
        return await self._cell.commit(plan)

    async def change_message(
        self, snapshot: AccountSnapshot, number: int, before: Versioned[Message], after: Message, change: Change
    ) -> str | None:
        """An entry edited or deleted by its author. Guards: message."""
        log = snapshot.keys.timeline(number)
        what = "message.deleted" if after.deleted else "message.edited"
        plan = change.plan(snapshot, change.audit(what, ticket=number, message=after.id))
        plan.guard_field("message", log, str(after.id), before.raw)
        plan.write("HSET", log, after.id, after.model_dump_json(by_alias=True))
        return await self._cell.commit(plan)

    async def note_mail(
        self, snapshot: AccountSnapshot, number: int, before: Versioned[Message], after: Message, change: Change
    ) -> str | None:
        """The delivery status of an entry's mail. Guards: message."""
        log = snapshot.keys.timeline(number)
        plan = change.plan(snapshot).guard_field("message", log, str(after.id), before.raw)
        plan.write("HSET", log, after.id, after.model_dump_json(by_alias=True))
        return await self._cell.commit(plan)

    async def star(
        self, snapshot: AccountSnapshot, reader: Person, number: int, on: bool, change: Change
    ) -> str | None:
        """Set or remove the reader's star on a ticket."""
        stars = snapshot.keys.inbox(reader.id, "fav")
        plan = change.plan(snapshot)
        if on:
            plan.write("ZADD", stars, to_ms(change.at), number)
        else:
            plan.write("ZREM", stars, number)
        return await self._cell.commit(plan)

    async def drop(
        self, snapshot: AccountSnapshot, before: Versioned[Ticket], deadline: Deadline | None, change: Change
    ) -> str | None:
        """Delete a ticket but for what the reports count. Its posts' keys are deleted first, in parts, so that no step
        is long. Stars on it are removed when they are next read. Guards: ticket, lease."""
        ticket = before.value
        while await self._forget_posts(snapshot, ticket.number):
            pass
        plan = change.plan(snapshot, change.audit("ticket.dropped", ticket=ticket.number))
        if deadline is not None:
            plan.meet_deadline(deadline)
        plan.guard_field("ticket", snapshot.keys.tickets, str(ticket.number), before.raw)
        plan.write("HDEL", snapshot.keys.tickets, ticket.number)
        plan.write("UNLINK", snapshot.keys.timeline(ticket.number))
        index_words(plan, ticket, None)
        for scope in (EVERYBODY, ticket.person):
            for view in VIEWS:
                plan.write("ZREM", snapshot.keys.inbox(scope, view), ticket.number)
        for whose in {NOBODY, queue_of(ticket)}:
            plan.write("ZREM", snapshot.keys.desk(whose), ticket.number)
        plan.write("ZREM", snapshot.keys.callbacks, ticket.number)
        month = ticket.created.astimezone(snapshot.account.zone).strftime("%Y-%m")
        plan.write("HINCRBY", snapshot.keys.tickets_gone, month, 1)
        plan.drop_deadline(KIND, str(ticket.number))
        result = await self._cell.commit(plan)
        while await self._forget_posts(snapshot, ticket.number):  # posts that a sender has recorded in the meantime
            pass
        return result

    async def _forget_posts(self, snapshot: AccountSnapshot, number: int) -> bool:
        """Delete the keys of some of a ticket's posts. False: none is left."""
        posts = snapshot.keys.posts(f"{KIND}:{number}")
        _, flat = await self._cell.read_one(snapshot, "HSCAN", posts, 0, "COUNT", CHUNK)
        for start in range(0, len(flat), 2 * CHUNK):  # HSCAN returns a small hash whole
            some = flat[start : start + 2 * CHUNK]
            plan = Plan(snapshot).write("HDEL", posts, *some[::2])
            await self._cell.commit(plan.write("HDEL", snapshot.keys.posted, *some[1::2]))
        return bool(flat)

    async def expired(self, snapshot: AccountSnapshot, until: datetime, count: int) -> list[Versioned[Ticket]]:
        """Closed tickets that have not changed since `until`, the oldest first."""
        closed = snapshot.keys.inbox(EVERYBODY, "closed")
        args = ("-inf", to_ms(until), "BYSCORE", "LIMIT", 0, count)
        ids = await self._cell.read_one(snapshot, "ZRANGE", closed, *args)
        if not ids:
            return []
        raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.tickets, *(str(i, "utf-8") for i in ids))
        return [Versioned(decode(raw), raw) for raw in raws if raw is not None]

    async def schedule_retention(self, snapshot: AccountSnapshot, at: datetime) -> None:
        """Set the deadline at which closed tickets are looked for that are not kept any longer: those closed under
        another retention period have no deadline for it."""
        await self._cell.commit(Plan(snapshot).set_deadline(RETENTION, "all", at))

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _put(
        self,
        plan: Plan,
        before: Ticket | None,
        after: TicketChange,
        now: datetime,
        wake: datetime | None,
        *,
        set_deadline: bool = True,
    ) -> None:
        """Write the record, its new messages, the indexes and, with `set_deadline`, the ticket's deadline `wake`."""
        ticket = after.ticket
        number = ticket.number
        plan.write("HSET", plan.keys.tickets, number, ticket.model_dump_json(by_alias=True))
        log = plan.keys.timeline(number)
        for message in after.messages:
            plan.write("HSET", log, message.id, message.model_dump_json(by_alias=True))
        was, view = before.state.rules.view if before is not None else None, ticket.state.rules.view
        for scope in (EVERYBODY, ticket.person):
            plan.write("ZADD", plan.keys.inbox(scope, "all"), to_ms(ticket.changed), number)
            plan.write("ZADD", plan.keys.inbox(scope, view), to_ms(ticket.changed), number)
            if was is not None and was != view:
                plan.write("ZREM", plan.keys.inbox(scope, was), number)
        whose = queue_of(ticket)
        if before is not None and queue_of(before) != whose:
            plan.write("ZREM", plan.keys.desk(queue_of(before)), number)
        if ticket.is_closed:
            plan.write("ZREM", plan.keys.desk(whose), number)
        else:
            plan.write("ZADD", plan.keys.desk(whose), to_ms(wake or ticket.created), number)
        self._callback(plan, before, ticket, wake)
        if set_deadline:
            if wake is None:
                plan.drop_deadline(KIND, str(number))
            else:
                plan.set_deadline(KIND, str(number), wake, soon=wake <= now)

    @staticmethod
    def _requeue(plan: Plan, ticket: Ticket, wake: datetime | None) -> None:
        """Update the ticket's position in its queues; one that has left a queue in the meantime is not added again."""
        plan.write("ZADD", plan.keys.desk(queue_of(ticket)), "XX", to_ms(wake or ticket.created), ticket.number)
        due = ticket.callback.due if ticket.callback is not None else None
        plan.write("ZADD", plan.keys.callbacks, "XX", to_ms(due or wake or ticket.created), ticket.number)

    @staticmethod
    def _callback(plan: Plan, before: Ticket | None, ticket: Ticket, wake: datetime | None) -> None:
        index = plan.keys.callbacks
        callback = ticket.callback
        waits = callback is not None and callback.called is None and not ticket.is_closed
        promised = ticket.clock is not None and ticket.clock.kind == "callback"
        if callback is not None and waits and (promised or callback.due is not None):
            plan.write("ZADD", index, to_ms(callback.due or wake or ticket.created), ticket.number)
        elif before is not None and before.callback is not None:
            plan.write("ZREM", index, ticket.number)
