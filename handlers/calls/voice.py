"""Calls: what a call that rings is answered with, and what it cost once it has ended. No carrier, no HTTP.

A decision is one round trip to the store. Where that does not answer in `STORE_SECONDS`, the account's own choice
decides (`calls_without_store`), from what this process remembers of calls that it decided on before.
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
from handlers.framework.context import Context, addresses, words_for
from handlers.framework.effects import screen_effect
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

TRIES: Final = 4  # a record can change under a call; it does not do so for ever
COUNT_TRIES: Final = 50  # other calls of the account may end at the same moment, at the very edge of the pool
REMEMBERED: Final = 20_000  # numbers and people whose last call this process decided on
_NOBODY: Final = Actor("carrier", "", "")
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call that wants an answer. `sip_domain`, `sip_user`: what the carrier vouches for of a SIP caller."""

    call: str
    frm: str
    to: str
    direction: CallDirection
    sip_domain: str = ""
    sip_user: str = ""


@dataclass(frozen=True, slots=True)
class LegContext:
    """What a dialled leg carries along, so that its minutes can be counted whatever else is known of the call."""

    account: str
    call: str
    number: str
    person: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reject:
    """Turned away without a word. `why`: of a bounded set, for the count; `stored`: the store was asked."""

    why: str
    reason: Literal["busy", "rejected"] = "rejected"
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """Told in a sentence, then hung up."""

    why: str
    text: str
    language: str
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Dial:
    """Connected. `caller_id`: what the callee sees; None only for an emergency call from nobody's number."""

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
    """A leg has ended, says the carrier. `mark`: what the leg carried, where we dialled it; `at`: when it ended;
    `parent`: the call that it was dialled for, as the carrier says."""

    leg: str
    to: str
    seconds: str
    mark: LegContext | None
    at: datetime
    parent: str = ""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What this process knows of a number or a person from the last call it decided on."""

    snapshot: AccountSnapshot
    number: Number | None


class Voice:
    """Answers calls and counts them. `wait`: seconds that a decision may take."""

    def __init__(self, services: Services, wait: float = STORE_SECONDS) -> None:
        self._services = services
        self._calls = services.calls
        self._accounts = services.accounts
        self._wait = wait
        self._memory: OrderedDict[str, _Remembered] = OrderedDict()
        self._dialled: OrderedDict[str, LegContext] = OrderedDict()

    # ── Ringing ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, ringing: CallRequest) -> Answer:
        """The answer to a call, the same however often it is asked about. Never raises for the store."""
        answer = await self._answer(ringing)
        if isinstance(answer, Dial):
            _keep(self._dialled, ringing.call, answer.mark)
        return answer

    async def _answer(self, ringing: CallRequest) -> Answer:
        now = self._services.now()
        answer = self._in if ringing.direction == "inbound" else self._out
        try:
            async with asyncio.timeout(self._wait):
                for _ in range(TRIES):
                    try:
                        return await answer(ringing, now)
                    except AccountChanged as changed:
                        self._accounts.forget(str(changed))
        except (StoreUnavailable, ServerError, TimeoutError):
            pass
        return self._blind(ringing, now)

    async def _in(self, ringing: CallRequest, now: datetime) -> Answer:
        own = calls.parse_caller(ringing.to)
        while own is not None and (snapshot := await self._accounts.by_number(own)) is not None:
            noted = await self._calls.decide(snapshot, ringing.call, "inbound", now, own=own, other=self._from(ringing))
            if (
                noted.fresh
                and (noted.facts.own is None or noted.facts.own.state == "deleted")
                and self._accounts.forget_number(own)
                and ((other := await self._accounts.by_number(own)) is None or other.account.id != snapshot.account.id)
            ):
                continue  # it went to another account since this process last looked
            self._remember(own, snapshot, noted.facts.own)
            return self._answer_in(ringing, snapshot.account, noted.facts, noted.at)
        return Reject(CallOutcome.UNKNOWN)

    def _from(self, ringing: CallRequest) -> str | None:
        return calls.parse_caller(ringing.frm) or calls.parse_caller(ringing.frm, country_of(ringing.to))

    def _answer_in(
        self, ringing: CallRequest, account: Account, facts: CallFacts, at: datetime, *, stored: bool = True
    ) -> Answer:
        frm = self._from(ringing)
        outcome, own = calls.decide_inbound(account, facts, frm), facts.own
        if outcome in calls.REJECTED or own is None:
            return Reject(outcome, stored=stored)
        if outcome is not CallOutcome.DIAL or own.forwarding is None:
            words = _words(account)
            return Announce(outcome, words(f"voice.{outcome}"), words.language, stored)
        mark = LegContext(account.id, ringing.call, own.e164, own.person, at)
        return Dial(outcome, own.forwarding, own.forwarding_extension, frm or own.e164, mark, stored)

    async def _out(self, ringing: CallRequest, now: datetime) -> Answer:
        found = await self._caller(ringing)
        if found is None:
            return _emergency(ringing, now) or Reject(CallOutcome.UNKNOWN)
        snapshot, own, person = found
        try:
            callee = calls.parse_callee(ringing.to, snapshot.account.country)
        except Refusal as no:
            return _misdialled(snapshot.account, no)
        noted = await self._calls.decide(
            snapshot,
            ringing.call,
            "outbound",
            now,
            own=own,
            person=person.id if person else None,
            emergency=callee.kind == "emergency",
            other=callee.e164,
            validated=self._services.seller is not None and self._services.seller.validates,
        )
        if own is not None and noted.facts.own is None:
            self._accounts.forget_number(own)
            return Reject(CallOutcome.UNKNOWN)
        self._remember(ringing.frm, snapshot, noted.facts.caller_id)
        return self._answer_out(ringing, snapshot.account, callee, noted)

    async def _caller(self, ringing: CallRequest) -> tuple[AccountSnapshot, str | None, Person | None] | None:
        """Whose call it is: a provided number's, or a person's."""
        own = calls.parse_caller(ringing.frm)
        who = calls.parse_identity(ringing.frm, ringing.sip_domain, ringing.sip_user)
        if who is None:
            snapshot = await self._accounts.by_number(own) if own is not None else None
            return None if snapshot is None else (snapshot, own, None)
        snapshot = await self._accounts.recent(who.account)
        person = snapshot.account.person(who.person) if snapshot is not None else None
        return None if snapshot is None or person is None else (snapshot, None, person)

    def _answer_out(
        self, ringing: CallRequest, account: Account, callee: ParsedNumber, noted: CallNote, *, stored: bool = True
    ) -> Answer:
        outcome = calls.decide_outbound(account, noted.facts, callee)
        if outcome in calls.REJECTED:
            return Reject(outcome, stored=stored)
        if outcome is not CallOutcome.DIAL:
            words = _words(account)
            text = words(f"voice.{outcome}_out", resets=resets_on(account, noted.at))
            return Announce(outcome, text, words.language, stored)
        caller_id = noted.facts.caller_id
        shown = caller_id.e164 if caller_id else None
        mark = LegContext(account.id, ringing.call, shown or "", noted.person, noted.at)
        return Dial(outcome, callee.e164, callee.extension, shown, mark, stored)

    # ── Without the store ───────────────────────────────────────────────────────────────────────────────────────

    def _blind(self, ringing: CallRequest, now: datetime) -> Answer:
        """What is answered when the store is not: as the account chose, where this process knows the number."""
        if ringing.direction == "inbound":
            known = self._memory.get(calls.parse_caller(ringing.to) or "")
            if known is None or not known.snapshot.account.lets_through:
                return _unavailable(known.snapshot.account if known else None)
            # Nothing is known to be used or blocked; a number that was rejected before stays so.
            answer = self._answer_in(ringing, known.snapshot.account, CallFacts(known.number, 0, 1), now, stored=False)
        else:
            known = self._memory.get(ringing.frm) or self._guess(ringing)
            if known is None:
                return replace(_emergency(ringing, now) or _unavailable(None), stored=False)
            account = known.snapshot.account
            try:
                callee = calls.parse_callee(ringing.to, account.country)
            except Refusal as no:
                return replace(_misdialled(account, no), stored=False)
            if not account.lets_through and callee.kind != "emergency":
                return _unavailable(account)
            noted = CallNote(
                now, "outbound", _person(known, ringing), CallFacts(None, 0, 1, caller_id=known.number), fresh=True
            )
            answer = self._answer_out(ringing, account, callee, noted, stored=False)
        return replace(answer, why="let_through") if isinstance(answer, Dial) else answer

    def _guess(self, ringing: CallRequest) -> _Remembered | None:
        """A person of an account that this process holds, who has not called from here before."""
        who = calls.parse_identity(ringing.frm, ringing.sip_domain, ringing.sip_user)
        snapshot = self._accounts.cached(who.account) if who else None
        return _Remembered(snapshot, None) if who and snapshot and snapshot.account.person(who.person) else None

    def _remember(self, key: str, snapshot: AccountSnapshot, number: Number | None) -> None:
        _keep(self._memory, key, _Remembered(snapshot, number))

    # ── Ended ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def count(self, ended: LegEnd) -> str:
        """Counts a leg, once however often it is told of and in whatever order. What came of it: counted, repeat,
        waiting (for proof that the call was connected), nothing (it cost none), ignored (of no call of ours), bad (a
        length that can't be). Raises StoreUnavailable: nothing is known to have happened; it may be told again."""
        length = calls.seconds(ended.seconds)
        if length is None:
            return "bad"
        if length == 0:
            return "nothing"
        if ended.mark is None and ended.parent:  # told to the plain address: what this process knows must do
            ended = replace(ended, mark=self._dialled.get(ended.parent))
        account = ended.mark.account if ended.mark else None
        for _ in range(COUNT_TRIES):
            snapshot = await (self._accounts.recent(account) if account else self._accounts.by_number(ended.to))
            if snapshot is None:
                return "ignored"
            try:
                return await self._count(snapshot, ended, length)
            except AccountChanged:
                self._accounts.forget(snapshot.account.id)
            except GuardFailed:
                continue
        raise StoreUnavailable("The minutes of a call kept changing meanwhile.")

    async def _count(self, snapshot: AccountSnapshot, ended: LegEnd, length: int) -> str:
        mark, began = ended.mark, ended.at - timedelta(seconds=length)
        call = mark.call if mark else ended.leg
        at = mark.at if mark else began
        known = await self._calls.known(snapshot, call, at)
        note = known.note
        if note is not None and month_key(snapshot.account, note.at) != month_key(snapshot.account, at):
            known = await self._calls.known(snapshot, call, note.at)
        if ended.leg in known.counted:
            return "repeat"
        if mark is not None:
            began = note.at if note else mark.at
            legs = [Leg(call, ended.leg, length, mark.number, mark.person, began, proof=True)]
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
                    snapshot, known, Leg(call, call, length, ended.to, None, began, proof=False)
                )
                return "waiting"
            own = note.facts.own if note else None
            began = note.at if note else began
            number, person = (own.e164, own.person) if own else (ended.to, None)
            legs = [Leg(call, call, length, number, person, began, proof=False)]
        added = billable_minutes([leg.seconds for leg in legs])
        news: tuple[Alert, ...] = ()
        if month_key(snapshot.account, began) == month_key(snapshot.account, self._services.now()):
            news = self._calls.due_alerts(snapshot, known, added)
        effects = await self._told(snapshot, news, known.minutes + added) if news else []
        await self._calls.count(snapshot, known, legs, news, effects)
        return "counted"

    async def _told(self, snapshot: AccountSnapshot, news: tuple[Alert, ...], used: int) -> list[Effect]:
        """What the super admins are told, each where they were seen last."""
        admins, now = snapshot.account.super_admins, self._services.now()
        seen = await self._services.contacts.last_seen(snapshot, [p.id for p in admins], self._services.platforms)
        effects = []
        dedup_key = f"alert|{month_key(snapshot.account, now)}|{'+'.join(alert.name for alert in news)}"
        for person in admins:
            words = words_for(snapshot.account, person, None)
            ctx = Context(self._services, snapshot, person, _NOBODY, words, now)
            screen = alert_screen(ctx, news, used)
            effects += [
                screen_effect(f"{dedup_key}|{person.id}", to, screen) for to in addresses(ctx, person, seen)[:1]
            ]
        return effects


