"""The chat platforms that are on, wired, started and stopped together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from aiohttp import web

from bot.chat.platform import ChatPlatform
from bot.chat.types import AnswerObserver, Handler, PostLostCallback, Wiring
from bot.registry import ENTRIES
from bot.settings import Settings
from bot.telemetry import logger
from bot.web import answer_disabled
from domain.people import Profile
from handlers.framework.events import File, Inbound
from handlers.framework.fallback_messages import fallback_screen
from handlers.framework.ports import Unavailable
from handlers.framework.screens import Response
from store.engine.effects import Sender
from store.server.connection import Store, StoreUnavailable

Welcome = Callable[[str, str, str | None, Sequence[str]], Awaitable[bool]]

_LOG = logger(__name__)


class Platforms:
    """Must be created in the event loop it runs in. Events are answered only after `set_handler`.

    `observe` is called with kind, name and seconds of each answer.
    """

    def __init__(self, settings: Settings, store: Store, observe: AnswerObserver) -> None:
        self._handle: Handler | None = None
        self._welcome: Welcome | None = None
        self._lost: PostLostCallback | None = None
        own = Wiring(store, self._answer, fallback_screen, observe, lost=self._lose, public_url=settings.public_url)
        self._on: dict[str, ChatPlatform] = {
            name: entry.build(settings.platforms[name], replace(own, installed=partial(self.greet, name)))
            for name, entry in ENTRIES.items()
            if name in settings.platforms
        }

    def set_handler(self, handle: Handler, welcome: Welcome, lost: PostLostCallback | None = None) -> None:
        """Set the handler of all events, of greetings after an installation, and of posts that can't be delivered."""
        self._handle, self._welcome, self._lost = handle, welcome, lost

    async def greet(self, platform: str, workspace: str, user: str | None, also: Sequence[str] = ()) -> None:
        """Welcome the user who installed the bot, None if unknown. Without the store, log that nobody was welcomed."""
        if self._welcome is None:
            return
        try:
            await self._welcome(platform, workspace, user, also)
        except StoreUnavailable as error:
            _LOG.warning("nobody was welcomed", platform=platform, workspace=workspace, why=str(error))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._on)

    @property
    def senders(self) -> dict[str, Sender]:
        """The outbox's senders by kind: `PLATFORM.screen`, `.home`, `.file`, `.post`."""
        return {f"{name}.{kind}": sender for name, one in self._on.items() for kind, sender in one.senders.items()}

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of every platform, with a 404 that says so for one that is off."""
        found = [route for one in self._on.values() for route in one.routes()]
        for entry in ENTRIES.values():
            if not any(route.path == entry.endpoint for route in found):
                found.append(web.post(entry.endpoint, answer_disabled(entry.label)))
        return found

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """`handlers.framework.ports.Directory`."""
        return await self._at(platform).directory.profile(workspace, user)

    async def read(self, file: File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """`handlers.framework.ports.Files`."""
        async for chunk in self._at(platform).files.read(file, workspace, limit):
            yield chunk

    async def start(self) -> None:
        """Start each platform; never waits for one."""
        for one in self._on.values():
            await one.start()

    async def drain(self, timeout: float) -> None:
        """Let answers under way end; the HTTP server must have stopped before."""
        await asyncio.gather(*(one.drain(timeout) for one in self._on.values()))

    async def close(self) -> None:
        """Close the connections; the outbox must have stopped before."""
        for one in self._on.values():
            await one.aclose()

    def _at(self, platform: str) -> ChatPlatform:
        if platform not in self._on:
            raise Unavailable(platform)
        return self._on[platform]

    async def _lose(self, account: str, key: str, why: str) -> None:
        _LOG.warning("a post can't arrive where it goes", account=account, post=key, why=why)
        if self._lost is not None:
            await self._lost(account, key, why)

    async def _answer(self, event: Inbound) -> Response:
        if self._handle is None:
            raise RuntimeError("asked before the bot was wired")
        return await self._handle(event)
