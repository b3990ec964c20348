"""What became of promises: how many were kept, by what and by whom, and how long people waited for the first answer.

Rows are added one by one and not kept, so a report of a million promises takes no more room than one of a hundred.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

FIRST: Final = frozenset({"first_response", "callback"})  # of a callback the call is the first answer
NOBODY: Final = ""  # who has a ticket that nobody has


class PromiseRecord(NamedTuple):
    """How one promise ended. `since`: when it began, which with ticket and kind is its name; `kept` None: nobody waited
    any longer before it was due; `met`: what was promised was done, in time or late; `promised`, `took`: minutes of its
    calendar."""

    ticket: int
    kind: str
    since: datetime
    kept: bool | None
    met: bool
    guaranteed: bool
    channel: str
    specialist: str | None
    promised: int
    took: float
    at: datetime


@dataclass(slots=True)
class PromiseTally:
    """`left`: promises that nobody waited for any longer; they count as neither kept nor broken."""

    kept: int = 0
    broken: int = 0
    left: int = 0
    _waits: Counter[float] = field(default_factory=Counter, repr=False)  # tenths of a minute to how often

    @property
    def promises(self) -> int:
        return self.kept + self.broken + self.left

    @property
    def share(self) -> float | None:
        """Of those kept or broken the part that was kept; None where there is none."""
        judged = self.kept + self.broken
        return self.kept / judged if judged else None

    @property
    def answered(self) -> int:
        """How many waits the percentiles are of."""
        return self._waits.total()

    def percentile(self, percent: int) -> float | None:
        """By nearest rank: the shortest wait, in minutes, that at least so many per cent of them did not exceed. Always
        one that somebody had, to a tenth of a minute; None where nobody was answered."""
        rank = max(1, -(-self._waits.total() * percent // 100))
        for wait in sorted(self._waits):
            rank -= self._waits[wait]
            if rank <= 0:
                return wait
        return None

    def add(self, row: PromiseRecord, *, waited: bool) -> None:
        if row.kept is None:
            self.left += 1
        elif row.kept:
            self.kept += 1
        else:
            self.broken += 1
        if waited and row.met:
            self._waits[round(row.took, 1)] += 1


@dataclass(slots=True)
class Report:
    """`waited` of a kind are its own waits; of everything else those for the first answer."""

    total: PromiseTally = field(default_factory=PromiseTally)
    guaranteed: PromiseTally = field(default_factory=PromiseTally)
    kinds: dict[str, PromiseTally] = field(default_factory=dict)
    channels: dict[str, PromiseTally] = field(default_factory=dict)
    people: dict[str, PromiseTally] = field(default_factory=dict)

    def add(self, row: PromiseRecord) -> None:
        first = row.kind in FIRST
        self.total.add(row, waited=first)
        if row.guaranteed:
            self.guaranteed.add(row, waited=first)
        self.kinds.setdefault(row.kind, PromiseTally()).add(row, waited=True)
        self.channels.setdefault(row.channel, PromiseTally()).add(row, waited=first)
        self.people.setdefault(row.specialist or NOBODY, PromiseTally()).add(row, waited=first)


def months(begin: datetime, end: datetime) -> Iterator[str]:
    """The months ("2026-11") from one moment to another, both included, on the clock that they carry."""
    year, month = begin.year, begin.month
    while (year, month) <= (end.year, end.month):
        yield f"{year:04}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # months of a year
