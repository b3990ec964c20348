"""What people write, as it is kept."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import text as rules
from tests.domain.samples import refusal

RLO, PDF, RLM, ZWJ, LRI, PDI = "\u202e", "\u202c", "\u200f", "\u200d", "\u2066", "\u2069"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  it fails \n", "it fails"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("a\x00\x07\x1b[31mb\x7f\x9b", "a[31mb"),
        ("a\ud800b\ufffe\ufdd0", "ab"),
        ("tab\tstays", "tab\tstays"),
        ("<!channel> **b** <@U1> &amp; {n} %s", "<!channel> **b** <@U1> &amp; {n} %s"),
        (f"{RLM} \u05e9\u05dc\u05d5\u05dd {RLM}", "\u05e9\u05dc\u05d5\u05dd"),
        (f"{RLM}\n a", "a"),
        (f"a {RLO}b", f"a {RLO}b{PDF}"),
        (f"a {RLO}b{PDF} c", f"a {RLO}b{PDF} c"),
        (f"a {LRI}{RLO}b\nc", f"a {LRI}{RLO}b{PDF}{PDI}\nc"),
        (f"\U0001f469{ZWJ}\U0001f680", f"\U0001f469{ZWJ}\U0001f680"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("\U0001fae9", "\U0001fae9"),  # an emoji that is newer than Python's tables
        ("\ufeffa", "a"),
    ],
)
def test_what_is_kept_of_a_text(typed: str, kept: str) -> None:
    assert rules.clean(typed) == kept
    assert rules.parse_text(typed, "description", 100) == kept


@pytest.mark.parametrize(
    "nothing",
    ["", " \n\t ", RLM, f"{RLM}{ZWJ}\u2060\ufeff", "\u0301\u0308", "\u3164", "\u2800\u115f", "\x00\x07", "\u00a0"],
)
def test_what_shows_nothing_is_empty(nothing: str) -> None:
    assert not rules.has_visible_text(nothing)
    for reader in (rules.parse_overview, rules.parse_description):
        assert refusal(reader, nothing).code == "text_empty"
    assert rules.parse_text(nothing, "comment", 10, required=False) == ""


@pytest.mark.parametrize("something", ["\U0001f525", "\u2764\ufe0f", "?", "0", "\u05e9", "\U0001fae9", ":)", "\u20ac"])
def test_an_emoji_or_a_sign_is_a_text(something: str) -> None:
    assert (rules.parse_overview(something), rules.parse_description(something)) == (something, something)


@pytest.mark.parametrize(("length", "kept"), [(40_000, True), (40_001, False)])
def test_a_description_may_be_as_long_as_a_message(length: int, kept: bool) -> None:
    typed = f"  {'x' * length}  "
    if kept:
        assert len(rules.parse_description(typed)) == length
        return
    no = refusal(rules.parse_description, typed)
    assert (no.code, no.field) == ("text_long", "description")
    assert no.params == {"limit": 40_000, "length": length}


def test_an_overview_is_one_line() -> None:
    assert rules.parse_overview(" it\r\n fails \u2028 again ") == "it fails again"
    assert rules.parse_line("a" + " " * 300 + "b", "overview", 3) == "a b"
    assert refusal(rules.parse_overview, "x" * 201).code == "text_long"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.L+x@Example.co.uk \n", "Ada.L+x@Example.co.uk"),
        ("zażółć@gęślą.pl", "zażółć@gęślą.pl"),
        ("a@b\nBcc:", None),
        ("a@b.de\nBcc: c@d.de", None),
        ("a@b.de\r", "a@b.de"),
        ("a@b.de, c@d.de", None),
        ("a@b.de;c@d.de", None),
        ("Ada <a@b.de>", None),
        ('"a b"@b.de', None),
        ("a@b", None),
        ("a@b..de", None),
        ("@b.de", None),
        ("a\x00@b.de", None),
        (f"a{RLO}@b.de", None),
        (f"{'a' * 65}@b.de", None),
        (f"a@{'b' * 250}.de", None),
        ("", None),
    ],
)
def test_an_email_address_stands_alone(typed: str, kept: str | None) -> None:
    if kept is not None:
        assert rules.parse_email(typed) == kept
        return
    no = refusal(rules.parse_email, typed)
    assert (no.code, no.field) == ("email_wrong", "email")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ()),
        ("https://a.de/x?y=1#z, http://b.de\nhttps://a.de/x?y=1#z", ("https://a.de/x?y=1#z", "http://b.de")),
        ("https://a.de/?q=1,2", ("https://a.de/?q=1,2",)),
        ("javascript:alert(1)", "link_wrong"),
        ("https://a.de a.de", "link_wrong"),
        ("<https://a.de|here>", "link_wrong"),
        ("https://" + "a" * 2000, "link_wrong"),
        (" ".join(f"https://a.de/{n}" for n in range(20)), 20),
        (" ".join(f"https://a.de/{n}" for n in range(21)), "links_many"),
    ],
)
def test_links(typed: str, found: tuple[str, ...] | int | str) -> None:
    if isinstance(found, str):
        assert refusal(rules.parse_links, typed).code == found
    elif isinstance(found, int):
        assert len(rules.parse_links(typed)) == found
    else:
        assert rules.parse_links(typed) == found


def test_a_ticket_keeps_so_many_files() -> None:
    rules.require_file_count(20)
    assert refusal(rules.require_file_count, 21).code == "files_many"


TEXT = st.text(st.characters() | st.sampled_from(f"\n\r\t {RLO}{PDF}{LRI}{PDI}{RLM}{ZWJ}\u0301"), max_size=40)


@given(TEXT)
@settings(max_examples=200, deadline=None)
def test_any_text_is_kept_the_same_twice_and_loses_nothing_that_can_be_seen(typed: str) -> None:
    kept = rules.clean(typed)
    assert rules.clean(kept) == kept
    assert not [c for c in kept if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    assert _seen(kept) == _seen(typed)


def _seen(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c)[0] in "LNPS" and c not in "\u115f\u1160\u3164\uffa0\u2800"]
