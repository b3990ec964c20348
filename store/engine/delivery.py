"""Delivers conversations: takes the lease of one, sends its effects one by one, settles each.

Each conversation is delivered by a task, and there are at most `sends` tasks; further conversations wait in a bounded
queue, and the sweep finds those that the queue has no room for. The lease is taken right before a send, so it outlasts
the send, and a process that dies with a full queue leaves only the effects in doubt that it was sending.

The result of a send is remembered until the store has it, so that an outage in between repeats no send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import structlog

from store.engine import keys
from store.engine.effects import Drop, Effect, GivenUp, InDoubt, NextTry, OnEnded, Retry, RetryPolicy, Sender, Sent
from store.engine.keys import attempt_key
from store.server.connection import ServerError, Store, StoreUnavailable
from store.server.scripts import script

_TAKE = script("engine/outbox_take")
_SETTLE = script("engine/outbox_settle")
_RELEASE = script("engine/outbox_release")

DEAD_LENGTH: Final = 1_000
_QUEUE: Final = 10_000  # maximum of conversations queued, of timers, and of results that the store does not have yet
_PRESSED: Final = 64  # while the process has more urgent work, sends in flight are divided by this
_ROW: Final = 16  # effects of one conversation sent in a row while others wait
_PATIENCE: Final = 60.0  # seconds a task tries to settle a send
_PAUSE: Final = 0.25  # seconds between these tries, and between looks whether queued conversations can start
_LOST: Final = 3  # claims lost in a row before a task leaves the conversation to the sweep
_TELLING: Final = 5.0  # seconds that an OnEnded may take
_RELEASES: Final = 2.0  # seconds that giving leases back may take

Key: TypeAlias = tuple[str, str]  # cell and conversation
_Answer: TypeAlias = Sent | NextTry | GivenUp

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A try of an effect, with the lease for it. `age`: seconds; `until`: the loop's time until which the lease runs at
    least."""

    claim: bytes
    tries: int
    in_doubt: bool
    age: float
    entry: bytes
    until: float


@dataclass(frozen=True, slots=True)
class _AttemptResult:
    """The result of an attempt to send an entry, with the kind and id for its dead letter."""

    entry: bytes
    answer: _Answer
    kind: str = ""
    id: str = ""
    effect: Effect | None = None  # None: the entry can't be decoded


