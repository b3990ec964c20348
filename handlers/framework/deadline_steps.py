"""What deadlines start; and what a step is wrapped in: the account as it is, decided anew where it changes, nothing
done twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeAlias

from handlers.framework.ports import Services
from store.engine.accounts import AccountSnapshot
from store.engine.commit import LEASE_LOST, GuardFailed
from store.engine.deadlines import Deadline, DeadlineHandler, Deadlines


class DeadlineJob(Protocol):
    """Something that deadlines start. Built once a process, with its `Services` and the `Deadlines`."""

    def register(self) -> None:
        """Take the deadlines of its kinds, before they are swept."""


DeadlineStep: TypeAlias = Callable[[AccountSnapshot, Deadline], Awaitable[None]]
SOON = timedelta(seconds=1)


def fire_for_account(services: Services, deadlines: Deadlines, step: DeadlineStep) -> DeadlineHandler:
    """Acts on a deadline of an account. One of an account that is gone is met; where somebody else was first with what
    it is about, it comes again."""

    async def fire(due: Deadline) -> None:
        async def of(snapshot: AccountSnapshot) -> bool:
            await step(snapshot, due)
            return True

        try:
            if await services.accounts.run_on_current(due.account, of) is None:
                await deadlines.settle(due)
        except GuardFailed as failed:
            if failed.guard != LEASE_LOST:  # where its lease was renewed since, it comes when that one is over
                await deadlines.settle(due, services.now() + SOON)

    return fire
