"""The fast way says yes only where the parser would change nothing."""

import time

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.e164 import is_clearly_e164
from domain.phone import parse
from domain.refusal import Refusal

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def unchanged(text: str, region: str) -> bool:
    try:
        parsed = parse(text, region)
    except Refusal:
        return False
    return (parsed.e164, parsed.extension) == (text, None)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None)
@given(st.sampled_from(CODES), st.text("0123456789", min_size=3, max_size=14), st.sampled_from(REGIONS))
def test_what_it_takes_the_parser_leaves_as_it_is(code: int, rest: str, region: str) -> None:
    text = f"+{code}{rest}"
    if is_clearly_e164(text):
        assert unchanged(text, region)


@settings(max_examples=500, deadline=None)
@given(st.text("+0123456789 *=Ee.-x#'", max_size=18))
def test_whatever_is_written(text: str) -> None:
    if is_clearly_e164(text):
        assert unchanged(text, "GB")


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_of_every_country(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            if is_clearly_e164(text):
                assert unchanged(text, "GB")


@pytest.mark.parametrize("text", ["+442079460958", "+14155550132", "+48601234567", "+4930901820000", "+33612345678"])
def test_ordinary_numbers_take_the_fast_way(text: str) -> None:
    assert is_clearly_e164(text)


@pytest.mark.parametrize(
    "text",
    ["", "+", "442079460958", "+44 20 7946 0958", "+44207", "+9991234567", "+44999", "+4402079460958", "4.42E+11"],
)
def test_the_rest_is_the_parsers(text: str) -> None:
    assert not is_clearly_e164(text)


def test_it_is_fast() -> None:
    numbers = [f"+4420{n:08}" for n in range(50_000)]
    began = time.perf_counter()
    assert all(map(is_clearly_e164, numbers))
    assert time.perf_counter() - began < 0.5  # 10 µs each, of the 27 that parsing takes
