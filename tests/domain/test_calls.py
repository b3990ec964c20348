"""Calls: callers as carriers write them, decisions, and the pool's thresholds."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import (
    Alert,
    CallFacts,
    CallOutcome,
    Identity,
    alerts,
    chosen_caller_id,
    decide_inbound,
    decide_outbound,
    next_alert_minutes,
    parse_callee,
    parse_caller,
    parse_identity,
    reached_alerts,
    runs_out,
    seconds,
)
from domain.numbers.number import Number, NumberState
from domain.phone import ParsedNumber
from domain.refusal import Refusal
from tests.domain.samples import NOW, account

OWN = Number(e164="+442079460900", source="provided", forwarding="+442079460111", since=NOW)
MINE = Number(e164="+442079460222", source="registered", person="max", since=NOW)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+442079460958", "+442079460958"),
        (" +442079460958 ", "+442079460958"),
        ("sip:+442079460958@carrier.example.com;transport=udp", "+442079460958"),
        ("sip:%2B442079460958@carrier.example.com", "+442079460958"),
        ("tel:+442079460958", "+442079460958"),
        ("02079460958", "+442079460958"),
        ("442079460958", "+442079460958"),
        ("", None),
        ("anonymous", None),
        ("Anonymous", None),
        ("Restricted", None),
        ("unknown", None),
        ("unavailable", None),
        ("+266696687", None),
        ("+7378742833", None),
        ("+86282452253", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("sip:max@example.com", None),
        ("client:acme.max", None),
        ("84433", None),
        ("+1", None),
        ("+0123456789", None),
        ("+" + "9" * 100, None),
        ("+٤٤٢٠٧٩٤٦٠٩٥٨", None),
    ],
)
def test_the_caller_is_a_number_or_none(written: str, number: str | None) -> None:
    assert parse_caller(written, "GB") == number


@given(st.text())
def test_any_caller_can_be_read(written: str) -> None:
    parse_caller(written, "GB")
    parse_identity(written)


def test_national_callers_need_a_region() -> None:
    assert parse_caller("02079460958") is None


@pytest.mark.parametrize(
    ("written", "domain", "user", "who"),
    [
        ("client:acme.max", "", "", Identity("acme", "max")),
        ("client:acme.slack:UNEW", "", "", Identity("acme", "slack:UNEW")),
        ("client:acme%2Emax", "", "", Identity("acme", "max")),
        ("sip:max@acme.sip.example.com", "", "", Identity("acme", "max")),
        ("sip:max@acme.sip.example.com;transport=tls", "acme.sip.example.com", "", Identity("acme", "max")),
        ("sip:ada@acme.sip.example.com", "acme.sip.example.com", "max", Identity("acme", "max")),
        ("sip:max@other.sip.example.com", "acme.sip.example.com", "", None),
        ("client:acme", "", "", None),
        ("client:.max", "", "", None),
        ("sip:@acme.example.com", "", "", None),
        ("max", "", "", None),
        ("+442079460958", "", "", None),
    ],
)
def test_who_calls_out(written: str, domain: str, user: str, who: Identity | None) -> None:
    assert parse_identity(written, domain, user) == who


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (CallFacts(OWN, 0, 10), CallOutcome.DIAL),
        (CallFacts(None, 0, 10), CallOutcome.UNKNOWN),
        *(
            (CallFacts(OWN.next(NOW, state=s), 0, 10), CallOutcome.INACTIVE)
            for s in NumberState
            if s is not NumberState.ACTIVE
        ),
        (CallFacts(OWN, 0, 10, blocked=True), CallOutcome.BLOCKED),
        (CallFacts(OWN, 10, 10, blocked=True), CallOutcome.BLOCKED),
        (CallFacts(OWN, 10, 10), CallOutcome.POOL),
        (CallFacts(OWN, 9, 10), CallOutcome.DIAL),
        (CallFacts(OWN.next(NOW, forwarding=None), 0, 10), CallOutcome.NO_FORWARDING),
        (CallFacts(OWN.next(NOW, forwarding=None), 10, 10), CallOutcome.POOL),
    ],
)
def test_what_becomes_of_a_call_in(facts: CallFacts, outcome: CallOutcome) -> None:
    assert decide_inbound(account(), facts, "+442079460958") is outcome


def test_callers_without_a_number_and_accounts_without_calling() -> None:
    assert decide_inbound(account(), CallFacts(OWN, 0, 10, blocked=True), None) is CallOutcome.ANONYMOUS
    assert decide_inbound(account("free"), CallFacts(OWN, 0, 0), "+442079460958") is CallOutcome.NO_CALLING


FIXED = ParsedNumber("+442079460958", None, "GB", "fixed")
EMERGENCY = ParsedNumber("112", None, "GB", "emergency")


@pytest.mark.parametrize(
    ("facts", "to", "outcome"),
    [
        (CallFacts(None, 0, 10, caller_id=MINE), FIXED, CallOutcome.DIAL),
        (CallFacts(OWN, 0, 10, caller_id=OWN), FIXED, CallOutcome.DIAL),
        (CallFacts(None, 0, 10), FIXED, CallOutcome.NO_CALLER_ID),
        (CallFacts(None, 10, 10, caller_id=MINE), FIXED, CallOutcome.POOL),
        (CallFacts(None, 0, 10, blocked=True, caller_id=MINE), FIXED, CallOutcome.BLOCKED),
        (CallFacts(OWN.next(NOW, state=NumberState.DELETED), 0, 10, caller_id=OWN), FIXED, CallOutcome.INACTIVE),
        (CallFacts(None, 10, 10, blocked=True), EMERGENCY, CallOutcome.DIAL),
    ],
)
def test_what_becomes_of_a_call_out(facts: CallFacts, to: ParsedNumber, outcome: CallOutcome) -> None:
    assert decide_outbound(account(), facts, to) is outcome


def test_an_emergency_call_needs_no_tier() -> None:
    assert decide_outbound(account("free"), CallFacts(None, 0, 0), EMERGENCY) is CallOutcome.DIAL
    assert decide_outbound(account("free"), CallFacts(None, 0, 0, caller_id=MINE), FIXED) is CallOutcome.NO_CALLING


def test_what_can_be_called() -> None:
    assert parse_callee("sip:+442079460958@acme.sip.example.com", "GB").e164 == "+442079460958"
    assert parse_callee("020 7946 0958", "GB").e164 == "+442079460958"
    assert parse_callee("999", "GB").kind == "emergency"
    with pytest.raises(Refusal):
        parse_callee("", "GB")
    with pytest.raises(Refusal):
        parse_callee("client:acme.ada", "GB")


def test_the_caller_id_is_the_default_then_the_only_then_the_assigned_one() -> None:
    default = MINE.next(NOW, default=True, e164="+442079460333")
    assert chosen_caller_id({"a": MINE, "b": default}, OWN) is default
    assert chosen_caller_id({"a": MINE}, OWN) is MINE
    assert chosen_caller_id({"a": MINE, "b": MINE}, OWN) is OWN
    assert chosen_caller_id({}, OWN) is OWN
    assert chosen_caller_id({}, OWN.next(NOW, state=NumberState.PENDING)) is None
    assert chosen_caller_id({}, None) is None


def test_a_carrier_may_want_caller_ids_validated() -> None:
    proven = MINE.next(NOW, validated=NOW, e164="+442079460444")
    default = MINE.next(NOW, default=True)
    assert chosen_caller_id({"a": default}, OWN, validated=True) is OWN
    assert chosen_caller_id({"a": default, "b": proven}, None, validated=True) is proven
    assert chosen_caller_id({"a": default}, None, validated=True) is None


@pytest.mark.parametrize(
    ("written", "length"),
    [("0", 0), ("61", 61), (" 60 ", 60), ("86400", 86_400)]
    + [(bad, None) for bad in ("", "-5", "86401", "1e3", "61.5", "NaN", "٦٠", "999999999999", "soon", "+60")],
)
def test_a_leg_lasts_at_most_a_day(written: str, length: int | None) -> None:
    assert seconds(written) == length


def test_the_pool_is_told_of_at_three_points() -> None:
    assert alerts(3000) == (Alert("warning", 2400), Alert("low", 2900), Alert("empty", 3000))
    assert alerts(500) == (Alert("warning", 400), Alert("low", 400), Alert("empty", 500))
    assert alerts(200) == (Alert("low", 100), Alert("warning", 160), Alert("empty", 200))
    assert alerts(100) == (Alert("warning", 80), Alert("empty", 100))
    assert alerts(1) == (Alert("warning", 1), Alert("empty", 1))
    assert alerts(0) == ()


def test_a_threshold_is_told_once() -> None:
    assert reached_alerts(3000, 2399) == ()
    assert reached_alerts(3000, 2400) == (Alert("warning", 2400),)
    assert reached_alerts(3000, 2401, {"warning"}) == ()
    assert [a.name for a in reached_alerts(3000, 3500)] == ["warning", "low", "empty"]
    assert (
        next_alert_minutes(3000, 0),
        next_alert_minutes(3000, 2400),
        next_alert_minutes(3000, 3000),
        next_alert_minutes(3000, 0, {"warning"}),
    ) == (2400, 2900, None, 2900)


@given(st.integers(0, 400), st.lists(st.integers(1, 90), max_size=30))
def test_however_the_legs_come_each_threshold_is_told_at_most_once(limit: int, legs: list[int]) -> None:
    total = 0
    told: list[str] = []
    for leg in legs:
        total += leg
        told += [alert.name for alert in reached_alerts(limit, total, told)]
        next_at = next_alert_minutes(limit, total, told)
        assert next_at is None or next_at > total
    assert told == [alert.name for alert in alerts(limit) if alert.at <= total]


@pytest.mark.parametrize(
    ("at", "days", "expected"),
    [
        # 10 whole days, 200 minutes a day, 3,000 in all: five more days.
        (datetime(2026, 11, 11, tzinfo=UTC), {date(2026, 11, d): 200 for d in range(1, 11)}, date(2026, 11, 16)),
        # Half as fast: 15 of 20 days more, and the month has 20.
        (datetime(2026, 11, 11, tzinfo=UTC), {date(2026, 11, d): 100 for d in range(1, 11)}, date(2026, 12, 1)),
        (datetime(2026, 11, 11, tzinfo=UTC), {}, None),
        (datetime(2026, 11, 2, 12, tzinfo=UTC), {date(2026, 11, 1): 1000}, None),
        (datetime(2026, 11, 11, tzinfo=UTC), {date(2026, 11, 1): 1}, None),
        (datetime(2026, 11, 2, 12, tzinfo=UTC), {date(2026, 11, 1): 3000}, date(2026, 11, 1)),
        (datetime(2026, 11, 30, 23, tzinfo=UTC), {date(2026, 11, 30): 2990}, None),
    ],
)
def test_the_day_on_which_the_pool_runs_out(at: datetime, days: dict[date, int], expected: date | None) -> None:
    assert runs_out(account(), days, at) == (None if expected == date(2026, 12, 1) else expected)


def test_no_pool_never_runs_out() -> None:
    assert runs_out(account("free"), {}, NOW) is None
