"""Slack's settings, read from environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import InputError
from bot.variables import read_url

ENDPOINT: Final = "/slack/events"
SLACK_API: Final = "https://slack.com/api/"
VARIABLES: Final = (
    "SLACK_SIGNING_SECRET",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_API_URL",
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """A workspace's own token, or an app that others install (client id and secret)."""

    signing_secret: str | None = field(repr=False)  # None only in Socket Mode
    bot_token: str | None = field(repr=False)
    app_token: str | None = field(repr=False)  # set: Socket Mode
    client_id: str | None
    client_secret: str | None = field(repr=False)
    api_url: str  # ends with "/"


def read_settings(values: Mapping[str, str], _host: str) -> Settings | None:
    """None where Slack is off. Raises InputError for what can't be used."""
    api_url = read_url(values, "SLACK_API_URL", SLACK_API).rstrip("/") + "/"
    secret, bot, app = (values.get(f"SLACK_{n}") for n in ("SIGNING_SECRET", "BOT_TOKEN", "APP_TOKEN"))
    client_id, client_secret = values.get("SLACK_CLIENT_ID"), values.get("SLACK_CLIENT_SECRET")
    if not any((secret, bot, app, client_id, client_secret)):
        return None
    if bot and bot.startswith("xapp-"):
        raise InputError("SLACK_BOT_TOKEN holds an app token (xapp-…); the bot token starts with xoxb-")
    if app and not app.startswith("xapp-"):
        raise InputError("SLACK_APP_TOKEN must be an app-level token, which starts with xapp-")
    if bool(client_id) != bool(client_secret):
        raise InputError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both, or neither")
    if not (secret or app):
        raise InputError(
            "Slack is half configured: SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN for Socket Mode) is missing"
        )
    if not (bot or client_id):
        raise InputError("Slack is half configured: SLACK_BOT_TOKEN is missing")
    if client_id and not secret:
        raise InputError("Slack is half configured: SLACK_CLIENT_ID needs SLACK_SIGNING_SECRET too")
    return Settings(secret, bot, app, client_id, client_secret, api_url)


def describe(settings: Settings | None) -> list[str]:
    """A line where Slack is off, with what switches it on."""
    if settings is not None:
        return []
    return ["Slack is off: set SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN, or SLACK_APP_TOKEN for Socket Mode"]
