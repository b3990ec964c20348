"""A process that uses the embedded server of the directory it is given, until it is told to leave.

Prints `ready PID-OF-THE-SERVER`; then, for each line on stdin, appends it to a list in the store and prints the
list's length; leaves in good order at SIGTERM or the end of stdin.
"""

import asyncio
import signal
import sys
from pathlib import Path

from store.server.connection import Store
from store.server.embedded import EmbeddedServer


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(data_dir: Path) -> None:
    loop = asyncio.get_running_loop()
    leaving = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, leaving.set)
    embedded = await EmbeddedServer.start(data_dir)
    store = await Store.open(embedded.url)
    say("ready", (data_dir / "valkey.pid").read_text().strip())
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    wait = asyncio.ensure_future(leaving.wait())
    while not leaving.is_set():
        line = asyncio.ensure_future(lines.readline())
        await asyncio.wait([line, wait], return_when=asyncio.FIRST_COMPLETED)
        if not line.done() or not line.result():
            line.cancel()
            break
        say(await store.call("RPUSH", "lines", line.result().strip()))
    wait.cancel()
    await store.aclose()
    await embedded.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
