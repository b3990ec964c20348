"""A number that is being bought: what is known of it between the request and the carrier's definite answer.

What may have been heard by the carrier is looked up before it is said again; that is what `OrderStep.ASKED` is for.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field

from domain import policy
from domain.numbers.number import Needs
from domain.record import Record

SCHEMA: Final = 1


class OrderStep(StrEnum):
    OPEN = "open"  # nothing was said to the carrier that it could have heard
    ASKED = "asked"  # the carrier may have heard: look before saying it again
    STRAY = "stray"  # refused, but an earlier try was in doubt: watched for
    RELEASING = "releasing"  # it turned up after all and goes back


class Order(Record):
    """Times are aware. `to`, `language` and `dialog` say where and how the person who asked is told."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    e164: str
    country: str
    step: OrderStep = OrderStep.OPEN
    needs: Needs = ""  # as the offer said
    by: str  # the person
    change: str | None = None  # the request's id: its kept answer is brought up to date
    to: dict[str, Any] = Field(default_factory=dict)  # a packed address
    user: str = ""
    language: str | None = None
    dialog: bool = False  # a dialog only closes: what came of it is always sent
    tell: bool = False  # the request was answered with "being bought"
    at: AwareDatetime
    asked_at: AwareDatetime | None = None
    tries: int = 0
    doubted: bool = False  # at least one try ended without an answer
    looks: int = 0  # stray: how often it was looked for

    def needs_message(self, now: datetime) -> bool:
        """Whether the person must be sent what came of it: while their request waits, it says so itself."""
        return self.dialog or self.tell or now >= self.at + timedelta(seconds=2 * policy.ORDER_ANSWER_SECONDS)

    def begin_try(self, now: datetime) -> "Order":
        """About to be sent to the carrier."""
        return self.model_copy(update={"step": OrderStep.ASKED, "asked_at": now, "tries": self.tries + 1})

    def count_try(self) -> "Order":
        """The carrier could not even be asked how it stands."""
        return self.model_copy(update={"tries": self.tries + 1})

    def reset_try(self) -> "Order":
        """The last try did not reach the carrier."""
        return self.model_copy(update={"step": OrderStep.OPEN, "asked_at": None})

    def mark_in_doubt(self, now: datetime) -> "Order":
        """The last try ended without an answer at `now`: it may still be on its way."""
        return self.model_copy(update={"doubted": True, "asked_at": now})

    def mark_not_found(self) -> "Order":
        """The last try can't be on its way any more, and the carrier has nothing of it."""
        return self.reset_try().model_copy(update={"doubted": True})

    def wait_for_operator(self) -> "Order":
        """Refused until the operator has given what the carrier asks for."""
        return self.model_copy(
            update={"step": OrderStep.OPEN, "asked_at": None, "tries": 0, "tell": True, "dialog": False}
        )

    def stray(self) -> "Order":
        return self.model_copy(update={"step": OrderStep.STRAY, "looks": 0})

    def count_look(self) -> "Order":
        return self.model_copy(update={"looks": self.looks + 1})

    def begin_release(self) -> "Order":
        return self.model_copy(update={"step": OrderStep.RELEASING})


def in_doubt_until(order: Order) -> datetime | None:
    """Until when a try without an answer may still arrive; None: nothing is under way."""
    if order.step is not OrderStep.ASKED or order.asked_at is None:
        return None
    return order.asked_at + timedelta(seconds=policy.ORDER_DOUBT_SECONDS)


def next_try(tries: int, now: datetime, after: float | None = None) -> datetime:
    """When to try again: doubling from try to try, and never before the carrier wants it (`after`, seconds)."""
    pause = min(policy.ORDER_RETRY_SECONDS * 2.0 ** min(max(tries - 1, 0), 16), policy.ORDER_RETRY_MOST)
    return now + timedelta(seconds=max(pause, min(after or 0.0, 3600.0)))


def next_look(order: Order) -> timedelta | None:
    """How long until a stray is looked for once more; None: it never turned up."""
    return policy.STRAY_LOOKS[order.looks] if order.looks < len(policy.STRAY_LOOKS) else None
