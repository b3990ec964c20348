"""Every scenario of the numbers workflow, on every platform."""

import pytest

from tests.scenarios import numbers
from tests.scenarios.script import Scenario, scenarios
from tests.scenarios.stage import Cast


@pytest.mark.parametrize("steps", scenarios(numbers), ids=lambda steps: steps.__name__)
async def test_numbers(cast: Cast, steps: Scenario) -> None:
    await steps(cast)
