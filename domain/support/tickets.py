"""Steps of the person on their ticket (docs/domain.md 7); those of the desk are in `domain.support.desk`.

Each takes a ticket and returns its `TicketChange`, with `version` one higher, or raises Refusal. A ticket stores only
facts about its clocks; the promises follow from the account (`domain.support.sla`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain import policy
from domain.accounts.account import Account, Person
from domain.refusal import Refusal
from domain.support import escalation, sla
from domain.support.channels import CALLBACKS, TICKET_CHANNELS, Channel, is_designated
from domain.support.sla import Clock
from domain.support.ticket import (
    Callback,
    Critical,
    FileRef,
    Impact,
    Message,
    Survey,
    Ticket,
    TicketChange,
    TicketDraft,
    require_owner,
)
from domain.support.ticket_steps import Events, apply_changes, close, reopen, start_waiting, working_state
from domain.text import has_visible_text, parse_text


def create(number: int, account: Account, person: Person, draft: TicketDraft, now: datetime) -> TicketChange:
    """A new ticket with its first clock running.

    "Business critical" counts for premium email alone (elsewhere it is ignored), and there for designated super admins.
    Refused: `critical_who`; `impact_missing`; `text_empty` for impact "other" without an explanation; `number_empty`
    for a callback without a number.
    """
    if draft.channel not in TICKET_CHANNELS:
        raise ValueError(f"no ticket comes from {draft.channel}")
    ours = is_designated(account, person)
    critical = draft.critical and draft.channel is Channel.PREMIUM_EMAIL
    if critical:
        if not ours:
            raise Refusal("critical_who", "critical", admins=_designated_names(account))
        _explained(draft.impact, draft.affected)
    callback = None
    if draft.channel in CALLBACKS:
        if draft.number is None:
            raise Refusal("number_empty", "number")
        callback = Callback(number=draft.number, extension=draft.extension)
    clock = Clock(kind="callback" if callback is not None else "first_response", since=now)
    ticket = Ticket(
        number=number,
        person=person.id,
        name=person.name,
        channel=draft.channel,
        language=draft.language,
        overview=draft.overview,
        description=draft.description,
        email=draft.email,
        links=draft.links,
        files=draft.files,
        callback=callback,
        asked=draft.asked,
        read=draft.read,
        surface=draft.surface,
        where=draft.where,
        locale=draft.locale,
        designated=ours,
        previous=draft.previous,
        critical=Critical.CLAIMED if critical else None,
        impact=draft.impact if critical else None,
        affected=draft.affected if critical else "",
        escalation=escalation.start_escalation(account, now) if critical else None,
        created=now,
        changed=now,
        clock=clock.critical(now) if critical else clock,
        messages=0,
        version=0,
    )
    return apply_changes(ticket, person, "person", now, {}, reply=draft.description, files=draft.files)


def reply_person(ticket: Ticket, person: Person, text: str, files: Sequence[FileRef], now: datetime) -> TicketChange:
    """A reply by the person. A pending ticket goes back to work, a closed one is reopened (D: always allowed). Refused
    as `parse_text`."""
    require_owner(person, ticket)
    text = parse_text(text, "reply", policy.MESSAGE_LENGTH, required=not files)
    events: Events = [("reopened", {})] if ticket.is_closed else []
    changes = start_waiting(ticket, now)
    if ticket.is_closed or ticket.state.rules.on_hold:
        changes |= {"state": working_state(ticket), "closed": None}
    return apply_changes(ticket, person, "person", now, changes, events, reply=text, files=files)


def close_person(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Closed by the person. Refused as `close`."""
    require_owner(person, ticket)
    return close(ticket, person, "person", now)


