"""What Teams knows of its users: the roster of a conversation that they are in."""

import asyncio
from collections import OrderedDict
from typing import Any, Final

from bot.teams.client import ApiResult, Client
from bot.teams.conversations import PLATFORM, Conversations
from bot.teams.display import Display
from domain.people import Profile
from handlers.framework.events import Address
from handlers.framework.ports import Unavailable
from store.server.connection import StoreUnavailable

TIMEOUT: Final = 1.5  # seconds: within an answer
REMEMBERED: Final = 10_000
_GUESTS: Final = frozenset({"guest", "anonymous"})


class Directory:
    """`handlers.ports.Directory`."""

    def __init__(self, client: Client, conversations: Conversations, display: Display) -> None:
        self._client = client
        self._conversations = conversations
        self._display = display
        self._met: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()

    def note_conversation(self, tenant: str, user: str, service: str, conversation: str) -> None:
        """Somebody was named in, or wrote in, a conversation: its roster knows them."""
        self._met[tenant, user] = (service, conversation)
        self._met.move_to_end((tenant, user))
        if len(self._met) > REMEMBERED:
            self._met.popitem(last=False)

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """Who a user is; None where Teams knows no such user. Raises `Unavailable`, after 3 s at the latest."""
        if platform != PLATFORM:
            return None
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
    login = _text(found, "userPrincipalName")
    home = _text(found, "tenantId")
    also = (_text(found, "id"), _text(found, "aadObjectId") or _text(found, "objectId"))
    return Profile(
        user=user,
        name=_text(found, "name") or _text(found, "givenName") or user,
        email=_text(found, "email") or login,
        guest=(_text(found, "userRole") or "").lower() in _GUESTS or "#ext#" in (login or "").lower(),
        outsider=home is not None and home != tenant,
        also=tuple(id for id in also if id and id != user),
    )


def _text(source: Any, key: str) -> str | None:
    value = source.get(key)
    return value if isinstance(value, str) and value else None
