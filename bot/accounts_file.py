"""The accounts file, read whole or refused whole, with the line and what was expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from bot import yaml_file
from bot.errors import InputError
from bot.yaml_file import Document, KeyPath
from domain.accounts.account import Account, explain_error
from domain.accounts.subscription import Tier

MAX_ACCOUNTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """The accounts of a file. `warnings` are sentences about what is allowed but hardly intended."""

    accounts: tuple[Account, ...]
    warnings: tuple[str, ...]


class _Mistake(NamedTuple):
    """Missing keys sort last: one may be missing because it is misspelt further down."""

    missing: bool
    line: int
    sentence: str


def read_accounts(path: Path) -> AccountsFile:
    """Read the accounts of a file.

    Raises:
        InputError: "FILE:LINE: what was expected", for the first mistake; "(and N more)" where there are more.
    """
    document = yaml_file.load(path)
    rows = _rows(document)
    mistakes: list[_Mistake] = []
    accounts: list[tuple[int, Account]] = []
    for i, row in enumerate(rows):
        trail: KeyPath = ("accounts", i)
        if not isinstance(row, Mapping):
            mistakes.append(_mistake(document, trail, f"expected an account (id, name, …), not {_brief(row)}"))
            continue
        try:
            accounts.append((i, Account.model_validate(_located(row, path))))
        except ValidationError as error:
            mistakes += [
                _mistake(document, (*trail, *at), _with_key(at, sentence)) for at, sentence in explain_error(error)
            ]
    if not mistakes:
        mistakes = _conflicts(document, accounts)
    if mistakes:
        first = min(mistakes)
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise InputError(f"{path}:{first.line}: {first.sentence}{more}")
    return AccountsFile(
        tuple(account for _, account in accounts),
        tuple(
            f"{path}:{document.line(('accounts', i))}: {sentence}"
            for i, account in accounts
            for sentence in _doubtful(account)
        ),
    )


def format_account(account: Account) -> str:
    """The text of an accounts file with that account alone."""
    return yaml.safe_dump(
        {"accounts": [account.to_file()]}, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )


def _rows(document: Document) -> list[Any]:
    data = document.data
    if data is None:
        raise document.error_at((), "the file is empty; expected 'accounts:' and a list under it")
    if not isinstance(data, Mapping) or "accounts" not in data:
        raise document.error_at((), "expected 'accounts:' at the top, and a list under it")
    for key in data:
        if key != "accounts":
            raise InputError(
                f"{document.path}:{document.keys[(key,)]}: only 'accounts' is known at the top, not '{key}'"
            )
    rows = data["accounts"]
    if not isinstance(rows, list) or not rows:
        raise document.error_at(("accounts",), f"expected a list of accounts, each after a dash, not {_brief(rows)}")
    if len(rows) > MAX_ACCOUNTS:
        raise document.error_at(("accounts", MAX_ACCOUNTS), f"expected at most {MAX_ACCOUNTS} accounts in one file")
    return rows


def _located(row: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The account with an absolute path of its articles: the file gives it relative to itself."""
    articles = row.get("articles")
    if not isinstance(articles, str) or not articles or "\0" in articles:
        return dict(row)
    return {**row, "articles": str((path.parent / articles).absolute())}


def _mistake(document: Document, trail: KeyPath, sentence: str) -> _Mistake:
    """A mistake in the line of its key, if the file has the key, known or not."""
    return _Mistake(trail not in document.lines, document.keys.get(trail) or document.line(trail), sentence)


def _with_key(path: KeyPath, sentence: str) -> str:
    """The sentence with the key that it is about: a line can hold several."""
    key = next((part for part in reversed(path) if isinstance(part, str)), None)
    return sentence if key is None or key in sentence else f"{key}: {sentence}"


def _conflicts(document: Document, accounts: list[tuple[int, Account]]) -> list[_Mistake]:
    """Ids, workspaces and numbers that two accounts of the file claim."""
    owners: dict[tuple[str, ...], str] = {}
    mistakes: list[_Mistake] = []

    def claim(key: tuple[str, ...], id: str, trail: KeyPath, what: str) -> None:
        owner = owners.setdefault(key, id)
        if owner != id:
            mistakes.append(_mistake(document, trail, f"{what} is claimed by two accounts, {owner} and {id}"))

    ids: dict[str, int] = {}
    for i, account in accounts:
        trail: KeyPath = ("accounts", i)
        if account.id in ids:
            first = document.line(("accounts", ids[account.id], "id"))
            sentence = f'account "{account.id}" is here twice, first in line {first}'
            mistakes.append(_mistake(document, (*trail, "id"), sentence))
            continue
        ids[account.id] = i
        for n, workspace in enumerate(account.workspaces):
            claim(
                ("workspace", workspace.platform, workspace.id),
                account.id,
                (*trail, "workspaces", n),
                f"{workspace.platform} workspace {workspace.id}",
            )
        for n, e164 in enumerate(account.inventory):
            claim(("number", e164), account.id, (*trail, "inventory", n), f"number {e164}")
    return mistakes


def _doubtful(account: Account) -> list[str]:
    found = []
    if account.premium_support and account.tier is not Tier.ENTERPRISE:
        found.append(f"{account.id} has premium_support on {account.tier}; it is sold with enterprise")
    if (account.addons.numbers or account.addons.minutes) and account.tier.rank < Tier.PROFESSIONAL.rank:
        found.append(f"{account.id} has add-ons on {account.tier}; they are sold with professional and enterprise")
    for number, level in enumerate(account.escalation.levels, 1):
        if not level.people and level.channel is None:
            found.append(f"{account.id} has nobody at level {number} of its escalation: it is passed over")
    found += [
        f"{account.id} names {person.id} in premium_specialists, who is no specialist: they get no tickets"
        for person in account.people
        if person.id in account.premium_specialists and not person.specialist
    ]
    if account.calling and not account.super_admins:
        found.append(f"{account.id} names no super_admin: nobody can manage its numbers")
    return found


def _brief(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case Mapping():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case _:
            text = str(value)
            return f'"{text[:39]}…"' if len(text) > 40 else f'"{text}"'
