"""The demo's clock: how it goes forward, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.demo import account
from domain.calendars import business
from playground.clock import Clock, Jump, JumpRefused
from playground.data.jumps import clock

NOW = datetime(2026, 12, 23, 18, 0, tzinfo=UTC)  # a Wednesday; the account is away on the 24th, Britain until the 28th


def made(path: Path, aim: datetime | None) -> Clock:
    async def to(_now: datetime) -> datetime | None:
        return aim

    return Clock(lambda: NOW, path, (Jump("there", "There", to, "There is nothing."),))


async def test_it_goes_where_it_is_told_and_never_back(tmp_path: Path) -> None:
    time, heard = made(tmp_path / "clock.json", NOW + timedelta(hours=2)), list[str]()
    time.listeners.append(lambda: heard.append("moved"))
    assert time() == NOW
    await time.forward("there")
    assert NOW + timedelta(hours=2) <= time() <= NOW + timedelta(hours=2, seconds=1)
    before = time()
    await time.forward("there")  # it lies behind by now
    assert before < time() <= before + timedelta(seconds=1)
    assert heard == ["moved", "moved"]
    assert made(tmp_path / "clock.json", None)() == time()


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"ahead": "much"}', b'{"ahead": -5}', b'{"ahead": 1e999}'])
def test_what_is_no_clock_counts_for_nothing(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "clock.json").write_bytes(kept)
    assert made(tmp_path / "clock.json", None)() == NOW


async def test_where_there_is_nothing_to_go_to_or_no_way_to_keep_it_it_stays(tmp_path: Path) -> None:
    with pytest.raises(JumpRefused, match="There is nothing"):
        await made(tmp_path / "clock.json", None).forward("there")
    with pytest.raises(JumpRefused, match="--fresh"):
        await made(tmp_path / "clock.json", NOW + timedelta(days=9_000)).forward("there")
    time = made(tmp_path / "nowhere" / "clock.json", NOW + timedelta(hours=1))
    with pytest.raises(JumpRefused, match="can't be written"):
        await time.forward("there")
    assert time() == NOW


async def test_the_next_working_day_is_one_of_the_accounts_and_a_far_deadline_is_none(tmp_path: Path) -> None:
    tomorrow = datetime(2026, 12, 30, 9, 0, tzinfo=UTC)
    kept = [tomorrow - timedelta(days=9), tomorrow, tomorrow + timedelta(days=700)]  # the first is about to be met

    async def soonest(_after: datetime) -> datetime:
        return kept.pop(0)

    ours, path = account(), tmp_path / "clock.json"
    time = clock(path, lambda: NOW, ours.zone, business(ours).next_open, soonest, fresh=True)
    await time.forward("day")
    assert time().replace(second=0, microsecond=0) == datetime(2026, 12, 29, 9, 0, tzinfo=UTC)
    await time.forward("deadline")
    assert time().replace(second=0, microsecond=0) == tomorrow
    with pytest.raises(JumpRefused, match="No ticket"):
        await time.forward("deadline")
    assert clock(path, lambda: NOW, ours.zone, business(ours).next_open, soonest, fresh=True)() == NOW
