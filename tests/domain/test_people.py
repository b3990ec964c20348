"""Who somebody is and what they may."""

import pytest

from domain.accounts.account import Account
from domain.numbers.number import Number
from domain.people import Profile, Right, find_person, identify, may, owns_number, require_right
from domain.refusal import Refusal
from tests import present
from tests.domain.samples import NOW, account, crew, person, refusal

ADMINS = ("Ada", "Robin")
OLD = "2024-03-04"  # the last day on which accounts needed no seats


def company(tier: str = "professional", **changes: object) -> Account:
    return account(tier, people=crew(), **changes)


def refused(acme: Account, who: str, right: Right, set_up: bool = True) -> tuple[str, dict[str, object]] | None:
    known = present(acme.person(who))
    answer = None
    try:
        require_right(acme, known, right, set_up)
    except Refusal as refusal:
        answer = refusal.code, refusal.params
    assert may(acme, known, right, set_up) is (answer is None)
    return answer


ADMIN_ONLY = (Right.MANAGE_NUMBERS, Right.SEE_ALL_NUMBERS, Right.REQUEST_MORE)
ANYBODY = (Right.SEE_NUMBERS, Right.SEE_USAGE)


@pytest.mark.parametrize("right", list(Right))
def test_free_has_no_calling_for_anyone(right: Right) -> None:
    for who in ("ada", "max", "slack:UNEW"):
        assert refused(company("free"), who, right) == ("no_calling", {"tier": "starter", "have": "free"})


@pytest.mark.parametrize("right", list(Right))
def test_before_calling_is_set_up_everybody_hears_who_can_do_it(right: Right) -> None:
    assert refused(company(), "max", right, set_up=False) == ("not_set_up", {"admins": ADMINS})


@pytest.mark.parametrize("right", ADMIN_ONLY)
def test_super_admins_alone_manage_numbers(right: Right) -> None:
    assert refused(company(), "ada", right) is None
    assert refused(company(), "robin", right) is None  # without a seat too
    for who in ("max", "lena", "slack:UNEW", "teams:29:new"):
        assert refused(company(), who, right) == ("not_super_admin", {"admins": ADMINS})


@pytest.mark.parametrize("right", ANYBODY)
def test_everybody_sees_their_own_numbers_and_the_shared_pool(right: Right) -> None:
    for who in ("ada", "max", "lena", "slack:UNEW"):
        assert refused(company(), who, right) is None


@pytest.mark.parametrize(
    ("who", "created_on", "code"),
    [
        ("ada", "2024-03-05", None),
        ("max", "2024-03-05", None),
        ("lena", "2024-03-05", "needs_seat"),
        ("robin", "2024-03-05", "needs_seat"),
        ("slack:UNEW", "2024-03-05", "needs_seat"),
        ("lena", OLD, None),
        ("slack:UNEW", OLD, None),
    ],
)
def test_registering_needs_a_seat_in_newer_accounts(who: str, created_on: str, code: str | None) -> None:
    assert refused(company(created_on=created_on), who, Right.REGISTER) == (code and (code, {"admins": ADMINS}))


@pytest.mark.parametrize(("tier", "who"), [("starter", "ada"), ("starter", "max")])
def test_starter_has_no_add_ons_whoever_asks(tier: str, who: str) -> None:
    assert refused(company(tier), who, Right.REQUEST_MORE) == ("addons_tier", {"tier": "professional"})


def test_a_person_owns_what_was_given_to_them_under_any_of_their_names() -> None:
    ada = person("ada", slack="UADA", teams="29:ada")
    number = Number(e164="+442079460958", source="provided", since=NOW)
    for name in ("ada", "slack:UADA", "teams:29:ada"):
        assert owns_number(ada, number.model_copy(update={"person": name}))
    for other in (None, "max", "slack:UMAX", "teams:UADA"):
        assert not owns_number(ada, number.model_copy(update={"person": other}))


@pytest.mark.parametrize(
    ("platform", "profile", "id"),
    [
        ("slack", Profile("UADA", "Somebody"), "ada"),
        ("teams", Profile("29:max", "Max"), "max"),
        ("slack", Profile("UNEW", "Lena", "LENA@example.com"), "lena"),
        ("teams", Profile("29:new", "Ada", "ada@EXAMPLE.com"), "ada"),
        ("slack", Profile("UADA", "Ada", guest=True), "ada"),  # the account lists her: that decides
        ("slack", Profile("UNEW", "New"), "slack:UNEW"),
        ("slack", Profile("29:max", "Max"), "slack:29:max"),
        ("slack", Profile("UTHIEF", "Ada", "ada@example.com"), "slack:UTHIEF"),  # Ada's Slack id is known
    ],
)
def test_people_are_found_by_id_then_by_address(platform: str, profile: Profile, id: str) -> None:
    assert identify(company(), platform, profile).id == id


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (Profile("UADA", "Ada", bot=True), "who_bot"),
        (Profile("UADA", "Ada", deleted=True), "who_deactivated"),
        (Profile("UNEW", "Lena", "lena@example.com", outsider=True), "who_outsider"),
        (Profile("UNEW", "New", guest=True), "who_guest"),
    ],
)
def test_bots_outsiders_and_unlisted_guests_are_nobody_here(profile: Profile, code: str) -> None:
    assert refusal(identify, company(), "slack", profile).code == code


@pytest.mark.parametrize(
    ("typed", "id"),
    [
        ("max", "max"),
        ("@max", "max"),
        ("MAX", "max"),
        (" Max  Müller ", "max"),
        ("max mu\u0308ller", "max"),
        ("Max M", "max"),
        ("ad", "ada"),
        ("le", "lena"),
    ],
)
def test_a_person_is_meant_by_id_name_or_the_start_of_one(typed: str, id: str) -> None:
    assert find_person(company(), typed).id == id


def test_an_exact_name_wins_over_longer_ones() -> None:
    people = [{"id": "p-1", "name": "Ann"}, {"id": "p-2", "name": "Anna"}, {"id": "p-3", "name": "Anna"}]
    assert find_person(account(people=people), "ann").id == "p-1"
    for typed, count in (("an", 3), ("anna", 2)):
        no = refusal(find_person, account(people=people), typed, "assigned")
        assert (no.code, no.field) == ("person_ambiguous", "assigned")
        assert len(no.params["names"]) == count  # type: ignore[arg-type] # a tuple of names


@pytest.mark.parametrize("typed", ["", "@", "nobody", "müller", "🙂", "x" * 500])
def test_nobody_is_nobody(typed: str) -> None:
    no = refusal(find_person, company(), typed)
    assert (no.code, no.params) == ("person_unknown", {"who": typed})
