"""Platforms are named in one table; domain, handlers and store work with whatever is in it (docs/adr/0019)."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.accounts.account import Account, Person, explain_error
from domain.accounts.platforms import PLATFORMS
from tests.domain.samples import account, person

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "domain" / "accounts" / "platforms.py"
ROOMS = ("domain", "handlers", "store")


def named(source: str) -> list[str]:
    """What code names a platform with, line by line: identifiers, imports and literals; docstrings and comments may."""
    tree = ast.parse(source)
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node, clean=False) is not None
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        f"{getattr(node, 'lineno', 0)}: {word}"
        for node in ast.walk(tree)
        if id(node) not in described
        for _, value in ast.iter_fields(node)
        for word in (value if isinstance(value, list) else (value,))
        if isinstance(word, str) and any(name in word.casefold() for name in PLATFORMS)
    ]


def test_no_code_outside_the_table_names_a_platform() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path != TABLE]
    assert len(files) > 100
    found = {str(path.relative_to(ROOT)): hits for path in files if (hits := named(path.read_text("utf-8")))}
    assert found == {}


def test_no_script_of_the_store_names_a_platform() -> None:
    scripts = list((ROOT / "store").rglob("*.lua"))
    assert scripts
    name = re.compile("|".join(PLATFORMS), re.IGNORECASE)
    assert [path.name for path in scripts if name.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "line",
    [
        'if platform == "slack": pass',
        "user = person.teams",
        "Person(slack=user)",
        'Platform = Literal["slack", "teams"]',
        "class Platform:\n    SLACK = 1",
        "from bot.teams import cards",
        'kind = f"slack.{what}"',
        "def on_teams(slack_user): ...",
    ],
)
def test_the_look_through_the_sources_sees(line: str) -> None:
    assert named(line)


def test_the_look_through_the_sources_lets_words_about_the_code_be() -> None:
    assert named('"""As in Slack."""\n\n\ndef f():\n    """Teams says so."""\n    return 1  # slack\n') == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_platform_of_the_table_has_its_folder(name: str) -> None:
    assert importlib.import_module(f"bot.{name}.platform").ENTRY.label


# What is written stays as it was before there was a table.


def test_a_stored_record_says_a_persons_ids_where_it_always_did() -> None:
    ada = person("ada", "core", slack="UADA", teams="29:ada")
    assert ada.model_dump_json() == (
        '{"id":"ada","name":"Ada","email":null,"slack":"UADA","teams":"29:ada","seat":"core","super_admin":false,'
        '"specialist":false,"language":null,"timezone":null}'
    )
    assert Person.model_validate_json(ada.model_dump_json()) == ada
    assert (ada.handles, ada.ids) == ({"slack": "UADA", "teams": "29:ada"}, ("ada", "slack:UADA", "teams:29:ada"))


def wrong(**changes: object) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        Account.model_validate({**account().to_file(), **changes})
    return explain_error(caught.value)


@pytest.mark.parametrize(
    ("person", "place", "sentence"),
    [
        ({"slack": 7}, ("people", 0, "slack"), 'expected text, not 7; put it in "quotes"'),
        ({"slakc": "U1"}, ("people", 0, "slakc"), "unknown key; did you mean 'slack'?"),
        (
            {"handles": {"slack": "U1"}},
            ("people", 0, "handles"),
            "unknown key; known here: id, name, email, slack, teams, seat, super_admin, specialist, language, timezone",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(
    person: dict[str, object], place: tuple[int | str, ...], sentence: str
) -> None:
    assert wrong(people=[{"id": "ada", "name": "Ada", **person}]) == [(place, sentence)]


def test_a_platform_that_is_not_in_the_table_is_refused_by_name() -> None:
    assert wrong(workspaces=[{"platform": "irc", "id": "T1"}]) == [
        (("workspaces", 0, "platform"), "expected one of slack, teams, not 'irc'")
    ]
    assert wrong(people=[{"id": i, "name": i, "teams": "29:x"} for i in ("a", "b")]) == [
        (("people", 1, "teams"), "the Teams user 29:x is there twice")
    ]
