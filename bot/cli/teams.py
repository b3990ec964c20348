"""`switchboard teams package`."""

from pathlib import Path
from typing import Final

import click

from bot.settings import given, read
from bot.version import VERSION
from bot.wrong import Wrong

PAGES: Final = ("PUBLIC_URL", "PRIVACY_URL", "TERMS_URL", "SUPPORT_URL")


def write_package(file: str) -> None:
    """Writes the app package to `file`. Only what goes into it is read of the settings: whoever builds it need not
    have the secret. Raises Wrong where a setting is missing or can't be used, or the file can't be written."""
    from bot.teams import package

    values = given()
    client_id = values.get("TEAMS_CLIENT_ID")
    if client_id is None:
        raise Wrong("TEAMS_CLIENT_ID is not set: it is the application (client) id of the bot's app registration")
    settings = read({name: value for name, value in values.items() if name in PAGES}, None)
    if settings.public_url is None:
        raise Wrong(
            "PUBLIC_URL is not set: it is the address that Teams calls, such as https://switchboard.example.com"
        )
    try:
        made = package.build(client_id, settings.public_url, VERSION, settings.links)
    except ValueError as error:
        raise Wrong(str(error)) from None
    try:
        Path(file).write_bytes(made)
    except OSError as error:
        raise Wrong(f"{file} can't be written: {error.strerror}") from None
    click.echo(f"{file}: upload it in Teams (Apps, Manage your apps, Upload an app); docs/teams.md shows how")
