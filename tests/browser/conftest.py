"""A browser for the module, a demo, and people at its page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.person import Demo, Person, browsing, chromium, demonstrated

Arrive = Callable[..., Person]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = chromium()
    if binary is None:
        pytest.skip("no Chromium on PATH: the demo's page can't be looked at")
    with browsing(binary) as running:
        yield running


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with demonstrated(tmp_path, "--fresh") as running:
        yield running


@pytest.fixture
def arrive(browser: Browser, demo: Demo) -> Iterator[Arrive]:
    """Somebody comes to the page of a fresh demo: `Person.at`. Nobody's browser may have anything to complain of."""
    yield from _arriving(browser, demo)


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demonstrated(tmp_path_factory.mktemp("shared"), "--fresh") as running:
        yield running


@pytest.fixture
def visit(browser: Browser, shared_demo: Demo) -> Iterator[Arrive]:
    """The same, for tests that leave the numbers as they are: they share one demo."""
    yield from _arriving(browser, shared_demo)


def _arriving(browser: Browser, demo: Demo) -> Iterator[Arrive]:
    people: list[Person] = []

    def come(who: str, where: str = "CGENERAL", **window: object) -> Person:
        people.append(Person.at(browser, demo, who, where, **window))  # type: ignore[arg-type] # as `Person.at` takes it
        return people[-1]

    yield come
    for person in people:
        person.leave()
