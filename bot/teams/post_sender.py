"""Posts: what is kept up to date where it stands, in a channel or with a person, alone or below another.

Teams offers a bot no way to look through what it has said: a post that may have arrived is posted once more. A chat of
two has no threads: there what goes below a post goes after it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from bot.teams.client import ApiResult
from bot.teams.conversations import PLATFORM
from bot.teams.display import REMOVED, UNKNOWN, Display
from bot.teams.payloads import message_name
from bot.teams.screen_sender import delivery_of
from bot.telemetry import logger
from handlers.framework.effects import unpack_address, unpack_screen
from handlers.framework.events import Address
from handlers.framework.screens import Paragraph, Screen
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from store.engine.effects import SendResult as Delivery
from store.engine.posts import Ledger, MessageRef
from store.server.connection import StoreUnavailable

_log = logger(__name__)
NO_HEAD: Final = "the head of the thread is nowhere"
_NOWHERE: Final = frozenset({404, 410})
# Somebody has to let us in again.
_OUTSIDE: Final = frozenset(
    {REMOVED, UNKNOWN, "http_403", "http_404", "BotNotInConversationRoster", "ConversationNotFound"}
)

# Told account, key and Teams' code of a post that can't arrive, because of where it goes.
PostLostCallback = Callable[[str, str, str], Awaitable[None]]


class PostSender:
    """The sender of `teams.post` (`handlers.context.put`)."""

    def __init__(self, display: Display, ledger: Ledger, lost: PostLostCallback) -> None:
        self._display = display
        self._ledger = ledger
        self._lost = lost

    async def __call__(self, effect: Effect, in_doubt: bool) -> Delivery:
        """Changes the message that the post is, or makes it one; takes it away where there is no screen."""
        try:
            body = effect.body
            shown = unpack_screen(body["screen"]) if body["screen"] is not None else None
            to, below = unpack_address(body["to"]), body.get("below")
            tag, account, key = str(body["tag"]), str(body["account"]), str(body["key"])
            at = MessageRef.of(body["at"]) if body.get("at") else None  # where it stands, whatever the ledger knows
        except (KeyError, ValueError, TypeError, AttributeError):
            _log.error("an effect is no post", kind=effect.kind, id=effect.id)
            return Drop("not a post")
        if shown is not None and below is not None and to.user is not None and shown.about:
            # Nothing else says what it goes below.
            shown = replace(shown, blocks=(Paragraph((shown.about,), quiet=True), *shown.blocks))
        try:
            outcome = await self._put(to, tag, account, key, shown, below, at)
        except StoreUnavailable:
            raise InDoubt("the store does not answer") from None
        if at is None and isinstance(outcome, Drop) and outcome.reason in _OUTSIDE:
            await self._lost(account, key, outcome.reason)
        return outcome

    async def _put(
        self,
        to: Address,
        tag: str,
        account: str,
        key: str,
        screen: Screen | None,
        below: str | None,
        at: MessageRef | None,
    ) -> Delivery:
        known = at or await self._ledger.find(tag, account, key)
        there = known if at or _is_at(known, to) else None
        if there is None and below is None and isinstance(left := await self._leave(known), Retry):
            return left
        if there is not None:
            conversation, _, activity = there.message.rpartition("/")
            if at is not None:
                reply = await self._display.take_away(at.workspace, conversation, activity)
            else:
                reply = await self._display.change(to, conversation, activity, screen)
            gone = reply.status in _NOWHERE
            if screen is None and (reply.ok or gone):
                await self._ledger.remove(tag, account, key, there)
                return Sent()
            if not gone:
                return delivery_of(reply)
            await self._ledger.remove(tag, account, key)  # somebody took it away
        if screen is None:
            return Sent()
        root = None
        if below is not None and to.user is None:
            head = await self._at(to, tag, account, below)
            if head is None:  # it comes before, so it never arrived
                return Drop(NO_HEAD)
            root = head.message.rpartition("/")[2]
        reply, conversation = await self._display.put(to, screen, root)
        return await self._noted(reply, to, tag, account, key, conversation)

    async def _leave(self, there: MessageRef | None) -> Delivery:
        """The desk has moved: what was left behind would tell what was. Where we are not let in any more it stays."""
        if there is None or there.platform != PLATFORM:
            return Sent()
        conversation, _, activity = there.message.rpartition("/")
        return delivery_of(await self._display.take_away(there.workspace, conversation, activity))

    async def _at(self, to: Address, tag: str, account: str, key: str) -> MessageRef | None:
        """Where a post is; None also where that is not where it goes now: the desk has moved, and it is posted anew."""
        there = await self._ledger.find(tag, account, key)
        return there if _is_at(there, to) else None

    async def _noted(
        self, reply: ApiResult, to: Address, tag: str, account: str, key: str, conversation: str
    ) -> Delivery:
        if reply.ok and reply.id is not None:
            place = MessageRef(PLATFORM, to.workspace, message_name(conversation, reply.id))
            await self._ledger.record(tag, account, key, place)
        return delivery_of(reply)


def _is_at(there: MessageRef | None, to: Address) -> bool:
    """Whether a post stands where it goes to."""
    if there is None or (there.platform, there.workspace) != (PLATFORM, to.workspace):
        return False
    return to.user is not None or there.message.rpartition("/")[0].partition(";")[0] == to.channel
