"""Fills a store with many tickets within seconds: a template of the writes by which `Tickets` files one, filled in with
another number, person, moment and word each time. `TicketTemplate.verify` compares them with the writes of `Tickets`.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import redis

from domain.accounts.account import Person
from domain.support.desk import next_action_at
from domain.support.ticket import TicketChange
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, Plan
from store.engine.posts import MessageRef, record_messages
from store.engine.values import to_ms
from store.server.connection import Store
from store.support.tickets import Tickets

BATCH: Final = 1_000  # tickets that are sent at once

_NUMBER: Final = 700_000_000_019  # as long as the longest, so that it stands in the search's rows as it is
_WORD: Final = "qqword"
_PERSON: Final = "qqperson"
_AT: Final = datetime(2041, 3, 4, 5, 6, 7, 891_000, UTC)
_NEAR: Final = timedelta(days=3)  # moments that a ticket holds lie so near to its beginning
_ISO: Final = r"2041-03-0\d\w[\d:.]+(?:Z|\+00:00)"
_OPEN: Final = re.compile(rf"{_NUMBER}|{_WORD}|{_PERSON}|{_PERSON.upper()}|{_PERSON.title()}|{_ISO}|224\d{{10}}")


class TicketVariables(NamedTuple):
    """What differs from ticket to ticket."""

    number: int
    person: str  # an id of lower-case letters and digits; the name and the Slack user are made of it
    word: str
    at: datetime


# Makes a new ticket of the person, with that number and word, at that moment.
Make = Callable[[TicketVariables], TicketChange]


@dataclass(frozen=True, slots=True)
class _RecordingCell(Cell):
    """Records plans instead of committing them."""

    plans: list[Plan] = field(default_factory=list)

    async def commit(self, plan: Plan) -> str | None:
        self.plans.append(plan)
        return None


def make_person(id: str) -> Person:
    """The person of a ticket's variables."""
    return Person.model_validate({"id": id, "name": id.title(), "slack": f"U{id.upper()}"})


Write = tuple[str, ...]  # command, key, arguments


class TicketTemplate:
    """`places` returns a ticket's posts, as channel and stamp by what they show of it."""

    def __init__(
        self,
        store: Store,
        snapshot: AccountSnapshot,
        make: Make,
        places: Callable[[TicketVariables], dict[str, str]] | None = None,
    ):
        self._store, self._snapshot, self._make, self._places = store, snapshot, make, places
        self._slots: dict[str, Callable[[TicketVariables], str]] = {}
        self._writes_of_one: list[list[str]] = []  # command, key, arguments, with `%(slot)s` in them

    async def compile(self) -> "TicketTemplate":
        """Read the writes of one ticket, and verify them with another."""
        for command, *rest in await self._writes(TicketVariables(_NUMBER, _PERSON, _WORD, _AT)):
            padded = rest[0] == self._snapshot.keys.tickets_find
            self._writes_of_one.append([command, *(self._opened(text, padded) for text in rest)])
        await self.verify(TicketVariables(42, "p7", "w9", datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC)))
        return self

    async def verify(self, cast: TicketVariables) -> None:
        """Raise AssertionError if the filled-in writes are not those of `Tickets`."""
        ours, theirs = list(self.render(cast)), await self._writes(cast)
        if ours != theirs:
            raise AssertionError(f"{ours} is not {theirs}")

    def render(self, cast: TicketVariables) -> Iterator[Write]:
        values = {name: fill(cast) for name, fill in self._slots.items()}
        for texts in self._writes_of_one:
            yield tuple([text % values for text in texts])

    def _opened(self, text: str, padded: bool) -> str:
        """The text with slots for the variables. `padded`: the number after a bar has twelve digits."""
        found, at = "", 0
        for match in _OPEN.finditer(text):
            before = text[at : match.start()]
            long = padded and before.endswith("|")
            name = f"{match[0]}|" if long else match[0]
            self._slots.setdefault(name, _filler(match[0], long))
            found += f"{before.replace('%', '%%')}%({name})s"
            at = match.end()
        return found + text[at:].replace("%", "%%")

    async def _writes(self, cast: TicketVariables) -> list[Write]:
        caught = _RecordingCell(self._store, "bench", 1, lambda _tag, _conversation: None)
        snapshot, after = self._snapshot, self._make(cast)
        change = Change(None, cast.person, cast.at, "", ())
        await Tickets(caught).create(snapshot, after, change, next_action_at(snapshot.account, after.ticket))
        (plan,) = caught.plans
        if self._places is not None:
            places = self._places(cast).items()
            record_messages(
                plan,
                [
                    (
                        f"ticket:{cast.number}:{what}",
                        MessageRef("slack", plan.snapshot.account.workspaces[0].id, message),
                    )
                    for what, message in places
                ],
            )
        names = [*([""] * 6), *plan._named]
        return [(command, names[key], *map(str, args)) for command, key, *args in plan.writes]


async def load_tickets(
    url: str, snapshot: AccountSnapshot, casts: Iterable[tuple[TicketTemplate, TicketVariables]], last: int
) -> float:
    """File tickets up to number `last`; return the seconds that it took."""
    began = asyncio.get_running_loop().time()
    await asyncio.to_thread(_send, url, snapshot, casts, last)
    return asyncio.get_running_loop().time() - began


def _send(
    url: str, snapshot: AccountSnapshot, casts: Iterable[tuple[TicketTemplate, TicketVariables]], last: int
) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(snapshot.keys.tickets_seq, last)
        some: list[Write] = []
        for n, (template, cast) in enumerate(casts, 1):
            some += template.render(cast)
            if n % BATCH == 0:
                _flush(client, some)
                some = []
        _flush(client, some)


def _flush(client: "redis.Redis", writes: Sequence[Write]) -> None:
    """Write, with one command for each key: no write of a new ticket undoes another's."""
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for command, key, *args in writes:
        together[command, key] += args
    pipeline = client.pipeline(transaction=False)
    for (command, key), args in together.items():
        pipeline.execute_command(command, key, *args)  # type: ignore[no-untyped-call] # of redis-py
    pipeline.execute()


def _filler(what: str, padded: bool) -> Callable[[TicketVariables], str]:
    if what == str(_NUMBER):
        return (lambda cast: f"{cast.number:012}") if padded else (lambda cast: str(cast.number))
    if what == _WORD:
        return lambda cast: cast.word
    if what == _PERSON:
        return lambda cast: cast.person
    if what == _PERSON.upper():
        return lambda cast: cast.person.upper()
    if what == _PERSON.title():
        return lambda cast: cast.person.title()
    if what.isdigit():
        later = timedelta(milliseconds=int(what)) - (_AT - datetime(1970, 1, 1, tzinfo=UTC))
        if abs(later) > _NEAR:
            raise ValueError(f"{what} is no moment of the ticket's")
        return lambda cast: str(to_ms(cast.at + later))
    later, short = datetime.fromisoformat(what) - _AT, what.endswith("Z")
    return lambda cast: (cast.at + later).isoformat().replace("+00:00", "Z" if short else "+00:00")
