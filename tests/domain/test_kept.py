"""How promises were kept, counted."""

from datetime import UTC, datetime

import pytest

from domain.agenda import Ended
from domain.kept import Line, line, lines, percentile

AT = datetime(2026, 11, 20, tzinfo=UTC)


def one(kept: bool | None, took: float, channel: str = "chat") -> Ended:
    return Ended("first_response", kept, False, channel, "sam", 5, took, AT)


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ((), 50, None),
        ((3.0,), 50, 3.0),
        ((3.0,), 90, 3.0),
        ((1.0, 2.0), 50, 1.0),
        (tuple(map(float, range(1, 11))), 90, 9.0),
    ],
)
def test_the_smallest_that_enough_of_them_do_not_exceed(values: tuple[float, ...], share: int, found: float) -> None:
    assert percentile(values, share) == found


def test_what_nobody_waited_for_counts_apart() -> None:
    assert line("all", [one(True, 1), one(False, 9), one(None, 400)]) == Line("all", 1, 1, 1, 1, 9)


def test_groups_stand_by_name() -> None:
    assert [each.name for each in lines([one(True, 1, "email"), one(True, 1)], lambda o: o.channel)] == [
        "chat",
        "email",
    ]
