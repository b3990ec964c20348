"""The voice routes, as the settings have them: Twilio's, or an answer that says what is off."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import web

from bot.settings import Settings
from bot.telemetry import Metrics
from bot.web import answer_disabled
from handlers.calls.voice import Voice
from handlers.framework.ports import Services
from handlers.numbers.caller_id import handle_validation

if TYPE_CHECKING:
    from bot.carriers.voice_http import VoiceHttp

PATHS: Final = ("/voice/inbound", "/voice/outbound", "/voice/status")


def voice(settings: Settings, services: Services, metrics: Metrics) -> "VoiceHttp | None":
    """Calls over Twilio, where it and a PUBLIC_URL are configured: what is signed is the URL as the carrier knows it.
    Its code is imported only then."""
    if settings.twilio is None or settings.public_url is None:
        return None
    from bot.carriers.voice_http import VoiceHttp

    twilio = settings.twilio

    async def ended(fields: Mapping[str, str]) -> None:
        await handle_validation(services, fields)

    return VoiceHttp(
        Voice(services), twilio.account_sid, twilio.auth_token, settings.public_url, metrics, services.now, ended
    )


def routes(settings: Settings, on: "VoiceHttp | None") -> list[web.RouteDef]:
    """For the one HTTP server."""
    if on is not None:
        return on.routes()
    part = "Twilio" if settings.twilio is None else "Calls over Twilio, for want of a PUBLIC_URL,"
    return [web.post(path, answer_disabled(part)) for path in PATHS]
