"""Metrics, and the wrappers that time and count what the bot does. Labels are from bounded sets."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from bot.chat.types import Handler
from handlers.framework.events import Inbound, event_label
from handlers.framework.router import OWN_NAME
from handlers.framework.screens import Response
from handlers.workflows import ROUTES
from store.engine.effects import Effect, Sender, SendResult

# An answer is due in 3 s; a good one takes milliseconds.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
_KNOWN: Final = frozenset(
    {f"command {name}" for name in (*ROUTES.names, OWN_NAME)}
    | {f"press {name}" for name in (*ROUTES.presses, *ROUTES.home_presses)}
    | {f"submit {name}" for name in ROUTES.submits}
    | {f"suggest {name}" for name in ROUTES.suggests}
    | {"opened home", "said message"}
)


class Metrics:
    """What `/metrics` shows, on a registry of its own so that several can live in one process."""

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()

        def times(name: str, text: str, labels: Sequence[str]) -> Histogram:
            return Histogram(name, text, labels, buckets=_BUCKETS, registry=registry)

        def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self.acks = times(
            "switchboard_ack_seconds", "Time from what a person did to the answer that the platform gets", ["handler"]
        )
        self.handled = times(
            "switchboard_handler_seconds", "Time that a handler took, by what came of it", ["handler", "outcome"]
        )
        self.store = times("switchboard_store_seconds", "Time of a step on the store", ["script"])
        self.effects = counter("switchboard_effects", "Sends tried, by kind and result", ["kind", "result"])
        self.calls = counter("switchboard_calls", "Calls by what they were answered with", ["outcome"])
        self.blind_calls = counter("switchboard_calls_without_store", "Calls answered while the store did not")
        self.callbacks = counter("switchboard_call_callbacks", "Ends of legs by what came of them", ["outcome"])
        self.outbox_depth = gauge("switchboard_outbox_depth", "Effects waiting to be sent")
        self.outbox_age = gauge("switchboard_outbox_oldest_age_seconds", "Age of the oldest effect waiting")
        self.outbox_dead = gauge("switchboard_outbox_given_up", "Effects given up, kept to look at")
        self.outbox_seen = gauge("switchboard_outbox_measured_at_seconds", "When the outbox was last looked at")
        self.lag = gauge("switchboard_loop_lag_seconds", "How late the process's clock ticks")
        self.restarts = counter("switchboard_loop_restarts", "Background loops started again after a failure", ["loop"])
        Info("switchboard", "What runs here", registry=registry).info({"version": version})
        ProcessCollector(registry=registry)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)


def store_times(metrics: Metrics) -> Callable[[str, float], None]:
    """The observer for `Store.open`: it times each call by the name of its script."""
    return _LabelCache(metrics.store).observe


def ack_times(metrics: Metrics) -> Callable[[str, str, float], None]:
    """The observer for a platform: it times each answer by kind and name."""
    cached = _LabelCache(metrics.acks)

    def observe(kind: str, name: str, seconds: float) -> None:
        cached.observe(_bounded(kind, name), seconds)

    return observe


def time_handler(handle: Handler, metrics: Metrics) -> Handler:
    """The same handler, each call timed by event and outcome."""
    cached = _LabelCache(metrics.handled)

    async def timed(event: Inbound) -> Response:
        began = perf_counter()
        outcome = "failed"
        try:
            answer = await handle(event)
            outcome = type(answer).__name__.lower()
            return answer
        finally:
            cached.observe(_bounded(*event_label(event)), perf_counter() - began, outcome)

    return timed


def count_deliveries(senders: Mapping[str, Sender], metrics: Metrics) -> dict[str, Sender]:
    """The same senders, each try counted by its result; "unknown" where it raised."""

    def count(kind: str, sender: Sender) -> Sender:
        async def send(effect: Effect, in_doubt: bool) -> SendResult:
            result = "unknown"
            try:
                outcome = await sender(effect, in_doubt)
                result = type(outcome).__name__.lower()
                return outcome
            finally:
                metrics.effects.labels(kind, result).inc()

        return send

    return {kind: count(kind, sender) for kind, sender in senders.items()}


class _LabelCache:
    """A histogram's children by their labels: the library's look-up costs more than observing."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._children: dict[tuple[str, ...], Histogram] = {}

    def observe(self, label: str, seconds: float, *more: str) -> None:
        key = (label, *more)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._histogram.labels(*key)
        child.observe(seconds)


def _bounded(kind: str, name: str) -> str:
    """The label; all names that no handler has claimed, and that anybody can make up, share one."""
    label = f"{kind} {name}"
    return label if label in _KNOWN else f"{kind} other"
