"""Microsoft's SDK (`microsoft-teams-apps`), imported without what it does to a process when it is imported.

Three things, measured with 2.1.1: it loads a `.env` file into the process's environment; it warns of its own previews;
and its instruments, where OpenTelemetry has no provider for them, grow with every activity.
"""

import logging
import os
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_NO_ENV_FILE: Final = "PYTHON_DOTENV_DISABLED"  # python-dotenv's own switch


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes of the SDK that we use."""

    server: Any  # microsoft_teams.apps.http.HttpServer


@cache
def load() -> Parts:
    """Imports it, once: about a second, and 80 MiB."""
    from opentelemetry import metrics

    metrics.set_meter_provider(metrics.NoOpMeterProvider())
    before = os.environ.get(_NO_ENV_FILE)
    os.environ[_NO_ENV_FILE] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what its ExperimentalWarning is
            from microsoft_teams.apps.http import HttpServer
    finally:
        if before is None:
            del os.environ[_NO_ENV_FILE]
        else:
            os.environ[_NO_ENV_FILE] = before
    # It writes parts of requests and tokens into its log.
    logging.getLogger("microsoft_teams").setLevel(logging.CRITICAL)
    return Parts(HttpServer)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where Microsoft's services are; other than the public ones in tests."""

    login: str = "https://login.microsoftonline.com"
    keys: str = "https://login.botframework.com/v1/.well-known/keys"
    issuer: str = "https://api.botframework.com"
    service: str = "https://smba.trafficmanager.net/teams"

    @property
    def scope(self) -> str:
        return f"{self.issuer}/.default"


PUBLIC: Final = Cloud()
