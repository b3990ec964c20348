"""`pair`: the bot's Slack side and a pretend Slack on it."""

from collections.abc import AsyncIterator

import pytest

from store.server.connection import Store
from tests.bot.slack.peer import Rig, rig


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Rig]:
    async with rig(store) as both:
        yield both
