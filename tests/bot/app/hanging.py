"""A bot whose stopping hangs until it is hastened: `python -m tests.bot.app.hanging DIRECTORY`.

Signals itself, twice.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import App, running
from bot.run import serve_until_stopped
from bot.settings import Settings


@asynccontextmanager
async def start(hasten: asyncio.Event) -> AsyncIterator[App]:
    async with running(Settings(data_dir=Path(sys.argv[1]), port=0), None, hasten) as app:
        yield app
        await hasten.wait()


def ready(_app: App) -> None:
    for delay in (0.0, 0.2):
        asyncio.get_running_loop().call_later(delay, os.kill, os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(serve_until_stopped(start, ready))
