"""How promises were kept: counts, medians and 90th percentiles of those that ended, by whatever they are grouped by."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from domain.agenda import Ended


class Line(NamedTuple):
    """Promises of one group. `neither`: nobody waited any longer before they were due. `median` and `most`: minutes of
    their calendars that the kept and broken ones took; `most` is the 90th percentile; None where there are none."""

    name: str
    kept: int
    broken: int
    neither: int
    median: float | None
    most: float | None


def lines(outcomes: Iterable[Ended], by: Callable[[Ended], str]) -> list[Line]:
    """A line a group, by name."""
    groups: dict[str, list[Ended]] = {}
    for outcome in outcomes:
        groups.setdefault(by(outcome), []).append(outcome)
    return [line(name, groups[name]) for name in sorted(groups)]


def line(name: str, outcomes: Sequence[Ended]) -> Line:
    took = sorted(outcome.took for outcome in outcomes if outcome.kept is not None)
    kept, broken, neither = (sum(outcome.kept is how for outcome in outcomes) for how in (True, False, None))
    return Line(name, kept, broken, neither, percentile(took, 50), percentile(took, 90))


def percentile(values: Sequence[float], share: int) -> float | None:
    """The smallest of the sorted values that at least `share` percent of them don't exceed; None of none."""
    return values[max(0, -(-len(values) * share // 100) - 1)] if values else None
