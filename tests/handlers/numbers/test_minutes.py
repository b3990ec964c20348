"""Whose minutes were talked: what super admins and others see of it."""

import pytest

from handlers.calls.voice import LegContext, LegEnd, Voice
from handlers.framework.screens import Chart, Screen, Table, strip_markup
from tests.handlers.calls.test_voice import OWN, provide
from tests.handlers.world import NOW, World, company, screen, words


async def talk(world: World, minutes: int, person: str | None, number: str = OWN, call: str = "C1") -> None:
    mark = LegContext("acme", call, number, person, world.now)
    await Voice(world.services()).count(LegEnd(f"{call}-2", number, str(minutes * 60), mark, world.now))


def charts(shown: Screen) -> list[Chart]:
    return [block for block in shown.blocks if isinstance(block, Chart)]


def rows(shown: Screen) -> list[list[str]]:
    return [list(map(strip_markup, row)) for block in shown.blocks if isinstance(block, Table) for row in block.rows]


@pytest.fixture
async def month(world: World) -> World:
    await provide(world)
    await talk(world, 30, "max", call="C1")
    await talk(world, 60, "ada", "+442079460901", call="C2")
    await talk(world, 10, None, call="C3")
    return world


async def test_super_admins_see_minutes_by_number_and_by_person(month: World) -> None:
    shown = screen(await month.type("UADA", "usage"))
    numbers, people = charts(shown)
    assert numbers.bars == (("020 7946 0901", 60), ("020 7946 0900", 40))
    assert people.bars == (("you", 60), ("Max Miller", 30), ("nobody", 10))
    assert people.alt == "Minutes by person: you 60, Max Miller 30, nobody 10"
    assert ["020 7946 0901", "60", "60%"] in rows(shown)
    assert ["Max Miller", "30", "30%"] in rows(shown)
    assert "100 of 3,000 minutes" in words(shown)
    assert "the minutes last until they are full again" in words(shown)


async def test_others_see_the_pool_and_their_own(month: World) -> None:
    shown = screen(await month.type("UMAX", "usage"))
    assert charts(shown) == []
    assert "Your own calls: 30 minutes this month" in words(shown)
    assert "100 of 3,000 minutes" in words(shown)
    assert "Ada" not in words(shown).replace("Ada and Robin can ask", "")


async def test_the_day_on_which_the_pool_runs_out_is_told_in_time(month: World) -> None:
    await month.apply(company(limits={"minutes": 140}))
    assert "the minutes are used up on 28 Nov" in words(await month.type("UADA", "usage"))
    await talk(month, 40, "max", call="C9")
    assert "the minutes were used up on 20 Nov" in words(await month.type("UADA", "usage"))


async def test_a_month_without_calls_says_so(world: World) -> None:
    await provide(world)
    assert "Nobody has used minutes this month yet." in words(await world.type("UADA", "usage"))
    assert "Your own calls: 0 minutes" in words(await world.type("UMAX", "usage"))


async def test_many_numbers_end_in_one_row(month: World) -> None:
    for n in range(30):
        await talk(month, 1, "max", f"+4420794620{n:02}", call=f"D{n}")
    shown = screen(await month.type("UADA", "usage"))
    assert len(charts(shown)[0].bars) == 10
    assert ["12 others", "12", "9%"] in rows(shown)


async def test_last_months_minutes_are_not_this_months(month: World) -> None:
    month.now = NOW.replace(month=12, day=2)
    shown = screen(await month.type("UADA", "usage"))
    assert charts(shown) == []
    assert "0 of 3,000 minutes" in words(shown)
