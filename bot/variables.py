"""How the values of variables are read: addresses, and what of them may be repeated in a sentence."""

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
    """The host of a URL that was looked at; empty where it has none."""
    return urlsplit(url).hostname or ""


def shorten(text: str) -> str:
    """What somebody wrote, as much of it as a sentence has room for."""
    return text if len(text) <= 40 else text[:39] + "…"


def split_url(url: str, name: str, expected: str) -> SplitResult:
    """The parts of a URL; `expected` completes the sentence. The URL may hold a password: it is never repeated."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError(f"{name} must be {expected}; what is set can't be read as a URL") from None
    return parts


def read_url(values: Mapping[str, str], name: str, default: str) -> str:
    """The address that a variable holds, or the default; raises InputError where it is none."""
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