class Delivery:
    """The sending half of the outbox, in one process and one event loop."""

    def __init__(
        self,
        store: Store,
        senders: Mapping[str, Sender],
        *,
        owner: str,
        lease: float,
        send_timeout: float,
        sends: int,
        policy: RetryPolicy,
        policies: Mapping[str, RetryPolicy],
        ended: Mapping[str, OnEnded],
        pressed: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._senders = senders
        self._owner = owner
        self._lease = lease
        self._send_timeout = send_timeout
        self._sends = sends
        self._pressed = pressed
        self._policy = policy
        self._policies = policies
        self._ended = ended
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._again: set[Key] = set()  # enqueued while their task runs
        self._queue: dict[Key, None] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._refill: asyncio.TimerHandle | None = None  # while something is queued
        self._results: dict[Key, _AttemptResult] = {}
        self._draining = False

    def enqueue(self, tag: str, conv: str) -> None:
        """Deliver a conversation as soon as a task is free. Does nothing if it is queued already."""
        key = (tag, conv)
        if key in self._tasks:
            self._again.add(key)
        elif len(self._tasks) < self._most and not self._draining:
            self._queue.pop(key, None)
            self._tasks[key] = asyncio.create_task(self._run(key), name=f"deliver {conv}")
        elif len(self._queue) < _QUEUE:
            self._queue[key] = None
            if self._refill is None and not self._draining:
                self._refill = asyncio.get_running_loop().call_later(_PAUSE, self._look_again)

    def _look_again(self) -> None:
        """Start queued conversations: there can be room without a send having ended, once `pressed` is false."""
        self._refill = None
        self._fill()
        if self._queue:
            self._refill = asyncio.get_running_loop().call_later(_PAUSE, self._look_again)

    def _fill(self) -> None:
        while self._queue and len(self._tasks) < self._most:
            self.enqueue(*next(iter(self._queue)))

    @property
    def _most(self) -> int:
        """Maximum of conversations being delivered now."""
        return max(1, self._sends // _PRESSED) if self._pressed() else self._sends

    async def drain(self, timeout: float) -> None:
        """Begin no more sends, wait up to `timeout` seconds for those in flight, give all leases back."""
        self._draining = True
        if self._refill is not None:
            self._refill.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        ours = set(self._tasks)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=timeout)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)
                log.warning("outbox.cut_off", sends=len(late))
        ours.update(self._queue, self._again)
        self._queue.clear()
        self._again.clear()
        replies = await asyncio.gather(*(self._release(key) for key in ours), return_exceptions=True)
        if errors := [reply for reply in replies if reply is not None]:
            log.warning("outbox.leases_kept", conversations=len(errors), reason=str(errors[0]))

    # One conversation.

    async def _run(self, key: Key) -> None:
        try:
            await self._deliver(key)
        except (StoreUnavailable, ServerError) as error:
            # The sweep finds the conversation once the lease is over.
            log.warning("outbox.store_unavailable", cell=key[0], reason=str(error))
        except Exception:
            log.exception("outbox.delivery_failed", cell=key[0])
        finally:
            self._finished(key)

    def _finished(self, key: Key) -> None:
        del self._tasks[key]
        if self._draining:
            return
        self._fill()
        if key in self._again:
            self._again.discard(key)
            self.enqueue(*key)

    async def _deliver(self, key: Key) -> None:
        attempt = await self._take(key)
        row = lost = 0
        while attempt is not None and lost < _LOST:
            result = self._results.get(key)
            if result is None or result.entry != attempt.entry:
                if attempt.until - asyncio.get_running_loop().time() < self._send_timeout:
                    # This process was delayed: the send would outlive the lease.
                    attempt, lost = await self._take(key), lost + 1
                    continue
                result = await self._send(attempt)
                self._remember(key, result)
            await self._report_end(result)
            row += 1
            alone = (row < _ROW or not self._queue) and len(self._tasks) <= self._most
            answer, following = await self._settle(key, attempt, result, go_on=alone and not self._draining)
            if answer == b"lost":
                attempt, lost = await self._take(key), lost + 1
                continue
            self._results.pop(key, None)
            attempt, lost = following, 0
            if answer == b"free":
                self._again.add(key)
            elif answer == b"waiting" and isinstance(result.answer, NextTry):
                self._later(key, result.answer.delay)
        self._results.pop(key, None)  # settled, or another process has the lease

    async def _send(self, attempt: _Attempt) -> _AttemptResult:
        try:
            effect = Effect.decode(attempt.entry)
        except ValueError:
            return _AttemptResult(attempt.entry, GivenUp("not readable"))
        in_doubt, policy = False, self._policies.get(effect.kind, self._policy)
        if attempt.tries > policy.tries:  # each died with its process
            answer: _Answer = GivenUp(f"after {attempt.tries - 1} tries that nobody saw end")
        else:
            try:
                outcome = await self._ask(effect, attempt.in_doubt)
            except TimeoutError:
                outcome, in_doubt = Retry(None, "no answer in time"), True
            except InDoubt as error:
                outcome, in_doubt = Retry(None, str(error)), True
            except Exception as error:
                log.exception("outbox.sender_failed", kind=effect.kind, effect=effect.id)
                outcome, in_doubt = Retry(None, type(error).__name__), True
            match outcome:
                case Sent():
                    answer = outcome
                case Drop(reason):
                    answer = GivenUp(reason)
                case Retry():
                    answer = policy.judge(
                        outcome, tries=attempt.tries, age=attempt.age, before=attempt.in_doubt, in_doubt=in_doubt
                    )
        if isinstance(answer, GivenUp):
            log.warning("outbox.given_up", kind=effect.kind, effect=effect.id, reason=answer.reason)
        return _AttemptResult(attempt.entry, answer, effect.kind, effect.id, effect)

    async def _report_end(self, result: _AttemptResult) -> None:
        """Call the kind's OnEnded before the effect is settled. Raises StoreUnavailable if it can't record the result
        now: then the effect is not settled, and not sent again either."""
        on_ended = self._ended.get(result.kind)
        if on_ended is None or result.effect is None or isinstance(result.answer, NextTry):
            return
        try:
            async with asyncio.timeout(_TELLING):
                await on_ended(result.effect, result.answer.reason if isinstance(result.answer, GivenUp) else None)
        except TimeoutError:
            raise StoreUnavailable("the record of a send took too long") from None
        except (StoreUnavailable, ServerError):
            raise
        except Exception:  # our own fault must not block the conversation
            log.exception("outbox.telling_failed", kind=result.kind, effect=result.id)

    async def _ask(self, effect: Effect, in_doubt: bool) -> Sent | Retry | Drop:
        sender = self._senders.get(effect.kind)
        if sender is None:  # a process of a newer release may have one
            return Retry(None, f"nobody sends {effect.kind}")
        async with asyncio.timeout(self._send_timeout):
            return await sender(effect, in_doubt)

    def _remember(self, key: Key, result: _AttemptResult) -> None:
        if len(self._results) >= _QUEUE:
            del self._results[next(iter(self._results))]
        self._results[key] = result

    def _later(self, key: Key, delay: float) -> None:
        """Enqueue the conversation when its next try is due; the sweep would find it up to a period later."""
        if key in self._timers:
            self._timers.pop(key).cancel()
        if len(self._timers) < _QUEUE and not self._draining:
            self._timers[key] = asyncio.get_running_loop().call_later(delay + 0.002, self._timer_ended, key)

    def _timer_ended(self, key: Key) -> None:
        del self._timers[key]
        self.enqueue(*key)

    # The steps on the store.

    async def _take(self, key: Key) -> _Attempt | None:
        tag, conv = key
        started = asyncio.get_running_loop().time()
        names = [keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag), attempt_key(tag)]
        reply = await self._store.run(_TAKE, names, [conv, self._owner, _ms(self._lease)])
        return self._attempt(reply, started)

    async def _settle(
        self, key: Key, attempt: _Attempt, result: _AttemptResult, *, go_on: bool
    ) -> tuple[bytes, _Attempt | None]:
        tag, conv = key
        names = [keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag), keys.dead(tag), attempt_key(tag)]
        lease = _ms(self._lease) if go_on else 0
        match result.answer:
            case Sent():
                args: list[str | int] = ["sent"]
            case NextTry(delay, tries, in_doubt):
                args = ["retry", _ms(delay), tries, int(in_doubt)]
            case GivenUp(reason):
                args = ["dead", result.kind, result.id, reason, DEAD_LENGTH]

        async def settle() -> tuple[bytes, _Attempt | None]:
            started = asyncio.get_running_loop().time()
            reply = await self._store.run(_SETTLE, names, [conv, attempt.claim, lease, *args])
            return reply[0], self._attempt(reply, started)

        return await _insist(settle)

    def _attempt(self, reply: list[Any], started: float) -> _Attempt | None:
        if reply[0] != b"held":
            return None
        claim, tries, doubt, now, entry = reply[1:]
        written, bar, _ = entry.partition(b"|")
        age = (now - int(written)) / 1000 if bar and written.isdigit() else 0.0
        return _Attempt(claim, tries, bool(doubt), age, entry, started + self._lease)

    async def _release(self, key: Key) -> None:
        tag, conv = key
        async with asyncio.timeout(_RELEASES):
            await self._store.run(
                _RELEASE, [keys.wake(tag), keys.owners(tag)], [conv, self._owner, _ms(self._policy.doubt)]
            )


async def _insist(step: Callable[[], Awaitable[tuple[bytes, _Attempt | None]]]) -> tuple[bytes, _Attempt | None]:
    """Run `step`, again for up to `_PATIENCE` seconds while the store is not available."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while True:
        try:
            return await step()
        except StoreUnavailable:
            if loop.time() >= end:
                raise
            await asyncio.sleep(_PAUSE)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
