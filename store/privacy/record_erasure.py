"""Erases a person from records other than tickets: contacts, registered numbers, questions, minutes, promise records,
blocklist entries."""

from datetime import datetime
from typing import Any, Final

import orjson

from domain.accounts.platforms import PLATFORMS
from domain.erasure import ErasedPerson
from domain.numbers.fields import NAMES
from store.blocklist.entries import LETTERS
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.values import pairs
from store.numbers.records import Numbers, decode
from store.support.promise_records import decode as row_of
from store.support.promise_records import encode, months_back
from store.support.ticket_reads import VIEWS

CHUNK: Final = 500
_FIRST: Final = "person"


class RecordErasure:
    """Steps with a cursor, which is "" before the first and after the last."""

    def __init__(self, cell: Cell, numbers: Numbers) -> None:
        self._cell = cell
        self._numbers = numbers

    async def step(
        self, snapshot: AccountSnapshot, person: ErasedPerson, cursor: str, now: datetime
    ) -> tuple[tuple[str, ...], str]:
        """Do the step at the cursor. Returns the person's numbers found, and the cursor of the next step."""
        what, _, rest = cursor.partition(" ")
        match what:
            case "":
                return await self._numbers_known(snapshot, person), _FIRST
            case "person":
                await self._own(snapshot, person)
                return (), "provided"
            case "provided":
                await self._provided(snapshot, person)
                return (), "month 0"
            case "month":
                months, at = months_back(now.astimezone(snapshot.account.zone)), int(rest)
                await self._month(snapshot, person, months[at])
                return (), f"month {at + 1}" if at + 1 < len(months) else "imports"
            case "imports":
                await self._imports(snapshot, person)
                return (), "blocked 0"
            case _:
                cursor = await self._blocked(snapshot, person, rest)
                return (), f"blocked {cursor}" if cursor != "0" else ""

    async def _numbers_known(self, snapshot: AccountSnapshot, person: ErasedPerson) -> tuple[str, ...]:
        """The person's registered numbers, which later steps look for too."""
        lists = await self._cell.read(snapshot, *(("HVALS", snapshot.keys.registered(i)) for i in sorted(person.ids)))
        return tuple(decode(raw).e164 for some in lists for raw in some)

    async def _own(self, snapshot: AccountSnapshot, person: ErasedPerson) -> None:
        """Delete the records that are the person's alone."""
        own, plan = snapshot.keys, Plan(snapshot)
        users = [tuple(i.split(":", 1)) for i in person.ids if ":" in i]
        for i in sorted(person.ids):
            for each in PLATFORMS:
                plan.write("HDEL", own.reach, f"{i}|{each}")
            plan.write("HDEL", own.names, i)
            for key in (own.registered, own.codes, own.code_sends, own.asked, own.voted, own.drafts, own.early):
                plan.write("UNLINK", key(i))
            for view in VIEWS:
                plan.write("UNLINK", own.inbox(i, view))
        for platform, user in users:
            plan.write("UNLINK", own.link(platform, user))
        await self._cell.commit(plan)
        for workspace in snapshot.account.workspaces:
            for platform, user in users:
                if platform != workspace.platform:
                    continue
                store, cell = self._cell.store, keys.cell_of(f"{platform}:{workspace.id}")
                places, welcomed = keys.places(cell, platform, workspace.id), f"{platform}|{workspace.id}|{user}"
                raw = await store.call("HGET", places, f"u|{user}")
                other_id = orjson.loads(raw).get("a") if raw else None
                fields = [f"u|{user}", f"h|{user}", *([f"u|{other_id}"] if other_id else [])]
                await store.call("HDEL", places, *fields)
                for where in {cell, snapshot.tag, keys.cell_of(snapshot.account.id)}:
                    await store.call("HDEL", keys.greeted(where), welcomed)

    async def _provided(self, snapshot: AccountSnapshot, person: ErasedPerson) -> None:
        """Unassign the person's provided numbers, and clear their texts and forwarding."""
        for raw in await self._cell.read_one(snapshot, "HVALS", snapshot.keys.numbers):
            before = decode(raw)
            if before.person is None or not person.has_id(before.person):
                continue
            cleared = dict.fromkeys(("person", "forwarding", "forwarding_extension", *NAMES))
            after = before.model_copy(update={**cleared, "version": before.version + 1})
            plan = Plan(snapshot).guard_field("number", snapshot.keys.numbers, before.e164, raw)
            self._numbers.put(plan, before, after)
            await self._cell.commit(plan)

    async def _month(self, snapshot: AccountSnapshot, person: ErasedPerson, month: str) -> None:
        """Move the person's minutes and promise records of a month to the alias."""
        use, plan = snapshot.keys.usage(month), Plan(snapshot)
        fields = [f"p:{i}" for i in sorted(person.ids)]
        minutes = await self._cell.read_one(snapshot, "HMGET", use, *fields)
        for name, value in zip(fields, minutes, strict=True):
            if value is not None:
                plan.guard_field("minutes", use, name, value)
                plan.write("HINCRBY", use, f"p:{person.alias}", int(value)).write("HDEL", use, name)
        if plan.writes:
            await self._cell.commit(plan)
        key, last = snapshot.keys.promises_kept(month), "-"
        while True:
            members = await self._cell.read_one(snapshot, "ZRANGEBYLEX", key, last, "+", "LIMIT", 0, CHUNK)
            plan = Plan(snapshot)
            for member in members:
                row = row_of(member)
                if person.has_id(row.specialist):
                    plan.write("ZREM", key, member)
                    plan.write("ZADD", key, 0, encode(row._replace(specialist=person.alias)))
            if plan.writes:
                await self._cell.commit(plan)
            if len(members) < CHUNK:
                return
            last = f"({members[-1].decode()}"

    async def _imports(self, snapshot: AccountSnapshot, person: ErasedPerson) -> None:
        """Erase who imported lists, from the imports' records and the number sets' state."""
        plan, key, meta = Plan(snapshot), snapshot.keys.blocked_imports, snapshot.keys.blocked_sets
        names = [f"by:{letter}" for letter in LETTERS.values()]
        flat, whose = await self._cell.read(snapshot, ("HGETALL", key), ("HMGET", meta, *names))
        for name, raw in zip(names, whose, strict=True):
            if raw and (new := _without(made := orjson.loads(raw), person)) != made:
                plan.guard_field("by", meta, name, raw).write("HSET", meta, name, orjson.dumps(new))
        for id, raw in pairs(flat):
            if raw.startswith(b"{") and (new := _without(made := orjson.loads(raw), person)) != made:
                plan.guard_field("import", key, id.decode(), raw).write("HSET", key, id, orjson.dumps(new))
        if plan.writes:
            await self._cell.commit(plan)

    async def _blocked(self, snapshot: AccountSnapshot, person: ErasedPerson, at: str) -> str:
        """Erase who blocked, from some entries; returns the next cursor, "0" at the end."""
        key, plan = snapshot.keys.blocked, Plan(snapshot)
        after, flat = await self._cell.read_one(snapshot, "HSCAN", key, at, "COUNT", CHUNK)
        for name, raw in pairs(flat):
            head, record = _split(raw)
            if record is not None and (new := _without(record, person)) != record:
                plan.guard_field("entry", key, name.decode(), raw).write("HSET", key, name, head + orjson.dumps(new))
        if plan.writes:
            await self._cell.commit(plan)
        return str(after, "utf-8")


def _without(record: dict[str, Any], person: ErasedPerson) -> dict[str, Any]:
    """The record with actor and reason erased. The blocked number stays, even if it is the person's."""
    return record | {name: person.erase_from(record[name]) for name in ("by", "reason") if name in record}


def _split(raw: bytes) -> tuple[bytes, dict[str, Any] | None]:
    """What precedes an entry's record, and the record, if it has one."""
    at = raw.find(b"{")
    return (raw[:at], orjson.loads(raw[at:])) if at >= 0 else (raw, None)
