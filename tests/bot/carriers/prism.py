"""Twilio's own OpenAPI description, served by Prism on loopback: what it does not describe is refused.

Use the fixture `described` (a module's conftest imports it): the API's root, for `Twilio(…, api_url=described)`. A
request that the description does not allow gets 401 (no basic auth), 404 (no such resource), 405, or 422 with Prism's
list of violations; any other gets the description's example. A form's field that is not described is passed over, as
Twilio passes it over (the pretend Twilio refuses those). Nothing is remembered between requests.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.node_tools import MODULES, api_description, node
from tests.servers import free_port

START: Final = 60.0  # seconds until it answers, on a busy machine; 2 to 4 where nothing else runs
STOP: Final = 5.0
_CLI: Final = ("@stoplight/prism-cli", "dist/index.js")


def served(description: Any) -> Any:
    """The description as it is served: its examples are given unchecked.

    They don't hold to its own schemas (empty SIDs, relative URLs, prices as text: as Twilio really answers), so that
    Prism would refuse its own answers.
    """
    for path in description["paths"].values():
        for operation in path.values():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            for response in operation["responses"].values():
                for kind in response.get("content", {}).values():
                    if kind.get("examples"):
                        kind["schema"] = {"type": "object"}
    return description


@contextmanager
def serving(description: Path, folder: Path) -> Iterator[str]:
    """Prism with the description; its log and copy in `folder`. Yields its root address."""
    program, port = node(_CLI[0]), free_port()
    copy, log = folder / "twilio.json", folder / "prism.log"
    copy.write_text(json.dumps(served(json.loads(description.read_text(encoding="utf-8")))), encoding="utf-8")
    options = ("mock", "--port", str(port), "--host", "127.0.0.1", "--errors", str(copy))
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [program, str(MODULES.joinpath(*_CLI)), *options], stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            _answers(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + START
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()  # loopback
        except HTTPError as answer:  # it knows no such path: it is up
            answer.close()
            return
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"Prism did not come up: {log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Prism with Twilio's description; the test skips where that can't be had."""
    description = api_description()
    with serving(description, tmp_path_factory.mktemp("prism")) as url:
        yield url
