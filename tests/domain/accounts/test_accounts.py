"""The accounts file: what it means, and what is said about a wrong one."""

from datetime import date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.accounts.account import Account, explain_error
from domain.accounts.hours import parse_span
from domain.accounts.subscription import Seat, Tier
from tests import present
from tests.domain.samples import account, crew, file_form

WHOLE = """
id: acme
name: Acme GmbH
created_on: 2024-03-05
country: DE
timezone: Europe/Berlin
subscription: {line: sales, tier: professional}
premium_support: true
addons: {numbers: 1, minutes: 0}
limits: {numbers: 3}
workspaces: [{platform: slack, id: T0WORLD}, {platform: teams, id: 00000000-0000-0000-0000-000000000001}]
desk: {platform: slack, workspace: T0WORLD, channel: CDESK}
customer_success: {name: Robin, email: robin@example.com}
people:
  - {id: ada, name: Ada, email: ada@example.com, slack: UADA, teams: 29:ada, seat: sales, super_admin: true}
  - {id: sam, name: Sam, slack: USAM, seat: core, specialist: true, timezone: Asia/Tokyo}
default_person: {seat: view, language: pt-BR}
inventory: ["+4930901820000", "030 901820001"]
premium_phone: "+1 212 555 0124"
support_phone: 030 901820
premium_contacts: [ada]
premium_specialists: [sam]
pricing_url: https://example.com/pricing
hours: {mon: "09:00-17:00", sat: ["09:00-12:00", "13:00-24:00"]}
holidays: {add: [2026-12-24], remove: [2026-12-26]}
features: {blocklist: false}
community_url: https://community.example.com
articles: ./articles
staff_access: false
escalation:
  levels:
    - {people: [sam], minutes: 5}
    - {channel: {platform: slack, workspace: T0WORLD, channel: CBOSS}}
  repeat: 2
promises: {email: 240, chat: 2, callback: 10}
response_exceptions: [2026-12-25, {from: 2026-12-31, to: 2027-01-02}]
retention_days: 365
"""


def whole() -> Account:
    return Account.model_validate(yaml.safe_load(WHOLE))


def wrong(**changes: object) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        Account.model_validate(file_form(**{"people": crew(), **changes}))
    return explain_error(caught.value)


def test_the_whole_file_is_understood() -> None:
    acme = whole()
    assert (acme.created_on, acme.tier, acme.zone.key) == (date(2024, 3, 5), Tier.PROFESSIONAL, "Europe/Berlin")
    assert acme.inventory == ("+4930901820000", "+4930901820001")
    assert (acme.premium_phone, acme.support_phone) == ("+12125550124", "+4930901820")
    assert [person.id for person in acme.super_admins] == ["ada"]
    assert acme.hours is not None
    assert acme.hours.sat == ("09:00-12:00", "13:00-24:00")
    assert [(level.people, level.minutes) for level in acme.escalation.levels] == [(("sam",), 5), ((), 10)]
    assert [day for day in range(24, 32) if acme.excepted(date(2026, 12, day))] == [25, 31]
    assert [acme.excepted(date(2027, 1, day)) for day in (1, 2, 3)] == [True, True, False]


def test_an_account_written_down_and_read_again_is_the_same() -> None:
    for acme in (whole(), account(), account("free", people=crew())):
        written = yaml.safe_dump(acme.to_file(), sort_keys=False)
        assert Account.model_validate(yaml.safe_load(written)) == acme
        assert Account.model_validate(acme.to_file()).to_file() == acme.to_file()


def test_defaults_are_left_out() -> None:
    assert account().to_file() == {**file_form(), "created_on": date(2024, 3, 5)}


@pytest.mark.parametrize(
    ("subscription", "tier"),
    [
        ({"line": "both", "tier": "starter"}, Tier.STARTER),
        ([{"line": "sales", "tier": "enterprise"}, {"line": "service", "tier": "starter"}], Tier.ENTERPRISE),
        ([{"line": "service", "tier": "free"}], Tier.FREE),
    ],
)
def test_the_higher_tier_counts(subscription: object, tier: Tier) -> None:
    acme = account(subscription=subscription)
    assert (acme.tier, acme.calling) == (tier, tier is not Tier.FREE)
    assert acme.to_file()["subscription"] == subscription


