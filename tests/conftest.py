"""What all tests share: the real servers, started when first needed."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import servers

# What decides whether a change lands tries the same examples each time; elsewhere they are fresh ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def farm() -> Iterator[servers.Farm]:
    with servers.farm() as running:
        yield running
