"""Reads of tickets: records, timelines, inboxes, the search, and the queues of the desk."""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from domain.accounts.account import Person
from domain.support.ticket import Message, Ticket
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.deadlines import TICKETS, deadline_member
from store.engine.values import Versioned, versioned
from store.server.scripts import script

_PAGE = script("support/tickets_page")
_FIND = script("support/tickets_find")
_FIRST = script("support/tickets_first")

View = Literal["all", "open", "closed", "fav"]
VIEWS: Final[tuple[View, ...]] = ("all", "open", "closed", "fav")
EVERYBODY: Final = "*"
NOBODY: Final = "-"  # unassigned tickets without premium
PREMIUM: Final = "+"  # unassigned premium tickets
KIND: Final = TICKETS  # of deadlines
FOUND_AT_MOST: Final = 2_000
WORDS_KEPT: Final = 40  # indexed words of a ticket
SHORTEST_WORD: Final = 2
LONGEST_WORD: Final = 40
WORDS_ASKED: Final = 6
CHUNK: Final = 200  # tickets read at once
_WORD: Final = re.compile(r"\w+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class ScheduledTicket:
    """A ticket and its deadline (ms); None: it has none."""

    ticket: Ticket
    at: int | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of an inbox. `counts`: tickets by view; `total`: of the view shown; `stars`: numbers of tickets with
    one."""

    tickets: tuple[Ticket, ...]
    stars: frozenset[int]
    counts: dict[View, int]
    offset: int
    total: int
    more_found: bool = False


@dataclass(frozen=True, slots=True)
class DeskQueues:
    """What waits at the desk, each in order of due time: callbacks, unassigned premium tickets, other unassigned
    tickets, those of one specialist."""

    calls: tuple[Ticket, ...]
    premium: tuple[Ticket, ...]
    free: tuple[Ticket, ...]
    mine: tuple[Ticket, ...]


class TicketReader:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def get(self, snapshot: AccountSnapshot, number: int) -> Versioned[Ticket] | None:
        return versioned(await self._cell.read_one(snapshot, "HGET", snapshot.keys.tickets, number), decode)

    async def get_for_change(
        self, snapshot: AccountSnapshot, number: int, id: str
    ) -> tuple[Versioned[Ticket] | None, str | None]:
        """The ticket, and the result of the change if it was made before under the id."""
        raw, first = await self._cell.read(
            snapshot, ("HGET", snapshot.keys.tickets, number), ("GET", snapshot.keys.done(id))
        )
        return versioned(raw, decode), None if first is None else str(first, "utf-8")

    async def timeline(
        self, snapshot: AccountSnapshot, ticket: Ticket, count: int, *, before: int | None = None
    ) -> list[Versioned[Message]]:
        """The last `count` messages of a ticket, oldest first; `before`: those before that message."""
        ids = _last(ticket, count, before)
        if not ids:
            return []
        log = snapshot.keys.timeline(ticket.number)
        raws = await self._cell.read_one(snapshot, "HMGET", log, *ids)
        return [Versioned(Message.decode(raw), raw) for raw in raws if raw is not None]

    async def message(self, snapshot: AccountSnapshot, number: int, id: int) -> Versioned[Message] | None:
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.timeline(number), id)
        return versioned(raw, Message.decode)

    async def box(
        self, snapshot: AccountSnapshot, reader: Person, view: View, *, everyone: bool, offset: int, count: int
    ) -> InboxPage:
        """A page of the account's tickets (`everyone`) or the reader's own; `count`: 1 or more. Stars are the reader's,
        on tickets that they may see now."""
        scope = EVERYBODY if everyone else reader.id
        # Specialists can open any ticket, and so put a star on it.
        visible = EVERYBODY if everyone or reader.specialist else reader.id
        names = [snapshot.keys.tickets, *(snapshot.keys.inbox(scope, v) for v in VIEWS[:3])]
        names += [snapshot.keys.inbox(reader.id, "fav"), snapshot.keys.inbox(visible, "all")]
        args = [offset, count, 3 + VIEWS.index(view)]
        _, *sizes, page, starred = await self._cell.run(snapshot, _PAGE, names, args)
        counts = dict(zip(VIEWS, sizes, strict=True))
        return InboxPage(*_starred(page, starred), counts, offset, counts[view])

    async def find(
        self, snapshot: AccountSnapshot, reader: Person, query: str, *, everyone: bool, offset: int, count: int
    ) -> InboxPage:
        """Tickets in which each word of `query` is the beginning of a word in overview, person's name or number."""
        wanted = _searched(_words(query))[:WORDS_ASKED]
        if not wanted:
            return InboxPage((), frozenset(), {}, 0, 0)
        names = [snapshot.keys.tickets, snapshot.keys.tickets_find, snapshot.keys.tickets_words]
        names += [snapshot.keys.inbox(EVERYBODY if everyone else reader.id, "all")]
        names += [snapshot.keys.inbox(reader.id, "fav")]
        args: list[str | int] = [offset, count, FOUND_AT_MOST, *wanted]
        _, found, more, page, starred = await self._cell.run(snapshot, _FIND, names, args)
        return InboxPage(*_starred(page, starred), {}, offset, found, bool(more))

    async def timeline_and_star(
        self, snapshot: AccountSnapshot, reader: Person, ticket: Ticket, count: int, *, before: int | None = None
    ) -> tuple[list[Versioned[Message]], bool]:
        """`timeline`, and whether the reader has put a star on the ticket."""
        ids = _last(ticket, count, before)
        log = snapshot.keys.timeline(ticket.number)
        stars = snapshot.keys.inbox(reader.id, "fav")
        raws, score = await self._cell.read(snapshot, ("HMGET", log, *(ids or (0,))), ("ZSCORE", stars, ticket.number))
        return [Versioned(Message.decode(raw), raw) for raw in raws if raw is not None], score is not None

    async def waiting(self, snapshot: AccountSnapshot, specialist: str, count: int) -> DeskQueues:
        """The first `count` of each queue of the desk."""
        queues = [snapshot.keys.callbacks, *(snapshot.keys.desk(whose) for whose in (PREMIUM, NOBODY, specialist))]
        _, *lists = await self._cell.run(snapshot, _FIRST, [snapshot.keys.tickets, *queues], [count])
        return DeskQueues(*(tuple(decode(raw) for raw in raws if raw is not None) for raws in lists))

    async def walk(self, snapshot: AccountSnapshot, view: View = "all") -> AsyncIterator[Versioned[Ticket]]:
        """Every ticket of a view, by number, in chunks. For jobs and the command line: the cost grows with the number
        of tickets ever created."""
        index, first = snapshot.keys.inbox(EVERYBODY, view), 1
        while True:
            some = range(first, first + CHUNK)
            newest, raws, scores = await self._cell.read(
                snapshot,
                ("GET", snapshot.keys.tickets_seq),
                ("HMGET", snapshot.keys.tickets, *some),
                ("ZMSCORE", index, *some),
            )
            for raw, there in zip(raws, scores, strict=True):
                if raw is not None and there is not None:
                    yield Versioned(decode(raw), raw)
            first += CHUNK
            if first > int(newest or 0):
                return

    async def stretch(self, snapshot: AccountSnapshot, start: int, count: int) -> tuple[list[ScheduledTicket], bool]:
        """The tickets among `count` numbers from `start`, and whether there are higher numbers."""
        tag, id = snapshot.tag, snapshot.account.id
        names = range(start, start + count)
        raws, scores, last = await self._cell.read(
            snapshot,
            ("HMGET", snapshot.keys.tickets, *names),
            ("ZMSCORE", keys.due(tag), *(deadline_member(KIND, id, str(number)) for number in names)),
            ("GET", snapshot.keys.tickets_seq),
        )
        found = [
            ScheduledTicket(decode(raw), None if at is None else int(float(at)))
            for raw, at in zip(raws, scores, strict=True)
            if raw is not None
        ]
        return found, int(last or 0) >= start + count

    async def open_from(
        self, snapshot: AccountSnapshot, start: int, count: int
    ) -> tuple[list[Versioned[Ticket]], bool]:
        """The open tickets among `count` numbers from `start`, and whether there are higher numbers."""
        raws, last = await self._cell.read(
            snapshot,
            ("HMGET", snapshot.keys.tickets, *range(start, start + count)),
            ("GET", snapshot.keys.tickets_seq),
        )
        found = [Versioned(decode(raw), raw) for raw in raws if raw is not None]
        return [ticket for ticket in found if not ticket.value.is_closed], int(last or 0) >= start + count

    async def callbacks(
        self, snapshot: AccountSnapshot, after: int, count: int
    ) -> tuple[list[Versioned[Ticket]], int | None]:
        """Tickets that wait for a call, by number, those above `after`; and the last number if there are more."""
        waiting = await self._cell.read_one(snapshot, "ZRANGE", snapshot.keys.callbacks, 0, -1)
        numbers = sorted(number for number in map(int, waiting) if number > after)
        some = numbers[:count]
        if not some:
            return [], None
        raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.tickets, *some)
        found = [Versioned(decode(raw), raw) for raw in raws if raw is not None]
        return found, some[-1] if len(numbers) > count else None


