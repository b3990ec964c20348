"""Locks, private folders and processes, for the supervisor of the embedded server."""

import contextlib
import fcntl
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Final

_STAMP: Final = re.compile(r"^\d+:\w \d+ \w+ \d+ [\d:.]+ \W ")  # of a line in the server's log


def open_file(path: Path, how: int = 0) -> int:
    """Open a file for reading and writing; a new one is private to us."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | how, 0o600)


def lock(descriptor: int) -> bool:
    """Take the file's exclusive lock if it is free. It ends with the last process that has the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_private(folder: Path) -> bool:
    """Make the folder; whether it is now a real folder that only we can use."""
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and facts.st_mode & 0o077 == 0


def last_words(log: Path) -> str:
    """The last line of the server's log, without its time."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return "it left no log"
    return _STAMP.sub("", lines[-1]).rstrip(".") if lines else "it said nothing"


def command_line(pid: int) -> str:
    """The process's command line; empty if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    with contextlib.suppress(OSError, subprocess.SubprocessError):  # macOS has no /proc
        shown = subprocess.run(
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=2, check=False
        )
        return shown.stdout
    return ""
