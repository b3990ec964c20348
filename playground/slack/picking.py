"""Files in a dialog: uploaded when they are picked, visible to the person and the app, shared in no channel.

https://docs.slack.dev/reference/block-kit/block-elements/file-input-element (2026-11): up to ten, of 10 MB each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playground.slack.core import Core
from playground.slack.methods_files import mime_of, new_id
from playground.slack.shapes import file_json
from playground.slack.world import File, User

Json = dict[str, Any]

MOST_FILES: Final = 10
MOST_BYTES: Final = 10 * 1024**2


def pick(core: Core, who: User, name: str, content: str | bytes) -> File:
    """Uploads a file of the person. Raises ``LookupError`` where it is larger than Slack's client accepts."""
    raw = content.encode() if isinstance(content, str) else content
    if len(raw) > MOST_BYTES:
        raise LookupError(f"{name} is larger than 10 MB.")
    file = File(new_id(), who.team, who.id, name, mime=mime_of(name), length=len(raw))
    file.born = core.now()
    return core.world.keep(file, raw)


def picked_files(core: Core, who: User, element: Json, value: Any) -> list[Json]:
    """The files of a ``file_input``: ``value`` are contents by name, or ids of files that the person has picked.

    Raises ``LookupError`` for too many, for a kind that the element does not take and for files of others.
    """
    if isinstance(value, Mapping):
        files = [pick(core, who, name, content) for name, content in value.items()]
    else:
        known = core.world.files
        files = [known[str(id)] for id in value or () if str(id) in known and known[str(id)].user == who.id]
        if len(files) < len(value or ()):
            raise LookupError("That file is not there any more.")
    if len(files) > (most := element.get("max_files", MOST_FILES)):
        raise LookupError(f"No more than {most} files can be added here.")
    kinds = element.get("filetypes")
    for file in files:
        if kinds and file.name.rpartition(".")[2].lower() not in kinds:
            raise LookupError(f"{file.name} is of a kind that can't be added here.")
    return [file_json(core.world, file) for file in files]