@pytest.mark.parametrize(
    ("seat", "paid"),
    [(Seat.NONE, False), (Seat.VIEW, False), (Seat.CORE, True), (Seat.SALES, True), (Seat.SERVICE, True)],
)
def test_which_seats_are_paid(seat: Seat, paid: bool) -> None:
    assert seat.paid is paid


@pytest.mark.parametrize(("created_on", "needed"), [("2024-03-04", False), ("2024-03-05", True), ("2024-03-06", True)])
def test_seats_are_needed_from_the_boundary_day_on(created_on: str, needed: bool) -> None:
    assert account(created_on=created_on).seat_needed is needed


def test_people_are_found_by_every_name() -> None:
    acme = account(people=crew(), default_person={"seat": "view", "language": "de"})
    ada = present(acme.by_user("slack", "UADA"))
    assert ada.listed
    assert ada == acme.person("ada") == acme.person("slack:UADA") == acme.by_email("ADA@example.COM")
    assert acme.person("teams:29:max") == acme.person("max")
    assert [acme.person(id) for id in ("nobody", "irc:U1", "slack:", "")] == [None] * 4
    assert acme.by_user("teams", "UADA") is None


def test_somebody_unlisted_has_the_default_rights_and_no_more() -> None:
    acme = account(people=crew(), default_person={"seat": "view", "language": "de"})
    new = acme.person("teams:29:new")
    assert new == acme.unlisted_person("teams", "29:new")
    assert new is not None
    assert (new.id, new.name, new.seat, new.language, new.handles) == (
        "teams:29:new",
        "29:new",
        Seat.VIEW,
        "de",
        {"teams": "29:new"},
    )
    assert (new.listed, new.super_admin, new.specialist) == (False, False, False)
    assert acme.unlisted_person("slack", "UNEW", "New").name == "New"


def test_only_its_own_workspaces_are_served() -> None:
    assert whole().serves("slack", "T0WORLD")
    assert not whole().serves("teams", "T0WORLD")
    assert not account().serves("slack", "")


QUOTE_FALSE = 'YAML reads no, off and false as false: put text in "quotes"'
QUOTE_TRUE = 'YAML reads yes, on and true as true: put text in "quotes"'


