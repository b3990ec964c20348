"""Prism refuses what Twilio's description does not have, and the pretend Twilio answers in its shapes."""

import json
import re
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import aiohttp
import jsonschema
import pytest

from playground.twilio.server import serve_twilio
from tests.node_tools import api_description

Json = dict[str, Any]
SID = "AC" + "0" * 32
AUTH = {"Authorization": aiohttp.encode_basic_auth(SID, "token")}


def ask(root: str, resource: str, form: Json | None = None, headers: Json = AUTH) -> tuple[int, Json]:
    data = urlencode(form).encode() if form is not None else None
    url = f"{root}/2010-04-01/Accounts/{SID}/{resource}"
    try:
        with urlopen(Request(url, data, headers), timeout=20) as response:  # noqa: S310 # loopback
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_prism_takes_what_is_described_and_nothing_else(described: str) -> None:
    status, listed = ask(described, "IncomingPhoneNumbers.json?PageSize=20")
    assert (status, set(listed) >= {"incoming_phone_numbers", "next_page_uri"}) == (200, True)
    status, made = ask(described, "IncomingPhoneNumbers.json", {"PhoneNumber": "+442079460910"})
    assert (status, made["sid"][:2]) == (201, "PN")
    for resource, form, headers, expected in (
        ("IncomingPhoneNumbers.json", None, {}, 401),
        ("Nothing.json", None, AUTH, 404),
        ("IncomingPhoneNumbers.json", {"PhoneNumber": "+442079460910", "VoiceMethod": "PUT"}, AUTH, 422),
        ("IncomingPhoneNumbers.json", {"PhoneNumber": "+442079460910", "AddressSid": "AD1"}, AUTH, 422),
        ("Calls.json", {"To": "+442079460910"}, AUTH, 422),
    ):
        assert ask(described, resource, form, headers)[0] == expected, resource


# ── The pretend Twilio's own answers ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def description() -> Json:
    found: Json = json.loads(api_description().read_text(encoding="utf-8"))
    return found


FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time-rfc-2822")
def _rfc_2822(value: object) -> bool:
    return (
        not isinstance(value, str)
        or re.fullmatch(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000", value) is not None
    )


@FORMATS.checks("phone-number")
def _phone_number(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"\+[1-9]\d{6,14}", value) is not None


def checked(description: Json, method: str, path: str, status: int, answer: Json | None) -> None:
    """Holds an answer against the schema of its operation, without a field that the schema doesn't name."""
    operation = description["paths"][f"/2010-04-01/Accounts/{path}"][method.lower()]
    content = operation["responses"][str(status)].get("content")
    if content is None:
        assert answer is None
        return
    schema = closed({**content["application/json"]["schema"], "components": description["components"]})
    validator = jsonschema.Draft7Validator(schema, format_checker=FORMATS)
    wrong = [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(answer)]
    assert wrong == [], f"{method} {path}"


def closed(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 as one of JSON Schema: `nullable` said in its way, and nothing beside what is named."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(value) for name, value in schema.items()}
    if isinstance(made.get("type"), str) and made.get("nullable"):
        made["type"] = [made["type"], "null"]
    if isinstance(made.get("properties"), dict) and made.get("type") and "object" in made["type"]:
        made["additionalProperties"] = False
    return made


async def test_the_pretend_twilio_answers_in_the_shapes_of_the_description(description: Json) -> None:
    async with serve_twilio() as twilio, aiohttp.ClientSession() as session:
        headers = {"Authorization": aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token)}

        async def hold(method: str, path: str, given: str = "", form: Json | None = None) -> Json:
            url = f"{twilio.base_url}/2010-04-01/Accounts/{given or path.replace('{AccountSid}', twilio.account_sid)}"
            async with session.request(method, url, data=form, headers=headers) as response:
                answer = await response.json() if response.status != 204 else None
                checked(description, method, path, response.status, answer)
                return answer or {}

        below = f"{twilio.account_sid}/"
        await hold("GET", "{Sid}.json", f"{twilio.account_sid}.json")
        await hold("GET", "{AccountSid}/AvailablePhoneNumbers.json")
        for kind in ("Local", "Mobile", "TollFree"):
            await hold(
                "GET",
                f"{{AccountSid}}/AvailablePhoneNumbers/{{CountryCode}}/{kind}.json",
                f"{below}AvailablePhoneNumbers/GB/{kind}.json",
            )
        number = await hold("POST", "{AccountSid}/IncomingPhoneNumbers.json", form={"PhoneNumber": "+442079460910"})
        one = f"{below}IncomingPhoneNumbers/{number['sid']}.json"
        path = "{AccountSid}/IncomingPhoneNumbers/{Sid}.json"
        await hold("GET", path, one)
        await hold("POST", path, one, {"VoiceUrl": "http://127.0.0.1:9/voice", "FriendlyName": "Sales"})
        await hold("GET", "{AccountSid}/IncomingPhoneNumbers.json")
        address = dict.fromkeys(("CustomerName", "Street", "City", "Region", "PostalCode"), "A")
        address["IsoCountry"] = "GB"
        await hold("POST", "{AccountSid}/Addresses.json", form=address)
        await hold("GET", "{AccountSid}/Addresses.json")
        asked = await hold("POST", "{AccountSid}/OutgoingCallerIds.json", form={"PhoneNumber": "+442079460958"})
        await twilio.type_code("+442079460958", asked["validation_code"])
        await hold("GET", "{AccountSid}/OutgoingCallerIds.json")
        spoken = {"To": "+442079460958", "From": "+442079460910", "Twiml": "<Response><Say>1 2 3</Say></Response>"}
        call = await hold("POST", "{AccountSid}/Calls.json", form=spoken)
        await twilio.settled()
        await hold("GET", "{AccountSid}/Calls/{Sid}.json", f"{below}Calls/{call['sid']}.json")
        await hold("GET", "{AccountSid}/Calls.json")
        written = {"To": "+442079460958", "From": "+442079460910", "Body": "123456"}
        await hold("POST", "{AccountSid}/Messages.json", form=written)
        await hold("GET", "{AccountSid}/Messages.json")
        await hold("GET", "{AccountSid}/Usage/Records.json")
        await hold("GET", "{AccountSid}/Usage/Records/ThisMonth.json")
        await hold("DELETE", path, one)
