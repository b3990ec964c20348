"""The webhooks of Twilio's calls: `/voice/inbound` and `/outbound` ask how to answer, `/status` reports ended legs.

A request whose signature is not right for `PUBLIC_URL` or whose account is not ours gets a 403 and changes nothing.
A repeated request gets the same answer and is counted once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hmac import compare_digest
from typing import Final, Literal
from urllib.parse import quote, unquote_plus

from aiohttp import web
from twilio.request_validator import RequestValidator, get_signature_algorithm

from bot.carriers import twiml
from bot.carriers.setup import INBOUND, OUTBOUND, STATUS
from bot.metrics import Metrics
from bot.telemetry import logger
from domain.phone import mask_number
from handlers.calls.voice import Announce, Answer, CallRequest, Dial, LegContext, LegEnd, Reject, Voice
from store.server.connection import ServerError, StoreUnavailable

# Twilio's "connection overrides" (its page of that name, 2026-11): up to five more tries, also after a 5xx or a
# time-out. The fragment is not sent to us.
RETRIES: Final = "#rc=5&rp=5xx,ct,rt"

_SIGNATURE: Final = "X-Twilio-Signature"
_SETTINGS: Final = "X-Twilio-Webhooks-Signature-Settings"
_MOST_FIELDS: Final = 200  # a callback has about forty
_STALE: Final = timedelta(days=2)  # a timestamp that is further off is not believed
_PAUSES: Final = (0.2, 1.0, 3.0)  # seconds before a leg is counted again after the store failed; within 15 in all
_KEPT: Final = 10_000  # legs that wait in this process for the store to be counted
_AGAIN: Final = (1.0, 2.0, 5.0, 10.0)  # seconds before those are tried again; the last for ever
_LOGGED: Final = 1_000  # legs with an impossible length that are remembered, so as to log each once

ValidationCallback = Callable[[Mapping[str, str]], Awaitable[None]]

_LOG = logger(__name__)


class WebhookForm(dict[str, list[str]]):
    """The fields of a request, each with all its values, in the form that Twilio's validator takes."""

    getall = dict.__getitem__

    def one(self, name: str) -> str:
        """The first value of a field, "" if it is missing."""
        found = self.get(name)
        return found[0] if found else ""


