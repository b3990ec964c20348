"""The Teams adapter: one object that the process starts, routes to, and stops."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.background_tasks import BackgroundTasks
from bot.chat.senders import senders
from bot.chat.types import Wiring
from bot.teams.answers import ANSWERED, HANDLING, Answers
from bot.teams.client import PUBLIC, Client, Cloud
from bot.teams.conversations import Conversations
from bot.teams.directory import Directory
from bot.teams.display import Display
from bot.teams.file_sender import FileSender
from bot.teams.files import Files
from bot.teams.http import Endpoint
from bot.teams.keys import Keys
from bot.teams.reply_references import Seal
from bot.teams.settings import ENDPOINT, Settings
from bot.teams.transport import Transport
from bot.variables import is_loopback
from store.engine.effects import Sender

NAMELESS: Final = "switchboard"  # the bot's id where it is only played on this machine


class Teams:
    """Built within the event loop that it runs in.

    Args:
        handling: seconds that a handler gets before the person sees that the bot is typing.
        answered: seconds by which a press, a dialog or a search gets its response.
        cloud: where Microsoft's services are.
    """

    def __init__(
        self,
        settings: Settings,
        wiring: Wiring,
        *,
        handling: float = HANDLING,
        answered: float = ANSWERED,
        cloud: Cloud = PUBLIC,
    ) -> None:
        open_to_all = settings.unauthenticated
        self.client = Client(settings.client_id, settings.client_secret, settings.tenant_id, cloud)
        self.work = BackgroundTasks()
        self.conversations = Conversations(wiring.store)
        self.display = Display(
            self.client,
            self.conversations,
            service=None if open_to_all else cloud.service,
            bot=f"28:{settings.client_id or NAMELESS}",
        )
        self.directory = Directory(self.client, self.conversations, self.display)
        self.files = Files(self.client, local=open_to_all)
        offers = FileSender(self.client, self.display, self.files, wiring)
        self.answers = Answers(
            wiring,
            self.display,
            self.conversations,
            self.directory,
            self.work,
            Seal(settings.client_secret),
            is_local=_is_local_service if open_to_all else None,
            on_consent=offers.on_consent,
            handling=handling,
            answered=answered,
        )
        transport = Transport(self.display, self.conversations)
        self.senders: Mapping[str, Sender] = senders(transport, wiring, offers)
        self.keys = Keys(cloud.keys, lambda: self.client.session)
        self._endpoint = Endpoint(settings, self.keys, cloud, self.answers.answer)

    def routes(self) -> list[web.RouteDef]:
        """`POST /api/messages`."""
        return [web.post(ENDPOINT, self._endpoint.handle)]

    async def start(self) -> None:
        """Nothing to start: Teams calls us."""

    async def drain(self, timeout: float) -> bool:
        return await self.work.drain(timeout)

    async def aclose(self) -> None:
        await self.client.aclose()


def _is_local_service(service: str) -> bool:
    return is_loopback(urlsplit(service).hostname or "")
