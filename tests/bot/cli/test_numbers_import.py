"""Numbers from a CSV file."""

from pathlib import Path

import pytest

from bot import numbers_file
from bot.cli import common
from tests.bot.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("applied")

TWO = "number,assigned_to,forwarding,state,label\n020 7946 0900,Max,020 7946 0111,,Sales\n+442079460901,,,porting,\n"


def import_(run: Run, text: str | bytes, *options: str) -> tuple[int, list[str]]:
    Path("n.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    said = run("numbers", "import", "acme", "n.csv", *options)
    assert said.err == ""
    return said.status, said.out.splitlines()


def refused(run: Run, text: str | bytes) -> str:
    Path("n.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return run("numbers", "import", "acme", "n.csv").refused()


def test_twice_changes_nothing_and_a_dry_run_never(run: Run) -> None:
    assert import_(run, TWO, "--dry-run") == (
        0,
        ["acme: 2 would be imported, 0 already so, 0 refused (nothing changed: a dry run)"],
    )
    assert import_(run, TWO) == (0, ["acme: 2 imported, 0 already so, 0 refused"])
    assert import_(run, TWO) == (0, ["acme: 0 imported, 2 already so, 0 refused"])
    assert import_(run, TWO, "--dry-run")[1][0].startswith("acme: 0 would be imported, 2 already so")


def test_a_line_changed_is_imported_again(run: Run) -> None:
    import_(run, TWO)
    assert import_(run, TWO.replace("Max", "Ada")) == (0, ["acme: 1 imported, 1 already so, 0 refused"])


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TWO,
        TWO.replace("\n", "\r\n"),
        TWO.replace(",", ";"),
        TWO.replace(",", "\t"),
        TWO.replace("020 7946 0900", '"(020) 7946-0900"'),
        TWO.replace("number,assigned_to,forwarding,state,label", "Phone Number, OWNER ,forward_to,Status,Name"),
        "number,assigned_to,forwarding,state,label\n\n,,,,\n" + TWO.partition("\n")[2] + "\n\n",
    ],
)
def test_the_forms_a_spreadsheet_writes(run: Run, text: str) -> None:
    assert import_(run, text) == (0, ["acme: 2 imported, 0 already so, 0 refused"])


REFUSED = {
    "4.42E+11": "preadsheet shortened the number",
    "4,42E+11": None,  # two cells: a column too much
    "=HYPERLINK(1)": "a formula",
    "hello": "There is no phone number in that",
    "112": "emergency",
    "+442079460900 x12": "no extension",
    "+442079460900,zed": 'acme has no person "zed"',
    "+442079460900,ma": "Max and Maxine",
    "+442079460900,,+442079460900": "itself",
    "+442079460900,,hello": "There is no phone number in that",
    "+442079460900,,4.4E+11": "preadsheet shortened the number",
    "+442079460900,,,deleted": "the state must be active, pending or porting",
    "+442079460900,,,,=1+1": "a formula",
    "+442079460900,,,,," + "x": "more cells than the header",
    "+442079460900,,,," + "x" * 500: "at most 40 characters",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_is_refused_with_its_number_and_the_reason(run: Run, line: str) -> None:
    status, lines = import_(run, f"number,assigned_to,forwarding,state,label\n020 7946 0901,,,,\n{line}\n")
    assert status == 1
    assert lines[-1] == "acme: 1 imported, 0 already so, 1 refused"
    assert lines[0].startswith("line 3: ")
    assert (REFUSED[line] or "") in lines[0]


def test_a_number_twice_and_numbers_that_forward_to_each_other(run: Run) -> None:
    text = (
        "number,forwarding\n+442079460900,\n020 7946 0900,\n+442079460901,+442079460902\n+442079460902,+442079460901\n"
    )
    status, lines = import_(run, text)
    assert status == 1
    assert lines[0] == "line 3: The number is in line 2 already."
    assert lines[1].startswith("line 5: That number forwards back")


def test_the_line_of_a_cell_with_breaks_is_where_it_begins(run: Run) -> None:
    text = 'number,label\n+442079460900,"one\ntwo\nthree"\nhello,\n'
    assert import_(run, text)[1][0].startswith("line 5: ")


def test_the_quota_holds(run: Run) -> None:
    """Professional: three. A number that is being ported holds no slot."""
    lines = [f"+4420794609{i:02d}," for i in range(5)] + ["+442079460958,porting"]
    text = "number,state\n" + "\n".join(lines) + "\n"
    for options in (["--dry-run"], []):
        status, said = import_(run, text, *options)
        assert status == 1
        assert said[-1].startswith("acme: 4 ")
        assert [line[:7] for line in said[:-1]] == ["line 5:", "line 6:"]
        assert "all used" in said[0]


def test_a_number_of_another_account_is_not_taken(run: Run, applied: Path) -> None:
    other = applied.with_name("other.yaml")
    text = applied.read_text().replace("id: acme", "id: beta").replace("T1", "T2").replace("+4420794609", "+4412149601")
    other.write_text(text)
    assert run("accounts", "apply", str(other)).status == 0
    for options in (["--dry-run"], []):
        assert (
            import_(run, "number\n+441214960100\n", *options)[1][0] == "line 2: the number belongs to another account"
        )


WRONG_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "n.csv:1: expected a header"),
    "no header": ("+442079460900,Max\n", "n.csv:1: the column"),
    "a wrong column": ("number,asigned_to\n", "did you mean “assigned_to”?"),
    "a column twice": ("number,phone\n", "twice"),
    "no number": ("label,state\n", "“number” is missing"),
    "not text": (b"number\n\xff\xfe\n", "UTF-8"),
    "an open quote": ('number,label\n+442079460900,"open\n', "CSV"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_refused_whole(run: Run, name: str) -> None:
    text, expected = WRONG_FILES[name]
    assert expected in refused(run, text)


def test_a_file_is_bounded_in_size_and_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers_file, "MAX_LINES", 3)
    text = "number\n" + "\n".join(f"+4420794609{i:02d}" for i in range(4))
    assert "n.csv:5: more than 3 lines" in refused(run, text)
    monkeypatch.setattr(numbers_file, "MAX_BYTES", 10)
    assert "larger than" in refused(run, text)
    assert "there is no such file" in run("numbers", "import", "acme", "none.csv").refused()
    assert "expected a file" in run("numbers", "import", "acme", "/dev/zero").refused()


def test_of_many_refused_lines_the_first_are_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "SHOWN", 2)
    status, lines = import_(run, "number\n" + "x\n" * 600)
    assert status == 1
    assert len(lines) == 4
    assert lines[2] == "… and 598 more lines refused"


def test_an_account_without_calling_takes_none(run: Run, applied: Path) -> None:
    applied.write_text(applied.read_text().replace("professional", "free"))
    assert run("accounts", "apply", str(applied)).status == 0
    assert "no calling" in refused(run, TWO)
