"""Every scenario of asking, on every platform."""

import pytest

from tests.scenarios import asking
from tests.scenarios.script import Scenario, scenarios
from tests.scenarios.stage import Cast


@pytest.mark.parametrize("steps", scenarios(asking), ids=lambda steps: steps.__name__)
async def test_asking(cast: Cast, steps: Scenario) -> None:
    await steps(cast)
