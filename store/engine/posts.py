"""Where our posts are: from a post's key to the platform's message, and back.

A post is something that is kept up to date where it stands: a ticket's card, the head of a thread, a mirrored message.
Its key is "kind:number:what"; posts that share kind and number are a group, and go together.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, GuardFailed, Plan
from store.engine.deadlines import TICKETS, deadline_member
from store.engine.effects import Effect
from store.engine.keys import AccountKeys
from store.engine.values import pairs
from store.server.connection import Store
from store.server.scripts import script

_NOTE = script("engine/post_note")
EARLY_S: Final = 3_600  # a message is told again for minutes, at most
AT_DESK: Final = "desk"  # the deadline at which the cards of all open tickets are drawn at the desk


class MessageRef(NamedTuple):
    """A message of ours. `message` names it within the workspace: a channel and a stamp, say."""

    platform: str
    workspace: str
    message: str

    def field(self) -> str:
        return "|".join(self)

    @classmethod
    def of(cls, field: str) -> "MessageRef":
        """Raises ValueError for what is none."""
        platform, workspace, message = field.split("|", 2)
        return cls(platform, workspace, message)


class EarlyEdit(NamedTuple):
    """A change of a message that has not come yet. `text`: what it says now; None: it was taken back."""

    id: str
    text: str | None


class LostDesk(NamedTuple):
    """A desk that can't be written to. `place`: platform, workspace and channel; `why`: the platform's code."""

    place: str
    why: str
    since: datetime


def group(key: str) -> str:
    """What a post goes with: "ticket:142" of "ticket:142:desk"."""
    return ":".join(key.split(":", 2)[:2])


class Posts:
    """What handlers ask, on the account as they know it (`AccountChanged`)."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def find(self, snapshot: AccountSnapshot, platform: str, workspace: str, message: str) -> str | None:
        """The key of the post that a message is."""
        field = MessageRef(platform, workspace, message).field()
        found = await self._cell.read_one(snapshot, "HGET", snapshot.keys.posted, field)
        return None if found is None else str(found, "utf-8")

    async def keep_early_edit(
        self, snapshot: AccountSnapshot, person: str, place: MessageRef, change: EarlyEdit
    ) -> None:
        """A change of a person's message that overtook it, until that comes. The last one stands."""
        key = snapshot.keys.early(person)
        plan = Plan(snapshot).write("HSET", key, place.field(), json.dumps(change))
        await self._cell.commit(plan.write("EXPIRE", key, EARLY_S))

    async def early_edit(self, snapshot: AccountSnapshot, person: str, place: MessageRef) -> EarlyEdit | None:
        """What overtook a message of theirs."""
        found = await self._cell.read_one(snapshot, "HGET", snapshot.keys.early(person), place.field())
        return None if found is None else EarlyEdit(*json.loads(found))

    async def places(self, snapshot: AccountSnapshot, group: str) -> dict[str, MessageRef]:
        """The posts of a group, by key."""
        flat = await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.posts(group))
        return {str(key, "utf-8"): _place(at) for key, at in pairs(flat)}

    async def lost_desk(self, snapshot: AccountSnapshot) -> LostDesk | None:
        """What is known of the account's desk where it can't be written to; None: nothing is wrong with it."""
        found = await self._lost(snapshot)
        desk = snapshot.account.desk
        here = f"{desk.platform}|{desk.workspace}|{desk.channel}" if desk is not None else ""
        return found if found is not None and found.place == here else None

    async def record_lost_desk(
        self, snapshot: AccountSnapshot, place: str, why: str, at: datetime, effects: Sequence[Effect]
    ) -> bool:
        """The desk at `place` can't be written to, which is told once until it is found again. False: it is known."""
        before = await self._lost(snapshot)
        if before is not None and before.place == place:
            return False
        key = snapshot.keys.desk_lost
        plan = Plan(snapshot, audit={"what": "desk.lost", "at": at.isoformat(), "by": "", "place": place, "why": why})
        plan.guard_field("lost", key, "place", before.place.encode() if before is not None else None)
        plan.write("HSET", key, "place", place, "why", why, "since", at.isoformat())
        try:
            await self._cell.commit(plan.add_effects(effects))
        except GuardFailed:
            return False  # somebody else told it
        return True

    async def _lost(self, snapshot: AccountSnapshot) -> LostDesk | None:
        found = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.desk_lost, "place", "why", "since")
        if found[0] is None:
            return None
        place, why, since = (str(part, "utf-8") for part in found)
        return LostDesk(place, why, datetime.fromisoformat(since))


def record_messages(plan: Plan, places: Sequence[tuple[str, MessageRef]]) -> None:
    """Into a change: messages of people by the keys that they are known by, as those of ours are."""
    for key, place in places:
        plan.write("HSET", plan.keys.posts(group(key)), key, place.field())
        plan.write("HSET", plan.keys.posted, place.field(), key)


class Ledger:
    """What senders ask and note: they send what was decided, on no account's record. May raise `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, tag: str, account: str, key: str) -> MessageRef | None:
        """Where a post is; None: nowhere yet, or no more."""
        posts = AccountKeys(tag, account).posts(group(key))
        found = await self._store.call("HGET", posts, key)
        return None if found is None else _place(found)

    async def remove(self, tag: str, account: str, key: str, place: MessageRef | None = None) -> None:
        """A post is nowhere any more. With `place`: not there; where it is another message by now, it stays known."""
        await self._note(tag, account, key, "", place.field() if place is not None else "")

    async def record(self, tag: str, account: str, key: str, place: MessageRef) -> None:
        """A post is there from now on. What arrives at a desk that was lost finds it again: the cards of
        all open tickets are due there."""
        await self._note(tag, account, key, place.field(), "")

    async def _note(self, tag: str, account: str, key: str, place: str, left: str) -> None:
        own = AccountKeys(tag, account)
        names = [own.posts(group(key)), own.posted, own.desk_lost, keys.due(tag)]
        again = deadline_member(TICKETS, account, f"{AT_DESK}:1") if key.endswith(":desk") else ""
        await self._store.run(_NOTE, names, [key, place, left, again])


def _place(raw: bytes) -> MessageRef:
    return MessageRef.of(str(raw, "utf-8"))
