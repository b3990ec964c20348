"""Call notes and minutes: the facts that a call is decided on, in one round trip, and each leg's minutes, counted once.

A call is stored under its id for `CALL_HOURS`: the facts when it came, so that a repeated request gets the same
decision, and the legs that were counted. The first leg of a call without a note waits (`wait`) until a leg that we
dialled for it (`dialled`) proves that the call is ours; so the order in which legs end does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.blocklist import Direction
from domain.calls import Alert, CallFacts, chosen_caller_id, next_alert_minutes, reached_alerts
from domain.calls import CallDirection as Way
from domain.numbers.number import Number, NumberState
from domain.numbers.usage import billable_minutes, limits, month_key
from domain.policy import CALL_HOURS
from store.blocklist.blocklist import Blocklist
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Plan
from store.engine.effects import Effect
from store.engine.values import from_ms, pairs, to_ms
from store.numbers.records import decode
from store.server.connection import StoreUnavailable
from store.server.scripts import script

_DECIDE = script("calls/call_decide")

_LIFE: Final = CALL_HOURS * 3600  # seconds
_USAGE_LIFE: Final = 397 * 86_400  # seconds: 13 months
_TRIES: Final = 50  # each fails because the blocklist has grown
_TOLD: Final = ("warning", "low", "empty")


@dataclass(frozen=True, slots=True)
class CallNote:
    """What a call was decided on. `at`: when it came; `person`: whose minutes it uses; `fresh`: stored just now."""

    at: datetime
    direction: Way
    person: str | None
    facts: CallFacts
    fresh: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg that has ended. `proof`: its signed callback says that we dialled it."""

    call: str
    id: str
    seconds: int
    number: str
    person: str | None
    began: datetime  # when the call came
    proof: bool


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call's note and legs, and what is counted in its month. The raw fields guard the next commit."""

    note: CallNote | None
    counted: frozenset[str]  # legs
    dialled: bytes | None
    wait: bytes | None
    minutes: int
    told: frozenset[str]  # alerts of the month


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A month's minutes: in all, by number, by person, by day in the account's zone."""

    minutes: int
    numbers: Mapping[str, int]
    people: Mapping[str, int]
    days: Mapping[date, int]


class Calls:
    """Every method raises AccountChanged."""

    def __init__(self, cell: Cell, blocklist: Blocklist) -> None:
        self._cell = cell
        self._blocklist = blocklist

    async def decide(
        self,
        snapshot: AccountSnapshot,
        call: str,
        direction: Way,
        now: datetime,
        *,
        own: str | None = None,
        person: str | None = None,
        emergency: bool = False,
        other: str | None = None,
        validated: bool = False,
    ) -> CallNote:
        """The facts of a call, stored when it comes first; one round trip.

        Args:
            own: the provided number that is called, or calls.
            person: who calls out.
            other: the other side's number; None: withheld.
            validated: whether the caller ID must be validated with the carrier if it is a registered number.
        """
        way = Direction(direction)
        head = [
            snapshot.keys.numbers,
            snapshot.keys.usage(month_key(snapshot.account, now)),
            snapshot.keys.call(call),
        ]
        args: list[str | int] = [to_ms(now), _LIFE, limits(snapshot.account).minutes, direction]
        args += (own or "", person or "", "1" if emergency else "0")
        more: list[str] = []
        if direction == "outbound":
            whose = person or ""
            more = [snapshot.keys.registered(whose), snapshot.keys.numbers_of(whose), snapshot.keys.index]
        for _ in range(_TRIES):
            lookup = self._blocklist.lookup(snapshot, other, way, now)
            reply = await self._cell.run(snapshot, _DECIDE, [*head, *lookup.keys, *more], [*args, *lookup.args])
            if reply[0] == b"ok":
                return _decode_note(reply[2], bool(reply[1]), validated=validated)
            self._blocklist.verdict(snapshot, other, way, reply)  # learns the levels of the number sets
        raise StoreUnavailable("The blocklist is being split all the time.")

    async def known(self, snapshot: AccountSnapshot, call: str, began: datetime) -> CallRecord:
        """The record of a call and of the month in which it began."""
        month = snapshot.keys.usage(month_key(snapshot.account, began))
        flat, (minutes, *told) = await self._cell.read(
            snapshot,
            ("HGETALL", snapshot.keys.call(call)),
            ("HMGET", month, "minutes", *(f"told:{name}" for name in _TOLD)),
        )
        fields = dict(pairs(flat))
        note = fields.get(b"note")
        return CallRecord(
            note=None if note is None else _decode_note(note, False),
            counted=frozenset(str(name[4:], "utf-8") for name in fields if name.startswith(b"leg:")),
            dialled=fields.get(b"dialled"),
            wait=fields.get(b"wait"),
            minutes=int(minutes or 0),
            told=frozenset(name for name, value in zip(_TOLD, told, strict=True) if value is not None),
        )

    @staticmethod
    def due_alerts(snapshot: AccountSnapshot, record: CallRecord, minutes: int) -> tuple[Alert, ...]:
        """The alerts that `minutes` more reach, except those sent this month."""
        return reached_alerts(limits(snapshot.account).minutes, record.minutes + minutes, record.told)

    async def count(
        self,
        snapshot: AccountSnapshot,
        record: CallRecord,
        legs: Sequence[Leg],
        alerts: Sequence[Alert],
        effects: Sequence[Effect],
    ) -> int:
        """Count legs of one call, none of which is counted yet, and send `alerts` by `effects`. Returns the
        minutes. Guards: leg, wait, alert."""
        first = legs[0]
        call, month = snapshot.keys.call(first.call), snapshot.keys.usage(month_key(snapshot.account, first.began))
        plan = Plan(snapshot)
        plan.guard_field("wait", call, "wait", record.wait)
        added = 0
        for leg in legs:
            plan.guard_field("leg", call, f"leg:{leg.id}", None)
            plan.write("HSET", call, f"leg:{leg.id}", leg.seconds)
            added += (minutes := billable_minutes([leg.seconds]))
            plan.write("HINCRBY", month, f"n:{leg.number}", minutes)
            if leg.person:
                plan.write("HINCRBY", month, f"p:{leg.person}", minutes)
        if record.wait is not None:
            plan.write("HDEL", call, "wait")
        if any(leg.proof for leg in legs):
            plan.write("HSET", call, "dialled", "1")
        for alert in alerts:
            plan.guard_field("alert", month, f"told:{alert.name}", None)
            plan.write("HSET", month, f"told:{alert.name}", first.began.isoformat())
        # Other calls may be counted in between, but not so many minutes that an alert is missed or sent twice.
        told = record.told | {alert.name for alert in alerts}
        if (next_at := next_alert_minutes(limits(snapshot.account).minutes, record.minutes + added, told)) is not None:
            plan.guard_counter("alert", month, "minutes", next_at - added)
        plan.write("HINCRBY", month, "minutes", added)
        day = first.began.astimezone(snapshot.account.zone).date()
        plan.write("HINCRBY", month, f"d:{day.isoformat()}", added)
        plan.write("EXPIRE", month, _USAGE_LIFE).write("EXPIRE", call, _LIFE)
        await self._cell.commit(plan.add_effects(effects))
        return added

    async def keep_unproven(self, snapshot: AccountSnapshot, record: CallRecord, leg: Leg) -> None:
        """Store the first leg of a call until a leg that we dialled proves the call. Guards: dialled, wait."""
        call = snapshot.keys.call(leg.call)
        plan = (
            Plan(snapshot)
            .guard_field("dialled", call, "dialled", record.dialled)
            .guard_field("wait", call, "wait", record.wait)
        )
        plan.write("HSET", call, "wait", leg.seconds).write("EXPIRE", call, _LIFE)
        await self._cell.commit(plan)

    async def breakdown(self, snapshot: AccountSnapshot, now: datetime) -> Breakdown:
        """This month's minutes."""
        month = snapshot.keys.usage(month_key(snapshot.account, now))
        numbers, people, days, total = {}, {}, {}, 0
        for name, value in pairs(await self._cell.read_one(snapshot, "HGETALL", month)):
            kind, _, rest = str(name, "utf-8").partition(":")
            match kind:
                case "minutes":
                    total = int(value)
                case "n":
                    numbers[rest] = int(value)
                case "p":
                    people[rest] = int(value)
                case "d":
                    days[date.fromisoformat(rest)] = int(value)
        return Breakdown(total, numbers, people, days)


def _decode_note(note: bytes, fresh: bool, *, validated: bool = False) -> CallNote:
    at, direction, limit, used, blocked, person, own, *others = note.split(b"\n")
    mine = decode(own) if own else None
    choices = [decode(raw) for raw in others]
    caller_id = None
    if direction == b"outbound":
        caller_id = mine or _caller_id(choices, validated)
    return CallNote(
        at=from_ms(int(at)),
        direction="outbound" if direction == b"outbound" else "inbound",
        person=str(person, "utf-8") or (mine.person if mine is not None else None),
        facts=CallFacts(mine, int(used), int(limit), blocked == b"1", caller_id),
        fresh=fresh,
    )


def _caller_id(choices: Sequence[Number], validated: bool) -> Number | None:
    registered = {number.e164: number for number in choices if number.source == "registered"}
    assigned = (number for number in choices if number.source == "provided" and number.state is NumberState.ACTIVE)
    return chosen_caller_id(registered, next(assigned, None), validated=validated)
