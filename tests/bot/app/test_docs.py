"""What the documents tell of is there, and what is there is told of. Keys of the store: `test_keys.py`."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import click
import pytest
from prometheus_client import generate_latest

from bot.cli import cli
from bot.metrics import Metrics
from bot.settings import VARIABLES
from domain.accounts.account import Account, Person
from handlers import blocklist
from handlers.numbers import HELP
from handlers.workflows import ROUTES
from tests import ROOT
from tests.handlers.test_wording import CONTROLS

PLANNED: Final = "*(planned"  # marks in docs/contract.md what is not built yet
_SUFFIXES: Final = {".py", ".lua", ".md", ".po", ".yaml", ".yml", ".toml"}


@cache
def read(name: str) -> str:
    return (ROOT / name).read_text()


@cache
def sources() -> dict[str, str]:
    """All code, tests and documents, by path. Left out are environments, caches, data and build results."""
    folders = [p for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "." and p.name not in {"data", "build"}]
    files = [p for folder in folders for p in folder.rglob("*") if p.suffix in _SUFFIXES]
    return {str(p.relative_to(ROOT)): p.read_text() for p in (*files, *ROOT.glob("*.md"), ROOT / "Makefile")}


def cited(pattern: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each match in any source: where it is, and its groups."""
    for name, text in sources().items():
        for match in re.finditer(pattern, text):
            yield f"{name}: {match[0]}", match.groups()


def section(page: str, title: str) -> str:
    """The text below a second-level heading, up to the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read(page), re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def items(text: str) -> list[str]:
    """The items of a list, a line each."""
    return [" ".join(item.split()) for item in re.findall(r"^- (.*?)(?=^- |^$|\Z)", text, re.MULTILINE | re.DOTALL)]


def anchors(path: Path) -> set[str]:
    """What headings of a page are linked by, as GitHub makes it of them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_page_and_section_that_is_cited_exists() -> None:
    for where, (name,) in cited(r"\b(docs/[\w/-]+\.md|[A-Z]{4,}\.md)\b"):
        assert (ROOT / name).is_file(), where
    for where, (page, numbers) in cited(r"\b([a-z]+)\.md(?:#[\w-]*)?\)? (\d+(?:(?:,| and| to) \d+)*)"):
        heads = re.findall(r"^#+ (\d+)\. ", text := read(f"docs/{page}.md"), re.MULTILINE)
        # Where headings have no numbers, those of the list's items are meant.
        assert set(re.findall(r"\d+", numbers)) <= set(heads or re.findall(r"^(\d+)\. ", text, re.MULTILINE)), where
    for where, (page, title) in cited(r'\bdocs/([a-z]+)\.md, "([^"]+)"'):
        assert re.search(rf"^#+ {re.escape(title)}$", read(f"docs/{page}.md"), re.MULTILINE), where


def test_every_decision_that_is_cited_exists() -> None:
    for where, (numbers,) in cited(r"\bADRs? (\d+(?:(?:,| and| to) \d+)*)"):
        for number in re.findall(r"\d+", numbers):
            assert list((ROOT / "docs" / "adr").glob(f"{int(number):04}-*.md")), where


def test_every_source_of_a_value_is_explained() -> None:
    table = "\n".join(re.findall(r"^\|.*$", read("docs/domain.md"), re.MULTILINE))
    for where, (tag,) in cited(r"\b([SPD] (?:00\d|20\d\d-\d\d(?:-\d\d)?))\b"):
        assert re.search(rf"\b{tag}\b(?!-)", table), where


def test_every_link_of_a_page_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), (page.name, link)
            assert not anchor or anchor in anchors(target), (page.name, link)


