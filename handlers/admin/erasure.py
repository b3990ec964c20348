"""Continues erasures of people that a command began."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.ports import Services
from store.engine.accounts import AccountSnapshot
from store.engine.commit import GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.privacy.erasure import ERASE, Erasure

STEPS: Final = 50  # of an erasure per deadline
SOON: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ErasureRunner:
    """Handles deadlines of kind ERASE."""

    services: Services
    deadlines: Deadlines
    erasing: Erasure

    def register(self) -> None:
        self.deadlines.on(ERASE, fire_for_account(self.services, self.deadlines, self._erase))

    async def _erase(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Take up to `STEPS` steps of the erasure; the deadline moves if more are left."""
        for _ in range(STEPS):
            record = await self.erasing.under_way(snapshot)
            if record is None:
                await self.deadlines.settle(due)
                return
            try:
                after, waits = await self.erasing.step(snapshot, record, self.services.now())
            except GuardFailed:
                continue  # the record has changed, or another process continues the erasure too
            if after is None:
                return
            if waits:
                break
        await self.deadlines.settle(due, self.services.now() + SOON)
