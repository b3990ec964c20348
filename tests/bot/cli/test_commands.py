"""The commands as an operator runs them."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from bot import accounts_file
from bot.version import VERSION
from tests.bot.cli.conftest import ACCOUNTS, Run
from tests.servers import free_port

WRONG_CALLS = {
    "no such command": (["srve"], "srve"),
    "no such option": (["serve", "--loud"], "--loud"),
    "a group alone": (["accounts"], "apply, show"),
    "an argument is missing": (["accounts", "apply"], "FILE"),
    "an argument too much": (["accounts", "show", "a", "b"], "b"),
    "a value that is none": (["explain", "acme", "ada", "--surface", "watch"], "watch"),
    "no such file": (["accounts", "apply", "nowhere.yaml"], "nowhere.yaml"),
    "no account yet": (["accounts", "show", "acme"], "none yet"),
    "no language": (["explain", "acme", "ada", "--language", "12"], "--language"),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_is_one_line(run: Run, name: str) -> None:
    args, expected = WRONG_CALLS[name]
    assert expected in run(*args).refused()


def test_wrong_settings_are_one_line_for_every_command(run: Run) -> None:
    for args in (["serve"], ["demo"], ["accounts", "show", "acme"], ["explain", "acme", "ada"]):
        assert "PORT" in run(*args, PORT="http").refused()
        assert "hunter2" not in run(*args, REDIS_URL="redis://:hunter2@host:x").refused()


def test_help_and_version(run: Run) -> None:
    assert run("--version").out == f"switchboard, version {VERSION}\n"
    for args in ([], ["--help"], ["-h"]):
        said = run(*args)
        assert said.status == 0
        for command in ("serve", "demo", "doctor", "accounts", "explain", "numbers"):
            assert f"\n  {command} " in said.out


def test_a_store_that_is_not_there_is_one_line(run: Run) -> None:
    said = run("accounts", "show", "acme", REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert (said.status, said.out) == (1, "")
    assert len(said.err.splitlines()) == 1


def test_a_file_applied_twice_changes_nothing(run: Run, applied: Path) -> None:
    again = run("accounts", "apply", str(applied))
    assert (again.status, again.out, again.err) == (0, "nothing changed (1 account)\n", "")
    applied.write_text(
        applied.read_text().replace("name: Acme", "name: Acme Ltd").replace("professional", "enterprise")
    )
    changed = run("accounts", "apply", str(applied))
    assert changed.out.splitlines() == [
        "acme: name: Acme → Acme Ltd",
        "acme: subscription: {line: sales, tier: professional} → {line: sales, tier: enterprise}",
    ]


def test_what_is_shown_is_the_file(run: Run, applied: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shown.yaml"
    shown.write_text(run("accounts", "show", "acme").out)
    assert accounts_file.read_accounts(shown).accounts == accounts_file.read_accounts(applied).accounts
    assert run("accounts", "apply", str(shown)).out == "nothing changed (1 account)\n"
    assert 'did you mean "acme"?' in run("accounts", "show", "acne").refused()


def test_a_wrong_file_changes_nothing(run: Run, applied: Path) -> None:
    before = run("accounts", "show", "acme").out
    applied.write_text(
        applied.read_text().replace("name: Acme", "name: Other").replace("seat: sales}", "seat: throne}")
    )
    assert "throne" in run("accounts", "apply", str(applied)).refused()
    assert run("accounts", "show", "acme").out == before


def test_what_another_account_has_is_refused(run: Run, applied: Path) -> None:
    other = applied.with_name("other.yaml")
    for claim in ("inventory", "workspaces"):
        text = applied.read_text().replace("id: acme", "id: beta")
        other.write_text("".join(line for line in text.splitlines(keepends=True) if claim not in line))
        sentence = run("accounts", "apply", str(other)).refused()
        assert "acme" in sentence
        assert "beta" in sentence
    assert "there is no account" in run("accounts", "show", "beta").refused()


def test_who_leaves_with_numbers_is_warned_of(run: Run, applied: Path, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("number,assigned_to\n020 7946 0900,Max\n")
    assert run("numbers", "import", "acme", "n.csv").status == 0
    lines = [line for line in applied.read_text().splitlines() if "id: max," not in line]
    applied.write_text("\n".join(lines))
    said = run("accounts", "apply", str(applied))
    assert said.out == "acme: people: removed max\n"
    assert said.err == "switchboard: warning: Max is no longer in acme but still has a number\n"


def test_explain_for_programs(run: Run, applied: Path) -> None:
    data = orjson.loads(run("explain", "acme", "ada", "--json").out)
    assert {key: data[key] for key in ("account", "person", "surface", "language")} == {
        "account": "acme",
        "person": "ada",
        "surface": "desktop",
        "language": None,
    }
    assert list(data["channels"]) == [
        *("knowledge_base", "community", "chat", "email", "callback", "phone"),
        *("premium_chat", "premium_email", "premium_callback", "premium_phone"),
    ]
    assert data["channels"]["email"] == {
        "allowed": True,
        "reasons": [],
        "language": "en",
        "expected": "usually within one business day",
        "guaranteed_minutes": None,
    }
    assert data["channels"]["premium_phone"]["reasons"] == ["premium", "number"]
    mobile = orjson.loads(
        run("explain", "acme", "ada", "--surface", "mobile", "--language", "pl", "--critical", "--json").out
    )
    assert (mobile["surface"], mobile["language"]) == ("mobile", "pl")
    assert mobile["channels"]["callback"]["reasons"] == ["mobile"]
    assert mobile["channels"]["phone"]["reasons"] == ["mobile", "language", "number"]


def test_explain_goes_by_the_clock_of_the_process(run: Run, applied: Path) -> None:
    """Callback left the mobile client on 2024-09-03."""
    applied.write_text(applied.read_text().replace("2024-03-05", "2023-01-01"))
    run("accounts", "apply", str(applied))

    def reasons(offset: int) -> list[str]:
        args = ("explain", "acme", "ada", "--surface", "mobile", "--json")
        found: list[str] = orjson.loads(run(*args, SWITCHBOARD_CLOCK_OFFSET=str(offset)).out)["channels"]["callback"][
            "reasons"
        ]
        return found

    assert reasons(0) == ["mobile"]
    assert reasons(-20 * 365 * 86_400) == []


def test_explain_for_people(run: Run, applied: Path) -> None:
    said = run("explain", "acme", "Maxine")
    assert said.out.splitlines()[0] == "Maxine (maxine) of Acme: professional, seat none, desktop"
    assert "no   (seat) needs a core, sales or service seat, which a super admin gives" in said.out


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("ada", "ada"),
        ("ADA@example.com", "ada"),
        ("Ada", "ada"),
        ("@max", "max"),
        ("maxi", "maxine"),
        ("slack:U9", "slack:U9"),
    ],
)
def test_a_person_is_found_by_id_email_or_name(run: Run, applied: Path, who: str, expected: str) -> None:
    assert orjson.loads(run("explain", "acme", who, "--json").out)["person"] == expected


def test_a_person_who_is_none_or_several_is_one_line(run: Run, applied: Path) -> None:
    assert 'did you mean "maxine"?' in run("explain", "acme", "maxime").refused()
    assert "Max and Maxine" in run("explain", "acme", "ma").refused()
    assert "acme has no person" in run("explain", "acme", "").refused()


def test_doctor_names_what_fails_and_how_to_mend_it(run: Run, applied: Path) -> None:
    well = run("doctor")
    assert well.status == 0
    assert [line.split()[:2] for line in well.out.splitlines()] == [
        ["ok", part] for part in ("settings", "store", "accounts", "outbox", "slack", "mail", "teams", "carrier")
    ]
    port = free_port()
    ill = run(
        "doctor",
        SMTP_URL=f"smtp://127.0.0.1:{port}",
        MAIL_FROM="bot@example.com",
        SLACK_SIGNING_SECRET="s",
        SLACK_BOT_TOKEN="xoxb-secret",
        SLACK_API_URL=f"http://127.0.0.1:{port}/",
    )
    assert ill.status == 1
    failed = [line.split()[1] for line in ill.out.splitlines() if line.startswith("fail")]
    assert failed == ["slack", "mail"]
    assert "xoxb-secret" not in ill.out
    wrong = run("doctor", PORT="http")
    assert (wrong.status, wrong.out.split()[:2]) == (1, ["fail", "settings"])


def test_where_it_cannot_serve_the_reason_stands_alone(run: Run) -> None:
    assert "HOST" in run("serve", HOST="nowhere.invalid").refused()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "set another PORT" in run("serve", PORT=str(taken.getsockname()[1])).refused()


def test_accounts_can_be_applied_while_the_bot_serves(tmp_path: Path, run: Run) -> None:
    environ = {**os.environ, "PORT": "0", "SWITCHBOARD_DATA_DIR": str(tmp_path / "data")}
    serving = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env=environ, stderr=subprocess.PIPE, text=True)
    try:
        assert serving.stderr is not None
        assert any('"ready"' in line for line in serving.stderr)
        file = tmp_path / "accounts.yaml"
        file.write_text(ACCOUNTS)
        assert run("accounts", "apply", str(file)).status == 0
        assert run("accounts", "show", "acme").status == 0
        assert serving.poll() is None
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(15) == 0
        serving.communicate()


def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    """A command that waits for a store which accepts and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environ = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{silent.getsockname()[1]}"}
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "accounts", "show", "acme"], env=environ, stderr=subprocess.PIPE, text=True
        )
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=10)
    assert (process.returncode, err.strip()) == (130, "")
