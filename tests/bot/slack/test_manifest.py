"""`manifest.yml` against Slack's schema, and against what the code calls, hears and answers."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from bot.slack import oauth
from bot.slack.scopes import EVENTS, METHODS, SCOPES, SHORTCUTS
from bot.slack.settings import ENDPOINT
from handlers.framework.router import OWN_NAME
from handlers.workflows import ROUTES
from tests import ROOT

SCHEMA = ROOT.parent / "shared" / "data" / "slack-manifest.schema.json"
CODE = sorted((ROOT / "bot" / "slack").glob("*.py"))
ADDRESS = "https://switchboard.example.com"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return read


def test_it_is_valid_by_slacks_schema(manifest: dict[str, Any]) -> None:
    if not SCHEMA.exists():
        pytest.skip(f"Slack's schema is not at {SCHEMA}")
    schema = json.loads(SCHEMA.read_text())
    checker = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{list(e.path)}: {e.message}" for e in checker.iter_errors(manifest)] == []


def test_its_commands_are_those_that_are_answered(manifest: dict[str, Any]) -> None:
    commands = manifest["features"]["slash_commands"]
    assert {c["command"] for c in commands} == {f"/{name}" for name in (*ROUTES.names, OWN_NAME)}
    assert all(c["should_escape"] is True and c["usage_hint"] for c in commands)


def test_its_shortcuts_are_commands(manifest: dict[str, Any]) -> None:
    shortcuts = manifest["features"]["shortcuts"]
    assert {s["callback_id"] for s in shortcuts} == set(SHORTCUTS)
    assert {s["type"] for s in shortcuts} == {"global"}
    assert {name for name, _ in SHORTCUTS.values()} <= set(ROUTES.names)


def test_it_hears_what_is_acted_on(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)
    heard = (ROOT / "bot" / "slack" / "payloads.py").read_text()
    assert [event for event in EVENTS if f'"{event.partition(".")[0]}"' not in heard] == []


def test_it_asks_for_the_scopes_that_are_used_and_no_other(manifest: dict[str, Any]) -> None:
    assert manifest["oauth_config"]["scopes"] == {"bot": list(SCOPES)}


def test_every_scope_says_what_for() -> None:
    lines = (ROOT / "manifest.yml").read_text().splitlines()
    for scope in SCOPES:
        [line] = [line for line in lines if re.match(rf"\s+- {re.escape(scope)}( |$)", line)]
        assert re.search(r"# .{20,}", line), line


def test_the_table_of_methods_is_what_the_code_calls() -> None:
    known = re.compile(
        r'"((?:auth|chat|conversations|oauth|users|views|apps|reactions|files|team|bots)\.[a-zA-Z0-9.]+)"'
    )
    called = {name for file in CODE if file.name != "scopes.py" for name in known.findall(file.read_text())}
    assert called == set(METHODS)


def test_its_addresses_are_routes(manifest: dict[str, Any]) -> None:
    text = (ROOT / "manifest.yml").read_text()
    found = {
        url.removeprefix(ADDRESS) for url in re.findall(r"https://[^\s\"]+", text) if url.startswith(f"{ADDRESS}/")
    }
    assert found == {ENDPOINT, oauth.REDIRECT}
    interactivity = manifest["settings"]["interactivity"]
    assert interactivity["request_url"] == interactivity["message_menu_options_url"] == f"{ADDRESS}{ENDPOINT}"


def test_what_the_code_needs_is_switched_on(manifest: dict[str, Any]) -> None:
    home = manifest["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert not manifest["settings"]["socket_mode_enabled"]
    assert not manifest["settings"]["token_rotation_enabled"]
