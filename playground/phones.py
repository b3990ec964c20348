"""The phone panel beside the pretend Slack: makes, answers and ends calls through the pretend Twilio."""

from __future__ import annotations

from typing import Any, Final

import phonenumbers

from playground.twilio.calls import Call
from playground.twilio.pretend import PretendTwilio

Json = dict[str, Any]
SHOWN: Final = 30
ANONYMOUS: Final = "anonymous"  # what Twilio says of a caller whose number is withheld
LONGEST: Final = 4 * 3600  # seconds of one call
WITHHELD: Final = frozenset({ANONYMOUS, "withheld", "hidden", "private", "unknown"})
# Callers to choose from, out of the ranges kept free for films.
CALLERS: Final = ("+441214960199", "+447700900142", "+12025550143", "+4930901820099")


class InvalidNumber(ValueError):
    """What was typed is no phone number. `str()` is worded for people."""


def pretty(number: str, region: str) -> str:
    """A number as people of the region write it; anything else as it is."""
    try:
        found = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "Anonymous" if number.lower() == ANONYMOUS else number
    home = phonenumbers.region_code_for_number(found) == region
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(found, style)


class Phones:
    """The phone panel's side of a `PretendTwilio`. `region`: that of numbers typed or shown without a country code."""

    def __init__(self, twilio: PretendTwilio, region: str) -> None:
        self.twilio = twilio
        self.region = region

    def _pretty(self, number: str) -> str:
        return pretty(number, self.region)

    def caller(self, typed: str) -> str:
        """The caller that somebody typed: E.164, or what Twilio says of a withheld number. Raises InvalidNumber."""
        text = typed.strip()
        if text.lower() in WITHHELD:
            return ANONYMOUS
        try:
            found = phonenumbers.parse(text, self.region)
        except phonenumbers.NumberParseException:
            found = None
        if found is None or not phonenumbers.is_possible_number(found):
            raise InvalidNumber("Type a whole phone number.")
        return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)

    def state(self) -> Json:
        """What the panel shows."""
        world = self.twilio.world
        lines = [str(one["phone_number"]) for one in world.numbers.values()]
        return {
            "lines": [{"number": number, "name": self._pretty(number)} for number in lines],
            "callers": [self._pretty(number) for number in (*CALLERS, ANONYMOUS)],
            "calls": [self._shown(call) for call in self.twilio.calls[-SHOWN:]],
            "asked": [{"number": one, "name": self._pretty(one)} for one in self.twilio.validations],
        }

    def _shown(self, call: Call) -> Json:
        return {
            "id": call.parent.sid,
            "at": call.parent.began,
            "from": self._pretty(call.parent.frm),
            "to": self._pretty(call.parent.to),
            "rings": self._pretty(call.dialled) if call.dialled else "",
            "shows": self._pretty(call.caller_id) if call.caller_id else "",
            "state": call.state,
            "ending": call.ending,
            "heard": call.heard,
            "seconds": call.seconds,
            "connecting": call.state == "ringing" and not call.dialled,
        }

    def find(self, sid: Any) -> Call:
        """The call with that id. Raises LookupError."""
        for call in self.twilio.calls:
            if call.parent.sid == sid and call.parent.direction == "inbound":
                return call
        raise LookupError("That call is over.")

    async def call(self, frm: str, to: str) -> Call:
        """Calls one of the account's numbers. Raises InvalidNumber."""
        return await self.twilio.call(self.caller(frm), to)

    async def hang_up(self, sid: Any, seconds: Any) -> None:
        """Ends a call after so many seconds of talk. Raises LookupError or ValueError."""
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST:
            raise ValueError(seconds)
        await self.find(sid).hang_up(seconds=seconds)
