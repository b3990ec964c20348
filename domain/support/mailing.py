"""Which entries of an email ticket are sent by mail, and their delivery status (docs/domain.md 5).

The desk's replies, closing and downgrading are mailed. The receipt goes only to an address that the account's record
has for the person: nobody may get mail because somebody else typed their address.
"""

from datetime import datetime
from typing import Final, Literal

from domain.accounts.account import Account
from domain.support.channels import EMAILS
from domain.support.ticket import MailStatus, Message, Ticket, TicketChange, visible_to_person
from domain.support.ticket_steps import apply_changes

REASON_LENGTH: Final = 200

MailKind = Literal["receipt", "answer", "closed", "downgraded"]


def kind_of(account: Account, ticket: Ticket, message: Message) -> MailKind | None:
    """As what an entry is mailed; None: it is not. Notes and internal events never are."""
    if ticket.channel not in EMAILS or ticket.email is None or not visible_to_person(message) or message.deleted:
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
    """The address as the desk sees it, which is enough to recognise it but not to write to it: "a***@example.com"."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}***@{host}"


def mark_mail_queued(account: Account, after: TicketChange) -> TicketChange:
    """The change with `mail` set to "queued" on those of its entries that are mailed."""

    def noted(message: Message) -> Message:
        if kind_of(account, after.ticket, message) is None:
            return message
        return message.model_copy(update={"mail": MailStatus(state="queued", at=message.at)})

    return TicketChange(after.ticket, tuple(map(noted, after.messages)))


def settle_mail(message: Message, reason: str | None, now: datetime) -> Message | None:
    """The entry once its mail was delivered (`reason` None) or failed; None if that is recorded already or the entry
    was deleted."""
    if message.mail is None or message.mail.state != "queued" or message.deleted:
        return None
    state: Literal["sent", "failed"] = "sent" if reason is None else "failed"
    came = MailStatus(state=state, at=now, reason=(reason or "")[:REASON_LENGTH])
    return message.model_copy(update={"mail": came})


def add_mail_failure(ticket: Ticket, reason: str, now: datetime) -> TicketChange:
    """An internal entry saying that a mail failed, so that the desk acts."""
    to = veiled(ticket.email) if ticket.email is not None else ""
    events = [("mail_failed", {"to": to, "reason": reason[:REASON_LENGTH]})]
    return apply_changes(ticket, None, "system", now, {}, events, internal=True)
