"""What platforms are wired with: the callbacks between an adapter and the rest of the bot."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from handlers.framework.events import Actor, Inbound
from handlers.framework.screens import Response, Screen
from store.server.connection import Store

Json = dict[str, Any]
Handler = Callable[[Inbound], Awaitable[Response]]
# Gets kind, name and duration in seconds of a response.
AnswerObserver = Callable[[str, str, float], None]
# Gets an installation: the workspace or tenant, who installed (None: unknown), and further ids of theirs.
InstallCallback = Callable[[str, str | None, tuple[str, ...]], Awaitable[None]]
# Gets account and key of a post that can't arrive where it goes, and the platform's error.
PostLostCallback = Callable[[str, str, str], Awaitable[None]]
# slow: the outcome will follow · failed: the handler raised · late: a dialog could not be opened any more · finished:
# what a dialog waited for is done · file_…: how the offer of a file ended.
ApologyReason = Literal["slow", "failed", "late", "finished", "file_gone", "file_declined", "file_failed"]


class ServiceMessages(Protocol):
    """The bot's own messages, in the actor's language. `reference`: to be quoted when asking for help."""

    def __call__(self, why: ApologyReason, actor: Actor, reference: str = "") -> Screen: ...


async def _ignore(*_told: object) -> None:
    """The default of optional callbacks."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the bot gives a platform. `handle`: from an event to its outcome; `public_url`: where browsers reach us."""

    store: Store
    handle: Handler
    say: ServiceMessages
    observe: AnswerObserver = lambda kind, name, seconds: None
    installed: InstallCallback = _ignore
    lost: PostLostCallback = _ignore
    public_url: str | None = None
