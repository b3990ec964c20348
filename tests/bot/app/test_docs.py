"""What the documents tell of is there, and what is there is told of."""

import re

from prometheus_client import generate_latest

from bot.settings import VARIABLES
from bot.telemetry import Metrics
from domain.accounts.account import Account, Person
from handlers import blocklist
from handlers.numbers import HELP
from tests import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented() -> None:
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", read("docs/settings.md")))
    assert set(VARIABLES) <= told
    assert told - set(VARIABLES) <= {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}


def test_every_metric_is_documented() -> None:
    metrics = Metrics("0")
    ours = {
        re.sub(r"_(total|created|bucket|count|sum)$", "", name)
        for name in re.findall(r"^# TYPE (switchboard_\w+)", generate_latest(metrics.registry).decode(), re.MULTILINE)
    }
    told = set(re.findall(r"`(switchboard_\w+)`", read("docs/operating.md")))
    assert told == ours


def test_every_key_of_the_accounts_file_is_documented() -> None:
    told = set(re.findall(r"`(\w+)`", read("docs/accounts.md")))
    for model in (Account, Person):
        assert {field.alias or name for name, field in model.model_fields.items()} <= told


def test_the_readme_names_every_command_and_every_folder() -> None:
    readme = read("README.md")
    for verb in HELP:
        assert re.search(rf"/numbers {verb}\b|`{verb} NUMBER`|`{verb}`", readme), verb
    for verb in blocklist.HELP:
        assert re.search(rf"/blocklist {verb}\b|`{verb} NUMBER`|`{verb}`", readme), verb
    for name in re.findall(r"^([a-z]+)/ ", readme, re.MULTILINE):
        assert (ROOT / name).is_dir(), name
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link
