"""Faults on demand, the journal of every call, and Slack's rate limits.

A fault is set for a Web API method by name (``chat.postMessage``), for response URLs (``hooks``), for the address of an
upload (``files.upload``), for the content of a file (``files.content``), or for all (``*``), and is used up by the
calls it hits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playground.slack.errors import SlackError

Kind = Literal["ratelimited", "error", "hang", "lost", "refuse"]
KEPT_CALLS: Final = 20_000
EVERY: Final = "*"


@dataclass(slots=True)
class Fault:
    """One fault: ``ratelimited`` (429), ``error`` (500), ``hang`` (``seconds``, then as usual), ``lost`` (the work is
    done, the connection drops instead of an answer), ``refuse`` (``ok: false`` with ``code``)."""

    method: str
    kind: Kind
    times: int = 1
    retry_after: int = 1
    seconds: float = 10.0
    code: str = "internal_error"

    async def strike(self) -> None:
        """Raises ``SlackError``, or hangs; ``lost`` does nothing yet: its work is to be done."""
        if self.kind == "ratelimited":
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(self.retry_after)})
        if self.kind == "error":
            raise SlackError("internal_error", status=500)
        if self.kind == "refuse":
            raise SlackError(self.code)
        if self.kind == "hang":
            await asyncio.sleep(self.seconds)


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, method: str, kind: Kind, times: int = 1, **details: Any) -> Fault:
        """Lets the next ``times`` calls of ``method`` fail; ``details`` are the further fields of ``Fault``."""
        fault = Fault(method, kind, times, **details)
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Removes the faults that are still to happen."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that hits this call of ``method``, if any; one of its times is used up."""
        for fault in self._waiting:
            if fault.method in (method, EVERY):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the app made: ``done`` says whether it took effect, ``answered`` whether the app heard of it."""

    method: str
    args: dict[str, Any]
    team: str
    error: str
    at: float
    seconds: float
    answered: bool = True

    @property
    def ok(self) -> bool:
        """Whether the call took effect."""
        return not self.error


@dataclass(slots=True)
class Journal:
    """Every call the app made, oldest first, the last 20,000 of them."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))

    def of(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    def count(self, method: str) -> int:
        """How many calls of ``method`` took effect."""
        return sum(call.ok for call in self.of(method))

    def refused(self) -> list[Call]:
        """The calls refused for their content, not by rate limits or faults."""
        return [c for c in self.calls if c.error and c.error not in ("ratelimited", "internal_error")]

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)


# Calls a minute by tier, https://docs.slack.dev/apis/web-api/rate-limits, 2026-11.
TIERS: Final = {1: 1, 2: 20, 3: 50, 4: 100}
CHANNEL_BURST: Final = 10  # Slack names none beyond "short bursts": what it was seen to let through


class Limits:
    """Token buckets: a minute's calls by method and workspace, one message a second in a channel."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def spend(self, what: str, whose: str, burst: float, per_second: float) -> None:
        """Takes one call out of a bucket. Raises ``SlackError`` ``ratelimited`` when it is empty."""
        if not self.on:
            return
        now = time.monotonic()
        left, since = self._buckets.get((what, whose), (burst, now))
        left = min(burst, left + (now - since) * per_second)
        if left < 1:
            wait = int((1 - left) / per_second) + 1
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(wait)})
        self._buckets[what, whose] = (left - 1, now)

    def method(self, name: str, team: str, tier: int) -> None:
        """Counts a call of a method of ``tier`` in a workspace; tier 0 has no limit."""
        if tier:
            self.spend(name, team, TIERS[tier], TIERS[tier] / 60)

    def channel(self, channel: str) -> None:
        """Counts a message to a channel."""
        self.spend("message", channel, CHANNEL_BURST, 1)
