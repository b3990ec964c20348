"""What the pretend Slack reads from an app manifest: names, commands, scopes, events, switches.

The shape is Slack's (https://docs.slack.dev/reference/app-manifest); the caller loads the YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """One slash command: ``command`` with its slash, and whether mentions arrive as ids (``should_escape``)."""

    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut: ``kind`` is ``global`` or ``message``."""

    name: str
    kind: str
    callback_id: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a manifest that change how Slack behaves toward the app."""

    name: str
    description: str
    bot_name: str
    commands: tuple[SlashCommand, ...]
    shortcuts: tuple[Shortcut, ...]
    scopes: frozenset[str]
    events: frozenset[str]
    interactive: bool
    home_tab: bool
    messages_tab: bool
    messages_read_only: bool

    def command(self, word: str) -> SlashCommand | None:
        """The command that answers to ``word`` (``/numbers``), or None."""
        return next((c for c in self.commands if c.command == word), None)


def _section(of: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        found = of.get(key) or {}
        if not isinstance(found, Mapping):
            raise TypeError(f"manifest: {'.'.join(path)} must be a mapping")
        of = found
    return of


def read_manifest(source: Mapping[str, Any]) -> Manifest:
    """Reads a manifest as parsed from YAML or JSON. Raises ``ValueError`` when a command lacks its slash."""
    features = _section(source, "features")
    home = _section(features, "app_home")
    name = str(_section(source, "display_information").get("name", "App"))
    commands = tuple(
        SlashCommand(
            command=str(entry["command"]),
            description=str(entry.get("description", "")),
            usage_hint=str(entry.get("usage_hint", "")),
            should_escape=bool(entry.get("should_escape", False)),
        )
        for entry in features.get("slash_commands") or ()
    )
    for entry in commands:
        if not entry.command.startswith("/") or len(entry.command) > 32 or " " in entry.command:
            raise ValueError(f"manifest: not a slash command: {entry.command!r}")
    return Manifest(
        name=name,
        description=str(_section(source, "display_information").get("description", "")),
        bot_name=str(_section(features, "bot_user").get("display_name", name)),
        commands=commands,
        shortcuts=tuple(
            Shortcut(str(entry["name"]), str(entry["type"]), str(entry["callback_id"]))
            for entry in features.get("shortcuts") or ()
        ),
        scopes=frozenset(map(str, _section(source, "oauth_config", "scopes").get("bot") or ())),
        events=frozenset(map(str, _section(source, "settings", "event_subscriptions").get("bot_events") or ())),
        interactive=bool(_section(source, "settings", "interactivity").get("is_enabled", False)),
        home_tab=bool(home.get("home_tab_enabled", False)),
        messages_tab=bool(home.get("messages_tab_enabled", True)),
        messages_read_only=bool(home.get("messages_tab_read_only_enabled", False)),
    )
