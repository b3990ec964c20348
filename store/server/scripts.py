"""The Lua scripts: loaded once, each from the folder of the aggregate that it changes, known to the server by SHA-1.

A line `--@include engine/other` is replaced by `store/engine/other.lua`, once in a script however often it is asked
for, so that scripts can share functions.
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1]
_INCLUDE: Final = re.compile(r"^--@include[ \t]+([\w/-]+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """One atomic step on the store, which may run twice: `store/server/connection.py`.

    Attributes:
        name: the file's name without folder and ending; what metrics call it.
        text: the source, includes resolved.
        sha: SHA-1 of the text, in hex: the name under which the server keeps it.
    """

    name: str
    text: str = field(repr=False)
    sha: str = field(repr=False)


def script(name: str) -> Script:
    """The script in `store/<name>.lua`, where the name begins with its folder: `engine/commit`.

    Raises:
        FileNotFoundError: it, or a file that it includes, is not there.
    """
    text = load(name)
    # EVALSHA wants SHA-1; it guards nothing.
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name.rpartition("/")[2], text, sha)


@cache
def load(name: str, folder: Path = FOLDER) -> str:
    """The text of `<folder>/<name>.lua` with its includes in place, each where it is asked for first."""
    seen: set[str] = {name}

    def resolve(text: str) -> str:
        return _INCLUDE.sub(included, text)

    def included(line: re.Match[str]) -> str:
        other = line[1]
        if other in seen:
            return ""
        seen.add(other)
        return resolve((folder / f"{other}.lua").read_text(encoding="utf-8")).rstrip("\n")

    return resolve((folder / f"{name}.lua").read_text(encoding="utf-8"))
