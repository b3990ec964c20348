"""The bot as operators run it, `switchboard serve` in processes of its own on an embedded Valkey, and a pretend Slack
in the test's process. Everything that a test starts is ended with it, by its pid.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import yaml

from playground.server import serve
from playground.slack.find import visible_text
from playground.slack.people import ActionResult
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel, Message, User, World
from tests import ROOT
from tests.bot.slack.peer import MANIFEST, SCOPES, SECRET, TEAM
from tests.domain.samples import file_form
from tests.servers import PATIENCE, eventually, free_port

COMMAND: Final = (sys.executable, "-m", "bot")
HOLDERS: Final = 14
LIMIT: Final = 30  # provided numbers of the account
ANSWER: Final = 3.0  # seconds that Slack waits


def number(n: int) -> str:
    """The nth of the inventory, from a range that regulators keep free for examples."""
    return f"+4420794608{n:02d}"


def shown(n: int) -> str:
    """The same as people of the account write it."""
    return f"020 7946 08{n:02d}"


def company(*, admins: tuple[str, ...] = ("ada", "robin"), limit: int = LIMIT) -> dict[str, Any]:
    """An accounts file with two super admins, a crowd, and more inventory than the limit allows."""
    people = [{"id": name, "name": name.title(), "slack": f"U{name.upper()}", "seat": "sales"} for name in _names()]
    acme = file_form(
        name="Acme",
        subscription={"line": "both", "tier": "professional"},
        limits={"numbers": limit},
        workspaces=[{"platform": "slack", "id": TEAM}],
        people=[{**p, "super_admin": p["id"] in admins} for p in people],
        inventory=[number(n) for n in range(80)],
    )
    return {"accounts": [acme]}


def _names() -> list[str]:
    return ["ada", "robin", *(f"p{n}" for n in range(HOLDERS))]


def _world() -> World:
    world = World()
    world.add_workspace(TEAM, "Acme", scopes=SCOPES, bot_name="Switchboard")
    for name in (*_names(), "visitor"):
        world.add_user(User(f"U{name.upper()}", TEAM, name, name.title(), f"{name}@example.com", locale="en-GB"))
    world.add_channel(Channel("CGENERAL", TEAM, "general", list(world.users)))
    return world


class Process:
    """One `switchboard serve`."""

    def __init__(self, folder: Path, environment: dict[str, str], port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"serve-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve"],
                env={**environment, "PORT": str(port)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log; raises where a line is no JSON object."""
        found = [orjson.loads(line) for line in self.log.read_bytes().splitlines()]
        assert all(isinstance(line, dict) for line in found)
        return found

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as ask:
            await eventually(lambda: _ready(ask, self), "a ready bot")

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Its exit status, once it has one."""
        await eventually(lambda: self._process.poll() is not None, "the end of a process", seconds)
        return self._process.returncode

    async def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended()

    def end(self) -> None:
        """Whatever has become of it."""
        if self._process.poll() is None:
            self.kill()


async def _ready(ask: aiohttp.ClientSession, process: Process) -> bool:
    assert process._process.poll() is None, process.log.read_text()[-2_000:]
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with ask.get(f"{process.url}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    return False


class Rig:
    """The pretend Slack, the data directory, and the processes on it."""

    def __init__(self, folder: Path, slack: PretendSlack, port: int) -> None:
        self.folder = folder
        self.slack = slack
        self.port = port
        self.token = slack.world.workspaces[TEAM].token
        self.processes: list[Process] = []
        self.data = folder / "data"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "REDIS_", "SWITCHBOARD_"))},
            "SWITCHBOARD_DATA_DIR": str(self.data),
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": self.token,
            "SLACK_API_URL": slack.api_url,
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "debug",
        }

    async def switchboard(self, *arguments: str) -> tuple[int, str]:
        """A command of the real command line; its exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            env=self.environment,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def apply(self, accounts: dict[str, Any]) -> None:
        path = self.folder / "accounts.yaml"
        path.write_text(yaml.safe_dump(accounts))
        status, said = await self.switchboard("accounts", "apply", str(path))
        assert status == 0, said

    async def start(self, port: int | None = None) -> Process:
        """A process that is ready; on the port that Slack knows unless another one is given."""
        process = Process(self.folder, self.environment, port or self.port)
        self.processes.append(process)
        await process.ready()
        return process

    def servers(self) -> list[int]:
        """Processes of the embedded server that work in the data directory."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").resolve().is_relative_to(self.data):
                    found += [int(entry.name)] if "valkey" in (entry / "comm").read_text() else []
        return found

    async def get(self, n: int, by: str = "ada") -> None:
        """The first `n` numbers of the inventory."""
        for _ in range(n):
            said = await self.type("get GB", by)
            assert "is yours to use" in said, said

    async def type(self, text: str, by: str = "ada") -> str:
        """What a command is answered with, in the channel."""
        return answered(await self.slack.command(by, "#general", "/numbers", text))

    async def edit(self, n: int, by: str = "ada") -> None:
        """The Edit dialog of the nth number, from the list, before somebody."""
        await self.type(f"list {shown(n)}", by)
        listed = self.slack.last(by, "#general")
        pressed = await self.slack.press(by, listed, "Edit", within=shown(n))
        assert pressed.ok, pressed
        await self.dialog(by)

    async def dialog(self, who: str) -> None:
        user = self.slack.world.user(who).id
        await eventually(lambda: self.slack.world.dialogs(user), "a dialog", 5.0)

    async def metrics(self, process: Process) -> str:
        async with aiohttp.ClientSession() as ask, ask.get(f"{process.url}/metrics") as answer:
            return await answer.text()

    def told(self, who: str) -> list[str]:
        """The ids of what the bot wrote to somebody directly, in the order it arrived."""
        return [str((m.metadata or {})["event_payload"]["id"]) for m in self.direct(who)]

    def direct(self, who: str) -> list[Message]:
        user = self.slack.world.user(who)
        return [m for m in self.slack.world.messages.get(f"D{user.id[1:]}", ()) if m.bot_id]

    def said(self, who: str) -> list[str]:
        """The bot's direct messages to somebody as text, in the order they arrived."""
        return [visible_text(m) for m in self.direct(who)]

    def heard(self, who: str) -> list[str]:
        """Everything the bot showed to somebody, directly or in the channel, in order."""
        user = self.slack.world.user(who)
        aside = [m for m in self.slack.world.messages.get("CGENERAL", ()) if m.ephemeral_to == user.id]
        return [visible_text(m) for m in sorted([*aside, *self.direct(who)], key=lambda m: m.ts)]

    def end(self) -> None:
        for process in self.processes:
            process.end()
        for pid in self.servers():
            os.kill(pid, signal.SIGKILL)


def answered(outcome: ActionResult) -> str:
    """The text that a command was answered with; fails where it was not answered in time."""
    assert not outcome.error, outcome
    assert outcome.seconds < ANSWER
    answer = outcome.reply.answer if outcome.reply else None
    return visible_text(answer["blocks"]) if isinstance(answer, dict) else ""


@contextlib.asynccontextmanager
async def rigged(folder: Path, *, limited: bool = False, **company_options: Any) -> AsyncIterator[Rig]:
    """A pretend Slack and a data directory with the company applied; no process yet.

    At the end nothing is left running, the bot has answered nothing that Slack would refuse, and has called nothing
    that it refused.
    """
    port = free_port()
    slack = PretendSlack(
        _world(),
        MANIFEST,
        events_url=f"http://127.0.0.1:{port}/slack/events",
        signing_secret=SECRET,
        retry_delays=(0.2, 1.0, 3.0),
        limited=limited,
    )
    async with serve(slack):
        rig = Rig(folder, slack, port)
        try:
            await rig.apply(company(**company_options))
            yield rig
        finally:
            rig.end()
    assert slack.troubles == []
    assert slack.journal.refused() == []
