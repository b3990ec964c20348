"""Reading URLs from variables, and how much of a value an error may repeat."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from bot.errors import InputError


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_of(url: str) -> str:
    """The host of a URL that was read by `read_url`; empty if it has none."""
    return urlsplit(url).hostname or ""


def shorten(text: str) -> str:
    """A value for an error message, cut to 40 characters."""
    return text if len(text) <= 40 else text[:39] + "…"


def split_url(url: str, name: str, expected: str) -> SplitResult:
    """The parts of a URL. Raises InputError "NAME must be `expected`", without the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(f"{name} must be {expected}; what is set can't be read as a URL") from None
    return parts


def read_url(values: Mapping[str, str], name: str, default: str) -> str:
    """The http(s) URL of a variable, or the default; "" if both are empty. Raises InputError for anything else."""
    url = values.get(name, default)
    if not url:
        return ""
    expected = "a full address such as https://switchboard.example.com"
    parts = split_url(url, name, expected)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in url):
        raise InputError(f"{name} must be {expected}")
    if parts.query or parts.fragment:
        raise InputError(f"{name} must end before any ? or #")
    return url
