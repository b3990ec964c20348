"""Parsing and formatting of phone numbers.

Numbers are stored in E.164. Extensions are stored separately, because E.164 has none and numbers are compared by it.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)
from phonenumbers.shortnumberinfo import (
    connects_to_emergency_number,
    is_emergency_number,
    is_valid_short_number_for_region,
)

from domain.policy import EXTENSION_DIGITS, TYPED_NUMBER_LENGTH
from domain.refusal import Refusal

_KINDS: Final = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
_WHY: Final = {
    ValidationResult.TOO_SHORT: "short",
    ValidationResult.TOO_LONG: "long",
    ValidationResult.INVALID_LENGTH: "length",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "area",
}
_EXTENSION: Final = re.compile(
    r"(?:;\s*ext=|[\s,;]*(?:e?xt(?:ensi(?:on|ón))?|x|#|int|durchwahl|dw|poste|ramal|anexo|内線|wew)[.:]*)"
    rf"\s*(?P<extension>\d{{1,{EXTENSION_DIGITS}}})#?$",
    re.IGNORECASE,
)
_FOLDED: Final = str.maketrans("＋﹢（）［］．／．·・･～−ー＃，；", "++()[]./....~--#,;")
_BREAKS: Final = re.compile(r"[,;/\n|&]+|(?<=\d)\s*(?=\+)")  # possible ends of a first of two numbers
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")  # E.164: at most 15 digits
_MASK: Final = "•••••"


class ParsedNumber(NamedTuple):
    """A parsed phone number.

    Attributes:
        e164: with `special`, of short and emergency numbers the digits as dialled.
        region: ISO country; None for a number of no country.
        kind: fixed, mobile, fixed_or_mobile, toll_free, premium, shared_cost, voip, personal, pager, company,
            voicemail, unknown, short or emergency.
        valid: False for a number that is possible but in no numbering plan that we know: worth a warning, no refusal.
    """

    e164: str
    extension: str | None
    region: str | None
    kind: str
    valid: bool = True


def parse(text: str, region: str, field: str = "number", *, special: bool = False) -> ParsedNumber:
    """Parse typed text; national numbers are read as of `region`.

    Args:
        field: the input that refusals name.
        special: return short and emergency numbers, with that kind, instead of refusing them.

    Raises Refusal with a code `number_*`, and nothing else.
    """
    digits, extension = _clean(text, field)
    if is_emergency_number(digits, region):  # before parsing, which would refuse it
        return _special("emergency", digits, region, special, field)
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException as error:
        raise _unreadable(digits, region, field, error.error_type) from None
    if phonenumbers.is_valid_number(number):
        kind = _KINDS.get(phonenumbers.number_type(number), "unknown")
        return ParsedNumber(_e164(number), extension, _country(number), kind, True)
    home = region
    if number.country_code != phonenumbers.country_code_for_region(region):
        home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    dialled = phonenumbers.national_significant_number(number)
    # After 911 the exchange stops listening: "911 555 0132" rings the emergency service too.
    if is_emergency_number(dialled, home) or connects_to_emergency_number(digits, region):
        return _special("emergency", dialled, home, special, field)
    if is_valid_short_number_for_region(number, home):
        return _special("short", dialled, home, special, field)
    if _double_zero(digits, region):
        raise Refusal("number_double_zero", field)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise _impossible(digits, region, field, _country(number), _WHY.get(reason, "length"))
    e164 = _e164(number)
    stored = _stored(e164)
    # Not dialable from abroad: a trunk zero that was kept ("020 7946"), or only zeros.
    if stored is None or _e164(stored) != e164 or (number.italian_leading_zero and _trunk_prefix(home) == "0"):
        raise _impossible(digits, region, field, _country(number), "length")
    return ParsedNumber(e164, extension, _country(number), "unknown", False)


def parse_prefix(text: str, region: str, field: str = "number") -> str:
    """The first digits of numbers, as typed ("+48 70", "0048 70", "070"), in the form of E.164: "+4870".

    National ones are read as of `region`. Raises Refusal `number_*` for the input `field`.
    """
    digits, extension = _clean(text, field)
    if extension:
        raise Refusal("number_letters", field)
    metadata = PhoneMetadata.metadata_for_region(region)
    abroad = re.match(metadata.international_prefix or "00", digits) if metadata else None
    if digits.startswith("+"):
        found = digits
    elif abroad:
        found = "+" + digits[abroad.end() :]
    elif digits.startswith("00"):
        raise Refusal("number_double_zero", field)
    else:
        found = f"+{phonenumbers.country_code_for_region(region)}{digits.removeprefix(_trunk_prefix(region))}"
    if len(found) > 3 and not _calling_code(found):
        raise Refusal("number_unknown_country", field)
    return found


def whole_country(e164_start: str, region: str) -> bool:
    """Whether the prefix covers all ordinary numbers of the country."""
    code = f"+{phonenumbers.country_code_for_region(region)}"
    if code.startswith(e164_start):
        return True
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    return any(examples) and all(_e164(e).startswith(e164_start) for e in examples if e is not None)


def same_number(a: str, b: str, region: str) -> bool:
    """Whether two texts, typed or stored, are the same number apart from extensions. False if one is no number."""
    try:
        return parse(a, region).e164 == parse(b, region).e164
    except Refusal:
        return False


def is_number(text: str, region: str) -> bool:
    """Whether the text is one number that is in its country's plan."""
    return _quality(text, region) == 2


