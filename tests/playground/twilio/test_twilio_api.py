"""The pretend Twilio's API: what it takes, what it refuses and with which code, and its faults."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from playground.twilio.pretend import PretendTwilio

Json = dict[str, Any]
LONDON = "+442079460910"
ADDRESS = {
    "CustomerName": "Acme",
    "Street": "1 Example Street",
    "City": "Berlin",
    "Region": "Berlin",
    "PostalCode": "10115",
    "IsoCountry": "DE",
}


def shown(sid: str, token: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(sid, token)}


class Client:
    """A plain client of the API, that waits `patience` seconds."""

    patience = 5.0

    def __init__(self, twilio: PretendTwilio, session: aiohttp.ClientSession) -> None:
        self.twilio, self.session = twilio, session

    async def __call__(self, method: str, resource: str, **args: str) -> tuple[int, Json]:
        url = f"{self.twilio.base_url}/2010-04-01/Accounts/{self.twilio.account_sid}/{resource}.json"
        sent: Json = {"params": args} if method == "GET" else {"data": args}
        auth = shown(self.twilio.account_sid, self.twilio.auth_token)
        limit = aiohttp.ClientTimeout(total=self.patience)
        async with self.session.request(method, url, headers=auth, timeout=limit, **sent) as response:
            return response.status, await response.json() if response.status != 204 else {}

    async def refused(self, method: str, resource: str, **args: str) -> tuple[int, int]:
        status, body = await self(method, resource, **args)
        assert set(body) == {"code", "message", "more_info", "status"}
        assert body["status"] == status
        return status, body["code"]


@pytest.fixture
async def ask(twilio: PretendTwilio) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(twilio, session)


async def test_who_does_not_show_the_token_gets_nothing(twilio: PretendTwilio, ask: Client) -> None:
    url = f"{twilio.base_url}/2010-04-01/Accounts/{twilio.account_sid}/IncomingPhoneNumbers.json"
    for auth in ({}, shown(twilio.account_sid, "wrong"), shown("AC1", twilio.auth_token)):
        async with ask.session.get(url, headers=auth) as response:
            assert (response.status, (await response.json())["code"]) == (401, 20003)
    other = url.replace(twilio.account_sid, "AC" + "1" * 32)
    async with ask.session.get(other, headers=shown(twilio.account_sid, twilio.auth_token)) as response:
        assert (response.status, (await response.json())["code"]) == (401, 20003)
    assert await ask.refused("GET", "Nothing") == (404, 20404)
    assert await ask.refused("PUT", "IncomingPhoneNumbers") == (405, 20004)


async def test_numbers_are_found_by_country_kind_and_digits(ask: Client) -> None:
    status, found = await ask("GET", "AvailablePhoneNumbers/US/Local", AreaCode="415", PageSize="2")
    numbers = [one["phone_number"] for one in found["available_phone_numbers"]]
    assert (status, numbers) == (200, ["+14155550100", "+14155550101"])
    _, found = await ask("GET", "AvailablePhoneNumbers/GB/Local", Contains="121*960")
    assert {one["locality"] for one in found["available_phone_numbers"]} == {"Birmingham"}
    _, found = await ask("GET", "AvailablePhoneNumbers/DE/Local", ExcludeAllAddressRequired="true")
    assert found["available_phone_numbers"] == []
    assert await ask.refused("GET", "AvailablePhoneNumbers/XX/Local") == (404, 20404)
    assert await ask.refused("GET", "AvailablePhoneNumbers/GB/Local", AreaCode="20") == (400, 21451)
    assert await ask.refused("GET", "AvailablePhoneNumbers/GB/Local", Areacode="20") == (400, 20001)
    _, countries = await ask("GET", "AvailablePhoneNumbers")
    assert [one["country_code"] for one in countries["countries"]] == ["DE", "FR", "GB", "US"]


async def test_a_number_is_bought_once_changed_and_released(twilio: PretendTwilio, ask: Client) -> None:
    status, made = await ask("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON, VoiceUrl="http://127.0.0.1/v")
    assert (status, made["voice_url"], made["phone_number"]) == (201, "http://127.0.0.1/v", LONDON)
    assert await ask.refused("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON) == (400, 21422)
    one = f"IncomingPhoneNumbers/{made['sid']}"
    status, changed = await ask("POST", one, StatusCallback="https://example.com/s", VoiceMethod="GET")
    assert (status, changed["status_callback"], changed["voice_method"]) == (200, "https://example.com/s", "GET")
    assert await ask.refused("POST", one, VoiceUrl="ftp://x") == (400, 21402)
    assert await ask.refused("POST", one, VoiceURL="http://127.0.0.1/") == (400, 20001)
    _, listed = await ask("GET", "IncomingPhoneNumbers", PhoneNumber=LONDON)
    assert [found["sid"] for found in listed["incoming_phone_numbers"]] == [made["sid"]]
    assert await ask("DELETE", one) == (204, {})
    assert await ask.refused("DELETE", one) == (404, 20404)
    assert twilio.world.owned(LONDON) is None
    assert (await ask("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON))[0] == 201


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, 21421),
        ({"PhoneNumber": "020 7946 0910"}, 21421),
        ({"PhoneNumber": "+442079460000"}, 21422),
        ({"AreaCode": "999"}, 21452),
        ({"PhoneNumber": "+33199000010"}, 21631),
        ({"PhoneNumber": "+4930901820010"}, 21615),
        ({"PhoneNumber": "+447700900100"}, 21649),
        ({"PhoneNumber": LONDON, "VoiceUrl": "no url"}, 21402),
        ({"PhoneNumber": LONDON, "AddressSid": "ADx"}, 21402),
    ],
)
async def test_what_can_not_be_bought_says_why(twilio: PretendTwilio, ask: Client, args: Json, code: int) -> None:
    assert await ask.refused("POST", "IncomingPhoneNumbers", **args) == (400, code)
    assert twilio.world.numbers == {}


async def test_an_address_opens_the_numbers_that_ask_for_one(ask: Client) -> None:
    _, address = await ask("POST", "Addresses", **ADDRESS)
    status, _ = await ask("POST", "IncomingPhoneNumbers", PhoneNumber="+4930901820010", AddressSid=address["sid"])
    assert status == 201
    status, _ = await ask("POST", "IncomingPhoneNumbers", PhoneNumber="+33199000010", AddressSid=address["sid"])
    assert status == 201
    assert await ask.refused("POST", "Addresses", **{**ADDRESS, "IsoCountry": "Germany"}) == (400, 21402)


async def test_lists_come_in_pages_that_lead_to_each_other(twilio: PretendTwilio, ask: Client) -> None:
    for last in range(5):
        twilio.own(f"+44207946092{last}")
    seen = []
    args: dict[str, str] = {"PageSize": "2"}
    while True:
        _, page = await ask("GET", "IncomingPhoneNumbers", **args)
        seen += [one["phone_number"] for one in page["incoming_phone_numbers"]]
        if page["next_page_uri"] is None:
            break
        assert page["next_page_uri"].startswith(f"/2010-04-01/Accounts/{twilio.account_sid}/IncomingPhoneNumbers.json?")
        args = dict(part.split("=") for part in page["next_page_uri"].partition("?")[2].split("&"))
    assert seen == [f"+44207946092{last}" for last in (4, 3, 2, 1, 0)]
    assert (page["page"], page["start"], page["end"]) == (2, 4, 4)


async def test_a_caller_id_is_verified_by_the_code_that_the_answer_gives(twilio: PretendTwilio, ask: Client) -> None:
    status, asked = await ask("POST", "OutgoingCallerIds", PhoneNumber="+442079460958", FriendlyName="Max")
    assert status == 200
    assert await twilio.type_code("+442079460958", "000000" if asked["validation_code"] != "000000" else "1") is False
    assert (await ask("GET", "OutgoingCallerIds"))[1]["outgoing_caller_ids"] == []
    _, asked = await ask("POST", "OutgoingCallerIds", PhoneNumber="+442079460958", FriendlyName="Max")
    assert await twilio.type_code("+442079460958", asked["validation_code"]) is True
    _, listed = await ask("GET", "OutgoingCallerIds", PhoneNumber="+442079460958")
    assert [one["friendly_name"] for one in listed["outgoing_caller_ids"]] == ["Max"]
    assert await ask.refused("POST", "OutgoingCallerIds", PhoneNumber="+442079460958") == (400, 21450)
    assert await ask.refused("POST", "OutgoingCallerIds", PhoneNumber="12") == (400, 21401)


async def test_messages_and_spoken_calls_reach_the_phone(twilio: PretendTwilio, ask: Client) -> None:
    rang: list[tuple[str, str, str]] = []
    twilio.phone = lambda *one: rang.append(one)
    twilio.own("+442079460900")
    _, sent = await ask("POST", "Messages", To="+442079460958", From="+442079460900", Body="Your code is 123456")
    assert (sent["status"], twilio.world.messages[sent["sid"]]["status"]) == ("queued", "delivered")
    say = "<Response><Say>Your code is 1 2 3 4 5 6</Say></Response>"
    status, call = await ask("POST", "Calls", To="+442079460958", From="+442079460900", Twiml=say)
    await twilio.settled()
    assert rang == [
        ("+442079460958", "Your code is 123456", "sms"),
        ("+442079460958", "Your code is 1 2 3 4 5 6", "call"),
    ]
    assert (status, (await ask("GET", f"Calls/{call['sid']}"))[1]["status"]) == (201, "completed")
    other = "+442079460901"
    assert await ask.refused("POST", "Messages", To="+442079460958", From=other, Body="x") == (400, 21606)
    assert await ask.refused("POST", "Calls", To="+442079460958", From=other, Twiml=say) == (400, 21210)
    assert await ask.refused("POST", "Messages", To="1", From="+442079460900", Body="x") == (400, 21211)
    assert await ask.refused("POST", "Messages", To="+442079460958", From="+442079460900") == (400, 21602)
    _, records = await ask("GET", "Usage/Records/ThisMonth", Category="calls-outbound")
    assert [(one["count"], one["usage"]) for one in records["usage_records"]] == [("1", "1")]


async def test_faults_strike_before_during_and_after(twilio: PretendTwilio, ask: Client) -> None:
    buy = "POST IncomingPhoneNumbers"
    twilio.faults.next(buy, "ratelimited", retry_after=3)
    assert await ask.refused("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON) == (429, 20429)
    twilio.faults.next(buy, "error")
    assert await ask.refused("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON) == (500, 20500)
    assert twilio.world.numbers == {}
    twilio.faults.next(buy, "error_after")
    assert await ask.refused("POST", "IncomingPhoneNumbers", PhoneNumber=LONDON) == (500, 20500)
    assert twilio.world.owned(LONDON) is not None
    twilio.faults.next(buy, "lost")
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask("POST", "IncomingPhoneNumbers", PhoneNumber="+442079460911")
    assert twilio.world.owned("+442079460911") is not None
    ask.patience = 0.1
    twilio.faults.next(buy, "hang", seconds=30)
    with pytest.raises(TimeoutError):
        await ask("POST", "IncomingPhoneNumbers", PhoneNumber="+442079460912")
    twilio.faults.next(buy, "late")
    with pytest.raises(TimeoutError):
        await ask("POST", "IncomingPhoneNumbers", PhoneNumber="+442079460913")
    async with asyncio.timeout(2):
        while twilio.world.owned("+442079460913") is None:  # noqa: ASYNC110 # nobody tells of it
            await asyncio.sleep(0.01)
    assert twilio.world.owned("+442079460912") is None
    assert twilio.journal.done(buy) == 3
    assert [r.answered for r in twilio.journal.of(buy)] == [True, True, True, False, False, False]
    assert (await ask("GET", "IncomingPhoneNumbers"))[0] == 200
