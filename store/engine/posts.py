"""Posts: our messages on platforms, found by a key of ours, and back from the message to the key.

A post is a message that is updated later: a ticket's card, the head of a thread, a mirrored message. Its key is
"kind:number:part"; posts with the same kind and number are a group.
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
EARLY_S: Final = 3_600  # platforms repeat a message for minutes at most
AT_DESK: Final = "desk"  # deadline: update the desk's cards of all open tickets


class MessageRef(NamedTuple):
    """A message on a platform. `message`: the platform's name of it within the workspace, such as channel and ts."""

    platform: str
    workspace: str
    message: str

    def field(self) -> str:
        return "|".join(self)

    @classmethod
    def of(cls, field: str) -> "MessageRef":
        """Inverse of `field`. Raises ValueError if it is none."""
        platform, workspace, message = field.split("|", 2)
        return cls(platform, workspace, message)


class EarlyEdit(NamedTuple):
    """An edit that arrived before its message. `text`: the new text; None: the message was deleted."""

    id: str
    text: str | None


class LostDesk(NamedTuple):
    """A desk that can't be written to. `place`: `platform|workspace|channel`; `why`: the platform's error code."""

    place: str
    why: str
    since: datetime


def group(key: str) -> str:
    """The group of a post: "ticket:142" of "ticket:142:desk"."""
    return ":".join(key.split(":", 2)[:2])


class Posts:
    """Posts as handlers read and change them. Methods raise AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def find(self, snapshot: AccountSnapshot, platform: str, workspace: str, message: str) -> str | None:
        """The key of a message's post; None: it is none of ours."""
        field = MessageRef(platform, workspace, message).field()
        found = await self._cell.read_one(snapshot, "HGET", snapshot.keys.posted, field)
        return None if found is None else str(found, "utf-8")

    async def keep_early_edit(
        self, snapshot: AccountSnapshot, person: str, place: MessageRef, change: EarlyEdit
    ) -> None:
        """Store an edit of a person's message for an hour, until the message arrives. The last edit counts."""
        key = snapshot.keys.early(person)
        plan = Plan(snapshot).write("HSET", key, place.field(), json.dumps(change))
        await self._cell.commit(plan.write("EXPIRE", key, EARLY_S))

    async def early_edit(self, snapshot: AccountSnapshot, person: str, place: MessageRef) -> EarlyEdit | None:
        """The edit that arrived before a person's message; None: there was none."""
        found = await self._cell.read_one(snapshot, "HGET", snapshot.keys.early(person), place.field())
        return None if found is None else EarlyEdit(*json.loads(found))

    async def places(self, snapshot: AccountSnapshot, group: str) -> dict[str, MessageRef]:
        """The messages of a group of posts, by key."""
        flat = await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.posts(group))
        return {str(key, "utf-8"): _place(at) for key, at in pairs(flat)}

    async def lost_desk(self, snapshot: AccountSnapshot) -> LostDesk | None:
        """The account's present desk channel if it can't be written to, else None."""
        found = await self._lost(snapshot)
        desk = snapshot.account.desk
        here = f"{desk.platform}|{desk.workspace}|{desk.channel}" if desk is not None else ""
        return found if found is not None and found.place == here else None

    async def record_lost_desk(
        self, snapshot: AccountSnapshot, place: str, why: str, at: datetime, effects: Sequence[Effect]
    ) -> bool:
        """Record that the desk at `place` can't be written to, and send `effects`. False: it is recorded already."""
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
            return False  # another process was first
        return True

    async def _lost(self, snapshot: AccountSnapshot) -> LostDesk | None:
        found = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.desk_lost, "place", "why", "since")
        if found[0] is None:
            return None
        place, why, since = (str(part, "utf-8") for part in found)
        return LostDesk(place, why, datetime.fromisoformat(since))


def record_messages(plan: Plan, places: Sequence[tuple[str, MessageRef]]) -> None:
    """Add to a plan: the messages of people under post keys, as if they were posts of ours."""
    for key, place in places:
        plan.write("HSET", plan.keys.posts(group(key)), key, place.field())
        plan.write("HSET", plan.keys.posted, place.field(), key)


class Ledger:
    """Posts as senders read and record them, whatever the account's revision. Methods may raise StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, tag: str, account: str, key: str) -> MessageRef | None:
        """The message of a post; None: not posted yet, or deleted."""
        posts = AccountKeys(tag, account).posts(group(key))
        found = await self._store.call("HGET", posts, key)
        return None if found is None else _place(found)

    async def remove(self, tag: str, account: str, key: str, place: MessageRef | None = None) -> None:
        """Forget a post's message; with `place` only if it is that message."""
        await self._note(tag, account, key, "", place.field() if place is not None else "")

    async def record(self, tag: str, account: str, key: str, place: MessageRef) -> None:
        """Record a post's message. If it is at a desk that was lost, the desk is back and the cards of all open tickets
        are due there."""
        await self._note(tag, account, key, place.field(), "")

    async def _note(self, tag: str, account: str, key: str, place: str, left: str) -> None:
        own = AccountKeys(tag, account)
        names = [own.posts(group(key)), own.posted, own.desk_lost, keys.due(tag)]
        again = deadline_member(TICKETS, account, f"{AT_DESK}:1") if key.endswith(":desk") else ""
        await self._store.run(_NOTE, names, [key, place, left, again])


def _place(raw: bytes) -> MessageRef:
    return MessageRef.of(str(raw, "utf-8"))
