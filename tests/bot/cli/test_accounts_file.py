"""The accounts file: what it may say, and the one line that says what is wrong with it."""

from pathlib import Path
from textwrap import dedent

import pytest

from bot import accounts_file
from bot.errors import InputError

GOOD = """\
accounts:
  - id: acme
    name: Acme
    created_on: 2024-03-05
    country: NO
    timezone: Europe/Oslo
    subscription: {line: sales, tier: professional}
    workspaces: [{platform: slack, id: T1}]
    people:
      - {id: ada, name: Ada, slack: U1, seat: sales, super_admin: true, language: no}
    inventory: [+4721000000, "+4721000001"]
    articles: ./articles
"""
SECOND = """\
  - id: beta
    name: Beta
    created_on: 2024-03-05
    country: DE
    timezone: Europe/Berlin
    subscription: {line: sales, tier: free}
"""


def write(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "accounts.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refused(tmp_path: Path, text: str | bytes) -> str:
    file = write(tmp_path, text)
    with pytest.raises(InputError) as wrong:
        accounts_file.read_accounts(file)
    sentence = str(wrong.value)
    assert sentence.startswith(str(file))
    assert "\n" not in sentence
    return sentence.removeprefix(str(file))


def test_what_yaml_would_twist_is_taken_as_written(tmp_path: Path) -> None:
    read = accounts_file.read_accounts(write(tmp_path, GOOD))
    (account,) = read.accounts
    assert account.country == "NO"
    assert account.people[0].language == "no"
    assert account.inventory == ("+4721000000", "+4721000001")
    assert account.articles == str(tmp_path / "articles"), "relative to the file"
    assert read.warnings == ()


def test_what_is_shown_can_be_applied_again(tmp_path: Path) -> None:
    (account,) = accounts_file.read_accounts(write(tmp_path, GOOD)).accounts
    again = accounts_file.read_accounts(write(tmp_path, accounts_file.format_account(account)))
    assert again.accounts == (account,)


def change(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


WRONG: dict[str, tuple[str | bytes, int, str]] = {
    "empty": ("", 1, "the file is empty"),
    "only a comment": ("# nothing\n", 1, "the file is empty"),
    "another top": ("- id: acme\n", 1, "accounts:"),
    "a key beside it": (GOOD + "people: []\n", 13, "'people'"),
    "no list": ("accounts: acme\n", 1, "a list"),
    "no account": ("accounts:\n  - acme\n", 2, "expected an account"),
    "a wrong type": (change("name: Acme", "name: [Acme]"), 3, "name"),
    "a wrong type deep inside": (change("super_admin: true", "super_admin: maybe"), 10, "maybe"),
    "an unknown key": (change("    country: NO", "    county: NO"), 5, "country"),
    "a missing key": (change("    timezone: Europe/Oslo\n", ""), 2, "timezone"),
    "no such tier": (change("tier: professional", "tier: profesional"), 7, "professional"),
    "no such zone": (change("Europe/Oslo", "Europe/Olso"), 6, "Europe/Oslo"),
    "no such day": (change("2024-03-05", "2024-02-30"), 4, "2024-02-30"),
    "a number that is none": (change("+4721000000", "+47210"), 11, "phone number"),
    "a number twice": (change('"+4721000001"', "+4721000000"), 11, "twice"),
    "a person twice": (change("people:\n", "people:\n      - {id: ada, name: Ida}\n"), 11, "ada"),
    "a key twice": (change("    name: Acme\n", "    name: Acme\n    name: Acme\n"), 4, "first in line 3"),
    "an account twice": (GOOD + SECOND.replace("beta", "acme"), 13, "first in line 2"),
    "a workspace of two accounts": (
        GOOD + SECOND + "    workspaces: [{platform: slack, id: T1}]\n",
        19,
        "claimed by two accounts, acme and beta",
    ),
    "a number of two accounts": (
        GOOD + SECOND + "    inventory:\n      - '+4721000009'\n      - '+4721000001'\n",
        21,
        "claimed by two accounts, acme and beta",
    ),
    "a tab": ("accounts:\n\t- id: acme\n", 2, "spaces"),
    "an open quote": (change("name: Acme", 'name: "Acme'), 11, "YAML"),
    "a tag": (change("name: Acme", "name: !!python/object:os.system x"), 3, "tags"),
    "two documents": (GOOD + "---\naccounts: []\n", 14, "one document"),
    "an alias of nothing": (change("name: Acme", "name: *nobody"), 3, "nobody"),
    "too deep": ("accounts: " + "[" * 200 + "]" * 200, 1, "nested"),
    "not text": (b"accounts:\n  - name: \xff\xfe\n", 2, "UTF-8"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_the_line_and_what_was_expected(tmp_path: Path, name: str) -> None:
    text, line, expected = WRONG[name]
    sentence = refused(tmp_path, text)
    assert sentence.startswith(f":{line}: "), sentence
    assert expected in sentence


def test_of_several_mistakes_the_first_is_shown_and_the_others_are_counted(tmp_path: Path) -> None:
    text = change("country: NO", "country: Norway").replace("tier: professional", "tier: gold")
    assert refused(tmp_path, text).startswith(":5: ")
    assert refused(tmp_path, text).endswith("(and 1 more)")


def test_aliases_cannot_blow_a_small_file_up(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases" in refused(tmp_path, "\n".join(lines) + "\naccounts: []\n")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    assert "larger than 5 MB" in refused(tmp_path, b"#" * 5_000_001)


def test_files_that_are_none(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(InputError, match="can't be read"):
            accounts_file.read_accounts(path)


def test_what_is_allowed_but_surely_not_meant_is_warned_of(tmp_path: Path) -> None:
    text = (
        dedent(GOOD)
        .replace(
            "inventory:",
            "premium_support: true\n    premium_specialists: [ada]\n    escalation: {levels: [{}]}\n    inventory:",
        )
        .replace("super_admin: true, ", "")
    )
    warnings = accounts_file.read_accounts(write(tmp_path, text)).warnings
    assert [w.partition(": ")[2] for w in warnings] == [
        "acme has premium_support on professional; it is sold with enterprise",
        "acme has nobody at level 1 of its escalation: it is passed over",
        "acme names ada in premium_specialists, who is no specialist: they get no tickets",
        "acme names no super_admin: nobody can manage its numbers",
    ]
