"""A folder of articles: Markdown files, each with a front matter.

    ---
    title: Forward a number to your phone
    language: en
    url: https://help.example.com/forward       # where people read it; without it, they read it in the chat
    questions: ["How do I forward my number?"]  # suggestions; without them, the title
    place: 1                                    # among the suggestions; other keys are ignored
    ---

A file that can't be used is left out and reported with the reason.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import yaml

from bot.articles.markdown import Piece, parse_markdown

# D 2026-11: a help centre of a large product; files beyond these limits are reported, not read.
MOST_FILES: Final = 2_000
MOST_BYTES: Final = 256 * 1024  # of one article
MOST_TOGETHER: Final = 16 * 1024 * 1024
MOST_FOLDERS: Final = 500
DEEPEST: Final = 6
LONGEST_TITLE: Final = 150
LONGEST_ID: Final = 60  # so that a button can carry it on every platform
LONGEST_URL: Final = 1_000
MOST_QUESTIONS: Final = 10
LAST: Final = 1_000

_ID: Final = re.compile(r"[\w./-]+")
_FRONT: Final = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*$\r?\n?", re.DOTALL | re.MULTILINE)
_LANGUAGE: Final = re.compile(r"([a-zA-Z]{2,3})(?:[-_][a-zA-Z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class ArticleSource:
    """An article as its file has it. `id` is its path in the folder without ".md"."""

    id: str
    title: str
    language: str
    url: str | None
    questions: tuple[str, ...]
    pieces: tuple[Piece, ...]
    place: int = LAST  # among what is suggested


class FileProblem(NamedTuple):
    """A file (or "" for the folder itself) that can't be used, and why, as a sentence without a full stop."""

    path: str
    why: str


class FileStamp(NamedTuple):
    """A file as the folder lists it. Equal listings mean equal articles."""

    path: str
    size: int
    modified: int  # ns


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything that a folder holds."""

    articles: tuple[ArticleSource, ...]
    troubles: tuple[FileProblem, ...]


def list_files(folder: str) -> tuple[FileStamp, ...]:
    """The Markdown files below a folder, sorted, `MOST_FILES` + 1 at most. Raises OSError if it can't be listed."""
    return tuple(sorted(_walk(Path(folder))))


def _walk(folder: Path) -> Iterator[FileStamp]:
    waiting, folders, files = [(folder, 0)], 0, 0
    while waiting:
        at, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(at), key=lambda entry: entry.name)
        except OSError:
            if at == folder:
                raise
            continue
        for entry in entries:
            # A link may lead anywhere on the machine, so it is not followed.
            if entry.name.startswith((".", "_")) or entry.is_symlink():
                continue
            if entry.is_dir():
                folders += 1
                if depth < DEEPEST and folders <= MOST_FOLDERS:
                    waiting.append((Path(entry.path), depth + 1))
            elif entry.name.endswith(".md") and entry.name != "README.md":
                try:
                    status = entry.stat()
                except OSError:
                    continue  # gone while we looked
                files += 1
                yield FileStamp(
                    os.path.relpath(entry.path, folder).replace(os.sep, "/"), status.st_size, status.st_mtime_ns
                )
                if files > MOST_FILES:
                    return


def load(folder: str, files: tuple[FileStamp, ...]) -> Folder:
    """The articles of the files. Never fails."""
    articles: list[ArticleSource] = []
    troubles: list[FileProblem] = []
    together = 0
    if len(files) > MOST_FILES:
        troubles.append(FileProblem("", f"holds more than {MOST_FILES:,} articles: the rest is not read"))
    for seen in files[:MOST_FILES]:
        together += seen.size
        if together > MOST_TOGETHER:
            troubles.append(FileProblem(seen.path, f"the articles are larger than {MOST_TOGETHER >> 20} MiB together"))
            break
        try:
            articles.append(_source(Path(folder), seen))
        except (ValueError, OSError) as error:
            why = error.strerror or "can't be read" if isinstance(error, OSError) else str(error)
            troubles.append(FileProblem(seen.path, why))
    return Folder(tuple(articles), tuple(troubles))


def _source(folder: Path, seen: FileStamp) -> ArticleSource:
    if seen.size > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES >> 10} KiB")
    id = seen.path.removesuffix(".md")
    if len(id) > LONGEST_ID or not _ID.fullmatch(id):
        raise ValueError(f"its name must be of letters, digits, '-', '_' and '.', {LONGEST_ID} characters at most")
    with (folder / seen.path).open("rb") as file:
        raw = file.read(MOST_BYTES + 1)[:MOST_BYTES]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not in UTF-8") from None
    if "\0" in text:
        raise ValueError("is no text")
    front = _FRONT.match(text)
    if front is None:
        raise ValueError("has no front matter: it begins with --- and the title")
    data = _front_matter(front[1])
    pieces = parse_markdown(text[front.end() :])
    if not pieces:
        raise ValueError("has no text below its front matter")
    return ArticleSource(id, _title(data), _language(data), _url(data), _questions(data), pieces, _place(data))


def _front_matter(text: str) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"its front matter is no YAML{f', line {mark.line + 2}' if mark else ''}") from None
    if not isinstance(data, dict):
        raise ValueError("its front matter must be lines such as 'title: …'")  # noqa: TRY004 - as everything that is wrong with a file
    return data


def _title(data: Mapping[str, Any]) -> str:
    title = _line(data.get("title"))
    if title is None:
        raise ValueError("its front matter needs a title")
    if len(title) > LONGEST_TITLE:
        raise ValueError(f"its title is longer than {LONGEST_TITLE} characters")
    return title


def _language(data: Mapping[str, Any]) -> str:
    given = data.get("language", "en")
    given = "no" if given is False else given  # Norwegian, which YAML 1.1 reads as false
    found = _LANGUAGE.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("its language must be a code such as en or pt-BR")
    return found[1].lower()


def _url(data: Mapping[str, Any]) -> str | None:
    url = data.get("url")
    if url is None:
        return None
    wrong = ValueError("its url must begin with https:// or http://")
    if not isinstance(url, str) or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise wrong
    return url


def _questions(data: Mapping[str, Any]) -> tuple[str, ...]:
    given = data.get("questions", [])
    lines = [_line(item) for item in given] if isinstance(given, list) else [None]
    if None in lines or len(lines) > MOST_QUESTIONS:
        raise ValueError(f"its questions must be a list of up to {MOST_QUESTIONS} sentences")
    return tuple(line[:LONGEST_TITLE] for line in lines if line)


def _place(data: Mapping[str, Any]) -> int:
    place = data.get("place", LAST)
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place <= LAST:
        raise ValueError(f"its place must be a whole number up to {LAST}")
    return place


def _line(given: object) -> str | None:
    text = " ".join(str(given).split()) if isinstance(given, str | int | float) and not isinstance(given, bool) else ""
    return text if any(c.isalnum() for c in text) else None
