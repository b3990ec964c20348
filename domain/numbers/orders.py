"""Orders of numbers: the state of a purchase between the request and the carrier's definite answer.

A purchase that the carrier may have received is looked up before it is sent again (`OrderStep.ASKED`).
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
    OPEN = "open"  # not sent to the carrier
    ASKED = "asked"  # the carrier may have received it: look it up before sending it again
    STRAY = "stray"  # refused, but an earlier try is in doubt: looked for
    RELEASING = "releasing"  # a stray that turned up and is returned


class Order(Record):
    """A purchase. `to`, `language` and `dialog` say where and how the person who asked is told. Times are aware."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    e164: str
    country: str
    step: OrderStep = OrderStep.OPEN
    needs: Needs = ""  # as in the offer
    by: str  # the person
    change: str | None = None  # the request's id, whose stored result is updated
    to: dict[str, Any] = Field(default_factory=dict)  # a packed address
    user: str = ""
    language: str | None = None
    dialog: bool = False  # asked in a dialog, which only closes: the result is always sent
    tell: bool = False  # the request was answered "being bought"
    at: AwareDatetime
    asked_at: AwareDatetime | None = None
    tries: int = 0
    doubted: bool = False  # at least one try had no answer
    looks: int = 0  # stray: looks so far

    def needs_message(self, now: datetime) -> bool:
        """Whether the result must be sent to the person: not while their request is still waiting for it."""
        return self.dialog or self.tell or now >= self.at + timedelta(seconds=2 * policy.ORDER_ANSWER_SECONDS)

    def begin_try(self, now: datetime) -> "Order":
        """About to be sent to the carrier."""
        return self.model_copy(update={"step": OrderStep.ASKED, "asked_at": now, "tries": self.tries + 1})

    def count_try(self) -> "Order":
        """A try that could not even ask the carrier for the state of the order."""
        return self.model_copy(update={"tries": self.tries + 1})

    def reset_try(self) -> "Order":
        """The last try did not reach the carrier."""
        return self.model_copy(update={"step": OrderStep.OPEN, "asked_at": None})

    def mark_in_doubt(self, now: datetime) -> "Order":
        """The last try ended without an answer at `now`, so the carrier may still receive it."""
        return self.model_copy(update={"doubted": True, "asked_at": now})

    def mark_not_found(self) -> "Order":
        """The last try cannot arrive any more, and the carrier does not have the order."""
        return self.reset_try().model_copy(update={"doubted": True})

    def wait_for_operator(self) -> "Order":
        """Refused until the operator supplies what the carrier needs."""
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
    """Until when a try without an answer may still arrive; None if none is under way."""
    if order.step is not OrderStep.ASKED or order.asked_at is None:
        return None
    return order.asked_at + timedelta(seconds=policy.ORDER_DOUBT_SECONDS)


def next_try(tries: int, now: datetime, after: float | None = None) -> datetime:
    """When to try again: the delay doubles with each try, and is never shorter than the carrier wants (`after`,
    seconds)."""
    pause = min(policy.ORDER_RETRY_SECONDS * 2.0 ** min(max(tries - 1, 0), 16), policy.ORDER_RETRY_MOST)
    return now + timedelta(seconds=max(pause, min(after or 0.0, 3600.0)))


def next_look(order: Order) -> timedelta | None:
    """How long to wait before the next look for a stray; None: it did not turn up, and is not looked for again."""
    return policy.STRAY_LOOKS[order.looks] if order.looks < len(policy.STRAY_LOOKS) else None
