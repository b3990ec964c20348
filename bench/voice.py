"""`python -m bench voice`: a signed inbound call until it is answered, with few and with many blocked numbers, beside a
bare handler that checks the same signature and does one GET."""

import base64
import hmac
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha1
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from bench.load import ROUNDS, Peer, print_peers
from bench.peers import TWILIO_PUBLIC, TWILIO_SID, TWILIO_TOKEN
from bench.processes import free_port, listening, process
from bench.records import prepare_voice
from domain.blocklist import Direction
from store.blocklist.blocklist import Blocklist
from store.blocklist.numberset import BATCH
from store.engine.accounts import Accounts
from store.engine.commit import Cell
from store.server.connection import Store

BLOCKED = (1_000, 1_000_000, 10_000_000)
FIRST_BLOCKED = 48_700_000_000  # and every seventh number from there
STRIDE = 7
CALLED = "+442070000000"

_serial = count(1)


def call(port: int) -> bytes:
    """A call from a number that is not blocked, as a whole HTTP request; each has its own id."""
    frm = f"+{FIRST_BLOCKED + random.randrange(10_000_000) * STRIDE + 1}"
    fields = {
        "AccountSid": TWILIO_SID,
        "ApiVersion": "2010-04-01",
        "CallSid": f"CA{next(_serial):032x}",
        "CallStatus": "ringing",
        "CallToken": '{"parentCallInfoToken":"eyJhbGciOiJFUzI1NiJ9"}',
        "Called": CALLED,
        "CalledCity": "",
        "CalledCountry": "GB",
        "CalledState": "London",
        "CalledZip": "",
        "Caller": frm,
        "CallerCity": "",
        "CallerCountry": "PL",
        "CallerState": "",
        "CallerZip": "",
        "Direction": "inbound",
        "From": frm,
        "FromCity": "",
        "FromCountry": "PL",
        "FromState": "",
        "FromZip": "",
        "To": CALLED,
        "ToCity": "",
        "ToCountry": "GB",
        "ToState": "London",
        "ToZip": "",
    }
    signed = f"{TWILIO_PUBLIC}/voice/inbound" + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(TWILIO_TOKEN.encode(), signed.encode(), sha1).digest()).decode()
    body = urlencode(fields).encode()
    head = (
        f"POST /voice/inbound HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"I-Twilio-Idempotency-Token: {next(_serial)}\r\nX-Twilio-Signature: {signature}\r\n\r\n"
    )
    return head.encode() + body


async def block(folder: Path, numbers: int) -> None:
    """Block so many numbers for the account that is served from the folder."""
    store = await Store.open(f"unix://{folder / 'data' / 'valkey.sock'}", timeout=30)
    snapshot = await Accounts(store).get("acme")
    if snapshot is None:
        raise RuntimeError("the account is not there")
    blocklist = Blocklist(Cell(store, "bench", 1, lambda _tag, _conversation: None))
    await blocklist.reserve(snapshot, Direction.BOTH, numbers)
    for start in range(0, numbers, BATCH):
        some = range(start, min(start + BATCH, numbers))
        await blocklist.bulk(snapshot, [FIRST_BLOCKED + n * STRIDE for n in some], Direction.BOTH)
    await store.aclose()


async def voice(sizes: Sequence[int] = BLOCKED) -> None:
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-bench-"))) for _ in sizes]
        peers = []

        def add(name: str, port: int, pid: int) -> None:
            peers.append(Peer(name, port, pid, lambda _: call(port)))

        for size, folder in zip(sizes, folders, strict=True):
            env, port = prepare_voice(folder), free_port()
            child = stack.enter_context(process("bot", "serve", env={**env, "PORT": str(port)}))
            await listening(port, "/readyz")
            began = datetime.now(UTC)
            await block(folder, size)
            took = (datetime.now(UTC) - began).total_seconds()
            print(f"{size:,} numbers blocked in {took:.1f} s")
            add(f"Switchboard, {size:,}", port, child.pid)
        socket = f"unix://{folders[0] / 'data' / 'valkey.sock'}"
        port = free_port()
        child = stack.enter_context(process("bench.peers", "bare-twilio", str(port), socket))
        await listening(port)
        add("bare aiohttp + GET", port, child.pid)
        for _ in range(ROUNDS):
            for peer in peers:
                await peer.round()
        print_peers("signed call to its decision", peers, peers[-1], ("calls/s", "of bare"))
        fewest, most = (peer.median.rps for peer in (peers[0], peers[-2]))
        print(f"\nthe most blocked numbers against the fewest: {fewest / most:.2f} times the time")
