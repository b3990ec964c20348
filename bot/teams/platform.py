"""Teams' registry entry and its doctor check. Slow imports are made only where they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.chat.platform import ChatPlatform, PlatformEntry
from bot.finding import Finding
from bot.teams.settings import ENDPOINT, VARIABLES, Settings, describe, read_settings
from bot.variables import host_of, is_loopback

if TYPE_CHECKING:
    from bot.chat.types import Wiring


def _build(settings: Settings, wiring: Wiring) -> ChatPlatform:
    from bot.teams.adapter import Teams

    return Teams(settings, wiring)


async def _check(settings: Settings | None, public_url: str | None) -> list[Finding]:
    """Whether Microsoft knows the app and its secret."""
    if settings is None:
        return [Finding("ok", "teams", "off: TEAMS_CLIENT_ID and TEAMS_CLIENT_SECRET are not set")]
    found = []
    if settings.unauthenticated:
        found.append(Finding("warn", "teams", "believes whoever posts: unset TEAMS_ALLOW_UNAUTHENTICATED but to try"))
    elif public_url is None or is_loopback(host_of(public_url)):
        text = (
            "PUBLIC_URL is not set to where Teams reaches this bot: its messaging endpoint is PUBLIC_URL/api/messages"
        )
        found.append(Finding("warn", "teams", text))
    if settings.client_id is None:
        return found
    from bot.teams.client import Client

    client = Client(settings.client_id, settings.client_secret, settings.tenant_id)
    try:
        reply = await client.sign_in()
    finally:
        await client.aclose()
    if reply.ok:
        return [*found, Finding("ok", "teams", f"Microsoft knows the app {settings.client_id}")]
    if reply.status == 0:
        return [*found, Finding("fail", "teams", "Microsoft's sign-in does not answer: is there a way out to it?")]
    mend = "compare TEAMS_CLIENT_ID, _CLIENT_SECRET and _TENANT_ID with the app's registration"
    return [*found, Finding("fail", "teams", f"Microsoft refuses the app (http {reply.status}): {mend}")]


ENTRY: Final = PlatformEntry("Teams", ENDPOINT, VARIABLES, read_settings, describe, _check, _build)
