"""Every scenario of calls and of buying, on every platform, with a pretend Twilio beside it."""

from collections.abc import AsyncIterator

import pytest

from playground.twilio.server import serve_twilio
from tests.scenarios import buying, calls
from tests.scenarios.conftest import PLATFORMS
from tests.scenarios.script import Scenario, scenarios
from tests.scenarios.stage import Cast, stage
from tests.servers import Farm


@pytest.fixture(params=PLATFORMS)
async def calling(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[Cast]:
    async with serve_twilio() as carrier, stage(farm, (request.param,), carrier) as made:
        yield made.cast(request.param)
        assert carrier.troubles == []


@pytest.mark.parametrize("steps", scenarios(calls), ids=lambda steps: steps.__name__)
async def test_calls(calling: Cast, steps: Scenario) -> None:
    await steps(calling)


@pytest.mark.parametrize("steps", scenarios(buying), ids=lambda steps: steps.__name__)
async def test_buying(calling: Cast, steps: Scenario) -> None:
    await steps(calling)
