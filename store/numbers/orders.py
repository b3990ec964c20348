"""Orders of numbers: each step of the purchase is one commit.

An order is stored in the account's cell, beside the number it is for and its deadline, so any process can continue it.
Steps take the deadline that caused them and meet it, so a process that was delayed past its lease changes nothing.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from domain.numbers.number import Number
from domain.numbers.orders import Order
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, Plan
from store.engine.deadlines import Deadline
from store.engine.values import Versioned, to_ms, versioned
from store.numbers.records import NO_ROOM, Numbers, decode, plan_change

# Kinds of deadlines:
ORDER = "order"  # continue an order
STRAY = "stray"  # look for a refused purchase that may still have gone through
REVIEW = "review"  # ask the carrier whether a pending number is approved


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order and the record of its number, read together."""

    order: Versioned[Order]
    number: Versioned[Number] | None


class Orders:
    """Methods raise AccountChanged, and GuardFailed if somebody else was first; then nothing was written."""

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
        replaced: bytes | None,
        limit: int,
        change: Change,
    ) -> str | None:
        """Take a slot and store the number and its order, which is due at once. `earlier`: a stray of the same number,
        which it replaces; `replaced`: see `Numbers.add`. Returns the first result if it was placed before.
        Guards: room, number, order."""
        e164 = number.e164
        plan = plan_change(snapshot, change, "number.ordered", number)
        plan.guard_set_size(NO_ROOM, snapshot.keys.slots, limit)
        plan.guard_field("number", snapshot.keys.numbers, e164, replaced)
        plan.guard_field("order", snapshot.keys.orders, e164, earlier.order.raw if earlier else None)
        self._numbers.put(plan, None, number)
        self._write(plan, order)
        plan.drop_deadline(STRAY, e164).set_deadline(ORDER, e164, change.at, soon=True)
        return await self._cell.commit(plan)

    async def advance(
        self, snapshot: AccountSnapshot, current: OrderSnapshot, after: Order, deadline: Deadline, again: datetime
    ) -> tuple[OrderSnapshot, Deadline]:
        """Store the order after a step; the caller's lease then runs until `again`. Guards: order, lease."""
        plan = Plan(snapshot).guard_field("order", snapshot.keys.orders, after.e164, current.order.raw)
        self._write(plan.meet_deadline(deadline, again), after)
        await self._cell.commit(plan)
        fence = to_ms(again)
        return replace(current, order=Versioned(after, _encode(after))), replace(deadline, fence=fence)

    async def mark(self, snapshot: AccountSnapshot, current: OrderSnapshot, after: Order) -> None:
        """Store the order with a note that does not change its course. Guards: order."""
        plan = Plan(snapshot).guard_field("order", snapshot.keys.orders, after.e164, current.order.raw)
        self._write(plan, after)
        await self._cell.commit(plan)

    async def complete(
        self,
        snapshot: AccountSnapshot,
        current: OrderSnapshot,
        after: Number,
        what: str,
        change: Change,
        deadline: Deadline,
        review: datetime | None,
    ) -> None:
        """The number is bought: store it and delete the order. `review`: when to ask for its approval.
        Guards: order, number, lease."""
        plan = self._settle(snapshot, current, after, what, change)
        plan.write("HDEL", snapshot.keys.orders, after.e164).meet_deadline(deadline)
        if review is not None:
            plan.set_deadline(REVIEW, after.e164, review)
        await self._cell.commit(plan)
        self._wake_waiters(snapshot, after.e164)

    async def await_operator(
        self,
        snapshot: AccountSnapshot,
        current: OrderSnapshot,
        order: Order,
        after: Number,
        change: Change,
        deadline: Deadline,
        again: datetime,
    ) -> None:
        """The carrier asks for something first: store the waiting number, and try the order again at `again`.
        Guards: order, number, lease."""
        plan = self._settle(snapshot, current, after, "number.waits", change)
        self._write(plan.meet_deadline(deadline, again), order)
        await self._cell.commit(plan)
        self._wake_waiters(snapshot, after.e164)

    async def refuse(
        self,
        snapshot: AccountSnapshot,
        current: OrderSnapshot,
        stray: Order | None,
        look: datetime | None,
        change: Change,
        deadline: Deadline,
    ) -> None:
        """The purchase failed: delete the number and free its slot. `stray`: the order to keep, if it may still have
        gone through; looked for at `look`. Guards: order, number, lease."""
        e164, table = current.order.value.e164, snapshot.keys.orders
        assert current.number is not None  # noqa: S101 # a refusal is of a number
        plan = plan_change(snapshot, change, "number.refused", current.number.value)
        self._guard_unchanged(plan, current)
        self._numbers.drop(plan, current.number.value)
        self._replace_result(plan, current.order.value, change.result)
        plan.meet_deadline(deadline)
        if stray is None or look is None:
            plan.write("HDEL", table, e164)
        else:
            self._write(plan, stray)
            plan.set_deadline(STRAY, e164, look)
        await self._cell.commit(plan)
        self._wake_waiters(snapshot, e164)

    async def forget(self, snapshot: AccountSnapshot, current: OrderSnapshot, deadline: Deadline) -> None:
        """Delete the order. Guards: order, lease."""
        table = snapshot.keys.orders
        plan = Plan(snapshot).guard_field("order", table, current.order.value.e164, current.order.raw)
        await self._cell.commit(plan.write("HDEL", table, current.order.value.e164).meet_deadline(deadline))

    # ── After the undo time, and under review ───────────────────────────────────────────────────────────────────

    async def begin_release(
        self, snapshot: AccountSnapshot, before: Versioned[Number], after: Number, deadline: Deadline, until: datetime
    ) -> Deadline:
        """End the undo time of a deleted number, which the caller then releases; its lease runs until `until`.
        Guards: number, lease."""
        plan = Plan(snapshot).guard_field("number", snapshot.keys.numbers, after.e164, before.raw)
        self._numbers.put(plan, before.value, after)
        await self._cell.commit(plan.meet_deadline(deadline, until))
        return replace(deadline, fence=to_ms(until))

    async def finish_release(
        self, snapshot: AccountSnapshot, before: Versioned[Number], change: Change, deadline: Deadline
    ) -> None:
        """The number is released: delete its record and its order, if any. Guards: number, lease."""
        e164 = before.value.e164
        plan = plan_change(snapshot, change, "number.released", before.value)
        plan.guard_field("number", snapshot.keys.numbers, e164, before.raw)
        self._numbers.drop(plan, before.value)
        plan.write("HDEL", snapshot.keys.orders, e164).drop_deadline(ORDER, e164).drop_deadline(REVIEW, e164)
        await self._cell.commit(plan.meet_deadline(deadline))

    async def approve(
        self, snapshot: AccountSnapshot, before: Versioned[Number], after: Number, change: Change, deadline: Deadline
    ) -> None:
        """Store a number that the carrier has approved. Guards: number, lease."""
        plan = plan_change(snapshot, change, "number.approved", after, before.value)
        plan.guard_field("number", snapshot.keys.numbers, after.e164, before.raw)
        self._numbers.put(plan, before.value, after)
        await self._cell.commit(plan.meet_deadline(deadline))

    # ── Waiting for an order ──────────────────────────────────────────────────────────────────────────────────────────

    async def wait(self, snapshot: AccountSnapshot, e164: str, seconds: float) -> None:
        """Wait until the order ends in this process, at most so long."""
        key, ended = (snapshot.account.id, e164), asyncio.Event()
        self._waiting.setdefault(key, set()).add(ended)
        try:
            if await self.get(snapshot, e164) is not None:
                async with asyncio.timeout(seconds):
                    await ended.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting[key].discard(ended)
            if not self._waiting[key]:
                del self._waiting[key]

    def _wake_waiters(self, snapshot: AccountSnapshot, e164: str) -> None:
        for ended in self._waiting.get((snapshot.account.id, e164), ()):
            ended.set()

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(
        self, snapshot: AccountSnapshot, current: OrderSnapshot, after: Number, what: str, change: Change
    ) -> Plan:
        before = current.number.value if current.number else None
        plan = plan_change(snapshot, change, what, after, before)
        self._guard_unchanged(plan, current)
        self._numbers.put(plan, before, after)
        self._replace_result(plan, current.order.value, change.result)
        return plan

    @staticmethod
    def _guard_unchanged(plan: Plan, current: OrderSnapshot) -> None:
        e164 = current.order.value.e164
        plan.guard_field("order", plan.keys.orders, e164, current.order.raw)
        plan.guard_field("number", plan.keys.numbers, e164, current.number.raw if current.number else None)

    @staticmethod
    def _replace_result(plan: Plan, order: Order, result: str) -> None:
        """Replace the stored result of the request by the order's, so that a repeat of it returns that."""
        if order.change and result:
            done = plan.keys.done(order.change)
            plan.write("SET", done, result, "XX", "KEEPTTL")

    @staticmethod
    def _write(plan: Plan, order: Order) -> None:
        plan.write("HSET", plan.keys.orders, order.e164, _encode(order))


def _encode(order: Order) -> bytes:
    return order.model_dump_json(by_alias=True).encode()
