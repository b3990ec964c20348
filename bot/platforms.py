"""The chat platforms that are on, as one thing to wire, start and stop.

A platform's SDK is imported only where it is on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from aiohttp import web

from bot.settings import Settings
from bot.telemetry import logger
from bot.web import answer_disabled
from domain.people import Profile
from handlers.framework.events import File, Inbound
from handlers.framework.fallback_messages import fallback_screen
from handlers.framework.forms import Response
from handlers.framework.ports import Unavailable
from store.engine.effects import Sender
from store.server.connection import Store, StoreUnavailable

if TYPE_CHECKING:
    from bot.slack.adapter import Slack
    from bot.teams.adapter import Teams

SLACK_EVENTS: Final = "/slack/events"
TEAMS_MESSAGES: Final = "/api/messages"

Handler = Callable[[Inbound], Awaitable[Response]]
# Account, key of a post, and the platform's word for why it can't arrive.
PostLostCallback = Callable[[str, str, str], Awaitable[None]]
Welcome = Callable[[str, str, str | None, Sequence[str]], Awaitable[bool]]

_LOG = logger(__name__)


class Platforms:
    """Built within the loop it runs in. What comes in is answered once `answer_with` has said by whom.

    `observe` is told kind, name and seconds of each answer.
    """

    def __init__(self, settings: Settings, store: Store, observe: Callable[[str, str, float], None]) -> None:
        self._handle: Handler | None = None
        self._welcome: Welcome | None = None
        self._lost: PostLostCallback | None = None
        self._slack: Slack | None = None
        if settings.slack is not None:
            from bot.slack import adapter

            self._slack = adapter.Slack(
                settings.slack,
                store,
                self._answer,
                fallback_screen,
                public_url=settings.public_url,
                observe=observe,
                installed=lambda workspace, user: self.greet("slack", workspace, user),
                lost=self._lose,
            )
        self._teams: Teams | None = None
        if settings.teams is not None:
            from bot.teams import adapter as teams

            self._teams = teams.Teams(
                settings.teams,
                store,
                self._answer,
                fallback_screen,
                observe=observe,
                installed=lambda tenant, user, also: self.greet("teams", tenant, user, also),
                lost=self._lose,
            )

    def set_handler(self, handle: Handler, welcome: Welcome, lost: PostLostCallback | None = None) -> None:
        """The handler of everything that comes in, what greets somebody who installed the bot, and who is told of
        posts that can't arrive."""
        self._handle, self._welcome, self._lost = handle, welcome, lost

    async def greet(self, platform: str, workspace: str, user: str | None, also: Sequence[str] = ()) -> None:
        """Welcomes who installed the bot; None: nobody knows who. An installation stands without its welcome too."""
        if self._welcome is None:
            return
        try:
            await self._welcome(platform, workspace, user, also)
        except StoreUnavailable as error:
            _LOG.warning("nobody was welcomed", platform=platform, workspace=workspace, why=str(error))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, on in (("slack", self._slack), ("teams", self._teams)) if on is not None)

    @property
    def senders(self) -> dict[str, Sender]:
        """For the outbox, by kind: `slack.screen`, `slack.home`, `slack.file`, and the same of Teams."""
        on = (("slack", self._slack), ("teams", self._teams))
        return {f"{name}.{kind}": sender for name, one in on if one for kind, sender in one.senders.items()}

    @property
    def routes(self) -> list[web.RouteDef]:
        """Every platform's, and an answer where one is off."""
        found = [*(self._slack.routes() if self._slack else ()), *(self._teams.routes() if self._teams else ())]
        for path, part in ((SLACK_EVENTS, "Slack over HTTP"), (TEAMS_MESSAGES, "Teams")):
            if not any(route.path == path for route in found):
                found.append(web.post(path, answer_disabled(part)))
        return found

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """`handlers.ports.Directory`."""
        if platform == "slack" and self._slack is not None:
            return await self._slack.directory.profile(platform, workspace, user)
        if platform == "teams" and self._teams is not None:
            return await self._teams.directory.profile(platform, workspace, user)
        raise Unavailable(platform)

    async def read(self, file: File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """`handlers.ports.Files`."""
        if platform == "slack" and self._slack is not None:
            async for chunk in self._slack.files.read(file, platform, workspace, limit):
                yield chunk
            return
        if platform == "teams" and self._teams is not None:
            async for chunk in self._teams.files.read(file, platform, workspace, limit):
                yield chunk
            return
        raise Unavailable(platform)

    async def start(self) -> None:
        """Begins to listen where we call and are not called; never waits for a platform."""
        if self._slack is not None:
            await self._slack.start()

    async def drain(self, timeout: float) -> None:
        """Lets answers under way end; the HTTP server must have stopped before."""
        await asyncio.gather(*(one.drain(timeout) for one in (self._slack, self._teams) if one is not None))

    async def close(self) -> None:
        """Hangs up; the outbox must have stopped before."""
        for one in (self._slack, self._teams):
            if one is not None:
                await one.aclose()

    async def _lose(self, account: str, key: str, why: str) -> None:
        _LOG.warning("a post can't arrive where it goes", account=account, post=key, why=why)
        if self._lost is not None:
            await self._lost(account, key, why)

    async def _answer(self, event: Inbound) -> Response:
        if self._handle is None:
            raise RuntimeError("asked before the bot was wired")
        return await self._handle(event)
