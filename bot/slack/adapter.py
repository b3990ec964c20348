"""Slack, wired: one object that the process starts, routes to, and stops."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.background_tasks import BackgroundTasks
from bot.chat.api import TIMEOUT
from bot.chat.post_sender import PostSender
from bot.chat.screen_sender import ScreenSender
from bot.chat.types import AnswerObserver, Handler, InstallCallback, PostLostCallback, ServiceMessages, ignore_lost_post
from bot.slack import oauth
from bot.slack.answers import HANDLING, Answers
from bot.slack.client import Client
from bot.slack.directory import Directory
from bot.slack.display import Display
from bot.slack.file_sender import FileSender
from bot.slack.files import Files
from bot.slack.http import AnswerMiddleware, Bolt, Endpoint
from bot.slack.installs import Installs
from bot.slack.payloads import PLATFORM
from bot.slack.settings import Settings
from bot.slack.socket_mode import SocketModeConnections
from bot.slack.transport import Transport
from store.engine.effects import Sender
from store.engine.posts import Ledger
from store.server.connection import Store

EVENTS: Final = "/slack/events"


class Slack:
    """Built within the event loop that it runs in.

    Args:
        handle: answers what comes in; `router.Router.handle`.
        say: the bot's own few sentences, by reason and actor.
        public_url: where browsers reach us, for installations.
        observe: told kind, name and seconds of every answer.
        installed: told of each installation: workspace, and the user who installed, or None (`InstallCallback`).
        handling: seconds that a handler gets before Slack is told to wait.
        lost: told of posts that can't arrive where they go.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        handle: Handler,
        say: ServiceMessages,
        *,
        public_url: str | None = None,
        observe: AnswerObserver = lambda kind, name, seconds: None,
        installed: InstallCallback | None = None,
        handling: float = HANDLING,
        lost: PostLostCallback | None = None,
    ) -> None:
        self.client = Client(settings.api_url)
        self.work = BackgroundTasks()
        self.installs = Installs(store, self.client, token=settings.bot_token, installed=installed)
        self.display = Display(self.client, self.installs)
        self.directory = Directory(self.display, self.work)
        self.files = Files(self.client, self.display)
        self.answers = Answers(
            handle,
            self.display,
            self.installs,
            self.work,
            say,
            ours=self.client.is_response_url,
            locale=self.directory.cached_locale,
            observe=observe,
            look=self.files.look,
            handling=handling,
        )
        transport = Transport(self.client, self.display)
        senders = ScreenSender(PLATFORM, transport, handle)
        self.senders: Mapping[str, Sender] = {
            "screen": senders.screen,
            "home": senders.home,
            "file": FileSender(self.client, self.display, store, self.work).file,
            "post": PostSender(transport, Ledger(store), lost or ignore_lost_post),
        }
        self._settings = settings
        log = _quiet_log()
        sdk = AsyncWebClient(base_url=settings.api_url, timeout=int(TIMEOUT), session=self.client.session, logger=log)
        flow = None
        if settings.client_id and settings.client_secret:
            flow = oauth.flow(
                settings.client_id,
                settings.client_secret,
                sdk=sdk,
                client=self.client,
                installs=self.installs,
                store=store,
                public_url=public_url,
                log=log,
            )
        self._app = Bolt(
            name="switchboard",
            logger=log,
            process_before_response=True,
            signing_secret=settings.signing_secret or "",
            client=sdk,
            before_authorize=AnswerMiddleware(self.answers),
            installation_store=None if flow else self.installs,
            oauth_flow=flow,
            ssl_check_enabled=False,  # it would answer an unsigned request
        )
        self._routes = oauth.routes(flow) if flow else []
        self._sockets: SocketModeConnections | None = None
        if settings.app_token:
            self._sockets = SocketModeConnections(self._app, settings.app_token, sdk, self.work)
        self._learning: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """`POST /slack/events` where there is a signing secret, and the pages of an installation."""
        events = [web.post(EVENTS, Endpoint(self._app).handle)] if self._settings.signing_secret else []
        return [*events, *self._routes]

    @property
    def connected(self) -> bool:
        """Whether Slack can reach us, as far as we know: over HTTP always, in Socket Mode while connected."""
        return self._sockets is None or self._sockets.connected

    async def start(self) -> None:
        """Begins what goes on in the background; never waits for Slack."""
        self._learning = asyncio.get_running_loop().create_task(self.installs.identify_token())
        if self._sockets is not None:
            self._sockets.start()

    async def drain(self, timeout: float) -> bool:
        """Lets everything that was begun end, for `timeout` seconds at most; whether all of it did. The HTTP server
        must have stopped taking requests before."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        done = await self.work.drain(timeout)
        if self._sockets is not None:
            await self._sockets.stop()
        return done

    async def aclose(self) -> None:
        """Closes the connections to Slack; after `drain`, and after the outbox has stopped."""
        await self.client.aclose()


def _quiet_log() -> logging.Logger:
    """Bolt's logger. At its own level it would write signatures and bodies; and it copies the level, never inherits."""
    log = logging.getLogger("slack_bolt")
    log.setLevel(logging.ERROR)
    return log
