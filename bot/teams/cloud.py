"""Where Microsoft's services are."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cloud:
    """Other than the public ones in tests."""

    login: str = "https://login.microsoftonline.com"
    keys: str = "https://login.botframework.com/v1/.well-known/keys"
    issuer: str = "https://api.botframework.com"
    service: str = "https://smba.trafficmanager.net/teams"

    @property
    def scope(self) -> str:
        return f"{self.issuer}/.default"


PUBLIC: Final = Cloud()
