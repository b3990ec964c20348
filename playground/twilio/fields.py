"""Checks of what the API is given: forms and queries with the fields of the OpenAPI description, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from playground.twilio.errors import TwilioError
from playground.twilio.world import E164

PAGING: Final = ("PageSize", "Page", "PageToken")
MOST_PAGE: Final = 1000
DEFAULT_PAGE: Final = 50


def known(given: Iterable[str], *allowed: str) -> None:
    """Refuses fields that the OpenAPI description does not have. Twilio ignores them, which hides a misspelt name."""
    for name in given:
        if name not in allowed:
            raise TwilioError(20001)


def web_address(args: Mapping[str, str], name: str) -> str:
    """A URL, empty where there is none."""
    value = args.get(name, "")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise TwilioError(21402, name) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in value):
        raise TwilioError(21402, name)
    return value


def method(args: Mapping[str, str], name: str, default: str = "POST") -> str:
    """An HTTP method."""
    value = args.get(name, default)
    if value not in ("GET", "POST"):
        raise TwilioError(21402, name)
    return value


def boolean(args: Mapping[str, str], name: str, default: bool | None = None) -> bool | None:
    """A flag, as the SDKs write it."""
    value = args.get(name, "").lower()
    if value not in ("", "true", "false"):
        raise TwilioError(21402, name)
    return default if not value else value == "true"


def whole(args: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number."""
    value = args.get(name, str(default))
    if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
        raise TwilioError(21402, name)
    return int(value)


def sid(args: Mapping[str, str], name: str, prefix: str) -> str:
    """A SID, empty where there is none."""
    value = args.get(name, "")
    if value and not re.fullmatch(f"{prefix}[0-9a-fA-F]{{32}}", value):
        raise TwilioError(21402, name)
    return value


def e164(args: Mapping[str, str], name: str, missing: int, wrong: int) -> str:
    """A phone number in E.164; `missing` and `wrong` are Twilio's codes for it. The plus must come as %2B."""
    value = args.get(name, "")
    if not value:
        raise TwilioError(missing)
    if not E164.fullmatch(value):
        raise TwilioError(wrong, value)
    return value
