"""What may be blocked, as people type it, until when, and what wants a second look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.blocklist import (
    ANONYMOUS,
    BlocklistEntry,
    BlockTarget,
    Direction,
    EntryKind,
    allow_number,
    block,
    read_direction,
    read_expiry,
    read_reason,
    read_target,
    warnings,
)
from domain.people import Right, may, require_right
from domain.phone import is_e164
from domain.refusal import Refusal
from tests.domain.samples import NOW, account, crew, person, refusal

IN, OUT, BOTH = Direction


def refused(call: Callable[..., object]) -> tuple[str, str | None]:
    no = refusal(call)
    return no.code, no.field


# ── What is typed to be blocked ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "country", "kind", "value"),
    [
        ("020 7946 0958", "GB", EntryKind.NUMBER, "+442079460958"),
        ("+48 22 555 01 32", "GB", EntryKind.NUMBER, "+48225550132"),
        ("116117", "DE", EntryKind.NUMBER, "116117"),
        ("112", "DE", EntryKind.NUMBER, "112"),
        ("+4870*", "GB", EntryKind.PREFIX, "+4870"),
        (" +48 70 * ", "GB", EntryKind.PREFIX, "+4870"),
        ("+48-70**", "GB", EntryKind.PREFIX, "+4870"),
        ("+48 (70)*", "GB", EntryKind.PREFIX, "+4870"),
        ("＋４８７０＊", "GB", EntryKind.PREFIX, "+4870"),
        ("0048 70*", "GB", EntryKind.PREFIX, "+4870"),
        ("011 48 70*", "US", EntryKind.PREFIX, "+4870"),
        ("070*", "GB", EntryKind.PREFIX, "+4470"),
        ("70*", "PL", EntryKind.PREFIX, "+4870"),
        ("0900*", "DE", EntryKind.PREFIX, "+49900"),
        ("06*", "IT", EntryKind.PREFIX, "+3906"),
        ("(415)*", "US", EntryKind.PREFIX, "+1415"),
        ("1 415*", "US", EntryKind.PREFIX, "+1415"),
        ("+4420794609*", "GB", EntryKind.PREFIX, "+4420794609"),
    ],
)
def test_numbers_and_starts_are_taken_as_people_type_them(
    typed: str, country: str, kind: EntryKind, value: str
) -> None:
    target = read_target(typed, account(country=country))
    assert (target.kind, target.value) == (kind, value)


@pytest.mark.parametrize(
    ("typed", "country", "code"),
    [
        ("", "GB", "number_empty"),
        ("spam", "GB", "number_letters"),
        ("020 7946 0958 ext 12", "GB", "block_extension"),
        ("*", "GB", "block_start_short"),
        ("+*", "GB", "block_start_short"),
        ("+48*", "GB", "block_start_short"),
        ("+4*", "GB", "block_start_short"),
        ("0*", "GB", "block_start_short"),
        ("7*", "GB", "block_start_short"),
        ("*4870", "GB", "block_star"),
        ("+48*70", "GB", "block_star"),
        ("+48*70*", "GB", "block_star"),
        ("+48a70*", "GB", "number_letters"),
        ("+2101*", "GB", "number_unknown_country"),
        ("0048 70*", "US", "number_double_zero"),
        ("+442079460958123*", "GB", "block_start_long"),
        ("9" * 200 + "*", "GB", "number_too_long"),
        ("=cmd*", "GB", "number_letters"),
    ],
)
def test_what_cannot_be_blocked_is_refused_by_name(typed: str, country: str, code: str) -> None:
    assert refused(lambda: read_target(typed, account(country=country))) == (code, "number")


@given(st.text(alphabet="+0123456789 -*()abc٣＊", max_size=30), st.sampled_from(["GB", "US", "IT", "PL", "AU"]))
def test_whatever_is_typed_is_a_target_of_the_stored_form_or_refused(typed: str, country: str) -> None:
    try:
        target = read_target(typed, account(country=country))
    except Refusal:
        return
    digits = target.value.removeprefix("+")
    assert digits.isascii()
    assert digits.isdecimal()
    if target.kind is EntryKind.PREFIX:
        assert policy.BLOCK_START_DIGITS <= len(digits) <= 14
    else:
        assert is_e164(target.value) or not target.value.startswith("+")


# ── Entries ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_emergency_number_is_never_blocked_for_outbound_calls() -> None:
    for typed, country in (("999", "GB"), ("112", "PL"), ("911", "US"), ("+44 999", "GB")):
        target = read_target(typed, account(country=country))
        assert target.emergency
        for direction in (OUT, BOTH):
            assert refused(lambda t=target, d=direction: block(account(), t, "ada", NOW, direction=d)) == (
                "block_emergency",
                "direction",
            )
        entry = block(account(country=country), target, "ada", NOW, direction=IN)
        assert warnings(account(country=country), (), entry) == ("emergency",)


def test_entries_are_known_by_kind_and_value() -> None:
    number = BlockTarget(EntryKind.NUMBER, "+442079460958")
    assert block(account(), number, "ada", NOW).key == "number|+442079460958"
    assert block(account(), BlockTarget(EntryKind.PREFIX, "+4870"), "ada", NOW).key == "prefix|+4870"
    assert allow_number(number, "ada", NOW).key == "allow|+442079460958"
    anonymous = block(account(), ANONYMOUS, "ada", NOW)
    assert (anonymous.key, anonymous.direction) == ("anonymous", IN)
    assert refused(lambda: allow_number(BlockTarget(EntryKind.PREFIX, "+4870"), "ada", NOW)) == (
        "block_allow_start",
        "number",
    )
    entry = block(account(), number, "ada", NOW, reason="  late   calls ", until=NOW + timedelta(days=1))
    assert entry.reason == "late calls"
    assert BlocklistEntry.model_validate_json(entry.model_dump_json()) == entry


@pytest.mark.parametrize(
    ("offset", "live"), [(timedelta(milliseconds=-1), True), (timedelta(0), False), (timedelta(days=1), False)]
)
def test_an_entry_ends_at_its_very_second(offset: timedelta, live: bool) -> None:
    until = NOW + timedelta(hours=1)
    assert block(account(), ANONYMOUS, "ada", NOW, until=until).live(until + offset) is live
    assert block(account(), ANONYMOUS, "ada", NOW).live(until + offset)


@pytest.mark.parametrize("rule", Direction)
@pytest.mark.parametrize("call", [IN, OUT])
def test_a_direction_covers_its_own_calls(rule: Direction, call: Direction) -> None:
    assert rule.covers(call) is (rule in (call, BOTH))


# ── What wants a second look ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "country", "found"),
    [
        ("+442079460958", "GB", ("own",)),
        ("+442079460959", "GB", ()),
        ("+4420*", "GB", ("own",)),
        ("+4870*", "GB", ()),
        ("+4870*", "PL", ()),
        ("+1242*", "BS", ("country",)),
        ("+1242*", "US", ()),
        ("+12423*", "BS", ("country",)),  # fixed and mobile numbers there all begin so
        ("+7701*", "KZ", ()),
        ("+3531*", "IE", ()),
    ],
)
def test_own_numbers_and_the_whole_country_are_warned_about(typed: str, country: str, found: tuple[str, ...]) -> None:
    home = account(country=country)
    entry = block(home, read_target(typed, home), "ada", NOW)
    assert warnings(home, {"+442079460958", "+15005550006"}, entry) == found


def test_the_allow_list_and_anonymous_callers_are_harmless() -> None:
    own = {"+442079460958"}
    assert warnings(account(), own, allow_number(BlockTarget(EntryKind.NUMBER, "+442079460958"), "ada", NOW)) == ()
    assert warnings(account(), own, block(account(), ANONYMOUS, "ada", NOW)) == ()


# ── Reading the rest ────────────────────────────────────────────────────────────────────────────────────────────

BERLIN = account(timezone="Europe/Berlin")
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("", None),
        ("Never", None),
        (" none ", None),
        ("12 hours", AT + timedelta(hours=12)),
        ("1 day", AT + timedelta(days=1)),
        ("30 days", AT + timedelta(days=30)),
        ("30d", AT + timedelta(days=30)),
        ("2 Weeks", AT + timedelta(days=14)),
        ("1 month", datetime(2026, 12, 20, 12, 0, tzinfo=UTC)),
        ("3 months", datetime(2027, 2, 20, 12, 0, tzinfo=UTC)),
        ("1 year", datetime(2027, 11, 20, 12, 0, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, 23, 0, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 23, 0, tzinfo=UTC)),
        ("31.12.2026", datetime(2026, 12, 31, 23, 0, tzinfo=UTC)),
        ("2027-06-30", datetime(2027, 6, 30, 22, 0, tzinfo=UTC)),  # summer time
    ],
)
def test_ends_are_read_in_the_accounts_zone(typed: str, until: datetime | None) -> None:
    assert read_expiry(typed, BERLIN, AT) == until


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("soon", "block_expires_unread"),
        ("2026-02-30", "block_expires_unread"),
        ("12/31/2026", "block_expires_unread"),
        ("-1 day", "block_expires_unread"),
        ("٣ days", "block_expires_unread"),
        ("0 days", "block_expires_past"),
        ("2026-11-19", "block_expires_past"),
        ("0001-01-01", "block_expires_past"),
        ("11 years", "block_expires_late"),
        ("99999 years", "block_expires_late"),
        ("99999 months", "block_expires_late"),
        ("99999 weeks", "block_expires_late"),
        ("9999-12-31", "block_expires_late"),
    ],
)
def test_ends_that_are_none_are_refused(typed: str, code: str) -> None:
    assert refused(lambda: read_expiry(typed, BERLIN, AT)) == (code, "expires")


@given(st.text(max_size=12), st.integers(0, 4 * 366 * 24 * 60))
def test_an_end_that_is_read_lies_ahead(typed: str, minutes: int) -> None:
    now = AT + timedelta(minutes=minutes)
    try:
        until = read_expiry(typed, BERLIN, now)
    except Refusal:
        return
    assert until is None or until > now


def test_a_month_ends_with_its_last_day() -> None:
    january = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)
    assert read_expiry("1 month", account(), january) == datetime(2027, 2, 28, 12, 0, tzinfo=UTC)


def test_a_day_keeps_the_hour_where_the_clocks_change_and_hours_do_not() -> None:
    before = datetime(2027, 3, 27, 11, 0, tzinfo=UTC)  # noon in Berlin, the day before summer time
    assert read_expiry("1 day", BERLIN, before) == datetime(2027, 3, 28, 10, 0, tzinfo=UTC)
    assert read_expiry("24 hours", BERLIN, before) == datetime(2027, 3, 28, 11, 0, tzinfo=UTC)


def test_directions_and_reasons() -> None:
    assert [read_direction(word) for word in ("", "IN", " outgoing", "both")] == [BOTH, IN, OUT, BOTH]
    assert refused(lambda: read_direction("sideways")) == ("block_direction", "direction")
    assert refused(lambda: read_reason("x" * 201)) == ("block_reason_long", "reason")


def test_only_super_admins_of_a_tier_with_calling_see_and_change_it() -> None:
    home = account(people=crew())
    assert may(home, person(super_admin=True), Right.MANAGE_BLOCKLIST)
    assert refused(lambda: require_right(home, person(), Right.MANAGE_BLOCKLIST))[0] == "not_super_admin"
    free = account("free", people=crew())
    assert refused(lambda: require_right(free, person(super_admin=True), Right.MANAGE_BLOCKLIST))[0] == "no_calling"
