"""Faults on demand and the journal of every request, as the pretend Slack has them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from playground.twilio.errors import TwilioError

Kind = Literal["hang", "ratelimited", "error", "error_after", "lost", "late"]
KEPT_REQUESTS: Final = 20_000
LOOK: Final = 0.02  # seconds between looks whether the client has gone
LATEST: Final = 60.0  # seconds after which even the most patient client is taken for gone


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` requests that match `what`.

    `hang`: nothing for `seconds`, then as usual if the client is still connected. `ratelimited`: 429 with
    `Retry-After`. `error`: 500, nothing done. `error_after`: done, then 500. `lost`: done, then the connection drops.
    `late`: done as soon as the client has given up.
    """

    what: str
    kind: Kind
    times: int = 1
    seconds: float = 10.0
    retry_after: int = 1

    async def before(self, gone: Callable[[], bool]) -> bool:
        """Applies the fault before the operation; False: the operation must not run. Raises TwilioError."""
        if self.kind == "ratelimited":
            raise TwilioError(20429, headers={"Retry-After": str(self.retry_after)})
        if self.kind == "error":
            raise TwilioError(20500)
        if self.kind == "hang":
            await _until(gone, self.seconds)
            return not gone()
        if self.kind == "late":
            await _until(gone, LATEST)
        return True

    def after(self) -> None:
        """Applies the fault after the operation. Raises TwilioError."""
        if self.kind == "error_after":
            raise TwilioError(20500)


async def _until(gone: Callable[[], bool], seconds: float) -> None:
    ends = asyncio.get_running_loop().time() + seconds
    while not gone() and (left := ends - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 # nobody tells of it
        await asyncio.sleep(min(LOOK, left))


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def next(self, what: str, kind: Kind, times: int = 1, **details: Any) -> Fault:
        """Lets the next `times` requests fail that match `what`: `*`, a resource below the account without `.json`
        (`IncomingPhoneNumbers`, `IncomingPhoneNumbers/*`), or that with a method before it (`POST Calls`)."""
        fault = Fault(what, kind, times, **details)
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Removes the faults that are still to happen."""
        self._waiting.clear()

    def take(self, method: str, resource: str) -> Fault | None:
        """The fault that hits this request, if any; one of its times is used up."""
        for fault in self._waiting:
            if fnmatchcase(f"{method} {resource}" if " " in fault.what else resource, fault.what):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the API. `code`: Twilio's, 0 where it was done. `answered`: whether the client can have heard."""

    method: str
    resource: str
    args: dict[str, str]
    status: int
    code: int
    at: float
    done: bool
    answered: bool


@dataclass(slots=True)
class Journal:
    """Every request, oldest first, the last 20,000 of them."""

    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def of(self, what: str) -> list[Request]:
        """The requests that match: see `Faults.next`."""
        return [
            r for r in self.requests if fnmatchcase(f"{r.method} {r.resource}" if " " in what else r.resource, what)
        ]

    def done(self, what: str) -> int:
        """How many of them took effect."""
        return sum(request.done for request in self.of(what))
