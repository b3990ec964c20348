"""What became of promises, counted; percentiles held against the definition itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.support.report import NOBODY, PromiseRecord, PromiseTally, Report, months

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def row(**given: object) -> PromiseRecord:
    facts = {"ticket": 1, "kind": "first_response", "since": AT, "kept": True, "met": True, "guaranteed": False}
    more = {"channel": "email", "specialist": "sam", "promised": 60, "took": 5.0, "at": AT}
    return PromiseRecord(**{**facts, **more, **given})  # type: ignore[arg-type] # by the names of its fields


def test_kept_broken_and_not_waited_for() -> None:
    report = Report()
    for each in (
        row(),
        row(kept=False, took=90.0),  # answered, late
        row(kept=False, met=False, took=70.0),  # never answered
        row(kept=None, met=False, took=2.0),
        row(kind="next_response", took=1.0),
        row(kind="callback", channel="callback", specialist=None, took=3.0, guaranteed=True),
    ):
        report.add(each)
    total = report.total
    assert (total.kept, total.broken, total.left, total.promises) == (3, 2, 1, 6)
    assert total.share == 0.6
    # What nobody answered is no wait for an answer, and later answers are not the first.
    assert (total.answered, total.percentile(50), total.percentile(90)) == (3, 5.0, 90.0)
    assert report.kinds["next_response"].percentile(50) == 1.0
    assert report.people[NOBODY].percentile(50) == 3.0
    assert (report.channels["email"].kept, report.channels["email"].answered) == (2, 2)
    assert (report.guaranteed.kept, report.guaranteed.broken) == (1, 0)


def test_of_nothing_there_is_no_percentile() -> None:
    assert (PromiseTally().percentile(50), PromiseTally().share) == (None, None)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60), st.integers(1, 100))
def test_percentiles_are_by_nearest_rank(tenths: list[int], percent: int) -> None:
    tally = PromiseTally()
    for wait in tenths:
        tally.add(row(took=wait / 10), waited=True)
    found = tally.percentile(percent)
    waits = [wait / 10 for wait in tenths]
    fitting = [w for w in sorted(waits) if 100 * sum(other <= w for other in waits) >= percent * len(waits)]
    assert found == fitting[0]
    assert found in waits


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ((2026, 11, 1), (2026, 11, 30), ["2026-11"]),
        ((2025, 12, 31), (2026, 2, 1), ["2025-12", "2026-01", "2026-02"]),
    ],
)
def test_months(begin: tuple[int, int, int], end: tuple[int, int, int], expected: list[str]) -> None:
    assert list(months(datetime(*begin, tzinfo=UTC), datetime(*end, tzinfo=UTC))) == expected
