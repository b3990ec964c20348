"""Everything that the settings ask for, wired together, started and stopped in order.

Start: store, platforms, loops, HTTP. Stop: deadlines, HTTP (no new requests, those in flight end), the outbox (sends in
flight end, leases are released), loops, platforms, store.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.articles.cache import ArticleCache
from bot.carriers.inventory import Phone
from bot.carriers.setup import set_up_carriers, set_up_voice, voice_routes
from bot.loops import Loops, Ticker, measure
from bot.metrics import Metrics, ack_times, count_deliveries, store_times, time_handler
from bot.platforms import Platforms
from bot.reader_process import FileReaderProcess
from bot.settings import Settings
from bot.telemetry import logger
from bot.version import VERSION
from bot.web import Server, application, bind, limit_body
from bot.wiring import Repositories, build_repositories, clock, open_store
from handlers.framework.effects import MAIL
from handlers.framework.ports import Services
from handlers.framework.router import Router
from handlers.support.mail_status import MailStatusRecorder
from handlers.workflows import ROUTES, deadline_jobs
from store.calls.records import Calls
from store.engine.accounts import Accounts
from store.engine.blobs import Blobs
from store.engine.commit import Cell, Changes
from store.engine.deadlines import Deadlines
from store.engine.effects import OnEnded, RetryPolicy, Sender
from store.engine.outbox import Outbox, new_owner
from store.numbers.registered import RegisteredNumbers
from store.server.connection import Store, StoreUnavailable

_LOG = logger(__name__)
REQUEST_GRACE: Final = 4.0  # seconds that requests in flight get at the end; each is answered within 3
DRAIN_GRACE: Final = 6.0  # seconds that sends in flight get
# A mail server may be away for hours, and its mail is still wanted then.
MAILED: Final = RetryPolicy(ceiling=1800.0, tries=100, age=86_400.0)
HASTY: Final = 0.5  # seconds that either gets once `hasten` is set


@dataclass(frozen=True, slots=True)
class Overrides:
    """What `switchboard demo` puts in place of the real: phone, mailbox, clock, first records, pages on the server."""

    phone: Phone | None = None
    mail: Sender | None = None
    now: Callable[[], datetime] | None = None  # the bot's clock, instead of the settings'
    prepare: Callable[[Repositories], Awaitable[None]] | None = None  # called before anything is served
    installer: tuple[str, str, str] | None = None  # platform, workspace and user to welcome
    routes: tuple[web.RouteDef, ...] = ()
    hosts_peer: bool = False  # those pages are the platform that the bot sends to
    close: Callable[[], Awaitable[None]] | None = None  # called when nothing is served any more
    grace: float = REQUEST_GRACE  # seconds


@dataclass(frozen=True, slots=True)
class App:
    """The bot as it runs."""

    settings: Settings
    kept: Repositories
    outbox: Outbox
    metrics: Metrics
    url: str


@asynccontextmanager
async def running(
    settings: Settings, extras: Overrides | None = None, hasten: asyncio.Event | None = None
) -> AsyncIterator[App]:
    """Start the bot; stop it in order at the end, without waiting for anybody once `hasten` is set.

    Raises:
        InputError: a setting can't be used, or the port is taken.
        OperationError: the store can't be reached.
    """
    extras, hasten = extras or Overrides(), hasten or asyncio.Event()
    metrics, now, stopping = Metrics(VERSION), extras.now or clock(settings), asyncio.Event()
    async with AsyncExitStack() as stack:
        bound = bind(settings.host, settings.port)
        stack.callback(bound.close)
        found = await stack.enter_async_context(open_store(settings, store_times(metrics)))
        store = found.store
        chats = Platforms(settings, store, ack_times(metrics))
        stack.push_async_callback(chats.close)
        accounts, deadlines = Accounts(store), Deadlines(store, now)

        async def numbers_of(account: str) -> Sequence[str]:
            numbers = await accounts.run_on_current(account, records.numbers.all)
            return [number.e164 for number in numbers or ()]

        carrier = set_up_carriers(settings, extras.phone, now, numbers_of)
        if carrier.close:
            stack.push_async_callback(carrier.close)
        mail = extras.mail or _mailer(settings, now)
        senders = {**chats.senders, "code": carrier.send_code, **({"mail": mail} if mail else {})}
        ended: dict[str, OnEnded] = {}
        outbox = Outbox(
            store,
            count_deliveries(senders, metrics),
            owner=new_owner(),
            policies={MAIL: MAILED},
            ended=ended,
            on_due={"due|": deadlines.sweep_cell},
            clock=deadlines.clock,
            pressed=deadlines.behind,
        )
        if found.alone is not None:
            await outbox.take_over(found.alone)
        cell = Cell(store, outbox.owner, int(outbox.lease * 1000), outbox.deliver_soon, deadlines.sweep_cell)
        records = build_repositories(store, cell, accounts, now)
        shelves = ArticleCache()
        stack.push_async_callback(shelves.aclose)
        services = Services(
            accounts=accounts,
            changes=Changes(cell),
            contacts=records.contacts,
            numbers=records.numbers,
            registered=RegisteredNumbers(cell),
            orders=records.orders,
            calls=Calls(cell, records.blocklist),
            asking=records.asking,
            carrier=carrier.carrier,
            seller=carrier.seller,
            directory=chats,
            files=chats,
            blobs=Blobs(store),
            posts=records.posts,
            tickets=records.tickets,
            outcomes=records.outcomes,
            blocklist=records.blocklist,
            uploads=records.uploads,
            blocklist_reader=FileReaderProcess(),
            now=now,
            mail=mail is not None,
            platforms=chats.names,
            links=settings.links,
            articles=shelves,
        )
        ended[MAIL] = MailStatusRecorder(services).record
        for job in deadline_jobs(services, deadlines, records.erasing):
            job.register()
        router = Router(services, ROUTES)
        chats.set_handler(time_handler(router.handle, metrics), router.welcome, router.handle_lost_post)
        if extras.prepare:
            await extras.prepare(records)

        ticker, loops = Ticker(metrics), Loops(metrics)
        stack.push_async_callback(loops.stop)
        loops.start("clock", ticker.run)
        loops.start("outbox", outbox.run)
        loops.start("articles", shelves.run)
        loops.start("measure", lambda: measure(outbox.stats, metrics))
        if not extras.hosts_peer:
            stack.push_async_callback(_step, lambda: outbox.drain(DRAIN_GRACE), hasten)

        voice = set_up_voice(settings, services, metrics)
        if voice is not None:
            stack.push_async_callback(voice.close)
        site = application(metrics, lambda: _readiness_problems(store, ticker, loops, stopping))
        site.add_routes([*map(limit_body, (*chats.routes, *voice_routes(settings, voice))), *extras.routes])
        stack.push_async_callback(_step, lambda: chats.drain(REQUEST_GRACE), hasten)
        await chats.start()
        if extras.close:
            stack.push_async_callback(extras.close)
        server = Server(site, bound, extras.grace)
        stack.push_async_callback(_step, server.stop, hasten)
        await server.start()
        if extras.hosts_peer:  # what is being sent goes to ourselves: it must end before the server does
            stack.push_async_callback(_step, lambda: outbox.drain(DRAIN_GRACE), hasten)
        stack.push_async_callback(_step, lambda: deadlines.drain(REQUEST_GRACE), hasten)
        if extras.installer:
            await chats.greet(*extras.installer)
        stack.callback(stopping.set)
        yield App(settings, records, outbox, metrics, server.url)


async def _readiness_problems(store: Store, ticker: Ticker, loops: Loops, stopping: asyncio.Event) -> dict[str, str]:
    """What keeps the process from serving, by part, each with a sentence; empty if it is ready."""
    unwell = dict.fromkeys(loops.failing(), "failed and starts again")
    if stopping.is_set():
        unwell["process"] = "is stopping"
    if not ticker.alive:
        unwell["clock"] = "does not tick"
    try:
        await store.ping()
    except StoreUnavailable as error:
        unwell["store"] = str(error)
    return unwell


async def _step(step: Callable[[], Coroutine[Any, Any, None]], hasten: asyncio.Event) -> None:
    """Run a step of stopping; cut it short `HASTY` seconds after `hasten` is set. Log its errors: the next must run."""
    task, hurried = asyncio.create_task(step()), asyncio.create_task(hasten.wait())
    await asyncio.wait({task, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not task.done():
        await asyncio.wait({task}, timeout=HASTY)
        task.cancel()
    (failure,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(failure, Exception):
        _LOG.error("a step of stopping failed", exc_info=failure)


def _mailer(settings: Settings, now: Callable[[], datetime]) -> Sender | None:
    if settings.mail is None:
        return None
    from bot.mail.smtp import Mailer

    return Mailer(settings.mail, now)
