"""What all tests share: the real servers, started when first needed."""

from collections.abc import Iterator

import pytest

from tests import servers


@pytest.fixture(scope="session")
def farm() -> Iterator[servers.Farm]:
    with servers.farm() as running:
        yield running
