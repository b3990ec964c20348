"""What of a ticket goes out by mail, and how its going is noted on the timeline (docs/domain.md 5).

Email tickets carry their replies by mail too. Only what a person at the desk did for its person goes out, and, to an
address that is the person's own in the account's records, the word that the ticket was received: nobody gets mail that
no specialist looked at because somebody else typed their address.
"""

from datetime import datetime
from typing import Final, Literal

from domain.accounts.account import Account
from domain.support.channels import Channel
from domain.support.ticket import MailStatus, Message, Ticket, TicketChange, visible_to_person
from domain.support.ticket_steps import apply_changes

EMAILED: Final = frozenset({Channel.EMAIL, Channel.PREMIUM_EMAIL})
REASON_LENGTH: Final = 200

MailKind = Literal["receipt", "answer", "closed", "downgraded"]


def kind_of(account: Account, ticket: Ticket, message: Message) -> MailKind | None:
    """As what an entry of the timeline goes by mail; None: it doesn't. A note never does, nor what is internal."""
    if ticket.channel not in EMAILED or ticket.email is None or not visible_to_person(message) or message.deleted:
        return None
    if message.side == "desk":
        if message.kind == "reply":
            return "answer"
        return message.what if message.what in ("closed", "downgraded") else None  # type: ignore[return-value] # two of them
    first = message.id == 1 and message.kind == "reply"
    return "receipt" if first and _own_address(account, ticket) else None


def _own_address(account: Account, ticket: Ticket) -> bool:
    person = account.person(ticket.person)
    own = person.email if person is not None else None
    return own is not None and ticket.email is not None and own.casefold() == ticket.email.casefold()


def veiled(address: str) -> str:
    """An address as the desk sees it: enough to know it again, not enough to write to it: "a***@example.com"."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}***@{host}"


def mark_mail_queued(account: Account, after: TicketChange) -> TicketChange:
    """A step's new entries, those that go by mail noted as on their way."""

    def noted(message: Message) -> Message:
        if kind_of(account, after.ticket, message) is None:
            return message
        return message.model_copy(update={"mail": MailStatus(state="queued", at=message.at)})

    return TicketChange(after.ticket, tuple(map(noted, after.messages)))


def settle_mail(message: Message, reason: str | None, now: datetime) -> Message | None:
    """The entry once its mail has arrived (`reason` None) or never will; None where that was noted before, or nothing
    of it is left."""
    if message.mail is None or message.mail.state != "queued" or message.deleted:
        return None
    state: Literal["sent", "failed"] = "sent" if reason is None else "failed"
    came = MailStatus(state=state, at=now, reason=(reason or "")[:REASON_LENGTH])
    return message.model_copy(update={"mail": came})


def add_mail_failure(ticket: Ticket, reason: str, now: datetime) -> TicketChange:
    """The desk's own entry saying that a mail did not arrive, so that somebody acts."""
    to = veiled(ticket.email) if ticket.email is not None else ""
    events = [("mail_failed", {"to": to, "reason": reason[:REASON_LENGTH]})]
    return apply_changes(ticket, None, "system", now, {}, events, internal=True)
