"""The phone panel: calls made, answered and hung up on the page, as the pretend Twilio goes through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.page.outside import Outside
from playground.phones import Phones
from playground.server import serve
from playground.slack.pretend import PretendSlack
from playground.slack.world import World
from playground.twilio.pretend import PretendTwilio
from tests.playground.bot import SECRET, Bot
from tests.playground.conftest import MANIFEST, Clock
from tests.playground.page.test_page import Screen
from tests.playground.voice import CALLER, OURS, VoiceBot, dial, voice_bot

Json = dict[str, Any]


@pytest.fixture
async def twilio() -> AsyncIterator[PretendTwilio]:
    made = PretendTwilio()
    yield made
    await made.close()


@pytest.fixture
async def voice(twilio: PretendTwilio) -> AsyncIterator[VoiceBot]:
    async with voice_bot(twilio) as running:
        yield running


@pytest.fixture
async def ada(twilio: PretendTwilio, world: World, bot: Bot, clock: Clock) -> AsyncIterator[Screen]:
    slack = PretendSlack(world, MANIFEST, events_url=bot.url, signing_secret=SECRET, now=clock)
    twilio.own(OURS)
    async with serve(slack, outside=Outside(phones=Phones(twilio, "GB"))):
        assert bot.client is not None
        yield Screen(bot.client, slack, "UADA")


async def last(ada: Screen) -> Json:
    found: Json = (await ada.look())["phones"]["calls"][-1]
    return found


async def test_a_call_is_answered_and_hung_up_on_the_page(ada: Screen, voice: VoiceBot) -> None:
    voice.says = dial()
    phones = (await ada.look())["phones"]
    assert phones["lines"] == [{"number": OURS, "name": "020 7946 0900"}]
    assert phones["callers"][-1] == "Anonymous"
    assert (await ada.do("call", **{"from": "0121 496 0199", "to": OURS}))["ok"]
    call = await last(ada)
    assert (call["state"], call["from"], call["rings"]) == ("ringing", "0121 496 0199", "020 7946 0111")
    assert voice.asked[-1]["From"] == CALLER
    assert (await ada.do("answer", call=call["id"]))["ok"]
    assert (await last(ada))["state"] == "in-progress"
    assert (await ada.do("hang_up", call=call["id"], seconds=180))["ok"]
    call = await last(ada)
    assert (call["state"], call["seconds"]) == ("completed", 180)
    late = await ada.do("decline", call=call["id"])
    assert (late["ok"], late["notice"]) == (False, "No phone rings any more.")
    assert (await ada.do("hang_up", call=call["id"], seconds=-1))["ok"] is False


async def test_who_hides_the_number_or_has_none_is_told_apart(ada: Screen, voice: VoiceBot) -> None:
    voice.says = "<Reject/>"
    assert (await ada.do("call", **{"from": "Anonymous", "to": OURS}))["ok"]
    assert voice.asked[-1]["From"] == "anonymous"
    call = await last(ada)
    assert (call["state"], call["from"]) == ("rejected", "Anonymous")
    assert call["heard"] == "The number you have dialled is not in service."
    refused = await ada.do("call", **{"from": "12", "to": OURS})
    assert (refused["ok"], refused["errors"]) == (False, {"from": "Type a whole phone number."})


async def test_a_code_that_twilio_asks_for_is_typed_at_the_phone(ada: Screen, twilio: PretendTwilio) -> None:
    asked = twilio.ask_validation({"PhoneNumber": "+442079460958"})
    assert (await ada.look())["phones"]["asked"] == [{"number": "+442079460958", "name": "020 7946 0958"}]
    assert (await ada.do("type_code", number="+442079460958", code=asked["validation_code"]))["ok"]
    assert twilio.world.verified("+442079460958")
    assert (await ada.look())["phones"]["asked"] == []


async def test_without_a_carrier_there_is_nothing_to_call(slack: PretendSlack, bot: Bot) -> None:
    assert bot.client is not None
    screen = Screen(bot.client, slack, "UADA")
    assert (await screen.look())["phones"] is None
    assert (await screen.do("call", **{"from": CALLER, "to": OURS}))["notice"] == "No carrier is played here."
