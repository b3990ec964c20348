"""The frame of sending files through the outbox; where their content goes is each platform's own."""

from abc import ABC, abstractmethod

from bot.chat.api import OFF
from bot.telemetry import logger
from handlers.framework.effects import OutgoingFile
from store.engine.blobs import Blobs
from store.engine.effects import Drop, Effect, SendResult
from store.server.connection import Store, StoreUnavailable

_log = logger(__name__)


class FileSender(ABC):
    """The sender of `PLATFORM.file` (`handlers.framework.effects.file_effect`)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._blobs = Blobs(store)

    async def __call__(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Sends the file of an effect. Raises `InDoubt` where it may have arrived."""
        try:
            outgoing = OutgoingFile.from_effect(effect)
        except ValueError:
            _log.error("an effect is no file", kind=effect.kind, id=effect.id)
            return Drop("not a file")
        try:
            return await self._deliver(effect, outgoing, in_doubt)
        except StoreUnavailable:
            return OFF

    @abstractmethod
    async def _deliver(self, effect: Effect, outgoing: OutgoingFile, in_doubt: bool) -> SendResult:
        """Raises `InDoubt`, `StoreUnavailable`."""
