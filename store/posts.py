"""Where our posts are: from a post's key to the platform's message, and back.

A post is something that is kept up to date where it stands: a ticket's card, the head of a thread, a mirrored message.
Its key is "kind:number:what"; posts that share kind and number are a group, and go together.
"""

from collections.abc import Sequence
from typing import NamedTuple

from store import keys
from store.accounts import Held
from store.commit import Cell, Plan
from store.connection import Store
from store.scripts import script

_NOTE = script("post_note", retry=True)


class Place(NamedTuple):
    """A message of ours. `message` names it within the workspace: a channel and a stamp, say."""

    platform: str
    workspace: str
    message: str

    def field(self) -> str:
        return "|".join(self)

    @classmethod
    def of(cls, field: str) -> "Place":
        """Raises ValueError for what is none."""
        platform, workspace, message = field.split("|", 2)
        return cls(platform, workspace, message)


def group(key: str) -> str:
    """What a post goes with: "ticket:142" of "ticket:142:desk"."""
    return ":".join(key.split(":", 2)[:2])


class Posts:
    """What handlers ask, on the account as they know it (`AccountChanged`)."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def find(self, held: Held, platform: str, workspace: str, message: str) -> str | None:
        """The key of the post that a message is."""
        field = Place(platform, workspace, message).field()
        (found,) = await self._cell.read(held, ("HGET", keys.posted(held.tag, held.account.id), field))
        return None if found is None else str(found, "utf-8")

    async def places(self, held: Held, group: str) -> dict[str, Place]:
        """The posts of a group, by key."""
        (flat,) = await self._cell.read(held, ("HGETALL", keys.posts(held.tag, held.account.id, group)))
        return {str(key, "utf-8"): _place(at) for key, at in zip(flat[::2], flat[1::2], strict=True)}


def note_places(plan: Plan, places: Sequence[tuple[str, Place]]) -> None:
    """Into a change: messages of people by the keys that they are known by, as those of ours are."""
    tag, id = plan.held.tag, plan.held.account.id
    for key, place in places:
        plan.write("HSET", keys.posts(tag, id, group(key)), key, place.field())
        plan.write("HSET", keys.posted(tag, id), place.field(), key)


class Ledger:
    """What senders ask and note: they send what was decided, on no account's record. May raise `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def at(self, tag: str, account: str, key: str) -> Place | None:
        """Where a post is; None: nowhere yet, or no more."""
        found = await self._store.call("HGET", keys.posts(tag, account, group(key)), key, retry=True)
        return None if found is None else _place(found)

    async def note(self, tag: str, account: str, key: str, place: Place | None) -> None:
        """A post is there from now on; None: nowhere."""
        names = [keys.posts(tag, account, group(key)), keys.posted(tag, account)]
        await self._store.run(_NOTE, names, [key, place.field() if place is not None else ""])


def _place(raw: bytes) -> Place:
    return Place.of(str(raw, "utf-8"))
