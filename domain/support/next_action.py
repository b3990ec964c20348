"""What is to happen to a ticket by itself, and which promise a change has ended."""

from datetime import datetime

from domain.accounts.account import Account
from domain.support.desk import next_ticket_deadline
from domain.support.report import PromiseRecord
from domain.support.ticket import Ticket, expires


def next_action_at(account: Account, ticket: Ticket) -> datetime | None:
    """When a deadline must act on the ticket: at the next stage of its promise, at the next step of its escalation or
    when it expires, whichever is first. None: never."""
    moments = (next_ticket_deadline(ticket, account), expires(ticket, account))
    return min((moment for moment in moments if moment is not None), default=None)


def find_ended_promise(account: Account, before: Ticket, after: Ticket, now: datetime) -> PromiseRecord | None:
    """The record of the promise that a change at `now` has ended; None if it ended none."""
    if before.clock is None or after.past == before.past or not after.past:
        return None
    clock = after.past[-1]
    outcome = after.outcome(clock, account)
    if outcome is None:
        return None
    return PromiseRecord(
        ticket=after.number,
        kind=clock.kind,
        since=clock.since,
        kept=outcome.kept,
        met=clock.met,
        guaranteed=outcome.guaranteed,
        channel=after.channel.value,
        specialist=after.specialist,
        promised=after.promised_by(clock, account).minutes,
        took=round(outcome.took, 2),
        at=now,
    )
