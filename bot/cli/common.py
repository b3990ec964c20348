"""What several commands share: how they find an account or a person, read a day, write a file and report an import."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import orjson

from bot.errors import InputError, OperationError
from bot.wiring import Repositories
from domain.accounts.account import Account, Person
from domain.people import find_person
from domain.refusal import Refusal
from store.engine.accounts import AccountChanged, AccountSnapshot

SHOWN: Final = 100  # refused lines that are printed


async def get_account(kept: Repositories, id: str) -> AccountSnapshot:
    """The account `id`. Raises InputError, which names the most similar id, if there is none."""
    snapshot = await kept.accounts.get(id)
    if snapshot is None:
        ids = await kept.accounts.ids()
        hint = _suggestion(id, ids) if ids else "; there are none yet, see accounts apply"
        raise InputError(f'there is no account "{id[:60]}"{hint}')
    return snapshot


async def get_calling_account(kept: Repositories, id: str) -> AccountSnapshot:
    """The account `id`. Raises InputError if there is none, or if its tier has no calling."""
    snapshot = await get_account(kept, id)
    if not snapshot.account.calling:
        raise InputError(f"{snapshot.account.id} is on {snapshot.account.tier}, which has no calling")
    return snapshot


def resolve_person(account: Account, who: str) -> Person:
    """The person of the account with that id, email or name, or `slack:U…` for a user whom the account does not list.

    Raises InputError for nobody or several.
    """
    found = account.person(who) or account.by_email(who)
    if found is not None:
        return found
    try:
        return find_person(account, who)
    except Refusal as refusal:
        if refusal.code == "person_ambiguous":
            names = refusal.params["names"]
            raise ambiguous_person(who, names if isinstance(names, tuple) else (names,)) from None
        raise unknown_person(account, who) from None


def ambiguous_person(who: str, candidates: Iterable[object]) -> InputError:
    return InputError(f'"{who[:60]}" could be {" and ".join(map(str, candidates))}: give the id')


def unknown_person(account: Account, who: str) -> InputError:
    hint = _suggestion(who.lower(), [person.id for person in account.people])
    return InputError(f'{account.id} has no person "{who[:60]}"{hint}')


def _suggestion(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def parse_day(option: str, text: str | None) -> date | None:
    """The day that an option gives as 2026-11-02, None where it is left out. Raises InputError."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f'{option} must be a day such as 2026-11-02, not "{text[:40]}"') from None


def format_count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def echo_json(data: object) -> None:
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2))


@contextmanager
def account_must_stay(account: str, again: str) -> Iterator[None]:
    """Raise OperationError, which says what to do `again`, if the account changes inside."""
    try:
        yield
    except AccountChanged:
        raise OperationError(f"{account} was changed by somebody else meanwhile: {again}") from None


async def export_to(file: str, account: str, write: Callable[[BinaryIO], Awaitable[int]], noun: str = "") -> None:
    """Call `write`, which returns a count of what it wrote, with the file, or with standard output for "-".

    Readers of the file find either all of it or what was there before. Raises InputError if it can't be written.
    """
    if file == "-":
        await write(sys.stdout.buffer)
        return
    path = Path(file)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as out:
            count = await write(out)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{account}: {count:,} {noun}exported to {path}", err=True)


def import_progress(length: int) -> AbstractContextManager[Any]:
    """A progress bar on standard error; hidden where that is no terminal."""
    return click.progressbar(length=length, label="Importing", file=sys.stderr, hidden=not sys.stderr.isatty())


def echo_refused(lines: Sequence[str], total: int) -> None:
    """Print the first `SHOWN` refused lines and how many of the `total` are not shown."""
    for line in lines[:SHOWN]:
        click.echo(line)
    if total > SHOWN:
        click.echo(f"… and {total - SHOWN:,} more lines refused")


def echo_imported(account: str, imported: int, rest: str, *, dry_run: bool) -> None:
    """Print the summary of an import; `rest` says what became of the other lines."""
    done = "would be imported" if dry_run else "imported"
    click.echo(f"{account}: {imported:,} {done}, {rest}" + (" (nothing changed: a dry run)" if dry_run else ""))
