"""Loads the Lua scripts, each from the folder of the aggregate that it changes.

A line `--@include engine/other` is replaced by `store/engine/other.lua`, the first time that it occurs in a script, so
that scripts can share functions.
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
    """A script that changes the store atomically and may run twice (`store/server/connection.py`).

    Attributes:
        name: of the file, without folder and suffix, for metrics.
        text: the source with its includes.
        sha: SHA-1 of the text in hex, by which the server knows the script.
    """

    name: str
    text: str = field(repr=False)
    sha: str = field(repr=False)


def script(name: str) -> Script:
    """The script in `store/<name>.lua`, such as `engine/commit`.

    Raises:
        FileNotFoundError: it, or a file that it includes, does not exist.
    """
    text = load(name)
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name.rpartition("/")[2], text, sha)


@cache
def load(name: str, folder: Path = FOLDER) -> str:
    """The text of `<folder>/<name>.lua` with its includes resolved."""
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
