"""`store`: an open, empty store on the embedded server; `pair`: the bot's Slack side and a pretend Slack on it."""

from collections.abc import AsyncIterator

import pytest

from store.connection import Store
from tests.servers import Farm
from tests.wire.peer import Rig, rig


@pytest.fixture
async def store(farm: Farm) -> AsyncIterator[Store]:
    opened = await Store.open(farm.fresh("embedded"))
    yield opened
    await opened.aclose()


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Rig]:
    async with rig(store) as both:
        yield both
