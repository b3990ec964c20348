"""The escalation policy: its levels are told of a ticket one after the other until somebody acknowledges it.

The policy is copied into the ticket when the escalation starts; later changes of it apply to the next escalation. It
ends after a number of rounds through all levels.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field

from domain.accounts.account import Account, Desk, Level
from domain.record import Record


class EscalationSnapshot(Record):
    """A running escalation. `step`: levels passed so far, over all rounds; `due`: when the next one is told; None: it
    has ended."""

    levels: tuple[Level, ...]
    rounds: Annotated[int, Field(ge=1)] = 1
    began: AwareDatetime
    step: int = 0
    due: AwareDatetime | None
    acknowledged: tuple[str, AwareDatetime] | None = None  # by whom, when


class EscalationStep(NamedTuple):
    """A level that is told now.

    Attributes:
        level, round: from 1; `level` 0: the policy has nobody left to tell.
        gone: people of the level who have left the account.
        skipped: levels passed over because nobody of them is left.
        next: when the next level is due; None: this was the last.
    """

    level: int
    round: int
    people: tuple[str, ...]
    channel: Desk | None
    gone: tuple[str, ...]
    skipped: tuple[int, ...]
    next: datetime | None


def start_escalation(account: Account, now: datetime) -> EscalationSnapshot:
    """The account's policy with its first step due at once; a policy without levels has ended already."""
    policy = account.escalation
    return EscalationSnapshot(
        levels=policy.levels, rounds=policy.repeat + 1, began=now, due=now if policy.levels else None
    )


def take_step(
    snapshot: EscalationSnapshot, account: Account, now: datetime
) -> tuple[EscalationSnapshot, EscalationStep] | None:
    """The escalation after its next step, and that step; None if none is due. Levels with neither people nor a channel
    left are skipped."""
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
        # A step that is late because no process was running counts from now, not from when it was due.
        following = None if last else now + timedelta(minutes=level.minutes)
        gone = tuple(id for id in level.people if id not in people)
        told = EscalationStep(number, round_, people, level.channel, gone, tuple(dict.fromkeys(skipped)), following)
        return snapshot.model_copy(update={"step": step + 1, "due": following}), told
    ended = snapshot.model_copy(update={"step": count * snapshot.rounds, "due": None})
    return ended, EscalationStep(0, 0, (), None, (), tuple(dict.fromkeys(skipped)), None)


def acknowledge_escalation(snapshot: EscalationSnapshot, by: str, now: datetime) -> EscalationSnapshot:
    """The escalation, ended by `by`; one that was acknowledged before stays as it is."""
    if snapshot.acknowledged is not None:
        return snapshot
    return snapshot.model_copy(update={"acknowledged": (by, now), "due": None})
