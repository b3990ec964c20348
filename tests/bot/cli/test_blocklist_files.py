"""The blocklist from and to CSV files, by the command line."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import common
from handlers.blocklist import csv_file
from tests import ROOT
from tests.bot.cli.conftest import Run
from tests.servers import until

pytestmark = pytest.mark.usefixtures("applied")

FOUR = """\
number,direction,reason,expires
0121 496 0777,in,"rude, very",
+4870*,,,2030-06-30
anonymous,,,
+441214960778,allow,,
"""


def import_(run: Run, text: str | bytes, *options: str) -> tuple[int, list[str]]:
    Path("b.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    said = run("blocklist", "import", "acme", "b.csv", *options)
    assert said.err == ""
    return said.status, said.out.splitlines()


def test_twice_changes_nothing_and_a_dry_run_never(run: Run) -> None:
    dry = "acme: 4 would be imported, 0 already there, 0 refused (nothing changed: a dry run)"
    assert import_(run, FOUR, "--dry-run") == (0, [dry])
    assert import_(run, FOUR) == (0, ["acme: 4 imported, 0 already there, 0 refused"])
    assert import_(run, FOUR) == (0, ["acme: 0 imported, 4 already there, 0 refused"])
    assert import_(run, FOUR, "--dry-run")[1][0].startswith("acme: 0 would be imported, 4 already there")


def test_an_export_comes_back_without_changing_anything(run: Run) -> None:
    import_(run, FOUR)
    assert run("blocklist", "export", "acme", "out.csv").err.strip() == "acme: 4 exported to out.csv"
    text = Path("out.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfnumber,direction,reason,expires\r\n")
    assert import_(run, text) == (0, ["acme: 0 imported, 4 already there, 0 refused"])
    assert not Path("out.csv.part").exists()


def test_lines_are_refused_with_their_number_and_the_reason(run: Run) -> None:
    status, lines = import_(run, "number\n0121 496 0777\nhello\n4.42E+11\n112\n")
    assert status == 1
    assert [line.partition(":")[0] for line in lines] == ["line 3", "line 4", "line 5", "acme"]
    assert lines[-1] == "acme: 1 imported, 0 already there, 3 refused"


def test_what_would_stop_ones_own_calls_wants_a_word_more(run: Run) -> None:
    Path("n.csv").write_text("number\n+442079460900\n")
    assert run("numbers", "import", "acme", "n.csv").status == 0
    text = "number\n+442079460900\n+441214960777\n"
    status, lines = import_(run, text)
    assert status == 1
    assert lines[0].startswith("+442079460900: the account's own number")
    assert lines[-1] == "acme: 1 imported, 0 already there, 0 refused, 1 only with --anyway"
    assert import_(run, text, "--anyway") == (0, ["acme: 1 imported, 1 already there, 0 refused"])


WRONG_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "b.csv:1: expected a header"),
    "a wrong column": ("nummber\n", "did you mean “number”"),
    "not text": (b"number\n\xff\xfe\n", "b.csv: not text in UTF-8"),
    "UTF-16": ("number\n1\n".encode("utf-16"), "UTF-16"),
    "an open quote": ('number,reason\n+442079460900,"open\n', "CSV"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_refused_whole(run: Run, name: str) -> None:
    content, expected = WRONG_FILES[name]
    Path("b.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    assert expected in run("blocklist", "import", "acme", "b.csv").refused()


def test_a_file_is_bounded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "IMPORT_LINES", 3)
    Path("b.csv").write_text("number\n" + "".join(f"+44121496{n:04}\n" for n in range(5)))
    assert "more than 3 lines" in run("blocklist", "import", "acme", "b.csv").refused()
    assert "no such file" in run("blocklist", "import", "acme", "none.csv").refused()
    assert "expected a file" in run("blocklist", "import", "acme", "/dev/zero").refused()
    assert "there is no account" in run("blocklist", "export", "acne").refused()
    assert "can't be written" in run("blocklist", "export", "acme", "/nowhere/x.csv").refused()


def test_an_account_without_the_feature_has_none(run: Run, applied: Path) -> None:
    applied.write_text(applied.read_text().replace("    inventory", "    features: {blocklist: false}\n    inventory"))
    assert run("accounts", "apply", str(applied)).status == 0
    assert "features: blocklist: false" in run("blocklist", "export", "acme").refused()


def test_of_many_refused_lines_the_first_are_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "SHOWN", 2)
    status, lines = import_(run, "number\n" + "x\n" * 600)
    assert (status, len(lines)) == (1, 4)
    assert lines[2] == "… and 598 more lines refused"


def test_interrupted_and_started_again_it_ends_as_if_it_had_not_been(run: Run, tmp_path: Path) -> None:
    Path("b.csv").write_text("number\n" + "".join(f"+4412{n:08}\n" for n in range(300_000)))
    command = [sys.executable, "-m", "bot", "blocklist", "import", "acme", "b.csv"]
    root = str(ROOT)
    child = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin"})
    written = tmp_path / "data"
    until(lambda: sum(file.stat().st_size for file in written.rglob("*.incr.aof")) > 200_000, "the import")
    child.send_signal(signal.SIGINT)
    assert child.wait(20) in {130, 0}
    said = run("blocklist", "import", "acme", "b.csv")
    added, there = (int(part.split()[0].replace(",", "")) for part in said.out.split(": ")[1].split(", ")[:2])
    assert added + there == 300_000
    assert run("blocklist", "import", "acme", "b.csv").out.startswith("acme: 0 imported, 300,000 already there")
