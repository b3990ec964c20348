"""Effects, the results of sending them, and the policy by which they are retried or given up."""

import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

_ENTRY: Final = re.compile(rb"(?:(\d+)\|)?(\{.*\})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done outside: a message, a mail, a carrier's order.

    Attributes:
        conv: its conversation, whose effects are sent in the order in which they were written.
        kind: selects the sender.
        body: what the sender needs, as JSON values.
        id: unique, so that a sender can look whether it was sent already.
    """

    conv: str
    kind: str
    body: dict[str, Any]
    id: str

    def encode(self) -> str:
        """The JSON that scripts append. Raises TypeError for a body that is no JSON."""
        return orjson.dumps({"conv": self.conv, "kind": self.kind, "id": self.id, "body": self.body}).decode()

    @classmethod
    def decode(cls, entry: bytes) -> "Effect":
        """The effect in a list's entry, `ms written|JSON`, or in JSON alone. Raises ValueError for anything else."""
        parts = _ENTRY.fullmatch(entry)
        match orjson.loads(parts[2]) if parts else None:
            case {"conv": str(conv), "kind": str(kind), "id": str(id), "body": dict(body)}:
                return cls(conv, kind, body, id)
        raise ValueError("Not an effect.")


@dataclass(frozen=True, slots=True)
class Sent:
    """The effect arrived."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The effect did not arrive and is to be tried again. A sender that can't tell whether it arrived raises InDoubt.

    Attributes:
        after: seconds that the platform asked to wait (429), which does not count as a try; None: it asked for none.
        reason: a few words without personal data, for the dead letter.
    """

    after: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The effect can never arrive."""

    reason: str


class InDoubt(Exception):
    """The sender can't tell whether the effect arrived; `str()` says why, without personal data."""


SendResult: TypeAlias = Sent | Retry | Drop
# Gets the effect and whether it is in doubt, because an earlier send's result is unknown; then the sender first looks
# whether it arrived, if the platform can tell. An exception or a result after the send timeout leaves it in doubt.
Sender: TypeAlias = Callable[[Effect, bool], Awaitable[SendResult]]
# Gets an effect that was sent (None) or given up (the reason), before it leaves the outbox. Returns within 5 s, and is
# idempotent, because it is called again if the process dies in between.
OnEnded: TypeAlias = Callable[[Effect, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NextTry:
    """The next try, in `delay` seconds. `tries`: that count by then; `in_doubt`: an earlier one may have arrived."""

    delay: float
    tries: int
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    reason: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter; an effect is given up after `tries` or `age`, whichever comes first.

    Attributes:
        first: seconds before the second try; doubles with each try.
        ceiling: maximum, seconds. Each wait is shortened by up to half at random.
        tries: maximum, not counting those after which the platform asked to wait.
        age: seconds since the effect was written after which a failed try is the last.
        doubt: seconds at least before an effect in doubt is tried again, as it may still be on its way.
        jitter: 0 to 1.
    """

    first: float = 1.0
    ceiling: float = 120.0
    tries: int = 12
    age: float = 3600.0
    doubt: float = 5.0
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def judge(self, outcome: Retry, *, tries: int, age: float, before: bool, in_doubt: bool) -> NextTry | GivenUp:
        """What follows a failed try.

        Args:
            tries: that count, including this one.
            age: seconds since the effect was written.
            before: whether it was in doubt before this try.
            in_doubt: whether this try may have arrived.
        """
        if age >= self.age:
            return GivenUp(f"after {age:.0f} s: {outcome.reason}")
        doubt = before or in_doubt
        if outcome.after is not None:
            # Not earlier than asked, and spread over a little more; not later than `age`.
            delay = min(max(outcome.after, self.first), self.age) * (1 + self.jitter() / 10)
            return NextTry(delay, tries - 1, doubt)
        if tries >= self.tries:
            return GivenUp(f"after {tries} tries: {outcome.reason}")
        pause = min(self.first * 2.0 ** min(tries - 1, 32), self.ceiling) * (1 - self.jitter() / 2)
        return NextTry(min(max(pause, self.doubt if in_doubt else 0.0), self.age - age), tries, doubt)
