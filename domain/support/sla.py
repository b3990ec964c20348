"""Promised response times and their clocks.

A clock stores facts only: when it started, paused, reported a stage and ended. What is promised, and in which calendar,
is computed from the account as it is now, so a changed policy or calendar moves every deadline still ahead; stages that
were told stay told.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from pydantic import AwareDatetime

from domain import policy
from domain.accounts.account import Account
from domain.accounts.hours import Hours
from domain.calendars import DEFAULT_HOURS, Calendar, around_the_clock, business
from domain.record import Record
from domain.support.channels import CALLBACKS, CHATS, Channel

PromiseKind = Literal["first_response", "next_response", "callback"]


class Stage(StrEnum):
    """How much of the promised time has run, in order."""

    HALF = "half"
    WARNING = "warning"
    BREACH = "breach"


_SHARES: Final = tuple((Stage(name), share) for name, share in policy.STAGES)


class Promise(NamedTuple):
    """`minutes` of a calendar. `guaranteed`: by contract, otherwise an aim. `source`: a key of the catalogues
    ("clock.source.premium")."""

    kind: PromiseKind
    minutes: int
    guaranteed: bool
    calendar: Calendar
    source: str


class Pause(Record):
    """When a clock was paused; `until` None: it still is."""

    since: AwareDatetime
    until: AwareDatetime | None = None


class Clock(Record):
    """The clock of one promise.

    Attributes:
        told: stages reported so far.
        told_before: stages reported before the ticket became business critical.
        critical_from: business critical since then, until the desk downgrades it.
        ended: when the promise was met (`met`) or nobody waited any longer.
    """

    kind: PromiseKind
    since: AwareDatetime
    pauses: tuple[Pause, ...] = ()
    told: tuple[Stage, ...] = ()
    told_before: tuple[Stage, ...] = ()
    critical_from: AwareDatetime | None = None
    ended: AwareDatetime | None = None
    met: bool = False

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].until is None

    @property
    def running(self) -> bool:
        return self.ended is None and not self.paused

    def pause(self, now: datetime) -> "Clock":
        if not self.running:
            return self
        return self.model_copy(update={"pauses": (*_bounded(self.pauses), Pause(since=now))})

    def resume(self, now: datetime) -> "Clock":
        if not self.paused:
            return self
        *before, last = self.pauses
        if now <= last.since:  # the pause has no length
            return self.model_copy(update={"pauses": tuple(before)})
        return self.model_copy(update={"pauses": (*before, last.model_copy(update={"until": now}))})

    def end(self, now: datetime, met: bool) -> "Clock":
        return self.resume(now).model_copy(update={"ended": max(now, self.since), "met": met})

    def reopen(self, now: datetime) -> "Clock":
        """The clock running again, with the time since it ended as a pause."""
        if self.ended is None:
            return self
        again = self.model_copy(update={"ended": None, "met": False})
        return again.pause(self.ended).resume(now)

    def critical(self, now: datetime) -> "Clock":
        """The clock of the business-critical promise, which counts from `now` and has reported no stage."""
        before = (*self.told_before, *self.told)
        return self.model_copy(update={"critical_from": now, "told": (), "told_before": before})

    def ordinary(self) -> "Clock":
        """The clock as it would be without "business critical". Stages already told are not told again."""
        told = {*self.told_before, *self.told}
        in_order = tuple(stage for stage in Stage if stage in told)
        return self.model_copy(update={"critical_from": None, "told": in_order, "told_before": ()})


class DeadlineExplanation(NamedTuple):
    """Why a deadline is when it is, for a sentence.

    Attributes:
        since: when the promise began to count.
        opens: the opening from which it runs, if it began outside the hours.
        paused: minutes, rounded down.
        hours: None: around the clock.
        zone: IANA name, of the hours.
        left_out: holidays and exceptions before the deadline, `DAYS_SHOWN` at most.
        never: the calendar has no open hour, so there is no deadline.
    """

    minutes: int
    guaranteed: bool
    critical: bool
    since: datetime
    opens: datetime | None
    paused: int
    hours: Hours | None
    zone: str
    left_out: tuple[date, ...]
    never: bool
    source: str


class PromiseOffer(NamedTuple):
    """What somebody who asks now is promised. `opens`: from when it counts; `by`: the deadline; both None if the
    calendar never opens. `open`: it counts from now."""

    promise: Promise
    opens: datetime | None
    by: datetime | None
    open: bool


class PromiseOutcome(NamedTuple):
    """How a clock ended against its promise. `kept` None: nobody waited any longer before it was due. `took`: minutes
    of the promise's calendar."""

    kind: PromiseKind
    guaranteed: bool
    kept: bool | None
    took: float


def promise(account: Account, channel: Channel, kind: PromiseKind, *, designated: bool, critical: bool) -> Promise:
    """The promise for a channel. `designated`: to a designated super admin (docs/domain.md 6); `critical`: business
    critical, which counts for them alone."""
    if channel is Channel.PREMIUM_EMAIL and designated and (kind == "first_response" or critical):
        most = policy.GUARANTEED_MINUTES_CRITICAL if critical else policy.GUARANTEED_MINUTES
        return Promise(kind, most, True, around_the_clock(account), "premium_critical" if critical else "premium")
    calendar, agreed = business(account), account.promises
    if channel in CHATS:
        return Promise(kind, agreed.chat or policy.CHAT_MINUTES, False, calendar, "chat")
    if channel in CALLBACKS and kind == "callback":
        return Promise(kind, agreed.callback or policy.CALLBACK_MINUTES, False, calendar, "callback")
    # One business day is as many open minutes as the account's days have on average, so what comes in at ten is
    # answered by ten on the next day.
    day = calendar.day_minutes or Calendar(account.zone, DEFAULT_HOURS).day_minutes
    return Promise(kind, agreed.email or policy.BUSINESS_DAYS_EMAIL * day, False, calendar, "email")


