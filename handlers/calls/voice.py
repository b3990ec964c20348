"""Calls: how a call is answered, and how many minutes it is counted with once it has ended. No carrier, no HTTP.

A decision takes one round trip to the store. If the store does not answer in `STORE_SECONDS`, the account's setting
`calls_without_store` decides, from what this process remembers of earlier calls.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from domain import calls
from domain.accounts.account import Account, Person
from domain.calls import Alert, CallDirection, CallFacts, CallOutcome
from domain.numbers.number import Number
from domain.numbers.usage import billable_minutes, limits, month_key, resets_on
from domain.phone import ParsedNumber, country_of
from domain.policy import EMERGENCY_ANYWHERE, STORE_SECONDS
from domain.refusal import Refusal
from handlers.framework.addons import addon_blocks
from handlers.framework.context import Context, person_effects
from handlers.framework.events import Actor
from handlers.framework.ports import Services
from handlers.framework.refusals import refusal_text
from handlers.framework.screens import Block, Button, Buttons, Meter, Paragraph, Screen
from handlers.wording import Words, choose_language, words_in
from store.calls.records import CallNote, Leg
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.commit import GuardFailed
from store.engine.effects import Effect
from store.server.connection import ServerError, StoreUnavailable

TRIES: Final = 4  # of a decision whose account changes meanwhile
COUNT_TRIES: Final = 50  # of a commit; other calls of the account may end at the same moment
REMEMBERED: Final = 20_000  # numbers and people whose last call this process decided
_NOBODY: Final = Actor("carrier", "", "")
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call to answer. `sip_domain`, `sip_user`: the identity of a SIP caller, as the carrier authenticated it."""

    call: str
    frm: str
    to: str
    direction: CallDirection
    sip_domain: str = ""
    sip_user: str = ""


