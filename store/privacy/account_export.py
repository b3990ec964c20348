"""Exports everything stored of an account, a record at a time, each with its `kind`; at most a chunk is in memory."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, Final

import orjson

from store.blocklist.blocklist import Blocklist
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell
from store.engine.values import pairs
from store.numbers.orders import Orders
from store.numbers.records import Numbers
from store.support.promise_records import PromiseRecords, months_back
from store.support.tickets import Tickets

CHUNK: Final = 200

_SECRETS: Final = {"files": {"__all__": {"ref"}}}  # a reference can open a file without other rights

Line = dict[str, Any]


class AccountExport:
    """Raises AccountChanged; then the lines so far are outdated."""

    def __init__(self, cell: Cell, numbers: Numbers, orders: Orders, blocklist: Blocklist, tickets: Tickets) -> None:
        self._cell = cell
        self._numbers = numbers
        self._orders = orders
        self._blocklist = blocklist
        self._tickets = tickets

    async def lines(self, snapshot: AccountSnapshot, now: datetime) -> AsyncIterator[Line]:
        """The lines, in the order of docs/export.md. A record that changes meanwhile is exported as it is when read."""
        yield {"kind": "account", "account": snapshot.account.to_file(), "revision": snapshot.rev}
        for part in (self._people, self._of_numbers, self._blocked, self._of_tickets, self._counts, self._audit):
            async for line in part(snapshot, now):
                yield line

    async def _people(self, snapshot: AccountSnapshot, _now: datetime) -> AsyncIterator[Line]:
        names, reach = await self._cell.read(
            snapshot, ("HGETALL", snapshot.keys.names), ("HGETALL", snapshot.keys.reach)
        )
        people = [i for person in snapshot.account.people for i in person.ids]
        for name, value in _fields(names):
            people.append(name)
            yield {"kind": "person_name", "person": name, "name": value.decode()}
        for name, value in _fields(reach):
            person, _, platform = name.rpartition("|")
            yield {"kind": "person_seen", "person": person, "platform": platform, "seen": orjson.loads(value)}
        for person in dict.fromkeys(people):
            own, stars, asked, voted = await self._cell.read(
                snapshot,
                ("HVALS", snapshot.keys.registered(person)),
                ("ZRANGE", snapshot.keys.inbox(person, "fav"), 0, -1),
                ("HGETALL", snapshot.keys.asked(person)),
                ("HGETALL", snapshot.keys.voted(person)),
            )
            for raw in own:
                yield {"kind": "registered_number", "person": person, "number": orjson.loads(raw)}
            for number in stars:
                yield {"kind": "favorite", "person": person, "ticket": int(number)}
            if asked:
                yield {"kind": "question", "person": person, "asked": {n: v.decode() for n, v in _fields(asked)}}
            for article, said in _fields(voted):
                yield {"kind": "article_vote", "person": person, "article": article, "helped": said == b"yes"}

    async def _of_numbers(self, snapshot: AccountSnapshot, _now: datetime) -> AsyncIterator[Line]:
        for number in await self._numbers.all(snapshot):
            yield {"kind": "number", "number": number.model_dump(mode="json", by_alias=True)}
            async for at, event in self._stream(snapshot, snapshot.keys.history(number.e164)):
                yield {"kind": "number_event", "number": number.e164, "id": at, "event": event}
        for order in await self._orders.all(snapshot):
            yield {"kind": "order", "order": order.model_dump(mode="json", by_alias=True)}

    async def _blocked(self, snapshot: AccountSnapshot, _now: datetime) -> AsyncIterator[Line]:
        async for entry in self._blocklist.export(snapshot):
            yield {"kind": "blocklist_entry", "entry": entry.model_dump(mode="json", by_alias=True)}
        for tally in await self._blocklist.imports(snapshot):
            made = tally.made.model_dump(mode="json", by_alias=True)
            yield {"kind": "blocklist_import", "import": made, "added": tally.added, "there": tally.there}

    async def _of_tickets(self, snapshot: AccountSnapshot, _now: datetime) -> AsyncIterator[Line]:
        async for ticket in self._tickets.walk(snapshot):
            number = ticket.value.number
            yield {"kind": "ticket", "ticket": ticket.value.model_dump(mode="json", by_alias=True, exclude=_SECRETS)}
            for start in range(1, ticket.value.messages + 1, CHUNK):
                ids = range(start, min(start + CHUNK, ticket.value.messages + 1))
                for raw in await self._cell.read_one(snapshot, "HMGET", snapshot.keys.timeline(number), *ids):
                    if raw is not None:
                        yield {"kind": "message", "ticket": number, "message": _without_refs(orjson.loads(raw))}

    async def _counts(self, snapshot: AccountSnapshot, now: datetime) -> AsyncIterator[Line]:
        outcomes = PromiseRecords(self._cell)
        for month in months_back(now.astimezone(snapshot.account.zone)):
            if flat := await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.usage(month)):
                minutes = {name: int(value) if value.isdigit() else value.decode() for name, value in _fields(flat)}
                yield {"kind": "usage", "month": month, "minutes": minutes}
            async for row in outcomes.in_month(snapshot, month):
                yield {"kind": "promise", "month": month, **_row(row._asdict())}
            if removed := await outcomes.count_removed(snapshot, month):
                yield {"kind": "removed_tickets", "month": month, "count": removed}

    async def _audit(self, snapshot: AccountSnapshot, _now: datetime) -> AsyncIterator[Line]:
        async for at, event in self._stream(snapshot, snapshot.keys.audit):
            yield {"kind": "audit", "id": at, "event": event}

    async def _stream(self, snapshot: AccountSnapshot, key: str) -> AsyncIterator[tuple[str, Any]]:
        last = "-"
        while True:
            rows = await self._cell.read_one(snapshot, "XRANGE", key, last, "+", "COUNT", CHUNK)
            for at, fields in rows:
                yield at.decode(), orjson.loads(fields[1])
            if len(rows) < CHUNK:
                return
            last = f"({rows[-1][0].decode()}"


def _fields(flat: list[bytes]) -> Iterator[tuple[str, bytes]]:
    return ((name.decode(), value) for name, value in pairs(flat))


def _without_refs(message: dict[str, Any]) -> dict[str, Any]:
    for file in message.get("files", ()):
        file.pop("ref", None)
    return message


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    return {"promise": facts.pop("kind"), **facts}
