"""A pretend Slack on a port of its own and a small bot on another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from playground.server import serve
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel, User, World
from tests.playground.bot import SECRET, Bot
from tests.servers import serving

SCOPES = [
    "commands", "chat:write", "im:write", "im:read", "im:history", "channels:read", "channels:history",
    "users:read", "users:read.email",
]  # fmt: skip
MANIFEST = {
    "display_information": {"name": "Switchboard", "description": "Phone numbers"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "bot_user": {"display_name": "Switchboard"},
        "slash_commands": [
            {"command": "/numbers", "description": "Numbers", "usage_hint": "[list | get]", "should_escape": True},
            {"command": "/raw", "description": "Unescaped", "should_escape": False},
        ],
        "shortcuts": [
            {"name": "Get a number", "type": "global", "callback_id": "get_number"},
            {"name": "Block number", "type": "message", "callback_id": "block_number"},
        ],
    },
    "oauth_config": {"scopes": {"bot": SCOPES}},
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened", "message.im", "message.channels", "app_mention", "app_uninstalled", "tokens_revoked",
            ]
        },
        "interactivity": {"is_enabled": True},
    },
}  # fmt: skip


@dataclass
class Clock:
    """A clock that tests move."""

    at: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


def make_world() -> World:
    world = World()
    world.add_workspace("T0WORLD", "Acme", scopes=SCOPES, bot_name="Switchboard")
    world.add_user(User("UADA", "T0WORLD", "ada", "Ada", "ada@example.com", locale="en-US", role="Admin"))
    world.add_user(User("UMAX", "T0WORLD", "max", "Max", "max@example.com", locale="pl-PL"))
    world.add_user(User("UGONE", "T0WORLD", "gone", "Gone", "gone@example.com", deleted=True))
    world.add_channel(Channel("CGENERAL", "T0WORLD", "general", ["UADA", "UMAX"]))
    world.add_channel(Channel("CQUIET", "T0WORLD", "quiet", ["UADA"]), bot=False)
    return world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    made = Bot(world.workspaces["T0WORLD"].token)
    app = web.Application()
    app.add_routes([web.post("/slack/events", made.events)])
    async with serving(app) as url, aiohttp.ClientSession() as made.client:
        made.url = f"{url}/slack/events"
        yield made


@pytest.fixture
async def slack(world: World, bot: Bot, clock: Clock) -> AsyncIterator[PretendSlack]:
    made = PretendSlack(
        world,
        MANIFEST,
        events_url=bot.url,
        signing_secret=SECRET,
        now=clock,
        ack_seconds=0.3,
        retry_delays=(0.01, 0.02, 0.03),
    )
    async with serve(made):
        bot.api = made.api_url
        yield made
