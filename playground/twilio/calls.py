"""A call as it goes on: its two legs, what the caller hears, and the webhooks that Twilio sends because of it.

Time is virtual: `hang_up(seconds=1200)` ends a call of twenty minutes at once.
"""

from __future__ import annotations

import math
from typing import Final, Literal
from urllib.parse import urlsplit

from playground.twilio import twiml
from playground.twilio.errors import DebuggerEntry, TwimlError
from playground.twilio.legs import Exchange, Leg, call_json, places
from playground.twilio.twiml import Verb
from playground.twilio.webhooks import Webhook
from playground.twilio.world import API, new_sid, rfc2822

CallState = Literal["ringing", "in-progress", "rejected", "refused", "completed", "failed"]
BUSY_TONE: Final = "(busy tone)"
NOT_IN_SERVICE: Final = "The number you have dialled is not in service."
APPLICATION_ERROR: Final = "We are sorry, an application error has occurred. Goodbye."
LONGEST: Final = 14_400  # seconds: Dial's own limit, where none is given
MOST_DOCUMENTS: Final = 20  # of one call: a Redirect to itself ends
MOST_SAID: Final = 20_000  # seconds of Say and Pause: a loop of 0 is for ever


class Call:
    """A call through the account. `state` is one of these:

    `ringing`: the phone that was dialled rings. `in-progress`: both talk. `rejected`: Twilio did not pick up.
    `refused`: the caller heard an announcement (`heard`) and no phone rang. `completed`: the call ended after a phone
    rang; `ending` says whether it was answered. `failed`: an application error, or a number that is not there.
    """

    def __init__(self, exchange: Exchange, parent: Leg, *, more: dict[str, str] | None = None) -> None:
        self.exchange = exchange
        self.parent = parent
        self.child: Leg | None = None
        self.state: CallState = "ringing"
        self.said: list[str] = []
        self.dialled = ""
        self.caller_id = ""
        self.ending = ""
        self.seconds = 0  # talked
        self.webhooks: list[Webhook] = []
        self._more = more or {}
        self._dial: Verb | None = None
        self._rest: tuple[Verb, ...] = ()
        self._base = ""
        self._documents = 0
        self._clock = parent.began

    @property
    def legs(self) -> list[Leg]:
        """The caller's leg, then the one that was dialled."""
        return [self.parent, *([self.child] if self.child else [])]

    @property
    def heard(self) -> str:
        """What the caller heard, as text."""
        return " ".join(self.said)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state not in ("ringing", "in-progress")

    # ── Following what the bot says ─────────────────────────────────────────────────────────────────────────────────

    async def begin(self, url: str, method: str, fallback: tuple[str, str] = ("", "POST")) -> None:
        """Requests TwiML from the bot at `url` and follows it until a phone rings or the call is over."""
        try:
            await self._follow(url, method)
        except TwimlError as wrong:
            self._trouble(wrong, url)
            if not fallback[0]:
                await self._fail()
                return
            try:
                more = {"ErrorCode": str(wrong.code), "ErrorUrl": url}
                await self._follow(*fallback, more)
            except TwimlError as again:
                self._trouble(again, fallback[0])
                await self._fail()

    async def picked_up(self) -> None:
        """The phone that the API called is answered."""
        for event, status in (("initiated", "queued"), ("ringing", "ringing"), ("answered", "in-progress")):
            self.parent.status = status
            if event == "answered":
                self._pick_up()
            await self._tell(self.parent, event)

    async def follow(self, document: str) -> None:
        """Follows a TwiML document."""
        try:
            await self._run(twiml.read(document.encode(), "text/xml"))
        except TwimlError as wrong:
            self._trouble(wrong, "")
            await self._fail()

    async def _follow(self, url: str, method: str, more: dict[str, str] | None = None) -> None:
        self._documents += 1
        if self._documents > MOST_DOCUMENTS:
            raise TwimlError(11215, "the documents redirect without an end")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TwimlError(11100, f"{url or 'no URL'} can't be requested")
        webhook = Webhook(url, {**self.params(self.parent), **(more or {})}, method)
        self.webhooks.append(webhook)
        answer = await self.exchange.sender.deliver(webhook)
        self._base = url
        await self._run(twiml.read(answer.body, answer.content_type))

    async def _run(self, verbs: tuple[Verb, ...]) -> None:
        for at, verb in enumerate(verbs):
            if verb.name == "Reject":
                if at or self.parent.answered:
                    raise TwimlError(12200, "<Reject> comes first or not at all")
                await self._reject(verb)
                return
            if verb.name == "Dial":
                self._rest = verbs[at + 1 :]
                await self._ring(verb)
                return
            if verb.name == "Redirect":
                self._pick_up()
                await self._follow(twiml.absolute(self._base, verb.text), verb.attributes.get("method", "POST"))
                return
            if verb.name == "Hangup":
                break
            self._pick_up()
            self._speak(verb)
        self._pick_up()
        await self._end(self.ending or "hung up", "completed" if self.child else "refused")

    def _speak(self, verb: Verb) -> None:
        times = verb.count("loop", 1)
        seconds = verb.count("length", 1) if verb.name == "Pause" else max(1, len(verb.text) // 15) * times
        self._clock += min(seconds or MOST_SAID, MOST_SAID)
        if verb.name == "Say":
            self.said += [verb.text] * min(times or 3, 3)

    def _pick_up(self) -> None:
        if not self.parent.answered:
            self.parent.answered = self._clock
            self.parent.status = "in-progress"

    async def _reject(self, verb: Verb) -> None:
        busy = verb.attributes.get("reason") == "busy"
        self.said.append(BUSY_TONE if busy else NOT_IN_SERVICE)
        self.parent.status = "busy" if busy else "no-answer"
        await self._end("rejected", "rejected")

    async def _ring(self, dial: Verb) -> None:
        """Rings the phone; where it cannot be reached, goes on after the Dial."""
        noun = dial.nested[0] if dial.nested else Verb("Number", text=dial.text)
        self.caller_id = self._allowed(dial.attributes.get("callerId"))
        self.dialled, self._dial = noun.text, dial
        if not dial.flag("answerOnBridge"):
            self._pick_up()
        callback = noun.attributes.get("statusCallback", "")
        self.child = Leg(
            new_sid("CA"),
            self.caller_id,
            noun.text,
            "outbound-dial",
            self._clock,
            self.parent.sid,
            "initiated",
            callback=twiml.absolute(self._base, callback) if callback else "",
            method=noun.attributes.get("statusCallbackMethod", "POST"),
            events=tuple(noun.attributes.get("statusCallbackEvent", "completed").split(" ")),
        )
        await self._tell(self.child, "initiated")
        if noun.text in self.exchange.unreachable:
            await self._over("failed", "nothing rings there")
            return
        self.child.status, self.state = "ringing", "ringing"
        self.exchange.changed()
        await self._tell(self.child, "ringing")

    def _allowed(self, wanted: str | None) -> str:
        """The caller id that the phone will show. Raises TwimlError where Twilio refuses it."""
        if wanted is None:
            if ":" in self.parent.frm:
                raise TwimlError(13214, f"<Dial> from {self.parent.frm} needs a callerId")
            return self.parent.frm
        passed_on = wanted in (self.parent.frm, self.parent.to) and ":" not in wanted
        if not passed_on and not self.exchange.world.verified(wanted):
            raise TwimlError(13214, f"callerId {wanted} is neither the account's nor verified")
        return wanted

    # ── What people do ──────────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, after: float = 0) -> None:
        """Answers at the phone that rings, `after` seconds of ringing. Raises LookupError where none rings."""
        child = self._ringing()
        self._clock += after
        self._pick_up()
        child.answered, child.status, self.state = self._clock, "in-progress", "in-progress"
        self.exchange.changed()
        await self._tell(child, "answered")

    async def decline(self, after: float = 0) -> None:
        """Declines the call at the phone. Raises LookupError where nothing rings."""
        self._ringing()
        self._clock += after
        await self._over("busy", "declined")

    async def no_answer(self) -> None:
        """Nobody answers until Twilio's timeout. Raises LookupError where nothing rings."""
        self._ringing()
        assert self._dial is not None  # noqa: S101 # it rings
        self._clock += self._dial.count("timeout", 30)
        await self._over("no-answer", "not answered")

    async def hang_up(self, seconds: float = 0, by: Literal["caller", "callee"] = "caller") -> None:
        """Ends it, `seconds` after it was answered (or, while it rings, after it began to ring: the caller gives up).

        Raises LookupError where there is nothing to end.
        """
        if self.child is None or self.over:
            raise LookupError("Nobody is on that line any more.")
        assert self._dial is not None  # noqa: S101 # there is a child
        if self.state == "ringing":
            self._clock += seconds
            await self._over("canceled", "given up", ended=True)
            return
        talked = min(seconds, self._dial.count("timeLimit", LONGEST))
        self._clock += talked
        self.seconds = round(talked)
        await self._over("completed", "hung up", ended=by == "caller")

    def _ringing(self) -> Leg:
        if self.child is None or self.state != "ringing":
            raise LookupError("No phone rings any more.")
        return self.child

    # ── Its end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _over(self, status: str, ending: str, *, ended: bool = False) -> None:
        """The dialled leg is over; goes on with what comes after the Dial, unless the caller has gone (`ended`)."""
        child, dial = self.child, self._dial
        assert child is not None and dial is not None  # noqa: S101, PT018 # somebody was dialled
        child.ended, child.status, self.ending = self._clock, status, ending
        self._keep(child)
        await self._tell(child, "completed")
        action, rest = dial.attributes.get("action"), self._rest
        self._rest = ()
        try:
            if action and not ended:
                more = {
                    "DialCallSid": child.sid,
                    "DialCallStatus": status,
                    "DialBridged": str(status == "completed").lower(),
                }
                if status == "completed":
                    more["DialCallDuration"] = str(child.seconds)
                await self._follow(twiml.absolute(self._base, action), dial.attributes.get("method", "POST"), more)
            elif rest and not ended:
                await self._run(rest)
            else:
                if not self.parent.answered:
                    self.parent.status = "no-answer" if status == "canceled" else status
                await self._end(ending, "completed")
        except TwimlError as wrong:
            self._trouble(wrong, self._base)
            await self._fail()

    async def _end(self, ending: str, state: CallState) -> None:
        self.state, self.ending = state, ending
        self.parent.ended = self._clock
        if self.parent.status in ("ringing", "in-progress"):
            self.parent.status = "completed"
        self._keep(self.parent)
        self.exchange.changed()
        await self._tell(self.parent, "completed")

    async def _fail(self) -> None:
        self.said.append(APPLICATION_ERROR)
        self._pick_up()
        await self._end("application error", "failed")

    def _trouble(self, wrong: TwimlError, url: str) -> None:
        self.exchange.troubles.append(DebuggerEntry(wrong.code, wrong.why, self.parent.sid, url))

    # ── What Twilio tells ───────────────────────────────────────────────────────────────────────────────────────────

    def params(self, leg: Leg) -> dict[str, str]:
        """The parameters that all requests about a leg carry."""
        sent = {
            "CallSid": leg.sid,
            "AccountSid": self.exchange.account_sid,
            "From": leg.frm,
            "To": leg.to,
            "Caller": leg.frm,
            "Called": leg.to,
            "CallStatus": leg.status,
            "Direction": leg.direction,
            "ApiVersion": API,
            **({"ParentCallSid": leg.parent} if leg.parent else {}),
        }
        for role, number in (("From", leg.frm), ("To", leg.to), ("Caller", leg.frm), ("Called", leg.to)):
            sent |= places(role, number)
        return sent | (self._more if leg is self.parent else {})

    async def _tell(self, leg: Leg, event: str) -> None:
        if not leg.callback or event not in leg.events:
            return
        sent = self.params(leg) | {
            "Timestamp": rfc2822(self._clock),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(leg.sequence),
        }
        leg.sequence += 1
        if event == "completed":
            sent |= {"CallDuration": str(leg.seconds), "Duration": str(math.ceil(leg.seconds / 60))}
        webhook = Webhook(leg.callback, sent, leg.method)
        self.webhooks.append(webhook)
        await self.exchange.tell(webhook, leg.sid)

    def _keep(self, leg: Leg) -> None:
        """Adds a leg that has ended to the account's list of calls."""
        world = self.exchange.world
        world.calls[leg.sid] = call_json(self.exchange.account_sid, leg, world)
        world.trim()
