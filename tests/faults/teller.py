"""A process that tells stages of tickets' promises and sends what is said of them, until it is killed or asked to end.

    python -m tests.faults.teller STORE_URL SLACK_API REAL_SECONDS_SINCE_1970 SPEED

Its clock began at the given real moment, at the tests' `NOW`, and runs so many times as fast. SIGTERM drains.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.chat.senders import PostSender, ScreenSender
from bot.slack.client import Client
from bot.slack.display import Display
from bot.slack.installs import Installs
from bot.slack.transport import Transport
from handlers.framework.events import Inbound
from handlers.framework.ports import Services
from handlers.framework.router import Router
from handlers.framework.screens import Response
from handlers.support.ticket_job import TicketJob
from handlers.workflows import ROUTES
from store.engine.commit import Cell, Changes
from store.engine.contacts import Contacts
from store.engine.deadlines import Deadlines
from store.engine.effects import RetryPolicy
from store.engine.outbox import Outbox, new_owner
from store.engine.posts import Ledger
from store.numbers.records import Numbers
from store.numbers.registered import RegisteredNumbers
from store.server.connection import Store
from store.support.tickets import Tickets
from tests.handlers.world import NOW, World

LEASE: Final = 2.0  # real seconds, of a conversation and of a deadline
PERIOD: Final = 0.25


def moved(since: float, speed: float) -> Callable[[], datetime]:
    """The clock of all of them."""
    return lambda: NOW + timedelta(seconds=(time.time() - since) * speed)


def services(store: Store, cell: Cell, now: Callable[[], datetime]) -> Services:
    made = World(store).services()
    return replace(
        made,
        changes=Changes(cell),
        contacts=Contacts(cell),
        tickets=Tickets(cell),
        numbers=Numbers(cell, made.accounts),
        registered=RegisteredNumbers(cell),
        now=now,
    )


async def main(url: str, api: str, since: float, speed: float) -> None:
    store = await Store.open(url)
    client = Client(api)
    display = Display(client, Installs(store, client, token=None))

    async def lost(account: str, key: str, why: str) -> None:
        raise AssertionError(f"{account} {key}: {why}")

    async def handle(event: Inbound) -> Response:
        return await router.handle(event)

    now = moved(since, speed)
    deadlines = Deadlines(store, now, lease=LEASE * speed)
    outbox = Outbox(
        store,
        {
            "slack.post": PostSender(Transport(client, display), Ledger(store), lost),
            "slack.screen": ScreenSender(Transport(client, display), handle).screen,
        },
        owner=new_owner(),
        lease=LEASE,
        send_timeout=LEASE * 0.75,
        policy=RetryPolicy(first=0.05, tries=50, doubt=0.1),
        period=PERIOD,
        on_due={"due|": deadlines.sweep_cell},
        clock=deadlines.clock,
        pressed=deadlines.behind,
    )
    served = services(
        store, Cell(store, outbox.owner, round(LEASE * 1000), outbox.deliver_soon, deadlines.sweep_cell), now
    )
    router = Router(served, ROUTES)
    TicketJob(served, deadlines).register()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    sweep = asyncio.create_task(outbox.run())
    await ended.wait()
    await deadlines.drain(2.0)
    await outbox.drain(2.0)
    await sweep
    await client.aclose()
    await store.aclose()


if __name__ == "__main__":
    url, api, since, speed = sys.argv[1:]
    asyncio.run(main(url, api, float(since), float(speed)))
