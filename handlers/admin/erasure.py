"""What is left of a person who is being erased goes by itself."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.ports import Services
from store.engine.accounts import AccountSnapshot
from store.engine.commit import GuardFailed
from store.engine.deadlines import Deadline, Deadlines
from store.privacy.erasure import ERASE, Erasure

STEPS: Final = 50  # of an erasure, before the deadline is given back
SOON: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class ErasureRunner:
    """Acts on deadlines of kind ERASE."""

    services: Services
    deadlines: Deadlines
    erasing: Erasure

    def register(self) -> None:
        self.deadlines.on(ERASE, fire_for_account(self.services, self.deadlines, self._erase))

    async def _erase(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        """Goes on with what a command began and did not end."""
        for _ in range(STEPS):
            kept = await self.erasing.under_way(snapshot)
            if kept is None:
                await self.deadlines.settle(due)
                return
            try:
                after, waits = await self.erasing.step(snapshot, kept, self.services.now())
            except GuardFailed:
                continue  # somebody wrote meanwhile, or goes on with it too
            if after is None:
                return
            if waits:
                break
        await self.deadlines.settle(due, self.services.now() + SOON)
