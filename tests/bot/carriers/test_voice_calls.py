"""Whole calls: from a phone through the pretend Twilio to the bot and back, and the minutes that they leave."""

from collections.abc import AsyncIterator

import pytest

from playground.twilio.pretend import PretendTwilio
from playground.twilio.webhooks import Webhook
from store.server.connection import Store
from tests.bot.carriers.test_voice_http import OWN, TO, Desk, serve
from tests.handlers.world import company

CALLER = "+441214960199"


@pytest.fixture
async def desk(store: Store, twilio: PretendTwilio) -> AsyncIterator[Desk]:
    async for desk in serve(store, twilio.account_sid, twilio.auth_token, itself=True):
        at = desk.twilio.at
        twilio.own(OWN, voice_url=f"{at}/voice/inbound", status_callback=f"{at}/voice/status")
        twilio.application.voice_url = f"{at}/voice/outbound"
        twilio.application.status_callback = f"{at}/voice/status"
        # The bot's clock is that of the carrier, as it is in life.
        twilio.now = lambda desk=desk: desk.world.now.timestamp()  # type: ignore[misc] # the default binds it
        yield desk


async def test_a_call_is_forwarded_and_both_legs_count(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.provide()
    call = await twilio.call(CALLER, OWN)
    assert (call.state, call.dialled, call.caller_id) == ("ringing", TO, CALLER)
    await call.answer(after=20)
    await call.hang_up(seconds=61)
    await twilio.settled()
    assert twilio.troubles == []
    assert await desk.minutes() == 4  # the ringing costs nothing


async def test_the_ends_come_late_in_disorder_and_more_than_once(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.provide()
    twilio.hold()
    for _ in range(3):
        call = await twilio.call(CALLER, OWN)
        await call.answer()
        await call.hang_up(seconds=61)
    assert await desk.minutes() == 0

    def disorder(snapshot: list[Webhook]) -> list[Webhook]:
        return [*reversed(snapshot), *snapshot]

    await twilio.release(disorder)
    await twilio.settled()
    assert await desk.minutes() == 12


async def test_nobody_answers_or_the_call_is_declined(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.provide()
    await (await twilio.call(CALLER, OWN)).no_answer()
    await (await twilio.call(CALLER, OWN)).decline()
    await (await twilio.call(CALLER, OWN)).hang_up()
    await twilio.settled()
    assert await desk.minutes() == 0


async def test_rejected_and_told_why(desk: Desk, twilio: PretendTwilio) -> None:
    assert (await twilio.call(CALLER, OWN)).state == "rejected"
    await desk.provide(forwarding=None)
    assert "Nobody can be reached" in (await twilio.call(CALLER, OWN)).heard
    await desk.world.apply(company(limits={"minutes": 0}))
    assert "can't take calls" in (await twilio.call(CALLER, OWN)).heard
    await twilio.settled()
    assert await desk.minutes() == 0
    assert twilio.troubles == []


async def test_the_pool_runs_dry_and_the_admins_are_told(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.world.apply(company(limits={"minutes": 4}))
    await desk.provide()
    call = await twilio.call(CALLER, OWN)
    await call.answer()
    await call.hang_up(seconds=119)
    await twilio.settled()
    assert await desk.minutes() == 4
    assert "used up" in await desk.world.told("UADA")
    assert "can't take calls" in (await twilio.call(CALLER, OWN)).heard


async def test_calling_out_from_the_browser(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.provide()
    call = await twilio.dial_out("client:acme.max", "+442079460958")
    assert (call.dialled, call.caller_id) == ("+442079460958", OWN)
    await call.answer()
    await call.hang_up(seconds=30)
    await twilio.settled()
    assert await desk.minutes() == 1
    assert twilio.troubles == []


async def test_a_forged_request_is_turned_away(desk: Desk, twilio: PretendTwilio) -> None:
    await desk.provide()
    await twilio.call(CALLER, OWN)
    webhook, _ = twilio.webhooks[0]
    assert (await twilio.repeat(webhook)).status == 200
    assert (await twilio.forge(webhook)).status == 403
    assert (await twilio.forge(webhook, how="unsigned")).status == 403
    assert (await twilio.forge(webhook, how="changed")).status == 403
