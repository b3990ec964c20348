"""`world`: a company on a real, empty store."""

from collections.abc import AsyncIterator

import pytest

from store.connection import Store
from tests.handlers.world import World
from tests.servers import Farm


@pytest.fixture
async def world(farm: Farm) -> AsyncIterator[World]:
    store = await Store.open(farm.fresh("embedded"))
    world = World(store)
    await world.apply()
    yield world
    await store.aclose()
