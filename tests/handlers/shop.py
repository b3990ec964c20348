"""The company of `world.py` with a carrier that sells: the pretend Twilio over HTTP, and deadlines acted on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.carriers.combined import CombinedCarrier
from bot.carriers.inventory import Inventory
from bot.carriers.twilio import TwilioCarrier
from bot.settings import Twilio
from domain.numbers.number import Number
from domain.numbers.orders import Order
from handlers.framework.ports import Services
from handlers.framework.router import Router
from handlers.numbers.orders import OrderJob
from handlers.numbers.releases import ReleaseJob
from handlers.workflows import ROUTES
from playground.twilio.pretend import PretendTwilio
from playground.twilio.server import serve_twilio
from store.engine import keys
from store.engine.accounts import Accounts
from store.engine.commit import Cell
from store.engine.deadlines import Deadlines
from store.numbers.orders import Orders
from store.numbers.records import Numbers
from store.server.connection import Store
from tests.handlers.world import World
from tests.servers import eventually

PUBLIC = "https://bot.example.com"
SOLD = "+442079460920"  # the first that Twilio sells and the inventory doesn't have


class Shop(World):
    """`twilio` is the carrier's side, `deadlines` what this process acts on; `run` is what a sweep does."""

    def __init__(self, store: Store, twilio: PretendTwilio) -> None:
        self.twilio = twilio
        self.seller = TwilioCarrier(Twilio(twilio.account_sid, twilio.auth_token, twilio.base_url), PUBLIC)
        self.deadlines = Deadlines(store, lambda: self.now)
        super().__init__(store)

    def another(self) -> Router:
        self.wired = self.services()
        OrderJob(self.wired, self.deadlines).register()
        ReleaseJob(self.wired, self.deadlines).register()
        return Router(self.wired, ROUTES)

    def services(self, store: Store | None = None) -> Services:
        made = super().services(store)
        accounts = Accounts(store or self.store)
        cell = Cell(
            store or self.store,
            "test",
            15_000,
            lambda tag, conv: self.written.append((tag, conv)),
            self.deadlines.sweep_cell,
        )
        numbers = Numbers(cell, accounts)
        carrier = CombinedCarrier(Inventory(), self.seller)
        orders = Orders(cell, numbers)
        return replace(made, accounts=accounts, numbers=numbers, orders=orders, carrier=carrier, seller=self.seller)

    async def run(self) -> None:
        """Acts on what has come, until all of it is done."""
        self.deadlines.sweep_cell((await self.snapshot()).tag)
        await eventually(lambda: not self.deadlines._sweeping and not self.deadlines._running, "the deadlines are done")

    async def run_after(self, **time: float) -> None:
        """Time passes, then what has come is acted on."""
        self.later(**time)
        await self.run()

    async def number(self, e164: str = SOLD) -> Number | None:
        kept = await self.numbers.get(await self.snapshot(), e164)
        return kept.value if kept else None

    async def order(self, e164: str = SOLD) -> Order | None:
        placed = await self.wired.orders.get(await self.snapshot(), e164)
        return placed.order.value if placed else None

    async def due(self) -> dict[str, float]:
        """Seconds from now to each deadline."""
        rows = await self.store.call("ZRANGE", keys.due((await self.snapshot()).tag), 0, -1, "WITHSCORES")
        now = self.now.timestamp()
        return {n.decode(): float(s) / 1000 - now for n, s in rows}

    async def owner(self, e164: str = SOLD) -> tuple[str | None, int]:
        """The account that has claimed a number, and for how many seconds: -1 for ever, -2 nobody has."""
        owner = await self.accounts.number_owner(e164)
        return owner, int(await self.store.call("TTL", keys.dir_number(e164)))

    async def slots(self) -> set[str]:
        found = await self.store.call("SMEMBERS", (await self.snapshot()).keys.slots)
        return {e164.decode() for e164 in found}

    async def until_lease_is_over(self) -> None:
        await self.run_after(seconds=16)


@asynccontextmanager
async def shop(store: Store) -> AsyncIterator[Shop]:
    async with serve_twilio() as twilio:
        made = Shop(store, twilio)
        await made.apply()
        yield made
        await made.deadlines.drain(2.0)
        await made.seller.aclose()
        await asyncio.sleep(0)
