"""Processes of one program, killed and replaced while they work."""

import asyncio
import sys

from tests import ROOT


class Crowd:
    """Runs `python -m MODULE WORDS…` in several processes, each of which may take `patience` seconds to end; `killed`
    are the pids of those that were killed."""

    def __init__(self, module: str, *words: object, patience: float) -> None:
        self._command = (sys.executable, "-m", module, *map(str, words))
        self._patience = patience
        self.living: list[asyncio.subprocess.Process] = []
        self.killed: set[int] = set()

    async def start(self) -> None:
        self.living.append(await asyncio.create_subprocess_exec(*self._command, cwd=ROOT))

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        """kill -9, and wait until it is gone."""
        self.living.remove(process)
        process.kill()
        await process.wait()
        self.killed.add(process.pid)

    async def end(self) -> list[int]:
        """SIGTERM, and SIGKILL for those that take longer than that; the exit statuses."""
        for process in self.living:
            process.terminate()
        codes: list[int] = []
        for process in self.living:
            try:
                async with asyncio.timeout(self._patience):
                    codes.append(await process.wait())
            except TimeoutError:
                process.kill()
                codes.append(await process.wait())
        self.living.clear()
        return codes