@lru_cache(maxsize=4_096)  # safe: records are immutable
def decode(raw: bytes) -> Ticket:
    """A ticket from its stored JSON."""
    return Ticket.decode(raw)


def _last(ticket: Ticket, count: int, before: int | None) -> range:
    """The ids of the last `count` messages before message `before`."""
    last = ticket.messages if before is None else min(before - 1, ticket.messages)
    return range(max(1, last - count + 1), last + 1)


def _starred(page: Sequence[bytes | None], stars: Sequence[object]) -> tuple[tuple[Ticket, ...], frozenset[int]]:
    """The tickets of a page that still exist, and the numbers of those with a star."""
    found = [(decode(raw), star is not None) for raw, star in zip(page, stars, strict=True) if raw is not None]
    return tuple(ticket for ticket, _ in found), frozenset(ticket.number for ticket, star in found if star)


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(c for c in folded if not unicodedata.combining(c)))


def queue_of(ticket: Ticket) -> str:
    """The queue that an open ticket is in."""
    return ticket.specialist or (PREMIUM if ticket.premium else NOBODY)


def index_words(plan: Plan, before: Ticket | None, after: Ticket | None) -> None:
    """Add to a change: the index of a ticket's words for the search. None: no ticket before or after."""
    find, words = plan.keys.tickets_find, plan.keys.tickets_words
    if before is not None:
        plan.write("ZREM", find, *(_row(word, before) for word in _tokens(before)))
    if after is not None:
        found = _tokens(after)
        plan.write("ZADD", find, *(part for word in found for part in ("0", _row(word, after))))
        plan.write("HSET", words, after.number, f" {' '.join(found)}")
    elif before is not None:
        plan.write("HDEL", words, before.number)


def _row(word: str, ticket: Ticket) -> str:
    return f"{word}|{ticket.number:012}"


def _tokens(ticket: Ticket) -> list[str]:
    said = [*_words(ticket.overview), *_words(ticket.name), str(ticket.number), f"sb{ticket.number}", "sb"]
    return _searched(said)[:WORDS_KEPT]


def _searched(words: Iterable[str]) -> list[str]:
    """The words that can be searched for, without duplicates."""
    known = (word[:LONGEST_WORD] for word in words if len(word) >= SHORTEST_WORD or word.isdigit())
    return list(dict.fromkeys(known))
