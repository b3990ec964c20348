"""The pretend Twilio's account: its numbers, calls and messages, and the API operations that create them."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final, Literal

from playground.twilio import fields
from playground.twilio import resources_numbers as numbers
from playground.twilio import resources_other as other
from playground.twilio.calls import Call
from playground.twilio.errors import DebuggerEntry, TwilioError
from playground.twilio.faults import Faults, Journal
from playground.twilio.legs import Exchange, Leg, call_json
from playground.twilio.webhooks import Answer, Sender, Webhook
from playground.twilio.world import API, Json, World, new_sid

ACCOUNT_SID: Final = "AC00000000000000000000000000000000"
AUTH_TOKEN: Final = "pretend-twilio-auth-token"  # noqa: S105 # of an account that is nowhere
KEPT_CALLS: Final = 200
Phone = Callable[[str, str, Literal["call", "sms"]], None]


@dataclass(slots=True)
class Application:
    """A TwiML application: the URLs that answer for calls from the browser and from apps."""

    voice_url: str = ""
    status_callback: str = ""
    sid: str = "AP00000000000000000000000000000000"


@dataclass(slots=True)
class Validation:
    """A phone number to be verified by a code."""

    number: str
    code: str
    name: str
    call: str
    callback: str
    method: str


class Account:
    """The account, and the parts that everything in it shares. See `PretendTwilio` for the arguments."""

    def __init__(
        self,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        *,
        base_url: str = "",
        world: World | None = None,
        phone: Phone | None = None,
        reach: Mapping[str, str] | None = None,
        now: Callable[[], float] = time,
        path: Path | None = None,
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.base_url = base_url
        self.world = world or World()
        self.phone = phone
        self.now = now
        self.faults, self.journal = Faults(), Journal()
        self.application = Application()
        self.sender = Sender(auth_token, reach)
        self.exchange = Exchange(account_sid, self.world, self.sender, now, self.changed)
        self.calls: list[Call] = []
        self.validations: dict[str, Validation] = {}
        self.listeners: list[Callable[[], None]] = []
        self._path = path
        self._tasks: set[asyncio.Task[None]] = set()

    # ── The account ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def troubles(self) -> list[DebuggerEntry]:
        """The debugger's entries about the bot's answers, oldest first."""
        return self.exchange.troubles

    @property
    def webhooks(self) -> deque[tuple[Webhook, Answer]]:
        """Every request to the bot with its answer, oldest first."""
        return self.sender.log

    @property
    def unreachable(self) -> set[str]:
        """Numbers that cannot be reached: a call to one fails."""
        return self.exchange.unreachable

    @property
    def going(self) -> list[Call]:
        """The calls that are not over."""
        return [call for call in self.calls if not call.over]

    def changed(self) -> None:
        """Saves the account and calls the listeners."""
        if self._path is not None:
            self.world.save(self._path)
        for listener in self.listeners:
            listener()

    def own(self, number: str, *, voice_url: str = "", status_callback: str = "", sms: bool = True) -> Json:
        """Gives the account a number as if bought long ago; one that it has gets the URLs."""
        set_ = {"voice_url": voice_url, "status_callback": status_callback}
        found = self.world.owned(number)
        if found is None:
            found = numbers.new_number(self.account_sid, number, self.now(), {})
            found["capabilities"]["sms"] = sms
        self.world.numbers[found["sid"]] = found = found | set_
        self.changed()
        return found

    def verify(self, number: str) -> Json:
        """Adds a verified caller id, as if its code had been typed long ago."""
        return other.new_caller_id(self.account_sid, self.world, number, "", self.now())

    def all_calls(self) -> list[Json]:
        """Every leg as the API shows it, oldest first."""
        going = [leg for call in self.calls for leg in call.legs if leg.sid not in self.world.calls]
        return [*self.world.calls.values(), *(call_json(self.account_sid, leg, self.world) for leg in going)]

    def _new(self, call: Call) -> Call:
        over = [one for one in self.calls if one.over]
        for old in over[: max(0, len(self.calls) - KEPT_CALLS)]:
            self.calls.remove(old)
        self.calls.append(call)
        return call

    def call_by_api(self, args: Mapping[str, str]) -> Json:
        """`POST Calls`: a call that says something, answered at once. Raises TwilioError."""
        callbacks = ("StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod")
        fields.known(args, "To", "From", "Twiml", "Url", "Method", "Timeout", "TimeLimit", "SendDigits", *callbacks)
        to = fields.e164(args, "To", 21201, 21211)
        frm = fields.e164(args, "From", 21213, 21212)
        if bool(args.get("Twiml")) == bool(args.get("Url")):
            raise TwilioError(21205, args.get("Url", ""))
        url, method = fields.web_address(args, "Url"), fields.method(args, "Method")
        if not self.world.verified(frm):
            raise TwilioError(21210, frm)
        if not re.fullmatch(r"[0-9wW#*]{0,32}", args.get("SendDigits", "")):
            raise TwilioError(21402, "SendDigits")
        events = tuple(args.get("StatusCallbackEvent", "completed").split())
        if not set(events) <= {"initiated", "ringing", "answered", "completed"}:
            raise TwilioError(21402, "StatusCallbackEvent")
        leg = Leg(
            new_sid("CA"),
            frm,
            to,
            "outbound-api",
            self.now(),
            status="queued",
            callback=fields.web_address(args, "StatusCallback"),
            method=fields.method(args, "StatusCallbackMethod"),
            events=events,
        )
        call = self._new(Call(self.exchange, leg))
        made = call_json(self.account_sid, leg, self.world)
        self._soon(self._speak(call, args.get("Twiml", ""), url, method))
        return made

    async def _speak(self, call: Call, twiml: str, url: str, method: str) -> None:
        leg = call.parent
        if leg.to in self.unreachable:
            leg.status, leg.ended, call.state, call.ending = "no-answer", self.now(), "completed", "not answered"
            self.world.calls[leg.sid] = call_json(self.account_sid, leg, self.world)
            self.changed()
            return
        await call.picked_up()
        if twiml:
            await call.follow(twiml)
        else:
            await call.begin(url, method)
        if self.phone and call.state != "failed":
            self.phone(leg.to, call.heard, "call")

    # ── Text messages and caller ids ────────────────────────────────────────────────────────────────────────────────

    def send_message(self, args: Mapping[str, str]) -> Json:
        """`POST Messages`. Raises TwilioError."""
        if args.get("To") in self.unreachable:
            raise TwilioError(21612, args["To"])
        made = other.new_message(self.account_sid, self.world, args, self.now())
        if self.phone:
            self.phone(made["to"], made["body"], "sms")
        if args.get("StatusCallback"):
            self._soon(self._delivered(made, args["StatusCallback"]))
        return made

    async def _delivered(self, message: Json, url: str) -> None:
        for status in ("sent", "delivered"):
            sent = {
                "AccountSid": self.account_sid,
                "ApiVersion": API,
                "From": message["from"],
                "To": message["to"],
                "MessageSid": message["sid"],
                "SmsSid": message["sid"],
                "MessageStatus": status,
                "SmsStatus": status,
            }
            await self.exchange.tell(Webhook(url, sent), message["sid"])

    def ask_validation(self, args: Mapping[str, str]) -> Json:
        """`POST OutgoingCallerIds`: calls the number, which must be given the code that the answer holds.

        Raises TwilioError.
        """
        fields.known(
            args, "PhoneNumber", "FriendlyName", "CallDelay", "Extension", "StatusCallback", "StatusCallbackMethod"
        )
        number = fields.e164(args, "PhoneNumber", 21401, 21401)
        fields.whole(args, "CallDelay", 0, 0, 60)
        if self.world.verified(number):
            raise TwilioError(21450, number)
        code = f"{secrets.randbelow(10**6):06d}"
        callback, method = fields.web_address(args, "StatusCallback"), fields.method(args, "StatusCallbackMethod")
        name = args.get("FriendlyName", "") or number
        self.validations[number] = Validation(number, code, name, new_sid("CA"), callback, method)
        if self.phone:
            self.phone(number, "This is Twilio. Please type your validation code.", "call")
        return {
            "account_sid": self.account_sid,
            "call_sid": self.validations[number].call,
            "friendly_name": name,
            "phone_number": number,
            "validation_code": code,
        }

    async def type_code(self, number: str, code: str) -> bool:
        """Somebody types a code at the phone that Twilio called; whether it was right. Raises LookupError."""
        waiting = self.validations.pop(number, None)
        if waiting is None:
            raise LookupError("Twilio is not waiting for a code at that phone.")
        right = re.sub(r"\D", "", code) == waiting.code
        sent = {
            "AccountSid": self.account_sid,
            "ApiVersion": API,
            "CallSid": waiting.call,
            "CallStatus": "completed",
            "Called": number,
            "To": number,
            "Direction": "outbound-api",
            "VerificationStatus": "success" if right else "failed",
        }
        if right:
            made = other.new_caller_id(self.account_sid, self.world, number, waiting.name, self.now())
            sent["OutgoingCallerIdSid"] = made["sid"]
        self.changed()
        if waiting.callback:
            await self.exchange.tell(Webhook(waiting.callback, sent, waiting.method), waiting.call)
        return right

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Waits for background tasks: calls that only say something, and status callbacks of messages."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Cancels background tasks and closes the connections to the bot."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.close()
