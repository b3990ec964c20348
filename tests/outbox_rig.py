"""What tests of the outbox share: append effects in one atomic step, record what is sent, wait for something."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from store.engine import keys
from store.engine.effects import Effect, RetryPolicy, Sender, SendResult, Sent
from store.engine.keys import attempt_key
from store.engine.outbox import Outbox, new_owner
from store.server.connection import Store
from store.server.scripts import Script, load, script

TAG: Final = keys.CELLS[7]
QUICK: Final = RetryPolicy(first=0.05, doubt=0.05, jitter=lambda: 0.0)
TAKE: Final = script("engine/outbox_take")


def adhoc(name: str, text: str) -> Script:
    """A script of a test's own that can append."""
    text = "\n".join((load("engine/outbox_append"), load("engine/once"), text))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_APPEND: Final = adhoc(
    "append",
    """
    local answers = once_reply()
    if answers then return answers end
    answers = {}
    for i = 4, #ARGV do
      answers[i - 3] = outbox_append(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[i], ARGV[2], ARGV[3])
    end
    return once_keep(answers)
    """,
)


def note(conv: str, n: int, kind: str = "note") -> Effect:
    return Effect(conv, kind, {"n": n}, f"{conv}:{n}")


async def append(
    store: Store, conv: str, *numbers: int, owner: str = "ghost", lease: float = 1.0, tag: str = TAG, kind: str = "note"
) -> list[str]:
    """Append notes, in one step; the state after each."""
    names = [keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag), attempt_key(tag)]
    bodies = [note(conv, n, kind).encode() for n in numbers]
    return [state.decode() for state in await store.run(_APPEND, names, [conv, owner, round(lease * 1000), *bodies])]


async def write(outbox: Outbox, store: Store, conv: str, *numbers: int, tag: str = TAG, kind: str = "note") -> None:
    """As a commit does it: append, and deliver what is ours."""
    states = await append(store, conv, *numbers, owner=outbox.owner, lease=outbox.lease, tag=tag, kind=kind)
    if "yours" in states:
        outbox.deliver_soon(tag, conv)


async def take(store: Store, conv: str, owner: str = "ghost", lease: float = 1.0) -> list[Any]:
    """Begin a send as another process would."""
    names = [keys.outbox(TAG, conv), keys.wake(TAG), keys.owners(TAG), attempt_key(TAG)]
    reply: list[Any] = await store.run(TAKE, names, [conv, owner, round(lease * 1000)])
    return reply


@dataclass
class Recorder:
    """A sender that notes (conversation, n, in doubt) and when, and answers what it is told to, then `Sent`."""

    answers: list[SendResult | Exception] = field(default_factory=list)
    gate: asyncio.Event | None = None
    seen: list[tuple[str, int, bool]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    now: int = 0
    most: int = 0

    async def __call__(self, effect: Effect, in_doubt: bool) -> SendResult:
        self.seen.append((effect.conv, effect.body["n"], in_doubt))
        self.times.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else Sent()
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
        finally:
            self.now -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def of(self, conv: str) -> list[int]:
        return [n for name, n, _ in self.seen if name == conv]

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]


@contextlib.asynccontextmanager
async def running(store: Store, sender: Sender, *, sweep: bool = False, **options: Any) -> AsyncIterator[Outbox]:
    """An outbox with short times; its sweep only where a test is about it."""
    times: dict[str, Any] = {"lease": 1.0, "send_timeout": 0.5, "period": 0.25, "policy": QUICK}
    outbox = Outbox(store, {"note": sender}, owner=new_owner(), **(times | options))
    loop = asyncio.create_task(outbox.run()) if sweep else None
    try:
        yield outbox
    finally:
        await outbox.drain(1.0)
        if loop is not None:
            async with asyncio.timeout(10):
                await loop


async def settled(store: Store, tag: str = TAG, seconds: float = 15.0) -> None:
    """Wait until nothing waits in the cell; then nothing may be left of it."""
    async with asyncio.timeout(seconds):
        while await store.call("HLEN", keys.owners(tag)):  # noqa: ASYNC110 # what it waits for is in another process or server
            await asyncio.sleep(0.005)
    assert await store.call("ZCARD", keys.wake(tag)) == 0


async def server_ms(store: Store) -> int:
    seconds, micros = await store.call("EVAL", "return redis.call('TIME')", 1, keys.wake(TAG))
    return int(seconds) * 1000 + int(micros) // 1000
