"""Buys numbers: one step per deadline, which the step's commit settles, until the carrier's answer is definite.

A process may die at any point. A purchase in doubt is looked up at the carrier before it is tried again; a number
counts as bought only if the carrier shows that it was bought for this account; after a refusal that followed a doubt,
the number is looked for later and given back. So nothing is bought twice, and nothing that was bought is forgotten.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.numbers.number import Needs, Number, NumberState, await_operator, complete_purchase
from domain.numbers.orders import Order, OrderStep, in_doubt_until, next_look, next_try
from domain.policy import CLAIM_SECONDS, NEEDS_RETRY_MINUTES, REVIEW_POLL_MINUTES
from handlers.framework.context import Context, Notification, build_change
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.effects import screen_effect, unpack_address
from handlers.framework.events import Actor, Address
from handlers.framework.ports import CarrierNumber, CarrierRefusal, Seller, Services, Unavailable
from handlers.framework.results import Result
from handlers.numbers import results
from store.engine.accounts import AccountSnapshot
from store.engine.commit import LEASE_LOST, Change, GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect, InDoubt
from store.numbers.orders import ORDER, REVIEW, STRAY, OrderSnapshot

TRIES = 4  # of a commit whose record changes meanwhile
LEASE = timedelta(seconds=15)  # longer than a purchase and a look-up take
CARRIER = "carrier"  # the actor in the history
_RETRY = timedelta(minutes=NEEDS_RETRY_MINUTES)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OrderJob:
    """Handles the deadlines of orders. Without `services.seller`, orders wait until a carrier is configured again."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        """Handle the deadlines of orders, strays and reviews."""
        for kind, fire in ((ORDER, self._ordered), (STRAY, self._stray), (REVIEW, self._review)):
            self.deadlines.on(kind, fire_for_account(self.services, self.deadlines, fire))

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _ordered(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        services, now = self.services, self.services.now()
        record = await services.orders.get(snapshot, due.name)
        if record is None or record.number is None or record.order.value.step not in (OrderStep.OPEN, OrderStep.ASKED):
            await self.deadlines.settle(due)
            return
        if record.number.value.state in (NumberState.ACTIVE, NumberState.PORTING):  # the operator has imported it
            await services.orders.forget(snapshot, record, due)
            return
        seller = services.seller
        if seller is None:
            await self.deadlines.settle(due, now + _RETRY)
            return
        if not await services.accounts.claim_number(snapshot.account.id, due.name):
            await self._refuse(snapshot, record, due, "sold", doubted=False)
            return
        try:
            await self._go_on(snapshot, record, due, seller)
        except Unavailable as error:
            order = record.order.value.count_try()
            again = next_try(order.tries, services.now(), error.after)
            await services.orders.advance(snapshot, record, order, due, again)

    async def _go_on(self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, seller: Seller) -> None:
        """Look up a purchase in doubt, else buy. Raises Unavailable if no purchase was begun."""
        services, order = self.services, record.order.value
        assert record.number is not None  # noqa: S101 # looked at before
        until = in_doubt_until(order)
        if until is not None:
            bought = await self._ours(snapshot, order.e164, seller)
            if bought is not None:
                await self._finish(snapshot, record, due, bought, seller)
                return
            if services.now() < until:
                await self.deadlines.settle(due, until)
                return
            order = order.mark_not_found()
        if record.number.value.state is NumberState.DELETED:  # don't buy it now; undoing continues the order
            await services.orders.advance(snapshot, record, order, due, services.now() + _RETRY)
            return
        record, due = await services.orders.advance(
            snapshot, record, order.begin_try(services.now()), due, services.now() + LEASE
        )
        tries = record.order.value.tries
        try:
            bought = await seller.buy(snapshot.account, order.e164, order.country, record.order.value.needs)
        except Unavailable as error:
            again = next_try(tries, services.now(), error.after)
            await self._advance(snapshot, record, due, again, lambda order: order.reset_try())
        except InDoubt:
            moment = services.now()
            again = next_try(tries, moment)
            await self._advance(snapshot, record, due, again, lambda order: order.mark_in_doubt(moment))
        except CarrierRefusal as no:
            log.info("order.refused", account=snapshot.account.id, code=no.code, reason=no.reason)
            await self._handle_refusal(snapshot, record, due, no, seller)
        else:
            await self._finish(snapshot, record, due, bought, seller)

    async def _handle_refusal(
        self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, no: CarrierRefusal, seller: Seller
    ) -> None:
        """Check the carrier's list first: the refusal may be due to an earlier try that went through."""
        order = record.order.value
        try:
            bought = await self._ours(snapshot, order.e164, seller)
        except Unavailable:
            again = next_try(order.tries, self.services.now())
            await self._advance(snapshot, record, due, again, lambda order: order)
            return
        if bought is not None:
            await self._finish(snapshot, record, due, bought, seller)
        elif no.reason in ("address", "papers"):
            await self._commit(snapshot, record, lambda now: self._park(snapshot, now, due, no))
        else:
            why = f"{no.reason}:{no.code}"
            await self._commit(
                snapshot, record, lambda now: self._refuse(snapshot, now, due, why, doubted=order.doubted)
            )

    async def _advance(
        self,
        snapshot: AccountSnapshot,
        record: OrderSnapshot,
        due: Deadline,
        again: datetime,
        change: Callable[[Order], Order],
    ) -> None:
        """Store the changed order, and move the deadline to `again`."""
        orders = self.services.orders
        await self._commit(
            snapshot, record, lambda now: orders.advance(snapshot, now, change(now.order.value), due, again)
        )

    async def _commit(
        self, snapshot: AccountSnapshot, record: OrderSnapshot, step: Callable[[OrderSnapshot], Awaitable[object]]
    ) -> None:
        """Call `step` with the order, again if it has changed meanwhile: people may assign or delete the number during
        the deadline's lease, and what the carrier has done must be stored all the same."""
        for left in reversed(range(TRIES)):
            try:
                await step(record)
            except GuardFailed as failed:
                again = await self.services.orders.get(snapshot, record.order.value.e164)
                if failed.guard == LEASE_LOST or again is None or again.number is None or not left:
                    raise
                record = again
            else:
                return

    async def _ours(self, snapshot: AccountSnapshot, e164: str, seller: Seller) -> CarrierNumber | None:
        """The number at the carrier, if it was bought for this account. Raises Unavailable."""
        number = await seller.find(e164)
        return number if number is not None and number.account == snapshot.account.id else None

    async def _finish(
        self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, bought: CarrierNumber, seller: Seller
    ) -> None:
        if not bought.routed_here:
            try:
                await seller.route_calls(bought.id)
            except (Unavailable, InDoubt, CarrierRefusal) as error:  # `switchboard doctor` reports it
                log.warning("order.not_pointed", account=snapshot.account.id, reason=str(error))
        await self._commit(snapshot, record, lambda now: self._complete(snapshot, now, due, bought))

    async def _complete(
        self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, bought: CarrierNumber
    ) -> None:
        services, order, now = self.services, record.order.value, self.services.now()
        assert record.number is not None  # noqa: S101 # looked at before
        before = record.number.value
        after = complete_purchase(before, bought.id, bought.approved, now)
        state = after.before if after.state is NumberState.DELETED and after.before else after.state
        result = results.GetResult(order.e164, state.value)
        change = await self._change(snapshot, order, before, result, now)
        review = now + timedelta(minutes=REVIEW_POLL_MINUTES) if state is NumberState.PENDING else None
        await services.orders.complete(snapshot, record, after, "number.got", change, due, review)

    async def _park(self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, no: CarrierRefusal) -> None:
        services, order, now = self.services, record.order.value, self.services.now()
        assert record.number is not None  # noqa: S101 # looked at before
        needs: Needs = "papers" if no.reason == "papers" else "address"
        before, waiting = record.number.value, order.wait_for_operator().model_copy(update={"needs": needs})
        if before.needs == needs and before.state in (NumberState.PENDING, NumberState.DELETED):
            await services.orders.advance(snapshot, record, waiting, due, now + _RETRY)  # they were notified before
            return
        result = results.OrderNeedsResult(order.e164, needs)
        change = await self._change(snapshot, order, before, result, now)
        await services.orders.await_operator(
            snapshot, record, waiting, await_operator(before, needs, now), change, due, now + _RETRY
        )

    async def _refuse(
        self, snapshot: AccountSnapshot, record: OrderSnapshot, due: Deadline, why: str, *, doubted: bool
    ) -> None:
        services, order, now = self.services, record.order.value, self.services.now()
        assert record.number is not None  # noqa: S101 # looked at before
        result = results.OrderRefusalResult(order.e164, why)
        change = await self._change(snapshot, order, record.number.value, result, now)
        if order.e164 not in snapshot.account.inventory:
            await services.accounts.lapse_number(snapshot.account.id, order.e164, CLAIM_SECONDS)
        stray = order.stray() if doubted else None
        look = next_look(stray) if stray else None
        await services.orders.refuse(snapshot, record, stray, now + look if look else None, change, due)

    async def _change(
        self, snapshot: AccountSnapshot, order: Order, before: Number, result: Result, now: datetime
    ) -> Change:
        """The change with the order's result, sent to the person who ordered if they are not waiting for it."""
        ctx = requester_context(self.services, snapshot, order, now)
        dedup_key = f"order|{order.e164}|{order.change or order.at.isoformat()}|{result.WORD}"
        effects: tuple[Effect, ...] = ()
        to = unpack_address(order.to) if order.to else None
        if to is not None and order.needs_message(now):
            redraw = result.redraw if to.reply and order.dialog else None
            where = to if redraw else replace(to, reply=None) if to.user else to
            effects = (screen_effect(dedup_key, where, results.ROUTES.render_result(ctx, result), redraw),)
        change = await build_change(ctx, None, result, more=effects, touched=(before.person,))
        return replace(change, by=order.by)

    # ── Strays: orders refused after a doubt ────────────────────────────────────────────────────────────────────

    async def _stray(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Look whether the purchase in doubt went through after all, and give the number back."""
        services, seller, now = self.services, self.services.seller, self.services.now()
        record = await services.orders.get(snapshot, due.name)
        if record is None or record.order.value.step not in (OrderStep.STRAY, OrderStep.RELEASING):
            await self.deadlines.settle(due)
            return
        if record.number is not None:  # the operator has imported it
            await services.orders.forget(snapshot, record, due)
            return
        if seller is None:
            await self.deadlines.settle(due, now + _RETRY)
            return
        # With the claim nobody else can order it meanwhile. If another account has it, that account handles it.
        if not await services.accounts.claim_number(snapshot.account.id, due.name, CLAIM_SECONDS):
            await services.orders.forget(snapshot, record, due)
            return
        try:
            bought = await self._ours(snapshot, due.name, seller)
            if bought is None:
                looked = record.order.value.count_look()
                later = next_look(looked) if record.order.value.step is OrderStep.STRAY else None
                if later is None:
                    await services.orders.forget(snapshot, record, due)
                else:
                    await services.orders.advance(snapshot, record, looked, due, now + later)
                return
            record, due = await services.orders.advance(
                snapshot, record, record.order.value.begin_release(), due, now + LEASE
            )
            await seller.release(bought.id)
        except Unavailable as error:
            await self.deadlines.settle(due, next_try(6, services.now(), error.after))
            return
        except (InDoubt, CarrierRefusal) as error:
            log.warning("stray.not_released", account=snapshot.account.id, reason=str(error))
            await self.deadlines.settle(due, next_try(6, services.now()))
            return
        log.warning("stray.released", account=snapshot.account.id)
        await services.orders.forget(snapshot, record, due)

    # ── Numbers under review ────────────────────────────────────────────────────────────────────────────────────

    async def _review(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Ask the carrier whether a pending number is approved; if so, make it active and notify the super admins."""
        services, seller, now = self.services, self.services.seller, self.services.now()
        before = await services.numbers.get(snapshot, due.name)
        if before is None or NumberState.PENDING not in (before.value.state, before.value.before):
            await self.deadlines.settle(due)
            return
        later = now + timedelta(minutes=REVIEW_POLL_MINUTES)
        if seller is None or before.value.state is NumberState.DELETED:
            await self.deadlines.settle(due, later)
            return
        try:
            bought = await seller.find(due.name)
        except Unavailable as error:
            await self.deadlines.settle(due, next_try(6, now, error.after))
            return
        if bought is None or not bought.approved:
            await self.deadlines.settle(due, later)
            return
        after = before.value.next(now, state=NumberState.ACTIVE)
        nobody = snapshot.account.unlisted_person("", CARRIER)
        ctx = Context.for_person(services, snapshot, nobody, Actor("", "", CARRIER), now)
        notifications = []
        for admin in snapshot.account.super_admins:
            reader = ctx.for_reader(admin)
            title = reader.words("numbers.approved.title")
            text = reader.words.text("numbers.approved", number=reader.number(due.name))
            notifications.append(Notification(admin, results.confirmation_screen(reader, title, text)))
        change = await build_change(
            ctx, f"review|{due.name}|{due.fence}", None, notifications=notifications, touched=(after.person,)
        )
        await services.orders.approve(snapshot, before, after, replace(change, id=None, by=CARRIER), due)


def requester_context(services: Services, snapshot: AccountSnapshot, order: Order, now: datetime) -> Context:
    """The context of the person who ordered the number."""
    to: Address | None = unpack_address(order.to) if order.to else None
    account = snapshot.account
    person = account.person(order.by) or account.unlisted_person(to.platform if to else "", order.user)
    actor = Actor(to.platform, to.workspace, order.user) if to else Actor("", "", order.user)
    return Context.for_person(services, snapshot, person, actor, now, order.language)
