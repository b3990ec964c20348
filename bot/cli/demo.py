"""`switchboard demo`: the bot, a pretend Slack and a pretend Twilio in one process, with an account worth trying; with
`--teams`, Microsoft's playground beside it, on the same account.

Everything is kept below `demo/` in the data directory: the embedded store, what the pretend Slack and the pretend
Twilio know, and how far the clock has been moved.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import yaml

from bot import accounts_file
from bot.app import App, Overrides, running
from bot.cli.common import resolve_person
from bot.errors import InputError, OperationError
from bot.numbers_file import ImportedNumber, NumbersFileReader
from bot.run import serve_until_stopped
from bot.settings import Settings, Twilio
from bot.slack.settings import Settings as SlackSettings
from bot.teams.settings import Settings as TeamsSettings
from bot.telemetry import configure_logs
from bot.wiring import Repositories
from bot.wiring import clock as real_clock
from domain.accounts.account import Account
from domain.calendars import business
from domain.phone import pretty
from handlers.framework.ports import CodeDelivery
from playground import data, teams
from playground.clock import Clock
from playground.data import carrier
from playground.data.jumps import clock
from playground.data.world import INSTALLER, TEAM, world
from playground.page.outside import Outside
from playground.phones import Phones
from playground.server import routes
from playground.slack.manifest import read_manifest
from playground.slack.pretend import PretendSlack
from playground.twilio.server import routes as twilio_routes
from store.engine.deadlines import TICKETS, next_deadline
from store.engine.effects import Effect, SendResult, Sent

HOST: Final = "127.0.0.1"  # whoever reaches the page may act as anyone: nobody else reaches it
GRACE: Final = 1.0  # seconds: an open page never lets go of its stream by itself
_MANIFEST: Final = Path(__file__).parents[1] / "slack" / "manifest.yml"  # a link to the one at the repository's top


def run_demo(settings: Settings, *, fresh: bool, with_teams: bool = False) -> int:
    """Serve until stopped; the exit status.

    Raises:
        InputError: the port is taken, the directory can't be used, or Microsoft's playground is not installed.
        OperationError: Microsoft's playground does not come up.
    """
    try:
        return _run(settings, teams.command() if with_teams else None, fresh=fresh)
    except teams.NotInstalled as missing:
        raise InputError(str(missing)) from None
    except teams.DidNotStart as failure:
        raise OperationError(str(failure)) from None


def _run(settings: Settings, playground: tuple[str, ...] | None, *, fresh: bool) -> int:
    """`playground`: what starts Microsoft's, None for none."""
    # What every request would say belongs into a service's log, not below the line that tells where to click.
    configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
    port = settings.port or _free_port()
    url = f"http://{HOST}:{port}"
    folder = settings.data_dir / "demo"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} can't be used: {error.strerror}") from None
    secret = secrets.token_hex(16)
    pages = [f"Switchboard demo: {url}"]

    @asynccontextmanager
    async def start(hasten: asyncio.Event) -> AsyncIterator[App]:
        found: list[Repositories] = []

        async def next_ticket_deadline(after: datetime) -> datetime | None:
            snapshot = await found[0].accounts.get(account().id) if found else None
            if snapshot is None:
                return None
            return await next_deadline(found[0].store, snapshot.tag, TICKETS, snapshot.account.id, after)

        mine = account()
        opening, path = business(mine).next_open, folder / "clock.json"
        time = clock(path, real_clock(settings), mine.zone, opening, next_ticket_deadline, fresh=fresh)
        slack = _slack(folder / "slack.json", url, secret, time, fresh=fresh)
        path, ring = folder / "twilio.json", slack.phone_ring
        twilio = carrier.twilio(path, url, mine.inventory, mine.country, ring, now=time.seconds, fresh=fresh)
        outside = Outside(Phones(twilio, mine.country), time)
        token = slack.world.workspaces[TEAM].token
        adapted = replace(
            settings,
            redis_url=None,
            data_dir=folder / "store",
            host=HOST,
            port=port,
            public_url=url,  # what the pretend Twilio signs
            platforms={
                "slack": SlackSettings(secret, token, None, None, None, slack.api_url),
                **({"teams": TeamsSettings(None, None, unauthenticated=True)} if playground else {}),
            },
            twilio=Twilio(twilio.account_sid, twilio.auth_token, twilio.base_url),
            mail=None,
        )
        async with running(adapted, _overrides(slack, outside, time, found, fresh=fresh), hasten) as app:
            if playground is None:
                yield app
                return
            async with teams.playground(playground, url, folder) as page:
                pages.append(f"On Teams: {page}")
                yield app

    def ready(_app: App) -> None:
        for line in pages:
            click.echo(line)

    return serve_until_stopped(start, ready)


def account() -> Account:
    """The account of the demo."""
    return accounts_file.read_accounts(data.ACCOUNTS).accounts[0]


def _slack(path: Path, url: str, secret: str, time: Clock, *, fresh: bool) -> PretendSlack:
    if fresh:
        path.unlink(missing_ok=True)
    manifest: dict[str, Any] = yaml.safe_load(_MANIFEST.read_text(encoding="utf-8"))
    read = read_manifest(manifest)
    return PretendSlack(
        world(path, tuple(read.scopes)),
        read,
        events_url=f"{url}/slack/events",
        signing_secret=secret,
        base_url=url,
        now=time.seconds,  # of messages; the requests to the bot are stamped with the real time
        path=path,
    )


def _overrides(
    slack: PretendSlack, outside: Outside, now: Clock, found: list[Repositories], *, fresh: bool
) -> Overrides:
    """What the bot takes from the pretend world. The repositories are added to `found` once they are open."""

    async def phone(number: str, text: str, via: CodeDelivery) -> None:
        dialled, _, extension = number.partition(" ext. ")
        slack.phone_ring(pretty(dialled, account().country, extension or None), text, via)

    async def mail(effect: Effect, in_doubt: bool) -> SendResult:
        slack.mail(str(effect.body["to"]), str(effect.body["subject"]), str(effect.body["text"]))
        return Sent()

    twilio = outside.phones.twilio if outside.phones else None

    async def close() -> None:
        if twilio:
            await twilio.close()
        await slack.close()

    async def prepare(kept: Repositories) -> None:
        if fresh:
            await kept.store.call("FLUSHALL")
        await seed(kept, now())
        found.append(kept)

    return Overrides(
        phone=phone,
        mail=mail,
        now=now,
        prepare=prepare,
        installer=("slack", TEAM, INSTALLER),
        routes=(*routes(slack, outside), *(twilio_routes(twilio) if twilio else ())),
        hosts_peer=True,
        close=close,
        grace=GRACE,
    )


async def seed(kept: Repositories, now: datetime) -> None:
    """Write the account as this version describes it; import its first numbers unless an earlier run did."""
    mine = account()
    known = await kept.accounts.get(mine.id)
    await kept.accounts.apply([mine], now)
    if known is not None:
        return
    snapshot = await kept.accounts.get(mine.id)
    assert snapshot is not None  # noqa: S101 # applied just now
    reader = NumbersFileReader(data.NUMBERS, mine, now, lambda who: resolve_person(mine, who))
    numbers = [row.number for row in reader.rows() if isinstance(row, ImportedNumber)]
    await kept.numbers.import_rows(snapshot, numbers, now)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port
