"""The command line, run in this process on a data directory of the test."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import main
from bot.settings import VARIABLES

ACCOUNTS = """\
accounts:
  - id: acme
    name: Acme
    created_on: 2024-03-05
    country: GB
    timezone: Europe/London
    subscription: {line: sales, tier: professional}
    workspaces: [{platform: slack, id: T1}]
    customer_success: {name: Robin, email: robin@example.com}
    people:
      - {id: ada, name: Ada, email: ada@example.com, slack: U1, seat: sales, super_admin: true, language: en}
      - {id: max, name: Max, email: max@example.com, slack: U2, seat: sales}
      - {id: maxine, name: Maxine, slack: U3}
    inventory: ["+442079460900", "+442079460901"]
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    def refused(self) -> str:
        """The one line of a refusal; fails for anything else."""
        assert (self.status, self.out) == (2, "")
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("switchboard: ")
        return lines[0].removeprefix("switchboard: ")


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command in an empty directory, with nothing set but what is given by keyword."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def command(*args: str, **environ: str) -> Said:
        with monkeypatch.context() as patched:
            for name, value in environ.items():
                patched.setenv(name, value)
            capsys.readouterr()
            status = main(args)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    yield command
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def applied(run: Run, tmp_path: Path) -> Path:
    """The accounts file, applied."""
    file = tmp_path / "accounts.yaml"
    file.write_text(ACCOUNTS)
    assert run("accounts", "apply", str(file)).status == 0
    return file
