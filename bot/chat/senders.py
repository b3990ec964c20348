"""The outbox's senders for all platforms: screens, home screens, and posts, which are messages that are updated where
they stand, in a channel or with a person, alone or in another's thread.
"""

from dataclasses import dataclass, replace
from typing import Final

from bot.chat.api import OFF, delivery_of
from bot.chat.transport import Transport
from bot.chat.types import Handler, PostLostCallback, Wiring
from bot.telemetry import logger
from handlers.framework.effects import unpack_address, unpack_screen
from handlers.framework.events import Actor, Address, HomeRequest, Press
from handlers.framework.screens import Paragraph, Screen
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sender, SendResult, Sent
from store.engine.posts import Ledger, MessageRef
from store.server.connection import StoreUnavailable

_log = logger(__name__)
NO_HEAD: Final = "the head of the thread is nowhere"


def senders(transport: Transport, wiring: Wiring, file: Sender) -> dict[str, Sender]:
    """By what follows the platform's name in the kind of an effect. Files have each platform's own ways."""
    screens = ScreenSender(transport, wiring.handle)
    posts = PostSender(transport, Ledger(wiring.store), wiring.lost)
    return {"screen": screens.screen, "home": screens.home, "file": file, "post": posts}


class ScreenSender:
    """`screen` and `home`, for the outbox."""

    def __init__(self, transport: Transport, handle: Handler) -> None:
        self._transport = transport
        self._handle = handle

    async def screen(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Shows a screen where the person acted while that is possible, else in their direct messages or the channel.

        Body: `to` (an address), `screen`, `replace`, perhaps `redraw` (action and value of a press whose outcome
        replaces what is there, instead of `screen`). Raises `InDoubt` where it may have arrived.
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
                return delivery_of(self._transport.platform, reply)
        return await self._transport.say(to, shown, effect.id, in_doubt=in_doubt)

    async def _redrawn(self, to: Address, effect: Effect) -> Screen | None:
        """The current screen to replace the one that `to.reply` leads to; None: keep to the effect's."""
        match effect.body.get("redraw"):
            case {"action": str(action), "value": str(value)} if to.user is not None:
                actor = await self._transport.reader(to, to.user)
                outcome = await self._handle(Press(actor, effect.id, action, value, to))
                return outcome if isinstance(outcome, Screen) else None
        return None

    async def home(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Draws the home screen of `to` (in the body) as it is now; may be repeated. Raises `InDoubt`."""
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


@dataclass(frozen=True, slots=True)
class _PostRequest:
    """The body of a post's effect."""

    account: str
    tag: str
    key: str
    to: Address
    screen: Screen | None
    below: str | None
    at: MessageRef | None  # where it stands, whatever the ledger knows


class PostSender:
    """The sender of `PLATFORM.post` (`handlers.framework.context.put`)."""

    def __init__(self, transport: Transport, ledger: Ledger, lost: PostLostCallback) -> None:
        self._transport = transport
        self._platform = transport.platform
        self._ledger = ledger
        self._lost = lost

    async def __call__(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Updates the post's message, or posts it; deletes it where there is no screen. In doubt, the message is
        searched for where the platform can. Raises `InDoubt` where it may have been posted."""
        try:
            body = effect.body
            shown = unpack_screen(body["screen"]) if body["screen"] is not None else None
            to, below = unpack_address(body["to"]), body.get("below")
            at = MessageRef.of(body["at"]) if body.get("at") else None
            request = _PostRequest(str(body["account"]), str(body["tag"]), str(body["key"]), to, shown, below, at)
        except (KeyError, ValueError, TypeError, AttributeError):
            _log.error("an effect is no post", kind=effect.kind, id=effect.id)
            return Drop("not a post")
        if shown is not None and shown.about and below is not None and not self._transport.has_threads(to):
            # Nothing else says what it goes below.
            shown = replace(shown, blocks=(Paragraph((shown.about,), quiet=True), *shown.blocks))
            request = replace(request, screen=shown)
        try:
            outcome = await self._put(request, effect.id, in_doubt)
        except StoreUnavailable:
            raise InDoubt("the store does not answer") from None
        if at is None and isinstance(outcome, Drop) and outcome.reason in self._transport.no_access:
            await self._lost(request.account, request.key, outcome.reason)
        return outcome

    async def _put(self, request: _PostRequest, id: str, in_doubt: bool) -> SendResult:
        known = request.at or await self._ledger.find(request.tag, request.account, request.key)
        ref = known if request.at or self._is_at(known, request.to) else None
        if ref is None and request.below is None and isinstance(removal := await self._remove_old(known), Retry):
            return removal
        if ref is None and in_doubt:
            ref = await self._find(request, id)
        if ref is None:
            return Sent() if request.screen is None else await self._post(request, request.screen, id)
        if request.at is not None and request.screen is None:
            reply = await self._transport.take_away(ref)
        else:
            reply = await self._transport.change(request.to, ref, request.screen)
        gone = self._transport.is_gone(reply)
        if request.screen is None and (reply.ok or gone):
            await self._ledger.remove(request.tag, request.account, request.key, ref)
            return Sent()
        if request.screen is None or not gone:
            return delivery_of(self._platform, reply)
        await self._ledger.remove(request.tag, request.account, request.key)  # somebody took it away
        return await self._post(request, request.screen, id)

    async def _post(self, request: _PostRequest, screen: Screen, id: str) -> SendResult:
        head = await self._find_head(request)
        if head is None and self._is_threaded(request):  # the head is posted first, so it never arrived
            return Drop(NO_HEAD)
        reply, name = await self._transport.post(request.to, screen, id, head)
        if name is not None:
            await self._record(request, name)
        return delivery_of(self._platform, reply)

    async def _find(self, request: _PostRequest, id: str) -> MessageRef | None:
        """The message of an earlier try, where there is one and the platform tells."""
        head = await self._find_head(request)
        if head is None and self._is_threaded(request):
            return None  # nothing can have been posted below it
        name = await self._transport.find(request.to, id, head)
        return await self._record(request, name) if name is not None else None

    async def _record(self, request: _PostRequest, name: str) -> MessageRef:
        place = MessageRef(self._platform, request.to.workspace, name)
        await self._ledger.record(request.tag, request.account, request.key, place)
        return place

    async def _remove_old(self, ref: MessageRef | None) -> SendResult:
        """Deletes the post where the desk was before it moved; it stays where we have no access any more."""
        if ref is None or ref.platform != self._platform:
            return Sent()
        return delivery_of(self._platform, await self._transport.take_away(ref))

    def _is_threaded(self, request: _PostRequest) -> bool:
        """Whether the post goes to the thread of another one."""
        return request.below is not None and self._transport.has_threads(request.to)

    async def _find_head(self, request: _PostRequest) -> MessageRef | None:
        """The post at the head of the thread; None where there is none, or where it stands in another place than posts
        go now: the desk has moved, and it is posted anew."""
        if request.below is None or not self._is_threaded(request):
            return None
        ref = await self._ledger.find(request.tag, request.account, request.below)
        return ref if self._is_at(ref, request.to) else None

    def _is_at(self, ref: MessageRef | None, to: Address) -> bool:
        """Whether a post stands where it goes to."""
        if ref is None or (ref.platform, ref.workspace) != (self._platform, to.workspace):
            return False
        return to.user is not None or self._transport.channel_of(ref) == to.channel
