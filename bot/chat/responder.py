"""What all platforms' responses share: the time a handler gets, apologies, and no message answered twice."""

import asyncio
import time
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from bot.background_tasks import BackgroundTasks, within
from bot.chat.fallback import sentence
from bot.chat.recent import Recent
from bot.chat.types import ApologyReason, Json, Wiring
from bot.telemetry import logger, new_correlation
from handlers.framework.events import (
    ChatMessage,
    HomeRequest,
    Inbound,
    MessageDeletion,
    MessageEdit,
    OptionsRequest,
    Submit,
    event_label,
)
from handlers.framework.screens import Errors, Nothing, Options, Response, Screen

_log = logger(__name__)


class Interaction(Protocol):
    """What somebody did, as each platform reads it."""

    @property
    def event(self) -> Inbound: ...


InteractionT = TypeVar("InteractionT", bound=Interaction)


class Responder(ABC, Generic[InteractionT]):
    """Runs the handler for interactions and responds to the platform in time. `handling`: seconds that a handler gets
    before the person is told that it takes longer."""

    def __init__(self, wiring: Wiring, work: BackgroundTasks, handling: float) -> None:
        self._handle = wiring.handle
        self._say = wiring.say
        self._observe = wiring.observe
        self._work = work
        self._handling = handling
        self._heard: Recent[str, None] = Recent()  # messages answered by this process

    async def _respond(self, interaction: InteractionT, start: float) -> Json | None:
        """The body of the response: the handler's outcome, or that it will follow. `start`: when the interaction came,
        by `time.monotonic`."""
        event = interaction.event
        reference = new_correlation()
        task = self._work.start(self._run(event, reference))
        await within(task, self._handling)
        if not task.done():
            await self._wait_longer(interaction, task)
        try:
            if task.done():
                body = await self._answer_now(interaction, task.result(), start)
            else:
                body = self._answer_later(interaction, task)
        except Exception:  # noqa: BLE001 - a fault in drawing: the person gets an answer, the log the rest
            _log.exception("an answer could not be drawn", payload=event_label(event)[0])
            body = await self._answer_now(interaction, self._apology(event, "failed", reference), start)
        self._observe(*event_label(event), time.monotonic() - start)
        return body

    async def _wait_longer(self, interaction: InteractionT, task: "asyncio.Task[Response]") -> None:
        """After the handler's time: waits for it some more where the platform does."""

    @abstractmethod
    async def _answer_now(self, interaction: InteractionT, outcome: Response, start: float) -> Json | None:
        """The body that shows an outcome. `start` as for `_respond`."""

    @abstractmethod
    def _answer_later(self, interaction: InteractionT, task: "asyncio.Task[Response]") -> Json | None:
        """The body that says to wait; the outcome follows once `task` is done."""

    async def _run(self, event: Inbound, reference: str) -> Response:
        """The handler's outcome, or an apology with a reference to the log where it raises."""
        try:
            return await self._handle(await self._complete(event))
        except Exception:  # noqa: BLE001 - whatever it is, the platform must be answered
            _log.exception("a handler failed", payload=event_label(event)[0], workspace=event.actor.workspace)
            return self._apology(event, "failed", reference)

    async def _complete(self, event: Inbound) -> Inbound:
        """The event, completed with what the platform must be asked for."""
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

    @abstractmethod
    def _excuse(self, event: Inbound, screen: Screen) -> Response:
        """An apology's screen as an outcome: shown beside what is there, or in its place."""

    def _is_repeat(self, id: str) -> bool:
        known = id in self._heard
        if not known:
            self._heard[id] = None
        return known


def event_id(event: Inbound) -> str:
    """The id of an event; empty for those that have none."""
    return "" if isinstance(event, OptionsRequest | HomeRequest) else event.id