class VoiceHttp:
    """The three routes. `validated` is called when the validation of a caller id has ended, with the fields of the form
    and of our own query, which is signed too."""

    def __init__(
        self,
        voice: Voice,
        account_sid: str,
        auth_token: str,
        public_url: str,
        metrics: Metrics,
        now: Callable[[], datetime],
        validated: ValidationCallback | None = None,
    ) -> None:
        self._voice = voice
        self._sid = account_sid
        self._validator = RequestValidator(auth_token)
        self._public = public_url.rstrip("/")
        self._calls = {"": metrics.calls.labels("forged")}
        self._metrics = metrics
        self._now = now
        self._validated = validated
        self._logged: dict[str, None] = {}
        self._later: dict[str, LegEnd] = {}
        self._counting: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.post(INBOUND, self.inbound), web.post(OUTBOUND, self.outbound), web.post(STATUS, self.status)]

    async def inbound(self, request: web.Request) -> web.Response:
        return await self._answer(request, "inbound")

    async def outbound(self, request: web.Request) -> web.Response:
        return await self._answer(request, "outbound")

    async def _answer(self, request: web.Request, direction: Literal["inbound", "outbound"]) -> web.Response:
        form = await self._signed(request)
        if form is None:
            return _forbidden()
        call, caller, to = form.one("CallSid"), form.one("From"), form.one("To")
        if not call or len(call) > 64:
            return _document(twiml.reject())
        if direction == "inbound":
            asked = CallRequest(call, caller, form.one("Called") or to, direction)
        else:
            asked = CallRequest(call, caller, to, direction, form.one("SipDomain"), form.one("SipUsername"))
        answer = await self._voice.answer(asked)
        self._count(answer)
        match answer:
            case Reject():
                return _document(twiml.reject(answer.reason))
            case Announce():
                return _document(twiml.say(answer.text, answer.language))
            case Dial():
                callback = callback_url(self._public, answer.mark)
                return _document(twiml.dial(answer.to, answer.caller_id, answer.extension, callback))

    async def status(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        if form is None:
            return _forbidden()
        if "VerificationStatus" in form:
            if self._validated is not None:
                await self._validated({**request.query, **{name: values[0] for name, values in form.items()}})
            return web.Response(status=204)
        state = form.one("CallStatus")
        leg = form.one("CallSid")
        if state != "completed" or not leg or len(leg) > 64:
            self._metrics.callbacks.labels("nothing" if leg else "ignored").inc()
            return web.Response(status=204)
        mark, parent = _mark(request, leg), form.one("ParentCallSid")
        ended = LegEnd(leg, form.one("To"), form.one("CallDuration"), mark, self._moment(form), parent)
        try:
            result = await self._counted(ended)
        except (StoreUnavailable, ServerError) as error:
            self._metrics.callbacks.labels("store_unavailable").inc()
            _LOG.warning("the minutes of a leg wait for the store", leg=leg, reason=str(error))
            self._keep(ended)
            return web.Response(status=503)  # Twilio asks again, for a while; whoever is first counts it
        self._metrics.callbacks.labels(result).inc()
        if result == "bad":
            self._log_once(ended)
        return web.Response(status=204)

    async def _counted(self, ended: LegEnd) -> str:
        for pause in _PAUSES:
            try:
                return await self._voice.count(ended)
            except (StoreUnavailable, ServerError):
                await asyncio.sleep(pause)
        return await self._voice.count(ended)

    def _keep(self, ended: LegEnd) -> None:
        """Count the leg later: Twilio gives up within seconds, an outage may last longer."""
        if len(self._later) < _KEPT:
            self._later[ended.leg] = ended
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count_later(), name="legs that wait")

    async def _count_later(self) -> None:
        pauses = iter(_AGAIN)
        pause = next(pauses)
        while self._later:
            await asyncio.sleep(pause)
            for leg, ended in list(self._later.items()):
                try:
                    result = await self._voice.count(ended)
                except (StoreUnavailable, ServerError):
                    pause = next(pauses, _AGAIN[-1])
                    break
                del self._later[leg]
                self._metrics.callbacks.labels(result).inc()

    async def close(self) -> None:
        """Stop counting; the legs that still wait for the store are lost, and logged."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)
        if self._later:
            _LOG.error("minutes of legs were not counted: the store did not answer", legs=list(self._later)[:100])

    # ── Checks ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _signed(self, request: web.Request) -> WebhookForm | None:
        """The fields of a request that Twilio signed for our account, else None."""
        form = parse_form(await request.read())
        if form is not None and form.get("AccountSid") == [self._sid] and self._right(request, form):
            return form
        self._calls[""].inc()
        return None

    def _right(self, request: web.Request, form: WebhookForm) -> bool:
        given = request.headers.get(_SIGNATURE, "")
        path = request.raw_path
        if not given or not given.isascii() or not path.startswith("/"):
            return False
        url = self._public + path
        algorithm = get_signature_algorithm(request.headers.get(_SETTINGS))
        if algorithm != "HMAC_SHA1":  # the only one made with the account's own token
            return False
        # The URL as it nearly always is; then, by Twilio's own validator, with and without the port; then with our
        # fragment.
        if compare_digest(self._validator.compute_signature(url, form), given):
            return True
        return bool(self._validator.validate(url, form, given)) or compare_digest(
            self._validator.compute_signature(url + RETRIES, form), given
        )

    def _count(self, answer: Answer) -> None:
        counter = self._calls.get(answer.why)
        if counter is None:
            counter = self._calls[answer.why] = self._metrics.calls.labels(str(answer.why))
        counter.inc()
        if not answer.stored:
            self._metrics.blind_calls.inc()

    def _moment(self, form: WebhookForm) -> datetime:
        """When the leg ended by Twilio's timestamp; now, if it is missing or further off than `_STALE`."""
        now = self._now()
        try:
            told = parsedate_to_datetime(form.one("Timestamp"))
        except (ValueError, TypeError, IndexError):
            return now
        if told.tzinfo is None:
            told = told.replace(tzinfo=UTC)
        return told if abs(now - told) < _STALE else now

    def _log_once(self, ended: LegEnd) -> None:
        if ended.leg in self._logged:
            return
        if len(self._logged) >= _LOGGED:
            self._logged.clear()
        self._logged[ended.leg] = None
        _LOG.warning(
            "a leg with an impossible length was not counted",
            leg=ended.leg,
            number=mask_number(ended.to),
            seconds=ended.seconds[:12],
        )


def callback_url(public: str, mark: LegContext) -> str:
    """Where Twilio reports the end of a leg that we dial. It signs the whole URL, so the query can be trusted."""
    number = f"%2B{mark.number[1:]}" if mark.number.startswith("+") else quote(mark.number, safe="")
    person = f"&person={quote(mark.person, safe='')}" if mark.person else ""
    at = int(mark.at.timestamp())
    call = quote(mark.call, safe="")
    return f"{public}{STATUS}?account={mark.account}&at={at}&call={call}&number={number}{person}{RETRIES}"


def parse_form(body: bytes) -> WebhookForm | None:
    """The fields of an urlencoded body, blank ones too; None if it is none or has more than `_MOST_FIELDS`."""
    form = WebhookForm()
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return None
    pieces = text.split("&")
    if len(pieces) > _MOST_FIELDS:
        return None
    for piece in pieces:
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if value.startswith("%2B") and value[3:].isdigit():  # a number: the most frequent use of "%"
            value = f"+{value[3:]}"
        elif "%" in value or "+" in value:
            value = unquote_plus(value)
        if "%" in name or "+" in name:
            name = unquote_plus(name)
        form.setdefault(name, []).append(value)
    return form


def _mark(request: web.Request, leg: str) -> LegContext | None:
    """What our callback URL says of the leg; None for a leg that we did not dial, or an incomplete query."""
    query = request.query
    account, call, number = (query.get(name, "") for name in ("account", "call", "number"))
    at = query.get("at", "")
    if not account or not call or call == leg or not (at.isascii() and at.isdigit() and len(at) <= 11):
        return None
    return LegContext(account, call[:64], number, query.get("person") or None, datetime.fromtimestamp(int(at), UTC))


def _document(text: bytes) -> web.Response:
    return web.Response(body=text, content_type=twiml.TYPE)


def _forbidden() -> web.Response:
    return web.Response(status=403, text="The signature is not right.\n")
