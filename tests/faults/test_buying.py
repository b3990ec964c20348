"""kill -9 at every step of buying, one after the other: the books of both sides agree afterwards."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from domain.numbers.number import NumberState
from playground.twilio.pretend import PretendTwilio
from playground.twilio.server import serve_twilio
from playground.twilio.world import StockNumber, World
from store.engine import keys
from store.server.connection import Store
from tests import ROOT
from tests.faults import buyer
from tests.handlers.world import company
from tests.servers import Farm, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

STEPS = 60  # more than there are
BUY = "POST IncomingPhoneNumbers"
STOCK = tuple(StockNumber(f"+44207946{n:04}", "GB") for n in range(1000))


@pytest.fixture
async def twilio() -> AsyncIterator[PretendTwilio]:
    """One with as many numbers as are bought."""
    async with serve_twilio(world=World(stock=STOCK)) as pretend:
        yield pretend


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from domain import policy
    from handlers.numbers import orders, releases

    for module, name in (
        (policy, "ORDER_DOUBT_SECONDS"),
        (policy, "ORDER_RETRY_SECONDS"),
        (orders, "LEASE"),
        (releases, "LEASE"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back at the end
    buyer.hurry()


# The first purchase of a round: heard and answered; done, the answer lost; not done, and nobody can tell.
@pytest.mark.parametrize("fault", ["", "lost", "error"])
async def test_killed_at_every_step_the_books_of_both_sides_agree(
    store: Store, farm: Farm, twilio: PretendTwilio, fault: str
) -> None:
    side = (twilio.account_sid, twilio.auth_token, twilio.base_url)
    shop = buyer.shop(store, *side)
    await shop.apply(company(inventory=[], limits={"numbers": 900}))
    mother = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.buyer",
        farm.get("embedded").url,
        *side,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert mother.stdin is not None
    assert mother.stdout is not None
    assert (await mother.stdout.readline()).strip() == b"ready"
    killed = ordered = 0
    try:
        for how in ("during",) if fault else ("before", "during"):
            for step in range(1, STEPS):
                twilio.faults.clear()
                if fault:
                    twilio.faults.next(BUY, fault)  # type: ignore[arg-type] # one of the kinds
                mother.stdin.write(f"{how} {step} {fault}{how}{step}\n".encode())
                said = (await mother.stdout.readline()).strip()
                assert said in (b"died", b"lived"), said
                await finish(shop)
                ordered += await agree(shop, twilio)
                if said == b"lived":
                    break
                killed += 1
            else:
                raise AssertionError("there are more steps than that")
    finally:
        mother.stdin.close()
        await mother.wait()
        await shop.deadlines.drain(2.0)
        await shop.seller.aclose()
    print(f"{fault or 'heard'}: killed {killed} times, {ordered} numbers looked at")  # noqa: T201 # for who runs it
    assert ordered > 0
    bought = [request.args["PhoneNumber"] for request in twilio.journal.of(BUY) if request.done]
    assert len(bought) == len(set(bought))  # no number was bought twice


async def finish(shop: buyer.Hurried) -> None:
    """Another process takes up what the dead one left."""

    async def done() -> bool:
        shop.deadlines.sweep_cell((await shop.snapshot()).tag)
        return not await shop.due()

    await eventually(done, "no deadline is left")
    await eventually(lambda: not shop.deadlines._running, "nothing is acted on")


async def agree(shop: buyer.Hurried, twilio: PretendTwilio) -> int:
    """Whether both sides hold the same numbers, each for the account, in use, with its slot and its claim; how many."""
    snapshot = await shop.snapshot()
    theirs = {one["phone_number"]: one["sid"] for one in twilio.world.numbers.values()}
    assert len(theirs) == len(twilio.world.numbers)
    ours = {number.e164: number for number in await shop.numbers.all(snapshot)}
    assert {e164: number.carrier_id for e164, number in ours.items()} == theirs
    assert {number.state for number in ours.values()} <= {NumberState.ACTIVE}
    assert await shop.slots() == set(ours)
    assert await shop.wired.orders.all(snapshot) == []
    for e164 in ours:
        assert await shop.owner(e164) == ("acme", -1)
    assert await store_keys(shop) <= set(ours)
    return len(ours)


async def store_keys(shop: buyer.Hurried) -> set[str]:
    """The numbers that are claimed for good."""
    prefix = keys.dir_number("")
    found = [key.decode() for key in await shop.store.call("KEYS", f"{prefix}*")]
    return {key.removeprefix(prefix) for key in found if await shop.store.call("TTL", key) == -1}
