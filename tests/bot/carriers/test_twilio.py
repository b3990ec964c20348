"""Twilio as the carrier, against the pretend Twilio with its faults: every answer in time, nothing done twice."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.carriers.combined import CombinedCarrier
from bot.carriers.inventory import Inventory
from bot.carriers.twilio import TwilioCarrier
from bot.carriers.twilio_client import translate_errors
from bot.settings import Twilio
from handlers.framework.ports import CarrierNumber, CarrierRefusal, Offer, Unavailable
from playground.twilio.pretend import PretendTwilio
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from tests import instance_of, present
from tests.handlers.world import company

PUBLIC = "https://bot.example.com"
LONDON = "+442079460910"
ACCOUNT = company()
DIALOG = 2.6  # seconds that a person is made to wait at most, with what a busy machine adds


@pytest.fixture
async def carrier(twilio: PretendTwilio) -> AsyncIterator[TwilioCarrier]:
    made = connected(twilio)
    yield made
    await made.aclose()


def connected(twilio: PretendTwilio, public: str | None = PUBLIC) -> TwilioCarrier:
    return TwilioCarrier(Twilio(twilio.account_sid, twilio.auth_token, twilio.base_url), public)


async def test_what_is_on_sale_is_found_by_country_and_area(carrier: TwilioCarrier) -> None:
    assert list(await carrier.countries(ACCOUNT))[:1] == ["GB"]
    assert set(await carrier.countries(ACCOUNT)) == {"GB", "US", "DE", "FR"}
    london = await carrier.offers(ACCOUNT, "GB", "020", 0, 200)
    assert london[0] == Offer(LONDON, "GB", ordered=True, needs="")
    assert all(offer.e164.startswith("+4420") for offer in london)
    assert {o.e164[:6] for o in await carrier.offers(ACCOUNT, "GB", "(0121)", 0, 200)} == {"+44121"}
    assert {o.e164[:5] for o in await carrier.offers(ACCOUNT, "US", "415", 0, 200)} == {"+1415"}
    assert {o.needs for o in await carrier.offers(ACCOUNT, "DE", "30", 0, 200)} == {"address"}
    assert await carrier.offers(ACCOUNT, "GB", "", 200, 200) == []
    assert await carrier.offers(ACCOUNT, "JP", "", 0, 200) == []
    assert await carrier.offered(ACCOUNT, LONDON) == Offer(LONDON, "GB", ordered=True)
    assert await carrier.offered(ACCOUNT, "+442079460999") is None
    # Mobile numbers come after those of a place, and toll-free ones are not offered.
    kinds = [o.e164[:4] for o in await carrier.offers(ACCOUNT, "GB", "", 0, 200)]
    assert kinds == sorted(kinds)
    assert "+448" not in kinds


async def test_a_number_is_bought_pointed_found_and_given_back(carrier: TwilioCarrier, twilio: PretendTwilio) -> None:
    made = await carrier.buy(ACCOUNT, LONDON, "GB", "")
    owned = present(twilio.world.owned(LONDON))
    assert (owned["voice_url"], owned["voice_method"]) == (f"{PUBLIC}/voice/inbound", "POST")
    assert (owned["status_callback"], owned["friendly_name"]) == (f"{PUBLIC}/voice/status", "Switchboard acme")
    assert made == await carrier.find(LONDON) == CarrierNumber(LONDON, owned["sid"], "acme")
    assert await carrier.find("+442079460911") is None
    assert await carrier.owned() == [made]
    twilio.own(LONDON, voice_url="https://old.example.com/voice")
    found = present(await carrier.find(LONDON))
    assert not found.routed_here
    assert "old.example.com" in found.routed_to
    await carrier.route_calls(found.id)
    assert await carrier.find(LONDON) == made
    await carrier.release(made.id)
    await carrier.release(made.id)  # it is gone: that is what was wanted
    assert await carrier.owned() == []


async def test_without_a_public_url_a_number_is_bought_and_nobody_is_asked_about_calls(twilio: PretendTwilio) -> None:
    carrier = connected(twilio, None)
    assert (await carrier.buy(ACCOUNT, LONDON, "GB", "")).routed_here
    assert not carrier.validates
    assert present(twilio.world.owned(LONDON))["voice_url"] == ""
    await carrier.aclose()


async def test_an_address_of_the_country_is_given_where_the_number_needs_one(
    carrier: TwilioCarrier, twilio: PretendTwilio
) -> None:
    with pytest.raises(CarrierRefusal) as no:
        await carrier.buy(ACCOUNT, "+4930901820010", "DE", "address")
    assert (no.value.code, no.value.reason) == (21615, "address")
    await add_address(twilio, "FR")
    with pytest.raises(CarrierRefusal):
        await carrier.buy(ACCOUNT, "+4930901820010", "DE", "address")
    await add_address(twilio, "DE")
    assert (await carrier.buy(ACCOUNT, "+4930901820010", "DE", "")).e164 == "+4930901820010"
    with pytest.raises(CarrierRefusal) as papers:
        await carrier.buy(ACCOUNT, "+447700900100", "GB", "address")
    assert papers.value.reason == "papers"


async def add_address(twilio: PretendTwilio, country: str) -> None:
    import aiohttp

    where = {"CustomerName": "Acme", "Street": "1 High St", "City": "X", "Region": "X", "PostalCode": "1"}
    url = f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}/Addresses.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data={**where, "IsoCountry": country}, headers=headers) as answer,
    ):
        assert answer.status == 201, await answer.text()


async def test_a_refused_number_is_definite(carrier: TwilioCarrier) -> None:
    await carrier.buy(ACCOUNT, LONDON, "GB", "")
    with pytest.raises(CarrierRefusal) as no:
        await carrier.buy(ACCOUNT, LONDON, "GB", "")
    assert (no.value.code, no.value.reason) == (21422, "sold")


# ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["hang", "error_after", "lost", "late"])
async def test_a_purchase_without_an_answer_is_in_doubt_and_sent_once(
    carrier: TwilioCarrier, twilio: PretendTwilio, kind: str
) -> None:
    twilio.faults.next("POST IncomingPhoneNumbers", kind)  # type: ignore[arg-type] # one of the kinds
    began = time.monotonic()
    with pytest.raises(InDoubt), translate_errors(changes=True, seconds=0.5):
        await carrier._client.incoming_phone_numbers.create_async(phone_number=LONDON)
    assert time.monotonic() - began < 2.0
    await asyncio.sleep(0.2)
    assert len(twilio.journal.of("POST IncomingPhoneNumbers")) == 1
    assert (twilio.world.owned(LONDON) is not None) == (kind != "hang")


async def test_a_read_is_repeated_and_a_change_is_not(carrier: TwilioCarrier, twilio: PretendTwilio) -> None:
    twilio.faults.next("GET IncomingPhoneNumbers", "error", times=2)
    assert await carrier.find(LONDON) is None
    assert len(twilio.journal.of("GET IncomingPhoneNumbers")) == 3
    twilio.faults.next("POST IncomingPhoneNumbers", "error")
    with pytest.raises(InDoubt):
        await carrier.buy(ACCOUNT, LONDON, "GB", "")
    assert len(twilio.journal.of("POST IncomingPhoneNumbers")) == 1


async def test_asked_too_often_it_waits_as_it_is_told_and_a_change_did_not_happen(
    carrier: TwilioCarrier, twilio: PretendTwilio
) -> None:
    twilio.faults.next("GET IncomingPhoneNumbers", "ratelimited", retry_after=1)
    began = time.monotonic()
    assert await carrier.find(LONDON) is None
    assert time.monotonic() - began >= 1.0
    twilio.faults.next("*", "ratelimited", retry_after=30)
    with pytest.raises(Unavailable) as busy:
        await carrier.find(LONDON)
    assert busy.value.after == 30
    twilio.faults.next("POST IncomingPhoneNumbers", "ratelimited", retry_after=7)
    with pytest.raises(Unavailable) as later:
        await carrier.buy(ACCOUNT, LONDON, "GB", "")
    assert later.value.after == 7


async def test_nobody_there_is_unavailable_and_so_is_a_wrong_token(twilio: PretendTwilio) -> None:
    nobody = TwilioCarrier(Twilio(twilio.account_sid, "x", "http://127.0.0.1:1"), PUBLIC)
    with pytest.raises(Unavailable):
        await nobody.buy(ACCOUNT, LONDON, "GB", "")
    await nobody.aclose()
    stranger = TwilioCarrier(Twilio(twilio.account_sid, "wrong", twilio.base_url), PUBLIC)
    with pytest.raises(Unavailable, match="account and token"):
        await stranger.buy(ACCOUNT, LONDON, "GB", "")
    await stranger.aclose()


async def test_a_dialog_is_not_kept_waiting_by_a_silent_carrier(carrier: TwilioCarrier, twilio: PretendTwilio) -> None:
    twilio.faults.next("*", "hang", times=50, seconds=20)
    both = CombinedCarrier(Inventory(), carrier)
    began = time.monotonic()
    assert list(await both.countries(ACCOUNT)) == ["GB", "DE"]  # the inventory's, and the account's own
    with pytest.raises(Unavailable):
        await both.offers(ACCOUNT, "GB", "", 200, 200)
    with pytest.raises(Unavailable):
        await both.offered(ACCOUNT, "+442079460920")
    assert time.monotonic() - began < DIALOG  # all three of one dialog
    assert [o.ordered for o in await both.offers(ACCOUNT, "GB", "", 0, 200)] == [False] * 12


async def test_the_inventory_comes_first_and_then_what_is_sold(carrier: TwilioCarrier) -> None:
    both = CombinedCarrier(Inventory(), carrier)
    own = await both.offers(ACCOUNT, "GB", "", 0, 5)
    rest = await both.offers(ACCOUNT, "GB", "", 10, 5)
    sold = await both.offers(ACCOUNT, "GB", "", 15, 5)
    assert [o.ordered for o in (*own, *rest, *sold)] == [False] * 7 + [True] * 5
    assert await both.offers(ACCOUNT, "GB", "", 20, 5) == []
    assert await both.offered(ACCOUNT, ACCOUNT.inventory[0]) == Offer(ACCOUNT.inventory[0], "GB")


async def test_neither_credentials_nor_numbers_are_logged(
    carrier: TwilioCarrier, twilio: PretendTwilio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    twilio.faults.next("POST IncomingPhoneNumbers", "error_after")
    with pytest.raises(InDoubt):
        await carrier.buy(ACCOUNT, LONDON, "GB", "")
    made = present(await carrier.find(LONDON))
    for secret in (twilio.auth_token, twilio.account_sid, LONDON, LONDON[1:], made.id):
        assert secret not in caplog.text
    assert twilio.auth_token not in repr(Twilio(twilio.account_sid, twilio.auth_token))


# ── Codes and caller ids ────────────────────────────────────────────────────────────────────────────────────────────


def code(via: str, to: str = "+442079460111", **more: object) -> Effect:
    text = {"sms": "123456 is your code.", "call": "Hello. Your code is 1 2 3 4 5 6. Once more: 1 2 3 4 5 6."}[via]
    body: dict[str, object] = {"account": "acme", "to": to, "extension": None, "code": "123456"}
    body |= {"via": via, "language": "pl", "text": text, "expires": datetime.now(UTC).timestamp() + 600, **more}
    return Effect(conv=f"code:{to}", kind="code", body=body, id="c1")


async def test_a_code_goes_out_by_text_and_by_voice_from_a_number_that_can(
    twilio: PretendTwilio, carrier: TwilioCarrier
) -> None:
    heard: list[tuple[str, str, str]] = []
    twilio.phone = lambda number, text, via: heard.append((number, text, via))
    assert isinstance(await carrier.send_code(code("sms"), False), Drop)  # nothing to send it from
    twilio.own("+442079460920", sms=False)
    twilio.own("+442079460921")
    assert isinstance(await carrier.send_code(code("sms"), False), Sent)
    assert isinstance(await carrier.send_code(code("call", extension="12"), False), Sent)
    await twilio.settled()
    assert heard[0] == ("+442079460111", "123456 is your code.", "sms")
    number, text, via = heard[1]
    assert (number, via) == ("+442079460111", "call")
    assert text.count("1, 2, 3, 4, 5, 6") >= 2
    assert next(iter(twilio.world.messages.values()))["from"] == "+442079460921"
    assert isinstance(await carrier.send_code(code("sms", expires=1.0), False), Drop)


async def test_a_code_waits_for_a_carrier_that_asks_for_time(twilio: PretendTwilio, carrier: TwilioCarrier) -> None:
    twilio.own("+442079460921")
    twilio.faults.next("POST Messages", "ratelimited", retry_after=9)
    assert instance_of(Retry, await carrier.send_code(code("sms"), False)).after == 9
    twilio.faults.next("POST Messages", "lost")
    with pytest.raises(InDoubt):
        await carrier.send_code(code("sms"), False)


async def test_the_account_s_own_numbers_send_first(twilio: PretendTwilio) -> None:
    async def own(account: str) -> list[str]:
        return ["+442079460922"]

    twilio.own("+442079460921")
    twilio.own("+442079460922")
    twilio.own("+442079460923")
    settings = Twilio(twilio.account_sid, twilio.auth_token, twilio.base_url)
    carrier = TwilioCarrier(settings, PUBLIC, own)
    await carrier.send_code(code("sms"), False)
    assert next(iter(twilio.world.messages.values()))["from"] == "+442079460922"
    await carrier.aclose()


async def test_a_caller_id_is_validated_with_the_code_that_is_answered(
    twilio: PretendTwilio, carrier: TwilioCarrier
) -> None:
    code = await carrier.validate(ACCOUNT, "ada", "+442079460111", "12")
    assert code == twilio.validations["+442079460111"].code
    assert twilio.validations["+442079460111"].callback.startswith(f"{PUBLIC}/voice/status?validated=%2B442079460111")
    twilio.verify("+442079460112")
    assert await carrier.validate(ACCOUNT, "ada", "+442079460112", None) is None


async def test_the_bill_of_the_month_is_read(carrier: TwilioCarrier) -> None:
    assert isinstance(await carrier.usage(), dict)