def split_two(words: Sequence[str], region: str) -> tuple[str, str]:
    """Split words that hold two numbers into the texts of both. The second may be "off".

    Raises Refusal `number_two_unclear` if no split, or more than one, gives two numbers.
    """
    if len(words) > 1 and words[-1].casefold() == "off":
        first = " ".join(words[:-1])
        if _quality(first, region):
            return first, "off"
    if len(" ".join(words)) <= 2 * TYPED_NUMBER_LENGTH:
        splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
        rated = [(min(_quality(a, region), _quality(b, region)), (a, b)) for a, b in splits]
        for wanted in (2, 1):  # both valid; failing that, both possible
            found = [pair for quality, pair in rated if quality >= wanted]
            if len(found) == 1:
                return found[0]
            if found:
                break
    # One valid number and a rest that is none: the error of the rest is more helpful.
    for end in range(len(words) - 1, 0, -1):
        if _quality(" ".join(words[:end]), region) == 2:
            parse(" ".join(words[end:]), region, "forwarding")
    raise Refusal("number_two_unclear")


def _quality(text: str, region: str) -> int:
    try:
        return 2 if parse(text, region).valid else 1
    except Refusal:
        return 0


@lru_cache(maxsize=16_384)
def pretty(e164: str, region: str, extension: str | None = None, extension_label: str = "ext.") -> str:
    """A stored number as it is written in `region`: national if it is from there, else international, with its
    extension."""
    number = _stored(e164)
    if number is None:
        return e164
    # Numbers outside the plan have no national form, and could be read back as another number.
    home = phonenumbers.region_code_for_number(number) == region
    shown = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} {extension_label} {extension}" if extension else shown


def mask_number(e164: str) -> str:
    """The number for logs: "+44•••••0958"; all dots for what is no number."""
    if not _E164.fullmatch(e164):
        return _MASK
    return f"+{_calling_code(e164)}{_MASK}{e164[-4:]}"


@lru_cache(maxsize=16_384)
def country_of(e164: str) -> str | None:
    """ISO country of a stored number; None for numbers of no country, such as +800."""
    number = _stored(e164)
    return None if number is None else _country(number)


def area_matches(e164: str, area: str) -> bool:
    """Whether a stored number is in the area code that was typed: "030", "30", "(0)20" or "+44 20". Empty: any."""
    if not area.strip():
        return True
    number = _stored(e164)
    try:
        digits, _ = _clean(area, "area")
    except Refusal:
        return False
    if number is None:
        return False
    if digits.startswith("+"):
        return e164.startswith(digits)
    national = phonenumbers.national_significant_number(number)
    stripped = digits.removeprefix(_trunk_prefix(_country(number)))
    return national.startswith(digits) or (stripped != "" and national.startswith(stripped))


def parse_extension(text: str, field: str = "extension") -> str | None:
    """A typed extension in ASCII digits; None for a blank one. Refused: `extension_not_digits`."""
    kept = "".join(map(_plain, text.translate(_FOLDED)))
    digits = re.sub(r"[\s\-.#]", "", kept)
    if not digits and kept.strip() == "":
        return None
    if not digits.isdecimal() or len(digits) > EXTENSION_DIGITS:
        raise Refusal("extension_not_digits", field, limit=EXTENSION_DIGITS)
    return digits


def is_e164(text: str) -> bool:
    """Whether the text has the form of E.164 and a length that its country allows."""
    number = _stored(text)
    return number is not None and phonenumbers.is_possible_number(number)


