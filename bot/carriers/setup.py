"""The carriers and the voice routes that the settings ask for. Twilio's SDK is imported only where Twilio is on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aiohttp import web

from bot.carriers.inventory import Inventory, Phone
from bot.metrics import Metrics
from bot.settings import Settings
from bot.web import answer_disabled
from handlers.calls.voice import Voice
from handlers.framework.ports import Carrier, Seller, Services
from handlers.numbers.caller_id import handle_validation
from store.engine.effects import Sender

if TYPE_CHECKING:
    from bot.carriers.voice_http import VoiceHttp

INBOUND: Final = "/voice/inbound"
OUTBOUND: Final = "/voice/outbound"
STATUS: Final = "/voice/status"


@dataclass(frozen=True, slots=True)
class CarrierSetup:
    """`carrier` and `seller` go to the handlers, `send_code` to the outbox; `close` is called at the end."""

    carrier: Carrier
    send_code: Sender
    seller: Seller | None = None
    close: Callable[[], Awaitable[None]] | None = None


def set_up_carriers(
    settings: Settings,
    phone: Phone | None,
    now: Callable[[], datetime],
    numbers_of: Callable[[str], Awaitable[Sequence[str]]],
) -> CarrierSetup:
    """The inventory, and Twilio where its account is set. `numbers_of` returns an account's numbers in use."""
    inventory = Inventory(phone, now)
    if settings.twilio is None:
        return CarrierSetup(inventory, inventory.send_code)
    from bot.carriers.combined import CombinedCarrier
    from bot.carriers.twilio import TwilioCarrier

    seller = TwilioCarrier(settings.twilio, settings.public_url, numbers_of, now)
    return CarrierSetup(CombinedCarrier(inventory, seller), seller.send_code, seller, seller.aclose)


def set_up_voice(settings: Settings, services: Services, metrics: Metrics) -> "VoiceHttp | None":
    """Calls over Twilio, where it and PUBLIC_URL are set: Twilio signs the URL under which it reaches the bot."""
    if settings.twilio is None or settings.public_url is None:
        return None
    from bot.carriers.voice_http import VoiceHttp

    twilio = settings.twilio

    async def validated(fields: Mapping[str, str]) -> None:
        await handle_validation(services, fields)

    return VoiceHttp(
        Voice(services), twilio.account_sid, twilio.auth_token, settings.public_url, metrics, services.now, validated
    )


def voice_routes(settings: Settings, voice: "VoiceHttp | None") -> list[web.RouteDef]:
    """The routes of `voice`; for None, routes whose answer says what is off."""
    if voice is not None:
        return voice.routes()
    part = "Twilio" if settings.twilio is None else "Calls over Twilio, for want of a PUBLIC_URL,"
    return [web.post(path, answer_disabled(part)) for path in (INBOUND, OUTBOUND, STATUS)]
