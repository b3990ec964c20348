"""The channel decision, held against the source articles read anew as tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts.account import Account, Person
from domain.support import channels
from tests.domain.samples import NOW, account, person

# ---- "Get help", the table and the notes below it; "Contact premium support"

NAMES = [
    *("knowledge_base", "community", "chat", "email", "callback", "phone"),
    *("premium_chat", "premium_email", "premium_callback", "premium_phone"),
]
TABLE = {  # "-" where the table has a dash
    "knowledge_base": "✓ ✓ ✓ ✓",
    "community": "✓ ✓ ✓ ✓",
    "chat": "- ✓ ✓ ✓",
    "email": "- ✓ ✓ ✓",
    "callback": "- - ✓ ✓",
    "phone": "- - ✓ ✓",
}
TIERS = ("free", "starter", "professional", "enterprise")
SURFACES: tuple[channels.Surface, ...] = ("desktop", "mobile")
WITHOUT_SEAT = ("none", "view")
WITH_SEAT = ("core", "sales", "service")
CREATED = {"2024-03-04": False, "2024-03-05": True, "2025-01-01": True}  # "on or after 5 March 2024": a seat is needed
SEAT_RULE = {"chat", "email", "callback", "phone"}
PREMIUM = {"premium_chat", "premium_email", "premium_callback", "premium_phone"}  # a paid seat whatever the age
ENGLISH_ONLY = PREMIUM | {"phone"}
SPOKEN = {"en", "fr", "de", "ja", "pt", "es"}
ON_MOBILE = {"knowledge_base", "community", "email"}
DIALLED = {"phone": "support_phone", "premium_phone": "premium_phone"}
BEFORE, FROM = datetime(2024, 9, 2, 12, tzinfo=UTC), datetime(2024, 9, 3, 12, tzinfo=UTC)  # "from 3 September 2024"
ORDER = ["tier", "seat", "mobile", "language", "premium", "number"]

TOLD = {
    "knowledge_base": "at any time",
    "community": "at any time",
    "chat": "in real time",
    "email": "usually within one business day",
    "callback": "usually within five minutes",
    "phone": "when you call",
    "premium_chat": "in real time",
    "premium_email": "no guarantee; the aim is one business day",
    "premium_callback": "usually within five minutes",
    "premium_phone": "when you call",
}


def reasons(
    name: str, acme: Account, who: Person, surface: channels.Surface, asked: str | None, at: datetime
) -> list[str]:
    """Why a channel is closed, by the tables above."""
    marks = TABLE.get(name, "✓ ✓ ✓ ✓").split()
    has_seat = who.seat.value in WITH_SEAT
    by_age = acme.created_on.isoformat() in [day for day, needed in CREATED.items() if needed]
    offered = name in ON_MOBILE or (name == "callback" and at == BEFORE)
    closed = {
        "tier": marks[TIERS.index(acme.tier.value)] == "-",
        "seat": not has_seat and (name in PREMIUM or (name in SEAT_RULE and by_age)),
        "mobile": surface == "mobile" and not offered,
        "language": name in ENGLISH_ONLY and asked is not None and not asked.startswith("en"),
        "premium": name in PREMIUM and not acme.premium_support,
        "number": name in DIALLED and getattr(acme, DIALLED[name]) is None,
    }
    return [reason for reason in ORDER if closed[reason]]


def accounts() -> Iterator[Account]:
    phones: tuple[dict[str, str], ...] = ({}, {"support_phone": "020 7946 0900"}, {"premium_phone": "020 7946 0901"})
    for tier, day, premium, phone in product(TIERS, CREATED, (False, True), phones):
        yield account(tier, created_on=day, premium_support=premium, **phone)


@pytest.mark.slow
def test_every_channel_is_open_or_closed_as_the_articles_say() -> None:
    people = [person(seat=seat) for seat in WITHOUT_SEAT + WITH_SEAT]
    people += [person(seat=seat, super_admin=True) for seat in ("none", "core")]
    clients: tuple[tuple[channels.Surface, datetime], ...] = (("desktop", FROM), ("mobile", BEFORE), ("mobile", FROM))
    for acme in accounts():
        for who, (surface, at), asked in product(people, clients, (None, "en-GB", "de")):
            decisions = channels.decide(acme, who, surface=surface, language=asked, at=at)
            assert [channel.value for channel in decisions] == NAMES
            for channel, decision in decisions.items():
                expected = reasons(channel.value, acme, who, surface, asked, at)
                assert list(decision.reasons) == expected, (acme, who, surface, asked, at, channel)
                assert decision.allowed is not bool(expected)
                assert len(decision.opens) == len(expected)


def everything(**changes: object) -> Account:
    """An enterprise account with all that can be had."""
    phones = {"support_phone": "020 7946 0900", "premium_phone": "020 7946 0901"}
    return account("enterprise", **{"premium_support": True, **phones, **changes})


@pytest.mark.parametrize(
    ("zone", "at", "offered"),
    [
        ("Europe/London", "2024-09-02T22:59:59+00:00", True),
        ("Europe/London", "2024-09-02T23:00:00+00:00", False),  # midnight there
        ("Asia/Tokyo", "2024-09-02T14:59:59+00:00", True),
        ("Asia/Tokyo", "2024-09-02T15:00:00+00:00", False),
        ("America/Los_Angeles", "2024-09-03T06:59:59+00:00", True),
        ("America/Los_Angeles", "2024-09-03T07:00:00+00:00", False),
        ("Europe/London", "2024-09-03T08:00:00+09:00", False),
        ("Europe/London", "2024-09-03T07:59:59+09:00", True),
    ],
)
def test_the_callback_leaves_mobile_on_a_day_of_the_accounts_zone(zone: str, at: str, offered: bool) -> None:
    decision = channels.decide(everything(timezone=zone), person(), surface="mobile", at=datetime.fromisoformat(at))
    assert decision[channels.Channel.CALLBACK].allowed is offered
    assert decision[channels.Channel.CALLBACK].reasons == (() if offered else (channels.Reason.MOBILE,))
    desktop = channels.decide(everything(timezone=zone), person(), at=datetime.fromisoformat(at))
    assert desktop[channels.Channel.CALLBACK].allowed


@pytest.mark.parametrize(
    ("asked", "own", "chat", "callback", "english_only_open"),
    [
        # asked, own → language of chat and email, told?; of callback, told?; whether dialling in and premium are open
        (None, None, ("en", False), ("en", False), True),
        (None, "en", ("en", False), ("en", False), True),
        (None, "de", ("de", False), ("de", False), True),
        (None, "de-AT", ("de", False), ("de", False), True),
        (None, "pl", ("en", True), ("en", True), True),
        (None, "zh-Hans", ("en", True), ("en", True), True),
        ("en", "de", ("en", False), ("de", True), True),
        ("en-US", None, ("en", False), ("en", False), True),
        ("EN_gb.UTF-8", "pl", ("en", False), ("en", False), True),
        ("pt-BR", "en", ("pt", False), ("en", True), False),
        ("PT_br", "pt", ("pt", False), ("pt", False), False),
        ("de-AT", None, ("de", False), ("en", True), False),
        ("ja", "ja", ("ja", False), ("ja", False), False),
        ("es", "fr", ("es", False), ("fr", True), False),
        ("pl", "de", ("en", True), ("de", True), False),
        ("zh-Hans", "en", ("en", True), ("en", True), False),
        ("", "fr", ("fr", False), ("fr", False), True),
        ("  ", None, ("en", False), ("en", False), True),
        ("english", None, ("en", True), ("en", True), False),
    ],
)
def test_languages(
    asked: str | None, own: str | None, chat: tuple[str, bool], callback: tuple[str, bool], english_only_open: bool
) -> None:
    decisions = channels.decide(everything(), person(language=own), language=asked, at=NOW)
    for name in ("chat", "email"):
        decision = decisions[channels.Channel(name)]
        assert (decision.allowed, decision.language, decision.told) == (True, *chat)
    decision = decisions[channels.Channel.CALLBACK]
    assert (decision.allowed, decision.language, decision.told) == (True, *callback)
    for name in ENGLISH_ONLY:
        decision = decisions[channels.Channel(name)]
        assert (decision.allowed, decision.language) == (english_only_open, "en")
        assert decision.reasons == (() if english_only_open else (channels.Reason.LANGUAGE,))


@pytest.mark.parametrize(("own", "told"), [(None, True), ("de", True), ("pl", True), ("en", False), ("en-GB", False)])
def test_english_only_channels_say_so_to_whom_english_may_not_be_theirs(own: str | None, told: bool) -> None:
    decisions = channels.decide(everything(), person(language=own), at=NOW)
    assert {decisions[channels.Channel(name)].told for name in ENGLISH_ONLY} == {told}
    asked = channels.decide(everything(), person(language=own), language="en", at=NOW)
    assert not any(asked[channels.Channel(name)].told for name in ENGLISH_ONLY)


@pytest.mark.parametrize(
    ("admin", "seat", "contacts", "premium", "surface"),
    [
        (admin, seat, contacts, premium, surface)
        for admin in (True, False)
        for seat in ("none", "core")
        for contacts in ([], ["ada"], ["robin"], ["ada", "robin"])
        for premium in (True, False)
        for surface in SURFACES
    ],
)
def test_premium_email_is_guaranteed_to_designated_super_admins(
    admin: bool, seat: str, contacts: list[str], premium: bool, surface: channels.Surface
) -> None:
    who = person("ada", seat, super_admin=admin)
    acme = everything(
        people=[who.model_dump(), {"id": "robin", "name": "Robin"}], premium_contacts=contacts, premium_support=premium
    )
    guaranteed = admin and seat == "core" and contacts != ["robin"] and premium and surface == "desktop"
    for critical, minutes in ((False, 60), (True, 30)):
        decisions = channels.decide(acme, who, surface=surface, critical=critical, at=NOW)
        found = {channel.value: decision.guaranteed_minutes for channel, decision in decisions.items()}
        assert found == {**dict.fromkeys(NAMES), "premium_email": minutes if guaranteed else None}
        text = channels.expected_text(decisions[channels.Channel.PREMIUM_EMAIL], channels.Channel.PREMIUM_EMAIL)
        assert text == (f"guaranteed within {minutes} minutes" if guaranteed else TOLD["premium_email"])


def test_what_to_expect_of_each_channel() -> None:
    for acme in (everything(), account("free")):
        decisions = channels.decide(acme, person(), at=NOW)
        assert {
            channel.value: channels.expected_text(decision, channel) for channel, decision in decisions.items()
        } == TOLD
    assert {decision.expected for decision in decisions.values()} | {"guaranteed"} == set(channels.EXPECTED)


def test_what_would_open_a_closed_channel() -> None:
    decisions = channels.decide(account("free"), person(seat="view"), surface="mobile", language="de", at=NOW)
    assert {channel.value: decision.opens for channel, decision in decisions.items()} == {
        "knowledge_base": (),
        "community": (),
        "chat": ("starter", "seat", "desktop"),
        "email": ("starter", "seat"),
        "callback": ("professional", "seat", "desktop"),
        "phone": ("professional", "seat", "desktop", "english", "number"),
        "premium_chat": ("seat", "desktop", "english", "premium"),
        "premium_email": ("seat", "desktop", "english", "premium"),
        "premium_callback": ("seat", "desktop", "english", "premium"),
        "premium_phone": ("seat", "desktop", "english", "premium", "number"),
    }


def test_premium_is_decided_by_the_add_on_alone() -> None:
    decisions = channels.decide(account("free", premium_support=True, premium_phone="020 7946 0901"), person(), at=NOW)
    assert [channel.value for channel, decision in decisions.items() if decision.allowed] == [
        "knowledge_base",
        "community",
        "premium_chat",
        "premium_email",
        "premium_callback",
        "premium_phone",
    ]


@pytest.mark.parametrize(
    ("tier", "goes"), [("free", False), ("starter", False), ("professional", True), ("enterprise", True)]
)
def test_subscription_questions_go_to_the_contact_from_professional_on(tier: str, goes: bool) -> None:
    contact = {"name": "Robin", "email": "robin@example.com"}
    found = channels.subscription_contact(account(tier, customer_success=contact))
    assert (found and found.name) == ("Robin" if goes else None)
    assert channels.subscription_contact(account(tier)) is None


@pytest.mark.parametrize(
    ("tag", "language"),
    [(None, None), ("", None), ("-", None), ("en", "en"), ("DE-at", "de"), ("zh_Hans_CN", "zh"), (" fr ", "fr")],
)
def test_the_language_of_a_tag(tag: str | None, language: str | None) -> None:
    assert channels.primary(tag) == language


def test_a_decision_needs_to_know_the_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        channels.decide(account(), person(), at=datetime(2024, 9, 3))  # noqa: DTZ001 - what is refused here


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


@given(
    st.sampled_from(TIERS),
    st.dates(),
    st.booleans(),
    st.sampled_from(WITHOUT_SEAT + WITH_SEAT),
    st.sampled_from(SURFACES),
    st.none() | st.text(max_size=12),
    st.booleans(),
    MOMENTS,
)
@settings(max_examples=100, deadline=None)
def test_a_decision_is_whole_and_the_same_twice(
    tier: str,
    created: object,
    premium: bool,
    seat: str,
    surface: channels.Surface,
    asked: str | None,
    critical: bool,
    at: datetime,
) -> None:
    acme, who = account(tier, created_on=created, premium_support=premium), person(seat=seat, super_admin=critical)

    def once() -> list[tuple[str, object]]:
        found = channels.decide(acme, who, surface=surface, language=asked, critical=critical, at=at)
        return [(channel.value, decision) for channel, decision in found.items()]

    assert once() == once()
    for name, decision in channels.decide(acme, who, surface=surface, language=asked, at=at).items():
        assert decision.allowed is (decision.reasons == ()) is (decision.opens == ())
        assert list(decision.reasons) == sorted(decision.reasons, key=lambda reason: ORDER.index(reason.value))
        assert decision.language in SPOKEN or name in (channels.Channel.KNOWLEDGE_BASE, channels.Channel.COMMUNITY)
        assert not (decision.told and not decision.allowed)
        assert channels.expected_text(decision, name)
