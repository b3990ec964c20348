"""Teams' users: their profiles, from the roster of a conversation that they are in."""

import asyncio
from typing import Any, Final

from bot.chat.api import ApiResult
from bot.chat.inbound import text_or_none
from bot.chat.recent import Recent
from bot.teams.client import Client
from bot.teams.conversations import PLATFORM, Conversations
from bot.teams.display import Display
from domain.people import Profile
from handlers.framework.events import Address
from handlers.framework.ports import Unavailable
from store.server.connection import StoreUnavailable

TIMEOUT: Final = 1.5  # seconds: within an answer
_GUESTS: Final = frozenset({"guest", "anonymous"})


class Directory:
    """`handlers.framework.ports.Directory` for Teams."""

    def __init__(self, client: Client, conversations: Conversations, display: Display) -> None:
        self._client = client
        self._conversations = conversations
        self._display = display
        self._met: Recent[tuple[str, str], tuple[str, str]] = Recent()

    def note_conversation(self, tenant: str, user: str, service: str, conversation: str) -> None:
        """Keeps a conversation that somebody wrote in or was mentioned in: they are in its roster."""
        self._met[tenant, user] = (service, conversation)

    async def profile(self, workspace: str, user: str) -> Profile | None:
        """Who a user is; None where Teams knows no such user. Raises `Unavailable`, after 3 s at the latest."""
        if user.startswith("28:"):
            return Profile(user, user, bot=True)
        place = self._met.get((workspace, user))
        if place is None:
            try:
                async with asyncio.timeout(TIMEOUT):
                    target = await self._display.find(Address(PLATFORM, workspace, user))
            except (StoreUnavailable, TimeoutError):
                raise Unavailable(PLATFORM) from None
            if isinstance(target, ApiResult):
                if target.status in {400, 404}:
                    return None
                raise Unavailable(target.error)
            place = (target.known.service, target.known.conversation)
        reply = await self._client.member(*place, user, timeout=TIMEOUT)
        if reply.status == 404:
            return None
        if not reply.ok:
            raise Unavailable(reply.error)
        return _profile(workspace, user, reply.data)


def _profile(tenant: str, user: str, found: Any) -> Profile:
    login = text_or_none(found, "userPrincipalName")
    home = text_or_none(found, "tenantId")
    also = (text_or_none(found, "id"), text_or_none(found, "aadObjectId") or text_or_none(found, "objectId"))
    return Profile(
        user=user,
        name=text_or_none(found, "name") or text_or_none(found, "givenName") or user,
        email=text_or_none(found, "email") or login,
        guest=(text_or_none(found, "userRole") or "").lower() in _GUESTS or "#ext#" in (login or "").lower(),
        outsider=home is not None and home != tenant,
        also=tuple(id for id in also if id and id != user),
    )
