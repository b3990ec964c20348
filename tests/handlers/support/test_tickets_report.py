"""The report at the desk: what it counts is what the command line counts, for those who may see it, over their days."""

from datetime import date

import pytest

from domain.support.ticket import TicketState
from handlers.framework.screens import Chart, Screen, Table, strip_markup
from handlers.support.report_data import DateRange, parse_date_range
from tests.handlers.office import Office
from tests.handlers.world import screen, words

TODAY = date(2026, 11, 26)


async def report(office: Office, user: str, text: str = "report") -> Screen:
    return screen(await office.world.type(user, text, name="support"))


def table(shown: Screen) -> list[list[str]]:
    (found,) = [block for block in shown.blocks if isinstance(block, Table)]
    return [list(found.columns), *([strip_markup(cell) for cell in row] for row in found.rows)]


async def _some(office: Office) -> None:
    """Sam answers a chat after 3 minutes and an email in time; another chat is missed; one is closed by its person."""
    chat, late, email = [await office.create("UMAX", channel) for channel in ("chat", "chat", "email")]
    office.world.later(minutes=3)
    await office.fill("USAM", "desk.reply", chat.number, {"reply": "On it."})
    await office.fill("USAM", "desk.reply", email.number, {"reply": "Looking."})
    office.world.later(minutes=60)
    await office.fill("ULENA", "desk.reply", late.number, {"reply": "Sorry."})
    left = await office.create("UMAX", "email")
    await office.press("UMAX", "ticket.close", left.number)
    assert (await office.get(left.number)).state is TicketState.CLOSED


async def test_kept_and_broken_by_channel_person_and_promise(office: Office) -> None:
    await _some(office)
    shown = await report(office, "USAM")
    said = words(shown)
    assert "Kept: 2 of 3 (66 %)" in said
    assert "Not waited for: 1" in said
    assert table(shown) == [
        ["Channel", "Kept", "Broken", "Not waited for", "Median", "90 %"],
        ["chat", "1", "1", "0", "3 min", "1 h 3 min"],
        ["email", "1", "0", "1", "3 min", "3 min"],
    ]
    (chart,) = [block for block in shown.blocks if isinstance(block, Chart)]
    assert chart.bars == (("chat", 50), ("email", 100))
    by_person = screen(await office.press("USAM", "desk.report.person", "|person"))
    assert table(by_person)[1:] == [
        ["Sam", "2", "0", "0", "3 min", "3 min"],
        ["Lena", "0", "1", "0", "1 h 3 min", "1 h 3 min"],
        ["nobody", "0", "0", "1", "–", "–"],
    ]
    by_kind = screen(await office.press("USAM", "desk.report.kind", "7 days|kind"))
    assert [row[0] for row in table(by_kind)[1:]] == ["First response"]
    # Other days: none of it.
    assert "No promise ended" in words(await office.press("USAM", "desk.report.span", "last month|person"))


async def test_who_may_see_it(office: Office) -> None:
    assert "No promise ended" in words(await report(office, "UADA"))  # a super admin
    assert "Only specialists and super admins" in words(await report(office, "UMAX"))
    assert "Only specialists and super admins" in words(await office.press("UMAX", "desk.report", ""))
    assert "Only specialists and super admins" in words(await office.press("UMAX", "desk.report.person", "|person"))


async def test_made_up_days_are_refused_and_other_words_are_a_question(office: Office) -> None:
    for value in ("", "x|channel", "|nothing", "7 days", "²|channel", "9" * 90):
        assert "can't be read" in words(await office.press("USAM", "desk.report.span", value))
    asked = words(await report(office, "USAM", "report a problem with calls"))
    assert "report a problem with calls" in asked
    assert "Promises from" not in asked


async def test_the_queue_leads_to_it(office: Office) -> None:
    assert "desk.report" in str(screen(await office.world.type("USAM", "queue", name="support")))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", date(2026, 10, 28), TODAY),
        ("7", date(2026, 11, 20), TODAY),
        ("7 Days", date(2026, 11, 20), TODAY),
        ("1 day", TODAY, TODAY),
        (" this  month", date(2026, 11, 1), TODAY),
        ("last month", date(2026, 10, 1), date(2026, 10, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-11", date(2026, 11, 1), TODAY),
    ],
)
def test_days_that_are_understood(text: str, first: date, last: date) -> None:
    assert parse_date_range(text, TODAY) == DateRange(first, last)


@pytest.mark.parametrize("text", ["0", "-1", "1000", "2026-12", "2026-13", "yesterday", "7 weeks", "a problem", "７"])
def test_days_that_are_not(text: str) -> None:
    assert parse_date_range(text, TODAY) is None


def test_a_month_that_begins_a_year() -> None:
    assert parse_date_range("last month", date(2026, 1, 31)) == DateRange(date(2025, 12, 1), date(2025, 12, 31))
