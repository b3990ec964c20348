"""What a log line may hold."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from bot.metrics import Metrics
from bot.telemetry import configure_logs, correlation, logger, mask, new_correlation


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written; the root logger is given back as it was."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logs("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    "number",
    ["+442079460958", "+44 20 7946 0958", "+44 (0)20-7946-0958", "020 7946 0958", "02079460958", "(030) 901820000"],
)
def test_a_number_is_masked_wherever_it_stands(number: str) -> None:
    masked = mask(f"calls to {number} fail")
    assert "7946" not in masked
    assert "90182" not in masked
    assert masked.startswith("calls to ")
    assert masked.endswith(f"{number[-2:]} fail")


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T05:37:32Z", "2026-11-22 05:37", "T0123456789", "1700000000.000100", "127.0.0.1:6379", "3fea1234ff"],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert mask(text) == text


def test_numbers_are_masked_in_values_in_exceptions_and_in_what_libraries_write(log: io.StringIO) -> None:
    ours = logger("ours")
    ours.info("moved", to="+442079460958", all=[{"+442079460958": ("020 7946 0958", 442079460958)}])
    try:
        int("no such number: +442079460958")
    except ValueError:
        ours.exception("failed")
    logging.getLogger("theirs").warning("number %s", "+442079460958")
    assert "7946" not in log.getvalue()
    assert [line["event"] for line in lines(log)] == ["moved", "failed", "number +4•••••58"]
    assert "ValueError" in str(lines(log)[1]["exception"])


def test_everything_that_one_request_causes_carries_its_id(log: io.StringIO) -> None:
    first = new_correlation()
    logger("a").info("one")
    logging.getLogger("b").warning("two")
    assert correlation() == first
    second = new_correlation()
    logger("a").info("three")
    assert [line["correlation"] for line in lines(log)] == [first, first, second]


def test_metrics_of_two_bots_in_one_process_are_apart() -> None:
    one, other = Metrics("1"), Metrics("2")
    one.outbox_depth.set(3)
    assert b"switchboard_outbox_depth 3.0" in one.text()
    assert b"switchboard_outbox_depth 0.0" in other.text()
    assert b'switchboard_info{version="1"} 1.0' in one.text()
    assert b"process_resident_memory_bytes" in one.text()
