"""Where people were last seen on platforms, names of people who are not listed, and who was welcomed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.effects import Effect


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Where a person was last seen on a platform. `home`: they have opened their home screen there; `at`: seconds since
    1970."""

    workspace: str
    user: str
    home: bool = False
    at: float = 0.0


class Contacts:
    """Every method is one round trip; those of an account raise AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def last_seen(
        self, snapshot: AccountSnapshot, people: Sequence[str], platforms: Sequence[str]
    ) -> dict[tuple[str, str], LastSeen]:
        """Where people were last seen, by (person, platform)."""
        wanted = [(person, platform) for person in people for platform in platforms]
        if not wanted:
            return {}
        names = [f"{person}|{platform}" for person, platform in wanted]
        raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.reach, *names)
        return {w: LastSeen(**orjson.loads(raw)) for w, raw in zip(wanted, raws, strict=True) if raw is not None}

    async def record_seen(self, snapshot: AccountSnapshot, person: str, platform: str, seen: LastSeen) -> None:
        """Store where a person was last seen on a platform."""
        plan = Plan(snapshot)
        plan.write("HSET", snapshot.keys.reach, f"{person}|{platform}", orjson.dumps(seen))
        await self._cell.commit(plan)

    async def names(self, snapshot: AccountSnapshot, people: Sequence[str]) -> dict[str, str]:
        """Names of people who have numbers without being listed."""
        if not people:
            return {}
        found = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.names, *people)
        return {person: str(name, "utf-8") for person, name in zip(people, found, strict=True) if name is not None}

    async def greet(
        self, tag: str, platform: str, workspace: str, user: str, effects: Sequence[Effect], at: datetime
    ) -> bool:
        """Welcome a user of a workspace, once. False: they were welcomed before."""
        return await self._cell.send_once(
            tag, keys.greeted(tag), f"{platform}|{workspace}|{user}", at.isoformat(), effects
        )
