"""Requests as Twilio makes and signs them, over real HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

SID = "AC" + "0" * 32
TOKEN = "voice-auth-token"
PUBLIC = "https://voice.example.com"


@dataclass
class Twilio:
    """Posts to the bot at `at` what is signed for its public address."""

    session: aiohttp.ClientSession
    at: str
    token: str = TOKEN
    sid: str = SID
    public: str = PUBLIC
    signed_with: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, form: Mapping[str, Any], signature: str | None = None) -> tuple[int, str]:
        """Status and body. `signature`: instead of the right one; "": none."""
        fields = {"AccountSid": self.sid, "ApiVersion": "2010-04-01", **form}
        fields = {name: value for name, value in fields.items() if value is not None}
        path = path.removeprefix(self.public).partition("#")[0]
        right = RequestValidator(self.token).compute_signature(self.public + path, fields)
        given = right if signature is None else signature
        headers = {"X-Twilio-Signature": given} if given else {}
        url = URL(self.at + path, encoded=True)
        async with self.session.post(url, data=fields, headers=headers) as response:
            return response.status, await response.text()

    async def rings(self, call: str = "CA1", frm: str = "+14155550132", to: str = "+442079460900", **more: Any) -> str:
        status, body = await self.post("/voice/inbound", ringing(call, frm, to) | more)
        assert status == 200, body
        return body

    async def calls(self, to: str, frm: str = "client:acme.max", call: str = "CA1", **more: Any) -> str:
        status, body = await self.post("/voice/outbound", ringing(call, frm, to) | more)
        assert status == 200, body
        return body

    async def ends(self, leg: str, seconds: Any, url: str = "/voice/status", **more: Any) -> int:
        status, _ = await self.post(url, ended(leg, seconds) | more)
        return status


def ringing(call: str, frm: str, to: str) -> dict[str, Any]:
    """The fields of a call that rings, blank ones among them."""
    return {
        "CallSid": call,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": frm,
        "Caller": frm,
        "To": to,
        "Called": to,
        "FromCity": "",
        "FromState": "CA",
        "FromZip": "",
        "FromCountry": "US",
        "ToCity": "London & +%",
        "ToCountry": "GB",
        "StirVerstat": "TN-Validation-Passed-A",
        "CallToken": '{"parentCallInfoToken":"ey=="}',
    }


def ended(leg: str, seconds: Any) -> dict[str, Any]:
    return {
        "CallSid": leg,
        "CallStatus": "completed",
        "CallDuration": seconds,
        "Duration": "1",
        "To": "+442079460900",
        "From": "+14155550132",
        "Direction": "inbound",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "3",
        "Timestamp": "Fri, 20 Nov 2026 10:01:00 +0000",
    }
