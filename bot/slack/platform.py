"""Slack, as the registry has it."""

from typing import Final

from bot.chat.platform import ChatPlatform, PlatformEntry, Wiring
from bot.finding import Finding
from bot.slack.settings import VARIABLES, Settings, describe, read_settings


def _build(settings: Settings, wiring: Wiring) -> ChatPlatform:
    from bot.slack.adapter import Slack

    return Slack(
        settings,
        wiring.store,
        wiring.handle,
        wiring.say,
        public_url=wiring.public_url,
        observe=wiring.observe,
        installed=wiring.installed,
        lost=wiring.lost,
    )


async def _check(settings: Settings | None, public_url: str | None) -> list[Finding]:
    from bot.slack.check import check

    return await check(settings, public_url)


ENTRY: Final = PlatformEntry(
    "Slack over HTTP", "/slack/events", VARIABLES, read_settings, describe, check=_check, build=_build
)
