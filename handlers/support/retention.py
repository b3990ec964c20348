"""Deletion of expired tickets, and the effects of an erasure on a ticket's posts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.erasure import ALIAS
from domain.support.ticket import Ticket, expires
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.effects import post_effect, post_removal_effect
from handlers.framework.events import Address
from handlers.framework.ports import Services
from handlers.support import ticket_changes
from handlers.support.ticket_keys import PostKey
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change, GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect
from store.engine.posts import MessageRef
from store.support.tickets import RETENTION

AT_ONCE: Final = 50  # tickets deleted in one commit
EVERY: Final = timedelta(days=1)
SOON: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class RetentionJob:
    """Acts on deadlines of kind RETENTION."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        self.deadlines.on(RETENTION, fire_for_account(self.services, self.deadlines, self._clear))

    async def _clear(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Delete some expired tickets: those closed under another retention period, which have no deadline for it."""
        now, days = self.services.now(), snapshot.account.retention_days
        if days is None:
            await self.deadlines.settle(due)
            return
        found = await self.services.tickets.expired(snapshot, now.astimezone(UTC) - timedelta(days=days), AT_ONCE)
        removed = 0
        for filed in found:
            end = expires(filed.value, snapshot.account)
            if end is not None and end <= now:
                try:
                    await self.services.tickets.drop(snapshot, filed, None, Change(None, "", now))
                except GuardFailed:  # reopened: it stays
                    continue
                removed += 1
        await self.deadlines.settle(due, now + (EVERY if removed < AT_ONCE else SOON))


def erasure_redraw(
    now: Callable[[], datetime],
) -> Callable[[AccountSnapshot, Ticket, Mapping[str, MessageRef], Collection[int]], Sequence[Effect]]:
    """The effects of an erasure on a ticket: its card is updated. Of a ticket of the person's own, all posts below the
    card and with the person are removed; of another one, those of the entries `erased`."""

    def redraw(
        snapshot: AccountSnapshot, ticket: Ticket, places: Mapping[str, MessageRef], erased: Collection[int]
    ) -> list[Effect]:
        desk, card, effects = snapshot.account.desk, PostKey(ticket.number, "desk"), list[Effect]()
        dedup_key, own = f"erased:{ticket.number}:{ticket.version}", ticket.person.startswith(ALIAS)
        known = [post for post in map(PostKey.parse, sorted(places)) if post is not None and post != card]
        going = [(post.what, post.pack()) for post in known if own or post.message in erased]
        if desk is not None and card.pack() in places:
            to = Address(desk.platform, desk.workspace, channel=desk.channel)
            effects.append(ticket_changes.card_effect(snapshot, dedup_key, to, ticket, now()))
            effects += [post_effect(snapshot, dedup_key, to, key, None) for what, key in going if what == "desk"]
        removed = [
            post_removal_effect(snapshot, dedup_key, key, places[key]) for what, key in going if what == "person"
        ]
        return effects + removed

    return redraw