@dataclass(frozen=True, slots=True)
class LegContext:
    """Travels with a dialled leg, so that its minutes can be counted if nothing else is known of the call. `at`: when
    the call was decided."""

    account: str
    call: str
    number: str
    person: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reject:
    """Reject the call without an announcement. `why`: a label for metrics; `stored`: whether the store was asked."""

    why: str
    reason: Literal["busy", "rejected"] = "rejected"
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """Say a sentence and hang up."""

    why: str
    text: str
    language: str
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the call. `caller_id`: what the callee sees; None only for an emergency call of an unknown caller."""

    why: str
    to: str
    extension: str | None
    caller_id: str | None
    mark: LegContext
    stored: bool = True


Answer = Reject | Announce | Dial

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LegEnd:
    """The carrier's notice that a leg has ended. `seconds`: its length as the carrier writes it; `mark`: what the leg
    carried, if we dialled it; `at`: when it ended; `parent`: the id of the call that it was dialled for."""

    leg: str
    to: str
    seconds: str
    mark: LegContext | None
    at: datetime
    parent: str = ""


@dataclass(frozen=True, slots=True)
class _CallerMemory:
    """What this process knows of a number or a person from the last call that it decided."""

    snapshot: AccountSnapshot
    number: Number | None


class Voice:
    """Answers calls and counts them. `wait`: seconds that a decision may take."""

    def __init__(self, services: Services, wait: float = STORE_SECONDS) -> None:
        self._services = services
        self._calls = services.calls
        self._accounts = services.accounts
        self._wait = wait
        self._memory: OrderedDict[str, _CallerMemory] = OrderedDict()
        self._dialled: OrderedDict[str, LegContext] = OrderedDict()

    # ── Ringing ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, request: CallRequest) -> Answer:
        """The answer to a call; the same each time the carrier asks. Never raises for a failure of the store."""
        answer = await self._answer(request)
        if isinstance(answer, Dial):
            _keep(self._dialled, request.call, answer.mark)
        return answer

    async def _answer(self, request: CallRequest) -> Answer:
        now = self._services.now()
        answer = self._in if request.direction == "inbound" else self._out
        try:
            async with asyncio.timeout(self._wait):
                for _ in range(TRIES):
                    try:
                        return await answer(request, now)
                    except AccountChanged as changed:
                        self._accounts.forget(str(changed))
        except (StoreUnavailable, ServerError, TimeoutError):
            pass
        return self._blind(request, now)

    async def _in(self, request: CallRequest, now: datetime) -> Answer:
        own = calls.parse_caller(request.to)
        while own is not None and (snapshot := await self._accounts.by_number(own)) is not None:
            note = await self._calls.decide(snapshot, request.call, "inbound", now, own=own, other=self._from(request))
            if (
                note.fresh
                and (note.facts.own is None or note.facts.own.state == "deleted")
                and self._accounts.forget_number(own)
                and ((other := await self._accounts.by_number(own)) is None or other.account.id != snapshot.account.id)
            ):
                continue  # it has moved to another account since this process last looked
            _keep(self._memory, own, _CallerMemory(snapshot, note.facts.own))
            return self._answer_in(request, snapshot.account, note.facts, note.at)
        return Reject(CallOutcome.UNKNOWN)

    def _from(self, request: CallRequest) -> str | None:
        return calls.parse_caller(request.frm) or calls.parse_caller(request.frm, country_of(request.to))

    def _answer_in(
        self, request: CallRequest, account: Account, facts: CallFacts, at: datetime, *, stored: bool = True
    ) -> Answer:
        frm = self._from(request)
        outcome, own = calls.decide_inbound(account, facts, frm), facts.own
        if outcome in calls.REJECTED or own is None:
            return Reject(outcome, stored=stored)
        if outcome is not CallOutcome.DIAL or own.forwarding is None:
            words = _words(account)
            return Announce(outcome, words(f"voice.{outcome}"), words.language, stored)
        mark = LegContext(account.id, request.call, own.e164, own.person, at)
        return Dial(outcome, own.forwarding, own.forwarding_extension, frm or own.e164, mark, stored)

    async def _out(self, request: CallRequest, now: datetime) -> Answer:
        caller = await self._caller(request)
        if caller is None:
            return _emergency(request, now) or Reject(CallOutcome.UNKNOWN)
        snapshot, own, person = caller
        try:
            callee = calls.parse_callee(request.to, snapshot.account.country)
        except Refusal as no:
            return _misdialled(snapshot.account, no)
        note = await self._calls.decide(
            snapshot,
            request.call,
            "outbound",
            now,
            own=own,
            person=person.id if person else None,
            emergency=callee.kind == "emergency",
            other=callee.e164,
            validated=self._services.seller is not None and self._services.seller.validates,
        )
        if own is not None and note.facts.own is None:
            self._accounts.forget_number(own)
            return Reject(CallOutcome.UNKNOWN)
        _keep(self._memory, request.frm, _CallerMemory(snapshot, note.facts.caller_id))
        return self._answer_out(request, snapshot.account, callee, note)

    async def _caller(self, request: CallRequest) -> tuple[AccountSnapshot, str | None, Person | None] | None:
        """The caller's account, and the provided number or the person who calls; None if unknown."""
        own = calls.parse_caller(request.frm)
        who = calls.parse_identity(request.frm, request.sip_domain, request.sip_user)
        if who is None:
            snapshot = await self._accounts.by_number(own) if own is not None else None
            return None if snapshot is None else (snapshot, own, None)
        snapshot = await self._accounts.recent(who.account)
        person = snapshot.account.person(who.person) if snapshot is not None else None
        return None if snapshot is None or person is None else (snapshot, None, person)

    def _answer_out(
        self, request: CallRequest, account: Account, callee: ParsedNumber, note: CallNote, *, stored: bool = True
    ) -> Answer:
        outcome = calls.decide_outbound(account, note.facts, callee)
        if outcome in calls.REJECTED:
            return Reject(outcome, stored=stored)
        if outcome is not CallOutcome.DIAL:
            words = _words(account)
            text = words(f"voice.{outcome}_out", resets=resets_on(account, note.at))
            return Announce(outcome, text, words.language, stored)
        caller_id = note.facts.caller_id
        shown = caller_id.e164 if caller_id else None
        mark = LegContext(account.id, request.call, shown or "", note.person, note.at)
        return Dial(outcome, callee.e164, callee.extension, shown, mark, stored)

    # ── Without the store ───────────────────────────────────────────────────────────────────────────────────────

    def _blind(self, request: CallRequest, now: datetime) -> Answer:
        """The answer without the store: as the account's setting says, if this process knows the number."""
        if request.direction == "inbound":
            last = self._memory.get(calls.parse_caller(request.to) or "")
            if last is None or not last.snapshot.account.lets_through:
                return _unavailable(last.snapshot.account if last else None)
            # Minutes and blocklist count as unused and empty; a number that was rejected before stays so.
            answer = self._answer_in(request, last.snapshot.account, CallFacts(last.number, 0, 1), now, stored=False)
        else:
            last = self._memory.get(request.frm) or self._guess(request)
            if last is None:
                return replace(_emergency(request, now) or _unavailable(None), stored=False)
            account = last.snapshot.account
            try:
                callee = calls.parse_callee(request.to, account.country)
            except Refusal as no:
                return replace(_misdialled(account, no), stored=False)
            if not account.lets_through and callee.kind != "emergency":
                return _unavailable(account)
            facts = CallFacts(None, 0, 1, caller_id=last.number)
            note = CallNote(now, "outbound", _person(last, request), facts, fresh=True)
            answer = self._answer_out(request, account, callee, note, stored=False)
        return replace(answer, why="let_through") if isinstance(answer, Dial) else answer

    def _guess(self, request: CallRequest) -> _CallerMemory | None:
        """A person of a cached account of whom this process has decided no call yet."""
        who = calls.parse_identity(request.frm, request.sip_domain, request.sip_user)
        snapshot = self._accounts.cached(who.account) if who else None
        return _CallerMemory(snapshot, None) if who and snapshot and snapshot.account.person(who.person) else None

    # ── Ended ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def count(self, end: LegEnd) -> str:
        """Count the minutes of a leg, once however often and in whatever order the notices come. Returns: counted,
        repeat, waiting (for proof that the call was connected), nothing (it cost nothing), ignored (no call of ours),
        bad (an impossible length). Raises StoreUnavailable: whether it was counted is unknown, a repeat is safe."""
        length = calls.seconds(end.seconds)
        if length is None:
            return "bad"
        if length == 0:
            return "nothing"
        if end.mark is None and end.parent:  # sent to the URL without a mark: use what this process remembers
            end = replace(end, mark=self._dialled.get(end.parent))
        account = end.mark.account if end.mark else None
        for _ in range(COUNT_TRIES):
            snapshot = await (self._accounts.recent(account) if account else self._accounts.by_number(end.to))
            if snapshot is None:
                return "ignored"
            try:
                return await self._count(snapshot, end, length)
            except AccountChanged:
                self._accounts.forget(snapshot.account.id)
            except GuardFailed:
                continue
        raise StoreUnavailable("The minutes of a call kept changing meanwhile.")

    async def _count(self, snapshot: AccountSnapshot, end: LegEnd, length: int) -> str:
        mark, began = end.mark, end.at - timedelta(seconds=length)
        call = mark.call if mark else end.leg
        at = mark.at if mark else began
        known = await self._calls.known(snapshot, call, at)
        note = known.note
        if note is not None and month_key(snapshot.account, note.at) != month_key(snapshot.account, at):
            known = await self._calls.known(snapshot, call, note.at)
        if end.leg in known.counted:
            return "repeat"
        if mark is not None:
            began = note.at if note else mark.at
            legs = [Leg(call, end.leg, length, mark.number, mark.person, began, proof=True)]
            if known.wait is not None and not (note and note.direction == "outbound"):
                legs.append(Leg(call, call, int(known.wait), mark.number, mark.person, began, proof=False))
        elif note is not None and note.direction == "outbound":
            return "nothing"  # from an app or a desk phone to the carrier: no leg of the telephone network
        else:
            connected = (
                note is not None and calls.decide_inbound(snapshot.account, note.facts, None) is CallOutcome.DIAL
            )
            if not connected and known.dialled is None:
                if known.wait is not None:
                    return "repeat"
                await self._calls.keep_unproven(
                    snapshot, known, Leg(call, call, length, end.to, None, began, proof=False)
                )
                return "waiting"
            own = note.facts.own if note else None
            began = note.at if note else began
            number, person = (own.e164, own.person) if own else (end.to, None)
            legs = [Leg(call, call, length, number, person, began, proof=False)]
        added = billable_minutes([leg.seconds for leg in legs])
        alerts: tuple[Alert, ...] = ()
        if month_key(snapshot.account, began) == month_key(snapshot.account, self._services.now()):
            alerts = self._calls.due_alerts(snapshot, known, added)
        effects = await self._alert_effects(snapshot, alerts, known.minutes + added) if alerts else []
        await self._calls.count(snapshot, known, legs, alerts, effects)
        return "counted"

    async def _alert_effects(self, snapshot: AccountSnapshot, alerts: tuple[Alert, ...], used: int) -> list[Effect]:
        """Send the alert to each super admin, where they were seen last."""
        services, admins, now = self._services, snapshot.account.super_admins, self._services.now()
        seen = await services.contacts.last_seen(snapshot, [p.id for p in admins], services.platforms)
        effects = []
        dedup_key = f"alert|{month_key(snapshot.account, now)}|{'+'.join(alert.name for alert in alerts)}"
        for person in admins:
            ctx = Context.for_person(services, snapshot, person, _NOBODY, now)
            screen = alert_screen(ctx, alerts, used)
            effects += person_effects(ctx, f"{dedup_key}|{person.id}", person, screen, seen)
        return effects


