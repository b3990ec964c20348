"""Delivery of a ticket's mails, recorded on the timeline entry that was sent, before the outbox deletes the mail.

The entry's post at the desk shows whether its mail is queued, sent or failed. A failed mail also adds an entry to the
timeline and a message to the specialist who wrote it.
"""

from datetime import datetime

from domain.support import mailing
from domain.support.ticket import Message, Ticket
from handlers.framework.ports import Services
from handlers.support import threads, ticket_changes
from handlers.support.ticket_changes import TicketStep
from handlers.support.ticket_keys import PostKey, TicketResult
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.effects import Effect


class MailStatusRecorder:
    """Told by the outbox of every mail that ended; mails that are no ticket's are ignored."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, effect: Effect, reason: str | None) -> None:
        """Record that the mail server took a mail (`reason` None) or why it never will. May be repeated: each commit
        has an id of its own, and an entry's status is set once."""
        key, account = PostKey.parse(str(effect.body.get("key", ""))), str(effect.body.get("account", ""))
        if key is None or key.what != "mail" or key.message is None:
            return
        number, id = key.number, key.message

        async def step(snapshot: AccountSnapshot) -> None:
            entry = await self._services.tickets.message(snapshot, number, id)
            found = await self._services.tickets.get(snapshot, number)
            now = self._services.now()
            after = mailing.settle_mail(entry.value, reason, now) if entry is not None else None
            if found is None or entry is None or after is None:
                return
            if reason is not None:
                await self._report_failure(snapshot, found.value, entry.value, effect.id, reason, now)
            effects = self._updated_entry(snapshot, found.value, after, f"{effect.id}|mail")
            result = TicketResult(number, "mailed").pack()
            change = Change(f"{effect.id}|ended", "", now, result, tuple(effects))
            await self._services.tickets.note_mail(snapshot, number, entry, after, change)

        for left in reversed(range(ticket_changes.TRIES)):
            try:
                await self._services.accounts.run_on_current(account, step)
            except (AccountChanged, GuardFailed):
                if not left:
                    raise
                continue
            return

    async def _report_failure(
        self, snapshot: AccountSnapshot, ticket: Ticket, message: Message, mail: str, reason: str, now: datetime
    ) -> None:
        """An entry of its own on the timeline, and a message to the specialist who wrote what didn't arrive."""
        services, id, told = self._services, f"{mail}|failed", list[Effect]()
        writer = snapshot.account.person(message.by) if message.side == "desk" else None
        if writer is not None and writer.specialist:
            told = await threads.notice_effects(services, snapshot, [writer], ticket, "desk.mail_failed", id)
        step = TicketStep("mail_failed", id, None, now, effects=told)
        await ticket_changes.run_step(
            services, snapshot, ticket.number, step, lambda t: mailing.add_mail_failure(t, reason, now)
        )

    def _updated_entry(
        self, snapshot: AccountSnapshot, ticket: Ticket, message: Message, dedup_key: str
    ) -> list[Effect]:
        """The entry's post at the desk, with the new status; the first entry has none: it is on the card."""
        desk = ticket_changes.desk_address(snapshot.account, self._services)
        if desk is None or message.id == 1 or ticket.email is None:
            return []
        return [ticket_changes.desk_entry_effect(snapshot, dedup_key, desk, ticket, message)]
