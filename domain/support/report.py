"""Totals of ended promises: kept and broken, by kind, channel and specialist, and the waits for the first answer.

Records are added one by one and not kept, so memory does not grow with their number.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

FIRST: Final = frozenset({"first_response", "callback"})  # a callback's first answer is the call
NOBODY: Final = ""  # in `Report.people`: unassigned


class PromiseRecord(NamedTuple):
    """How one promise ended, as it is stored for the reports; identified by `ticket`, `kind` and `since`.

    Attributes:
        since: when the promise began.
        kept: None: nobody waited any longer before it was due.
        met: what was promised was done, in time or late.
        promised, took: minutes of its calendar.
        at: when it ended.
    """

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
    """Counts of ended promises. `left`: nobody waited any longer; those count as neither kept nor broken."""

    kept: int = 0
    broken: int = 0
    left: int = 0
    _waits: Counter[float] = field(default_factory=Counter, repr=False)  # how often, by minutes rounded to a tenth

    @property
    def promises(self) -> int:
        return self.kept + self.broken + self.left

    @property
    def share(self) -> float | None:
        """The share of kept promises among those kept or broken; None if there are none."""
        judged = self.kept + self.broken
        return self.kept / judged if judged else None

    @property
    def answered(self) -> int:
        """How many waits the percentiles are computed from."""
        return self._waits.total()

    def percentile(self, percent: int) -> float | None:
        """The wait in minutes that `percent` of the waits did not exceed, by nearest rank: always one that occurred, to
        a tenth of a minute. None if there are none."""
        rank = max(1, -(-self._waits.total() * percent // 100))
        for wait in sorted(self._waits):
            rank -= self._waits[wait]
            if rank <= 0:
                return wait
        return None

    def add(self, row: PromiseRecord, *, waited: bool) -> None:
        """Count a record. `waited`: its time is a wait for the percentiles, if the promise was met."""
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
    """The percentiles of a kind are over the waits of that kind; all others over the waits for a first answer."""

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
    """The months ("2026-11") from `begin` to `end`, both included, in the zones that the two carry."""
    year, month = begin.year, begin.month
    while (year, month) <= (end.year, end.month):
        yield f"{year:04}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # months of a year
