"""What the page shows beside Slack, where it is there: phones on the pretend Twilio, and a clock that can be moved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from playground.clock import Clock
from playground.phones import InvalidNumber, Phones
from playground.slack.people import ActionResult

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outside:
    """The parts that are there. `phones` None: no carrier is played; `clock` None: the time is the real one."""

    phones: Phones | None = None
    clock: Clock | None = None

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` after each change of what is shown."""
        if self.phones:
            self.phones.twilio.listeners.append(changed)
        if self.clock:
            self.clock.listeners.append(changed)

    def state(self) -> Json:
        """What the page shows of the parts; None for one that is not there."""
        return {
            "phones": self.phones.state() if self.phones else None,
            "clock": self.clock.state() if self.clock else None,
        }


def _phones(outside: Outside) -> Phones:
    if outside.phones is None:
        raise LookupError("No carrier is played here.")
    return outside.phones


async def _call(outside: Outside, body: Json) -> ActionResult:
    try:
        await _phones(outside).call(str(body["from"]), str(body["to"]))
    except InvalidNumber as wrong:
        return ActionResult("invalid", errors={"from": str(wrong)})
    return ActionResult()


async def _answer(outside: Outside, body: Json) -> ActionResult:
    await _phones(outside).find(body["call"]).answer()
    return ActionResult()


async def _decline(outside: Outside, body: Json) -> ActionResult:
    await _phones(outside).find(body["call"]).decline()
    return ActionResult()


async def _hang_up(outside: Outside, body: Json) -> ActionResult:
    await _phones(outside).hang_up(body["call"], body["seconds"])
    return ActionResult()


async def _type_code(outside: Outside, body: Json) -> ActionResult:
    right = await _phones(outside).twilio.type_code(str(body["number"]), str(body["code"]))
    return ActionResult() if right else ActionResult("invalid", notice="That is not the code. Twilio hung up.")


async def _forward(outside: Outside, body: Json) -> ActionResult:
    if outside.clock is None:
        raise LookupError("The clock can't be moved here.")
    await outside.clock.forward(body["to"])
    return ActionResult()


OUTSIDE_ACTIONS: Final[dict[str, Callable[[Outside, Json], Awaitable[ActionResult]]]] = {
    "call": _call,
    "answer": _answer,
    "decline": _decline,
    "hang_up": _hang_up,
    "type_code": _type_code,
    "forward": _forward,
}
