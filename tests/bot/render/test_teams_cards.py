"""Screens as Teams gets them: how they look (snapshots), that Teams takes them, and that typed text stays text."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from bot.teams import cards, controls, limits, text
from bot.teams.display import message
from handlers.framework.screens import (
    Bold,
    Button,
    Buttons,
    Confirm,
    Divider,
    FactSet,
    Heading,
    Link,
    ListItem,
    Meter,
    Paragraph,
    Screen,
    Table,
    Text,
    Timestamp,
)
from tests import present
from tests.bot.render.teams_samples import ANY_SCREEN, ASKS, HISTORY, LIST, NASTY, NOON, SAID, SCREENS, TEXTS, number
from tests.bot.render.teams_schema import fits, pressable, problems, said, seen, things

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def summary(screen: Screen) -> str:
    """What notifications show."""
    return str(message(screen)["summary"])


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_it_did(name: str, shown: SnapshotAssertion) -> None:
    made = cards.card(SCREENS[name])
    assert problems(made) == []
    assert made == shown


@settings(QUICK, max_examples=25)  # a look at the schema takes half a second where a card is large
@given(ANY_SCREEN)
def test_any_screen_becomes_a_card_that_teams_takes(screen: Screen) -> None:
    for made in (cards.card(screen), cards.dialog(screen)):
        assert problems(made) == []
        assert fits(made)
        assert made["body"]
    assert 0 < len(summary(screen)) <= limits.WORDS


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────

FUNCTION = re.compile(r"\{\{(?:DATE|TIME)\([^)]*\)\}\}")
COMMONMARK = MarkdownIt("commonmark")
# As CommonMark and Microsoft's own parsers have it: what could begin or end any mark, block, link or entity.
ACTIVE = re.compile(r"[*_~`\[\]\\<>#|\r\n]|&[#\w]|\A\s|\A[-=]|\A\+(?!\d)|\A\d+[.)]")


def _texts(card: Any) -> list[str]:
    """Everything that clients read as markdown."""
    blocks = [thing["text"] for thing in things(card) if thing["type"] == "TextBlock"]
    facts = [text for thing in things(card) for fact in thing.get("facts", ()) for text in fact.values()]
    return [*blocks, *facts]


@QUICK
@given(ANY_SCREEN)
def test_no_markdown_is_ever_written(screen: Screen) -> None:
    for shown in _texts(cards.card(screen)):
        assert not ACTIVE.search(FUNCTION.sub("x", shown))
        read = escape(FUNCTION.sub("x", shown), quote=False).replace('"', "&quot;").strip()
        assert COMMONMARK.render(FUNCTION.sub("x", shown)) == (f"<p>{read}</p>\n" if read else "")


def _moments(parts: Text) -> int:
    return sum(2 if part.style == "datetime" else 1 for part in parts if isinstance(part, Timestamp))


@QUICK
@given(TEXTS)
def test_typed_text_is_shown_as_typed_and_no_date_is_smuggled_in(parts: Text) -> None:
    made = text.element(parts, limit=100_000)
    typed = "".join(
        "" if isinstance(part, Timestamp) else part if isinstance(part, str) else part.text for part in parts
    )
    if made is None:
        assert not typed.strip()
        assert not _moments(parts)
        return
    runs = [run["text"] for run in made["inlines"]] if made["type"] == "RichTextBlock" else [made["text"]]
    assert sum(len(FUNCTION.findall(run)) for run in runs) == _moments(parts)
    ours = [run.get("weight") for run in made.get("inlines", ())].count("Bolder")
    assert ours == sum(isinstance(part, Bold) and bool(part.text) for part in parts)
    assert FUNCTION.sub("", "".join(runs)).replace("\u2060", "").replace(" ", "") == typed.replace(
        "\u2060", ""
    ).replace(" ", "")


@pytest.mark.parametrize("typed", NASTY)
def test_a_label_reads_the_same_with_markdown_and_without(typed: str) -> None:
    shown = text.label(typed, 100)
    assert shown
    assert not FUNCTION.search(shown)
    for reader in (COMMONMARK, MarkdownIt("js-default")):
        assert reader.render(shown) == "<p>{}</p>\n".format(escape(shown, quote=False).replace('"', "&quot;"))


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("date", "{{DATE(2026-11-29T12:00:00Z, SHORT)}}"),
        ("time", "{{TIME(2026-11-29T12:00:00Z)}}"),
        ("datetime", "{{DATE(2026-11-29T12:00:00Z, SHORT)}} {{TIME(2026-11-29T12:00:00Z)}}"),
    ],
)
def test_a_moment_is_told_in_utc_and_shown_in_the_readers_zone(style: Any, shown: str) -> None:
    local = datetime.fromisoformat("2026-11-29T13:00:00.123+01:00")
    assert text.element(("until ", Timestamp(local, style, "x"))) == {
        "type": "TextBlock",
        "text": f"until {shown}",
        "wrap": True,
    }
    assert text.moment(Timestamp(datetime(33, 4, 3, tzinfo=UTC), "time", "x")) == "{{TIME(0033-04-03T00:00:00Z)}}"


def test_links_lead_only_where_links_may_lead() -> None:
    parts: Text = (Link("good", "https://example.com/a?b=c&d"), Link("bad", "javascript:alert(1)"))
    made = present(text.element(parts))
    good, bad = made["inlines"]
    assert good["selectAction"]["url"] == "https://example.com/a?b=c&d"
    assert "selectAction" not in bad
    assert controls.action(Button("x", "open", url="javascript:alert(1)")) is None


def test_a_cut_text_says_so() -> None:
    assert text.cut("abcdef", 4) == "abc…"
    assert text.cut("abcd", 4) == "abcd"
    made = present(text.element(("x" * 4000,)))
    assert made["text"].endswith("x…")
    assert len(made["text"]) == limits.TEXT


# ── Controls ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_buttons_act_open_forms_and_lead_to_pages() -> None:
    assert controls.action(Button("Next", "numbers.next", "10|", spoken="Next page")) == {
        "type": "Action.Execute",
        "title": "Next",
        "verb": "numbers.next",
        "data": {"action": "numbers.next", "value": "10|"},
        "tooltip": "Next page",
    }
    assert controls.action(Button("Edit", "numbers.edit", "+44", "primary", form=True)) == {
        "type": "Action.Submit",
        "title": "Edit",
        "data": {"msteams": {"type": "task/fetch"}, "action": "numbers.edit", "value": "+44"},
        "style": "positive",
    }
    assert controls.action(Button("Plans", "open", url="https://example.com/")) == {
        "type": "Action.OpenUrl",
        "title": "Plans",
        "url": "https://example.com/",
    }
    # In a dialog nothing is executed and no second one opens: the answer to a submit takes its place.
    assert controls.action(Button("Edit", "numbers.edit", "+44", form=True), dialog=True) == {
        "type": "Action.Submit",
        "title": "Edit",
        "data": {"action": "numbers.edit", "value": "+44"},
        "associatedInputs": "none",
    }


@QUICK
@given(ANY_SCREEN)
def test_every_button_comes_back_as_it_went_out(screen: Screen) -> None:
    sent = {
        (button.action, button.value)
        for block in screen.blocks
        if isinstance(block, ListItem | Buttons)
        for button in [
            *(block.buttons if isinstance(block, Buttons) else block.menu),
            *([block.button] if isinstance(block, ListItem) and block.button else []),
        ]
        if button.url is None
    }
    for made in (cards.card(screen), cards.dialog(screen)):
        back = [controls.read_press(action["data"]) for action in pressable(made) if "data" in action]
        assert set(back) <= sent
        if "… +" not in said(made):
            assert set(back) == sent


@pytest.mark.parametrize(
    "data",
    [
        None,
        "x",
        [],
        {},
        {"action": ""},
        {"action": 1, "value": ""},
        {"action": "a" * 256},
        {"action": "a", "value": None},
        {"action": "a", "value": ["b"]},
        {"action": "a", "value": "v" * 2001},
        {"action": "a\ud800"},
        {"action": "a", "value": "\udfff"},
    ],
)
def test_foreign_data_is_no_press(data: Any) -> None:
    with pytest.raises(ValueError, match="button"):
        controls.read_press(data)


def test_a_list_shows_no_more_buttons_than_teams_allows_and_each_row_has_its_own() -> None:
    made = cards.card(LIST)
    assert [action["title"] for action in seen(made)] == [
        "Previous", "Next", "Search", "Get a number", "Register a number", "Usage",
    ]  # fmt: skip
    menus = [thing["selectAction"] for thing in things(made) if "selectAction" in thing]
    assert len({menu["title"] for menu in menus[:-1]}) == 9
    assert menus[0]["title"] == "Actions for 020 7946 0900"
    # The menu shows what stands below its row.
    hidden = {thing["id"]: thing for thing in things(made) if thing.get("isVisible") is False}
    opened = hidden[menus[0]["targetElements"][0]]
    assert [a["title"] for a in pressable(opened)] == ["Edit", "History", "Delete"]
    # A row's only control needs no menu.
    assert menus[-1] | {"data": 0} == {
        "type": "Action.Execute",
        "title": "Undo",
        "verb": "list.undo",
        "data": 0,
        "tooltip": "Undo deleting 020 7946 0911",
    }


def test_a_row_with_a_button_and_a_menu_has_the_button_in_sight() -> None:
    star = Button("Add to favorites", "inbox.star", "1")
    row = ListItem("SB-1 Nothing rings", (("open",),), (star,), Button("Open", "inbox.ticket", "1"), spoken="SB-1")
    made = cards.card(Screen("T", (row, replace(row, menu=()))))
    both, hidden, one = made["body"][1:]
    open_, menu = (column["selectAction"] for column in both["columns"][1:])
    assert (open_["title"], open_["verb"]) == ("Open", "inbox.ticket")
    assert (menu["title"], menu["targetElements"]) == ("SB-1", [hidden["id"]])
    assert [action["title"] for action in pressable(hidden)] == ["Add to favorites"]
    assert [column["selectAction"]["title"] for column in one["columns"][1:]] == ["Open"]


def test_what_only_changes_the_view_stays_in_sight_beside_six_buttons() -> None:
    views = tuple(Button(f"{name} tickets", f"inbox.{name}", style="primary" if name == "Open" else "plain")
                  for name in ("All", "Open", "Closed", "Other"))  # fmt: skip
    acts = Buttons(tuple(Button(f"Do {i}", "do", str(i)) for i in range(6)))
    made = cards.card(Screen("T", (Buttons(views, light=True), acts)))
    lines = [thing for thing in made["body"] if thing["type"] == "ColumnSet"]
    columns = [column for line in lines for column in line["columns"]]
    assert [column["selectAction"]["title"] for column in columns] == [view.label for view in views]
    assert [column["items"][0].get("weight") for column in columns] == [None, "Bolder", None, None]
    assert all(sum(len(c["selectAction"]["title"]) + 4 for c in line["columns"]) <= limits.SET_WIDTH for line in lines)
    assert len(seen(made)) == 6


def test_buttons_beyond_six_go_behind_the_sets_own_menu() -> None:
    many = tuple(Button(f"Do {i}", "do", str(i), "primary") for i in range(8))
    made = cards.card(Screen("T", (Buttons(many[:5]), Buttons(many[5:]))))
    actions = [action for thing in made["body"][1:] for action in thing["actions"]]
    assert [action.get("mode") for action in actions] == [None] * 6 + ["secondary"] * 2
    assert [len(thing["actions"]) for thing in made["body"][1:]] == [4, 1, 3]
    assert [action.get("style") for action in actions] == ["positive", *[None] * 4, "positive", None, None]


def test_buttons_stand_below_each_other_where_a_telephone_has_no_room_beside() -> None:
    labels = (
        "Get a number",
        "Register a number",
        "Usage",
        "A label as long as a button is allowed to have at most, or more",
    )
    sets = cards.card(Screen("", (Buttons(tuple(Button(label, "x") for label in labels)),)))["body"]
    assert [[action["title"] for action in one["actions"]] for one in sets] == [
        [labels[0]],
        [*labels[1:3]],
        [labels[3]],
    ]
    assert [one.get("spacing") for one in sets] == [None, "Small", "Small"]


def test_a_press_that_must_be_meant_asks_first_and_takes_no_for_an_answer() -> None:
    made = cards.card(ASKS)
    [row, question, *_] = made["body"][1:]
    asks = row["columns"][1]["selectAction"]
    assert (asks["type"], asks["title"], asks["targetElements"]) == (
        "Action.ToggleVisibility",
        "Remove",
        [question["id"]],
    )
    yes, no = question["items"][-1]["actions"]
    assert (yes["title"], yes["style"], yes["verb"]) == ("Remove", "destructive", "blocklist.remove")
    assert (no["title"], no["targetElements"]) == ("Keep", [question["id"]])
    assert question["items"][0]["inlines"][0]["text"] == "Remove +48 70*?"
    # Nothing on the card acts without the question.
    assert [a for a in seen(made) if a["type"] == "Action.Execute"] == []


# ── Long lists ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [0, 1, 10, 16, 500, 10_000])
def test_a_long_list_is_cut_and_says_so_and_keeps_what_stands_below_it(count: int) -> None:
    rows = tuple(number(i, "Provided · nobody · no forwarding") for i in range(count))
    made = cards.card(Screen("Numbers", (*rows, Buttons((Button("Next", "page", "1"),)))))
    assert problems(made) == []
    assert fits(made)
    assert made["body"][-1]["actions"][0]["title"] == "Next"
    listed = sum(thing["type"] == "ColumnSet" for thing in made["body"])
    if count <= 16:
        assert listed == count
    else:
        assert 16 <= listed < limits.ROWS
        assert made["body"][-2]["text"] == f"… +{count - listed}"


def test_a_long_table_is_cut_and_says_so() -> None:
    rows = tuple(((str(i),), ("é" * 60,)) for i in range(2000))
    made = cards.card(Screen("T", (Table(("A", "B"), rows), Paragraph(("below",)))))
    table, more, below = made["body"][1:]
    assert fits(made)
    assert len(table["rows"]) > 50
    assert more["text"] == f"… +{2001 - len(table['rows'])}"
    assert below["text"] == "below"


def test_too_much_of_other_kinds_is_cut_from_its_end_buttons_last() -> None:
    long = tuple(Paragraph(("é" * 2000,)) for _ in range(9))
    made = cards.card(Screen("T", (*long, Buttons((Button("Next", "page"),)))))
    assert fits(made)
    assert [thing.get("text", "")[:4] for thing in made["body"]] == ["T", *["éééé"] * 5, "… +4", ""]
    assert made["body"][-1]["actions"][0]["title"] == "Next"
    many = cards.card(Screen("T", tuple(Paragraph((str(i),)) for i in range(1000))))
    assert len(many["body"]) == 1 + limits.BLOCKS + 1
    assert many["body"][-1]["text"] == f"… +{1000 - limits.BLOCKS}"


def test_a_table_too_wide_for_a_telephone_becomes_a_list() -> None:
    made = cards.card(Screen("T", (Table(tuple("ABCDE"), ((("1",), ("2",), ("3",), ("4",), ("5",)),)),)))
    assert [thing["type"] for thing in made["body"]] == ["TextBlock", "FactSet"]
    assert made["body"][1]["facts"][4] == {"title": "E", "value": "5"}
    long = Table(tuple("ABCDE"), ((("é " * 30,),) * 5,) * 500)
    body = cards.card(Screen("T", (long, Paragraph(("below",)))))["body"]
    assert len(body) > 20
    assert [thing["text"] for thing in body[-2:]] == [f"… +{503 - len(body)}", "below"]


# ── The pieces ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("used", "limit", "full", "said_", "color"),
    [
        (0, 3, 0, "0%", None),
        (1, 3000, 1, "0%", "Accent"),
        (2, 3, 8, "67%", "Accent"),
        (12, 15, 10, "80%", "Warning"),
        (3, 3, 12, "100%", "Attention"),
        (6, 3, 12, "200%", "Attention"),
        (0, 0, 0, "0%", None),
        (1, 0, 12, "100%", "Attention"),
    ],
)
def test_a_meter_reads_alone(used: int, limit: int, full: int, said_: str, color: str | None) -> None:
    [box] = cards.card(Screen("", (Meter("words", used, limit),)))["body"]
    label, bar = box["items"]
    *squares, note = bar["inlines"]
    assert (label["text"], note["text"].strip()) == ("words", said_)
    assert "".join(run["text"] for run in squares) == "■" * full + "□" * (12 - full)
    assert squares[0].get("color") == color


def test_facts_with_a_link_stand_in_columns_and_plain_ones_in_a_set() -> None:
    [plain] = cards.draw_facts(FactSet((("Source", ("Provided",)), ("Since", (Timestamp(NOON, "date", "x"),)))))
    assert plain["facts"][1]["value"] == "{{DATE(2026-11-29T12:00:00Z, SHORT)}}"
    [rich] = cards.draw_facts(FactSet((("Plan", (Link("Pro", "https://e.x"),)),)))
    assert rich["items"][0]["columns"][1]["items"][0]["inlines"][0]["selectAction"]["url"] == "https://e.x"


def test_a_line_is_drawn_above_what_follows_it_and_never_at_an_end() -> None:
    blocks = (Divider(), Paragraph(("a",)), Divider(), Paragraph(("",)), Heading("b"), Divider())
    made = cards.card(Screen("", blocks))["body"]
    assert [(thing["text"], thing.get("separator")) for thing in made] == [("a", None), ("b", True)]


def test_lists_and_tables_are_as_wide_as_the_conversation() -> None:
    assert cards.card(HISTORY)["msteams"] == cards.card(LIST)["msteams"] == {"width": "Full"}
    assert "msteams" not in cards.card(SAID)


def test_an_empty_screen_is_still_a_card() -> None:
    assert cards.card(Screen("", ()))["body"] == [{"type": "TextBlock", "text": "–", "wrap": True}]
    assert summary(Screen("", ())) == "–"


def test_a_dialog_has_its_title_already() -> None:
    assert cards.dialog(SAID)["body"] == [
        cards.card(SAID)["body"][1],
        {"type": "ActionSet", "actions": [controls.action(Button("Show numbers", "numbers.show"), dialog=True)]},
    ]


def test_the_words_alone_tell_title_and_state() -> None:
    assert summary(LIST) == "Phone numbers · Acme Ltd: 12 of 15 numbers used."
    words = summary(replace(LIST, summary=""))
    assert words.startswith("Phone numbers · Acme Ltd\n12 of 15 numbers · 3 left\n120 of 3,000 minutes")
    assert "020 7946 0901: Provided · nobody · no forwarding" in words
    assert "29 Nov 2026 12:00 · Ada · Assigned" in summary(HISTORY)
    facts = Screen("T", (FactSet((("Plan", ("Pro",)),)), Heading("H"), ListItem("r", ())))
    assert summary(facts) == "T\nPlan: Pro\nH\nr"


def test_a_confirmed_button_in_a_menu_asks_inside_the_menu() -> None:
    sure = Confirm("Delete?", "020 7946 0900 goes.", "Delete", "Keep")
    row = ListItem("r", (), (Button("Edit", "e"), Button("Delete", "d", style="danger", confirm=sure)))
    made = cards.card(Screen("T", (row,)))
    assert problems(made) == []
    menu = made["body"][2]
    assert menu["isVisible"] is False
    assert menu["items"][0]["actions"][1]["targetElements"] == [menu["items"][1]["id"]]


def test_an_attachment_is_what_a_message_carries() -> None:
    made = cards.card(SAID)
    assert cards.attachment(made) == {"contentType": "application/vnd.microsoft.card.adaptive", "content": made}


def test_an_address_and_the_facts_beside_it_break_where_a_telephone_ends() -> None:
    url = "https://status.example.com/incidents/" + "a" * 60
    made = cards.card(Screen("", (Paragraph((Link(url, url),)), FactSet((("Deadline", ("10:42",)), ("Log", (url,)))))))
    shown, facts = made["body"]
    (run,) = shown["inlines"]
    assert run["text"].replace("\u200b", "") == url
    assert run["selectAction"]["url"] == url
    assert max(map(len, run["text"].split("\u200b"))) <= 40
    assert facts["type"] == "Container", "a FactSet is as wide as its longest word"
    assert (said(made).count("10:42"), said(made).count("Deadline")) == (1, 1)
