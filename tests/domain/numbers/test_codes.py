"""The code that proves a number."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.numbers.codes import Challenge, challenge, code_digits, draw, verify
from domain.phone import parse
from domain.refusal import Refusal
from tests.domain.samples import NOW, refusal


def under_way(tries: int = 0) -> Challenge:
    asked = challenge(
        parse("020 7946 0958 ext. 12", "GB"), label="Desk", via="call", code="012345", salt="salt", now=NOW
    )
    return asked.model_copy(update={"tries": tries})


def refused(typed: str, tries: int = 0, after: timedelta = timedelta()) -> tuple[str, dict[str, object]]:
    no = refusal(verify, under_way(tries), typed, NOW + after)
    assert no.field == "code"
    return no.code, no.params


@pytest.mark.parametrize("typed", ["012345", "012 345", " 012-345 ", "０１２３４５", "٠١٢٣٤٥", "012\u00a0345\u200f"])
def test_the_right_code_is_taken_as_people_type_it(typed: str) -> None:
    verify(under_way(), typed, NOW + timedelta(minutes=9, seconds=59))


def test_a_wrong_code_says_how_many_tries_are_left() -> None:
    assert [refused("111111", tries) for tries in range(6)] == [
        ("code_wrong", {"left": 4}),
        ("code_wrong", {"left": 3}),
        ("code_wrong", {"left": 2}),
        ("code_wrong", {"left": 1}),
        ("code_tries", {}),
        ("code_tries", {}),
    ]
    assert under_way(2).count_wrong_code().tries == 3


def test_after_the_last_try_the_right_code_is_too_late() -> None:
    verify(under_way(4), "012345", NOW)
    assert refused("012345", 5)[0] == "code_tries"


def test_a_code_expires_after_ten_minutes() -> None:
    assert refused("012345", after=timedelta(minutes=10)) == ("code_expired", {})


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "code_empty"),
        ("   ", "code_empty"),
        ("01234", "code_not_digits"),
        ("0123456", "code_not_digits"),
        ("abcdef", "code_not_digits"),
        ("01234²", "code_not_digits"),
        ("🔢🔢🔢🔢🔢🔢", "code_not_digits"),
    ],
)
def test_what_is_no_code_is_no_try(typed: str, code: str) -> None:
    assert refused(typed) == (code, {"digits": 6})


def test_neither_the_code_nor_another_number_is_kept() -> None:
    kept = under_way().model_dump_json()
    assert "012345" not in kept
    assert Challenge.model_validate_json(kept) == under_way()
    assert (under_way().e164, under_way().extension) == ("+442079460958", "12")


def test_drawn_codes_have_six_digits_and_a_salt_of_their_own() -> None:
    drawn = [draw() for _ in range(50)]
    assert all(code_digits(code) == code for code, _ in drawn)
    assert len({salt for _, salt in drawn}) == 50


@given(st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_typed_code_is_right_or_refused(typed: str) -> None:
    try:
        verify(under_way(), typed, NOW)
        answer = "right"
    except Refusal as refusal:
        answer = refusal.code
    assert answer in {"right", "code_empty", "code_not_digits", "code_wrong"}
    assert answer != "right" or code_digits(typed) == "012345"
