"""Starts, observes and ends the processes that are measured."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A child that is terminated at the end, and killed after ten seconds."""
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


async def listening(port: int, path: str = "/", seconds: float = 20) -> float:
    """Seconds until a GET is answered with 200 (or with anything, for a path of `/`)."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split()
            writer.close()
            if path == "/" or status[1:2] == [b"200"]:
                return time.perf_counter() - began
        except OSError:
            pass
        await asyncio.sleep(0.01)
    raise TimeoutError(f"nothing answers on {port}{path}")


def cpu_seconds(pid: int) -> float:
    """CPU seconds that the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