def alert_screen(ctx: Context, alerts: tuple[Alert, ...], used: int) -> Screen:
    """How many minutes of the month are left, what happens when none is, and how to get more."""
    words, limit = ctx.words, limits(ctx.account).minutes
    names = [alert.name for alert in alerts]
    name = "empty" if "empty" in names else names[-1]
    text = words.text(f"alert.{name}", n=max(0, limit - used), resets=resets_on(ctx.account, ctx.now))
    label = words("usage.minutes", n=limit, used=used)
    blocks: list[Block] = [
        Paragraph(text),
        Meter(label, used, limit, words("usage.left", left=max(0, limit - used))),
        *addon_blocks(ctx),
        Buttons((Button(words("button.usage"), "numbers.usage"),)),
    ]
    title = words(f"alert.{name}.title")
    return Screen(title, tuple(blocks), summary=f"{title}: {label}")


def _keep(memory: OrderedDict[str, _T], key: str, value: _T) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _words(account: Account) -> Words:
    """The words spoken to callers, in the account's language."""
    return words_in(choose_language(account.default_person.language), account.zone)


def _emergency(request: CallRequest, now: datetime) -> Dial | None:
    """Connects the call of an unknown caller to a number that is an emergency number everywhere."""
    to = calls.dialled(request.to)
    if to not in EMERGENCY_ANYWHERE:
        return None
    return Dial(CallOutcome.DIAL, to, None, None, LegContext("", request.call, "", None, now))


def _unavailable(account: Account | None) -> Announce:
    words = _words(account) if account else words_in("en", _UTC)
    return Announce("refused_without_store", words("voice.unavailable"), words.language, stored=False)


def _misdialled(account: Account, no: Refusal) -> Announce:
    words = _words(account)
    return Announce(CallOutcome.CALLEE, refusal_text(words, account, no), words.language)


def _person(last: _CallerMemory, request: CallRequest) -> str | None:
    who = calls.parse_identity(request.frm, request.sip_domain, request.sip_user)
    if who is None:
        return last.number.person if last.number else None
    person = last.snapshot.account.person(who.person)
    return person.id if person else None
