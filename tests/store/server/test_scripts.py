"""Scripts and what they share."""

import hashlib
from pathlib import Path

import pytest

from store.server.connection import Store
from store.server.scripts import FOLDER, load, script

ALL = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.lua"))


def test_includes_stand_where_they_are_asked_for_first(tmp_path: Path) -> None:
    (tmp_path / "base.lua").write_text("local base = 1\n")
    (tmp_path / "more.lua").write_text("--@include base\nlocal more = base + 1\n")
    (tmp_path / "main.lua").write_text("-- a header\n--@include more\n--@include base\nreturn base + more\n")
    assert load("main", tmp_path) == "-- a header\nlocal base = 1\nlocal more = base + 1\n\nreturn base + more\n"


def test_a_file_that_includes_itself_does_so_once(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("--@include b\nreturn 1\n")
    (tmp_path / "b.lua").write_text("--@include a\n--@include b\n")
    assert load("a", tmp_path).split() == ["return", "1"]


def test_backslashes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("--@include b\n")
    (tmp_path / "b.lua").write_text(r"return '\1\n'")
    assert load("a", tmp_path) == r"return '\1\n'" + "\n"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("--@include nowhere\n")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.lua"):
        load("a", tmp_path)


@pytest.mark.parametrize("name", ALL)
async def test_every_script_compiles_on_every_server(store: Store, name: str) -> None:
    one = script(name)
    assert one.sha == hashlib.sha1(one.text.encode(), usedforsecurity=False).hexdigest()
    assert await store.call("SCRIPT", "LOAD", one.text) == one.sha.encode()
