"""What is promised, when it is at risk, and why; clocks held against one that is read minute by minute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import Account
from domain.support import sla
from domain.support.channels import Channel, decide, is_designated
from tests import present
from tests.domain.samples import account, person

MINUTE = timedelta(minutes=1)
MONDAY = "2026-11-16"


def at(text: str) -> datetime:
    """A moment of the week of 16 November 2026 in Berlin ("10:30", "tue 10:30"), or any other in full."""
    if "T" in text:
        return datetime.fromisoformat(text)
    day, _, clock = text.rpartition(" ")
    moved = timedelta(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day or "mon"))
    return datetime.fromisoformat(f"{MONDAY}T{clock}+01:00") + moved


def german(**changes: Any) -> Account:
    return account("enterprise", country="DE", timezone="Europe/Berlin", premium_support=True, **changes)


def clock(
    since: str, *pauses: tuple[str, str | None], kind: sla.PromiseKind = "first_response", **more: Any
) -> sla.Clock:
    stood = tuple(sla.Pause(since=at(begin), until=at(end) if end else None) for begin, end in pauses)
    return sla.Clock(kind=kind, since=at(since), pauses=stood, **more)


def of_email(acme: Account | None = None) -> sla.Promise:
    return sla.promise(acme or german(), Channel.EMAIL, "first_response", designated=False, critical=False)


def of_premium(acme: Account | None = None, critical: bool = False) -> sla.Promise:
    return sla.promise(acme or german(), Channel.PREMIUM_EMAIL, "first_response", designated=True, critical=critical)


# ── What is promised (docs/domain.md 4 and 6) ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("channel", "kind", "designated", "critical", "minutes", "guaranteed", "always"),
    [
        ("email", "first_response", False, False, 480, False, False),
        ("email", "first_response", True, True, 480, False, False),
        ("email", "next_response", False, False, 480, False, False),
        ("chat", "first_response", False, False, 5, False, False),
        ("chat", "next_response", True, True, 5, False, False),
        ("callback", "callback", False, False, 5, False, False),
        ("callback", "next_response", False, False, 480, False, False),
        ("premium_chat", "first_response", True, True, 5, False, False),
        ("premium_callback", "callback", True, True, 5, False, False),
        ("premium_email", "first_response", True, False, 60, True, True),
        ("premium_email", "first_response", True, True, 30, True, True),
        ("premium_email", "first_response", False, False, 480, False, False),
        ("premium_email", "first_response", False, True, 480, False, False),
        ("premium_email", "next_response", True, False, 480, False, False),
        ("premium_email", "next_response", True, True, 30, True, True),
    ],
)
def test_what_is_promised(
    channel: str, kind: sla.PromiseKind, designated: bool, critical: bool, minutes: int, guaranteed: bool, always: bool
) -> None:
    found = sla.promise(german(), Channel(channel), kind, designated=designated, critical=critical)
    assert (found.minutes, found.guaranteed, found.calendar.weekly is None) == (minutes, guaranteed, always)


def test_an_account_may_agree_on_other_aims_but_not_on_guarantees() -> None:
    acme = german(promises={"email": 60, "chat": 2, "callback": 3}, hours={"mon": "09:00-12:00", "tue": "09:00-15:00"})
    aims: list[tuple[Channel, sla.PromiseKind]] = [
        (Channel.EMAIL, "first_response"),
        (Channel.CHAT, "first_response"),
        (Channel.CALLBACK, "callback"),
        (Channel.PREMIUM_EMAIL, "first_response"),
    ]
    assert [sla.promise(acme, *aim, designated=False, critical=False).minutes for aim in aims] == [60, 2, 3, 60]
    assert (of_premium(acme).minutes, of_premium(acme, critical=True).minutes) == (60, 30)


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        (None, 480),
        ({"mon": "09:00-12:00", "tue": "09:00-15:00"}, 270),  # the mean of the days that are open
        ({}, 480),  # never open: nothing is due, but the sentence has a number
    ],
)
def test_one_business_day_is_as_long_as_the_accounts_days_are(hours: object, minutes: int) -> None:
    assert of_email(german(hours=hours)).minutes == minutes


@pytest.mark.parametrize(
    ("channel", "now", "opens", "by"),
    [
        (Channel.CHAT, "10:00", "10:00", "10:05"),
        (Channel.CHAT, "16:58", "16:58", "tue 09:03"),
        (Channel.CHAT, "17:00", "tue 09:00", "tue 09:05"),
        (Channel.CALLBACK, "sat 12:00", "2026-11-23T09:00+01:00", "2026-11-23T09:05+01:00"),
        (Channel.EMAIL, "fri 20:00", "2026-11-23T09:00+01:00", "2026-11-23T17:00+01:00"),
        (Channel.PREMIUM_EMAIL, "sun 03:00", "sun 03:00", "sun 04:00"),
    ],
)
def test_who_asks_outside_of_the_hours_is_promised_from_the_next_opening(
    channel: Channel, now: str, opens: str, by: str
) -> None:
    found = sla.offer(german(), channel, at(now), designated=True)
    assert (found.opens, found.by, found.open) == (at(opens), at(by), opens == now)


def test_a_calendar_that_never_opens_promises_nothing() -> None:
    found = sla.offer(german(hours={}), Channel.CHAT, at("10:00"), designated=False)
    assert (found.opens, found.by, found.open) == (None, None, False)


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("admin", [False, True])
def test_the_channel_decision_and_the_clock_promise_the_same(critical: bool, admin: bool) -> None:
    who = person(super_admin=admin)
    for channel, decision in decide(german(), who, critical=critical, at=at("10:00")).items():
        promised = sla.offer(
            german(), channel, at("10:00"), designated=is_designated(german(), who), critical=critical
        ).promise
        assert decision.guaranteed_minutes == (promised.minutes if promised.guaranteed else None)


# ── When it is due ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("since", "pauses", "due_at", "case"),
    [
        ("10:00", [], "tue 10:00", "no pause"),
        ("10:00", [("11:00", "12:00")], "tue 11:00", "an hour"),
        ("10:00", [("11:00", "12:00"), ("14:00", "16:30")], "tue 13:30", "twice"),
        ("10:00", [("11:00", "11:00")], "tue 10:00", "no time at all"),
        ("10:00", [("16:00", "tue 10:00")], "tue 12:00", "a night: two open hours"),
        ("10:00", [("18:00", "20:00")], "tue 10:00", "outside of the hours"),
        ("10:00", [("fri 18:00", "sat 20:00")], "tue 10:00", "after it was due"),
        ("10:00", [("09:00", "11:00")], "tue 11:00", "begun before it"),
        ("10:00", [("11:00", "13:00"), ("12:00", "12:30")], "tue 12:00", "one inside another: clocks differ"),
        ("10:00", [("11:00", None)], None, "it still stands"),
    ],
)
def test_a_clock_stands_still_while_pending(
    since: str, pauses: list[tuple[str, str | None]], due_at: str | None, case: str
) -> None:
    assert sla.deadline(clock(since, *pauses), of_email()) == (at(due_at) if due_at else None), case


def test_around_the_clock_over_the_hours_that_a_zone_skips_and_repeats() -> None:
    for since, end in (("2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"),) * 2 + (
        ("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
    ):
        assert sla.deadline(clock(since), of_premium()) == at(end)


def test_guarantees_are_subject_to_exceptions_and_aims_are_not() -> None:
    acme = german(response_exceptions=["2026-11-17"])
    assert sla.deadline(clock("23:30"), of_premium(acme)) == at("wed 00:30")
    assert sla.deadline(clock("10:00"), of_email(acme)) == at("tue 10:00")


def test_stages_come_in_order_and_once() -> None:
    running, told = clock("10:00"), []
    while (coming := sla.next_stage(running, of_email())) is not None:
        told.append(coming)
        running = running.model_copy(update={"told": (*running.told, coming[0])})
    assert told == [
        (sla.Stage.HALF, at("14:00")),
        (sla.Stage.WARNING, at("16:24")),
        (sla.Stage.BREACH, at("tue 10:00")),
    ]


def test_nothing_is_due_of_a_clock_that_stands_or_has_ended_or_whose_calendar_never_opens() -> None:
    never = of_email(german(hours={}))
    assert sla.next_stage(clock("10:00", ("11:00", None)), of_email()) is None
    assert sla.next_stage(clock("10:00").end(at("11:00"), met=True), of_email()) is None
    assert (sla.next_stage(clock("10:00"), never), sla.deadline(clock("10:00"), never)) == (None, None)
    assert sla.explain_deadline(clock("10:00"), never, at("12:00")).never


def test_a_changed_policy_moves_what_is_ahead_and_tells_nothing_twice() -> None:
    half = clock("10:00", told=(sla.Stage.HALF,))
    assert sla.next_stage(half, of_email()) == (sla.Stage.WARNING, at("16:24"))
    assert sla.next_stage(half, of_email(german(promises={"email": 100}))) == (sla.Stage.WARNING, at("11:20"))
    assert sla.next_stage(half, of_email(german(promises={"email": 1000}))) == (sla.Stage.WARNING, at("tue 15:20"))
    assert sla.next_stage(half, of_email(german(holidays={"add": [MONDAY]}))) == (sla.Stage.WARNING, at("tue 15:24"))


# ── Business critical, and back ─────────────────────────────────────────────────────────────────────────────────


def test_business_critical_is_a_promise_of_its_own_and_downgrading_goes_back() -> None:
    ordinary = clock("10:00", told=(sla.Stage.HALF,))
    critical = ordinary.critical(at("10:10"))
    assert sla.next_stage(critical, of_premium(critical=True)) == (sla.Stage.HALF, at("10:25"))
    assert sla.deadline(critical, of_premium(critical=True)) == at("10:40")
    late = critical.model_copy(update={"told": (sla.Stage.HALF, sla.Stage.WARNING, sla.Stage.BREACH)})
    back = late.ordinary()
    assert back.told == (sla.Stage.HALF, sla.Stage.WARNING, sla.Stage.BREACH)
    assert sla.deadline(back, of_premium()) == at("11:00")
    assert sla.next_stage(back, of_premium()) is None


@pytest.mark.parametrize(
    ("since", "critical_from", "ended", "met", "kept"),
    [
        ("10:00", None, "10:59", True, True),
        ("10:00", None, "11:00", True, True),
        ("10:00", None, "11:01", True, False),
        ("10:00", None, "10:30", False, None),  # nobody waited any longer
        ("10:00", None, "11:30", False, False),  # nor in time
        ("10:00", "10:10", "10:39", True, True),
        ("10:00", "10:10", "10:50", True, False),
        ("10:00", "11:10", "11:20", True, False),  # broken before it was critical
    ],
)
def test_how_a_promise_ended(since: str, critical_from: str | None, ended: str, met: bool, kept: bool | None) -> None:
    ran = clock(since, critical_from=at(critical_from) if critical_from else None).end(at(ended), met)
    found = present(sla.promise_outcome(ran, of_premium(critical=critical_from is not None), of_premium()))
    assert (found.guaranteed, found.kept) == (True, kept)
    assert found.took == (at(ended) - at(critical_from or since)) / MINUTE


def test_a_breach_that_was_told_of_a_stricter_promise_breaks_nothing_after_a_downgrade() -> None:
    back = clock("10:00").critical(at("10:00")).model_copy(update={"told": tuple(sla.Stage)}).ordinary()
    assert sla.promise_outcome(back.end(at("10:50"), met=True), of_premium(), of_premium()) == sla.PromiseOutcome(
        "first_response", True, True, 50
    )


def test_a_clock_goes_on_where_it_stood() -> None:
    again = clock("10:00").end(at("10:20"), met=False).reopen(at("12:00"))
    assert again.running
    assert sla.deadline(again, of_premium()) == at("12:40")
    assert clock("10:00").reopen(at("11:00")) == clock("10:00")


def test_endless_pausing_stays_small_and_shortens_nothing() -> None:
    ran = clock("10:00")
    for minute in range(0, 400, 2):
        ran = ran.pause(at("10:00") + minute * MINUTE).resume(at("10:00") + (minute + 1) * MINUTE)
    assert len(ran.pauses) <= 50
    assert present(sla.deadline(ran, of_email())) >= at("tue 13:20")
    assert ran.pause(at("17:00")).pause(at("18:00")) == ran.pause(at("17:00"))
    assert ran.resume(at("18:00")) == ran
    assert clock("10:00").pause(at("17:00")).resume(at("17:00")) == clock("10:00")


# ── Why ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_why_a_deadline_is_what_it_is() -> None:
    acme = german(holidays={"add": ["2026-11-17"]})
    found = sla.explain_deadline(clock("07:30", ("12:00", "13:30")), of_email(acme), at("14:00"))
    assert found.hours is not None
    assert found._replace(hours=None) == (
        *(480, False, False, at("07:30"), at("09:00"), 90, None, "Europe/Berlin", (date(2026, 11, 17),), False),
        "email",
    )
    found = sla.explain_deadline(clock("10:00").critical(at("10:20")), of_premium(critical=True), at("10:30"))
    assert (found.minutes, found.guaranteed, found.critical, found.since) == (30, True, True, at("10:20"))
    assert (found.opens, found.paused, found.hours, found.left_out, found.never) == (None, 0, None, (), False)
    assert sla.explain_deadline(clock("10:00", ("10:10", None)), of_premium(), at("10:40")).paused == 30


# ── Any account, any pauses ─────────────────────────────────────────────────────────────────────────────────────


HOURS = st.sampled_from(
    [
        None,
        {},
        {"sun": "00:00-24:00"},
        {"sat": ["01:00-02:30", "02:45-05:00"], "sun": "02:30-09:00", "mon": "00:00-02:00"},
    ]
)
# Around both changes of the clock in Berlin, and New Year.
BEGINNINGS = st.sampled_from(["2026-03-28T20:00+01:00", "2026-10-24T20:00+02:00", "2026-12-31T20:00+01:00"])


@pytest.mark.slow
@given(BEGINNINGS, HOURS, st.lists(st.integers(0, 900), max_size=6), st.integers(1, 900), st.booleans())
@settings(max_examples=40, deadline=None)
def test_any_pauses_against_a_clock_that_is_watched(
    begins: str, hours: object, steps: list[int], minutes: int, guaranteed: bool
) -> None:
    acme = german(hours=hours, promises={"email": minutes}, response_exceptions=["2027-01-01"])
    promised = of_premium(acme) if guaranteed else of_email(acme)
    since = moment = datetime.fromisoformat(begins).astimezone(UTC)
    ran = sla.Clock(kind="first_response", since=since)
    for number, step in enumerate(steps):
        moment += step * MINUTE
        ran = ran.resume(moment) if number % 2 else ran.pause(moment)

    left, seen, watched = promised.minutes, since, None
    for _ in range(9 * 1440):
        stands = any(p.since <= seen and (p.until is None or seen < p.until) for p in ran.pauses)
        left -= promised.calendar.is_open(seen) and not stands
        seen += MINUTE
        if left == 0:
            watched = seen
            break
    end = sla.deadline(ran, promised)
    assert (end is not None and end <= seen) == (watched is not None and not ran.paused)
    if watched is not None and not ran.paused:
        assert end == watched
    coming = sla.next_stage(ran, promised)
    assert (coming is None) == (end is None)
    if coming is not None and end is not None:
        assert coming[0] is sla.Stage.HALF
        assert coming[1] <= end
