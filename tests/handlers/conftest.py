"""`world`: a company on a real, empty store; on each kind of server, and with every call sent twice."""

from collections.abc import AsyncIterator

import pytest

from tests.handlers.world import World
from tests.servers import Farm

KINDS = ["embedded", pytest.param("redis7", marks=pytest.mark.redis7), "cluster", "twice"]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[World]:
    store = await farm.open(request.param)
    world = World(store)
    await world.apply()
    yield world
    await store.aclose()
