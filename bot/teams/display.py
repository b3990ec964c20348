"""Shows something in Teams: finds where it goes, and tries the latest service URL where the known one fails."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bot.chat.api import STORE_UNAVAILABLE, ApiResult, retry
from bot.chat.fallback import fallback
from bot.chat.types import Json
from bot.teams import cards, limits
from bot.teams.client import Client
from bot.teams.conversations import Conversation, Conversations
from bot.teams.reply_references import MessageReference
from bot.teams.text import cut
from bot.telemetry import logger
from handlers.framework.events import Address
from handlers.framework.screens import Screen
from store.server.connection import StoreUnavailable

_log = logger(__name__)

REMOVED: Final = "the app was removed there"
UNKNOWN: Final = "no conversation is known"


def message(screen: Screen) -> Json:
    """A screen as an activity; its summary is what notifications show."""
    attachment = cards.attachment(cards.card(screen))
    return {"type": "message", "summary": fallback(screen, limits.WORDS, cut), "attachments": [attachment]}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to post. `to`: the only person of a group who sees it."""

    known: Conversation
    to: str | None = None


class Display:
    """The calls that show something. `service` and `bot`: the service URL (None: unknown) and our id for a tenant that
    nothing came from yet."""

    def __init__(self, client: Client, conversations: Conversations, *, service: str | None, bot: str) -> None:
        self._client = client
        self._conversations = conversations
        self._service = service
        self._bot = bot

    async def send(self, to: Address, activity: Json) -> ApiResult:
        """Posts a message to a person, to a channel, or in a channel for one person alone; one try."""
        return await self._reach(
            to,
            lambda service, target: self._client.post(service, target.known.conversation, activity, to=target.to),
        )

    async def put(self, to: Address, screen: Screen, root: str | None = None) -> tuple[ApiResult, str]:
        """Posts a message, in one try; returns its conversation too. `root`: the head of the thread to post to. In a
        channel a message without one begins a thread; personal chats have none."""
        conversation, activity = "", message(screen)

        def call(service: str, target: Destination) -> Awaitable[ApiResult]:
            nonlocal conversation
            conversation = target.known.conversation.partition(";")[0]
            place = f"{conversation};messageid={root}" if root is not None and to.user is None else conversation
            return self._client.post(service, place, activity)

        return await self._reach(to, call), conversation

    async def change(self, to: Address, conversation: str, id: str, screen: Screen | None) -> ApiResult:
        """Replaces the screen of a message that was put; None deletes the message."""
        activity = message(screen) if screen is not None else None

        def call(service: str, _target: Destination) -> Awaitable[ApiResult]:
            if activity is None:
                return self._client.delete(service, conversation, id)
            return self._client.update(service, conversation, id, activity)

        return await self._reach(to, call)

    async def take_away(self, tenant: str, conversation: str, id: str) -> ApiResult:
        """Deletes a message of ours in a conversation of which only the name is known."""
        try:
            latest = await self._conversations.latest(tenant)
        except StoreUnavailable:
            return STORE_UNAVAILABLE
        service = latest[0] if latest is not None else self._service
        if service is None:
            return ApiResult(False, error=UNKNOWN)
        return await self._client.delete(service, conversation, id)

    async def replace(self, to: Address, reference: MessageReference, activity: Json) -> ApiResult:
        """Replaces a message of ours; may be repeated."""

        def call(service: str) -> Awaitable[ApiResult]:
            return self._client.update(
                service, reference.conversation, reference.activity, activity, targeted=reference.group
            )

        try:
            if reference.group:
                known = await self._conversations.channel(to.workspace, reference.conversation)
            else:
                known = await self._conversations.person(to.workspace, to.user or "")
            if known is None or known.gone or known.conversation != reference.conversation:
                return ApiResult(False, error=UNKNOWN)
            return await self._at(to.workspace, known, call)
        except StoreUnavailable:
            return STORE_UNAVAILABLE

    async def typing(self, to: Address) -> None:
        """Shows that the bot is typing; errors are ignored."""
        try:
            target = await self.find(to)
        except StoreUnavailable:
            return
        if not isinstance(target, ApiResult):
            await self._client.post(target.known.service, target.known.conversation, {"type": "typing"})

    async def retry(self, attempt: Callable[[], Awaitable[ApiResult]], *, repeatable: bool = False) -> ApiResult:
        """As `bot.chat.api.retry`, and logs a failure."""
        reply = await retry(attempt, repeatable=repeatable)
        if not reply.ok:
            note = _log.error if reply.malformed else _log.warning
            note("Teams did not show it", error=reply.error, status=reply.status)
        return reply

    async def find(self, to: Address) -> Destination | ApiResult:
        """Where to post to an address; a person's chat is opened where there is none. Raises `StoreUnavailable`."""
        if to.channel is not None:
            place = await self._conversations.channel(to.workspace, to.channel)
            if place is None or place.gone:
                return ApiResult(False, error=UNKNOWN if place is None else REMOVED)
            return Destination(place, to.user)
        if to.user is None:
            return ApiResult(False, error=UNKNOWN)
        known = await self._conversations.person(to.workspace, to.user)
        if known is None:
            return await self._open(to.workspace, to.user)
        return ApiResult(False, error=REMOVED) if known.gone else Destination(known)

    async def _open(self, tenant: str, user: str) -> Destination | ApiResult:
        latest = await self._conversations.latest(tenant)
        service, bot = latest or (self._service, self._bot)
        if service is None:
            return ApiResult(False, error=UNKNOWN)
        reply = await self._client.open(service, tenant, bot, user)
        if not reply.ok:
            return reply
        if reply.id is None:
            return ApiResult(False, error=UNKNOWN)
        return Destination(await self._conversations.add_chat(tenant, user, reply.id, service))

    async def _reach(self, to: Address, call: Callable[[str, Destination], Awaitable[ApiResult]]) -> ApiResult:
        """Makes a call at the service URL of an address."""
        try:
            target = await self.find(to)
            if isinstance(target, ApiResult):
                return target
            return await self._at(to.workspace, target.known, lambda service: call(service, target))
        except StoreUnavailable:
            return STORE_UNAVAILABLE

    async def _at(self, tenant: str, known: Conversation, call: Callable[[str], Awaitable[ApiResult]]) -> ApiResult:
        """Makes a call at the conversation's service URL, then at the tenant's latest one where it is not found."""
        reply = await call(known.service)
        if reply.error == "unreachable" or reply.status in {404, 410}:
            latest = await self._conversations.latest(tenant)
            if latest is not None and latest[0] != known.service:
                reply = await call(latest[0])
                if reply.ok:
                    await self._conversations.set_service(tenant, known, latest[0])
        if reply.status == 403:
            await self._conversations.mark_refused(tenant, known)
        return reply
