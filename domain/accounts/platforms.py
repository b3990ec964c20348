"""The chat platforms that an account may name: the one table of them (docs/adr/0019).

Whatever else the product knows of a platform lies in the folder under `bot/` that bears its name.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

# What records and ids say (`platform: slack`, `slack:U…`, the key of a person's user id), and the name people know.
PLATFORMS: Final[Mapping[str, str]] = {"slack": "Slack", "teams": "Teams"}

if TYPE_CHECKING:
    PlatformName = str
else:
    PlatformName = Literal[tuple(PLATFORMS)]
