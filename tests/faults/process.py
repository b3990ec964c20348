"""A process that writes to conversations and delivers what it wrote to a sink, until it is killed or asked to end.

    python -m tests.faults.process STORE_URL SINK_PORT CONVERSATIONS EFFECTS_EACH SECONDS_BETWEEN_WRITES

The store numbers the effects of a conversation in the step that appends them, whichever process asks, and refuses more
than EFFECTS_EACH. The sink is told a JSON line a send and answers it with a line. SIGTERM drains.
"""

import asyncio
import contextlib
import itertools
import random
import signal
import sys
from typing import Final

import orjson

from store.engine import keys
from store.engine.effects import Effect, Retry, RetryPolicy, SendResult, Sent
from store.engine.keys import attempt_key
from store.engine.outbox import Outbox, new_owner
from store.server.connection import Store, StoreUnavailable
from tests.outbox_rig import adhoc

LEASE: Final = 1.0
_NUMBERED: Final = adhoc(
    "numbered",
    """
    local first = once_reply()
    if first then
      return first
    end
    if tonumber(redis.call('HGET', KEYS[4], ARGV[1]) or '0') >= tonumber(ARGV[5]) then
      return 'full'
    end
    local body = string.gsub(ARGV[4], '#N#', redis.call('HINCRBY', KEYS[4], ARGV[1], 1))
    return once_keep(outbox_append(KEYS[1], KEYS[2], KEYS[3], ARGV[1], body, ARGV[2], ARGV[3]))
    """,
)


def place(number: int) -> tuple[str, str]:
    """Cell and name of a conversation: some share a cell, most don't."""
    return keys.CELLS[number * 3 % 100], f"conversation {number}"


class Sink:
    """Asks the sink; a few connections, each one question at a time."""

    def __init__(self, port: int, owner: str) -> None:
        self._port = port
        self._owner = owner
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, effect: Effect, in_doubt: bool) -> SendResult:
        pair = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = pair
        row = {"conv": effect.conv, "id": effect.id, "in_doubt": in_doubt, "owner": self._owner}
        try:
            writer.write(orjson.dumps(row) + b"\n")
            answer = await reader.readuntil(b"\n")
        except BaseException:
            writer.close()
            raise
        self._idle.append(pair)
        return Sent() if answer == b"ok\n" else Retry(0.05, "busy")

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _write(store: Store, outbox: Outbox, conversations: int, each: int, pause: float) -> None:
    order = list(range(conversations))
    random.shuffle(order)
    full: set[int] = set()
    for number in itertools.cycle(order):
        if len(full) == conversations:
            return
        if number in full:
            continue
        tag, conv = place(number)
        names = [keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag), f"{keys.owners(tag)}:numbers"]
        body = Effect(conv, "note", {}, f"{conv}:#N#").encode()
        with contextlib.suppress(StoreUnavailable):
            state = await store.run(
                _NUMBERED, [*names, attempt_key(tag)], [conv, outbox.owner, round(LEASE * 1000), body, each]
            )
            if state == b"yours":
                outbox.deliver_soon(tag, conv)
            elif state == b"full":
                full.add(number)
        await asyncio.sleep(pause)


async def main(url: str, port: int, conversations: int, each: int, pause: float) -> None:
    store = await Store.open(url)
    owner = new_owner()
    sink = Sink(port, owner)
    outbox = Outbox(
        store,
        {"note": sink.send},
        owner=owner,
        lease=LEASE,
        send_timeout=0.8,
        period=0.5,
        policy=RetryPolicy(first=0.05, tries=50, doubt=0.05),
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    sweep = asyncio.create_task(outbox.run())
    writing = asyncio.create_task(_write(store, outbox, conversations, each, pause))
    await ended.wait()
    writing.cancel()
    await asyncio.wait([writing])
    await outbox.drain(2.0)
    await sweep
    sink.close()
    await store.aclose()


if __name__ == "__main__":
    url, port, conversations, each, pause = sys.argv[1:]
    asyncio.run(main(url, int(port), int(conversations), int(each), float(pause)))
