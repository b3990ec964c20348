"""Orders: numbers that are being bought, each step of the saga as one commit.

An order lies beside the number it is for, in the account's cell, and its deadline with it: whichever process lives
takes it up. Who acts on a deadline passes it on (`due`), so that one held up past its lease changes nothing.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from domain.numbers.number import Number
from domain.numbers.orders import Order
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import Cell, Plan
from store.engine.deadlines import Deadline
from store.engine.values import to_ms
from store.engine.versioned import Versioned, versioned
from store.numbers.records import NO_ROOM, Numbers, decode, plan_change

ORDER = "order"  # the deadline at which an order is gone on with
STRAY = "stray"  # … at which a purchase that may have gone through unheard is looked for
REVIEW = "review"  # … at which the carrier is asked whether a pending number is approved


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order and the record of the number it is for, as they were read together."""

    order: Versioned[Order]
    number: Versioned[Number] | None


class Orders:
    """Methods raise AccountChanged, and GuardFailed where somebody was first: then nothing was done."""

    def __init__(self, cell: Cell, numbers: Numbers) -> None:
        self._cell = cell
        self._numbers = numbers
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}

    async def get(self, snapshot: AccountSnapshot, e164: str) -> OrderSnapshot | None:
        raw, number = await self._cell.read(
            snapshot, ("HGET", snapshot.keys.orders, e164), ("HGET", snapshot.keys.numbers, e164)
        )
        order = versioned(raw, Order.decode)
        return None if order is None else OrderSnapshot(order, versioned(number, decode))

    async def all(self, snapshot: AccountSnapshot) -> list[Order]:
        """Every order of the account. For the command line."""
        raws = await self._cell.read_one(snapshot, "HVALS", snapshot.keys.orders)
        return sorted(map(Order.decode, raws), key=lambda order: order.e164)

    async def place(
        self,
        snapshot: AccountSnapshot,
        number: Number,
        order: Order,
        earlier: OrderSnapshot | None,
        over: bytes | None,
        limit: int,
        change: Change,
    ) -> str | None:
        """A slot, the number and the order, at once begun. `earlier`: a stray of the same number that it takes up;
        `over`: see `Numbers.add`. The first result where it was done before. Guards: room, number, order."""
        e164 = number.e164
        plan = plan_change(snapshot, change, "number.ordered", number)
        plan.guard_set_size(NO_ROOM, snapshot.keys.slots, limit)
        plan.guard_field("number", snapshot.keys.numbers, e164, over)
        plan.guard_field("order", snapshot.keys.orders, e164, earlier.order.raw if earlier else None)
        self._numbers.put(plan, None, number)
        self._write(plan, order)
        plan.drop_deadline(STRAY, e164).set_deadline(ORDER, e164, change.at, soon=True)
        return await self._cell.commit(plan)

    async def advance(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, after: Order, due: Deadline, again: datetime
    ) -> tuple[OrderSnapshot, Deadline]:
        """The order one step further, the caller's until `again`. Guards: order, lease."""
        plan = Plan(snapshot).guard_field("order", snapshot.keys.orders, after.e164, placed.order.raw)
        self._write(plan.meet_deadline(due, again), after)
        await self._cell.commit(plan)
        fence = to_ms(again)
        return replace(placed, order=Versioned(after, _encode(after))), replace(due, fence=fence)

    async def mark(self, snapshot: AccountSnapshot, placed: OrderSnapshot, after: Order) -> None:
        """A word on the order that changes nothing of its course. Guards: order."""
        plan = Plan(snapshot).guard_field("order", snapshot.keys.orders, after.e164, placed.order.raw)
        self._write(plan, after)
        await self._cell.commit(plan)

    async def complete(
        self,
        snapshot: AccountSnapshot,
        placed: OrderSnapshot,
        after: Number,
        what: str,
        change: Change,
        due: Deadline,
        review: datetime | None,
    ) -> None:
        """Bought: the number is the account's and the order is over. `review`: when to ask for its approval.
        Guards: order, number, lease."""
        plan = self._settle(snapshot, placed, after, what, change)
        plan.write("HDEL", snapshot.keys.orders, after.e164).meet_deadline(due)
        if review is not None:
            plan.set_deadline(REVIEW, after.e164, review)
        await self._cell.commit(plan)
        self._tell(snapshot, after.e164)

    async def await_operator(
        self,
        snapshot: AccountSnapshot,
        placed: OrderSnapshot,
        order: Order,
        after: Number,
        change: Change,
        due: Deadline,
        again: datetime,
    ) -> None:
        """The number waits for what the carrier asks for; the order is tried again. Guards: order, number, lease."""
        plan = self._settle(snapshot, placed, after, "number.waits", change)
        self._write(plan.meet_deadline(due, again), order)
        await self._cell.commit(plan)
        self._tell(snapshot, after.e164)

    async def refuse(
        self,
        snapshot: AccountSnapshot,
        placed: OrderSnapshot,
        stray: Order | None,
        look: datetime | None,
        change: Change,
        due: Deadline,
    ) -> None:
        """No number: its record and slot are gone. `stray`: what is kept to `look` for it later.
        Guards: order, number, lease."""
        e164, table = placed.order.value.e164, snapshot.keys.orders
        assert placed.number is not None  # noqa: S101 # a refusal is of a number
        plan = plan_change(snapshot, change, "number.refused", placed.number.value)
        self._same(plan, placed)
        self._numbers.drop(plan, placed.number.value)
        self._answer(plan, placed.order.value, change.result)
        plan.meet_deadline(due)
        if stray is None or look is None:
            plan.write("HDEL", table, e164)
        else:
            self._write(plan, stray)
            plan.set_deadline(STRAY, e164, look)
        await self._cell.commit(plan)
        self._tell(snapshot, e164)

    async def forget(self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline) -> None:
        """Nothing is left of the order. Guards: order, lease."""
        table = snapshot.keys.orders
        plan = Plan(snapshot).guard_field("order", table, placed.order.value.e164, placed.order.raw)
        await self._cell.commit(plan.write("HDEL", table, placed.order.value.e164).meet_deadline(due))

    # ── After the undo time, and under review ───────────────────────────────────────────────────────────────────

    async def begin_release(
        self, snapshot: AccountSnapshot, before: Versioned[Number], after: Number, due: Deadline, until: datetime
    ) -> Deadline:
        """From here on the number can't be had back: it is the caller's to give back until `until`.
        Guards: number, lease."""
        plan = Plan(snapshot).guard_field("number", snapshot.keys.numbers, after.e164, before.raw)
        self._numbers.put(plan, before.value, after)
        await self._cell.commit(plan.meet_deadline(due, until))
        return replace(due, fence=to_ms(until))

    async def finish_release(
        self, snapshot: AccountSnapshot, before: Versioned[Number], change: Change, due: Deadline
    ) -> None:
        """Given back: no record is left of the number, nor of an order of it. Guards: number, lease."""
        e164 = before.value.e164
        plan = plan_change(snapshot, change, "number.released", before.value)
        plan.guard_field("number", snapshot.keys.numbers, e164, before.raw)
        self._numbers.drop(plan, before.value)
        plan.write("HDEL", snapshot.keys.orders, e164).drop_deadline(ORDER, e164).drop_deadline(REVIEW, e164)
        await self._cell.commit(plan.meet_deadline(due))

    async def approve(
        self, snapshot: AccountSnapshot, before: Versioned[Number], after: Number, change: Change, due: Deadline
    ) -> None:
        """Approved. Guards: number, lease."""
        plan = plan_change(snapshot, change, "number.approved", after, before.value)
        plan.guard_field("number", snapshot.keys.numbers, after.e164, before.raw)
        self._numbers.put(plan, before.value, after)
        await self._cell.commit(plan.meet_deadline(due))

    # ── Waiting for it ──────────────────────────────────────────────────────────────────────────────────────────

    async def wait(self, snapshot: AccountSnapshot, e164: str, seconds: float) -> None:
        """Until an order comes to its end in this process, or for so long."""
        key, over = (snapshot.account.id, e164), asyncio.Event()
        self._waiting.setdefault(key, set()).add(over)
        try:
            if await self.get(snapshot, e164) is not None:
                async with asyncio.timeout(seconds):
                    await over.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting[key].discard(over)
            if not self._waiting[key]:
                del self._waiting[key]

    def _tell(self, snapshot: AccountSnapshot, e164: str) -> None:
        for over in self._waiting.get((snapshot.account.id, e164), ()):
            over.set()

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, after: Number, what: str, change: Change
    ) -> Plan:
        before = placed.number.value if placed.number else None
        plan = plan_change(snapshot, change, what, after, before)
        self._same(plan, placed)
        self._numbers.put(plan, before, after)
        self._answer(plan, placed.order.value, change.result)
        return plan

    @staticmethod
    def _same(plan: Plan, placed: OrderSnapshot) -> None:
        e164 = placed.order.value.e164
        plan.guard_field("order", plan.keys.orders, e164, placed.order.raw)
        plan.guard_field("number", plan.keys.numbers, e164, placed.number.raw if placed.number else None)

    @staticmethod
    def _answer(plan: Plan, order: Order, result: str) -> None:
        """A repeat of the request is answered with what came of it, for as long as its first answer is kept."""
        if order.change and result:
            done = plan.keys.done(order.change)
            plan.write("SET", done, result, "XX", "KEEPTTL")

    @staticmethod
    def _write(plan: Plan, order: Order) -> None:
        plan.write("HSET", plan.keys.orders, order.e164, _encode(order))


def _encode(order: Order) -> bytes:
    return order.model_dump_json(by_alias=True).encode()
