"""Releases deleted numbers at the end of their undo time (docs/domain.md 2)."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.numbers.number import Number, NumberState, begin_release
from domain.numbers.orders import next_try
from domain.policy import CLAIM_SECONDS, NEEDS_RETRY_MINUTES
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.ports import CarrierRefusal, Services, Unavailable
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import InDoubt
from store.engine.values import Versioned
from store.numbers.records import RELEASE

LEASE = timedelta(seconds=15)
_TRIES = 6  # counted for `next_try`, so that the next one is minutes away, not seconds
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """Handles the deadline at the end of the undo time. A number that was bought here is given back to the carrier; one
    of the operator's inventory is available again; an imported one stays at its carrier."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        self.deadlines.on(RELEASE, fire_for_account(self.services, self.deadlines, self._release))

    async def _release(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        services, now = self.services, self.services.now()
        before = await services.numbers.get(snapshot, due.name)
        number = before.value if before else None
        if before is None or number is None or number.state is not NumberState.DELETED:
            await self.deadlines.settle(due)
            return
        if number.undo_until is not None and now < number.undo_until:
            await self.deadlines.settle(due, number.undo_until)
            return
        order = await services.orders.get(snapshot, due.name)
        bought = number.carrier_id is not None or order is not None
        if bought and services.seller is None:
            log.warning("release.no_carrier", account=snapshot.account.id)
            await self.deadlines.settle(due, now + timedelta(minutes=NEEDS_RETRY_MINUTES))
            return
        if not number.leaving:
            # From here on it is too late to undo; an undo at the same moment finds that the record has changed.
            after = begin_release(number, now)
            due = await services.orders.begin_release(snapshot, before, after, due, now + LEASE)
            before = await services.numbers.get(snapshot, due.name)
            if before is None:
                return
        if bought and not await self._give_back(snapshot, before, due):
            return
        await self._forget(snapshot, before, due)

    async def _give_back(self, snapshot: AccountSnapshot, before: Versioned[Number], due: Deadline) -> bool:
        """Give the number back to the carrier; False if that must be tried again. A number without an id may have been
        bought by an order in doubt, so it is looked up."""
        services, seller = self.services, self.services.seller
        assert seller is not None  # noqa: S101 # looked at before
        try:
            id = before.value.carrier_id
            if id is None:
                bought = await seller.find(due.name)
                id = bought.id if bought is not None and bought.account == snapshot.account.id else None
            if id is not None:
                await seller.release(id)
        except (Unavailable, InDoubt, CarrierRefusal) as error:
            after = error.after if isinstance(error, Unavailable) else None
            log.warning("release.again", account=snapshot.account.id, reason=str(error))
            await self.deadlines.settle(due, next_try(_TRIES, services.now(), after))
            return False
        return True

    async def _forget(self, snapshot: AccountSnapshot, before: Versioned[Number], due: Deadline) -> None:
        services = self.services
        if due.name not in snapshot.account.inventory:
            await services.accounts.lapse_number(snapshot.account.id, due.name, CLAIM_SECONDS)
        change = Change(None, "carrier" if before.value.carrier_id else "inventory", services.now())
        await services.orders.finish_release(snapshot, before, change, due)
