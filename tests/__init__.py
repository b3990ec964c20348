"""Tests, laid out as the packages that they test; and scenarios, browser and fault tests of the whole."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The root of the checkout."""
