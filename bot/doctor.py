"""`switchboard doctor`: what works and what does not, a line each, with what to do.

Every check has a timeout and none changes anything. `warn` is for what works and may surprise; `fail` for what doesn't.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import click

from bot.carriers.check import carrier
from bot.errors import CommandError, InputError
from bot.finding import Finding, Level
from bot.registry import ENTRIES
from bot.settings import Settings, read_settings
from bot.telemetry import mask
from bot.wiring import Repositories, open_repositories
from domain.accounts.account import Account
from store.engine.outbox import Outbox, new_owner
from store.server.connection import StoreInfo

TIMEOUT: Final = 10.0  # seconds for a check
OLDEST_VERSION: Final = (7, 0)
DEAD_SHOWN: Final = 10
ACCOUNTS_SHOWN: Final = 20
TROUBLES_SHOWN: Final = 20
STUCK: Final = 300.0  # seconds after which an effect that waits is worth a look


def run_doctor() -> int:
    """Print each finding as it comes; return the exit status, 1 if one fails."""

    async def run() -> int:
        status = 0
        async for finding in diagnose():
            names = f": {', '.join(finding.names)}" if finding.names else ""
            click.echo(f"{finding.level:<4}  {finding.part:<9} {mask(finding.text)}{names}")
            status |= finding.level == "fail"
        return status

    return asyncio.run(run())


async def diagnose(environ: dict[str, str] | None = None) -> AsyncIterator[Finding]:
    """Run every check, in the order in which the parts need each other. `environ` replaces the process's."""
    try:
        settings = read_settings(environ)
    except InputError as error:
        yield Finding("fail", "settings", str(error))
        return
    yield Finding("ok", "settings", f"serves on {settings.host}:{settings.port}")
    if settings.clock_offset:
        text = f"the clock is moved by {settings.clock_offset:g} s: unset it but in rehearsals"
        yield Finding("warn", "settings", text)
    for finding in await _bounded("store", _store(settings)):
        yield finding
    checks = [(name, _platform_check(name)) for name in ENTRIES]
    # The order that operators know: mail was there before the second platform.
    for part, check in (*checks[:1], ("mail", _mail), *checks[1:], ("carrier", carrier)):
        for finding in await _bounded(part, check(settings)):
            yield finding