def _special(kind: str, dialled: str, region: str, wanted: bool, field: str) -> ParsedNumber:
    if not wanted:
        raise Refusal(f"number_{kind}", field)
    return ParsedNumber(dialled, None, region, kind, True)


def _unreadable(digits: str, region: str, field: str, error: int) -> Refusal:
    if _double_zero(digits, region):
        return Refusal("number_double_zero", field)
    if error == NumberParseException.INVALID_COUNTRY_CODE:
        return Refusal("number_unknown_country", field)
    country = _main_country(int(_calling_code(digits) or 0)) if digits.startswith("+") else region
    why = "long" if error == NumberParseException.TOO_LONG else "short"
    return _impossible(digits, region, field, country, why)


def _impossible(digits: str, region: str, field: str, country: str | None, why: str) -> Refusal:
    """The refusal of a number that its country cannot have; `why` is short, long, length or area (the area code is
    missing)."""
    if why in ("long", "length") and _two_in_a_row(digits, region):
        return Refusal("number_two", field)
    return Refusal("number_impossible", field, country=country or region, why=why)


def _two_in_a_row(digits: str, region: str) -> bool:
    """Whether the digits are two whole numbers without a separator."""
    if len(digits) > 2 * 17:  # two of the longest: 15 digits and "00"
        return False
    return any(_valid(digits[:i], region) and _valid(digits[i:], region) for i in range(6, len(digits) - 5))


def _valid(digits: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except NumberParseException:
        return False


def _double_zero(digits: str, region: str) -> bool:
    """Whether the digits begin with "00" in a region whose international prefix is another one."""
    if not digits.startswith("00"):
        return False
    metadata = PhoneMetadata.metadata_for_region(region)
    return metadata is not None and not re.match(metadata.international_prefix or "00", digits)


def _trunk_prefix(region: str | None) -> str:
    """The prefix of national numbers ("0" in many countries), or ""."""
    metadata = PhoneMetadata.metadata_for_region(region or "")
    return (metadata and metadata.national_prefix) or ""


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _country(number: PhoneNumber) -> str | None:
    """The number's country; for a number in no plan, the main country of its calling code."""
    region = phonenumbers.region_code_for_number(number)
    return region if region and region != "001" else _main_country(number.country_code or 0)


def _main_country(calling_code: int) -> str | None:
    region = phonenumbers.region_code_for_country_code(calling_code)
    return None if region in ("001", "ZZ") else region


def _stored(e164: str) -> PhoneNumber | None:
    if not _E164.fullmatch(e164):
        return None
    try:
        return phonenumbers.parse(e164, None)
    except NumberParseException:
        return None


def _calling_code(e164: str) -> str:
    codes = (e164[1:end] for end in (2, 3, 4))
    return next((code for code in codes if int(code) in COUNTRY_CODE_TO_REGION_CODE), "")


def _clean(text: str, field: str) -> tuple[str, str | None]:
    """ASCII digits with at most one leading plus, and the extension. Raises Refusal for what is no number at all."""
    if len(text) > 4 * TYPED_NUMBER_LENGTH:  # bounds the work below
        raise Refusal("number_too_long", field, limit=TYPED_NUMBER_LENGTH)
    kept = "".join(map(_plain, text.translate(_FOLDED))).strip()
    if not kept:
        raise Refusal("number_empty", field)
    if len(kept) > TYPED_NUMBER_LENGTH:
        raise Refusal("number_too_long", field, limit=TYPED_NUMBER_LENGTH)
    kept = re.sub(r"^tel:\s*", "", kept, flags=re.IGNORECASE)
    extension = _EXTENSION.search(kept)
    if extension:
        kept = kept[: extension.start()]
    pieces = [piece for piece in _BREAKS.split(kept) if piece]
    if len(pieces) > 1 and all(sum(map(str.isdigit, piece)) > 6 for piece in pieces):
        raise Refusal("number_two", field)
    digits = re.sub(r"[\s\-.()\[\]/~]", "", kept)
    if not re.fullmatch(r"\+*\d+", digits):
        raise Refusal("number_letters", field)
    return re.sub(r"^\++", "+", digits), extension["extension"] if extension else None


def _plain(character: str) -> str:
    """One character in ASCII where it has an equivalent; "" for invisible format characters."""
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Pd":
        return "-"
    return "" if category == "Cf" else " " if category.startswith("Z") else character
