"""What the outbox sends to Slack: screens, and home screens that are drawn anew.

An effect is told apart from its repeats by its id, which every message carries as metadata: after a send whose end
nobody saw, the latest messages are looked through before it is sent again.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.slack import render
from bot.slack.client import ApiResult, Client
from bot.slack.display import Display, post_arguments, response_body
from bot.slack.payloads import PLATFORM
from bot.telemetry import logger
from handlers.framework.effects import unpack_address, unpack_screen
from handlers.framework.events import Actor, Address, HomeRequest, Inbound, Press
from handlers.framework.forms import Response
from handlers.framework.screens import Screen
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from store.engine.effects import SendResult as Delivery
from store.server.connection import StoreUnavailable

_log = logger(__name__)

_OURS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_too_long"})


class ScreenSender:
    """`screen` and `home`, for the outbox."""

    def __init__(self, client: Client, display: Display, handle: Callable[[Inbound], Awaitable[Response]]) -> None:
        self._client = client
        self._display = display
        self._handle = handle

    async def screen(self, effect: Effect, in_doubt: bool) -> Delivery:
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
                return Retry(None, "the store does not answer")
            replace = fresh is not None or effect.body.get("replace") is True
            # In doubt, only what takes the place of something can be said once more there without being said twice.
            if replace or not in_doubt:
                reply = await self._client.respond(to.reply, response_body(fresh or shown, replace=replace))
                if reply.ok or reply.transient:
                    return delivery_of(reply)
        return await self._post(to, shown, effect.id, in_doubt)

    async def _redrawn(self, to: Address, effect: Effect) -> Screen | None:
        """What takes the place of the screen that `to.reply` leads to, as it is now."""
        match effect.body.get("redraw"):
            case {"action": str(action), "value": str(value)} if to.user is not None:
                actor = Actor(PLATFORM, to.workspace, to.user)
                outcome = await self._handle(Press(actor, effect.id, action, value, to))
                return outcome if isinstance(outcome, Screen) else None
        return None

    async def _post(self, to: Address, shown: Screen, id: str, in_doubt: bool) -> Delivery:
        channel = to.user or to.channel
        if channel is None:
            return Drop("no address")
        if in_doubt and to.user and await self._display.has_message(to.workspace, to.user, id):
            return Sent()
        arguments = post_arguments(shown, id, channel)
        return delivery_of(await self._display.call(to.workspace, "chat.postMessage", arguments))

    async def home(self, effect: Effect, in_doubt: bool) -> Delivery:
        """Body: `to`. The home screen as it is now: drawn again it is the same, so a repeat does no harm.

        Raises `InDoubt` where it may have arrived.
        """
        try:
            to = unpack_address(effect.body["to"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return Drop("not an address")
        if to.user is None:
            return Drop("no address")
        try:
            outcome = await self._handle(HomeRequest(Actor(PLATFORM, to.workspace, to.user), to, anew=True))
        except StoreUnavailable:
            return Retry(None, "the store does not answer")
        if not isinstance(outcome, Screen):
            return Sent()
        arguments = {"user_id": to.user, "view": render.home(outcome)}
        return delivery_of(await self._display.call(to.workspace, "views.publish", arguments))


def delivery_of(reply: ApiResult) -> Delivery:
    """What the outbox makes of a call that shows something. Raises `InDoubt`."""
    if reply.ok:
        return Sent()
    if reply.in_doubt:
        raise InDoubt(reply.error)
    if reply.transient:
        return Retry(reply.after, reply.error)
    if reply.error in _OURS:
        _log.error("Slack refuses what we made", error=reply.error, details=reply.data.get("response_metadata"))
    return Drop(reply.error)
