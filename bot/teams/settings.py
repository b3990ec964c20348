"""Teams' settings, read from environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import InputError
from bot.variables import is_loopback, shorten

ENDPOINT: Final = "/api/messages"
VARIABLES: Final = ("TEAMS_CLIENT_ID", "TEAMS_CLIENT_SECRET", "TEAMS_TENANT_ID", "TEAMS_ALLOW_UNAUTHENTICATED")


@dataclass(frozen=True, slots=True)
class Settings:
    """The bot's registration with Microsoft. `client_id` None: Teams is only played on this machine."""

    client_id: str | None
    client_secret: str | None = field(repr=False)
    tenant_id: str | None = None  # None: an app of many tenants
    unauthenticated: bool = False  # whoever posts is believed; HOST is loopback


def read_settings(values: Mapping[str, str], host: str) -> Settings | None:
    """None where Teams is off. Raises InputError for what can't be used."""
    flag = values.get("TEAMS_ALLOW_UNAUTHENTICATED", "0").lower()
    if flag not in ("0", "1", "false", "true"):
        raise InputError("TEAMS_ALLOW_UNAUTHENTICATED must be 1 or 0")
    local = flag in ("1", "true")
    if local and not is_loopback(host):
        raise InputError(
            f"TEAMS_ALLOW_UNAUTHENTICATED is for this machine alone: HOST must then be 127.0.0.1, not {shorten(host)}"
        )
    client_id, secret = values.get("TEAMS_CLIENT_ID"), values.get("TEAMS_CLIENT_SECRET")
    if bool(client_id) != bool(secret):
        raise InputError("TEAMS_CLIENT_ID and TEAMS_CLIENT_SECRET belong together: set both, or neither")
    if client_id is None and not local:
        return None
    return Settings(client_id, secret, values.get("TEAMS_TENANT_ID"), local)


def describe(settings: Settings | None) -> list[str]:
    """A line where Teams is off, with what switches it on, or where it believes whoever posts."""
    if settings is None:
        return ["Teams is off: TEAMS_CLIENT_ID and TEAMS_CLIENT_SECRET are not set"]
    if settings.unauthenticated:
        return ["Teams is for this machine alone: TEAMS_ALLOW_UNAUTHENTICATED believes whoever posts"]
    return []
