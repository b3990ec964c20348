"""The bot's Slack side and a pretend Slack, each on a port of its own, with a handler that a test writes."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from bot.chat.types import InstallCallback, Wiring
from bot.slack.adapter import Slack
from bot.slack.settings import Settings
from handlers.framework.effects import pack_address, pack_screen
from handlers.framework.events import Address
from handlers.framework.screens import Button, Buttons, Paragraph, Screen
from playground.server import serve
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel, User, World
from store.engine.effects import Effect
from store.server.connection import Store
from tests import ROOT
from tests.bot.handler import Handler, apologize
from tests.servers import serving

SECRET = "a-signing-secret"
TEAM = "T0WORLD"
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
HELLO = Screen("Hello", (Paragraph(("Hello Ada",)), Buttons((Button("Undo", "undo", "1"),))))
ADA = Address("slack", TEAM, "UADA")


def effect(to: Address = ADA, id: str = "e1", kind: str = "screen", **more: Any) -> Effect:
    return Effect(
        to.conversation, kind, {"to": pack_address(to), "screen": pack_screen(HELLO), "replace": False, **more}, id
    )


def sign(body: bytes, *, secret: str = SECRET, stamp: str | None = None) -> dict[str, str]:
    stamp = str(int(time.time())) if stamp is None else stamp
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def make_world() -> World:
    world = World()
    world.add_workspace(TEAM, "Acme", scopes=SCOPES, bot_name="Switchboard")
    world.add_user(User("UADA", TEAM, "ada", "Ada", "ada@example.com", locale="en-GB", role="Admin"))
    world.add_user(User("UMAX", TEAM, "max", "Max", "max@example.com", locale="pl-PL"))
    world.add_channel(Channel("CGENERAL", TEAM, "general", ["UADA", "UMAX"]))
    return world


@dataclass
class Rig:
    """Both sides, wired to each other."""

    adapter: Slack
    slack: PretendSlack
    handler: Handler
    url: str
    http: aiohttp.ClientSession
    seen: list[tuple[str, str, float]]

    async def send(self, effect: Effect, in_doubt: bool = False) -> Any:
        return await self.adapter.senders[effect.kind.rpartition(".")[2]](effect, in_doubt)

    async def post(self, body: bytes | str, kind: str = "application/json", **headers: str) -> tuple[int, str]:
        """A signed body as it is; headers with `_` for `-` take the place of the signature's."""
        raw = body.encode() if isinstance(body, str) else body
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(self.url, data=raw, headers={"Content-Type": kind, **sign(raw), **given}) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def rig(
    store: Store,
    *,
    world: World | None = None,
    app_token: str | None = None,
    bot_token: str | None = "",
    oauth: bool = False,
    installed: InstallCallback | None = None,
    handling: float = 2.5,
    before: Callable[[PretendSlack], object] | None = None,
    **slack_options: Any,
) -> AsyncIterator[Rig]:
    """A running pair. `bot_token`, `app_token` "": the world's own; None: none in the settings. `before` the bot
    starts, the pretend Slack is handed to it."""
    world = world or make_world()
    slack = PretendSlack(
        world,
        MANIFEST,
        events_url="",
        signing_secret=SECRET,
        retry_delays=slack_options.pop("retry_delays", (0.05,)),
        **slack_options,
    )
    handler, seen = Handler(), []
    if before is not None:
        before(slack)
    async with serve(slack), aiohttp.ClientSession() as http:
        settings = Settings(
            signing_secret=SECRET,
            bot_token=world.workspaces[TEAM].token if bot_token == "" else bot_token,
            app_token=world.app_token if app_token == "" else app_token,
            client_id=world.client_id if oauth else None,
            client_secret=world.client_secret if oauth else None,
            api_url=slack.api_url,
        )
        wiring = Wiring(store, handler, apologize, observe=lambda *measured: seen.append(measured))
        if installed is not None:
            wiring = replace(wiring, installed=installed)
        adapter = Slack(settings, wiring, handling=handling)
        app = web.Application()
        app.add_routes(adapter.routes())
        try:
            async with serving(app) as root:
                slack.delivery.url = f"{root}/slack/events"
                await adapter.start()
                slack.elsewhere = lambda: len(adapter.work) > 0
                yield Rig(adapter, slack, handler, f"{root}/slack/events", http, seen)
        finally:
            await adapter.drain(5.0)
            await adapter.aclose()
            await asyncio.sleep(0)
