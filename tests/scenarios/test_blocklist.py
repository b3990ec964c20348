"""Every scenario of the blocklist, on every platform."""

import pytest

from tests.scenarios import blocklist
from tests.scenarios.script import Scenario, scenarios
from tests.scenarios.stage import Cast


@pytest.mark.parametrize("scenario", scenarios(blocklist), ids=lambda s: s.__name__)
async def test_blocklist(scenario: Scenario, cast: Cast) -> None:
    await scenario(cast)