def test_every_file_that_a_page_names_exists() -> None:
    folders = "bot|handlers|store|domain|playground|tests|bench|docs"
    for page in sorted((ROOT / "docs").glob("*.md")):
        for name in re.findall(rf"`((?:{folders})/[\w/.-]+\.\w+)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


@pytest.mark.parametrize("folder", ["docs", "docs/adr"])
def test_every_page_is_in_its_index(folder: str) -> None:
    index = set(re.findall(r"\]\(([\w.-]+\.md)\)", read(f"{folder}/README.md")))
    assert index == {page.name for page in (ROOT / folder).glob("*.md")} - {"README.md"}


def test_every_setting_is_documented() -> None:
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", read("docs/settings.md")))
    assert set(VARIABLES) <= told
    assert told - set(VARIABLES) <= {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
    prose, _, planned = section("docs/contract.md", "Environment").partition("\n- ")
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", prose)) == set(VARIABLES)
    for item in items(f"- {planned}"):
        assert PLANNED in item
        assert not re.findall(r"^`(\w+)`: ", item) or item.split("`")[1] not in VARIABLES, item


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_and_option_is_documented() -> None:
    there = {
        words: {max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)}
        for words, command in commands(cli)
    }
    told: dict[str, set[str]] = {}
    rows = re.findall(r"^\| `switchboard (.+?)`(.*)\|$", section("docs/contract.md", "The command line"), re.MULTILINE)
    for call, what in rows:
        options = set(re.findall(r"(?<![\w-])--?[a-z-]+", call))
        words = next((known for known in there if f"{call} ".startswith(f"{known} ")), None)
        if PLANNED in what:
            assert words is None or options - there[words], call
        else:
            assert words is not None, call
            told[words] = options
    assert told == there
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for where, (target,) in cited(r"`make ([a-z-]+)"):
        assert target in targets, where


def test_every_slash_command_is_documented() -> None:
    told: set[tuple[str, str]] = set()
    for item in items(section("docs/contract.md", "Slash commands")):
        name = re.match(r"`/(\w+)", item)
        assert name is not None, item
        if PLANNED in item:
            # `/support inbox TEXT` is a new word to a known command.
            new = re.findall(r"`/(\w+) ([a-z]+)(?! [A-Z])", item)
            assert not {*new} & {*ROUTES.commands}, item
        else:
            told |= {(name[1], word) for word in re.findall(r"\b[a-z]+\b", item)}
    assert {(name, word) for name, word in ROUTES.commands if word} <= told


def test_the_words_on_controls_are_documented() -> None:
    found = items(section("docs/contract.md", "Words on the controls"))
    built = " ".join(item for item in found if PLANNED not in item)
    # A message shortcut may be called as a button is.
    planned = [re.split(r" · |: |\. ", item) for item in found if PLANNED in item and "shortcut" not in item]
    assert [word for word in CONTROLS.values() if not re.search(rf"(?<!\w){word}(?!\w)", built)] == []
    assert {word for words in planned for word in words} & {*CONTROLS.values()} == set()


def test_every_metric_is_documented() -> None:
    metrics = Metrics("0")
    ours = {
        re.sub(r"_(total|created|bucket|count|sum)$", "", name)
        for name in re.findall(r"^# TYPE (switchboard_\w+)", generate_latest(metrics.registry).decode(), re.MULTILINE)
    }
    assert set(re.findall(r"`(switchboard_\w+)`", read("docs/operating.md"))) == ours


def test_every_key_of_the_accounts_file_is_documented() -> None:
    told = set(re.findall(r"`(\w+)`", read("docs/accounts.md")))
    for model in (Account, Person):
        assert {field.alias or name for name, field in model.model_fields.items()} <= told


def test_the_readme_names_every_command_and_every_folder() -> None:
    readme = read("README.md")
    for verb in HELP:
        assert re.search(rf"/numbers {verb}\b|`{verb} NUMBER`|`{verb}`", readme), verb
    for verb in blocklist.HELP:
        assert re.search(rf"/blocklist {verb}\b|`{verb} NUMBER`|`{verb}`", readme), verb
    for name in re.findall(r"^([a-z]+)/ ", readme, re.MULTILINE):
        assert (ROOT / name).is_dir(), name
