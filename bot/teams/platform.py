"""Teams, as the registry has it."""

from typing import Final

from bot.chat.platform import ChatPlatform, PlatformEntry, Wiring
from bot.finding import Finding
from bot.teams.settings import VARIABLES, Settings, describe, read_settings


def _build(settings: Settings, wiring: Wiring) -> ChatPlatform:
    from bot.teams.adapter import Teams

    return Teams(
        settings,
        wiring.store,
        wiring.handle,
        wiring.say,
        observe=wiring.observe,
        installed=wiring.installed,
        lost=wiring.lost,
    )


async def _check(settings: Settings | None, public_url: str | None) -> list[Finding]:
    from bot.teams.check import check

    return await check(settings, public_url)


ENTRY: Final = PlatformEntry("Teams", "/api/messages", VARIABLES, read_settings, describe, check=_check, build=_build)
