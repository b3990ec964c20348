"""`store`: an open, empty store; every test that takes it runs on each kind of server."""

from collections.abc import AsyncIterator

import pytest

from store.connection import Store
from tests.servers import Farm

KINDS = ["embedded", pytest.param("redis7", marks=pytest.mark.redis7), "cluster"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[Store]:
    opened = await Store.open(farm.fresh(request.param))
    yield opened
    await opened.aclose()
