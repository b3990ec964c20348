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


async def test_files_and_what_is_typed_in_a_dialog_of_slack(both: Stage) -> None:
    """Slack's dialogs take files, and tell of keys; what was typed is there again after the dialog was closed."""
    cast = replace(both.cast("slack"), robin=both.person("Robin", "teams"))
    await both.opens_desk("teams", "Robin")
    max_, slack = cast.max, both.slack
    user = next(user.id for user in slack.world.users.values() if user.name == "max")

    async def opens() -> None:
        await max_.types("support contact", dialog="Contact us")
        await max_.fills({"How can we help you?": "Chat with the team"})
        await max_.sends("Next")
        await max_.is_asked("Chat with the team")

    await opens()
    await max_.fills({"Overview": "Nobody hears me", "Description": "Since nine, all of us."})
    await max_.closes()
    await opens()
    await max_.sees_filled({"Overview": "Nobody hears me", "Description": "Since nine, all of us."})
    with pytest.raises(LookupError, match="No more than 10"):
        await slack.fill(user, {"Files": {f"{n}.png": b"x" for n in range(11)}})
    with pytest.raises(LookupError, match="larger than 10 MB"):
        await slack.fill(user, {"Files": {"a.mov": b"x" * (10 * 1024**2 + 1)}})
    await slack.fill(user, {"Files": {"trace.har": b"x" * 12_345, "shot.png": b"png"}})
    await max_.fills({"Overview": " "})
    await max_.sends("Send message")
    await max_.sees_error("Overview", "")
    await max_.fills({"Overview": "Nobody hears me"})
    await max_.sends("Send message")
    await max_.repeats()
    await max_.has_no_dialog()
    await cast.robin.sees(tickets.HEAD, "2 files: trace.har (12 kB), shot.png (3 B)")
    await opens()
    await max_.sees_filled({"Overview": "", "Description": ""})
    assert slack.troubles == []
