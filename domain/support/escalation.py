"""The escalation policy: who is told of an escalated ticket, step by step, until somebody acknowledges it.

The policy is frozen into the ticket when it starts: a changed policy holds for the next one. It has an end: each level
is told once a round, and rounds are counted.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field

from domain.accounts.account import Account, Desk, Level
from domain.record import Record


class EscalationSnapshot(Record):
    """An escalation under way. `step`: levels gone through so far, counted over all rounds; `due`: when the next one
    is; None: it has ended."""

    levels: tuple[Level, ...]
    rounds: Annotated[int, Field(ge=1)] = 1
    began: AwareDatetime
    step: int = 0
    due: AwareDatetime | None
    acknowledged: tuple[str, AwareDatetime] | None = None  # by whom, when


class EscalationStep(NamedTuple):
    """Who is told now. `level` and `round` count from 1; `level` 0: nobody is left to tell. `gone`: people of the level
    who have left the account; `skipped`: levels passed over on the way, for naming nobody who is there. `next`: when
    the following one is due; None: this was the last."""

    level: int
    round: int
    people: tuple[str, ...]
    channel: Desk | None
    gone: tuple[str, ...]
    skipped: tuple[int, ...]
    next: datetime | None


def start_escalation(account: Account, now: datetime) -> EscalationSnapshot:
    """The account's policy, its first step due at once; without a level it has ended before it began."""
    policy = account.escalation
    return EscalationSnapshot(
        levels=policy.levels, rounds=policy.repeat + 1, began=now, due=now if policy.levels else None
    )


def take_step(
    snapshot: EscalationSnapshot, account: Account, now: datetime
) -> tuple[EscalationSnapshot, EscalationStep] | None:
    """The escalation after its next step, where that is due, and the step. A level that names nobody who is still
    there, and no channel, is passed over at once and noted."""
    if snapshot.due is None or snapshot.due > now:
        return None
    now = now.astimezone(UTC)  # so that what is added is real time
    count, skipped = len(snapshot.levels), []
    for step in range(snapshot.step, count * snapshot.rounds):
        level, number, round_ = snapshot.levels[step % count], step % count + 1, step // count + 1
        people = tuple(id for id in level.people if account.person(id) is not None)
        if not people and level.channel is None:
            skipped.append(number)
            continue
        last = step + 1 >= count * snapshot.rounds
        # What nobody was there to tell in time is told now, and the next step waits from now on.
        following = None if last else now + timedelta(minutes=level.minutes)
        gone = tuple(id for id in level.people if id not in people)
        told = EscalationStep(number, round_, people, level.channel, gone, tuple(dict.fromkeys(skipped)), following)
        return snapshot.model_copy(update={"step": step + 1, "due": following}), told
    ended = snapshot.model_copy(update={"step": count * snapshot.rounds, "due": None})
    return ended, EscalationStep(0, 0, (), None, (), tuple(dict.fromkeys(skipped)), None)


def acknowledge_escalation(snapshot: EscalationSnapshot, by: str, now: datetime) -> EscalationSnapshot:
    """Somebody has it: nobody else is told. The first to say so stays."""
    if snapshot.acknowledged is not None:
        return snapshot
    return snapshot.model_copy(update={"acknowledged": (by, now), "due": None})
