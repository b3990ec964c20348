"""A process that orders a number and dies at its n-th step, as often as it is told to.

`python -m tests.faults.buyer REDIS TWILIO` reads lines `HOW STEP ID` and answers each with `died` or `lived`: a child
orders a number by a command with that id and acts on its deadlines until none is left; before (`before`) or a moment
after (`during`) it begins the step of that number, it kills itself with SIGKILL. A step is a call to the store or a
request to the carrier. Forked, so that a round takes no imports.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bot.carriers.twilio_client import Transport
from domain import policy
from handlers.framework.events import Address, Command
from handlers.numbers import orders, releases
from store.server.connection import Store
from tests.handlers.shop import Shop

LEASE = 0.5  # seconds
DURING = 0.002  # seconds after a step began


class Hurried(Shop):
    """A shop on the real clock."""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @now.setter
    def now(self, _fixed: datetime) -> None:
        pass


def hurry() -> None:
    """Leases and waits as short as a test has patience for; how they follow one another stays."""
    policy.ORDER_DOUBT_SECONDS = 0.3  # type: ignore[misc] # this process is a test's
    policy.ORDER_RETRY_SECONDS = 0.1  # type: ignore[misc] # likewise
    orders.LEASE = releases.LEASE = timedelta(seconds=LEASE)


def shop(store: Store, account_sid: str, auth_token: str, base_url: str) -> Hurried:
    side: Any = SimpleNamespace(account_sid=account_sid, auth_token=auth_token, base_url=base_url)
    made = Hurried(store, side)
    made.deadlines._lease = round(LEASE * 1000)
    return made


class Steps:
    """Counts them, and dies."""

    def __init__(self, how: str, at: int) -> None:
        self.how, self.at, self.count = how, at, 0

    def around(self, owner: Any, name: str) -> None:
        method = getattr(owner, name)

        async def step(this: Any, *args: Any, **named: Any) -> Any:
            self.count += 1
            if self.count != self.at:
                return await method(this, *args, **named)
            if self.how == "during":
                begun = asyncio.ensure_future(method(this, *args, **named))
                await asyncio.wait({begun}, timeout=DURING)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError

        setattr(owner, name, step)


async def buy(redis: str, twilio: list[str], id: str, how: str, at: int) -> None:
    store = await Store.open(redis)
    made = shop(store, *twilio)
    await made.accounts.get("acme")
    steps = Steps(how, at)
    for owner, name in ((Store, "run"), (Store, "call"), (Transport, "request")):
        steps.around(owner, name)
    where = Address("slack", "T0WORLD", user="UADA")
    await made.router.handle(Command(made.actor("UADA"), id, "numbers", ("get", "GB", "20"), where))
    while await made.due():
        made.deadlines.sweep_cell((await made.snapshot()).tag)
        await asyncio.sleep(0.02)


def main() -> None:
    redis, *twilio = sys.argv[1:]
    hurry()
    print("ready", flush=True)  # noqa: T201 # what is waited for
    for line in sys.stdin:
        how, at, id = line.split()
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            asyncio.run(buy(redis, twilio, id, how, int(at)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("died" if killed else "lived" if status == 0 else "failed", flush=True)  # noqa: T201 # the answer


if __name__ == "__main__":
    main()
