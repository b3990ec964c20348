"""What the outbox sends to Teams: screens, and home cards that are drawn anew.

Teams offers a bot no way to look through what it has said: an effect whose end nobody saw is sent once more. What
takes the place of something can be sent any number of times.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.teams.client import ApiResult
from bot.teams.conversations import PLATFORM, Conversation, Conversations
from bot.teams.display import Display
from bot.teams.reply_references import MessageReference, unpack
from bot.telemetry import logger
from handlers.framework.effects import unpack_address, unpack_screen
from handlers.framework.events import Actor, Address, HomeRequest, Inbound, Press
from handlers.framework.forms import Response
from handlers.framework.screens import Screen
from store.engine.effects import Drop, Effect, Retry, Sent
from store.engine.effects import SendResult as Delivery
from store.server.connection import StoreUnavailable

_log = logger(__name__)
_OFF: Final = Retry(None, "the store does not answer")


class SendInDoubt(Exception):
    """It was sent and nobody saw how it ended: the outbox takes the effect as in doubt."""


class ScreenSender:
    """`screen` and `home`, for the outbox."""

    def __init__(
        self, display: Display, conversations: Conversations, handle: Callable[[Inbound], Awaitable[Response]]
    ) -> None:
        self._display = display
        self._conversations = conversations
        self._handle = handle

    async def screen(self, effect: Effect, in_doubt: bool) -> Delivery:
        """Body: `to` (an address), `screen`, `replace`, perhaps `redraw` (action and value of a press: what it answers
        takes the place of what is there, instead of `screen`). In the place of what the person acted on while that is
        there, else said to the person, or in the channel.

        Raises `SendInDoubt` where it may have arrived.
        """
        try:
            to, shown = unpack_address(effect.body["to"]), unpack_screen(effect.body["screen"])
        except (KeyError, ValueError, TypeError, AttributeError):
            _log.error("an effect is no screen", kind=effect.kind, id=effect.id)
            return Drop("not a screen")
        way = unpack(to.reply) if to.reply else None
        if way is not None:
            try:
                fresh = await self._redrawn(to, effect)
            except StoreUnavailable:
                return _OFF
            if fresh is not None or effect.body.get("replace") is True:
                reply = await self._display.update(to, way, fresh or shown)
                if reply.ok or reply.transient:
                    return delivery_of(reply)
        return delivery_of(await self._display.post(to, shown))

    async def _redrawn(self, to: Address, effect: Effect) -> Screen | None:
        """What takes the place of the screen that `to.reply` leads to, as it is now."""
        match effect.body.get("redraw"):
            case {"action": str(action), "value": str(value)} if to.user is not None:
                known = await self._conversations.person(to.workspace, to.user)
                outcome = await self._handle(Press(_actor(to.workspace, to.user, known), effect.id, action, value, to))
                return outcome if isinstance(outcome, Screen) else None
        return None

    async def home(self, effect: Effect, in_doubt: bool) -> Delivery:
        """Body: `to`. The home card as it is now, where the person has one: drawn again it is the same, so a repeat
        does no harm.

        Raises `SendInDoubt` where it may have arrived.
        """
        try:
            to = unpack_address(effect.body["to"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return Drop("not an address")
        if to.user is None:
            return Drop("no address")
        try:
            known = await self._conversations.person(to.workspace, to.user)
            if known is None or known.gone or known.user is None:
                return Sent()  # nobody looks at a home there
            activity = await self._conversations.home(to.workspace, known.user)
            if activity is None:
                return Sent()
            outcome = await self._handle(HomeRequest(_actor(to.workspace, known.user, known), to, anew=True))
            if not isinstance(outcome, Screen):
                return Sent()
            reply = await self._display.update(to, MessageReference(known.conversation, activity), outcome)
            if reply.status in {403, 404}:  # it was taken away; the next one is asked for
                await self._conversations.keep_home(to.workspace, known.user, None)
                return Sent()
        except StoreUnavailable:
            return _OFF
        return delivery_of(reply)


def _actor(tenant: str, user: str, known: Conversation | None) -> Actor:
    """Whoever a screen is drawn for, in the language of their Teams."""
    if known is None:
        return Actor(PLATFORM, tenant, user)
    return Actor(PLATFORM, tenant, user, locale=known.locale, other_ids=(known.aad,) if known.aad else ())


def delivery_of(reply: ApiResult) -> Delivery:
    """What the outbox makes of a call. Raises `SendInDoubt`."""
    if reply.ok:
        return Sent()
    if reply.in_doubt:
        raise SendInDoubt(reply.error)
    if reply.transient:
        return Retry(reply.after, reply.error)
    if reply.status in {400, 413}:
        _log.error("Teams refuses what we made", status=reply.status, error=reply.error)
    return Drop(reply.error)
