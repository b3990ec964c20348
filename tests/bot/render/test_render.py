"""Screens and forms as Slack gets them: what they look like (snapshots), and that no text or length breaks a limit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bot.slack import forms, render
from bot.slack.controls import unpack_action, unpack_option
from handlers.framework.screens import (
    Block,
    Bold,
    Button,
    Buttons,
    Chart,
    Checkbox,
    Choice,
    Confirm,
    Divider,
    FactSet,
    Form,
    Heading,
    Link,
    ListItem,
    Meter,
    Option,
    Options,
    Paragraph,
    Screen,
    Table,
    TextField,
    Timestamp,
)
from playground.slack.blocks import check_blocks, check_options, check_view
from playground.slack.rules import units

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
RICH = Screen(
    "Phone numbers · Acme GmbH",
    (
        Meter("2 of 3 numbers (1 left)", 2, 3),
        Meter("120 of 3,000 minutes this month", 120, 3000, "resets 1 Dec"),
        Divider(),
        ListItem(
            "020 7946 0900",
            (("Provided",), ("Max",), ("forwards to 020 7946 0111",)),
            (Button("Edit", "numbers.edit", "+442079460900"), Button("History", "numbers.history", "+442079460900")),
            spoken="Actions for 020 7946 0900",
        ),
        ListItem("020 7946 0901", (("Provided",), ("*Ada_* <!channel> & co",)), button=Button("Open", "open", "2")),
        Heading("Deleted"),
        Paragraph(
            ("You can undo this until ", Timestamp(NOON, "date", "29 Nov 2026"), ": ", Bold("020 7946 0902"), ".")
        ),
        Paragraph(("Typed: `x` ~y~ ", Bold("kept"), " ", Link("Learn more", "https://example.com/a?b=c&d"))),
        Paragraph(("Ada and Robin manage the account's numbers.",), quiet=True),
        FactSet((("Source", ("Provided",)), ("Since", (Timestamp(NOON, "datetime", "29 Nov 2026 12:00"),)))),
        Chart("Minutes by number", (("020 7946 0900", 1900), ("+1 415 555 0132", 600)), "minutes", "Minutes by number"),
        Table(("When", "Who", "What"), ((("29 Nov",), ("Ada",), ("assigned to Max",)), (("28 Nov",), ("",), ("got",)))),
        Buttons(
            (
                Button("Get a number", "numbers.get", style="primary", form=True),
                Button("Register a number", "numbers.register", style="primary"),
                Button(
                    "Delete all", "x", "1", "danger", confirm=Confirm("Delete?", "Both numbers go.", "Delete", "Keep")
                ),
                Button("See plans", "", url="https://example.com/plans", spoken="See plans and prices"),
                Button("Next", "numbers.page", "2"),
                Button("Previous", "numbers.page", "0"),
            )
        ),
    ),
)
FORM = Form(
    "numbers.edit",
    "Edit a number that has a long name",
    "Save",
    (
        FactSet((("Number", ("020 7946 0900",)),)),
        Choice(
            "person", "Assigned to", (Option("max", "Max"), Option("", "nobody"), Option("ada", "Ada", "you")), "ada"
        ),
        TextField("to", "Forwarding number", "020 7946 0111", "Empty: no forwarding", "020 …", max_length=60),
        Choice(
            "via", "Send the code by", (Option("sms", "SMS"), Option("call", "Call")), "sms", required=True, open=True
        ),
        Choice("country", "Country", (Option("DE", "Germany"), Option("GB", "UK")), "DE", live=True),
        Choice("whom", "Anyone", (Option("m", "Max"),), "m", suggest=True, placeholder="Type a name"),
        Choice("none", "Nothing to choose from", ()),
        Checkbox(
            "sure",
            "Sure?",
            "This is your own number 020 7946 0900. Calls to Max would stop at once, for everybody.",
            "yes",
        ),
        Divider(),
        Paragraph(("Can't be used for hosted SMS with another carrier.",), quiet=True),
        Buttons((Button("Send again", "code.again"),)),
    ),
    {"number": "+442079460900", "version": "7"},
    "Cancel",
)


def test_a_rich_message_looks_as_it_did(shown: SnapshotAssertion) -> None:
    made = render.message(RICH)
    assert check_blocks(made["blocks"]) == []
    assert made == shown


def test_a_rich_home_looks_as_it_did(shown: SnapshotAssertion) -> None:
    made = render.home(RICH)
    assert check_view(made, "home") == []
    assert made == shown


def test_a_form_looks_as_it_did(shown: SnapshotAssertion) -> None:
    made = forms.view(FORM, reply="https://hooks.slack.com/actions/T/1/x", errors=["020 7946 0111 is your own number."])
    assert check_view(made, "modal") == []
    assert made == shown


# ── Properties ──────────────────────────────────────────────────────────────────────────────────────────────────

# What people type that renderers stumble over, at the lengths where limits lie.
NASTY = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "<!channel>",
        "<@U1>",
        "*b* _i_ ~s~ `c`",
        "> quote",
        ":smile:",
        "&amp;&lt;",
        "|",
        "]]>",
        "\u202e",
        "\x00",
    ]
)
WORDS = st.one_of(
    NASTY,
    st.text(max_size=40),
    st.builds(
        lambda piece, n: piece * n,
        st.sampled_from(["x", "😀", "&", "<", "*", "é "]),
        st.sampled_from([24, 76, 151, 3001]),
    ),
)
URLS = st.sampled_from(
    ["https://example.com/a", "javascript:alert(1)", "https://x.example/" + "y" * 3000, "http://a b", ""]
)
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
PARTS = st.one_of(
    WORDS,
    st.builds(Bold, WORDS),
    st.builds(Link, WORDS, URLS),
    st.builds(Timestamp, MOMENTS, st.sampled_from(["date", "time", "datetime"]), WORDS),
)
TEXTS = st.lists(PARTS, max_size=4).map(tuple)
VALUES = st.one_of(st.sampled_from(["a", "b", "x" * 76, "x" * 100]), st.text(max_size=100))
CONFIRMS = st.one_of(st.none(), st.builds(Confirm, WORDS, WORDS, WORDS, WORDS))
BUTTONS = st.builds(
    Button,
    label=WORDS,
    action=st.sampled_from(["a", "b.c", "d" * 60]),
    value=VALUES,
    style=st.sampled_from(["plain", "primary", "danger"]),
    confirm=CONFIRMS,
    spoken=st.one_of(st.none(), WORDS),
    url=st.one_of(st.none(), URLS),
)
ROWS = st.builds(
    ListItem,
    title=WORDS,
    details=st.lists(TEXTS, max_size=3).map(tuple),
    menu=st.lists(BUTTONS, max_size=7).map(tuple),
    button=st.one_of(st.none(), BUTTONS),
)
TABLES = st.builds(
    Table,
    columns=st.lists(WORDS, max_size=22).map(tuple),
    rows=st.lists(st.lists(TEXTS, max_size=22).map(tuple), max_size=5).map(tuple),
)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Paragraph, TEXTS, st.booleans()),
    st.builds(FactSet, st.lists(st.tuples(WORDS, TEXTS), max_size=12).map(tuple)),
    st.builds(Meter, WORDS, st.integers(-1, 9000), st.integers(-1, 3000), WORDS),
    ROWS,
    TABLES,
    st.builds(Buttons, st.lists(BUTTONS, max_size=7).map(tuple)),
    st.just(Divider()),
    st.builds(Heading, WORDS),
    st.builds(Chart, WORDS, st.lists(st.tuples(WORDS, st.integers(-1, 9000)), max_size=25).map(tuple), WORDS, WORDS),
)
SCREENS = st.builds(Screen, WORDS, st.lists(BLOCKS, max_size=8).map(tuple), st.one_of(st.just(""), WORDS))
OPTIONS = st.builds(Option, VALUES, WORDS, st.one_of(st.none(), WORDS))
MAYBE = st.one_of(st.none(), WORDS)


def fields(name: str) -> st.SearchStrategy[Any]:
    choice = {
        "name": st.just(name), "label": WORDS, "options": st.lists(OPTIONS, max_size=12).map(tuple), "value": MAYBE,
        "hint": MAYBE, "placeholder": MAYBE, "required": st.booleans(), "live": st.booleans(), "suggest": st.booleans(),
        "open": st.booleans(),
    }  # fmt: skip
    text = {
        "name": st.just(name), "label": WORDS, "value": WORDS, "hint": MAYBE, "placeholder": MAYBE,
        "required": st.booleans(), "multiline": st.booleans(), "max_length": st.integers(0, 4000),
    }  # fmt: skip
    return st.one_of(
        st.builds(Choice, **choice),
        st.builds(TextField, **text),
        st.builds(Checkbox, st.just(name), WORDS, WORDS, st.sampled_from(["", "yes"]), MAYBE),
    )


PARTS_OF_FORMS = st.tuples(fields("one"), fields("two"), st.builds(Paragraph, TEXTS))
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_table_counts_dashes_and_dates_as_slack_does() -> None:
    late = Timestamp(datetime(1960, 1, 1, tzinfo=UTC), "date", "x" * 3000)  # no date of Slack's: drawn as text
    for row in ((("x" * 2000,),) * 4 + ((late,),), (("x" * 2000,),) * 4 + (("x" * 1999,), ())):
        names = ("",) * (len(row) - 1)
        message = render.message(Screen("", (Table((*names, "x"), (row,)),)))
        assert check_blocks(message["blocks"]) == []


@QUICK
@given(SCREENS)
def test_no_screen_breaks_a_limit(screen: Screen) -> None:
    message = render.message(screen)
    assert check_blocks(message["blocks"]) == []
    assert 0 < units(message["text"]) <= 3000
    assert check_view(render.home(screen), "home") == []
    assert check_view(render.modal(screen, "x"), "modal") == []
    orjson.dumps(message)


@QUICK
@given(WORDS, WORDS, PARTS_OF_FORMS, WORDS, st.lists(WORDS, max_size=2))
def test_no_form_breaks_a_limit(title: str, submit: str, parts: Any, close: str, errors: list[str]) -> None:
    form = Form("a.form", title, submit, parts, {"k": "v"}, close)
    view = forms.view(form, errors=errors)
    assert check_view(view, "modal") == []
    assert check_view(forms.redraw({**view, "id": "V1"}, forms.notes(["again"])), "modal") == []


@QUICK
@given(st.lists(OPTIONS, max_size=120).map(tuple))
def test_no_options_break_a_limit(options: tuple[Option, ...]) -> None:
    assert check_options(render.options(Options(options))) == []


@QUICK
@given(TEXTS)
def test_what_people_type_is_never_markup(text: Any) -> None:
    """Of what is typed nothing reaches mrkdwn as a control sequence, and no character of a plain text is lost."""
    typed = tuple(part for part in text if isinstance(part, str))
    made = render.message(Screen("T", (Paragraph(typed), Paragraph((Bold("ours"), " ", *typed)))))
    for block in made["blocks"][1:]:
        shown = block.get("text", {})
        if shown.get("type") == "mrkdwn":
            assert "<" not in shown["text"]
            assert set("_~`").isdisjoint(shown["text"])
            assert shown["text"].count("*") == 2
            assert shown["verbatim"] is True
    joined = "".join(typed)
    if joined.strip() and units(joined) <= 3000:
        assert made["blocks"][1]["text"]["text"] == joined


# ── Long lists, menus, fallbacks ────────────────────────────────────────────────────────────────────────────────


def rows(count: int, menu: Sequence[Button] = ()) -> tuple[ListItem, ...]:
    return tuple(ListItem(f"number {i}", (("free",),), tuple(menu)) for i in range(count))


@pytest.mark.parametrize("count", [0, 1, 47, 48, 49, 500, 10_000])
def test_a_long_list_is_cut_and_says_so_and_keeps_what_stands_below_it(count: int) -> None:
    screen = Screen("Numbers", (*rows(count), Buttons((Button("Next", "page", "1"),))))
    blocks = render.message(screen)["blocks"]
    assert check_blocks(blocks) == []
    assert blocks[-1]["elements"][0]["text"]["text"] == "Next"
    listed = [b for b in blocks if b["type"] == "section"]
    if count <= 48:
        assert len(listed) == count
    else:
        assert len(listed) == 47
        assert blocks[-2]["elements"][0]["text"] == f"… +{count - 47}"


def test_rows_of_two_blocks_are_cut_whole() -> None:
    menu = [Button(f"Do {i}", "act", str(i)) for i in range(6)]
    blocks = render.message(Screen("Numbers", rows(40, menu)))["blocks"]
    assert check_blocks(blocks) == []
    assert len(blocks) <= 50
    assert blocks[-1]["elements"][0]["text"] == "… +24"


def test_too_many_blocks_of_other_kinds_are_cut() -> None:
    blocks = render.message(Screen("T", tuple(Paragraph((str(i),)) for i in range(200))))["blocks"]
    assert len(blocks) == 50
    assert check_blocks(blocks) == []


def test_menus_and_buttons_come_back_as_they_went_out() -> None:
    value = "v|" * 30
    for menu in ([Button("A", "a.b", "1|2"), Button("B", "c")], [Button("A", "a.b", value * 2)]):
        found = []
        for block in render.message(Screen("T", (ListItem("r", (), tuple(menu)),)))["blocks"]:
            if block["type"] == "section" and "accessory" in block:
                found += [unpack_option(option["value"]) for option in block["accessory"]["options"]]
            elif block["type"] == "actions":
                found += [(unpack_action(e["action_id"]), e.get("value", "")) for e in block["elements"]]
        assert found == [(b.action, b.value) for b in menu]


def test_a_menu_that_asks_first_becomes_buttons_that_ask() -> None:
    sure = Confirm("Delete?", "020 7946 0900 goes.", "Delete", "Keep")
    blocks = render.message(
        Screen("T", (ListItem("r", (), (Button("Edit", "e"), Button("Delete", "d", confirm=sure))),))
    )["blocks"]
    assert [e.get("confirm", {}).get("confirm", {}).get("text") for e in blocks[2]["elements"]] == [None, "Delete"]


def test_only_one_button_of_a_set_is_primary() -> None:
    [first, second, *_] = [e for b in render.message(RICH)["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert (first.get("style"), second.get("style")) == ("primary", None)


def test_the_words_alone_tell_title_and_state() -> None:
    text = render.message(RICH)["text"]
    assert text.startswith("Phone numbers · Acme GmbH\n2 of 3 numbers (1 left)\n120 of 3,000 minutes this month")
    assert "020 7946 0900: Provided · Max · forwards to 020 7946 0111" in text
    assert "&lt;!channel&gt;" in text
    assert "<!channel>" not in text
    assert (
        render.message(Screen("SB-1", (), "Ada forwarded 020 7946 0900."))["text"]
        == "SB-1: Ada forwarded 020 7946 0900."
    )


@pytest.mark.parametrize(
    ("used", "limit", "bar"),
    [
        (0, 3, "░░░░░░░░░░░░ 0%"),
        (1, 3000, "█░░░░░░░░░░░ 0%"),
        (3, 3, "████████████ 100%"),
        (6, 3, "████████████ 200%"),
        (0, 0, "░" * 12 + " 0%"),
    ],
)
def test_a_meter_reads_alone(used: int, limit: int, bar: str) -> None:
    [section] = render.blocks(Screen("", (Meter("words", used, limit),)), 50, tables=0)
    assert section["text"]["text"] == f"*words*\n{bar}"


# ── What forms carry ────────────────────────────────────────────────────────────────────────────────────────────


def test_state_and_way_back_return_and_the_way_back_yields() -> None:
    state = {"number": "+442079460900"}
    assert forms.unpack_metadata(forms.pack_metadata(state, "https://x/")) == (state, "https://x/")
    long = {"k": "v" * 2900}
    assert forms.unpack_metadata(forms.pack_metadata(long, "https://hooks.slack.com/" + "x" * 200)) == (long, None)
    with pytest.raises(ValueError, match="3000"):
        forms.pack_metadata({"k": "v" * 3000}, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"s":[]}', '{"s":{"a":1},"r":7}', "null"])
def test_foreign_metadata_is_no_state(text: str) -> None:
    assert forms.unpack_metadata(text) == ({}, None)


def test_fields_keep_their_ids_when_a_form_is_drawn_again_and_a_choice_with_other_options_does_not() -> None:
    def ids(form: Form) -> dict[str, str]:
        return {b["block_id"]: b["element"]["action_id"] for b in forms.view(form)["blocks"] if b["type"] == "input"}

    def offer(*values: str) -> Form:
        choice = Choice("offer", "Number", tuple(Option(v, v) for v in values))
        return Form("get", "Get", "Get", (TextField("area", "Area code"), choice))

    assert ids(offer("1", "2")) == ids(offer("1", "2").with_values({"area": "030", "offer": "2"}))
    assert ids(offer("1", "2"))["area"] == ids(offer("3"))["area"]
    assert ids(offer("1", "2"))["offer"] != ids(offer("3"))["offer"]


def test_more_options_than_a_menu_shows_are_searched_for() -> None:
    form = Form("f", "F", "Go", (Choice("c", "C", tuple(Option(str(i), str(i)) for i in range(101)), "100"),))
    [block] = forms.view(form)["blocks"]
    assert block["element"]["type"] == "external_select"
    assert block["element"]["initial_option"]["value"] == "100"
