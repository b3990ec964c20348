"""Microsoft's own playground for Teams, as a child of the demo: it shows a tenant in a web page and calls the bot.

`make demo-teams` installs it, pinned by package-lock.json here, into the environment's `playground` folder.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
PORT: Final = 56150  # the playground's own choice; another where it is taken
START: Final = 30.0  # seconds that it may take until its page answers
STOP: Final = 3.0  # seconds from SIGTERM to SIGKILL

INSTALLED: Final = Path(sys.prefix) / "playground" / "node_modules"
_CLI: Final = Path("@microsoft") / "m365agentsplayground" / "cli.js"
_HERE: Final = Path(__file__).parent


class NotInstalled(RuntimeError):
    """What the playground needs is not on this machine. `str()` is one sentence that says what to do."""


class DidNotStart(RuntimeError):
    """The playground is installed and does not come up. `str()` is one sentence that says why."""


def command(node_modules: Path = INSTALLED) -> tuple[str, ...]:
    """What starts the playground, its options apart. Raises NotInstalled."""
    node = shutil.which("node")
    if node is None:
        raise NotInstalled(
            "the Teams demo needs Node.js 18 or newer, from https://nodejs.org; `make demo` shows the same on a "
            "pretend Slack and needs nothing"
        )
    cli = node_modules / _CLI
    if not cli.is_file():
        raise NotInstalled("Microsoft's playground is not installed here: run `make demo-teams`, which does that first")
    return node, "--require", str(_HERE / "loopback.cjs"), str(cli)


@asynccontextmanager
async def playground(start: tuple[str, ...], bot: str, folder: Path) -> AsyncIterator[str]:
    """The playground's page for a bot that answers at `bot`/api/messages; its log is kept in `folder`.

    Raises DidNotStart.
    """
    port = _free_port()
    url, log = f"http://{HOST}:{port}", folder / "playground.log"
    options = ("start", "-e", f"{bot}/api/messages", "-c", "msteams", "--dt", "-p", str(port))
    environ = {
        **os.environ,
        "M365_AGENTS_PLAYGROUND_CONFIG_PATH": str(_HERE / "people.yml"),
        "M365_AGENTS_PLAYGROUND_LOGFILE": str(log),
        "M365_AGENTS_PLAYGROUND_SERVICE_URL": f"{url}/_connector",
        "SEND_INSTALLATION_ACTIVITY": "true",
        "TEAMSAPPTESTER_BROWSER": "none",  # the line with its address is printed; nobody's browser is taken over
    }
    child = await asyncio.create_subprocess_exec(
        *start, *options, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _answers(child, port, log)
        yield url
    finally:
        await _ended(child)


async def _answers(child: asyncio.subprocess.Process, port: int, log: Path) -> None:
    try:
        async with asyncio.timeout(START):
            while child.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    return
    except TimeoutError:
        raise DidNotStart(f"Microsoft's playground did not come up within {START:g} s: see {log}") from None
    raise DidNotStart(f"Microsoft's playground ended at once with status {child.returncode}: see {log}")


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(STOP):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _free_port() -> int:
    for wanted in (PORT, 0):
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier run's connections don't count
            try:
                found.bind((HOST, wanted))
            except OSError:
                continue
            port: int = found.getsockname()[1]
            return port
    raise DidNotStart("no port of this machine is free")
