"""Closed tickets that are kept no longer go by themselves; what an erasure takes from the tickets at the desk."""

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
from handlers.support import ticket_screens
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect
from store.engine.posts import MessageRef
from store.support.tickets import RETENTION

AT_ONCE: Final = 50  # tickets that are removed in one step
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
        """Some of the account's old tickets; a ticket's own deadline removes it in its hour, this finds those that were
        closed while another rule held."""
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
                except GuardFailed:  # opened again this moment: it stays
                    continue
                removed += 1
        await self.deadlines.settle(due, now + (EVERY if removed < AT_ONCE else SOON))


def erasure_redraw(
    now: Callable[[], datetime],
) -> Callable[[AccountSnapshot, Ticket, Mapping[str, MessageRef], Collection[int]], Sequence[Effect]]:
    """What is said because of an erasure: the card as it is now, at the desk; and of a ticket of theirs all that was
    mirrored below it and the bot's own posts with the person go, of anybody else's what they had written."""

    def redraw(
        snapshot: AccountSnapshot, ticket: Ticket, places: Mapping[str, MessageRef], erased: Collection[int]
    ) -> list[Effect]:
        desk, card, effects = snapshot.account.desk, f"ticket:{ticket.number}:desk", list[Effect]()
        dedup_key, theirs = f"erased:{ticket.number}:{ticket.version}", ticket.person.startswith(ALIAS)
        going = [key for key in sorted(places) if key != card and (theirs or _entry(key) in erased)]
        if desk is not None and card in places:
            to = Address(desk.platform, desk.workspace, channel=desk.channel)
            effects.append(
                post_effect(snapshot, dedup_key, to, card, ticket_screens.desk_card(snapshot.account, ticket, now()))
            )
            effects += [post_effect(snapshot, dedup_key, to, key, None) for key in going if key.endswith(":desk")]
        return [
            *effects,
            *(post_removal_effect(snapshot, dedup_key, key, places[key]) for key in going if key.endswith(":person")),
        ]

    return redraw


def _entry(key: str) -> int | None:
    """Which entry of the timeline a post is of."""
    what = key.split(":")[2].removeprefix("m")
    return int(what) if what.isdecimal() else None
