"""How a ticket's mails ended: noted on the entry that went out, before the outbox forgets the mail.

An entry at the desk says in place whether its mail is on its way, has gone, or did not arrive. A mail that did not
arrive is an entry of its own besides, below the ticket's card, and a line to whoever wrote it.
"""

from typing import Final

from domain.support import mailing
from domain.support.ticket import Message, Ticket
from handlers.framework.effects import post_effect
from handlers.framework.ports import Services
from handlers.support import threads, ticket_changes, ticket_screens
from handlers.support.ticket_mail import ENDING
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.effects import Effect
from store.engine.versioned import Versioned

TRIES: Final = 6


class MailStatusRecorder:
    """Told by the outbox of every mail that ended; those that are no ticket's are nothing to it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, effect: Effect, reason: str | None) -> None:
        """None: the mail server has it; else why it never will. Does no harm when it is done over again: each of its
        steps has a name of its own, and an entry is noted once."""
        key, account = str(effect.body.get("key", "")), str(effect.body.get("account", ""))
        parsed = ticket_changes.parse_post_key(key.removesuffix(ENDING)) if key.endswith(ENDING) else None
        if parsed is None or not parsed[1].removeprefix("m").isdecimal():
            return
        number, id = parsed[0], int(parsed[1].removeprefix("m"))

        async def step(snapshot: AccountSnapshot) -> None:
            if reason is not None:
                await self._say(snapshot, number, id, effect, reason)
            await self._note(snapshot, number, id, effect, reason)

        for left in reversed(range(TRIES)):
            try:
                await self._services.accounts.run_on_current(account, step)
            except (AccountChanged, GuardFailed):
                if not left:
                    raise
                continue
            return

    async def _say(self, snapshot: AccountSnapshot, number: int, id: int, effect: Effect, reason: str) -> None:
        """The entry of its own; told once, by the mail's name."""
        services, now, name = self._services, self._services.now(), f"{effect.id}|failed"
        found = await services.tickets.get(snapshot, number)
        entry = await services.tickets.message(snapshot, number, id)
        if found is None or entry is None or mailing.settle_mail(entry.value, reason, now) is None:
            return
        if await services.changes.first_answer(snapshot, name) is not None:
            return
        more: list[Effect] = []
        writer = snapshot.account.person(entry.value.by) if entry.value.side == "desk" else None
        if writer is not None and writer.specialist:
            more = await threads.notice_effects(services, snapshot, [writer], found.value, "desk.mail_failed", name)
        after = mailing.add_mail_failure(found.value, reason, now)
        await ticket_changes.write_change(services, snapshot, found, after, "mail_failed", name, None, now, more=more)

    async def _note(self, snapshot: AccountSnapshot, number: int, id: int, effect: Effect, reason: str | None) -> None:
        """Where the mail stands, on the entry that it carried."""
        services, now = self._services, self._services.now()
        found = await services.tickets.get(snapshot, number)
        entry = await services.tickets.message(snapshot, number, id)
        if found is None or entry is None:
            return
        after = mailing.settle_mail(entry.value, reason, now)
        if after is None:
            return
        effects = self._redrawn(snapshot, found.value, entry, after, effect.id)
        change = Change(f"{effect.id}|ended", "", now, f"ticket|{number}|mailed", tuple(effects))
        await services.tickets.note_mail(snapshot, number, entry, after, change)

    def _redrawn(
        self, snapshot: AccountSnapshot, ticket: Ticket, entry: Versioned[Message], after: Message, dedup_key: str
    ) -> list[Effect]:
        """The entry at the desk as it is now, where it stands there: what came first is on the card."""
        desk = ticket_changes.desk_address(snapshot.account, self._services)
        if desk is None or entry.value.id == 1 or ticket.email is None:
            return []
        screen = ticket_screens.entry_screen(
            snapshot.account, ticket, after, ticket_screens.desk_words(snapshot.account), desk=True
        )
        name = ticket_changes.post_key(ticket.number, f"m{after.id}:desk")
        return [
            post_effect(
                snapshot, f"{dedup_key}|mail", desk, name, screen, below=ticket_changes.post_key(ticket.number, "desk")
            )
        ]
