"""Sends screens and posts to Teams. A bot can't read what it has posted, so a send in doubt is made again; replacing a
message may be repeated. Personal chats have no threads: what goes below a post comes after it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from bot.chat.api import ApiResult, delivery_of
from bot.teams.conversations import PLATFORM, Conversation, Conversations
from bot.teams.display import REMOVED, UNKNOWN, Display, message
from bot.teams.payloads import message_name
from bot.teams.reply_references import MessageReference, unpack
from handlers.framework.events import Actor, Address
from handlers.framework.screens import Screen
from store.engine.effects import SendResult, Sent
from store.engine.posts import MessageRef

_GONE: Final = frozenset({404, 410})


class Transport:
    """`bot.chat.transport.Transport` for Teams. A message's name is `conversation/activity`."""

    platform = PLATFORM
    no_access = frozenset(
        {REMOVED, UNKNOWN, "http_403", "http_404", "BotNotInConversationRoster", "ConversationNotFound"}
    )

    def __init__(self, display: Display, conversations: Conversations) -> None:
        self._display = display
        self._conversations = conversations

    async def reader(self, to: Address, user: str) -> Actor:
        return _actor(to.workspace, user, await self._conversations.person(to.workspace, user))

    async def answer(self, to: Address, screen: Screen, *, replace: bool, in_doubt: bool) -> ApiResult | None:
        reference = unpack(to.reply) if to.reply and replace else None
        return await self._display.replace(to, reference, message(screen)) if reference is not None else None

    async def say(self, to: Address, screen: Screen, id: str, *, in_doubt: bool) -> SendResult:
        return delivery_of(PLATFORM, await self._display.send(to, message(screen)))

    async def update_home(self, to: Address, draw: Callable[[Actor], Awaitable[Screen | None]]) -> SendResult:
        known = await self._conversations.person(to.workspace, to.user or "")
        if known is None or known.gone or known.user is None:
            return Sent()  # there is no home card
        activity = await self._conversations.home(to.workspace, known.user)
        screen = await draw(_actor(to.workspace, known.user, known)) if activity is not None else None
        if activity is None or screen is None:
            return Sent()
        reply = await self._display.replace(to, MessageReference(known.conversation, activity), message(screen))
        if reply.status in {403, 404}:  # it was taken away; the next one is asked for
            await self._conversations.keep_home(to.workspace, known.user, None)
            return Sent()
        return delivery_of(PLATFORM, reply)

    def channel_of(self, ref: MessageRef) -> str:
        return ref.message.rpartition("/")[0].partition(";")[0]

    def has_threads(self, to: Address) -> bool:
        return to.user is None

    def is_gone(self, reply: ApiResult) -> bool:
        return reply.status in _GONE

    async def find(self, to: Address, id: str, head: MessageRef | None) -> str | None:
        return None

    async def post(self, to: Address, screen: Screen, id: str, head: MessageRef | None) -> tuple[ApiResult, str | None]:
        root = head.message.rpartition("/")[2] if head is not None else None
        reply, conversation = await self._display.put(to, screen, root)
        return reply, message_name(conversation, reply.id) if reply.ok and reply.id is not None else None

    async def change(self, to: Address, ref: MessageRef, screen: Screen | None) -> ApiResult:
        conversation, _, activity = ref.message.rpartition("/")
        return await self._display.change(to, conversation, activity, screen)

    async def take_away(self, ref: MessageRef) -> ApiResult:
        conversation, _, activity = ref.message.rpartition("/")
        return await self._display.take_away(ref.workspace, conversation, activity)


def _actor(tenant: str, user: str, known: Conversation | None) -> Actor:
    """Whoever a screen is drawn for, in the language of their Teams."""
    if known is None:
        return Actor(PLATFORM, tenant, user)
    return Actor(PLATFORM, tenant, user, locale=known.locale, other_ids=(known.aad,) if known.aad else ())
