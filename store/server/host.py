"""What the supervisor of the embedded server needs of the operating system: locks, private folders, processes."""

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
    """A descriptor for reading and writing, of a file that is made, for us alone, if it is not there."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | how, 0o600)


def lock(descriptor: int) -> bool:
    """Take the file's lock for us alone, if nobody has it; it ends with the last process that has the descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_private(folder: Path) -> bool:
    """Whether it is now a folder that only we can use: made, or of that kind already."""
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
    """What the process was started with, in one line; empty if it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    with contextlib.suppress(OSError, subprocess.SubprocessError):  # macOS has no /proc
        shown = subprocess.run(
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=2, check=False
        )
        return shown.stdout
    return ""
