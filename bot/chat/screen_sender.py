"""What the outbox sends at once: screens, and home screens that are drawn anew."""

from bot.chat.api import OFF, delivery_of
from bot.chat.transport import ScreenTransport
from bot.chat.types import Handler
from bot.telemetry import logger
from handlers.framework.vocabulary import (
    Actor,
    Address,
    HomeRequest,
    Press,
    Screen,
    unpack_address,
    unpack_screen,
)
from store.engine.effects import Drop, Effect, SendResult
from store.server.connection import StoreUnavailable

_log = logger(__name__)


class ScreenSender:
    """`screen` and `home`, for the outbox."""

    def __init__(self, platform: str, transport: ScreenTransport, handle: Handler) -> None:
        self._platform = platform
        self._transport = transport
        self._handle = handle

    async def screen(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Body: `to` (an address), `screen`, `replace`, perhaps `redraw` (action and value of a press: what it answers
        takes the place of what is there, instead of `screen`). Said where the person acted while that is possible, else
        in their direct messages, or in the channel.

        Raises `InDoubt` where it may have arrived.
        """
        try:
            to, shown = unpack_address(effect.body["to"]), unpack_screen(effect.body["screen"])
        except (KeyError, ValueError, TypeError, AttributeError):
            _log.error("an effect is no screen", kind=effect.kind, id=effect.id)
            return Drop("not a screen")
        if to.reply:
            try:
                fresh = await self._redrawn(to, effect)
            except StoreUnavailable:
                return OFF
            replace = fresh is not None or effect.body.get("replace") is True
            reply = await self._transport.answer(to, fresh or shown, replace=replace, in_doubt=in_doubt)
            if reply is not None and (reply.ok or reply.transient):
                return delivery_of(self._platform, reply)
        return await self._transport.say(to, shown, effect.id, in_doubt=in_doubt)

    async def _redrawn(self, to: Address, effect: Effect) -> Screen | None:
        """What takes the place of the screen that `to.reply` leads to, as it is now."""
        match effect.body.get("redraw"):
            case {"action": str(action), "value": str(value)} if to.user is not None:
                actor = await self._transport.reader(to, to.user)
                outcome = await self._handle(Press(actor, effect.id, action, value, to))
                return outcome if isinstance(outcome, Screen) else None
        return None

    async def home(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Body: `to`. The home screen as it is now: drawn again it is the same, so a repeat does no harm.

        Raises `InDoubt` where it may have arrived.
        """
        try:
            to = unpack_address(effect.body["to"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return Drop("not an address")
        if to.user is None:
            return Drop("no address")

        async def draw(actor: Actor) -> Screen | None:
            outcome = await self._handle(HomeRequest(actor, to, anew=True))
            return outcome if isinstance(outcome, Screen) else None

        try:
            return await self._transport.update_home(to, draw)
        except StoreUnavailable:
            return OFF
