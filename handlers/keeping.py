"""What goes by itself: closed tickets that are kept no longer, and what is left of a person who is being erased."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.erasure import ALIAS
from domain.ticket import Ticket
from domain.tickets import expires
from handlers.context import put
from handlers.due import firing
from handlers.ports import Services
from handlers.support import drawing
from handlers.vocabulary import Address
from store.accounts import Held
from store.commit import GuardFailed
from store.deadlines import Deadlines, Due
from store.erasing import ERASE, Erasing
from store.numbers import Change
from store.outbox import Effect
from store.tickets import RETENTION

AT_ONCE: Final = 50  # tickets that are removed in one step
STEPS: Final = 50  # of an erasure, before the deadline is given back
EVERY: Final = timedelta(days=1)
SOON: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Acts on deadlines of kinds RETENTION and ERASE."""

    services: Services
    deadlines: Deadlines
    erasing: Erasing

    def claim(self) -> None:
        self.deadlines.on(RETENTION, firing(self.services, self.deadlines, self._clear))
        self.deadlines.on(ERASE, firing(self.services, self.deadlines, self._erase))

    async def _clear(self, held: Held, due: Due) -> None:
        """Some of the account's old tickets; a ticket's own deadline removes it in its hour, this finds those that were
        closed while another rule held."""
        now, days = self.services.now(), held.account.retention_days
        if days is None:
            await self.deadlines.settle(due)
            return
        found = await self.services.tickets.expired(held, now.astimezone(UTC) - timedelta(days=days), AT_ONCE)
        removed = 0
        for filed in found:
            end = expires(filed.ticket, held.account)
            if end is not None and end <= now:
                try:
                    await self.services.tickets.drop(held, filed, None, Change(None, "", now))
                except GuardFailed:  # opened again this moment: it stays
                    continue
                removed += 1
        await self.deadlines.settle(due, now + (EVERY if removed < AT_ONCE else SOON))

    async def _erase(self, held: Held, due: Due) -> None:
        """Goes on with what a command began and did not end."""
        for _ in range(STEPS):
            now = self.services.now()
            kept = await self.erasing.under_way(held)
            if kept is None:
                await self.deadlines.settle(due)
                return
            try:
                after, waits = await self.erasing.step(held, kept, now)
            except GuardFailed:
                continue  # somebody wrote meanwhile, or goes on with it too
            if after is None:
                return
            if waits:
                break
        await self.deadlines.settle(due, self.services.now() + SOON)


def redrawing(now: Callable[[], datetime]) -> Callable[[Held, Ticket, Collection[str]], Sequence[Effect]]:
    """What is said at the desk because of an erasure: the card as it is now, and nothing of what was mirrored below."""

    def redraw(held: Held, ticket: Ticket, keys: Collection[str]) -> list[Effect]:
        desk, card = held.account.desk, f"ticket:{ticket.number}:desk"
        if desk is None or card not in keys:
            return []
        to = Address(desk.platform, desk.workspace, channel=desk.channel)
        salt = f"erased:{ticket.number}:{ticket.version}"
        gone = [key for key in keys if key != card and key.endswith(":desk")] if ticket.person.startswith(ALIAS) else []
        shown = drawing.desk_card(held.account, ticket, now())
        return [put(held, salt, to, card, shown), *(put(held, salt, to, key, None) for key in sorted(gone))]

    return redraw
