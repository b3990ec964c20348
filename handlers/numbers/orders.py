"""Buying a number: one step a deadline, each met by the commit that it causes, until the carrier's answer is definite.

A process may die anywhere. What the carrier may have heard is looked up before it is said again; a number is taken for
ours only where the carrier shows that it was bought for this account; what was refused after a doubt is looked for
later and given back. So nothing is bought twice and nothing that was bought is forgotten.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from domain.numbers.number import Needs, Number, NumberState, await_operator, complete_purchase
from domain.numbers.orders import Order, OrderStep, in_doubt_until, next_look, next_try
from domain.policy import CLAIM_SECONDS, NEEDS_RETRY_MINUTES, REVIEW_POLL_MINUTES
from handlers.framework.context import Context, Notification, build_change, words_for
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.effects import screen_effect, unpack_address
from handlers.framework.events import Actor, Address
from handlers.framework.ports import CarrierNumber, CarrierRefusal, Seller, Services, Unavailable
from handlers.framework.results import Result
from handlers.numbers import results
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.commit import LEASE_LOST, GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect, InDoubt
from store.numbers.orders import ORDER, REVIEW, STRAY, OrderSnapshot

TRIES = 4  # a record may change under a step; it does not do so for ever
LEASE = timedelta(seconds=15)  # longer than the carrier takes to answer and to be looked at
CARRIER = "carrier"  # who did it, in the history
_HOUR = timedelta(minutes=NEEDS_RETRY_MINUTES)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OrderJob:
    """What fires for orders. `services.seller` None: orders wait until a carrier is configured again."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        """Takes the deadlines of orders, strays and reviews."""
        for kind, fire in ((ORDER, self._ordered), (STRAY, self._stray), (REVIEW, self._review)):
            self.deadlines.on(kind, fire_for_account(self.services, self.deadlines, fire))

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _ordered(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        services, now = self.services, self.services.now()
        placed = await services.orders.get(snapshot, due.name)
        if placed is None or placed.number is None or placed.order.value.step not in (OrderStep.OPEN, OrderStep.ASKED):
            await self.deadlines.settle(due)
            return
        if placed.number.value.state in (
            NumberState.ACTIVE,
            NumberState.PORTING,
        ):  # the operator has imported it as it is
            await services.orders.forget(snapshot, placed, due)
            return
        seller = services.seller
        if seller is None:
            await self.deadlines.settle(due, now + _HOUR)
            return
        if not await services.accounts.claim_number(snapshot.account.id, due.name):
            await self._refuse(snapshot, placed, due, "sold", doubted=False)
            return
        try:
            await self._go_on(snapshot, placed, due, seller)
        except Unavailable as error:
            failed = placed.order.value.count_try()
            await services.orders.advance(
                snapshot, placed, failed, due, next_try(failed.tries, services.now(), error.after)
            )

    async def _go_on(self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, seller: Seller) -> None:
        """Raises Unavailable where nothing was begun that must be noted."""
        services, order = self.services, placed.order.value
        assert placed.number is not None  # noqa: S101 # looked at before
        until = in_doubt_until(order)
        if until is not None:
            found = await self._ours(snapshot, order.e164, seller)
            if found is not None:
                await self._finish(snapshot, placed, due, found, seller)
                return
            if services.now() < until:
                await self.deadlines.settle(due, until)
                return
            order = order.mark_not_found()
        if placed.number.value.state is NumberState.DELETED:  # no order is begun for it; undoing goes on with it
            await services.orders.advance(snapshot, placed, order, due, services.now() + _HOUR)
            return
        placed, due = await services.orders.advance(
            snapshot, placed, order.begin_try(services.now()), due, services.now() + LEASE
        )
        tries = placed.order.value.tries
        try:
            bought = await seller.buy(snapshot.account, order.e164, order.country, placed.order.value.needs)
        except Unavailable as error:
            again = next_try(tries, services.now(), error.after)
            await self._held(
                snapshot,
                placed,
                lambda now: services.orders.advance(snapshot, now, now.order.value.reset_try(), due, again),
            )
        except InDoubt:
            moment = services.now()
            again = next_try(tries, moment)
            await self._held(
                snapshot,
                placed,
                lambda now: services.orders.advance(snapshot, now, now.order.value.mark_in_doubt(moment), due, again),
            )
        except CarrierRefusal as no:
            log.info("order.refused", account=snapshot.account.id, code=no.code, reason=no.reason)
            await self._denied(snapshot, placed, due, no, seller)
        else:
            await self._finish(snapshot, placed, due, bought, seller)

    async def _denied(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, no: CarrierRefusal, seller: Seller
    ) -> None:
        """A no is believed once the carrier's list says the same: it may come of an earlier try that went through."""
        services, order = self.services, placed.order.value
        try:
            found = await self._ours(snapshot, order.e164, seller)
        except Unavailable:
            again = next_try(order.tries, services.now())
            await self._held(
                snapshot, placed, lambda now: services.orders.advance(snapshot, now, now.order.value, due, again)
            )
            return
        if found is not None:
            await self._finish(snapshot, placed, due, found, seller)
        elif no.reason in ("address", "papers"):
            await self._held(snapshot, placed, lambda now: self._park(snapshot, now, due, no))
        else:
            why = f"{no.reason}:{no.code}"
            await self._held(snapshot, placed, lambda now: self._refuse(snapshot, now, due, why, doubted=order.doubted))

    async def _held(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, step: Callable[[OrderSnapshot], Awaitable[object]]
    ) -> None:
        """Takes a step with the order as it is: while the deadline is ours, only its request marks it, and people may
        assign or delete the number. What the carrier has done is noted all the same."""
        for left in reversed(range(TRIES)):
            try:
                await step(placed)
            except GuardFailed as failed:
                again = await self.services.orders.get(snapshot, placed.order.value.e164)
                if failed.guard == LEASE_LOST or again is None or again.number is None or not left:
                    raise
                placed = again
            else:
                return

    async def _ours(self, snapshot: AccountSnapshot, e164: str, seller: Seller) -> CarrierNumber | None:
        """The number with the carrier, if it was bought for this account."""
        found = await seller.find(e164)
        return found if found is not None and found.account == snapshot.account.id else None

    async def _finish(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, bought: CarrierNumber, seller: Seller
    ) -> None:
        if not bought.routed_here:
            try:
                await seller.route_calls(bought.id)
            except (Unavailable, InDoubt, CarrierRefusal) as error:  # the doctor names it
                log.warning("order.not_pointed", account=snapshot.account.id, reason=str(error))
        await self._held(snapshot, placed, lambda now: self._arrived(snapshot, now, due, bought))

    async def _arrived(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, bought: CarrierNumber
    ) -> None:
        services, order, now = self.services, placed.order.value, self.services.now()
        assert placed.number is not None  # noqa: S101 # looked at before
        before = placed.number.value
        after = complete_purchase(before, bought.id, bought.approved, now)
        state = after.before if after.state is NumberState.DELETED and after.before else after.state
        result = results.Got(order.e164, state.value)
        made = await self._change(snapshot, order, before, result, now)
        review = now + timedelta(minutes=REVIEW_POLL_MINUTES) if state is NumberState.PENDING else None
        await services.orders.complete(snapshot, placed, after, "number.got", made, due, review)

    async def _park(self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, no: CarrierRefusal) -> None:
        services, order, now = self.services, placed.order.value, self.services.now()
        assert placed.number is not None  # noqa: S101 # looked at before
        needs: Needs = "papers" if no.reason == "papers" else "address"
        before, waiting = placed.number.value, order.wait_for_operator().model_copy(update={"needs": needs})
        if before.needs == needs and before.state in (NumberState.PENDING, NumberState.DELETED):
            await services.orders.advance(snapshot, placed, waiting, due, now + _HOUR)  # told before
            return
        result = results.OrderNeeds(order.e164, needs)
        made = await self._change(snapshot, order, before, result, now)
        await services.orders.await_operator(
            snapshot, placed, waiting, await_operator(before, needs, now), made, due, now + _HOUR
        )

    async def _refuse(
        self, snapshot: AccountSnapshot, placed: OrderSnapshot, due: Deadline, why: str, *, doubted: bool
    ) -> None:
        services, order, now = self.services, placed.order.value, self.services.now()
        assert placed.number is not None  # noqa: S101 # looked at before
        result = results.OrderRefused(order.e164, why)
        made = await self._change(snapshot, order, placed.number.value, result, now)
        if order.e164 not in snapshot.account.inventory:
            await services.accounts.lapse_number(snapshot.account.id, order.e164, CLAIM_SECONDS)
        stray = order.stray() if doubted else None
        look = next_look(stray) if stray else None
        await services.orders.refuse(snapshot, placed, stray, now + look if look else None, made, due)

    async def _change(
        self, snapshot: AccountSnapshot, order: Order, before: Number, result: Result, now: datetime
    ) -> Change:
        """What came of an order, and whoever must be told."""
        ctx = requester_context(self.services, snapshot, order, now)
        dedup_key = f"order|{order.e164}|{order.change or order.at.isoformat()}|{result.WORD}"
        effects: tuple[Effect, ...] = ()
        to = unpack_address(order.to) if order.to else None
        if to is not None and order.needs_message(now):
            redraw = result.redraw if to.reply and order.dialog else None
            where = to if redraw else replace(to, reply=None) if to.user else to
            effects = (screen_effect(dedup_key, where, results.ROUTES.render_result(ctx, result), redraw),)
        made = await build_change(ctx, None, result, more=effects, touched=(before.person,))
        return replace(made, by=order.by)

    # ── What was refused after a doubt ──────────────────────────────────────────────────────────────────────────

    async def _stray(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Looks whether a purchase went through unheard after all, and gives it back."""
        services, seller, now = self.services, self.services.seller, self.services.now()
        placed = await services.orders.get(snapshot, due.name)
        if placed is None or placed.order.value.step not in (OrderStep.STRAY, OrderStep.RELEASING):
            await self.deadlines.settle(due)
            return
        if placed.number is not None:  # the operator has found it, and imported it
            await services.orders.forget(snapshot, placed, due)
            return
        if seller is None:
            await self.deadlines.settle(due, now + _HOUR)
            return
        # Nobody else orders it while it is looked at; another account that has it watches over it itself.
        if not await services.accounts.claim_number(snapshot.account.id, due.name, CLAIM_SECONDS):
            await services.orders.forget(snapshot, placed, due)
            return
        try:
            found = await self._ours(snapshot, due.name, seller)
            if found is None:
                looked = placed.order.value.count_look()
                later = next_look(looked) if placed.order.value.step is OrderStep.STRAY else None
                if later is None:
                    await services.orders.forget(snapshot, placed, due)
                else:
                    await services.orders.advance(snapshot, placed, looked, due, now + later)
                return
            placed, due = await services.orders.advance(
                snapshot, placed, placed.order.value.begin_release(), due, now + LEASE
            )
            await seller.release(found.id)
        except Unavailable as error:
            await self.deadlines.settle(due, next_try(6, services.now(), error.after))
            return
        except (InDoubt, CarrierRefusal) as error:
            log.warning("stray.not_released", account=snapshot.account.id, reason=str(error))
            await self.deadlines.settle(due, next_try(6, services.now()))
            return
        log.warning("stray.released", account=snapshot.account.id)
        await services.orders.forget(snapshot, placed, due)

    # ── Numbers under review ────────────────────────────────────────────────────────────────────────────────────

    async def _review(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Asks whether a pending number is approved; the super admins are told with the change that makes it so."""
        services, seller, now = self.services, self.services.seller, self.services.now()
        kept = await services.numbers.get(snapshot, due.name)
        if kept is None or (
            kept.value.state is not NumberState.PENDING and kept.value.before is not NumberState.PENDING
        ):
            await self.deadlines.settle(due)
            return
        later = now + timedelta(minutes=REVIEW_POLL_MINUTES)
        if seller is None or kept.value.state is NumberState.DELETED:
            await self.deadlines.settle(due, later)
            return
        try:
            found = await seller.find(due.name)
        except Unavailable as error:
            await self.deadlines.settle(due, next_try(6, now, error.after))
            return
        if found is None or not found.approved:
            await self.deadlines.settle(due, later)
            return
        after = kept.value.next(now, state=NumberState.ACTIVE)
        nobody = snapshot.account.unlisted_person("", CARRIER)
        ctx = Context(
            services, snapshot, nobody, Actor("", "", CARRIER), words_for(snapshot.account, nobody, None), now
        )
        told = []
        for admin in snapshot.account.super_admins:
            reader = ctx.for_reader(admin)
            text = reader.words.text("numbers.approved", number=reader.number(due.name))
            told.append(
                Notification(admin, results.confirmation_screen(reader, reader.words("numbers.approved.title"), text))
            )
        made = await build_change(ctx, f"review|{due.name}|{due.fence}", None, told=told, touched=(after.person,))
        await services.orders.approve(snapshot, kept, after, replace(made, id=None, by=CARRIER), due)


def requester_context(services: Services, snapshot: AccountSnapshot, order: Order, now: datetime) -> Context:
    """The moment as the person who asked for the number reads it."""
    to: Address | None = unpack_address(order.to) if order.to else None
    account = snapshot.account
    person = account.person(order.by) or account.unlisted_person(to.platform if to else "", order.user)
    actor = Actor(to.platform, to.workspace, order.user) if to else Actor("", "", order.user)
    return Context(services, snapshot, person, actor, words_for(account, person, order.language), now)
