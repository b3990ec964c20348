"""`office`: the company of `world`, with a desk."""

import pytest

from tests.handlers.office import Office
from tests.handlers.world import World


@pytest.fixture
async def office(world: World) -> Office:
    return await Office.open(world)
