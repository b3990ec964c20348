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
from bot.cli.explain import resolve_person
from bot.demo import carrier
from bot.demo import teams as teams_demo
from bot.demo.clock import clock
from bot.demo.world import INSTALLER, TEAM, world
from bot.errors import InputError
from bot.numbers_file import ImportedNumber, NumbersFileReader
from bot.run import serve_until_stopped
from bot.settings import Settings, Twilio
from bot.slack.settings import Settings as SlackSettings
from bot.teams.settings import Settings as TeamsSettings
from bot.telemetry import configure_logs
from bot.wiring import Repositories
from domain.accounts.account import Account
from domain.phone import pretty
from handlers.framework.ports import CodeDelivery
from playground.clock import Clock
from playground.phones import Phones
from playground.server import routes
from playground.slack.manifest import read_manifest
from playground.slack.pretend import PretendSlack
from store.engine.deadlines import TICKETS, next_deadline
from store.engine.effects import Effect, SendResult, Sent

HOST: Final = "127.0.0.1"  # whoever reaches the page may act as anyone: nobody else reaches it
GRACE: Final = 1.0  # seconds: an open page never lets go of its stream by itself
_HERE: Final = Path(__file__).parent
_MANIFEST: Final = _HERE.parents[1] / "manifest.yml"


def run_demo(settings: Settings, *, fresh: bool, teams: bool = False) -> int:
    """Serves until stopped; the exit status.

    Raises:
        Wrong: the port is taken, the directory can't be used, or `teams` is asked for and can't be had here.
        Failed: the playground does not come up.
    """
    playground = teams_demo.command() if teams else None
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

        async def deadline(after: datetime) -> datetime | None:
            snapshot = await found[0].accounts.get(account().id) if found else None
            return (
                await next_deadline(found[0].store, snapshot.tag, TICKETS, snapshot.account.id, after)
                if snapshot
                else None
            )

        time = clock(folder / "clock.json", settings, account(), deadline, fresh=fresh)
        slack = _slack(folder / "slack.json", url, secret, time, fresh=fresh)
        twilio = carrier.twilio(folder / "twilio.json", url, account(), slack.phone_ring, now=time.seconds, fresh=fresh)
        slack.phones, slack.clock = Phones(twilio, account().country), time
        token = slack.world.workspaces[TEAM].token
        mine = replace(
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
        async with running(mine, _extras(slack, time, found, fresh=fresh), hasten) as app:
            if playground is None:
                yield app
                return
            async with teams_demo.playground(playground, url, folder) as page:
                pages.append(f"On Teams: {page}")
                yield app

    def ready(_app: App) -> None:
        for line in pages:
            click.echo(line)

    return serve_until_stopped(start, ready)


def account() -> Account:
    """The account of the demo."""
    return accounts_file.read_accounts(_HERE / "accounts.yaml").accounts[0]


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


def _extras(slack: PretendSlack, time: Clock, found: list[Repositories], *, fresh: bool) -> Overrides:
    """`found` gets the records once they are there."""

    async def phone(number: str, text: str, via: CodeDelivery) -> None:
        dialled, _, extension = number.partition(" ext. ")
        slack.phone_ring(pretty(dialled, account().country, extension or None), text, via)

    async def mail(effect: Effect, in_doubt: bool) -> SendResult:
        slack.mail(str(effect.body["to"]), str(effect.body["subject"]), str(effect.body["text"]))
        return Sent()

    twilio = slack.phones.twilio if slack.phones else None

    async def close() -> None:
        if twilio:
            await twilio.close()
        await slack.close()

    async def prepare(kept: Repositories) -> None:
        if fresh:
            await kept.store.call("FLUSHALL", retry=True)
        await seed(kept, time())
        found.append(kept)

    return Overrides(
        phone=phone,
        mail=mail,
        now=time,
        prepare=prepare,
        installer=("slack", TEAM, INSTALLER),
        routes=(*routes(slack), *(twilio.routes() if twilio else ())),
        hosts_peer=True,
        close=close,
        grace=GRACE,
    )


async def seed(kept: Repositories, now: datetime) -> None:
    """The account as this version has it, and its first numbers where an earlier run has not left them."""
    mine = account()
    known = await kept.accounts.get(mine.id)
    await kept.accounts.apply([mine], now)
    if known is not None:
        return
    snapshot = await kept.accounts.get(mine.id)
    assert snapshot is not None  # noqa: S101 # applied just now
    reader = NumbersFileReader(_HERE / "numbers.csv", mine, now, lambda who: resolve_person(mine, who))
    await kept.numbers.import_rows(
        snapshot, [row.number for row in reader.rows() if isinstance(row, ImportedNumber)], now
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port
