"""The chat platforms that the bot knows: `ENTRY` of `bot/NAME/platform.py`, for each name of the domain's table."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from bot.chat.platform import PlatformEntry
from domain.accounts.platforms import PLATFORMS

ENTRIES: Final[Mapping[str, PlatformEntry[Any]]] = {
    name: import_module(f"bot.{name}.platform").ENTRY for name in PLATFORMS
}
