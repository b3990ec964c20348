"""How the parts are put together: the store that the settings name, and what stands on it."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import InputError, OperationError
from bot.settings import Settings
from handlers.support.retention import erasure_redraw
from store.blocklist.blocklist import Blocklist
from store.blocklist.uploads import Uploads
from store.engine.accounts import Accounts
from store.engine.commit import Cell
from store.engine.contacts import Contacts
from store.engine.posts import Posts
from store.numbers.orders import Orders
from store.numbers.records import Numbers
from store.privacy.account_export import AccountExport
from store.privacy.erasure import Erasure
from store.server.connection import Store, StoreUnavailable
from store.server.embedded import EmbeddedError, EmbeddedServer, ServerNotInstalled
from store.support.promise_records import PromiseRecords
from store.support.questions import Questions
from store.support.tickets import Tickets

LEASE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Repositories:
    """The records on a store."""

    store: Store
    accounts: Accounts
    contacts: Contacts
    numbers: Numbers
    orders: Orders
    blocklist: Blocklist
    uploads: Uploads
    asking: Questions
    tickets: Tickets
    outcomes: PromiseRecords
    posts: Posts
    erasing: Erasure
    exporting: AccountExport


def build_repositories(store: Store, cell: Cell, accounts: Accounts, now: Callable[[], datetime]) -> Repositories:
    """The records of a cell's reads and commits."""
    posts, tickets = Posts(cell), Tickets(cell)
    numbers, blocklist = Numbers(cell, accounts), Blocklist(cell)
    orders, uploads = Orders(cell, numbers), Uploads(cell, blocklist)
    erasing = Erasure(cell, numbers, posts, erasure_redraw(now))
    return Repositories(
        store=store,
        accounts=accounts,
        contacts=Contacts(cell),
        numbers=numbers,
        orders=orders,
        blocklist=blocklist,
        uploads=uploads,
        asking=Questions(cell),
        tickets=tickets,
        outcomes=PromiseRecords(cell),
        posts=posts,
        erasing=erasing,
        exporting=AccountExport(cell, numbers, orders, blocklist, tickets),
    )


def clock(settings: Settings) -> Callable[[], datetime]:
    """The time of this process: aware, in UTC, moved by the offset of the settings."""
    offset = timedelta(seconds=settings.clock_offset)

    def now() -> datetime:
        return datetime.now(UTC) + offset

    return now


def owner() -> str:
    """A name for this process among those that share the store."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The store. `alone`: when (since 1970) nobody else was using it, so that who held a lease then is dead."""

    store: Store
    alone: float | None


@asynccontextmanager
async def open_store(
    settings: Settings, observe: Callable[[str, float], None] | None = None
) -> AsyncIterator[OpenStore]:
    """The store, open; the embedded server with it where there is no REDIS_URL.

    Raises:
        InputError: REDIS_URL can't be used, or is missing where no embedded server is installed.
        OperationError: the store can't be had now.
    """
    embedded: EmbeddedServer | None = None
    try:
        if settings.redis_url is None:
            embedded = await EmbeddedServer.start(settings.data_dir)
        url = settings.redis_url if embedded is None else embedded.url
        assert url is not None  # noqa: S101 # one of the two by the lines above
        try:
            store = await Store.open(url, observe=observe)
        except BaseException:
            if embedded is not None:
                await embedded.stop()
            raise
    except (ValueError, ServerNotInstalled) as error:
        raise InputError(str(error).rstrip(".")) from None
    except (EmbeddedError, StoreUnavailable) as error:
        raise OperationError(str(error).rstrip(".")) from None
    try:
        yield OpenStore(store, embedded.alone if embedded is not None else None)
    finally:
        await store.aclose()
        if embedded is not None:
            await embedded.stop()


@asynccontextmanager
async def open_repositories(settings: Settings) -> AsyncIterator[Repositories]:
    """The records for a command that changes something and ends: what it has to say is delivered by the next process
    that serves. Raises as `open_store`; a store that stops answering on the way is `OperationError` too."""
    try:
        async with open_store(settings) as found:
            store = found.store
            accounts = Accounts(store)
            # Nothing is sent from here: a lease that is over at once leaves it to a process that serves.
            cell = Cell(store, owner(), 1, lambda _tag, _conversation: None)
            yield build_repositories(store, cell, accounts, clock(settings))
    except StoreUnavailable as error:
        raise OperationError(str(error).rstrip(".")) from None
