"""Showing something in Teams: where it goes, and what is tried when it does not arrive."""

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
    """Where to say something. `to`: the one person of a group who sees it."""

    known: Conversation
    to: str | None = None


class Display:
    """What can be shown where. `service`: where a tenant is that Teams has told nothing of yet; None: nowhere.
    `bot`: our id there."""

    def __init__(self, client: Client, conversations: Conversations, *, service: str | None, bot: str) -> None:
        self._client = client
        self._conversations = conversations
        self._service = service
        self._bot = bot

    async def send(self, to: Address, activity: Json) -> ApiResult:
        """A message, once: to a person, to a channel, or in a channel for one person alone."""
        return await self._reach(
            to,
            lambda service, target: self._client.post(service, target.known.conversation, activity, to=target.to),
        )

    async def put(self, to: Address, screen: Screen, root: str | None = None) -> tuple[ApiResult, str]:
        """A message, once, and the conversation that it is in; `root`: the message at the head of the thread, in a
        channel. A message without one begins a thread there; a chat of two has none."""
        conversation, activity = "", message(screen)

        def call(service: str, target: Destination) -> Awaitable[ApiResult]:
            nonlocal conversation
            conversation = target.known.conversation.partition(";")[0]
            place = f"{conversation};messageid={root}" if root is not None and to.user is None else conversation
            return self._client.post(service, place, activity)

        return await self._reach(to, call), conversation

    async def change(self, to: Address, conversation: str, id: str, screen: Screen | None) -> ApiResult:
        """Another screen in the place of a message that was put; None takes it away."""
        activity = message(screen) if screen is not None else None

        def call(service: str, _target: Destination) -> Awaitable[ApiResult]:
            if activity is None:
                return self._client.delete(service, conversation, id)
            return self._client.update(service, conversation, id, activity)

        return await self._reach(to, call)

    async def take_away(self, tenant: str, conversation: str, id: str) -> ApiResult:
        """A message of ours goes, of whose conversation no more is known than its name."""
        try:
            latest = await self._conversations.latest(tenant)
        except StoreUnavailable:
            return STORE_UNAVAILABLE
        service = latest[0] if latest is not None else self._service
        if service is None:
            return ApiResult(False, error=UNKNOWN)
        return await self._client.delete(service, conversation, id)

    async def replace(self, to: Address, reference: MessageReference, activity: Json) -> ApiResult:
        """Another message in the place of one of ours; to do so twice does no harm."""

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
        """Shows that somebody is at work on it; whether that succeeds matters to nobody."""
        try:
            target = await self.find(to)
        except StoreUnavailable:
            return
        if not isinstance(target, ApiResult):
            await self._client.post(target.known.service, target.known.conversation, {"type": "typing"})

    async def retry(self, attempt: Callable[[], Awaitable[ApiResult]], *, repeatable: bool = False) -> ApiResult:
        """As `bot.chat.api.retry`; what fails is in the log."""
        reply = await retry(attempt, repeatable=repeatable)
        if not reply.ok:
            note = _log.error if reply.malformed else _log.warning
            note("Teams did not show it", error=reply.error, status=reply.status)
        return reply

    async def find(self, to: Address) -> Destination | ApiResult:
        """Where an address is; a chat that nobody has begun yet is opened. Raises `StoreUnavailable`."""
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
        """A call at the service where an address is."""
        try:
            target = await self.find(to)
            if isinstance(target, ApiResult):
                return target
            return await self._at(to.workspace, target.known, lambda service: call(service, target))
        except StoreUnavailable:
            return STORE_UNAVAILABLE

    async def _at(self, tenant: str, known: Conversation, call: Callable[[str], Awaitable[ApiResult]]) -> ApiResult:
        """A call where the conversation was last seen, else where Teams was last heard of."""
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
