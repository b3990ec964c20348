"""`python -m bench tickets`: a ticket created, claimed, answered and closed over signed HTTP, beside the bare steps on
the store that each needs and an empty handler; and the inbox with 100 and with 1,000,000 tickets in the account.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from bench.load import Result, command, drive, median_of, press, submission
from bench.processes import cpu_seconds, free_port, listening, process
from bench.records import SLACK, fresh_store, run_command, slack_env, write_account
from bench.replay import Bare, Recorder
from bench.ticket_template import TicketTemplate, TicketVariables, load_tickets, make_person
from domain.support.channels import Channel
from domain.support.ticket import Origin, TicketChange, TicketDraft
from domain.support.tickets import create
from store.engine.accounts import Accounts
from store.engine.outbox import Outbox, new_owner
from store.server.connection import Store

ROUNDS: Final = 5
REQUESTS: Final = 1_000
WARM: Final = 200
CONNECTIONS: Final = 10
ASKERS: Final = 10
FEW: Final = 100
MANY: Final = 1_000_000
READS: Final = 1_000
AIM: Final = 1.3  # the most that a page with many tickets may take of one with few
CLOSED_TO_US: Final = "3600"  # seconds that Slack asks to wait, so that nothing is sent meanwhile

WORKSPACE: Final = """workspaces: [{platform: slack, id: T0WORLD}]
    desk: {platform: slack, workspace: T0WORLD, channel: C0DESK}"""
SPECIALIST: Final = "{id: sam, name: Sam, slack: USAM, seat: core, specialist: true}"
TEXT: Final = "Since nine this morning all of us are shown an empty page after the password. Nothing was changed here."

Ask = Callable[[int, int], bytes]  # port and the connection's index to a request


@dataclass(slots=True)
class Step:
    """One change of a ticket's life, each time of the next ticket."""

    name: str
    request: Callable[[int, int, int], bytes]  # port, connection and ticket to a request
    results: list[Result] = field(default_factory=list)
    sent: float = 0.0  # CPU µs with all that is said because of it
    bare: float = 0.0  # a second
    calls: float = 0.0  # of the store, a change
    _next: Iterator[int] = field(default_factory=lambda: count(1))

    def ask(self, port: int) -> Callable[[int], bytes]:
        return lambda index: self.request(port, index, next(self._next))

    def again(self) -> None:
        self._next = count(1)


def steps() -> list[Step]:
    def opened(port: int, index: int, ticket: int) -> bytes:
        values = {
            "overview": f"Nobody can log in {ticket}",
            "description": TEXT,
            "email": f"p{index}@example.com",
            "links": "",
        }
        return submission("ticket.create", {"channel": "email", "previous": ""}, values, port, f"UP{index}")

    def replied(port: int, _index: int, ticket: int) -> bytes:
        return submission("desk.reply", {"ticket": str(ticket)}, {"reply": TEXT}, port, "USAM")

    return [
        Step("created", opened),
        Step("claimed", lambda port, _, ticket: press("desk.claim", str(ticket), port, "USAM")),
        Step("answered", replied),
        Step("closed", lambda port, _, ticket: press("desk.close", str(ticket), port, "USAM")),
    ]


@dataclass(frozen=True, slots=True)
class Rig:
    """A bot on a store of its own. `port` and `pid` are the bot's, `socket` is the store's."""

    store: Store
    url: str
    port: int
    pid: int
    socket: Path


@asynccontextmanager
async def rig(wait: str = "", *, recorder: bool = False, bot: bool = True) -> AsyncIterator[tuple[Rig, Recorder]]:
    """A bot with its store and Slack.

    Args:
        wait: seconds that Slack asks to wait for each call, "" for none.
        recorder: whether the bot's commands to the store are recorded.
        bot: False for only the store with its account.
    """
    async with AsyncExitStack() as stack:
        store, url, folder = await stack.enter_async_context(fresh_store())
        people = [f"{{id: p{n}, name: P{n}, slack: UP{n}, seat: sales}}" for n in range(ASKERS)]
        write_account(folder, "enterprise", WORKSPACE, (SLACK[0], SPECIALIST, *people))
        run_command(folder, {"REDIS_URL": url}, "accounts", "apply", "accounts.yaml")
        socket = Path(unquote(url.removeprefix("unix://")))
        recording = Recorder(socket)
        if not bot:
            yield Rig(store, url, 0, 0, socket), recording
            return
        slack, port = free_port(), free_port()
        stack.enter_context(process("bench.peers", "slack-api", str(slack), wait))
        await listening(slack)
        between = await stack.enter_async_context(recording.listening(folder / "recorder"))
        env = {**slack_env(slack), "REDIS_URL": between if recorder else url, "PORT": str(port)}
        child = stack.enter_context(process("bot", "serve", env=env))
        await listening(port, "/readyz")
        yield Rig(store, url, port, child.pid, socket), recording


