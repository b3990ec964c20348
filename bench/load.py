"""The load: some connections, each asking again as soon as it was answered, for a bounded number of requests."""

import asyncio
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from urllib.parse import urlencode

import orjson

from bench.peers import SECRET

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_serial = count(1)


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second; milliseconds of the median and of the slowest hundredth; the last body."""

    rps: float
    p50: float
    p99: float
    body: bytes


def command(text: str, port: int, name: str = "numbers", user: str = "UADA") -> bytes:
    """A signed `/NAME TEXT` as Slack sends it, whole HTTP request and all."""
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
    """A signed dialog that is sent off."""
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


async def measure(port: int, text: str, requests: int, connections: int = 10) -> Result:
    """`/numbers TEXT` over Slack. Raises RuntimeError where an answer is not 200."""
    return await drive(port, lambda _: command(text, port), requests, connections)


async def drive(
    port: int,
    request: Callable[[int], bytes],
    requests: int,
    connections: int,
    arrived: Callable[[int], Awaitable[None]] | None = None,
) -> Result:
    """Sends what `request` makes for each connection; an answer counts once `arrived` of that connection returns too.

    Raises RuntimeError where an answer is not 200, TimeoutError after two minutes.
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

    began = time.perf_counter()
    async with asyncio.timeout(120):
        await asyncio.gather(*(one(index) for index in range(connections)))
    took = time.perf_counter() - began
    times.sort()
    return Result(len(times) / took, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3, bodies[0])
