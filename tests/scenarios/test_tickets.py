"""Every scenario of tickets: on each platform, and with the person on one and the desk on the other."""

from dataclasses import replace

import pytest

from tests.scenarios import tickets
from tests.scenarios.script import Scenario, scenarios
from tests.scenarios.stage import Cast, Stage

SCENARIOS = pytest.mark.parametrize("scenario", scenarios(tickets), ids=lambda s: s.__name__)


@SCENARIOS
async def test_tickets(scenario: Scenario, cast: Cast) -> None:
    await scenario(cast)


@SCENARIOS
@pytest.mark.parametrize(("person", "desk"), [("teams", "slack"), ("slack", "teams")])
async def test_tickets_across(scenario: Scenario, both: Stage, person: str, desk: str) -> None:
    await scenario(replace(both.cast(person), robin=both.person("Robin", desk)))
