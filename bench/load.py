"""The load: some connections, each asking again as soon as it was answered, for a bounded number of requests."""

import asyncio
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from statistics import median
from urllib.parse import urlencode

import orjson

from bench.peers import SECRET
from bench.processes import cpu_seconds, resident_mib

ROUNDS = 5
REQUESTS = 4_000
WARM = 500  # requests before each round
CONNECTIONS = 10

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_serial = count(1)


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second, milliseconds of the median and of the slowest hundredth, CPU µs a request, the last body."""

    rps: float
    p50: float
    p99: float
    cpu: float
    body: bytes


def median_of(results: Sequence[Result]) -> Result:
    """The medians of several rounds, with the last body."""
    rps, p50, p99, cpu = (
        median(values) for values in zip(*((r.rps, r.p50, r.p99, r.cpu) for r in results), strict=True)
    )
    return Result(rps, p50, p99, cpu, results[-1].body)


@dataclass(slots=True)
class Peer:
    """A process that is measured: `request` makes the request of a connection, `arrived` is as in `drive`."""

    name: str
    port: int
    pid: int
    request: Callable[[int], bytes]
    arrived: Callable[[int], Awaitable[None]] | None = None
    connections: int = CONNECTIONS
    results: list[Result] = field(default_factory=list)

    async def round(self) -> None:
        """Warm the process up, then measure it."""
        await self._drive(WARM)
        self.results.append(await self._drive(REQUESTS))

    async def _drive(self, requests: int) -> Result:
        return await drive(self.port, self.pid, self.request, requests, self.connections, self.arrived)

    @property
    def median(self) -> Result:
        return median_of(self.results)


def print_peers(title: str, peers: Sequence[Peer], reference: Peer, columns: tuple[str, str]) -> None:
    """Print a row of medians for each peer; `columns` are the headings of the rate and of its ratio to `reference`."""
    rate, ratio = columns
    print(f"\n{title}, {reference.connections} connections, {ROUNDS} rounds of {REQUESTS:,}, medians\n")
    print(f"{'':26}{rate:>12}{ratio:>15}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>7}")
    for peer in peers:
        found = peer.median
        row = f"{peer.name:26}{found.rps:12,.0f}{found.rps / reference.median.rps:15.2f}{found.cpu:9.0f}"
        print(f"{row}{found.p50:9.2f}{found.p99:9.2f}{resident_mib(peer.pid):7.0f}")


def command(text: str, port: int, name: str = "numbers", user: str = "UADA") -> bytes:
    """A signed `/NAME TEXT` as Slack sends it: the whole HTTP request."""
    serial = next(_serial)
    fields = {
        "token": "unused",
        "team_id": "T0WORLD",
        "team_domain": "world",
        "channel_id": "C0GENERAL",
        "channel_name": "general",
        "user_id": user,
        "user_name": user[1:].lower(),
        "command": f"/{name}",
        "text": text,
        "api_app_id": "A0BENCH",
        "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/hooks/1",
        "trigger_id": f"{serial}.1.bench",
    }
    return _signed(fields, port)


def press(action: str, value: str, port: int, user: str) -> bytes:
    """A signed press of a button on a message."""
    serial = next(_serial)
    pressed = {"type": "button", "action_id": f"{action}#0", "block_id": "b1", "value": value}
    about = {
        "type": "block_actions",
        "trigger_id": f"{serial}.1.bench",
        "api_app_id": "A0BENCH",
        "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": "C0DESK"},
        "channel": {"id": "C0DESK", "name": "desk"},
        "message": {"type": "message", "ts": "1700000000.000100", "text": "SB-1"},
        "state": {"values": {}},
        "response_url": "http://127.0.0.1:9/hooks/1",
        "actions": [{**pressed, "text": {"type": "plain_text", "text": "Claim"}, "action_ts": f"{serial}.000"}],
    }
    return _interaction(about, user, port)


def submission(form: str, state: Mapping[str, str], values: Mapping[str, str], port: int, user: str) -> bytes:
    """A signed submission of a dialog."""
    serial = next(_serial)
    typed = {name: {form: {"type": "plain_text_input", "value": value}} for name, value in values.items()}
    blocks = [
        {
            "type": "input",
            "block_id": name,
            "label": {"type": "plain_text", "text": name.title()},
            "element": {"type": "plain_text_input", "action_id": form},
        }
        for name in values
    ]
    view = {
        "id": f"V{serial}",
        "team_id": "T0WORLD",
        "type": "modal",
        "callback_id": form,
        "private_metadata": orjson.dumps({"s": dict(state)}).decode(),
        "state": {"values": typed},
        "hash": f"{serial}.hash",
        "title": {"type": "plain_text", "text": "Write to support"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": blocks,
    }
    about = {"type": "view_submission", "trigger_id": f"{serial}.1.bench", "api_app_id": "A0BENCH", "view": view}
    return _interaction(about, user, port)


def _interaction(about: Mapping[str, object], user: str, port: int) -> bytes:
    who = {"team": {"id": "T0WORLD", "domain": "world"}, "user": {"id": user, "name": user, "team_id": "T0WORLD"}}
    return _signed({"payload": orjson.dumps({**about, **who, "token": "unused"}).decode()}, port)


def _signed(fields: Mapping[str, str], port: int) -> bytes:
    body = urlencode(fields).encode()
    moment = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), b"v0:" + moment.encode() + b":" + body, sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nAccept: application/json,*/*\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {moment}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    )
    return head.encode() + body


async def drive(
    port: int,
    pid: int,
    request: Callable[[int], bytes],
    requests: int,
    connections: int,
    arrived: Callable[[int], Awaitable[None]] | None = None,
) -> Result:
    """Send what `request` makes for each connection; an answer counts once `arrived` of that connection returns too.

    Raises RuntimeError for an answer that is not 200, TimeoutError after two minutes.
    """
    left = requests
    times: list[float] = []
    bodies: list[bytes] = []

    async def one(index: int) -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            sent = request(index)
            began = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"answered {head[:80]!r} {body[:200]!r}")
            if arrived:
                await arrived(index)
            times.append(time.perf_counter() - began)
            bodies[:] = [body]
        writer.close()

    began, cpu = time.perf_counter(), cpu_seconds(pid)
    async with asyncio.timeout(120):
        await asyncio.gather(*(one(index) for index in range(connections)))
    took = time.perf_counter() - began
    times.sort()
    p50, p99 = (times[len(times) * percent // 100] * 1e3 for percent in (50, 99))
    return Result(len(times) / took, p50, p99, (cpu_seconds(pid) - cpu) / requests * 1e6, bodies[0])
