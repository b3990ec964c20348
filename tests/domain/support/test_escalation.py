"""Who is told of an escalated ticket, and that it ends."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import Account
from domain.support import escalation
from tests import present
from tests.domain.samples import NOW, account, crew

CHANNEL = {"platform": "slack", "workspace": "T0", "channel": "CBOSS"}
MINUTE = timedelta(minutes=1)


def acme(*levels: dict[str, Any], repeat: int = 0, gone: tuple[str, ...] = ()) -> Account:
    """An account with those levels; `gone`: people who have left it since."""
    before = account(people=crew(), escalation={"levels": list(levels), "repeat": repeat})
    return before.model_copy(update={"people": tuple(p for p in before.people if p.id not in gone)})


def all_steps(
    snapshot: escalation.EscalationSnapshot, account: Account, now: datetime = NOW
) -> list[tuple[int, escalation.EscalationStep]]:
    """Every step with the minute after the start at which it came, each told when it was due."""
    told = []
    while snapshot.due is not None:
        assert escalation.take_step(snapshot, account, snapshot.due - timedelta(seconds=1)) is None
        now = max(now, snapshot.due)
        found = present(escalation.take_step(snapshot, account, now))
        snapshot, step = found
        told.append(((now - NOW) // MINUTE, step))
        assert len(told) <= 200
    assert escalation.take_step(snapshot, account, NOW + timedelta(days=365)) is None
    return told


def test_levels_one_after_the_other_and_again() -> None:
    policy = acme({"people": ["ada", "max"], "minutes": 10}, {"channel": CHANNEL, "minutes": 5}, repeat=1)
    told = all_steps(escalation.start_escalation(policy, NOW), policy)
    assert [(minute, step.level, step.round, step.people, step.channel is not None) for minute, step in told] == [
        (0, 1, 1, ("ada", "max"), False),
        (10, 2, 1, (), True),
        (15, 1, 2, ("ada", "max"), False),
        (25, 2, 2, (), True),
    ]
    assert told[-1][1].next is None


@pytest.mark.parametrize(
    ("levels", "gone", "told"),
    [
        # level told, people told, people gone, levels skipped before
        ([{"people": []}, {"people": ["max"]}], (), [(2, ("max",), (), (1,))]),
        ([{"people": ["ada", "max"]}], ("ada",), [(1, ("max",), ("ada",), ())]),
        ([{"people": ["ada"]}, {"people": ["max"]}], ("ada",), [(2, ("max",), (), (1,))]),
        ([{"people": ["ada"], "channel": CHANNEL}], ("ada",), [(1, (), ("ada",), ())]),
        ([{"people": ["max"]}, {"people": []}], (), [(1, ("max",), (), ()), (0, (), (), (2,))]),
        ([{"people": ["ada"]}, {}], ("ada",), [(0, (), (), (1, 2))]),
        ([], (), []),
    ],
)
def test_a_level_of_nobody_is_passed_over_and_noted(
    levels: list[dict[str, Any]],
    gone: tuple[str, ...],
    told: list[tuple[int, tuple[str, ...], tuple[str, ...], tuple[int, ...]]],
) -> None:
    snapshot = escalation.start_escalation(acme(*levels), NOW)
    steps = all_steps(snapshot, acme(*levels, gone=gone))
    assert [(step.level, step.people, step.gone, step.skipped) for _, step in steps] == told


def test_the_policy_is_frozen_at_the_start() -> None:
    snapshot = escalation.start_escalation(acme({"people": ["ada"]}, {"people": ["max"]}), NOW)
    later = acme({"people": ["lena"]})
    assert [step.people for _, step in all_steps(snapshot, later)] == [("ada",), ("max",)]
    assert escalation.EscalationSnapshot.model_validate_json(snapshot.model_dump_json()) == snapshot


def test_acknowledged_stops_it_and_the_first_to_say_so_stays() -> None:
    policy = acme({"people": ["ada"]}, {"people": ["max"]})
    found = present(escalation.take_step(escalation.start_escalation(policy, NOW), policy, NOW))
    stopped = escalation.acknowledge_escalation(found[0], "ada", NOW + MINUTE)
    assert escalation.take_step(stopped, policy, NOW + timedelta(days=1)) is None
    assert escalation.acknowledge_escalation(stopped, "max", NOW + 2 * MINUTE).acknowledged == ("ada", NOW + MINUTE)


def test_who_comes_late_tells_one_step_and_waits_again() -> None:
    policy = acme({"people": ["ada"], "minutes": 10}, {"people": ["max"], "minutes": 10})
    late = NOW + timedelta(hours=5)
    found = present(escalation.take_step(escalation.start_escalation(policy, NOW), policy, late))
    assert (found[1].people, found[0].due) == (("ada",), late + 10 * MINUTE)
    assert escalation.take_step(found[0], policy, late) is None


LEVELS = st.lists(
    st.fixed_dictionaries(
        {
            "people": st.lists(st.sampled_from(["ada", "robin", "max", "lena"]), max_size=3, unique=True),
            "minutes": st.integers(1, 60),
        },
        optional={"channel": st.just(CHANNEL)},
    ),
    max_size=6,
)


@given(LEVELS, st.integers(0, 10), st.sets(st.sampled_from(["ada", "robin", "max", "lena"])))
@settings(max_examples=60, deadline=None)
def test_it_always_ends_and_tells_only_who_is_there(levels: list[dict[str, Any]], repeat: int, gone: set[str]) -> None:
    now = acme(*levels, repeat=repeat, gone=tuple(gone))
    steps = [step for _, step in all_steps(escalation.start_escalation(acme(*levels, repeat=repeat), NOW), now)]
    there = [n for n, level in enumerate(levels, 1) if "channel" in level or set(level["people"]) - gone]
    assert [step.level for step in steps if step.level] == there * (repeat + 1)
    assert not gone.intersection(*[set(step.people) for step in steps] or [set()])
    assert all(step.people or step.channel or step.level == 0 for step in steps)