def reopen_person(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Reopened by the person. Refused as `reopen`."""
    require_owner(person, ticket)
    return reopen(ticket, person, "person", now)


def survey(ticket: Ticket, person: Person, rating: str, comment: str, now: datetime) -> TicketChange:
    """The rating and comment, given once after closing. Refused: `survey_open`, `survey_done`, `rating_wrong`, and as
    `parse_text`."""
    require_owner(person, ticket)
    if not ticket.is_closed:
        raise Refusal("survey_open")
    if ticket.survey is not None:
        raise Refusal("survey_done")
    if rating not in {"1", "2", "3", "4", "5"}:
        raise Refusal("rating_wrong", "rating")
    said = parse_text(comment, "comment", policy.COMMENT_LENGTH, required=False)
    given = Survey(rating=int(rating), comment=said, at=now)
    return apply_changes(ticket, person, "person", now, {"survey": given}, [("surveyed", {"rating": given.rating})])


def escalate(
    ticket: Ticket, account: Account, person: Person, impact: Impact | None, affected: str, now: datetime
) -> TicketChange:
    """A designated super admin declares an open premium email ticket business critical. The 30 minutes run from `now`,
    unless the guarantee under way ends sooner.

    Refused: `critical_who` (who may), `escalate_closed`, `escalate_already`, `impact_missing`, and as `parse_text`.
    """
    require_owner(person, ticket)
    if not may_escalate(ticket, account, person):
        raise Refusal("critical_who", admins=_designated_names(account))
    if ticket.is_closed:
        raise Refusal("escalate_closed")
    if ticket.is_critical:
        raise Refusal("escalate_already")
    said = parse_text(affected, "affected", policy.COMMENT_LENGTH, required=impact is Impact.OTHER)
    _explained(impact, said)
    clock = ticket.clock.resume(now) if ticket.clock is not None else Clock(kind="next_response", since=now)
    changes: dict[str, Any] = {
        "critical": Critical.CLAIMED,
        "impact": impact,
        "affected": said,
        "critical_reason": "",
        "turn": "desk",
        "state": working_state(ticket) if ticket.state.rules.on_hold else ticket.state,
        "escalation": escalation.start_escalation(account, now),
        "clock": clock if _sooner(ticket, account, clock, now) else clock.critical(now),
    }
    events: Events = [("escalated", {"impact": str(impact), "affected": said})]
    return apply_changes(ticket, person, "person", now, changes, events)


def may_escalate(ticket: Ticket, account: Account, person: Person) -> bool:
    """Whether the person may declare the ticket business critical (docs/domain.md 6)."""
    return account.premium_support and ticket.channel is Channel.PREMIUM_EMAIL and is_designated(account, person)


def mark_pressing(ticket: Ticket, person: Person, now: datetime) -> TicketChange:
    """Tell the desk that the ticket is urgent: once, and without a promise. Refused: `pressing_already`,
    `escalate_closed`."""
    require_owner(person, ticket)
    if ticket.is_closed:
        raise Refusal("escalate_closed")
    if ticket.pressing is not None:
        raise Refusal("pressing_already", at=ticket.pressing)
    return apply_changes(ticket, person, "person", now, {"pressing": now}, [("pressing", {})])


# ── Edits of what was said, by either side ──────────────────────────────────────────────────────────────────────


def edit_message(message: Message, person: Person, text: str, now: datetime) -> Message:
    """A message as its author has edited it. Refused: `message_not_yours`, `message_gone`, and as `parse_text`."""
    _author(message, person)
    field = "note" if message.kind == "note" else "reply"
    said = parse_text(text, field, policy.MESSAGE_LENGTH, required=not message.files)
    return message.model_copy(update={"text": said, "edited": now})


def retract_message(message: Message, person: Person, now: datetime) -> Message:
    """A message that its author has deleted: without text and files, marked as deleted. Refused: `message_not_yours`,
    `message_gone`."""
    _author(message, person)
    return message.model_copy(update={"text": "", "files": (), "edited": now, "deleted": True})


# ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _author(message: Message, person: Person) -> None:
    if message.kind == "event" or message.by not in person.ids:
        raise Refusal("message_not_yours")
    if message.deleted:
        raise Refusal("message_gone")


def _explained(impact: Impact | None, affected: str) -> None:
    """Raises Refusal for a business-critical claim without an impact, or with "other" unexplained."""
    if impact is None:
        raise Refusal("impact_missing", "impact")
    if impact is Impact.OTHER and not has_visible_text(affected):
        raise Refusal("text_empty", "affected")


def _designated_names(account: Account) -> tuple[str, ...]:
    return tuple(person.name for person in account.super_admins if is_designated(account, person))


def _sooner(ticket: Ticket, account: Account, clock: Clock, now: datetime) -> bool:
    """Whether the guarantee under way is not broken yet and ends no later than one of 30 minutes from `now` would."""
    ordinary = ticket.promised_by(clock, account)
    if not ordinary.guaranteed:
        return False
    critical = clock.critical(now)
    end, sooner = sla.deadline(clock, ordinary), sla.deadline(critical, ticket.promised_by(critical, account))
    return end is not None and end > now and (sooner is None or end <= sooner)