async def _bounded(part: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await check
    except TimeoutError:
        return [Finding("fail", part, f"no answer within {TIMEOUT:g} s")]
    except CommandError as error:
        return [Finding("fail", part, str(error))]


# The store and its records.


async def _store(settings: Settings) -> list[Finding]:
    async with open_repositories(settings) as kept:
        info = await kept.store.info()
        return [
            *store_findings(info, embedded=settings.redis_url is None),
            *await _accounts(kept, sold=settings.twilio is not None),
            *await _outbox(kept),
        ]


def store_findings(info: StoreInfo, *, embedded: bool) -> list[Finding]:
    """What the server's INFO says about keeping records on it."""
    what = f"{info['server']} {info['version']}, {info['mode']}" + (", embedded" if embedded else "")
    found = [Finding("ok", "store", f"{what} at {info['address']} answers")]
    version = tuple(int(part) for part in info["version"].split(".")[:2] if part.isdigit())
    if version < OLDEST_VERSION:
        found.append(Finding("fail", "store", f"version {info['version']} is too old: Valkey or Redis 7.0 or newer"))
    if not info["aof"]:
        found.append(Finding("warn", "store", "a crash loses the last writes: set appendonly yes on the server"))
    if info["eviction"] != "noeviction":
        level: Level = "fail" if info["memory_limit"] else "warn"
        found.append(Finding(level, "store", "a full memory would drop records: set maxmemory-policy noeviction"))
    if not info["saved"]:
        found.append(Finding("fail", "store", "its last write to disk failed: look at the disk and the server's log"))
    if info["memory_limit"] and info["memory"] > 0.9 * info["memory_limit"]:
        found.append(Finding("fail", "store", "its memory is nearly full: raise maxmemory"))
    return found


async def _accounts(kept: Repositories, *, sold: bool) -> list[Finding]:
    ids = await kept.accounts.ids()
    if not ids:
        return [Finding("warn", "accounts", "there are none yet: switchboard accounts apply FILE")]
    names = ", ".join(ids[:ACCOUNTS_SHOWN]) + " …" * (len(ids) > ACCOUNTS_SHOWN)
    found = [Finding("ok", "accounts", f"{len(ids)}: {names}")]
    for id in ids[:ACCOUNTS_SHOWN]:
        snapshot = await kept.accounts.get(id)
        if snapshot is None:
            continue
        found += await asyncio.to_thread(account_findings, snapshot.account, sold=sold)
        if (lost := await kept.posts.lost_desk(snapshot)) is not None:
            where = lost.place.replace("|", " ")
            text = f"the desk of {id} ({where}) can't be written to since {_moment(lost.since.timestamp())}, {lost.why}"
            mend = "add Switchboard to the channel again, or name another"
            found.append(Finding("fail", "accounts", f"{text}: {mend}"))
    return found


def account_findings(account: Account, *, sold: bool = False) -> list[Finding]:
    """What keeps people of an account from using the bot. `sold`: numbers can be bought."""
    found = []
    if not account.workspaces:
        found.append(Finding("warn", "accounts", f"{account.id} has no workspace: nobody reaches it; add workspaces"))
    if account.calling and not account.inventory and not sold:
        text = f"{account.id} has no inventory: calling is not set up; add numbers to it, or configure Twilio"
        found.append(Finding("warn", "carrier", text))
    if account.customer_success is None:
        found.append(Finding("warn", "accounts", f"{account.id} has no customer_success: requests for more go nowhere"))
    return [*found, *articles_findings(account)]


def articles_findings(account: Account) -> list[Finding]:
    """What is wrong with the account's folder of articles on this machine, file by file."""
    if account.articles is None:
        return []
    from bot.articles.cache import read_folder

    read = read_folder(account.articles)
    languages = sorted({article.language for article in read.articles})
    spoken = f": {', '.join(languages)}" if languages else ""
    text = f"{account.id} has {len(read.articles)} in {account.articles}{spoken}"
    found = [Finding("ok" if read.articles else "warn", "articles", text)]
    for path, why in read.troubles[:TROUBLES_SHOWN]:
        where = f"{account.articles}/{path}" if path else account.articles
        found.append(Finding("warn", "articles", f"{where} is left out: {why}" if path else f"{where} {why}"))
    if (more := len(read.troubles) - TROUBLES_SHOWN) > 0:
        found.append(Finding("warn", "articles", f"{more} more are left out"))
    return found


async def _outbox(kept: Repositories) -> list[Finding]:
    outbox = Outbox(kept.store, {}, owner=new_owner())
    stats, dead = await outbox.stats(), await outbox.dead(DEAD_SHOWN)
    text = f"{stats.depth} waiting, the oldest for {stats.oldest_age_s:.0f} s, {stats.dead} given up"
    finding = Finding("ok", "outbox", text)
    if stats.oldest_age_s > STUCK:
        finding = Finding("warn", "outbox", f"{text}: is switchboard serve running, and does the platform answer?")
    lines = (f"given up at {_moment(row.at)}: {row.kind} to {row.conv}: {row.reason}" for row in dead)
    return [finding, *(Finding("warn", "outbox", line) for line in lines)]


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


# The world outside.


def _platform_check(name: str) -> Callable[[Settings], Awaitable[list[Finding]]]:
    return lambda settings: ENTRIES[name].check(settings.platforms.get(name), settings.public_url)


async def _mail(settings: Settings) -> list[Finding]:
    if settings.mail is None:
        text = "off: SMTP_URL is not set, so requests for more numbers and answers to email tickets can't be mailed"
        return [Finding("ok", "mail", text)]
    from aiosmtplib import SMTPException

    from bot.mail.smtp import Mailer

    try:
        return [Finding("ok", "mail", await Mailer(settings.mail, lambda: datetime.now(UTC)).probe())]
    except (SMTPException, OSError, TimeoutError) as error:
        where, why = f"{settings.mail.host}:{settings.mail.port}", str(error) or type(error).__name__
        return [Finding("fail", "mail", f"{where} can't be used ({why}): check SMTP_URL")]
