"""The catalogues: what the handlers say is there, in every language, with the same params, and nothing beside it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from domain.blocklist import read_expiry
from domain.phone import parse, pretty
from domain.refusal import Refusal
from handlers import numbers, wording
from handlers.framework import parse_args
from handlers.framework.refusals import refusal_text
from handlers.framework.screens import Bold, Link, Timestamp, strip_markup
from handlers.wording import LANGUAGES, PSEUDO, MissingText, Words, choose_language
from tests.domain.samples import account
from tests.handlers.spoken import form_labels, refusals, uses

WARSAW = ZoneInfo("Europe/Warsaw")
FOLDER = Path(str(wording.__file__)).parent
OTHERS = [language for language in LANGUAGES if language != "en"]
WIDEST = 24  # docs/screens.md 18: a dialog's title, submit and close
COUNTS = (0, 1, 2, 5, 22)
GSM = frozenset(  # 3GPP TS 23.038, the basic table without the escape
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)

CONTROLS = {  # docs/contract.md, "Words on the controls": tools from outside find them by these
    "button.get": "Get a number",
    "button.register": "Register a number",
    "button.edit": "Edit",
    "button.delete": "Delete",
    "button.undo": "Undo",
    "button.next": "Next",
    "button.previous": "Previous",
    "button.save": "Save",
    "field.country": "Country",
    "field.area": "Area code",
    "field.person": "Assigned to",
    "field.forwarding": "Forwarding number",
    "field.confirm": "Type the number to confirm",
    "field.own_number": "Phone number",
    "field.code": "Verification code",
    "button.add_number": "Add number",
    "button.add": "Add",
    "button.remove": "Remove",
    "button.check": "Check",
    "field.block_number": "Phone number",
    "field.direction": "Direction",
    "field.reason": "Reason",
    "field.expires": "Expires",
    "button.ask": "Ask",
    "button.related": "See related results",
    "button.contact": "Contact us",
    "channel.chat": "Chat with the team",
    "channel.email": "Email support",
    "channel.callback": "Request a callback",
    "channel.premium_chat": "Premium chat",
    "channel.premium_email": "Premium email support",
    "channel.premium_callback": "Premium callback",
    "button.send": "Send message",
    "button.submit": "Submit",
    "button.inbox": "Support inbox",
    "button.inbox_all": "All tickets",
    "button.inbox_open": "Open tickets",
    "button.inbox_closed": "Closed tickets",
    "button.inbox_fav": "Favorites",
    "button.reply": "Reply",
    "button.continue_chat": "Continue this chat",
    "button.close_ticket": "Close this ticket",
    "button.reopen": "Reopen this ticket",
    "button.new_ticket": "Create a new ticket",
    "button.escalate": "Escalate",
    "button.star": "Add to favorites",
    "button.unstar": "Remove from favorites",
    "button.claim": "Claim",
    "button.note": "Note",
    "button.assign": "Assign",
    "button.confirm": "Confirm",
    "button.downgrade": "Downgrade",
    "button.block": "Block number",
    "field.language": "Language",
    "field.overview": "Overview",
    "field.description": "Description",
    "field.email": "Email",
    "field.phone": "Phone number",
    "field.critical": "Business critical",
    "field.impact": "Impact",
    "field.affected": "Who and since when",
    "field.rating": "Rating",
    "field.comment": "Comment",
}

ALIKE = {  # why texts read the same as the English, and which
    "a name and a date": "block.by",
    "the product's name for it": "clock.source.premium",
    "a command": (
        "help.blocklist.export.usage help.blocklist.import.usage help.undo.usage help.usage.usage "
        "support.help.ask.usage support.help.contact.usage support.help.inbox.usage support.help.ticket.usage "
        "support.help.queue.usage"
    ),
    "two names": "home.title",
    "a plan's name": "tier.starter tier.professional tier.enterprise",
    "a number and the person's own words": "mail.subject",
    "a command and its words": "support.help.report.usage",
    "figures": "clock.always",
    "a unit": "clock.minutes",
    "a number and a title": "desk.assign.about desk.title ticket.reply.about ticket.title",
    "a product's name": "desk.premium",
    "a control and a number": "desk.spoken",
    "a number, a title and a state": "desk.summary ticket.summary",
    "our name": "person.switchboard",
    "a number and a sentence": "ticket.event_summary",
    "a number, a name and what was said": "ticket.said",
}

ALIKE_IN = {  # the same, in one language alone
    "de": {
        "the same word": "desk.links field.links report.median",
    },
    "es": {
        "the same word": "button.no channel.short.chat clock.source.chat",
        "a unit": "clock.hours report.seconds",
        "units": "clock.hours_minutes",
        "the same abbreviation": "numbers.extension",
        "figures": "report.p90",
    },
    "pt": {
        "the same word": "channel.short.chat clock.source.chat desk.links field.links",
        "a unit": "clock.hours report.seconds",
        "units": "clock.hours_minutes",
        "the person's own words": "support.asked",
    },
    "fr": {
        "the same word": (
            "button.note channel.short.chat clock.source.chat field.description field.impact field.note link.support "
            "minutes.minutes minutes.unit support.title"
        ),
        "a command and the same word": "support.help.question.usage",
    },
}


@lru_cache
def catalogue(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as source:
        return read_po(source, abort_invalid=True)


@lru_cache
def texts(language: str) -> dict[str, tuple[str, ...]]:
    """Every key with its text, or its texts where it has plural forms."""
    found: dict[str, tuple[str, ...]] = {}
    for message in catalogue(language):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return found


@lru_cache
def plurals(language: str) -> frozenset[str]:
    return frozenset(m.id[0] for m in catalogue(language) if m.id and not isinstance(m.id, str))


def fields(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def bold(text: str) -> list[frozenset[str]]:
    """Of each bold stretch, what is filled in."""
    return [fields(stretch) for stretch in re.findall(r"\*\*(.+?)\*\*", text)]


def commands(text: str) -> list[str]:
    verbs = "|".join((*numbers.HELP, "numbers", "help", "ask", "contact"))
    return sorted(re.findall(rf"/(?:numbers|support|switchboard)(?: (?:{verbs})\b)?", text))


def spoken(language: str) -> Iterator[tuple[str, str]]:
    """Every text of a language filled in, in each of its forms."""
    words = Words(language, WARSAW)
    for key, forms in texts("en").items():
        params = {name: f"<{name}>" for form in forms for name in fields(form) if name != "n"}
        for n in COUNTS if key in plurals("en") else (None,):
            yield key, words(key, n=n, **params)


# ── What the handlers say ───────────────────────────────────────────────────────────────────────────────────────


def test_every_key_in_use_has_a_text_and_every_text_is_in_use() -> None:
    used = {key for use in uses() for key in use.keys}
    assert used - texts("en").keys() == set(), "without a text"
    assert texts("en").keys() - used == set(), "without a use"


def test_every_use_gives_what_its_text_wants() -> None:
    wrong = []
    for use in uses():
        for key in use.keys:
            if use.params is None:  # a refusal: held against its params below
                continue
            wanted = frozenset().union(*map(fields, texts("en")[key]))
            if missing := wanted - use.params - {"n"}:
                wrong.append(f"{use.at}: {key} wants {sorted(missing)}")
            if (key in plurals("en")) != ("n" in use.params):
                wrong.append(f"{use.at}: {key} and its count")
    assert wrong == []


PARAMS: dict[str, object] = {
    "admins": ("Ada", "Robin"),
    "at": datetime(2026, 11, 22, 9, 5, tzinfo=UTC),
    "country": "GB",
    "digits": 6,
    "have": "free",
    "left": 2,
    "limit": 40,
    "n": 3,
    "names": ("Max", "Max Müller"),
    "others": ("France", "Spain"),
    "person": "max",
    "tier": "starter",
    "unused": ("020 7946 0900",),
    "until": datetime(2026, 11, 22, 9, 5, tzinfo=UTC),
    "why": "short",
}


@pytest.mark.parametrize("language", [*LANGUAGES, PSEUDO])
def test_every_refusal_can_be_said(language: str) -> None:
    words = Words(language, WARSAW)
    for code, names in refusals():
        said = refusal_text(words, account(), Refusal(code, None, **{name: PARAMS.get(name, name) for name in names}))
        assert said, code
        assert not re.search(r"[{}*]", said), said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Only super admins can do this. Ask a super admin."),
        ("pl", "Mogą to robić tylko superadministratorzy. Kogo zapytać: superadministrator."),
    ],
)
def test_an_account_without_super_admins_has_a_sentence_too(language: str, said: str) -> None:
    assert refusal_text(Words(language, WARSAW), account(), Refusal("not_super_admin", admins=())) == said


def test_controls_are_called_as_the_contract_says() -> None:
    english = Words("en", WARSAW)
    assert {key: english(key) for key in CONTROLS} == CONTROLS


# ── The languages beside each other ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete(language: str) -> None:
    here = catalogue(language)
    assert texts(language).keys() == texts("en").keys()
    assert plurals(language) == plurals("en")
    raw = (FOLDER / f"{language}.po").read_text("utf-8")
    keys = re.findall(r'^msgid "(.+)"$', raw, re.MULTILINE)
    assert sorted(keys) == sorted(texts("en")), "a key stands there once"
    assert re.findall(r"^msgid_plural .*|^#~.*|^#, fuzzy", raw, re.MULTILINE) == [
        f'msgid_plural "{key}"' for key in keys if key in plurals("en")
    ]
    for key, forms in texts(language).items():
        assert len(forms) == (here.num_plurals if key in plurals("en") else 1), key
        assert all(form.strip() == form != "" for form in forms), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_params_bold_and_commands_in_every_form(language: str) -> None:
    for key, (first, *_) in texts("en").items():
        for form in texts(language)[key]:
            assert fields(form) == fields(first), key
            assert bold(form) == bold(first), key
            assert form.count("**") == 2 * len(bold(first)), key
            assert commands(form) == commands(first), key


def keys_in(table: dict[str, str]) -> set[str]:
    return set(" ".join(table.values()).split())


def alike(language: str) -> set[str]:
    english, here = texts("en"), texts(language)
    return {key for key in english if set(here[key]) & set(english[key])}


@pytest.mark.parametrize("language", OTHERS)
def test_what_reads_like_english_is_meant_to(language: str) -> None:
    here = keys_in(ALIKE_IN.get(language, {}))
    assert alike(language) - keys_in(ALIKE) - here == set()
    assert here - alike(language) == set()


def test_what_may_read_like_english_does_somewhere() -> None:
    assert keys_in(ALIKE) - set().union(*map(alike, OTHERS)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_and_buttons_fit(language: str) -> None:
    narrow = form_labels() | {key for key in texts("en") if key.startswith("button.")}
    assert {"get.title", "own.code.title", "more.title", "button.cancel", "button.verify"} <= narrow
    words = Words(language, WARSAW)
    assert {key: words(key) for key in sorted(narrow) if len(words(key)) > WIDEST} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_fills_in(language: str) -> None:
    for key, said in spoken(language):
        assert not re.search(r"[{}]|\*\*", said), key


def test_polish_shows_nobodys_gender() -> None:
    said = "\n".join(text for _, text in spoken("pl"))
    assert re.findall(r"\w*(?:łeś|łaś|ł\(a\)|łem|łam)\b", said) == []


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "Masz 0 numerów telefonu"),
        (1, "Masz 1 numer telefonu"),
        (2, "Masz 2 numery telefonu"),
        (4, "Masz 4 numery telefonu"),
        (5, "Masz 5 numerów telefonu"),
        (12, "Masz 12 numerów telefonu"),
        (21, "Masz 21 numerów telefonu"),
        (22, "Masz 22 numery telefonu"),
        (112, "Masz 112 numerów telefonu"),
        (1003, "Masz 1003 numery telefonu"),
        (12_000, "Masz 12\u00a0000 numerów telefonu"),
    ],
)
def test_polish_counts_in_three_forms(n: int, said: str) -> None:
    assert Words("pl", WARSAW)("numbers.summary_own", n=n).replace("1\u00a0003", "1003") == said


@pytest.mark.parametrize(("n", "said"), [(0, "0 phone numbers"), (1, "1 phone number"), (3000, "3,000 phone numbers")])
def test_english_counts_in_two(n: int, said: str) -> None:
    assert Words("en", WARSAW)("numbers.summary_own", n=n) == f"You have {said}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_by_text_message_costs_one_message(language: str) -> None:
    said = Words(language, WARSAW)("own.message.sms", code="482913", minutes=10)
    # One letter beyond GSM's alphabet, and a message holds no more than 70.
    assert len(said) <= (160 if set(said) <= GSM else 70)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shown_to_be_typed_is_understood(language: str) -> None:
    words = Words(language, WARSAW)
    shown = pretty("+442079460958", "GB", "12", words("numbers.extension"))
    assert parse(shown, "GB")[:2] == ("+442079460958", "12")
    assert words("person.nobody") in parse_args.NOBODY_WORDS
    assert read_expiry(words("expires.never"), account(), datetime(2026, 11, 22, tzinfo=UTC)) is None
    for key in ("help.forward", "refusal.forward_usage"):
        quoted = re.findall(r"[“„«「]\s?(\w+)\s?[”“»」]", words(key)) or [
            word for word in re.findall(r"\w+", words(key)) if word in parse_args.OFF_WORDS
        ]
        assert quoted, key
        assert set(quoted) <= parse_args.OFF_WORDS, key


# ── Filling in ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("nasty", ["**x**", "{who}", "{n}", "<!channel>", "<@U1>", "&amp;", "{", "}", "%s", "⟦", "_x_"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_typed_stays_as_it_is(language: str, nasty: str) -> None:
    words = Words(language, WARSAW)
    frame = strip_markup(words.text("help.unknown_near", word="@word@", near="@near@"))
    said = words.text("help.unknown_near", word=nasty, near=nasty)
    assert strip_markup(said) == frame.replace("@word@", nasty).replace("@near@", nasty)
    assert [part for part in said if not isinstance(part, str)] == [Bold(nasty)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_in_a_list_stay_as_they_are(language: str) -> None:
    names = ["{0}", "**Ada**", "<!channel>"]
    said = Words(language, WARSAW).text("numbers.managers", n=3, names=names)
    assert all(isinstance(part, str) for part in said)
    assert all(name in strip_markup(said) for name in names)


def test_a_sentence_keeps_its_bold_links_and_moments() -> None:
    words, at = Words("en", WARSAW), datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    until, link = words.timestamp(at), Link("Learn more", "https://example.com")
    assert words.text("numbers.deleted", number="020 7946 0900", until=until) == (
        Bold("020 7946 0900"),
        " is deleted. You can undo this until ",
        Timestamp(at, "date", "22 Nov 2026"),
        ".",
    )
    assert words.text("edit.hosted_sms", link=link)[-1] == link
    assert words.text("edit.stale", who="Ada", person="Max", forwards="x")[:2] == (
        Bold("Ada"),
        Bold(" changed this number meanwhile."),
    )


def test_an_unknown_key_is_an_error() -> None:
    for language in (*LANGUAGES, PSEUDO):
        with pytest.raises(MissingText, match=r"no\.such"):
            Words(language, WARSAW)("no.such")
        with pytest.raises(MissingText, match=r"no\.such"):
            Words(language, WARSAW)("no.such", n=2)


def test_a_missing_param_is_an_error_that_names_it() -> None:
    with pytest.raises(MissingText, match=r"numbers\.forwards: nothing given for \{number\}"):
        Words("en", WARSAW)("numbers.forwards")


def test_a_text_missing_in_a_language_is_said_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = '"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: {}\\n"\n\n'
    en, pl = "nplurals=2; plural=(n != 1);", "nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);"
    both = 'msgid "both"\nmsgstr "{}"\n\n'
    only = 'msgid "only"\nmsgstr "Only"\n\nmsgid "many"\nmsgid_plural "many"\nmsgstr[0] "one"\nmsgstr[1] "{n} of"\n'
    (tmp_path / "en.po").write_text('msgid ""\nmsgstr ""\n' + header.format(en) + both.format("Both") + only, "utf-8")
    (tmp_path / "pl.po").write_text('msgid ""\nmsgstr ""\n' + header.format(pl) + both.format("Oba"), "utf-8")
    caches = (wording._catalogue, wording._template)
    try:
        monkeypatch.setattr(wording, "_FOLDER", tmp_path)
        for cache in caches:
            cache.cache_clear()
        polish = Words("pl", WARSAW)
        assert (polish("both"), polish("only"), polish("many", n=2)) == ("Oba", "Only", "2 of")
    finally:
        for cache in caches:
            cache.cache_clear()


def test_the_pseudo_language_brackets_every_text() -> None:
    assert list(spoken(PSEUDO)) == [(key, f"⟦{said}⟧") for key, said in spoken("en")]


# ── Numbers, dates, languages ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "english", "polish"),
    [
        (0, "0", "0"),
        (30_000, "30,000", "30\u00a0000"),
        (date(2026, 12, 1), "1 Dec", "1 gru"),
        (datetime(2026, 11, 22, 23, 5, tzinfo=UTC), "23 Nov 2026 00:05", "23 lis 2026 00:05"),
        (["Ada"], "Ada", "Ada"),
        (("Ada", "Robin"), "Ada and Robin", "Ada i Robin"),
        (["Ada", "Max", "Robin"], "Ada, Max and Robin", "Ada, Max i Robin"),
        ("3000", "3000", "3000"),
    ],
)
def test_values_have_the_readers_form(value: int | date | list[str] | str, english: str, polish: str) -> None:
    assert Words("en", WARSAW).show(value) == english
    assert Words(PSEUDO, WARSAW).show(value) == english
    assert Words("pl", WARSAW).show(value) == polish


def test_a_row_has_the_languages_comma() -> None:
    rows = {language: Words(language, WARSAW).join(["Ada", "Max"]) for language in LANGUAGES}
    assert rows.pop("ja") == "Ada、Max"
    assert set(rows.values()) == {"Ada, Max"}


def test_moments_have_words_for_where_they_cannot_be_drawn() -> None:
    at = datetime(2026, 11, 22, 23, 5, tzinfo=UTC)
    polish = Words("pl", WARSAW)
    assert polish.timestamp(at) == Timestamp(at, "date", "23 lis 2026")
    assert polish.timestamp(at, "time") == Timestamp(at, "time", "00:05")
    assert polish.timestamp(at, "datetime") == Timestamp(at, "datetime", "23 lis 2026 00:05")


@pytest.mark.parametrize(
    ("language", "region", "said"),
    [("en", "GB", "United Kingdom"), ("pl", "GB", "Wielka Brytania"), ("en", "ZZZ", "ZZZ"), ("pl", None, "")],
)
def test_countries_have_the_readers_name(language: str, region: str | None, said: str) -> None:
    assert Words(language, WARSAW).country(region) == said


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (("pl-PL",), "pl"),
        (("pl_PL", "en"), "pl"),
        (("PL",), "pl"),
        (("en-GB", "pl"), "en"),
        ((None, "", "pl"), "pl"),
        (("ja-JP", "pl"), "ja"),
        (("pt-BR",), "pt"),
        (("es-419",), "es"),
        (("fr-CA",), "fr"),
        (("de-AT",), "de"),
        (("it-IT", "pl"), "pl"),
        (("it-IT",), "en"),
        (("plt",), "en"),
        (("xx",), PSEUDO),
        ((), "en"),
    ],
)
def test_the_first_language_that_is_there(wanted: tuple[str | None, ...], chosen: str) -> None:
    assert choose_language(*wanted) == chosen
