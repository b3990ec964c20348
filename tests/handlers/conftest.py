"""`world`: a company on a real, empty store; on each kind of server."""

from collections.abc import AsyncIterator

import pytest

from store.server.connection import Store
from tests.handlers.world import World
from tests.servers import Farm

KINDS = ["embedded", pytest.param("redis7", marks=pytest.mark.redis7), "cluster"]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[World]:
    store = await Store.open(farm.fresh(request.param))
    world = World(store)
    await world.apply()
    yield world
    await store.aclose()
