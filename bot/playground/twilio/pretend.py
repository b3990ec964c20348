"""The pretend Twilio whole: its account, what people do at their phones, and what tests ask of it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any, Final, Literal

from aiohttp import web

from bot.playground.twilio import api, fields
from bot.playground.twilio import resources_numbers as numbers
from bot.playground.twilio import resources_other as other
from bot.playground.twilio.calls import NOT_IN_SERVICE, Call, Exchange, Leg, call_json
from bot.playground.twilio.errors import Trouble, TwilioError
from bot.playground.twilio.faults import Faults, Journal
from bot.playground.twilio.webhooks import Answer, Sender, Webhook
from bot.playground.twilio.world import API, Json, World, new_sid

ACCOUNT_SID: Final = "AC00000000000000000000000000000000"
AUTH_TOKEN: Final = "pretend-twilio-auth-token"  # noqa: S105 # of an account that is nowhere
KEPT_CALLS: Final = 200
Phone = Callable[[str, str, Literal["call", "sms"]], None]


@dataclass(slots=True)
class Application:
    """Where calls from the browser and from apps are asked about: a TwiML application's URLs."""

    voice_url: str = ""
    status_callback: str = ""
    sid: str = "AP00000000000000000000000000000000"


@dataclass(slots=True)
class Validation:
    """A phone number that waits for its code."""

    number: str
    code: str
    name: str
    call: str
    callback: str
    method: str


