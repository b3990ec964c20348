"""What the platforms are wired with: the callbacks that both sides of an adapter agree on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from handlers.framework.events import Actor, Inbound
from handlers.framework.forms import Response
from handlers.framework.screens import Screen
from store.server.connection import Store

Json = dict[str, Any]
Handler = Callable[[Inbound], Awaitable[Response]]
# Told kind, name and seconds of an answer.
AnswerObserver = Callable[[str, str, float], None]
# Told of an installation: the workspace or tenant, who installed (None: nobody knows), and further ids of theirs.
InstallCallback = Callable[[str, str | None, tuple[str, ...]], Awaitable[None]]
# Told account, key and the platform's word for why of a post that can't arrive because of where it goes.
PostLostCallback = Callable[[str, str, str], Awaitable[None]]
# slow: the answer is on its way · failed: our fault · late: a dialog could not be opened any more · finished: what a
# dialog was waiting for is done · file_…: what became of a file that was offered.
ApologyReason = Literal["slow", "failed", "late", "finished", "file_gone", "file_declined", "file_failed"]


class ServiceMessages(Protocol):
    """The bot's own few sentences, in the actor's language. `reference`: what to quote when asking for help."""

    def __call__(self, why: ApologyReason, actor: Actor, reference: str = "") -> Screen: ...


async def _ignore(*_told: object) -> None:
    """Where nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the bot gives a platform. `handle` answers what comes in; `public_url`: where browsers reach us."""

    store: Store
    handle: Handler
    say: ServiceMessages
    observe: AnswerObserver = lambda kind, name, seconds: None
    installed: InstallCallback = _ignore
    lost: PostLostCallback = _ignore
    public_url: str | None = None
