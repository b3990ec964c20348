"""The interface between a chat platform and the rest of the bot. Each platform's folder has its `ENTRY` in
`platform.py`, where `bot.registry` finds it. Settings are read through it, so it must not load the platform's SDK.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from aiohttp import web

    from bot.chat.types import Wiring
    from bot.finding import Finding
    from domain.people import Profile
    from handlers.framework.events import File
    from store.engine.effects import Sender

S = TypeVar("S")  # the platform's own settings


class Directory(Protocol):
    async def profile(self, workspace: str, user: str) -> Profile | None: ...


class Files(Protocol):
    def read(self, file: File, workspace: str, limit: int) -> AsyncIterator[bytes]: ...


class ChatPlatform(Protocol):
    """A platform that is on. Built within the event loop that it runs in."""

    @property
    def senders(self) -> Mapping[str, Sender]:
        """For the outbox: `screen`, `home`, `file`, `post`."""

    @property
    def directory(self) -> Directory: ...

    @property
    def files(self) -> Files: ...

    def routes(self) -> list[web.RouteDef]: ...

    async def start(self) -> None:
        """Starts background work; never waits for the platform."""

    async def drain(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds for everything that was started; whether it all ended. The HTTP server must
        have stopped taking requests before."""

    async def aclose(self) -> None:
        """Closes the connections to the platform; after `drain`, and after the outbox has stopped."""


@dataclass(frozen=True, slots=True)
class PlatformEntry(Generic[S]):
    """A platform as the registry has it."""

    label: str  # its name in the response that `endpoint` gives while the platform is off
    endpoint: str  # the path that the platform calls
    variables: tuple[str, ...]  # all environment variables that it reads
    read: Callable[[Mapping[str, str], str], S | None]  # settings from those and HOST; None: off. Raises `InputError`
    describe: Callable[[S | None], list[str]]  # what is off and how it is switched on; what may surprise
    check: Callable[[S | None, str | None], Awaitable[list[Finding]]]  # for the doctor, by settings and public URL
    build: Callable[[S, Wiring], ChatPlatform]  # once it is on; the first to import its SDK
