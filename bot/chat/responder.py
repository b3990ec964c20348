"""What any platform's answers have in common: the handler's outcome, or an apology; and nothing twice."""

from bot.background_tasks import BackgroundTasks
from bot.chat.fallback import sentence
from bot.chat.recent import Recent
from bot.chat.types import ApologyReason, Wiring
from bot.telemetry import logger
from handlers.framework.events import (
    ChatMessage,
    Inbound,
    MessageDeletion,
    MessageEdit,
    OptionsRequest,
    Submit,
    event_label,
)
from handlers.framework.forms import Errors, Nothing, Options, Response
from handlers.framework.screens import Screen

_log = logger(__name__)


class Responder:
    """`handling`: seconds that a handler gets before whoever waits is told that it takes longer."""

    def __init__(self, wiring: Wiring, work: BackgroundTasks, handling: float) -> None:
        self._handle = wiring.handle
        self._say = wiring.say
        self._observe = wiring.observe
        self._work = work
        self._handling = handling
        self._heard: Recent[str, None] = Recent()  # messages answered by this process

    async def _run(self, event: Inbound, reference: str) -> Response:
        """The handler's outcome; a fault of ours becomes a sentence with a reference to what the log says of it."""
        try:
            return await self._handle(await self._complete(event))
        except Exception:  # noqa: BLE001 - whatever it is, the platform must be answered
            _log.exception("a handler failed", payload=event_label(event)[0], workspace=event.actor.workspace)
            return self._apology(event, "failed", reference)

    async def _complete(self, event: Inbound) -> Inbound:
        """The event with what the platform has to be asked for first."""
        return event

    def _apology(self, event: Inbound, why: ApologyReason, reference: str = "") -> Response:
        screen = self._say(why, event.actor, reference)
        match event:
            case Submit():
                return Errors({"": sentence(screen)})
            case OptionsRequest():
                return Options(())
            case MessageEdit() | MessageDeletion() | ChatMessage(overheard=True):
                return Nothing()  # nobody asked for anything
            case ChatMessage():
                return screen
            case _:
                return self._excuse(event, screen)

    def _excuse(self, event: Inbound, screen: Screen) -> Response:
        """How a screen is shown that no handler made: beside what is there, or in its place."""
        raise NotImplementedError

    def _is_repeat(self, id: str) -> bool:
        known = id in self._heard
        if not known:
            self._heard[id] = None
        return known