@pytest.mark.parametrize(
    ("changes", "place", "sentence"),
    [
        ("country: NO", "country", f"expected text, not false; {QUOTE_FALSE}"),
        ("name: yes", "name", f"expected text, not true; {QUOTE_TRUE}"),
        ("name: ''", "name", "must not be empty"),
        ("id: 123", "id", 'expected text, not 123; put it in "quotes"'),
        ("id: Acme Ltd", "id", "expected letters a-z, digits and '-', not 'Acme Ltd'"),
        (
            "created_on: 2024-03-05 10:00:00",
            "created_on",
            "expected a date such as 2024-03-05, not '2024-03-05 10:00:00'",
        ),
        ("created_on: '2024-02-30'", "created_on", "there is no day 2024-02-30"),
        ("created_on: 20240305", "created_on", "expected a date such as 2024-03-05, not '20240305'"),
        ("created_on: 5 March 2024", "created_on", "expected a date such as 2024-03-05, not '5 March 2024'"),
        ("country: de", "country", "expected the two letters of a country, such as DE, not 'de'; did you mean DE?"),
        ("country: XX", "country", "expected the two letters of a country, such as DE, not 'XX'"),
        (
            "timezone: Europe/Berln",
            "timezone",
            "expected a time zone, not 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        ("timezone: ../passwd", "timezone", "expected a time zone, not '../passwd', such as Europe/Berlin"),
        (
            "subscription: {line: sales, tier: gold}",
            "subscription.tier",
            "expected one of free, starter, professional, enterprise, not 'gold'",
        ),
        ("subscription: pro", "subscription", "expected a mapping with line, tier, not 'pro'"),
        ("subscription: {line: sales}", "subscription.tier", "required, but missing"),
        ("subscription: []", "subscription", "must not be empty"),
        (
            "subscription: [{line: sales, tier: free}, {line: sales, tier: starter}]",
            "subscription.1.line",
            "the line sales is there twice",
        ),
        (
            "subscription: [{line: sales, tier: free}, {line: both, tier: starter}]",
            "subscription.1.line",
            "the line both is all there is",
        ),
        ("subscripton: {}", "subscripton", "unknown key; did you mean 'subscription'?"),
        ("addons: {number: 1}", "addons.number", "unknown key; did you mean 'numbers'?"),
        ("addons: {colour: 1}", "addons.colour", "unknown key; known here: numbers, minutes"),
        ("addons: {numbers: -1}", "addons.numbers", "expected 0 or more, not -1"),
        ("addons: {numbers: 99999999}", "addons.numbers", "expected 10000000 at most, not 99999999"),
        ("addons: {numbers: true}", "addons.numbers", "expected a whole number, not true"),
        ("addons: {numbers: '3'}", "addons.numbers", "expected a whole number, not '3'"),
        ("limits: {minutes: 1.5}", "limits.minutes", "expected a whole number, not 1.5"),
        ("premium_support: 'yes'", "premium_support", "expected true or false, not 'yes'"),
        ("premium_support: 1", "premium_support", "expected true or false, not 1"),
        ("people: {ada: Ada}", "people", "expected a list, not a mapping"),
        ("people:", "people", "expected a list, not nothing"),
        ("people: [{id: a, name: A}, {id: a, name: B}]", "people.1.id", "the person a is there twice"),
        (
            "people: [{id: a, name: A, slack: U1}, {id: b, name: B, slack: U1}]",
            "people.1.slack",
            "the Slack user U1 is there twice",
        ),
        (
            "people: [{id: a, name: A, email: a@b.de}, {id: b, name: B, email: A@B.de}]",
            "people.1.email",
            "the email address a@b.de is there twice",
        ),
        ("people: [{id: a, name: A, email: a.b.de}]", "people.0.email", "expected an email address, not 'a.b.de'"),
        ("people: [{id: a, name: A, language: no}]", "people.0.language", f"expected text, not false; {QUOTE_FALSE}"),
        (
            "people: [{id: a, name: A, language: Norwegian}]",
            "people.0.language",
            "expected a language such as en or pt-BR, not 'Norwegian'",
        ),
        ("people: [{id: a, name: A, listed: false}]", "people.0.listed", None),
        ("people: [{id: 'slack:U1', name: A}]", "people.0.id", "expected letters a-z, digits and '-', not 'slack:U1'"),
        ("default_person: {super_admin: true}", "default_person.super_admin", None),
        ("workspaces: [{platform: irc, id: T1}]", "workspaces.0.platform", "expected one of slack, teams, not 'irc'"),
        (
            "workspaces: [{platform: slack, id: T1}, {platform: slack, id: T1}]",
            "workspaces.1",
            "the workspace slack T1 is there twice",
        ),
        ("inventory: [+4930901820000]", "inventory.0", 'expected text, not 4930901820000; put it in "quotes"'),
        (
            "inventory: ['+4930901820000', 'x']",
            "inventory.1",
            "expected a phone number such as \"+4930901820000\", not 'x'",
        ),
        ("inventory: ['+442079460958', '020 7946 0958']", "inventory.1", "the number +442079460958 is there twice"),
        (
            "support_phone: 020 7946 0958 ext. 3",
            "support_phone",
            "expected a phone number without an extension, not '020 7946 0958 ext. 3'",
        ),
        ("premium_contacts: [adda]", "premium_contacts.0", "nobody in people has the id 'adda'; did you mean 'ada'?"),
        ("premium_specialists: [ada, ada]", "premium_specialists.1", "the person ada is there twice"),
        ("pricing_url: example.com", "pricing_url", None),
        ("pricing_url: 'javascript:alert(1)'", "pricing_url", None),
        ("hours: {mon: 9:00}", "hours.mon", 'expected hours such as "09:00-17:00", not 540'),
        ("hours: {mon: 9-17}", "hours.mon", "expected hours such as \"09:00-17:00\", not '9-17'"),
        ("hours: {mon: '17:00-09:00'}", "hours.mon", "'17:00-09:00' ends before it begins"),
        (
            "hours: {mon: ['09:00-13:00', '12:00-17:00']}",
            "hours.mon",
            "expected hours one after the other, not 09:00-13:00, 12:00-17:00",
        ),
        ("hours: {monday: '09:00-17:00'}", "hours.monday", "unknown key; did you mean 'mon'?"),
        ("holidays: {add: ['2026-13-01']}", "holidays.add.0", "there is no day 2026-13-01"),
        (
            "escalation: {levels: [{people: [adda]}]}",
            "escalation.levels.0.people.0",
            "nobody in people has the id 'adda'; did you mean 'ada'?",
        ),
        (
            "escalation: {levels: [{}, {people: [ada, ada]}]}",
            "escalation.levels.1.people.1",
            "the person ada is there twice",
        ),
        ("escalation: {levels: [{minutes: 0}]}", "escalation.levels.0.minutes", "expected 1 or more, not 0"),
        (f"escalation: {{levels: [{', '.join(['{}'] * 11)}]}}", "escalation.levels", "expected 10 at most, not 11"),
        (
            "escalation: {levels: [{channel: CBOSS}]}",
            "escalation.levels.0.channel",
            "expected a mapping with platform, workspace, channel, not 'CBOSS'",
        ),
        ("escalation: {repeat: 11}", "escalation.repeat", "expected 10 at most, not 11"),
        ("escalation: {level: []}", "escalation.level", "unknown key; did you mean 'levels'?"),
        ("promises: {email: 0}", "promises.email", "expected 1 or more, not 0"),
        ("promises: {mail: 60}", "promises.mail", "unknown key; did you mean 'email'?"),
        ("promises: {email: 1 day}", "promises.email", "expected a whole number, not '1 day'"),
        ("retention_days: 0", "retention_days", "expected 1 or more, not 0"),
        (
            "response_exceptions: [Christmas]",
            "response_exceptions.0",
            "expected a date such as 2024-03-05, not 'Christmas'",
        ),
        ("response_exceptions: [{from: 2026-12-24}]", "response_exceptions.0.to", "required, but missing"),
        (
            "response_exceptions: [{from: 2026-12-24, to: 2026-12-23}]",
            "response_exceptions.0",
            "expected days in their order, not 2026-12-24 to 2026-12-23",
        ),
        (
            "response_exceptions: [{from: 2026-12-24, to: 2026-12-26, first: 1}]",
            "response_exceptions.0.first",
            "unknown key; known here: from, to",
        ),
        ("customer_success: Robin", "customer_success", "expected a mapping with name, email, not 'Robin'"),
    ],
)
def test_a_wrong_file_says_where_and_what_in_a_sentence(changes: str, place: str, sentence: str | None) -> None:
    ((found, said),) = wrong(**yaml.safe_load(changes))
    assert found == tuple(int(part) if part.isdigit() else part for part in place.split("."))
    assert sentence is None or said == sentence


def test_everything_wrong_is_told_at_once() -> None:
    assert [place for place, _ in wrong(id="A", timezone="Mars", people=[{"id": "a"}])] == [
        ("id",),
        ("timezone",),
        ("people", 0, "name"),
    ]


def test_what_is_required() -> None:
    with pytest.raises(ValidationError) as caught:
        Account.model_validate({})
    assert [(place, said) for (place, said) in explain_error(caught.value)] == [
        ((key,), "required, but missing") for key in ("id", "name", "created_on", "country", "timezone", "subscription")
    ]


@pytest.mark.parametrize("number", ["+12125550124", "+447700900123", "+80012345678"])
def test_fictional_and_country_less_numbers_can_be_in_the_inventory(number: str) -> None:
    assert account(inventory=[number]).inventory == (number,)


@pytest.mark.parametrize(("span", "read"), [("00:00-24:00", (0, 1440)), ("09:30-17:05", (570, 1025))])
def test_hours_are_minutes_of_the_day(span: str, read: tuple[int, int]) -> None:
    assert parse_span(span) == read


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.dates() | st.datetimes() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.slow
@given(st.sampled_from(sorted(Account.model_fields)), YAML_VALUES)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_file_is_taken_or_explained(key: str, value: Any) -> None:
    try:
        acme = Account.model_validate(file_form(**{key: value}))
    except ValidationError as error:
        explained = explain_error(error)
        assert explained
        assert all(place[0] == key and sentence and "\n" not in sentence for place, sentence in explained)
    else:
        assert Account.model_validate(acme.to_file()) == acme
        assert not isinstance(value, datetime)
