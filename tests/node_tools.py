"""The Node programs that some tests check with, where `make node-tools` has installed them; else those tests skip."""

import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

MODULES: Final = Path(sys.prefix) / "node" / "node_modules"
API_DESCRIPTION: Final = ROOT.parent / "shared" / "data" / "twilio_api_v2010.json"


def node(*needed: str) -> str:
    """The path of Node.js; skips the test where it, or one of the packages that are `needed`, is not there."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node.js on PATH: this is checked with a program of it")
    missing = [name for name in needed if not (MODULES / name / "package.json").is_file()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: run `make node-tools`")
    return found


def api_description() -> Path:
    """Twilio's OpenAPI description; skips the test where it is not there."""
    if not API_DESCRIPTION.is_file():
        pytest.skip(f"{API_DESCRIPTION} is not there: it is of github.com/twilio/twilio-oai, spec/json")
    return API_DESCRIPTION
