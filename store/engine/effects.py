"""What the outbox carries, what a sender answers, and when it is tried again or given up."""

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
        conv: the conversation; effects of one are sent in the order they were written.
        kind: which sender does it.
        body: what the sender needs; JSON-able.
        id: its own for ever, so that a sender can look whether it was done already.
    """

    conv: str
    kind: str
    body: dict[str, Any]
    id: str

    def encode(self) -> str:
        """As the scripts that append it want it. Raises TypeError for a body that is no JSON."""
        return orjson.dumps({"conv": self.conv, "kind": self.kind, "id": self.id, "body": self.body}).decode()

    @classmethod
    def decode(cls, entry: bytes) -> "Effect":
        """From what lies in the list, `ms written|JSON`, or the JSON alone. Raises ValueError for anything else."""
        parts = _ENTRY.fullmatch(entry)
        match orjson.loads(parts[2]) if parts else None:
            case {"conv": str(conv), "kind": str(kind), "id": str(id), "body": dict(body)}:
                return cls(conv, kind, body, id)
        raise ValueError("Not an effect.")


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It did not arrive, but may later. A sender that cannot tell whether it arrived raises instead.

    Attributes:
        after: seconds the platform asked to wait (429); such a wait does not count as a try. None: it said nothing.
        reason: a few words without personal data, for whoever reads why it was given up.
    """

    after: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """It can never arrive."""

    reason: str


class InDoubt(Exception):
    """A sender can't tell whether it arrived; `str()` says why, without personal data."""


SendResult: TypeAlias = Sent | Retry | Drop
# Told the effect and whether it is in doubt: a send of it began earlier and nobody saw how it ended. Then it looks
# first, where the platform lets it. What it raises, and an answer later than the send timeout, leave it in doubt.
Sender: TypeAlias = Callable[[Effect, bool], Awaitable[SendResult]]


# Told how an effect ended, before the outbox forgets it: None it arrived, else why it never will. Told again where a
# process died in between, so it does no harm when it is done over again. Answers within 5 s.
OnEnded: TypeAlias = Callable[[Effect, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NextTry:
    """The next try: in how many seconds, how many tries count by then, and whether this one may have arrived."""

    delay: float
    tries: int
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    reason: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long an effect is tried; it is given up at whichever bound comes first.

    Attributes:
        first: seconds before the second try; it doubles from try to try, up to
        ceiling: seconds; each wait is shortened by up to half, at random, so that failures spread.
        tries: sends that may begin, waits that the platform asked for aside.
        age: seconds since it was written after which a failure is the last.
        doubt: seconds before an effect that may have arrived is looked for and tried again: what was sent may still be
            on its way.
        jitter: 0 to 1.
    """

    first: float = 1.0
    ceiling: float = 120.0
    tries: int = 12
    age: float = 3600.0
    doubt: float = 5.0
    jitter: Callable[[], float] = field(default=random.random, repr=False)

    def judge(self, outcome: Retry, *, tries: int, age: float, before: bool, in_doubt: bool) -> NextTry | GivenUp:
        """What follows a try that did not succeed.

        Args:
            tries: that count, with this one.
            age: seconds since the effect was written.
            before: it was in doubt before this try.
            in_doubt: this try may have arrived.
        """
        if age >= self.age:
            return GivenUp(f"after {age:.0f} s: {outcome.reason}")
        doubt = before or in_doubt
        if outcome.after is not None:
            # Never earlier than asked, a little later so that not all come back at once; nobody waits for ever.
            delay = min(max(outcome.after, self.first), self.age) * (1 + self.jitter() / 10)
            return NextTry(delay, tries - 1, doubt)
        if tries >= self.tries:
            return GivenUp(f"after {tries} tries: {outcome.reason}")
        pause = min(self.first * 2.0 ** min(tries - 1, 32), self.ceiling) * (1 - self.jitter() / 2)
        return NextTry(min(max(pause, self.doubt if in_doubt else 0.0), self.age - age), tries, doubt)
