"""Installing from a browser: `GET /slack/install` and `GET /slack/oauth_redirect`, Bolt's own flow on our store."""

import secrets
from logging import Logger, getLogger
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.inbound import object_or_empty
from bot.slack.client import Client
from bot.slack.installs import Installs
from bot.slack.payloads import PLATFORM
from bot.slack.scopes import SCOPES
from bot.telemetry import logger
from handlers.framework.ports import Unavailable
from store.engine import keys
from store.server.connection import Store, StoreUnavailable

_log = logger(__name__)

INSTALL: Final = "/slack/install"
REDIRECT: Final = "/slack/oauth_redirect"
STATE_LIFE: Final = 600  # seconds from the button to Slack's redirect
_FRESH: Final = "1"  # a state that was not used yet


class OAuthStates(AsyncOAuthStateStore):
    """The OAuth states issued, each valid once and for ten minutes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def logger(self) -> Logger:
        return getLogger(__name__)

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        state = secrets.token_urlsafe(24)
        await self._store.call("SET", keys.dir_oauth(PLATFORM, state), _FRESH, "EX", STATE_LIFE)
        return state

    async def async_consume(self, state: str) -> bool:
        if not state.isascii() or len(state) > 64:
            return False
        nonce = secrets.token_hex(8)  # marks the state as used by this call, which the store may run twice
        previous = await self._store.call("SET", keys.dir_oauth(PLATFORM, state), nonce, "XX", "GET", "KEEPTTL")
        return previous is not None and previous.decode() in (_FRESH, nonce)


class OAuthFlow(AsyncOAuthFlow):
    """Bolt's, but for the exchange of the code: the SDK does it in a way that aiohttp is about to drop.

    `public_url` None: Slack falls back to the redirect address in the app's configuration.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        sdk: AsyncWebClient,
        client: Client,
        installs: Installs,
        store: Store,
        public_url: str | None,
        log: Logger,
    ) -> None:
        api = urlsplit(client.api_url)
        settings = AsyncOAuthSettings(
            client_id=client_id,
            client_secret=client_secret,
            scopes=list(SCOPES),
            redirect_uri=f"{public_url}{REDIRECT}" if public_url else None,
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            authorization_url=f"{api.scheme}://{api.netloc}/oauth/v2/authorize",
            installation_store=installs,
            installation_store_bot_only=True,
            state_store=OAuthStates(store),
            state_expiration_seconds=STATE_LIFE,
            logger=log,
        )
        super().__init__(client=sdk, logger=log, settings=settings)
        self._api = client

    async def run_installation(self, code: str) -> Installation | None:
        """The installation that a code stands for; None where Slack knows no such code. Raises `Unavailable`."""
        arguments = {"code": code, "client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        if self.settings.redirect_uri:
            arguments["redirect_uri"] = self.settings.redirect_uri
        reply = await self._api.call_without_token("oauth.v2.access", arguments)
        if reply.transient:
            raise Unavailable(reply.error)
        if not reply.ok:
            return None
        enterprise, team, user = (object_or_empty(reply.data, key) for key in ("enterprise", "team", "authed_user"))
        return Installation(
            app_id=reply.data.get("app_id"),
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=reply.data.get("access_token"),
            bot_user_id=reply.data.get("bot_user_id"),
            bot_scopes=reply.data.get("scope") or "",
            user_id=user.get("id") or "",
            is_enterprise_install=reply.data.get("is_enterprise_install") is True,
        )


def routes(flow: OAuthFlow) -> list[web.RouteDef]:
    async def install(request: web.Request) -> web.StreamResponse:
        try:
            return await to_aiohttp_response(await flow.handle_installation(await to_bolt_request(request)))
        except StoreUnavailable:
            return web.Response(status=503, text="The store does not answer; please try again in a moment.")

    async def redirect(request: web.Request) -> web.StreamResponse:
        try:
            return await to_aiohttp_response(await flow.handle_callback(await to_bolt_request(request)))
        except StoreUnavailable:
            return web.Response(status=503, text="The store does not answer; please install again in a moment.")
        except (Unavailable, ValueError) as fault:
            _log.warning("an installation failed", why=str(fault))
            return web.Response(status=502, text="Slack did not complete the installation; please try again.")

    return [web.get(INSTALL, install), web.get(REDIRECT, redirect)]