def alert_screen(ctx: Context, news: tuple[Alert, ...], used: int) -> Screen:
    """What is left of the month's minutes, what happens when none is, and how to get more."""
    words, limit = ctx.words, limits(ctx.account).minutes
    names = [alert.name for alert in news]
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
    """What is spoken to whoever calls, in the account's language."""
    return words_in(choose_language(account.default_person.language), account.zone)


def _emergency(ringing: CallRequest, now: datetime) -> Dial | None:
    """An emergency call of nobody that is known, to a number that is one everywhere."""
    to = calls.dialled(ringing.to)
    if to not in EMERGENCY_ANYWHERE:
        return None
    return Dial(CallOutcome.DIAL, to, None, None, LegContext("", ringing.call, "", None, now))


def _unavailable(account: Account | None) -> Announce:
    words = _words(account) if account else words_in("en", _UTC)
    return Announce("refused_without_store", words("voice.unavailable"), words.language, stored=False)


def _misdialled(account: Account, no: Refusal) -> Announce:
    words = _words(account)
    return Announce(CallOutcome.CALLEE, refusal_text(words, account, no), words.language)


def _person(known: _Remembered, ringing: CallRequest) -> str | None:
    who = calls.parse_identity(ringing.frm, ringing.sip_domain, ringing.sip_user)
    if who is None:
        return known.number.person if known.number else None
    person = known.snapshot.account.person(who.person)
    return person.id if person else None
