"""The voice routes, as the settings have them: Twilio's, or an answer that says what is off."""

from typing import Final

from aiohttp import web

from bot.settings import Settings
from bot.telemetry import Metrics
from bot.web import off
from handlers.ports import Services
from handlers.voice import Voice

PATHS: Final = ("/voice/inbound", "/voice/outbound", "/voice/status")


def routes(settings: Settings, services: Services, metrics: Metrics) -> list[web.RouteDef]:
    """For the one HTTP server. Twilio's code is imported only where it is on."""
    if settings.twilio is None:
        return [web.post(path, off("Twilio")) for path in PATHS]
    if settings.public_url is None:  # what is signed is the URL as the carrier knows it
        return [web.post(path, off("Calls over Twilio, for want of a PUBLIC_URL,")) for path in PATHS]
    from bot.carriers.voice_http import VoiceHttp

    voice, twilio = Voice(services), settings.twilio
    return VoiceHttp(voice, twilio.account_sid, twilio.auth_token, settings.public_url, metrics, services.now).routes()
