"""Logs. A line names what happened to whom by id, with a correlation id. It never holds what people wrote, and every
phone number in it is masked, in lines of libraries too.
"""

import logging
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

# A plus and digits however they are grouped; a bare run of seven digits or more; digits grouped as in "020 7946 0958".
# Dates, and digits inside an id such as T0123456789, are left alone.
_NUMBER: Final = re.compile(
    r"\+\d(?:[ ().\-/\u00a0]*\d){5,}"
    r"|(?<![\w.\-])\d{7,}(?![\w.])"
    r"|(?<![\w.\-:])(?!\d{4}-\d{2}-\d{2})\(?0\d{1,4}\)?(?:[ \-\u00a0]\d{2,12}){1,4}(?![\w.])"
)
_DEPTH: Final = 6  # of nested values; deeper ones become "…"


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
    """The structlog processor that masks numbers; it runs after exceptions are formatted, so it covers tracebacks."""
    return {
        key: value if key.startswith("_") or key in ("correlation", "level", "logger") else _masked(value)
        for key, value in event.items()
    }


def _json(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs, those of libraries too, to `stream` (standard error): JSON, or plain lines on a terminal."""
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
    # At info these log a line for each request, and Slack's SDK logs whole payloads at debug.
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
    """The logger of a module. Values are passed as keywords, never formatted into the sentence."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return log


def new_correlation() -> str:
    """Give the current task an id that each of its log lines carries from now on; return it, to show to people."""
    correlation = secrets.token_hex(6)
    structlog.contextvars.bind_contextvars(correlation=correlation)
    return correlation


def correlation() -> str:
    """The id that `new_correlation` gave the current task, else ""."""
    found: str = structlog.contextvars.get_contextvars().get("correlation", "")
    return found
