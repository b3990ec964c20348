"""Slack's users: their profiles and languages."""

import time
from collections.abc import Callable
from typing import Any, Final

from bot.background_tasks import BackgroundTasks
from bot.chat.inbound import object_or_empty, text_or_none
from bot.chat.recent import Recent
from bot.slack.display import Display
from domain.people import Profile
from handlers.framework.ports import Unavailable

TIMEOUT: Final = 1.5  # seconds: within an answer
LIFE: Final = 3_600.0  # seconds that a language is believed
_AT_ONCE: Final = 20  # languages asked for at the same time
_UNKNOWN: Final = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


class Directory:
    """Asks `users.info`. This process caches languages for an hour."""

    def __init__(self, display: Display, work: BackgroundTasks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._display = display
        self._work = work
        self._clock = clock
        self._locales: Recent[tuple[str, str], tuple[float, str | None]] = Recent()
        self._asking: set[tuple[str, str]] = set()

    async def profile(self, workspace: str, user: str) -> Profile | None:
        """Who a user is; None where Slack knows no such user. Raises `Unavailable`, after 1.5 s at the latest."""
        arguments = {"user": user, "include_locale": "true"}
        reply = await self._display.call(workspace, "users.info", arguments, timeout=TIMEOUT)
        if reply.error in _UNKNOWN:
            return None
        found = reply.data.get("user")
        if not reply.ok or not isinstance(found, dict):
            raise Unavailable(reply.error)
        self._keep((workspace, user), text_or_none(found, "locale"))
        return _profile(workspace, user, found)

    def cached_locale(self, workspace: str, user: str) -> str | None:
        """The language tag that the user has set in Slack ("pl-PL"); None where it is not known yet. Never waits: it is
        fetched in the background for the next time."""
        key = (workspace, user)
        kept = self._locales.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        if key not in self._asking and len(self._asking) < _AT_ONCE:
            self._asking.add(key)
            self._work.start(self._ask(key))
        return kept[1] if kept else None

    async def _ask(self, key: tuple[str, str]) -> None:
        try:
            if await self.profile(*key) is None:
                self._keep(key, None)
        except Unavailable:
            kept = self._locales.get(key)
            self._keep(key, kept[1] if kept else None, 60.0)
        finally:
            self._asking.discard(key)

    def _keep(self, key: tuple[str, str], locale: str | None, life: float = LIFE) -> None:
        self._locales[key] = (self._clock() + life, locale)


def _profile(workspace: str, user: str, found: dict[str, Any]) -> Profile:
    about = object_or_empty(found, "profile")
    names = ((about, "display_name"), (about, "real_name"), (found, "real_name"), (found, "name"))
    name = next(filter(None, (text_or_none(*place) for place in names)), user)
    home = text_or_none(found, "team_id")
    grid = found.get("enterprise_user")
    teams = grid.get("teams") if isinstance(grid, dict) else None
    here = home in {None, workspace} or (isinstance(teams, list) and workspace in teams)
    return Profile(
        user=user,
        name=name,
        email=text_or_none(about, "email"),
        bot=found.get("is_bot") is True or user == "USLACKBOT",
        guest=found.get("is_restricted") is True or found.get("is_ultra_restricted") is True,
        deleted=found.get("deleted") is True,
        outsider=found.get("is_stranger") is True or not here,
    )
