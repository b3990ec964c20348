"""The jobs that deadlines start, and the handler that loads the account for their steps."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeAlias

from handlers.framework.ports import Services
from store.engine.accounts import AccountSnapshot
from store.engine.commit import LEASE_LOST, GuardFailed
from store.engine.deadlines import Deadline, DeadlineHandler, Deadlines


class DeadlineJob(Protocol):
    """A job that deadlines start; built once a process."""

    def register(self) -> None:
        """Register the handlers for its kinds of deadlines, before the sweep starts."""


DeadlineStep: TypeAlias = Callable[[AccountSnapshot, Deadline], Awaitable[None]]
SOON = timedelta(seconds=1)


def fire_for_account(services: Services, deadlines: Deadlines, step: DeadlineStep) -> DeadlineHandler:
    """A handler that calls `step` with the account, again if the account changes meanwhile. The deadline is removed if
    the account is gone, and moved to `SOON` if the step's commit failed because the record had changed."""

    async def fire(due: Deadline) -> None:
        async def of(snapshot: AccountSnapshot) -> bool:
            await step(snapshot, due)
            return True

        try:
            if await services.accounts.run_on_current(due.account, of) is None:
                await deadlines.settle(due)
        except GuardFailed as failed:
            if failed.guard != LEASE_LOST:  # whoever has the lease now settles the deadline
                await deadlines.settle(due, services.now() + SOON)

    return fire
