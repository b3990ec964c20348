"""Tests, laid out as the packages that they test; and scenarios, browser and fault tests of the whole."""

from pathlib import Path
from typing import Final, TypeVar

ROOT: Final = Path(__file__).parents[1]
"""The root of the checkout."""
QUIET_BROWSER: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Arguments of a Chromium that calls nobody by itself."""

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """The value; fails where it is None."""
    assert value is not None
    return value


def instance_of(kind: type[Value], value: object) -> Value:
    """The value; fails where it is not of that kind."""
    assert isinstance(value, kind), value
    return value
