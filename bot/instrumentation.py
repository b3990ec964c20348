"""Counts what the bot does for people: how long, and what came of it. Labels are from bounded sets."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final

from prometheus_client import Histogram

from bot.chat.types import Handler
from bot.telemetry import Metrics
from handlers.framework.events import Inbound, event_label
from handlers.framework.forms import Response
from handlers.framework.router import OWN_NAME
from handlers.workflows import ROUTES
from store.engine.effects import Effect, Sender
from store.engine.effects import SendResult as Delivered

_KNOWN: Final = frozenset(
    {f"command {name}" for name in (*ROUTES.names, OWN_NAME)}
    | {f"press {name}" for name in (*ROUTES.presses, *ROUTES.home_presses)}
    | {f"submit {name}" for name in ROUTES.submits}
    | {f"suggest {name}" for name in ROUTES.suggests}
    | {"opened home", "said message"}
)


def store_times(metrics: Metrics) -> Callable[[str, float], None]:
    """For `Store.open`: the time of each call by the name of its script."""
    return _LabelCache(metrics.store).observe


def ack_times(metrics: Metrics) -> Callable[[str, str, float], None]:
    """For a platform: the time of each answer by kind and name."""
    cached = _LabelCache(metrics.acks)

    def observe(kind: str, name: str, seconds: float) -> None:
        cached.observe(_bounded(kind, name), seconds)

    return observe


def time_handler(handle: Handler, metrics: Metrics) -> Handler:
    """The same handler, each call timed by what was asked and what came of it."""
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
        async def send(effect: Effect, in_doubt: bool) -> Delivered:
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
    """A histogram's children by their labels: looking one up costs more than observing."""

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
    """Names that no handler has claimed, which anybody can make up, are all one."""
    label = f"{kind} {name}"
    return label if label in _KNOWN else f"{kind} other"
