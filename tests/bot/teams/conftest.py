"""`pair`: the bot's Teams side and a pretend Teams on it."""

from collections.abc import AsyncIterator

import pytest

from store.server.connection import Store
from tests.bot.teams.rig import Rig, rig


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Rig]:
    async with rig(store) as both:
        yield both
