"""Steps of the desk on a ticket, and those that its deadlines cause."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from domain import policy
from domain.accounts.account import Account, Person
from domain.calendars import business
from domain.refusal import Refusal
from domain.support import escalation, sla
from domain.support.report import PromiseRecord
from domain.support.sla import Clock, Stage
from domain.support.ticket import (
    Callback,
    Critical,
    FileRef,
    Ticket,
    TicketChange,
    TicketState,
    expires,
    is_named_by_escalation,
    require_desk,
)
from domain.support.ticket_steps import (
    RESPONSES,
    acknowledge_if_escalated,
    apply_changes,
    close,
    end_promise,
    reopen,
    require_not_closed,
    working_state,
)
from domain.text import parse_text


def claim(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Assign the ticket to the specialist who asks. Refused: `claimed_already` (params `specialist`, an id),
    `claimed_by_you`."""
    require_desk(person)
    require_not_closed(ticket)
    if ticket.specialist is not None:
        if ticket.specialist in person.ids:
            raise Refusal("claimed_by_you")
        raise Refusal("claimed_already", specialist=ticket.specialist)
    return _taken(ticket, person, person, now, "claimed")


def assign(ticket: Ticket, by: Person, to: Person, now: datetime) -> TicketChange:
    """Assign the ticket to another specialist. Refused: `assign_who` if that is no specialist, `assigned_already`."""
    require_desk(by)
    require_not_closed(ticket)
    if not to.specialist:
        raise Refusal("assign_who", "person", person=to.name)
    if ticket.specialist is not None and ticket.specialist in to.ids:
        raise Refusal("assigned_already", "person", person=to.name)
    return _taken(ticket, by, to, now, "assigned")


def reply_desk(ticket: Ticket, person: Person, text: str, files: Sequence[FileRef], now: datetime) -> TicketChange:
    """A reply to the person. It meets the promised response, makes it the person's turn, and assigns an unassigned
    ticket to its author. Refused: `ticket_closed`, and as `parse_text`."""
    require_desk(person)
    require_not_closed(ticket)
    text = parse_text(text, "reply", policy.MESSAGE_LENGTH, required=not files)
    changes: dict[str, Any] = {
        "turn": "person",
        "responded": ticket.responded or now,
        **end_promise(ticket, now, RESPONSES),
        **_has_it(ticket, person),
        **acknowledge_if_escalated(ticket, person, now),
    }
    if ticket.state is TicketState.NEW:
        changes["state"] = TicketState.OPEN
    return apply_changes(ticket, person, "desk", now, changes, reply=text, files=files)


def add_note(ticket: Ticket, person: Person, text: str, now: datetime) -> TicketChange:
    """A note for the desk alone; state and promises stay as they are."""
    require_desk(person)
    return apply_changes(ticket, person, "desk", now, {}, note=parse_text(text, "note", policy.MESSAGE_LENGTH))


