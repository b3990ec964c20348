"""The Slack adapter: one object that the process starts, routes to, and stops."""

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.background_tasks import BackgroundTasks
from bot.chat.api import TIMEOUT
from bot.chat.senders import senders
from bot.chat.types import Wiring
from bot.slack.answers import HANDLING, Answers
from bot.slack.client import Client
from bot.slack.directory import Directory
from bot.slack.display import Display
from bot.slack.file_sender import FileSender
from bot.slack.files import Files
from bot.slack.http import Endpoint
from bot.slack.installs import Installs
from bot.slack.oauth import OAuthFlow, routes
from bot.slack.settings import ENDPOINT, Settings
from bot.slack.socket_mode import SocketModeConnections
from bot.slack.transport import Transport
from store.engine.effects import Sender


class Slack:
    """Built within the event loop that it runs in. `handling`: seconds that a handler gets before Slack is told to
    wait."""

    def __init__(self, settings: Settings, wiring: Wiring, *, handling: float = HANDLING) -> None:
        self.client = Client(settings.api_url)
        self.work = BackgroundTasks()
        self.installs = Installs(wiring.store, self.client, token=settings.bot_token, installed=wiring.installed)
        self.display = Display(self.client, self.installs)
        self.directory = Directory(self.display, self.work)
        self.files = Files(self.client, self.display)
        self.answers = Answers(
            wiring,
            self.display,
            self.installs,
            self.work,
            is_response_url=self.client.is_response_url,
            find_locale=self.directory.cached_locale,
            find_files=self.files.find,
            handling=handling,
        )
        files = FileSender(self.client, self.display, wiring.store, self.work)
        self.senders: Mapping[str, Sender] = senders(Transport(self.client, self.display), wiring, files)
        self._settings = settings
        log = _quiet_log()
        sdk = AsyncWebClient(base_url=settings.api_url, timeout=int(TIMEOUT), session=self.client.session, logger=log)
        self._routes: list[web.RouteDef] = []
        if settings.client_id and settings.client_secret:
            flow = OAuthFlow(
                settings.client_id,
                settings.client_secret,
                sdk=sdk,
                client=self.client,
                installs=self.installs,
                store=wiring.store,
                public_url=wiring.public_url,
                log=log,
            )
            self._routes = routes(flow)
        self._sockets: SocketModeConnections | None = None
        if settings.app_token:
            self._sockets = SocketModeConnections(self.answers, settings.app_token, sdk, self.work)
        self._identifying: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """`POST /slack/events` where there is a signing secret, and the pages of an installation."""
        secret = self._settings.signing_secret
        events = [web.post(ENDPOINT, Endpoint(secret, self.answers).handle)] if secret else []
        return [*events, *self._routes]

    @property
    def connected(self) -> bool:
        """Whether Slack can reach us: over HTTP always (as far as we know), in Socket Mode while connected."""
        return self._sockets is None or self._sockets.connected

    async def start(self) -> None:
        """Starts background work; never waits for Slack."""
        self._identifying = asyncio.get_running_loop().create_task(self.installs.identify_token())
        if self._sockets is not None:
            self._sockets.start()

    async def drain(self, timeout: float) -> bool:
        if self._identifying is not None:
            self._identifying.cancel()
            await asyncio.gather(self._identifying, return_exceptions=True)
        done = await self.work.drain(timeout)
        if self._sockets is not None:
            await self._sockets.stop()
        return done

    async def aclose(self) -> None:
        await self.client.aclose()


def _quiet_log() -> logging.Logger:
    """Bolt's logger, at ERROR: below that it logs signatures and bodies, and it does not inherit a level."""
    log = logging.getLogger("slack_bolt")
    log.setLevel(logging.ERROR)
    return log
