"""Sends screens and posts to Slack. Every message carries the id of its effect as metadata: after a send in doubt, the
latest messages are searched for it before it is sent again.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.chat.api import ApiResult, delivery_of
from bot.slack import render
from bot.slack.client import Client
from bot.slack.display import Display, LookupFailed, post_arguments, response_body
from bot.slack.payloads import PLATFORM
from handlers.framework.events import Actor, Address
from handlers.framework.screens import Screen
from store.engine.effects import Drop, InDoubt, SendResult, Sent
from store.engine.posts import MessageRef

_GONE: Final = frozenset({"message_not_found", "cant_update_message", "thread_not_found"})


class Transport:
    """`bot.chat.transport.Transport` for Slack. A message's name is `channel:ts`."""

    platform = PLATFORM
    no_access = frozenset(
        {"channel_not_found", "not_in_channel", "is_archived", "account_inactive", "user_disabled", "not_installed"}
    )

    def __init__(self, client: Client, display: Display) -> None:
        self._client = client
        self._display = display

    async def reader(self, to: Address, user: str) -> Actor:
        return Actor(PLATFORM, to.workspace, user)

    async def answer(self, to: Address, screen: Screen, *, replace: bool, in_doubt: bool) -> ApiResult | None:
        # In doubt, only a replacement can be sent again without showing it twice.
        if to.reply is None or (in_doubt and not replace):
            return None
        return await self._client.respond(to.reply, response_body(screen, replace=replace))

    async def say(self, to: Address, screen: Screen, id: str, *, in_doubt: bool) -> SendResult:
        channel = to.user or to.channel
        if channel is None:
            return Drop("no address")
        if in_doubt and to.user and await self._display.has_message(to.workspace, to.user, id):
            return Sent()
        arguments = post_arguments(screen, id, channel)
        return delivery_of(PLATFORM, await self._display.call(to.workspace, "chat.postMessage", arguments))

    async def update_home(self, to: Address, draw: Callable[[Actor], Awaitable[Screen | None]]) -> SendResult:
        screen = await draw(Actor(PLATFORM, to.workspace, to.user or ""))
        if screen is None:
            return Sent()
        arguments = {"user_id": to.user, "view": render.home(screen)}
        return delivery_of(PLATFORM, await self._display.call(to.workspace, "views.publish", arguments))

    def channel_of(self, ref: MessageRef) -> str:
        return ref.message.partition(":")[0]

    def has_threads(self, _to: Address) -> bool:
        return True

    def is_gone(self, reply: ApiResult) -> bool:
        return reply.error in _GONE

    async def find(self, to: Address, id: str, head: MessageRef | None) -> str | None:
        channel, thread = _destination(to, head)
        try:
            found = await self._display.find_message(to.workspace, channel, id, thread)
        except LookupFailed as unseen:
            raise InDoubt(str(unseen)) from None
        return ":".join(found) if found is not None else None

    async def post(self, to: Address, screen: Screen, id: str, head: MessageRef | None) -> tuple[ApiResult, str | None]:
        channel, thread = _destination(to, head)
        if not channel:
            return ApiResult(False, "no address"), None
        reply = await self._display.call(to.workspace, "chat.postMessage", post_arguments(screen, id, channel, thread))
        return reply, f"{reply.data.get('channel', '')}:{reply.data.get('ts', '')}" if reply.ok else None

    async def change(self, to: Address, ref: MessageRef, screen: Screen | None) -> ApiResult:
        if screen is None:
            return await self.take_away(ref)
        channel, _, stamp = ref.message.partition(":")
        arguments = {"channel": channel, "ts": stamp, **render.message(screen)}
        return await self._display.call(ref.workspace, "chat.update", arguments)

    async def take_away(self, ref: MessageRef) -> ApiResult:
        channel, _, stamp = ref.message.partition(":")
        return await self._display.call(ref.workspace, "chat.delete", {"channel": channel, "ts": stamp})


def _destination(to: Address, head: MessageRef | None) -> tuple[str, str | None]:
    """Channel (or user) and thread of a message."""
    if head is None:
        return to.user or to.channel or "", None
    channel, _, thread = head.message.partition(":")
    return channel, thread