def offer(
    account: Account, channel: Channel, now: datetime, *, designated: bool, critical: bool = False
) -> PromiseOffer:
    """The promise to somebody who asks now, before there is a ticket."""
    kind: PromiseKind = "callback" if channel in CALLBACKS else "first_response"
    promised = promise(account, channel, kind, designated=designated, critical=critical)
    opens = promised.calendar.next_open(now)
    return PromiseOffer(promised, opens, _after(Clock(kind=kind, since=now), promised, 100), opens == now)


def deadline(clock: Clock, promise: Promise) -> datetime | None:
    """When the promise is broken, in UTC; None while the clock is paused, or if its calendar never opens."""
    return None if clock.paused else _after(clock, promise, 100)


def next_stage(clock: Clock, promise: Promise) -> tuple[Stage, datetime] | None:
    """The next stage that was not told, and when it is reached, in UTC; None if no stage will be, while things stay as
    they are.

    If several were reached untold, the first one: they are told in order.
    """
    if not clock.running:
        return None
    for stage, share in _SHARES:
        if stage not in clock.told:
            at = _after(clock, promise, share)
            return None if at is None else (stage, at)
    return None


def promise_outcome(clock: Clock, promise: Promise, ordinary: Promise) -> PromiseOutcome | None:
    """How an ended clock did; None while it runs. `ordinary`: the promise before the ticket was business critical; if
    that was broken, it stays broken."""
    if clock.ended is None:
        return None
    ends = [_after(clock, promise, 100)]
    if clock.critical_from is not None:
        ends.append(_after(clock.model_copy(update={"critical_from": None}), ordinary, 100))
    late = any(end is not None and clock.ended > end for end in ends)
    took = _ran(clock, promise, clock.ended)
    return PromiseOutcome(
        clock.kind, promise.guaranteed, False if late else clock.met or None, took.total_seconds() / 60
    )


def explain_deadline(clock: Clock, promise: Promise, now: datetime) -> DeadlineExplanation:
    """The parts that make up the deadline."""
    calendar, begins = promise.calendar, _begins(clock)
    end = _after(clock, promise, 100)
    opens = calendar.next_open(begins)
    stood = sum(((_utc(p.until) if p.until else _utc(now)) - _utc(p.since) for p in _counting(clock)), timedelta())
    return DeadlineExplanation(
        minutes=promise.minutes,
        guaranteed=promise.guaranteed,
        critical=clock.critical_from is not None,
        since=begins,
        opens=opens if opens is not None and opens > begins else None,
        paused=max(0, int(stood.total_seconds() // 60)),
        hours=calendar.weekly,
        zone=calendar.zone.key,
        left_out=calendar.left_out(begins, end)[: policy.DAYS_SHOWN] if end is not None else (),
        never=opens is None,
        source=promise.source,
    )


def _utc(at: datetime) -> datetime:
    """In UTC, because subtracting moments of one zone would compare wall clocks."""
    return at.astimezone(UTC)


def _begins(clock: Clock) -> datetime:
    return _utc(clock.critical_from or clock.since)


def _counting(clock: Clock) -> list[Pause]:
    """The pauses since the promise counts; one that began earlier is cut to that moment."""
    begins = _begins(clock)
    return [
        pause.model_copy(update={"since": max(_utc(pause.since), begins)})
        for pause in clock.pauses
        if pause.until is None or pause.until > begins
    ]


@lru_cache(maxsize=4_096)  # a ticket's card asks for the same moment several times
def _after(clock: Clock, promise: Promise, share: int) -> datetime | None:
    """When `share` per cent of the promised open time have passed, without pauses; None if they never do."""
    calendar = promise.calendar
    left = timedelta(minutes=promise.minutes) * share / 100
    at = _begins(clock)
    for pause in _counting(clock):
        ran = calendar.between(at, pause.since)
        if ran >= left:
            break
        left -= ran
        if pause.until is None:
            return None
        at = max(at, _utc(pause.until))
    return calendar.add(at, left)


def _ran(clock: Clock, promise: Promise, until: datetime) -> timedelta:
    """Open time until `until`, without pauses."""
    total, at = timedelta(), _begins(clock)
    for pause in _counting(clock):
        total += promise.calendar.between(at, min(_utc(pause.since), _utc(until)))
        if pause.until is None:
            return total
        at = max(at, _utc(pause.until))
    return total + promise.calendar.between(at, until)


def _bounded(pauses: tuple[Pause, ...]) -> tuple[Pause, ...]:
    """The pauses with room for one more: the two oldest are merged, and what ran between them does not count any
    more."""
    if len(pauses) < policy.PAUSES_AT_MOST:
        return pauses
    first, second, *rest = pauses
    return (Pause(since=first.since, until=second.until), *rest)
