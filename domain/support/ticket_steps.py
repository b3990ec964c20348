"""Pieces shared by the steps of the person and those of the desk."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from domain import policy
from domain.accounts.account import Person
from domain.refusal import Refusal
from domain.support import escalation
from domain.support.sla import Clock, PromiseKind
from domain.support.ticket import FileRef, Message, Ticket, TicketChange, TicketState

Side = Literal["person", "desk", "system"]
Changes = Mapping[str, Any]
Events = Sequence[tuple[str, dict[str, Any]]]  # name and params of each

RESPONSES: tuple[PromiseKind, ...] = ("first_response", "next_response")  # met by a reply


def require_not_closed(ticket: Ticket) -> None:
    """Raises Refusal `ticket_closed` if the ticket is closed."""
    if ticket.is_closed:
        raise Refusal("ticket_closed")


def working_state(ticket: Ticket) -> TicketState:
    """The state of a ticket that is being worked on: open once it is assigned or answered, else new."""
    return TicketState.OPEN if ticket.specialist is not None or ticket.responded is not None else TicketState.NEW


def start_waiting(ticket: Ticket, now: datetime) -> dict[str, Any]:
    """Changes for when the person waits for the desk: the current clock resumes, or a new one starts.

    If the ticket was closed without a first response, the clock of that response continues.
    """
    if ticket.clock is not None:
        return {"turn": "desk", "clock": ticket.clock.resume(now)}
    if ticket.responded is None and ticket.past and not ticket.past[-1].met and ticket.past[-1].kind != "callback":
        return {"turn": "desk", "clock": ticket.past[-1].reopen(now), "past": ticket.past[:-1]}
    return {"turn": "desk", "clock": Clock(kind="next_response", since=now)}


def end_promise(
    ticket: Ticket, now: datetime, of: Iterable[PromiseKind] | None = None, *, met: bool = True
) -> dict[str, Any]:
    """Changes that end the current promise, if it is of one of the kinds `of` (None: any). `met`: it ends because what
    was promised was done."""
    clock = ticket.clock
    if clock is None or (of is not None and clock.kind not in of):
        return {}
    return {"clock": None, "past": (*ticket.past, clock.end(now, met))[-policy.CLOCKS_KEPT :]}


def acknowledge_if_escalated(ticket: Ticket, person: Person, now: datetime) -> dict[str, Any]:
    """Changes that acknowledge a running escalation, because the person has acted on the ticket."""
    under_way = ticket.escalation
    if under_way is None or under_way.acknowledged is not None:
        return {}
    return {"escalation": escalation.acknowledge_escalation(under_way, person.id, now)}


def close(ticket: Ticket, person: Person, side: Side, now: datetime) -> TicketChange:
    """Close the ticket. Refused: `closed_already`."""
    if ticket.is_closed:
        raise Refusal("closed_already")
    callback = ticket.callback.model_copy(update={"due": None}) if ticket.callback is not None else None
    changes: dict[str, Any] = {
        "state": TicketState.CLOSED,
        "closed": now,
        "turn": "nobody",
        "callback": callback,
        **end_promise(ticket, now, met=False),
        **acknowledge_if_escalated(ticket, person, now),
    }
    return apply_changes(ticket, person, side, now, changes, [("closed", {})])


def reopen(ticket: Ticket, person: Person, side: Side, now: datetime) -> TicketChange:
    """Reopen the ticket. Refused: `not_closed`."""
    if not ticket.is_closed:
        raise Refusal("not_closed")
    changes: dict[str, Any] = {"state": working_state(ticket), "closed": None, **start_waiting(ticket, now)}
    return apply_changes(ticket, person, side, now, changes, [("reopened", {})])


def apply_changes(
    ticket: Ticket,
    person: Person | None,
    side: Side,
    now: datetime,
    changes: Changes,
    events: Events = (),
    *,
    reply: str | None = None,
    note: str | None = None,
    files: Sequence[FileRef] = (),
    internal: bool = False,
) -> TicketChange:
    """The ticket with `changes` applied, and the new entries: the events, then the note or reply. `person` None: the
    bot acts.

    Changes that the person may not see leave `changed` as it is, so the ticket keeps its place in their inbox.
    """
    made: list[Message] = []

    def add(kind: Literal["reply", "note", "event"], **more: Any) -> None:
        by = {"by": person.id, "name": person.name} if person is not None else {"by": ""}
        at = max(now, ticket.changed)
        made.append(Message(id=ticket.messages + len(made) + 1, at=at, side=side, kind=kind, **by, **more))

    for what, params in events:
        add("event", what=what, params=params, internal=internal)
    if note is not None:
        add("note", text=note)
    if reply is not None:
        add("reply", text=reply, files=tuple(files))
    hidden = internal or note is not None
    return TicketChange(
        ticket.model_copy(
            update={
                **changes,
                "messages": ticket.messages + len(made),
                "changed": ticket.changed if hidden else max(now, ticket.changed),
                "version": ticket.version + 1,
            }
        ),
        tuple(made),
    )
