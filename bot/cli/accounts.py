"""`switchboard accounts apply` and `show`."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from bot import accounts_file
from bot.cli.common import get_account
from bot.errors import InputError
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from store.engine.accounts import AccountConflict, AccountSnapshot


def apply(settings: Settings, file: str) -> None:
    """Apply the file and print a line for each change. Raises InputError if it is refused; then nothing changes."""
    read = accounts_file.read_accounts(Path(file))

    async def run() -> tuple[list[tuple[str, list[str]]], list[str]]:
        async with open_repositories(settings) as kept:
            warnings = [line for account in read.accounts for line in await _left_behind(kept, account.id, read)]
            try:
                report = await kept.accounts.apply(read.accounts, clock(settings)())
            except AccountConflict as error:
                raise InputError(f"{file}: {error}") from None
            for account in read.accounts:
                await _adopt(kept, account.id, clock(settings)())
                if account.retention_days is not None:
                    await kept.tickets.schedule_retention(await get_account(kept, account.id), clock(settings)())
            return report, warnings

    report, warnings = asyncio.run(run())
    for sentence in (*read.warnings, *warnings):
        click.echo(f"switchboard: warning: {sentence}", err=True)
    for id, changes in report:
        for line in changes:
            click.echo(f"{id}: {line}")
    unchanged = sum(not changes for _, changes in report)
    if unchanged == len(report):
        click.echo(f"nothing changed ({_count(unchanged)})")
    elif unchanged:
        click.echo(f"{_count(unchanged)} unchanged")


async def _adopt(kept: Repositories, id: str, now: datetime) -> None:
    """Give people the numbers that they had before the account listed them.

    Done for every account each time, so that the next run completes an interrupted one.
    """
    snapshot = await get_account(kept, id)
    for person in snapshot.account.people:
        if len(person.ids) > 1:
            await kept.numbers.adopt(snapshot, person, now)


def show(settings: Settings, id: str) -> None:
    """Print the account in the form of the accounts file. Raises InputError if there is none."""

    async def run() -> AccountSnapshot:
        async with open_repositories(settings) as kept:
            return await get_account(kept, id)

    click.echo(accounts_file.format_account(asyncio.run(run()).account), nl=False)


async def _left_behind(kept: Repositories, id: str, read: accounts_file.AccountsFile) -> list[str]:
    """A warning for each person whom the file no longer names though they still have numbers."""
    snapshot = await kept.accounts.get(id)
    if snapshot is None:
        return []
    named = {person.id for account in read.accounts if account.id == id for person in account.people}
    removed = {person.id: person.name for person in snapshot.account.people if person.id not in named}
    if not removed:
        return []
    owned: dict[str, int] = {}
    for number in await kept.numbers.all(snapshot):
        if number.person in removed:
            owned[number.person] = owned.get(number.person, 0) + 1
    return [
        f"{removed[person]} is no longer in {id} but still has {'a number' if count == 1 else f'{count} numbers'}"
        for person, count in owned.items()
    ]


def _count(accounts: int) -> str:
    return "1 account" if accounts == 1 else f"{accounts} accounts"
