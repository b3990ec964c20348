"""Slack's registry entry and its doctor check. Slow imports are made only where they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from bot.chat.platform import ChatPlatform, PlatformEntry
from bot.finding import Finding
from bot.slack.settings import ENDPOINT, VARIABLES, Settings, describe, read_settings
from bot.variables import host_of, is_loopback

if TYPE_CHECKING:
    from bot.chat.types import Wiring

TIMEOUT: Final = 8.0  # seconds; less than the doctor gives a check


def _build(settings: Settings, wiring: Wiring) -> ChatPlatform:
    from bot.slack.adapter import Slack

    return Slack(settings, wiring)


async def _check(settings: Settings | None, public_url: str | None) -> list[Finding]:
    """Whether Slack knows the token and has given it every scope."""
    if settings is None:
        return [Finding("ok", "slack", "off: SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN are not set")]
    found = []
    if settings.app_token is None and (public_url is None or is_loopback(host_of(public_url))):
        text = "PUBLIC_URL is not set to where Slack reaches this bot: compare it with the app's Request URL"
        found.append(Finding("warn", "slack", text))
    if settings.bot_token is None:
        return [*found, Finding("ok", "slack", "installed from the browser: tokens are in the store")]
    import aiohttp

    from bot.slack.scopes import SCOPES

    url = f"{settings.api_url}auth.test"
    headers = {"Authorization": f"Bearer {settings.bot_token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session,
            session.post(url, headers=headers) as answer,
        ):
            body = await answer.json(content_type=None)
            granted = answer.headers.get("x-oauth-scopes")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [*found, Finding("fail", "slack", f"{url} does not answer: {type(error).__name__}")]
    if not isinstance(body, dict) or body.get("ok") is not True:
        why = body.get("error", "no reason given") if isinstance(body, dict) else "an answer that is none"
        return [
            *found,
            Finding("fail", "slack", f"SLACK_BOT_TOKEN is refused ({why}): install the app anew, take its token"),
        ]
    found.append(Finding("ok", "slack", f"signed in to {body.get('team', 'a workspace')} ({body.get('team_id', '?')})"))
    return found + _scope_findings(granted, SCOPES)


def _scope_findings(granted: str | None, wanted: Iterable[str]) -> list[Finding]:
    """Permissions that the manifest asks for and the installation lacks. `granted`: Slack's header, None for none."""
    if granted is None:
        return []
    missing = sorted(set(wanted) - {scope.strip() for scope in granted.split(",")})
    if not missing:
        return [Finding("ok", "slack", "has every scope of manifest.yml")]
    return [
        Finding("fail", "slack", f"lacks {', '.join(missing)}: add them from manifest.yml and install the app anew")
    ]


ENTRY: Final = PlatformEntry("Slack over HTTP", ENDPOINT, VARIABLES, read_settings, describe, _check, _build)
