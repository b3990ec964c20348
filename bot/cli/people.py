"""`switchboard people erase`."""

import asyncio
import sys
from typing import Final

import click

from bot.cli.common import ambiguous_person, format_count, get_account, unknown_person
from bot.errors import OperationError
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.commit import GuardFailed
from store.privacy.erasure import ErasureJob

PAUSE: Final = 1.0  # seconds until what is being sent is looked at again
LOST: Final = 100  # steps in a row that somebody else was first with


def erase(settings: Settings, account: str, person: str) -> None:
    """Erase a person from an account's records; an interrupted erasure goes on.

    Raises InputError for an unknown account or person, OperationError if the account keeps changing.
    """

    async def run() -> tuple[AccountSnapshot, ErasureJob]:
        async with open_repositories(settings) as kept:
            snapshot = await get_account(kept, account)
            ids, words = await _who(kept, snapshot, person)
            started = await kept.erasing.under_way(snapshot)
            if started is not None and not set(started.value.ids) & set(ids):
                await _complete(kept, account, settings)  # another's, which was interrupted
            return snapshot, await _complete(kept, account, settings, ids, words)

    snapshot, job = asyncio.run(run())
    click.echo(
        f"{account}: {format_count(job.tickets, 'ticket')} and {format_count(job.messages, 'message')} emptied, "
        f"{format_count(job.effects, 'message')} on the way taken back; counts and states stay"
    )
    if any(snapshot.account.person(id) for id in job.ids if ":" not in id):
        click.echo(
            f"switchboard: the accounts file still names {job.ids[0]}: take them out of it and apply it again", err=True
        )


async def _who(kept: Repositories, snapshot: AccountSnapshot, person: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids under which records know a person, and the words that name them.

    Somebody whom the account no longer lists is known by the id that they had.
    """
    account = snapshot.account
    who = account.person(person) or account.by_email(person)
    if who is None:
        started = await kept.erasing.under_way(snapshot)
        if (started is not None and person in started.value.ids) or await kept.erasing.known(snapshot, person):
            return (person,), ()
        # The whole name must match: elsewhere, its beginning is enough.
        called = [p for p in account.people if p.name.casefold() == person.casefold()]
        if len(called) > 1:
            raise ambiguous_person(person, (p.id for p in called))
        if not called:
            raise unknown_person(account, person)
        who = called[0]
    learnt = await kept.contacts.names(snapshot, list(who.ids))
    name = (who.name,) if who.listed else ()
    words = (*name, who.email or "", *who.handles.values(), *learnt.values())
    return who.ids, tuple(word for word in words if word)


async def _complete(
    kept: Repositories, account: str, settings: Settings, ids: tuple[str, ...] = (), words: tuple[str, ...] = ()
) -> ErasureJob:
    """Run the erasure that is under way, else a new one, to its end; return it."""
    lost, now = 0, clock(settings)
    done: ErasureJob | None = None
    while True:
        snapshot = await get_account(kept, account)
        try:
            current = await kept.erasing.under_way(snapshot)
            if current is None:
                if done is not None or not ids:
                    return done or ErasureJob(alias="", ids=ids, began=now())
                current = await kept.erasing.begin(snapshot, ids, words, now())
            done = current.value
            after, waits = await kept.erasing.step(snapshot, current, now())
            if after is None:
                return done
        except (AccountChanged, GuardFailed):
            kept.accounts.forget(account)
            lost += 1
            if lost > LOST:
                raise OperationError(f"{account} is being changed all the time: start it again, it goes on") from None
            continue
        lost = 0
        if waits:
            click.echo("waiting for a message that is being sent", err=True) if sys.stderr.isatty() else None
            await asyncio.sleep(PAUSE)