def set_pending(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Wait for the person, with the clock paused. Refused: `ticket_closed`, `pending_already`."""
    require_desk(person)
    require_not_closed(ticket)
    if ticket.state is TicketState.PENDING:
        raise Refusal("pending_already")
    changes: dict[str, Any] = {
        "state": TicketState.PENDING,
        "turn": "person",
        "clock": _paused(ticket, now),
        **acknowledge_if_escalated(ticket, person, now),
    }
    return apply_changes(ticket, person, "desk", now, changes, [("pending", {})])


def resume(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Go on without waiting for the person. Refused: `not_pending`."""
    require_desk(person)
    if not ticket.state.rules.on_hold:
        raise Refusal("not_pending")
    clock = ticket.clock.resume(now) if ticket.clock is not None else None
    changes: dict[str, Any] = {"state": working_state(ticket), "turn": "desk", "clock": clock}
    return apply_changes(ticket, person, "desk", now, changes, [("resumed", {})])


def close_desk(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Closed by the desk. Refused as `close`."""
    require_desk(person)
    return close(ticket, person, "desk", now)


def reopen_desk(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Reopened by the desk. Refused as `reopen`."""
    require_desk(person)
    return reopen(ticket, person, "desk", now)


def confirm(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Confirm that the ticket is business critical, which also acknowledges its escalation. Refused:
    `not_claimed_critical`, `ticket_closed`."""
    require_desk(person)
    require_not_closed(ticket)
    if ticket.critical is not Critical.CLAIMED:
        raise Refusal("not_claimed_critical")
    changes: dict[str, Any] = {"critical": Critical.CONFIRMED, **acknowledge_if_escalated(ticket, person, now)}
    return apply_changes(ticket, person, "desk", now, changes, [("confirmed", {})])


def downgrade(ticket: Ticket, person: Person, reason: str, now: datetime) -> TicketChange:
    """Decide that the ticket is not business critical, with a reason that the person sees; it is promised again what an
    ordinary ticket is. Refused: `not_claimed_critical`, `ticket_closed`, and as `parse_text`."""
    require_desk(person)
    require_not_closed(ticket)
    if not ticket.is_critical:
        raise Refusal("not_claimed_critical")
    said = parse_text(reason, "reason", policy.COMMENT_LENGTH)
    changes: dict[str, Any] = {
        "critical": Critical.DOWNGRADED,
        "critical_reason": said,
        "clock": ticket.clock.ordinary() if ticket.clock is not None else None,
        **acknowledge_if_escalated(ticket, person, now),
    }
    return apply_changes(ticket, person, "desk", now, changes, [("downgraded", {"reason": said})])


def acknowledge(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Acknowledge the escalation, by a specialist or somebody whom it names. Refused: `nothing_escalated`."""
    if not is_named_by_escalation(person, ticket):
        require_desk(person)
    told = ticket.escalation
    if told is None or told.acknowledged is not None or (told.due is None and not told.step):
        raise Refusal("nothing_escalated")
    changes = acknowledge_if_escalated(ticket, person, now)
    return apply_changes(ticket, person, "desk", now, changes, [("acknowledged", {})], internal=True)


def escalate_desk(ticket: Ticket, account: Account, person: Person, now: datetime) -> TicketChange:
    """Start the account's escalation policy at the desk's request. Refused: `ticket_closed`; `escalated_already`;
    `escalation_nobody` if the policy has no level."""
    require_desk(person)
    require_not_closed(ticket)
    if ticket.escalation is not None and ticket.escalation.due is not None:
        raise Refusal("escalated_already")
    begun = escalation.start_escalation(account, now)
    if begun.due is None:
        raise Refusal("escalation_nobody")
    return apply_changes(ticket, person, "desk", now, {"escalation": begun}, [("escalated_desk", {})], internal=True)


def record_call(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """The person took the call, which meets the promised callback. Refused: `no_callback`, `called_already`,
    `ticket_closed`."""
    callback = _called_for(ticket, person)
    changes: dict[str, Any] = {
        "state": TicketState.OPEN,
        "turn": "person",
        "callback": callback.model_copy(update={"called": now, "due": None}),
        "responded": ticket.responded or now,
        **end_promise(ticket, now),
        **_has_it(ticket, person),
        **acknowledge_if_escalated(ticket, person, now),
    }
    return apply_changes(ticket, person, "desk", now, changes, [("called", {})])


def record_no_answer(ticket: Ticket, account: Account, person: Person, now: datetime) -> TicketChange:
    """The person did not take the call; the callback promised is met all the same. Another one is promised (D) within
    the account's hours; after the last try the ticket is pending. Refused as `record_call`."""
    callback = _called_for(ticket, person)
    tries = callback.tries + 1
    changes: dict[str, Any] = {**end_promise(ticket, now, ("callback",)), **_has_it(ticket, person)}
    clock = changes.get("clock", ticket.clock)
    if again := tries < policy.CALLBACK_TRIES:
        wanted = now.astimezone(UTC) + timedelta(minutes=policy.CALLBACK_AGAIN_MINUTES)
        due = business(account).next_open(wanted) or wanted
        clock = clock.resume(now) if clock is not None else Clock(kind="callback", since=due)
        changes |= {"state": TicketState.OPEN, "turn": "desk", "clock": clock}
    else:
        due = None
        changes |= {
            "state": TicketState.PENDING,
            "turn": "person",
            "clock": clock.pause(now) if clock is not None else None,
        }
    changes["callback"] = callback.model_copy(update={"tries": tries, "due": due})
    return apply_changes(ticket, person, "desk", now, changes, [("no_answer", {"tries": tries, "again": again})])


# ── What comes by itself ────────────────────────────────────────────────────────────────────────────────────────


def next_ticket_deadline(ticket: Ticket, account: Account) -> datetime | None:
    """When `reach_next_stage` or `take_escalation_step` is next due; None: never, while account and ticket stay as they
    are."""
    moments = [ticket.escalation.due if ticket.escalation is not None else None]
    promised = ticket.promised(account)
    if ticket.clock is not None and promised is not None and (stage := sla.next_stage(ticket.clock, promised)):
        moments.append(stage[1])
    return min((moment for moment in moments if moment is not None), default=None)


class StageStep(NamedTuple):
    """A stage that a promise has reached. `step`: whom the escalation policy names to be told of it."""

    after: TicketChange
    stage: Stage
    step: escalation.EscalationStep | None = None


def reach_next_stage(ticket: Ticket, account: Account, now: datetime) -> StageStep | None:
    """The next stage of the current promise, if it is due; None if not. If several are due, the first: call again for
    the next. The entry is for the desk alone.

    A breach starts the escalation unless one is running: its first level is told at once, the next ones until somebody
    acts (docs/domain.md 7).
    """
    promised = ticket.promised(account)
    if ticket.clock is None or promised is None:
        return None
    coming = sla.next_stage(ticket.clock, promised)
    if coming is None or coming[1] > now:
        return None
    stage = coming[0]
    changes: dict[str, Any] = {"clock": ticket.clock.model_copy(update={"told": (*ticket.clock.told, stage)})}
    params: dict[str, Any] = {"kind": ticket.clock.kind, "due": coming[1].isoformat()}
    step = None
    if stage is Stage.BREACH:
        under_way, step = _escalated(ticket, account, now)
        changes["escalation"] = under_way
        params |= {"minutes": promised.minutes, "source": promised.source, "specialist": ticket.specialist}
        params |= {"people": list(step.people) if step is not None else [], **_ahead(under_way, account, now)}
    events = [(f"stage_{stage}", params)]
    return StageStep(apply_changes(ticket, None, "system", now, changes, events, internal=True), stage, step)


def _escalated(
    ticket: Ticket, account: Account, now: datetime
) -> tuple[escalation.EscalationSnapshot | None, escalation.EscalationStep | None]:
    """The escalation that a breach starts, and its first step; a running one stays as it is, without a step."""
    under_way = ticket.escalation
    if under_way is not None and under_way.due is not None:
        return under_way, None
    climbed = escalation.take_step(escalation.start_escalation(account, now), account, now)
    if climbed is None or climbed[1].level == 0:  # the policy names nobody who is there
        return under_way, None
    return climbed


def _ahead(under_way: escalation.EscalationSnapshot | None, account: Account, now: datetime) -> dict[str, Any]:
    """Params of the breach's entry: who is told next and when, if nobody acts; empty if nobody is."""
    if under_way is None or under_way.due is None:
        return {}
    climbed = escalation.take_step(under_way, account, under_way.due)
    if climbed is None or climbed[1].level == 0:
        return {}
    return {"next": list(climbed[1].people), "next_at": max(under_way.due, now).isoformat()}


def take_escalation_step(
    ticket: Ticket, account: Account, now: datetime
) -> tuple[TicketChange, escalation.EscalationStep] | None:
    """The next step of the escalation, if it is due; None if not."""
    found = escalation.take_step(ticket.escalation, account, now) if ticket.escalation is not None else None
    if found is None:
        return None
    after, step = found
    params = {
        "level": step.level,
        "round": step.round,
        "people": list(step.people),
        "gone": list(step.gone),
        "skipped": list(step.skipped),
    }
    what = "climbed" if step.level else "nobody_to_tell"
    return apply_changes(ticket, None, "system", now, {"escalation": after}, [(what, params)], internal=True), step


# ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _paused(ticket: Ticket, now: datetime) -> Clock | None:
    return ticket.clock.pause(now) if ticket.clock is not None else None


def _has_it(ticket: Ticket, person: Person) -> dict[str, Any]:
    """Changes that assign an unassigned ticket to whoever works on it."""
    return {"specialist": person.id} if ticket.specialist is None else {}


def _taken(ticket: Ticket, by: Person, to: Person, now: datetime, what: str) -> TicketChange:
    changes: dict[str, Any] = {"specialist": to.id, **acknowledge_if_escalated(ticket, by, now)}
    if ticket.state is TicketState.NEW:
        changes["state"] = TicketState.OPEN
    return apply_changes(ticket, by, "desk", now, changes, [(what, {"specialist": to.id})])


def _called_for(ticket: Ticket, person: Person) -> Callback:
    require_desk(person)
    require_not_closed(ticket)
    if ticket.callback is None:
        raise Refusal("no_callback")
    if ticket.callback.called is not None:
        raise Refusal("called_already")
    return ticket.callback


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
