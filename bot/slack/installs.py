"""Where the app is installed: one record a workspace (or organisation), with the token that sends there.

A record is JSON at `keys.dir_install("slack", WORKSPACE)`, one of: an installation, as `Installs.async_save` writes it;
`{"gone": AT}`, which also bars the token of the settings until the next installation or start; `{"org": ID}`, for a
workspace whose whole organisation has the app. `at` and AT are seconds since 1970.
"""

import asyncio
import time
from collections.abc import Callable
from logging import Logger, getLogger
from typing import Any, Final

import orjson
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from bot.chat.api import ApiResult
from bot.chat.types import InstallCallback
from bot.slack.client import Client
from bot.slack.payloads import PLATFORM, AppUninstalled
from bot.telemetry import logger
from store.engine import keys
from store.server.connection import Store

_log = logger(__name__)

_BACKOFF: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds before asking Slack again who we are; the last for ever
_KNOWN: Final = 10_000  # workspaces of organisations remembered as stored


class Installs(AsyncInstallationStore):
    """Every workspace's token.

    Args:
        token: of the settings, for the one workspace it belongs to, unless that has an installation of its own.
        installed: told of every installation: workspace and who installed; None: by hand, with the settings' token.
        clock: the true time in seconds since 1970, which Slack's events are compared with.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        *,
        token: str | None,
        installed: InstallCallback | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._client = client
        self._token = token
        self._clock = clock
        self._installed = installed
        self._home: frozenset[str] | None = None  # whom the token of the settings belongs to, once Slack has said so
        self._members: set[tuple[str, str]] = set()

    async def token(self, workspace: str) -> str | None:
        """The token for a workspace; None where the app is not, or no longer, installed. Raises `StoreUnavailable`."""
        record = await self._read(workspace)
        if record is not None and "org" in record:
            record = await self._read(str(record["org"]))
        if record is None:
            return self._token if self._home is None or workspace in self._home else None
        if "gone" in record:
            return None
        token = record.get("token")
        return token if isinstance(token, str) else None

    async def member(self, workspace: str, org: str) -> None:
        """Notes that a workspace is served by its organisation's installation."""
        if (workspace, org) in self._members or workspace == org:
            return
        await self._write(workspace, {"org": org}, "NX")
        if len(self._members) < _KNOWN:
            self._members.add((workspace, org))

    async def identify_token(self) -> None:
        """Asks Slack whose the token of the settings is, until it answers; returns at once where there is none."""
        if self._token is None:
            return
        attempt = 0
        while True:
            reply = await self._client.call("auth.test", self._token, {})
            if reply.ok:
                await self._keep_home(reply)
                return
            if not reply.transient:
                _log.error("Slack refuses SLACK_BOT_TOKEN", error=reply.error)
                return
            await asyncio.sleep(reply.after or _BACKOFF[min(attempt, len(_BACKOFF) - 1)])
            attempt += 1

    async def _keep_home(self, reply: ApiResult) -> None:
        ids = (reply.data.get("team_id"), reply.data.get("enterprise_id"))
        self._home = frozenset(name for name in ids if isinstance(name, str) and name)
        for workspace in self._home:
            record = await self._read(workspace)
            if record is not None and "gone" in record:  # Slack has just accepted the token: the app is back
                await self._store.call("DEL", keys.dir_install(PLATFORM, workspace))
        _log.info("Slack knows the bot", workspaces=sorted(self._home))
        team = reply.data.get("team_id")
        if self._installed is not None and isinstance(team, str):
            await self._installed(team, None, ())

    async def uninstall(self, uninstalled: AppUninstalled) -> None:
        """Erases the tokens and bars sending; may be repeated. An event older than the installation changes nothing."""
        at = self._clock() if uninstalled.at is None else uninstalled.at
        for workspace in uninstalled.workspaces:
            record = await self._read(workspace)
            since = record.get("at") if record else None
            # Slack's times of events are whole seconds.
            if isinstance(since, int | float) and at < int(since):
                continue
            await self._write(workspace, {"gone": at})
            self._members = {(w, o) for w, o in self._members if workspace not in (w, o)}
            _log.warning("Slack says that the app was removed", workspace=workspace)

    async def _read(self, workspace: str) -> dict[str, Any] | None:
        raw = await self._store.call("GET", keys.dir_install(PLATFORM, workspace))
        record = orjson.loads(raw) if raw else None
        return record if isinstance(record, dict) else None

    async def _write(self, workspace: str, record: dict[str, Any], *options: str) -> None:
        await self._store.call("SET", keys.dir_install(PLATFORM, workspace), orjson.dumps(record), *options)

    @property
    def logger(self) -> Logger:
        return getLogger(__name__)

    async def async_save(self, installation: Installation) -> None:
        """Stores an installation and calls `installed`."""
        workspace = installation.team_id or installation.enterprise_id
        if workspace is None or not installation.bot_token:
            raise ValueError("an installation without a workspace or a bot token")
        record = {
            "token": installation.bot_token,
            "at": self._clock(),
            "bot_user": installation.bot_user_id,
            "bot": installation.bot_id,
            "installer": installation.user_id,
            "app": installation.app_id,
            "name": installation.team_name or installation.enterprise_name,
            "scopes": ",".join(installation.bot_scopes or ()),
            "whole_org": bool(installation.is_enterprise_install),
        }
        await self._write(workspace, record)
        _log.info("installed", workspace=workspace)
        if self._installed is not None and installation.user_id:
            await self._installed(workspace, installation.user_id, ())
