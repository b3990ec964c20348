"""`cast`: the people of the scenarios on the platform that the test is run for; `both`: the same people on two."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.stage import Cast, Stage, stage
from tests.servers import Farm

PLATFORMS = ("slack", "teams")


@pytest.fixture(params=PLATFORMS)
async def cast(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[Cast]:
    async with stage(farm, (request.param,)) as made:
        yield made.cast(request.param)


@pytest.fixture
async def both(farm: Farm) -> AsyncIterator[Stage]:
    async with stage(farm, PLATFORMS) as made:
        yield made
