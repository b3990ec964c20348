"""`switchboard teams package`."""

from pathlib import Path
from typing import Final

import click

from bot.errors import InputError
from bot.settings import read_settings, read_variables
from bot.version import VERSION

PAGES: Final = ("PUBLIC_URL", "PRIVACY_URL", "TERMS_URL", "SUPPORT_URL")


def write_package(file: str) -> None:
    """Write the app package to `file`. Only the settings that go into it are read: whoever builds it need not have the
    secret. Raises InputError if a setting is missing or can't be used, or the file can't be written.
    """
    from bot.teams import package

    values = read_variables()
    client_id = values.get("TEAMS_CLIENT_ID")
    if client_id is None:
        raise InputError("TEAMS_CLIENT_ID is not set: it is the application (client) id of the bot's app registration")
    settings = read_settings({name: value for name, value in values.items() if name in PAGES}, None)
    if settings.public_url is None:
        raise InputError(
            "PUBLIC_URL is not set: it is the address that Teams calls, such as https://switchboard.example.com"
        )
    try:
        made = package.build(client_id, settings.public_url, VERSION, settings.links)
    except ValueError as error:
        raise InputError(str(error)) from None
    try:
        Path(file).write_bytes(made)
    except OSError as error:
        raise InputError(f"{file} can't be written: {error.strerror}") from None
    click.echo(f"{file}: upload it in Teams (Apps, Manage your apps, Upload an app); docs/teams.md shows how")
