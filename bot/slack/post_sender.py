"""Posts: what is kept up to date where it stands, in a channel or with a person, alone or below another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.slack import render
from bot.slack.display import Display, LookupFailed, post_arguments
from bot.slack.payloads import PLATFORM
from bot.slack.screen_sender import delivery_of
from bot.telemetry import logger
from handlers.framework.effects import unpack_address, unpack_screen
from handlers.framework.events import Address
from handlers.framework.screens import Screen
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from store.engine.effects import SendResult as Delivery
from store.engine.posts import Ledger, MessageRef
from store.server.connection import StoreUnavailable

_log = logger(__name__)
NO_HEAD: Final = "the head of the thread is nowhere"
_NOWHERE: Final = frozenset({"message_not_found", "cant_update_message", "thread_not_found"})
# Somebody has to let us in again.
_OUTSIDE: Final = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "account_inactive", "user_disabled", "not_installed"}
)

# Told account, key and Slack's code of a post that can't arrive, because of where it goes.
PostLostCallback = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _PostRequest:
    """A post as its effect has it."""

    account: str
    tag: str
    key: str
    to: Address
    screen: Screen | None
    below: str | None
    at: MessageRef | None = None  # where it stands, whatever the ledger knows


class PostSender:
    """The sender of `slack.post` (`handlers.context.put`)."""

    def __init__(self, display: Display, ledger: Ledger, lost: PostLostCallback) -> None:
        self._display = display
        self._ledger = ledger
        self._lost = lost

    async def __call__(self, effect: Effect, in_doubt: bool) -> Delivery:
        """Changes the message that the post is, or makes it one; takes it away where there is no screen.

        Raises `InDoubt` where it may have been made, and is then looked for before it is made again.
        """
        try:
            body = effect.body
            shown = unpack_screen(body["screen"]) if body["screen"] is not None else None
            below = body.get("below")
            to = unpack_address(body["to"])
            at = MessageRef.of(body["at"]) if body.get("at") else None
            wanted = _PostRequest(str(body["account"]), str(body["tag"]), str(body["key"]), to, shown, below, at)
        except (KeyError, ValueError, TypeError, AttributeError):
            _log.error("an effect is no post", kind=effect.kind, id=effect.id)
            return Drop("not a post")
        try:
            outcome = await self._put(wanted, effect.id, in_doubt)
        except StoreUnavailable:
            raise InDoubt("the store does not answer") from None
        if wanted.at is None and isinstance(outcome, Drop) and outcome.reason in _OUTSIDE:
            await self._lost(wanted.account, wanted.key, outcome.reason)
        return outcome

    async def _put(self, wanted: _PostRequest, id: str, in_doubt: bool) -> Delivery:
        known = wanted.at or await self._ledger.find(wanted.tag, wanted.account, wanted.key)
        there = known if wanted.at or _is_at(known, wanted.to) else None
        if there is None and wanted.below is None and isinstance(left := await self._leave(known), Retry):
            return left
        if there is None and in_doubt:
            there = await self._look(wanted, id)
        if wanted.screen is None:
            return await self._take_away(wanted, there)
        if there is None:
            return await self._post(wanted, wanted.screen, id)
        channel, _, stamp = there.message.partition(":")
        arguments = {"channel": channel, "ts": stamp, **render.message(wanted.screen)}
        reply = await self._display.call(there.workspace, "chat.update", arguments)
        if reply.error not in _NOWHERE:
            return delivery_of(reply)
        await self._ledger.remove(wanted.tag, wanted.account, wanted.key)  # somebody took it away
        return await self._post(wanted, wanted.screen, id)

    async def _at(self, wanted: _PostRequest, key: str) -> MessageRef | None:
        """Where a post is; None also where that is not where it goes now: the desk has moved, and it is posted anew."""
        there = await self._ledger.find(wanted.tag, wanted.account, key)
        return there if _is_at(there, wanted.to) else None

    async def _post(self, wanted: _PostRequest, screen: Screen, id: str) -> Delivery:
        channel, thread, to = wanted.to.user or wanted.to.channel, None, wanted.to
        if wanted.below is not None:
            head = await self._at(wanted, wanted.below)
            if head is None:  # it comes before, so it never arrived
                return Drop(NO_HEAD)
            channel, _, thread = head.message.partition(":")
        if channel is None:
            return Drop("no address")
        reply = await self._display.call(to.workspace, "chat.postMessage", post_arguments(screen, id, channel, thread))
        if not reply.ok:
            return delivery_of(reply)
        await self._note(wanted, str(reply.data.get("channel", "")), str(reply.data.get("ts", "")))
        return Sent()

    async def _look(self, wanted: _PostRequest, id: str) -> MessageRef | None:
        """The message that an earlier try made, if it did."""
        channel, thread = wanted.to.user or wanted.to.channel or "", None
        if wanted.below is not None:
            head = await self._at(wanted, wanted.below)
            if head is None:
                return None  # then nothing can have been put below it
            channel, _, thread = head.message.partition(":")
        try:
            found = await self._display.find_message(wanted.to.workspace, channel, id, thread)
        except LookupFailed as unseen:
            raise InDoubt(str(unseen)) from None
        return await self._note(wanted, *found) if found is not None else None

    async def _note(self, wanted: _PostRequest, channel: str, stamp: str) -> MessageRef:
        place = MessageRef(PLATFORM, wanted.to.workspace, f"{channel}:{stamp}")
        await self._ledger.record(wanted.tag, wanted.account, wanted.key, place)
        return place

    async def _leave(self, there: MessageRef | None) -> Delivery:
        """The desk has moved: what was left behind would tell what was. Where we are not let in any more it stays."""
        if there is None or there.platform != PLATFORM:
            return Sent()
        channel, _, stamp = there.message.partition(":")
        return delivery_of(await self._display.call(there.workspace, "chat.delete", {"channel": channel, "ts": stamp}))

    async def _take_away(self, wanted: _PostRequest, there: MessageRef | None) -> Delivery:
        if there is None:
            return Sent()
        channel, _, stamp = there.message.partition(":")
        arguments: dict[str, Any] = {"channel": channel, "ts": stamp}
        reply = await self._display.call(there.workspace, "chat.delete", arguments)
        if reply.ok or reply.error in _NOWHERE:
            await self._ledger.remove(wanted.tag, wanted.account, wanted.key, there)
            return Sent()
        return delivery_of(reply)


def _is_at(there: MessageRef | None, to: Address) -> bool:
    """Whether a post stands where it goes to."""
    if there is None or (there.platform, there.workspace) != (PLATFORM, to.workspace):
        return False
    return to.user is not None or there.message.partition(":")[0] == to.channel
