"""The store that the settings name, and the repositories on it."""

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
from store.engine.outbox import new_owner
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


@dataclass(frozen=True, slots=True)
class Repositories:
    """The repositories of a store."""

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
    """The repositories that read and commit through a cell."""
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
    """The clock of this process: UTC, moved by the settings' offset."""
    offset = timedelta(seconds=settings.clock_offset)

    def now() -> datetime:
        return datetime.now(UTC) + offset

    return now


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The store. `alone`: when (seconds since 1970) nobody else used it, so that leases from before are stale."""

    store: Store
    alone: float | None


@asynccontextmanager
async def open_store(
    settings: Settings, observe: Callable[[str, float], None] | None = None
) -> AsyncIterator[OpenStore]:
    """Open the store, and the embedded server with it if there is no REDIS_URL.

    Raises:
        InputError: REDIS_URL can't be used, or is missing where no embedded server is installed.
        OperationError: the store can't be reached now.
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
    """Open the repositories for a command; its effects are delivered by a process that serves.

    Raises as `open_store`, and OperationError if the store stops answering inside.
    """
    try:
        async with open_store(settings) as found:
            store = found.store
            accounts = Accounts(store)
            # A lease of 1 ms, so that a process that serves sends the effects.
            cell = Cell(store, new_owner(), 1, lambda _tag, _conversation: None)
            yield build_repositories(store, cell, accounts, clock(settings))
    except StoreUnavailable as error:
        raise OperationError(str(error).rstrip(".")) from None
