"""`switchboard report gaps`, and what `doctor` says of articles."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.settings import read_settings
from bot.wiring import open_repositories
from domain.support.questions import week
from tests import present
from tests.bot.cli.conftest import ACCOUNTS, Run


async def asked(*gaps: str | None) -> None:
    async with open_repositories(read_settings({}, None)) as kept:
        snapshot = present(await kept.accounts.get("acme"))
        now = datetime.now(UTC)
        for i, gap in enumerate(gaps):
            await kept.asking.record_question(
                snapshot,
                "max",
                f"{i}",
                question="?",
                language="en",
                found=(),
                at=now,
                week=week(snapshot.account, now),
                gap=gap,
            )


def test_gaps_are_told_the_most_frequent_first(run: Run, applied: Path) -> None:
    asyncio.run(asked("moon landing", None, "moon landing", "xenon", ""))
    said = run("report", "gaps", "acme")
    assert said.status == 0
    head, *rows = said.out.splitlines()
    assert head.endswith("5 asked, 4 without an answer")
    assert [row.split(maxsplit=1) for row in rows] == [["2", "moon landing"], ["1", "xenon"]]
    data = json.loads(run("report", "gaps", "acme", "--json", "--since", f"{datetime.now(UTC):%Y-%m-%d}").out)
    assert (data["asked"], data["unanswered"], len(data["weeks"])) == (5, 4, 1)
    assert data["questions"][0] == {"question": "moon landing", "count": 2}
    assert "max" not in json.dumps(data)


def test_nothing_asked_is_a_line_too(run: Run, applied: Path) -> None:
    assert "0 asked, 0 without an answer" in run("report", "gaps", "acme").out


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("acme", "--since", "yesterday"), "--since must be a day"),
        (("acme", "--since", "2999-01-01"), "is in the future"),
        (("acmee",), 'there is no account "acmee"; did you mean "acme"?'),
        ((), "Missing argument"),
    ],
)
def test_bad_input_is_one_line(run: Run, applied: Path, args: tuple[str, ...], why: str) -> None:
    assert why in run("report", "gaps", *args).refused()


def test_doctor_names_each_article_that_can_t_be_used(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "help"
    folder.mkdir()
    (folder / "good.md").write_text("---\ntitle: Good\n---\nText.\n")
    (folder / "bad.md").write_text("Text.\n")
    file = tmp_path / "accounts.yaml"
    file.write_text(f"{ACCOUNTS}    articles: ./help\n")
    run("accounts", "apply", str(file))
    said = run("doctor").out
    assert f"acme has 1 in {folder}: en" in said
    assert f"{folder}/bad.md is left out: has no front matter" in said
    (folder / "good.md").unlink()
    folder.rename(tmp_path / "gone")
    assert f"{folder} can't be read" in run("doctor").out
