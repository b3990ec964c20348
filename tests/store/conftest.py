"""`store`: an open, empty store; every test that takes it runs on each kind of server. `world`: the company on it, and
its `snapshot`. `server`: one of its own."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store.engine.accounts import AccountSnapshot
from store.server.connection import Store
from tests.handlers.world import World
from tests.servers import Farm, Server, start

KINDS = ["embedded", pytest.param("redis7", marks=pytest.mark.redis7), "cluster"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[Store]:
    opened = await Store.open(farm.fresh(request.param))
    yield opened
    await opened.aclose()


@pytest.fixture
async def world(store: Store) -> World:
    world = World(store)
    await world.apply()
    return world


@pytest.fixture
async def snapshot(world: World) -> AccountSnapshot:
    return await world.snapshot()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One of this test's own, to be ill-treated."""
    running = start(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGCONT)
    running.stop()
