"""Logs and metrics. A log line names what happened to whom by id, with a correlation id; it never holds what people
wrote, and every phone number in it is masked, whoever wrote the line.
"""

import logging
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from structlog.typing import EventDict, WrappedLogger

# A plus and digits however they are grouped; a bare run of seven digits or more; digits grouped as in "020 7946 0958".
# Dates, and digits inside an id such as T0123456789, are left alone.
_NUMBER: Final = re.compile(
    r"\+\d(?:[ ().\-/\u00a0]*\d){5,}"
    r"|(?<![\w.\-])\d{7,}(?![\w.])"
    r"|(?<![\w.\-:])(?!\d{4}-\d{2}-\d{2})\(?0\d{1,4}\)?(?:[ \-\u00a0]\d{2,12}){1,4}(?![\w.])"
)
_DEPTH: Final = 6  # of values inside values; deeper ones are shown as "…"


def mask(text: str) -> str:
    """`text` with the middle of every phone number replaced: +4•••••0958."""

    def hide(found: re.Match[str]) -> str:
        digits = [c for c in found.group() if c.isdigit()]
        sign = "+" if found.group().startswith("+") else ""
        return f"{sign}{digits[0]}•••••{''.join(digits[-2:])}"

    return _NUMBER.sub(hide, text)


def _masked(value: object, depth: int = 0) -> object:
    match value:
        case str():
            return mask(value)
        case bool() | float() | None:
            return value
        case int():
            return value if abs(value) < 1_000_000 else mask(str(value))
        case _ if depth >= _DEPTH:
            return "…"
        case Mapping():
            return {mask(str(k)): _masked(v, depth + 1) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(v, depth + 1) for v in value]
        case _:
            return mask(str(value))


def _mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that masks; it runs after exceptions were turned to text, so tracebacks are covered."""
    return {
        key: value if key.startswith("_") or key in ("correlation", "level", "logger") else _masked(value)
        for key, value in event.items()
    }


def _json(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all logs, those of libraries too, to `stream` (standard error): JSON, or plain lines on a terminal."""
    out = sys.stderr if stream is None else stream
    person = out.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask_event,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.dev.ConsoleRenderer(colors=True) if person else _json,
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One line a request from these is noise at info, and Slack's SDK would log whole payloads at debug.
    for name in ("aiohttp.access", "slack_sdk", "slack_bolt", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module; values go in as keywords, never into the sentence."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return log


def new_correlation() -> str:
    """Gives what the current task does from now on an id that every log line carries; also to show to people."""
    correlation = secrets.token_hex(6)
    structlog.contextvars.bind_contextvars(correlation=correlation)
    return correlation


def correlation() -> str:
    """The id of what the current task does; "" outside of any."""
    found: str = structlog.contextvars.get_contextvars().get("correlation", "")
    return found


# An answer is due in 3 s; a good one takes milliseconds.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)


class Metrics:
    """What `/metrics` shows, on a registry of its own so that several can live in one process."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.acks = Histogram(
            "switchboard_ack_seconds",
            "Time from what a person did to the answer that the platform gets",
            ["handler"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.handled = Histogram(
            "switchboard_handler_seconds",
            "Time that a handler took, by what came of it",
            ["handler", "outcome"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.store = Histogram(
            "switchboard_store_seconds",
            "Time of a step on the store",
            ["script"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.effects = Counter(
            "switchboard_effects", "Sends tried, by kind and result", ["kind", "result"], registry=self.registry
        )
        self.calls = Counter(
            "switchboard_calls", "Calls by what they were answered with", ["outcome"], registry=self.registry
        )
        self.blind_calls = Counter(
            "switchboard_calls_without_store", "Calls answered while the store did not", registry=self.registry
        )
        self.callbacks = Counter(
            "switchboard_call_callbacks", "Ends of legs by what came of them", ["outcome"], registry=self.registry
        )
        self.outbox_depth = Gauge("switchboard_outbox_depth", "Effects waiting to be sent", registry=self.registry)
        self.outbox_age = Gauge(
            "switchboard_outbox_oldest_age_seconds", "Age of the oldest effect waiting", registry=self.registry
        )
        self.outbox_dead = Gauge(
            "switchboard_outbox_given_up", "Effects given up, kept to look at", registry=self.registry
        )
        self.outbox_seen = Gauge(
            "switchboard_outbox_measured_at_seconds", "When the outbox was last looked at", registry=self.registry
        )
        self.lag = Gauge("switchboard_loop_lag_seconds", "How late the process's clock ticks", registry=self.registry)
        self.restarts = Counter(
            "switchboard_loop_restarts",
            "Background loops started again after a failure",
            ["loop"],
            registry=self.registry,
        )
        Info("switchboard", "What runs here", registry=self.registry).info({"version": version})
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)
