"""What people type as a number, and how numbers are shown."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain import phone
from domain.refusal import CODES, Refusal
from tests.domain.samples import refusal


@pytest.mark.parametrize(
    ("text", "region", "e164", "kind"),
    [
        ("020 7946 0958", "GB", "+442079460958", "fixed"),
        ("(020) 7946-0958", "GB", "+442079460958", "fixed"),
        ("020.7946.0958", "GB", "+442079460958", "fixed"),
        ("+44 20 7946 0958", "US", "+442079460958", "fixed"),
        ("+44 (0)20 7946 0958", "DE", "+442079460958", "fixed"),
        ("tel:+44-20-7946-0958", "GB", "+442079460958", "fixed"),
        ("0044 20 7946 0958", "DE", "+442079460958", "fixed"),
        ("00 49 30 901820", "GB", "+4930901820", "fixed"),
        ("011 44 20 7946 0958", "US", "+442079460958", "fixed"),
        ("030/901820", "DE", "+4930901820", "fixed"),
        ("+39 06 1234 5678", "US", "+390612345678", "fixed"),
        ("(415) 555-0132", "US", "+14155550132", "fixed_or_mobile"),
        ("020\u00a07946\u202f0958", "GB", "+442079460958", "fixed"),
        ("020‑7946–0958", "GB", "+442079460958", "fixed"),
        ("\u202a+44 20 7946 0958\u202c", "GB", "+442079460958", "fixed"),
        ("０２０－７９４６－０９５８", "GB", "+442079460958", "fixed"),
        ("（０２０）７９４６　０９５８", "GB", "+442079460958", "fixed"),
        ("٠٢٠ ٧٩٤٦ ٠٩٥٨", "GB", "+442079460958", "fixed"),
        ("＋४४ २० ७९४६ ०९५८", "GB", "+442079460958", "fixed"),
        ("07400 123456", "GB", "+447400123456", "mobile"),
        ("0800 123 4567", "GB", "+448001234567", "toll_free"),
        ("+800 1234 5678", "US", "+80012345678", "toll_free"),
        ("+1 900 234 5678", "GB", "+19002345678", "premium"),
        ("0900 5123456", "DE", "+499005123456", "premium"),
    ],
)
def test_numbers_are_taken_as_people_type_them(text: str, region: str, e164: str, kind: str) -> None:
    parsed = phone.parse(text, region)
    assert (parsed.e164, parsed.kind, parsed.valid, parsed.extension) == (e164, kind, True, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "number_empty"),
        (" \t\n\u00a0\u200f\ufeff", "number_empty"),
        ("0" * 81, "number_too_long"),
        (" " * 400, "number_too_long"),
        ("nobody", "number_letters"),
        ("Привет", "number_letters"),
        ("零二零", "number_letters"),
        ("📞", "number_letters"),
        ("📞 020 7946 0958", "number_letters"),
        ("020 7946 095²", "number_letters"),
        ("+", "number_letters"),
        ("( ) -", "number_letters"),
        ("020 7946+0958", "number_letters"),
        ("1-800-FLOWERS", "number_letters"),
        ("<@U123>", "number_letters"),
        ("\ud800", "number_letters"),
        ("020 7946 0900 020 7946 0111", "number_two"),
        ("0207946090002079460111", "number_two"),
        ("+442079460900+442079460111", "number_two"),
        ("+44 20 7946 0900 +44 20 7946 0111", "number_two"),
        ("020 7946 0900, 020 7946 0111", "number_two"),
        ("020 7946 0900 / 020 7946 0111", "number_two"),
        ("020 7946 0900\n020 7946 0111", "number_two"),
        ("112", "number_emergency"),
        ("999", "number_emergency"),
        ("9-9-9", "number_emergency"),
        ("９９９", "number_emergency"),
        ("+44 999", "number_emergency"),
        ("+1 911", "number_emergency"),
        ("999 555 0132", "number_emergency"),
        ("116123", "number_short"),
        ("+49 116117", "number_short"),
        ("1", "number_impossible"),
        ("020 7946", "number_impossible"),
        ("020 7946 0958 123", "number_impossible"),
        ("9" * 60, "number_impossible"),
        ("00", "number_impossible"),
        ("+999 123 456 789", "number_unknown_country"),
        ("00999 123 456 789", "number_unknown_country"),
        ("+0 123 456 789", "number_unknown_country"),
    ],
)
def test_what_is_no_number_is_refused_by_its_own_name(text: str, code: str) -> None:
    no = refusal(phone.parse, text, "GB", "forwarding")
    assert (no.code, no.field) == (code, "forwarding")


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("911", "US", "number_emergency"),
        ("112", "DE", "number_emergency"),
        ("110", "DE", "number_emergency"),
        ("000", "AU", "number_emergency"),
        ("00 44 20 7946 0958", "US", "number_double_zero"),
        ("004420 7946 0958", "CA", "number_double_zero"),
        ("0044 20 7946 0958 0000000", "US", "number_double_zero"),
        ("00", "US", "number_double_zero"),
        ("00 49 30 901820", "JP", "number_double_zero"),
        ("020 7946 0958", "XX", "number_unknown_country"),
    ],
)
def test_what_a_number_means_depends_on_where_it_is_typed(text: str, region: str, code: str) -> None:
    assert refusal(phone.parse, text, region).code == code


def test_a_number_that_begins_with_two_zeros_at_home_is_not_taken_for_a_foreign_one() -> None:
    assert phone.parse("0037 6123456", "JP").kind == "toll_free"


@pytest.mark.parametrize(
    ("text", "region", "country", "why"),
    [
        ("020 7946 0958 123", "GB", "GB", "long"),
        ("79460958", "GB", "GB", "area"),
        ("+49 3", "GB", "DE", "short"),
        ("1", "US", "US", "short"),
    ],
)
def test_an_impossible_number_says_whose_rules_it_breaks(text: str, region: str, country: str, why: str) -> None:
    no = refusal(phone.parse, text, region)
    assert (no.code, no.params) == ("number_impossible", {"country": country, "why": why})


def test_a_possible_number_outside_every_plan_is_taken_with_a_doubt() -> None:
    assert phone.parse("+44 7700 900123", "GB") == phone.ParsedNumber("+447700900123", None, "GB", "unknown", False)


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958 ext. 12",
        "+44 20 7946 0958x12",
        "+44 20 7946 0958 extension 12",
        "+44 20 7946 0958 #12",
        "tel:+442079460958;ext=12",
        "020 7946 0958, ext 12",
        "020 7946 0958 wew. 12",
        "020 7946 0958 Durchwahl 12",
        "020 7946 0958 poste 12",
        "020 7946 0958 ramal 12",
        "020 7946 0958 anexo 12",
        "020 7946 0958 内線１２",
    ],
)
def test_an_extension_is_kept_apart_and_does_not_break_equality(text: str) -> None:
    assert phone.parse(text, "GB") == phone.ParsedNumber("+442079460958", "12", "GB", "fixed", True)
    assert phone.same_number(text, "+442079460958", "GB")


def test_short_and_emergency_numbers_can_be_asked_for() -> None:
    assert phone.parse("112", "DE", special=True) == phone.ParsedNumber("112", None, "DE", "emergency", True)
    assert phone.parse("+44 999", "US", special=True) == phone.ParsedNumber("999", None, "GB", "emergency", True)
    assert phone.parse("116117", "DE", special=True) == phone.ParsedNumber("116117", None, "DE", "short", True)


def test_typed_and_stored_numbers_are_compared_in_e164() -> None:
    assert phone.same_number("020 7946 0958", "+442079460958", "GB")
    assert not phone.same_number("020 7946 0958", "+442079460958", "US")
    assert not phone.same_number("", "", "GB")


@pytest.mark.parametrize(
    ("words", "region", "pair"),
    [
        ("020 7946 0900 020 7946 0111", "GB", ("020 7946 0900", "020 7946 0111")),
        ("02079460900 02079460111", "GB", ("02079460900", "02079460111")),
        ("020 7946 0900 +1 415 555 0132", "GB", ("020 7946 0900", "+1 415 555 0132")),
        ("020 7946 0900 +44 7700 900123", "GB", ("020 7946 0900", "+44 7700 900123")),
        ("020 7946 0900 020 7946 0111 ext. 12", "GB", ("020 7946 0900", "020 7946 0111 ext. 12")),
        ("020 7946 0900 off", "GB", ("020 7946 0900", "off")),
        ("020 7946 0900 OFF", "GB", ("020 7946 0900", "off")),
    ],
)
def test_two_numbers_in_a_row_are_told_apart(words: str, region: str, pair: tuple[str, str]) -> None:
    assert phone.split_two(words.split(), region) == pair


@pytest.mark.parametrize(
    "words", ["", "off", "020 7946 0900", "0207946090002079460111", "a b c", "1 2 3 off", "1 " * 500]
)
def test_two_numbers_that_cannot_be_told_apart_are_refused(words: str) -> None:
    assert refusal(phone.split_two, words.split(), "GB").code == "number_two_unclear"


@pytest.mark.parametrize(
    ("e164", "region", "shown"),
    [
        ("+442079460958", "GB", "020 7946 0958"),
        ("+442079460958", "DE", "+44 20 7946 0958"),
        ("+14155550132", "US", "(415) 555-0132"),
        ("+14165550132", "US", "+1 416-555-0132"),
        ("+447700900123", "GB", "+44 7700 900123"),
        ("+80012345678", "US", "+800 1234 5678"),
        ("nonsense", "US", "nonsense"),
        ("+0", "US", "+0"),
    ],
)
def test_numbers_are_shown_as_the_readers_country_writes_them(e164: str, region: str, shown: str) -> None:
    assert phone.pretty(e164, region) == shown


def test_an_extension_is_shown_in_the_readers_words() -> None:
    assert phone.pretty("+442079460958", "GB", "12", "wew.") == "020 7946 0958 wew. 12"


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+442079460958", "+44•••••0958"),
        ("+14155550132", "+1•••••0132"),
        ("+35312345678", "+353•••••5678"),
        ("+99912345678", "+•••••5678"),
        ("112", "•••••"),
        ("", "•••••"),
    ],
)
def test_logs_show_a_number_masked(e164: str, shown: str) -> None:
    assert phone.mask_number(e164) == shown


def test_a_number_knows_its_country() -> None:
    assert [phone.country_of(e164) for e164 in ("+14165550132", "+447700900123", "+80012345678", "12")] == [
        "CA",
        "GB",
        None,
        None,
    ]


@pytest.mark.parametrize("area", ["", " ", "020", "20", "(0)20", "(020)", "+44 20", "+44", "0207", "٠٢٠"])
def test_an_area_matches_as_people_write_it(area: str) -> None:
    assert phone.area_matches("+442079460958", area)


@pytest.mark.parametrize("area", ["021", "0", "+1", "London", "030", "✆"])
def test_another_area_does_not_match(area: str) -> None:
    assert not phone.area_matches("+442079460958", area)


def test_an_area_that_begins_like_the_trunk_prefix_is_not_cut_short() -> None:
    assert phone.area_matches("+78121234567", "812")  # 8 is the trunk prefix there
    assert phone.area_matches("+390612345678", "06")  # the zero belongs to the number there
    assert not phone.area_matches("nonsense", "06")


@pytest.mark.parametrize(("typed", "kept"), [("", None), (" ", None), ("12", "12"), ("１２", "12"), ("0 12", "012")])
def test_an_extension_is_digits_or_nothing(typed: str, kept: str | None) -> None:
    assert phone.parse_extension(typed) == kept


@pytest.mark.parametrize("typed", ["twelve", "1" * 13, "-", "²", "12a"])
def test_another_extension_is_refused(typed: str) -> None:
    no = refusal(phone.parse_extension, typed)
    assert (no.code, no.field) == ("extension_not_digits", "extension")


REGIONS = st.sampled_from(["GB", "US", "DE", "PL", "JP", "FR", "BR", "ES", "PT", "IT", "AU", "CA", "RU", "CH", "XX"])
NEAR_NUMBERS = st.text(st.sampled_from("0123456789+()-./,; x#٣３\u200f\u00a0e\n"), max_size=40)


def read_or_refused(text: str, region: str) -> phone.ParsedNumber | Refusal:
    try:
        return phone.parse(text, region)
    except Refusal as refusal:
        return refusal


@pytest.mark.slow
@given(st.one_of(st.text(max_size=100), NEAR_NUMBERS), REGIONS)
@settings(max_examples=300, deadline=None)
@example("+" * 50 + "1", "GB")
@example("0" * 34, "GB")
def test_any_text_gives_a_number_or_a_refusal(text: str, region: str) -> None:
    read = read_or_refused(text, region)
    if isinstance(read, Refusal):
        assert read.field == "number"
        assert set(read.params) == set(CODES[read.code])
    else:
        assert phone.is_e164(read.e164)
        assert phone.parse(read.e164, "US") == read._replace(extension=None)


@given(NEAR_NUMBERS, REGIONS, REGIONS)
@settings(max_examples=200, deadline=None)
@example("020 7946 0958 ext. 12", "GB", "GB")
def test_what_is_shown_is_read_back_as_the_same(text: str, region: str, reader: str) -> None:
    parsed = read_or_refused(text, region)
    if isinstance(parsed, Refusal):
        return
    again = phone.parse(phone.pretty(parsed.e164, reader, parsed.extension), reader)
    assert (again.e164, again.extension) == (parsed.e164, parsed.extension)


@pytest.mark.parametrize(
    "region", ["GB", "US", "DE", "PL", "JP", "FR", "BR", "ES", "IT", "AU", "RU", "AR", "MX", "HU", "CN", "SM"]
)
def test_every_kind_of_number_is_read_back_at_home_and_abroad(region: str) -> None:
    for kind in phonenumbers.PhoneNumberType.values():
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert phone.parse(phone.pretty(e164, region), region).e164 == e164
        assert phone.parse(phone.pretty(e164, "NO"), "NO").e164 == e164


@given(st.text(max_size=60), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_showing_and_matching_never_fail(stored: str, typed: str) -> None:
    assert phone.pretty(stored, "GB") or not stored
    assert phone.mask_number(stored) != stored
    assert isinstance(phone.area_matches(stored, typed), bool)
    assert isinstance(phone.same_number(stored, typed, "GB"), bool)
