"""`store`: an open, empty store on the embedded server; `pair`: the bot's Teams side and a pretend Teams on it."""

from collections.abc import AsyncIterator, Callable

import pytest

from store.server.connection import Store
from tests.bot.teams.rig import Rig, rig
from tests.servers import Farm


@pytest.fixture
async def store(farm: Farm) -> AsyncIterator[Store]:
    opened = await Store.open(farm.fresh("embedded"))
    yield opened
    await opened.aclose()


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Rig]:
    async with rig(store) as both:
        yield both


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What has been logged: printed while nobody has configured the logs, in the library's hands afterwards."""

    def text() -> str:
        return capsys.readouterr().out + caplog.text

    return text
