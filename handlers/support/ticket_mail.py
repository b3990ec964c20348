"""Mails of an email ticket, sent with the commit of the change that they are about.

Plain text in the person's language: what is new, who wrote it, how to answer, and the original request.
`domain.support.mailing` decides what is mailed.
"""

from datetime import datetime
from typing import Final

from domain.accounts.account import Account
from domain.support import mailing
from domain.support.ticket import Message, Ticket, TicketChange
from handlers.framework.context import words_for
from handlers.framework.effects import OutgoingMail, mail_effect
from handlers.framework.ports import Services
from handlers.framework.screens import strip_markup
from handlers.support import ticket_screens
from handlers.support.ticket_keys import PostKey
from handlers.wording import Words
from store.engine.accounts import AccountSnapshot
from store.engine.effects import Effect

QUOTED: Final = 400  # characters of the request
QUOTED_LINES: Final = 8


def mark_queued(services: Services, account: Account, after: TicketChange) -> TicketChange:
    """The change with its mailed entries marked as queued, if mail is configured."""
    return mailing.mark_mail_queued(account, after) if services.mail else after


def mail_effects(snapshot: AccountSnapshot, after: TicketChange, dedup_key: str, now: datetime) -> list[Effect]:
    """The mails of entries that `mark_queued` has marked, in the order of the ticket's own queue."""
    account, ticket = snapshot.account, after.ticket
    person = account.person(ticket.person)
    if person is None or ticket.email is None:
        return []
    found = []
    words = words_for(account, person, ticket.locale)
    for message in after.messages:
        kind = mailing.kind_of(account, ticket, message)
        if message.mail is None or message.mail.state != "queued" or kind is None:
            continue
        letter = OutgoingMail(
            to=ticket.email,
            subject=words("mail.subject", number=ticket.display_number, overview=ticket.overview),
            text=_text(account, ticket, message, kind, words, now),
            thread=f"{account.id}|ticket:{ticket.number}",
            key=PostKey(ticket.number, "mail", message.id).pack(),
        )
        found.append(mail_effect(snapshot, dedup_key, f"mail:{account.id}:ticket:{ticket.number}", letter))
    return found


def _text(
    account: Account, ticket: Ticket, message: Message, kind: mailing.MailKind, words: Words, now: datetime
) -> str:
    who = message.name or words("person.gone")
    clock = ticket_screens.clock_text(account, ticket, words, now)
    promise = strip_markup(clock) if clock is not None else ""
    match kind:
        case "receipt":
            parts = [
                words("mail.receipt", name=ticket.name, number=ticket.display_number, overview=ticket.overview),
                promise,
            ]
            parts.append(words("mail.where"))
        case "answer":  # who wrote it, and only their words
            parts = [words("mail.answer", who=who, number=ticket.display_number), message.text]
            if message.files:
                names = [file.name for file in message.files]
                parts.append(words("mail.files", n=len(names), names=names))
        case "closed":
            parts = [words("mail.closed", who=who, number=ticket.display_number), words("mail.closed.reopen")]
        case "downgraded":
            reason = str(message.params.get("reason", ""))
            parts = [words("mail.downgraded", who=who, number=ticket.display_number), reason, promise]
    parts += [words("mail.how", number=ticket.display_number), _quote(ticket, words)]
    return "\n\n".join(part for part in parts if part)


def _quote(ticket: Ticket, words: Words) -> str:
    """The beginning of the request, quoted as mail clients do."""
    lines = ticket.description[:QUOTED].split("\n")[:QUOTED_LINES]
    said = "\n".join(lines)
    if len(said) < len(ticket.description):
        said += "…"
    at = words.timestamp(ticket.created, "datetime")
    return words("mail.quote", at=at) + "\n" + "\n".join(f"> {line}".rstrip() for line in said.split("\n"))
