"""What all tests share: the real servers, started when first needed, and the pretend Twilio."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from playground.twilio.pretend import PretendTwilio
from playground.twilio.server import serve_twilio
from store.server.connection import Store
from tests import servers

# What decides whether a change lands tries the same examples each time; elsewhere they are fresh ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


ALONE = ("browser", "faults")  # folders whose tests start many processes and wait for what they do


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the tests run in several processes, those that take a machine run one after the other."""
    for item in items:
        if item.path.parent.name in ALONE:
            item.add_marker(pytest.mark.xdist_group("alone"))


@pytest.fixture(scope="session")
def farm() -> Iterator[servers.Farm]:
    with servers.farm() as running:
        yield running


@pytest.fixture
async def store(farm: servers.Farm) -> AsyncIterator[Store]:
    """An open, empty store on the embedded server."""
    opened = await Store.open(farm.fresh("embedded"))
    yield opened
    await opened.aclose()


@pytest.fixture
async def twilio() -> AsyncIterator[PretendTwilio]:
    """A pretend Twilio on a port of its own."""
    async with serve_twilio() as pretend:
        yield pretend