async def tickets() -> None:
    await life()
    await inbox()


# ── A ticket's life ─────────────────────────────────────────────────────────────────────────────────────────────


async def life() -> None:
    made = steps()
    await recorded(made)
    bolt: list[Result] = []
    async with rig(CLOSED_TO_US) as (ours, _):
        with ExitStack() as stack:
            port = free_port()
            child = stack.enter_context(process("bench.peers", "bolt", str(port)))
            await listening(port)
            for step in made:
                await drive(ours.port, ours.pid, step.ask(ours.port), WARM, CONNECTIONS)
            for _ in range(ROUNDS):
                for step in made:
                    result = await drive(ours.port, ours.pid, step.ask(ours.port), REQUESTS, CONNECTIONS)
                    step.results.append(result)
                empty = await drive(
                    port, child.pid, lambda _: press("desk.claim", "1", port, "USAM"), REQUESTS, CONNECTIONS
                )
                bolt.append(empty)
    for step in made:
        step.again()
    async with rig() as (ours, _):
        await sent(ours, made, WARM)
        await sent(ours, made, REQUESTS)
    report(made, bolt)


async def sent(ours: Rig, made: Sequence[Step], requests: int) -> None:
    """The CPU time of each step with a Slack that accepts every call, until the outbox is empty."""
    outbox = Outbox(ours.store, {}, owner=new_owner())
    for step in made:
        before = cpu_seconds(ours.pid)
        await drive(ours.port, ours.pid, step.ask(ours.port), requests, CONNECTIONS)
        while (await outbox.stats()).depth:  # noqa: ASYNC110 # the bot's to empty
            await asyncio.sleep(0.2)
        step.sent = (cpu_seconds(ours.pid) - before) / requests * 1e6


async def recorded(made: Sequence[Step]) -> None:
    """Replay the commands of each step to a store by a bare client."""
    rows = []
    async with rig(CLOSED_TO_US, recorder=True) as (ours, recorder):
        recorder.taken()
        for step in made:
            await drive(ours.port, ours.pid, step.ask(ours.port), REQUESTS, CONNECTIONS)
            rows.append(recorder.taken())
    async with rig(bot=False) as (ours, _):
        bare = Bare(ours.socket)
        await bare.open()
        for step, commands in zip(made, rows, strict=True):
            step.bare = REQUESTS / await bare.replay(commands)
            step.calls = len(commands) / REQUESTS
            step.again()
        bare.close()


def report(made: Sequence[Step], bolt: Sequence[Result]) -> None:
    empty = median_of(bolt)
    print(f"\na ticket's life over Slack, {CONNECTIONS} connections, {ROUNDS} rounds of {REQUESTS:,}, medians;")
    print("the bare steps are the same calls of the store by a client that does nothing else\n")
    heads = f"{'':12}{'changes/s':>11}{'of bare steps':>15}{'(calls)':>9}{'of empty Bolt':>15}{'CPU µs':>9}"
    print(heads + f"{'p50 ms':>9}{'p99 ms':>9}{'CPU µs, sent':>14}")
    for step in made:
        found = median_of(step.results)
        row = f"{step.name:12}{found.rps:11,.0f}{found.rps / step.bare:15.2f}{step.calls:9.1f}"
        row += f"{found.rps / empty.rps:15.2f}{found.cpu:9.0f}{found.p50:9.2f}{found.p99:9.2f}"
        print(f"{row}{step.sent:14.0f}")
    row = f"{'empty Bolt':12}{empty.rps:11,.0f}{'':15}{'':9}{1:15.2f}"
    print(f"{row}{empty.cpu:9.0f}{empty.p50:9.2f}{empty.p99:9.2f}", flush=True)


