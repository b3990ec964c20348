"""Every request of the carrier against Twilio's own OpenAPI description, which Prism holds it to."""

from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest

from bot.carriers.twilio import TwilioCarrier
from bot.settings import Twilio
from handlers.framework.ports import CarrierRefusal
from store.engine.effects import Sent
from tests.bot.carriers.test_twilio import PUBLIC, code
from tests.handlers.world import company

SID = "AC" + "0" * 32
PN = "PN" + "0" * 32


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prism takes its time on a busy machine: who waits here is no person."""
    for name in ("DIALOG", "LOOK", "LONG"):
        monkeypatch.setattr(f"bot.carriers.twilio.{name}", 30.0)
    monkeypatch.setattr("bot.carriers.twilio_client._BUDGET", ContextVar("budget", default=30.0))


@pytest.fixture
async def carrier(described: str) -> AsyncIterator[TwilioCarrier]:
    made = TwilioCarrier(Twilio(SID, "token", described), PUBLIC)
    yield made
    await made.aclose()


async def test_each_request_is_one_that_the_description_knows(carrier: TwilioCarrier) -> None:
    account = company()
    # What comes back are the description's examples: their content means nothing, that they come is the test.
    assert await carrier.countries(account)
    for country, area in (("US", "415"), ("GB", "020"), ("FR", "")):
        await carrier._of_kind(country, "local", area, "")
        await carrier._of_kind(country, "mobile", area, "")
        await carrier._of_kind(country, "national", area, "")
    await carrier._of_kind("GB", "local", "", "+442079460910")
    assert (await carrier._buy(account, "+442079460910", None)).id.startswith("PN")
    assert (await carrier._buy(account, "+442079460910", "AD" + "0" * 32)).id.startswith("PN")
    await carrier.find("+442079460910")
    await carrier.route_calls(PN)
    await carrier.release(PN)
    await carrier.owned()
    await carrier._address("GB")
    await carrier.usage()
    assert await carrier.validate(account, "ada", "+442079460111", "12")


async def test_codes_are_sent_as_the_description_wants(carrier: TwilioCarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sender(*_: str) -> str:
        return "+442079460921"

    monkeypatch.setattr(carrier, "_sender", sender)
    assert isinstance(await carrier.send_code(code("sms"), False), Sent)
    assert isinstance(await carrier.send_code(code("call", extension="12"), False), Sent)


async def test_what_the_description_does_not_allow_is_refused_here_too(carrier: TwilioCarrier) -> None:
    with pytest.raises(CarrierRefusal):
        await carrier._buy(company(), "+442079460910", "AD1")
