"""Deleted numbers go back to where they came from once they can't be had back any more (docs/domain.md 2)."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from domain.numbers.number import Number, NumberState, begin_release
from domain.numbers.orders import next_try
from domain.policy import CLAIM_SECONDS, NEEDS_RETRY_MINUTES
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.ports import CarrierRefusal, Services, Unavailable
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import InDoubt
from store.engine.versioned import Versioned
from store.numbers.records import RELEASE

LEASE = timedelta(seconds=15)
_AGAIN = 6  # as after so many tries: minutes, not seconds
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """What fires at the end of the undo time. A number that the operator owns is only forgotten: the inventory has it
    again. One that was imported stays with the carrier that it was at: it was not bought here."""

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
        placed = await services.orders.get(snapshot, due.name)
        bought = number.carrier_id is not None or placed is not None
        if bought and services.seller is None:
            log.warning("release.no_carrier", account=snapshot.account.id)
            await self.deadlines.settle(due, now + timedelta(minutes=NEEDS_RETRY_MINUTES))
            return
        if not number.leaving:
            # From here on undoing is too late; whoever of the two is second finds another record.
            after = begin_release(number, now)
            due = await services.orders.begin_release(snapshot, before, after, due, now + LEASE)
            found = await services.numbers.get(snapshot, due.name)
            if found is None:
                return
            before = found
        if bought and not await self._given_back(snapshot, before, due):
            return
        await self._forget(snapshot, before, due)

    async def _given_back(self, snapshot: AccountSnapshot, before: Versioned[Number], due: Deadline) -> bool:
        """Whether the carrier has the number again. One without its id may have been bought by an order in doubt."""
        services, seller = self.services, self.services.seller
        assert seller is not None  # noqa: S101 # looked at before
        try:
            id = before.value.carrier_id
            if id is None:
                found = await seller.find(due.name)
                id = found.id if found is not None and found.account == snapshot.account.id else None
            if id is not None:
                await seller.release(id)
        except (Unavailable, InDoubt, CarrierRefusal) as error:
            after = error.after if isinstance(error, Unavailable) else None
            log.warning("release.again", account=snapshot.account.id, reason=str(error))
            await self.deadlines.settle(due, next_try(_AGAIN, services.now(), after))
            return False
        return True

    async def _forget(self, snapshot: AccountSnapshot, before: Versioned[Number], due: Deadline) -> None:
        services = self.services
        if due.name not in snapshot.account.inventory:
            await services.accounts.lapse_number(snapshot.account.id, due.name, CLAIM_SECONDS)
        made = Change(None, "carrier" if before.value.carrier_id else "inventory", services.now())
        await services.orders.finish_release(snapshot, before, made, due)