# ── The inbox ───────────────────────────────────────────────────────────────────────────────────────────────────


def read_requests() -> Mapping[str, Ask]:
    """What is read, by name."""

    def searched(words: str) -> Ask:
        return lambda port, _: submission("inbox.search", {}, {"query": words}, port, "UADA")

    return {
        "inbox of the account": lambda port, _: command("inbox", port, "support", "UADA"),
        "inbox of one's own": lambda port, index: command("inbox", port, "support", f"UP{index}"),
        "search, a rare word": searched("w77"),
        "search, a common one": searched("nobody"),
        "the desk's queue": lambda port, _: command("queue", port, "support", "USAM"),
    }


async def inbox(sizes: tuple[int, int] = (FEW, MANY)) -> None:
    async with rig(CLOSED_TO_US) as (few, _), rig(CLOSED_TO_US) as (many, _):
        for ours, size in zip((few, many), sizes, strict=True):
            await stocked(ours, size)
        print(f"\nthe first page, {CONNECTIONS} connections, {ROUNDS} rounds of {READS:,}, medians\n")
        heads = f"{'p50 ms with … tickets':24}{sizes[0]:>12,}{sizes[1]:>12,}{'times':>8}"
        print(f"{heads}{'CPU µs':>9}{'CPU µs':>9}{'times':>8}")
        for name, ask in read_requests().items():
            results: dict[int, list[Result]] = {few.port: [], many.port: []}
            for ours in (few, many):
                await drive(ours.port, ours.pid, partial(ask, ours.port), WARM, CONNECTIONS)
            for _ in range(ROUNDS):
                for ours in (few, many):
                    result = await drive(ours.port, ours.pid, partial(ask, ours.port), READS, CONNECTIONS)
                    results[ours.port].append(result)
            show(name, median_of(results[few.port]), median_of(results[many.port]))


def show(name: str, few: Result, many: Result) -> None:
    times = many.p50 / few.p50
    row = f"{name:24}{few.p50:12.2f}{many.p50:12.2f}{times:8.2f}{few.cpu:9.0f}{many.cpu:9.0f}{many.cpu / few.cpu:8.2f}"
    aim = "" if not name.startswith("inbox") else "  within" if times <= AIM else "  MORE THAN"
    print(f"{row}{aim}{f' {AIM}' if aim else ''}", flush=True)


async def stocked(ours: Rig, size: int) -> None:
    """File so many open tickets in the account, and print what they take."""
    snapshot = await Accounts(ours.store).get("acme")
    if snapshot is None:
        raise RuntimeError("the account is not there")
    account = snapshot.account

    def make(cast: TicketVariables) -> TicketChange:
        # Guaranteed an answer within an hour, at whatever time of the day.
        person = make_person(cast.person).model_copy(update={"super_admin": True})
        draft = TicketDraft(
            channel=Channel.PREMIUM_EMAIL,
            language="en",
            overview=f"Nobody can log in {cast.word}",
            description=TEXT,
            email="someone@example.com",
            where=Origin(platform="slack", workspace="T0WORLD", user=person.user_on("slack") or ""),
        )
        return create(cast.number, account, person, draft, cast.at)

    template = await TicketTemplate(ours.store, snapshot, make).compile()
    # The last one is made now: nothing is due while they are looked at.
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(milliseconds=size)

    def casts() -> Iterator[tuple[TicketTemplate, TicketVariables]]:
        for number in range(1, size + 1):
            at = first + timedelta(milliseconds=number)
            yield template, TicketVariables(number, f"p{number % ASKERS}", f"w{number % 10_000}", at)

    before = (await ours.store.info())["memory"]
    seconds = await load_tickets(ours.url, snapshot, casts(), size)
    grown = (await ours.store.info())["memory"] - before
    print(f"{size:,} tickets in {seconds:.1f} s, {grown / size:,.0f} bytes each", flush=True)