class PretendTwilio:
    """A carrier that behaves toward the bot as Twilio does.

    `phone` is told of every text message and of every call that only says something: number, text, which of the two.
    `reach`: see `webhooks.Sender`. `path`: where the account is kept over a restart. `base_url` is the API's root, for
    TWILIO_API_URL. `troubles` is what Twilio's debugger would show, `journal` every request to the API, `webhooks`
    every one sent with its answer.
    """

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
    def troubles(self) -> list[Trouble]:
        """What was wrong with the bot's answers, oldest first."""
        return self.exchange.troubles

    @property
    def webhooks(self) -> deque[tuple[Webhook, Answer]]:
        """Every request to the bot with its answer, oldest first."""
        return self.sender.log

    @property
    def unreachable(self) -> set[str]:
        """Numbers at which nothing rings: what is dialled there fails."""
        return self.exchange.unreachable

    @property
    def going(self) -> list[Call]:
        """The calls that are not over."""
        return [call for call in self.calls if not call.over]

    def changed(self) -> None:
        """Keeps the account, and tells who watches."""
        if self._path is not None:
            self.world.save(self._path)
        for listener in self.listeners:
            listener()

    def own(self, number: str, *, voice_url: str = "", status_callback: str = "", sms: bool = True) -> Json:
        """Makes a number the account's, as if bought long ago; again: only its URLs are set."""
        set_ = {"voice_url": voice_url, "status_callback": status_callback}
        found = self.world.owned(number)
        if found is None:
            found = numbers.new_number(self.account_sid, number, self.now(), {})
            found["capabilities"]["sms"] = sms
        self.world.numbers[found["sid"]] = found = found | set_
        self.changed()
        return found

    def verify(self, number: str) -> Json:
        """Makes a number a verified caller id, as if its code had been typed long ago."""
        return other.new_caller_id(self.account_sid, self.world, number, "", self.now())

    def all_calls(self) -> list[Json]:
        """Every leg as the API shows it, oldest first."""
        going = [leg for call in self.calls for leg in call.legs if leg.sid not in self.world.calls]
        return [*self.world.calls.values(), *(call_json(self.account_sid, leg, self.world) for leg in going)]

    # ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def call(self, frm: str, to: str) -> Call:
        """Somebody outside calls `to`; done once a phone rings or the call is over.

        `frm` is what the network says of the caller: a number, `anonymous`, `+266696687`, a SIP address, or nothing.
        """
        number = self.world.owned(to)
        leg = Leg(new_sid("CA"), frm, to, "inbound", self.now())
        if number is None:
            return self._nobody(leg)
        leg.callback, leg.method = number["status_callback"], number["status_callback_method"]
        call = self._new(Call(self.exchange, leg))
        fallback = (number["voice_fallback_url"], number["voice_fallback_method"])
        await call.begin(number["voice_url"], number["voice_method"], fallback)
        return call

    async def dial_out(self, frm: str, to: str, **more: str) -> Call:
        """Somebody of the account calls `to`, from an app (`client:acme.ada`), a SIP phone or a number: the application
        is asked, with `more` parameters (`SipDomain`, or what the app adds). Done once a phone rings or it is over."""
        app = self.application
        leg = Leg(new_sid("CA"), frm, to, "inbound", self.now(), callback=app.status_callback)
        call = self._new(Call(self.exchange, leg, more={"ApplicationSid": app.sid, **more}))
        await call.begin(app.voice_url, "POST")
        return call

    def _new(self, call: Call) -> Call:
        over = [one for one in self.calls if one.over]
        for old in over[: max(0, len(self.calls) - KEPT_CALLS)]:
            self.calls.remove(old)
        self.calls.append(call)
        return call

    def _nobody(self, leg: Leg) -> Call:
        """A number that is not the account's: Twilio and the bot never hear of the call."""
        call = self._new(Call(self.exchange, leg))
        leg.status, call.state, call.ending = "failed", "failed", "not in service"
        call.said.append(NOT_IN_SERVICE)
        self.changed()
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

    # ── What networks do, and attackers ─────────────────────────────────────────────────────────────────────────────

    def hold(self) -> None:
        """Keeps status callbacks back from now on."""
        self.exchange.holding = True

    async def release(self, order: Callable[[list[Webhook]], Iterable[Webhook]] = reversed) -> None:
        """Sends what was held, the last first or in another order, and holds no longer."""
        held, self.exchange.held, self.exchange.holding = self.exchange.held, [], False
        for webhook in order(held):
            await self.exchange.tell(webhook, webhook.params.get("CallSid", ""))

    async def repeat(self, webhook: Webhook) -> Answer:
        """Sends the same again: same parameters, same idempotency token, same signature."""
        return await self.sender.send(webhook)

    async def forge(
        self,
        webhook: Webhook,
        *,
        how: Literal["wrong token", "unsigned", "another URL", "changed"] = "wrong token",
    ) -> Answer:
        """Sends what Twilio never would: signed with another token, not at all, for another URL, or with a parameter
        changed after signing."""
        if how == "wrong token":
            return await self.sender.send(webhook, token="of another account")  # noqa: S106 # a wrong one
        if how == "unsigned":
            return await self.sender.send(webhook, signed="")
        elsewhere = Webhook(f"{webhook.url}x", webhook.params, webhook.method, webhook.id)
        if how == "another URL":
            return await self.sender.send(webhook, signed=self.sender.sign(elsewhere))
        changed = Webhook(webhook.url, {**webhook.params, "From": "+442079460999"}, webhook.method, webhook.id)
        return await self.sender.send(changed, signed=self.sender.sign(webhook))

    # ── Serving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def routes(self, prefix: str = "/twilio") -> list[web.RouteDef]:
        """The API below `prefix`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await api.handle(self, request)

        return [web.route("*", f"{prefix}/{{path:.*}}", handle)]

    def _soon(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Waits until what goes on by itself is done: calls that only say something, receipts of messages."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stops what goes on and closes the connections to the bot."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sender.close()


@asynccontextmanager
async def serve_twilio(
    account_sid: str = ACCOUNT_SID, auth_token: str = AUTH_TOKEN, **options: Any
) -> AsyncIterator[PretendTwilio]:
    """A pretend Twilio alone on a free loopback port, its `base_url` set; `options`: those of `PretendTwilio`."""
    twilio = PretendTwilio(account_sid, auth_token, **options)
    app = web.Application()
    app.add_routes(twilio.routes(""))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        twilio.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield twilio
    finally:
        await twilio.close()
        await runner.cleanup()
