"""`python -m bench deadlines`: 60,000 stages of tickets' promises that come due within one minute, handled by four
processes on one store; then the same with one of the four killed (kill -9) half-way.

Measured are the commit of a stage, which puts it on the ticket's timeline and its message into the outbox, and the
arrival of the message. This Slack accepts every message at once; the real one accepts one a second in a channel.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import orjson

from bench.processes import cpu_seconds, free_port, listening, process
from bench.records import fresh_store, slack_env
from bench.ticket_template import Make, TicketTemplate, TicketVariables, load_tickets
from domain.accounts.account import Account, Person
from domain.policy import GUARANTEED_MINUTES, STAGES
from domain.support.channels import Channel
from domain.support.desk import reach_next_stage
from domain.support.sla import Stage
from domain.support.ticket import Origin, TicketChange, TicketDraft
from domain.support.tickets import create
from store.engine import keys
from store.engine.accounts import Accounts, AccountSnapshot
from store.server.connection import Store

STAGES_DUE: Final = 60_000
SECONDS: Final = 60
PROCESSES: Final = 4
ACCOUNTS: Final = 240
BEFORE: Final = 25.0  # seconds for filling the store and starting the processes
PATIENCE: Final = 180.0  # seconds for the last message to arrive


@dataclass(frozen=True, slots=True)
class Late:
    """Seconds by which stages were late."""

    values: Sequence[float]

    def at(self, share: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def show(self, name: str) -> None:
        over = sum(value > 1.0 for value in self.values)
        print(
            f"{name:24}{len(self.values):9,}{self.at(0.5):9.3f}{self.at(0.99):9.3f}{self.at(1):9.3f}{over:14,}",
            flush=True,
        )


def company(number: int) -> Account:
    """An account with guaranteed answers, a desk, and an escalation policy."""
    workspace = f"T{number}"
    return Account.model_validate(
        {
            "id": f"a{number}",
            "name": f"Acme {number}",
            "created_on": "2024-06-01",
            "country": "GB",
            "timezone": "Europe/London",
            "subscription": {"line": "sales", "tier": "enterprise"},
            "premium_support": True,
            "workspaces": [{"platform": "slack", "id": workspace}],
            "desk": {"platform": "slack", "workspace": workspace, "channel": f"C{number}"},
            "escalation": {"levels": [{"people": ["sam"], "minutes": 10}], "repeat": 0},
            "people": [
                {"id": "ada", "name": "Ada", "slack": f"UADA{number}", "seat": "sales", "super_admin": True},
                {"id": "sam", "name": "Sam", "slack": f"USAM{number}", "seat": "core", "specialist": True},
            ],
        }
    )


def waiting(account: Account, cast: TicketVariables, told: int) -> TicketChange:
    """A ticket of premium email that nobody has answered, after `told` of its stages."""
    ada = account.person("ada")
    assert isinstance(ada, Person)  # by the account above
    workspace = account.workspaces[0].id
    draft = TicketDraft(
        channel=Channel.PREMIUM_EMAIL,
        language="en",
        overview=f"Nobody can log in {cast.word}",
        description="Since nine this morning all of us are shown an empty page after the password.",
        email="ada@example.com",
        where=Origin(platform="slack", workspace=workspace, user=ada.user_on("slack") or ""),
    )
    after = create(cast.number, account, ada, draft, cast.at)
    for _, share in STAGES[:told]:
        now = cast.at + timedelta(minutes=GUARANTEED_MINUTES) * share / 100
        stage = reach_next_stage(after.ticket, account, now)
        assert stage is not None  # it has just come
        after = TicketChange(stage[0].ticket, (*after.messages, *stage[0].messages))
    return after


async def ticket_templates(store: Store, snapshot: AccountSnapshot, number: int) -> list[TicketTemplate]:
    """A template for each stage that comes next."""
    account = snapshot.account

    def at(cast: TicketVariables) -> dict[str, str]:
        return {"desk": f"C{number}:{cast.number}.000000", "person": f"D{number}:{cast.number}.000000"}

    def maker(told: int) -> Make:
        return lambda cast: waiting(account, cast, told)

    return [await TicketTemplate(store, snapshot, maker(told), at).compile() for told in range(len(Stage))]


async def deadlines(stages: int = STAGES_DUE, seconds: int = SECONDS) -> None:
    print(f"\n{stages:,} stages due within {seconds} s, {PROCESSES} processes, {ACCOUNTS} accounts\n")
    print(f"load of the machine beforehand: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores\n")
    print(f"{'seconds late':24}{'stages':>9}{'p50':>9}{'p99':>9}{'most':>9}{'later than 1':>14}")
    await once(stages, seconds, killed=False)
    await once(stages, seconds, killed=True)


async def once(stages: int, seconds: int, *, killed: bool) -> None:
    """Print a row for the commits and one for the messages, and the CPU seconds of the processes."""
    async with AsyncExitStack() as stack:
        store, url, _ = await stack.enter_async_context(fresh_store())
        first = datetime.now(UTC) + timedelta(seconds=BEFORE)
        due = await filled(store, url, stages, seconds, first)
        slack = free_port()
        peer = stack.enter_context(process("bench.peers", "slack-api", str(slack)))
        await listening(slack)
        env = {"REDIS_URL": url, **slack_env(slack)}
        ports = [free_port() for _ in range(PROCESSES)]
        bots = [stack.enter_context(process("bot", "serve", env={**env, "PORT": str(port)})) for port in ports]
        for port in ports:
            await listening(port, "/readyz")
        left = first.timestamp() - time.time()
        if left < 3:
            raise RuntimeError(f"filling the store took {BEFORE - left:.0f} s: too long on this machine")
        await asyncio.sleep(left)
        server = int((await facts(store))["process_id"])
        pids = {**{f"bot {n}": bot.pid for n, bot in enumerate(bots, 1)}, "store": server, "Slack": peer.pid}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        if killed:
            await asyncio.sleep(seconds / 2)
            victim = pids.pop("bot 1")
            os.kill(victim, signal.SIGKILL)
            bots[0].wait()
            await asyncio.sleep(seconds / 2)
        else:
            await asyncio.sleep(seconds)
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        committed = await commits(store, due)
        told = await arrivals(slack, due)
        what = ", one killed" if killed else ""
        Late([committed[key] - at for key, at in due.items()]).show(f"told{what}")
        Late([told[key] - at for key, at in due.items() if key in told]).show(f"at Slack{what}")
        if len(told) < len(due):
            print(f"{len(due) - len(told):,} messages had not arrived after {PATIENCE:.0f} s")
        shown = ", ".join(f"{name} {value:.0f}" for name, value in used.items())
        had = sum(used.values()) / seconds
        print(f"CPU seconds in those {seconds}: {shown}; {had:.2f} cores in all\n", flush=True)


Key = tuple[str, int]  # account and ticket


async def filled(store: Store, url: str, stages: int, seconds: int, first: datetime) -> dict[Key, float]:
    """File so many tickets, their stages spread over `seconds` from `first` on; return when each is due, since 1970."""
    accounts = Accounts(store)
    await accounts.apply([company(n) for n in range(ACCOUNTS)], first - timedelta(days=1))
    due: dict[Key, float] = {}
    each = stages // ACCOUNTS
    for n in range(ACCOUNTS):
        snapshot = await accounts.get(f"a{n}")
        assert snapshot is not None  # it was just applied
        await store.call("SET", keys.dir_install("slack", f"T{n}"), orjson.dumps({"token": "xoxb-bench", "at": 0.0}))
        made = await ticket_templates(store, snapshot, n)

        def casts(
            n: int = n, made: Sequence[TicketTemplate] = made
        ) -> Iterator[tuple[TicketTemplate, TicketVariables]]:
            for number in range(1, each + 1):
                told = number % len(made)
                at = first + timedelta(seconds=seconds) * ((number - 1) * ACCOUNTS + n) / (each * ACCOUNTS)
                due[f"a{n}", number] = at.timestamp()
                created = at - timedelta(minutes=GUARANTEED_MINUTES) * STAGES[told][1] / 100
                yield made[told], TicketVariables(number, "ada", f"w{number % 97}", created)

        await load_tickets(url, snapshot, casts(), each)
    return due


async def facts(store: Store) -> dict[str, str]:
    rows = (await store.call("INFO", "server")).decode().splitlines()
    return dict(row.split(":", 1) for row in rows if ":" in row)


async def commits(store: Store, due: dict[Key, float]) -> dict[Key, float]:
    """When each stage was committed, by the store's clock. Raises AssertionError for one that was committed twice."""
    accounts, found = Accounts(store), dict[Key, float]()
    end = time.time() + PATIENCE
    while len(found) < len(due):
        if time.time() > end:
            raise TimeoutError(f"{len(due) - len(found):,} stages were not told")
        await asyncio.sleep(0.5)
        found.clear()
        for id in {account for account, _ in due}:
            snapshot = await accounts.recent(id)
            assert snapshot is not None  # it is there
            for entry, (_, raw) in await store.call("XRANGE", snapshot.keys.audit, "-", "+"):
                line: dict[str, Any] = orjson.loads(raw)
                if line["what"] == "ticket.stage":
                    key = (id, int(line["ticket"]))
                    assert key not in found, f"{key} was told twice"  # what this is about
                    found[key] = int(entry.split(b"-")[0]) / 1000
    return found


async def arrivals(port: int, due: dict[Key, float]) -> dict[Key, float]:
    """When the message of each stage arrived at Slack."""
    end = time.time() + PATIENCE
    found: dict[Key, float] = {}
    seen = 0
    async with aiohttp.ClientSession() as session:
        while len(found) < len(due) and time.time() < end:
            async with session.get(f"http://127.0.0.1:{port}/told", params={"from": str(seen)}) as answer:
                rows = orjson.loads(await answer.read())
            for at, channel, thread in rows:
                if thread:
                    found.setdefault((f"a{channel[1:]}", int(thread.split(".")[0])), at)
            seen += len(rows)
            await asyncio.sleep(0.5)
    return found
