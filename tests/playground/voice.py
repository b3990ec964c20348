"""A small bot that answers voice webhooks with TwiML, checks their signature itself, and notes what it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from playground.twilio.pretend import PretendTwilio
from tests.servers import serving

CALLER, OURS, PHONE = "+441214960199", "+442079460900", "+442079460111"
DIAL = (
    '<Dial callerId="{caller}"{more}><Number statusCallback="/voice/status?call=1&amp;number=2" '
    'statusCallbackEvent="initiated ringing answered completed">+442079460111</Number></Dial>'
)


@dataclass
class VoiceBot:
    """Answers voice URLs with `says`; `told` are the status callbacks with their path, `asked` the other requests."""

    url: str = ""
    public: str = ""
    token: str = ""
    says: str = ""
    after: str = ""
    content_type: str = "text/xml"
    busy: int = 0  # status callbacks that it can't take now
    asked: list[dict[str, str]] = field(default_factory=list)
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def voice(self, request: web.Request) -> web.Response:
        self.asked.append(await self.checked(request))
        return web.Response(text=f"<Response>{self.says}</Response>", content_type=self.content_type)

    async def dialled(self, request: web.Request) -> web.Response:
        self.asked.append(await self.checked(request))
        return web.Response(text=f"<Response>{self.after}</Response>", content_type="text/xml")

    async def status(self, request: web.Request) -> web.Response:
        if self.busy:
            self.busy -= 1
            return web.Response(status=503)
        self.told.append((request.path_qs, await self.checked(request)))
        return web.Response(status=204)

    async def checked(self, request: web.Request) -> dict[str, str]:
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        self.tokens.append(request.headers["I-Twilio-Idempotency-Token"])
        signed = (self.public or self.url) + request.path_qs + "".join(name + form[name] for name in sorted(form))
        made = base64.b64encode(hmac.new(self.token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        if not hmac.compare_digest(made, request.headers.get("X-Twilio-Signature", "")):
            raise web.HTTPForbidden
        return form

    def statuses(self, sid: str) -> list[str]:
        return [sent["CallStatus"] for _, sent in self.told if sent["CallSid"] == sid]


def dial(more: str = "", caller: str = CALLER) -> str:
    return DIAL.format(caller=caller, more=more)


@asynccontextmanager
async def voice_bot(twilio: PretendTwilio) -> AsyncIterator[VoiceBot]:
    """The bot, with a number of the account and the application pointing at it."""
    made = VoiceBot(token=twilio.auth_token)
    app = web.Application()
    app.add_routes(
        [
            web.post("/voice/inbound", made.voice),
            web.post("/voice/outbound", made.voice),
            web.post("/voice/dialled", made.dialled),
            web.post("/voice/status", made.status),
        ]
    )
    async with serving(app) as made.url:
        twilio.own(OURS, voice_url=f"{made.url}/voice/inbound", status_callback=f"{made.url}/voice/status")
        twilio.application.voice_url = f"{made.url}/voice/outbound"
        twilio.application.status_callback = f"{made.url}/voice/status"
        yield made
