"""What a ticket waits for: when somebody must look at it next, and which promise ended with a change."""

from datetime import datetime
from typing import NamedTuple

from domain.accounts.account import Account
from domain.support.desk import next_ticket_deadline
from domain.support.ticket import Ticket, expires


class EndedPromise(NamedTuple):
    """How a promise ended, for the report: what it was, for whom and by whom. `kept` None: nobody waited any longer
    before it was due; `took`: minutes of its calendar."""

    kind: str
    kept: bool | None
    guaranteed: bool
    channel: str
    specialist: str | None
    promised: int  # minutes
    took: float
    at: datetime


def next_action_at(account: Account, ticket: Ticket) -> datetime | None:
    """What comes first of its promise, its escalation and the end of its keeping; None: nothing is to come."""
    moments = (next_ticket_deadline(ticket, account), expires(ticket, account))
    return min((moment for moment in moments if moment is not None), default=None)


def find_ended_promise(account: Account, before: Ticket, after: Ticket, now: datetime) -> EndedPromise | None:
    """The promise that ended between the two; None: none did."""
    if before.clock is None or after.past == before.past or not after.past:
        return None
    clock = after.past[-1]
    outcome = after.outcome(clock, account)
    if outcome is None:
        return None
    return EndedPromise(
        kind=outcome.kind,
        kept=outcome.kept,
        guaranteed=outcome.guaranteed,
        channel=after.channel.value,
        specialist=after.specialist,
        promised=after.promised_by(clock, account).minutes,
        took=round(outcome.took, 2),
        at=now,
    )
