"""The strict checker: what Slack accepts passes, each limit one step beyond is refused."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.blocks import check_blocks, check_options, check_view, finish_blocks, is_too_large
from tests.playground.bot import LIST, button, dialog, field_block, plain

Json = dict[str, Any]


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn("x"), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def options(count: int) -> list[Json]:
    return [{"text": plain(f"Option {n}"), "value": str(n)} for n in range(count)]


def select(count: int = 2, **more: Any) -> Json:
    return {"type": "static_select", "action_id": "s", "options": options(count), **more}


def table(rows: int = 2, columns: int = 2, text: str = "x") -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "Max", "style": {"bold": True}},
                {"type": "user", "user_id": "UMAX"},
                {"type": "link", "url": "https://example.com", "text": "more"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
        },
    ],
}
CONFIRM = {"title": plain("t" * 100), "text": mrkdwn("t" * 300), "confirm": plain("c" * 30), "deny": plain("d" * 30)}

GOOD: list[Json] = [
    section(fields=[mrkdwn("f" * 2_000)] * 10),
    section(text=mrkdwn("x" * 3_000), accessory=button("b" * 75, "b", value="v" * 2_000, confirm=CONFIRM)),
    section(accessory={"type": "overflow", "action_id": "o", "options": options(5)}),
    {"type": "header", "text": plain("h" * 150)},
    {"type": "context", "elements": [mrkdwn("c")] * 10},
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    actions(*(button("b", f"b{n}", accessibility_label="a" * 75) for n in range(25))),
    actions(select(100, initial_option=options(1)[0], placeholder=plain("p" * 150))),
    actions({"type": "radio_buttons", "action_id": "r", "options": options(10)}),
    field_block("l" * 2_000, "n", max_length=3_000),
    table(100, 20, "xx"),
    {"type": "table", "rows": [[{"type": "rich_text", "elements": RICH["elements"]}]]},
    {"type": "markdown", "text": "m" * 12_000},
    RICH,
    {"type": "divider", "block_id": "d" * 255},
]
BAD: list[tuple[Json, str]] = [
    ({"type": "section"}, "at least one of"),
    (section(text=mrkdwn("")), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    (section(text=mrkdwn("x" * 3_001)), "must be less than 3001 characters"),
    (section(text=mrkdwn("\U0001f4de" * 1_501)), "must be less than 3001 characters"),
    (section(fields=[mrkdwn("f")] * 11), "no more than 10 items"),
    (section(fields=[mrkdwn("f" * 2_001)]), "must be less than 2001"),
    (section(colour="red"), "additional property 'colour'"),
    (section(accessory=field_block("a", "a")["element"]), "unsupported accessory: plain_text_input"),
    (section(accessory={"type": "overflow", "action_id": "o", "options": options(6)}), "no more than 5 items"),
    (section(accessory={"type": "overflow", "action_id": "o", "options": []}), "no fewer than 1 items"),
    (section(accessory=button("b" * 76, "b")), "must be less than 76"),
    (section(accessory=button("b", "b", value="v" * 2_001)), "must be less than 2001"),
    (section(accessory=button("b", "a" * 256)), "must be less than 256"),
    (section(accessory=button("b", "b", style="default")), "must be one of primary, danger"),
    (section(accessory=button("b", "b", url="ftp://x")), "invalid format"),
    (section(accessory=button("b", "b", accessibility_label="a" * 76)), "must be less than 76"),
    (section(accessory=button("b", "b", confirm={**CONFIRM, "deny": plain("d" * 31)})), "must be less than 31"),
    (section(accessory={**button("b", "b"), "text": mrkdwn("b")}), "text object of type plain_text"),
    ({"type": "header", "text": plain("h" * 151)}, "must be less than 151"),
    ({"type": "header", "text": mrkdwn("h")}, "text object of type plain_text"),
    ({"type": "context", "elements": [mrkdwn("c")] * 11}, "no more than 10 items"),
    ({"type": "context", "elements": [button("b", "b")]}, "unsupported context element"),
    ({"type": "image", "image_url": "https://example.com/a.png"}, "missing required field: alt_text"),
    (actions(*(button("b", f"b{n}") for n in range(26))), "no more than 25 items"),
    (actions(button("a", "same"), button("b", "same")), "action_id must be unique"),
    (actions({"type": "multi_static_select", "action_id": "m", "options": options(1)}), "unsupported action"),
    (actions(select(101)), "no more than 100 items"),
    (actions(select(0)), "no fewer than 1 items"),
    (actions(select(2, option_groups=[{"label": plain("g"), "options": options(1)}])), "exactly one of options"),
    (actions(select(1, initial_option=options(2)[1])), "must be one of the provided options"),
    (actions(select(1, placeholder=plain("p" * 151))), "must be less than 151"),
    (actions({**select(), "options": [{"text": plain("o" * 76), "value": "1"}]}), "must be less than 76"),
    (actions({**select(), "options": [{"text": plain("o"), "value": "v" * 76}]}), "must be less than 76"),
    (actions({**select(), "options": options(1) * 2}), "option values must be unique"),
    (actions({"type": "checkboxes", "action_id": "c", "options": options(11)}), "no more than 10 items"),
    ({**field_block("l", "n"), "element": button("b", "b")}, "unsupported input: button"),
    (field_block("l" * 2_001, "n"), "must be less than 2001"),
    (field_block("l", "n", min_length=5, max_length=4), "min_length must not be greater"),
    (field_block("l", "n", max_length=3_001), "must be between 1 and 3000"),
    ({**field_block("l", "n"), "element": {"type": "number_input"}}, "missing required field: is_decimal_allowed"),
    ({**field_block("l", "n"), "element": {"type": "datepicker", "initial_date": "22.11.2026"}}, "invalid format"),
    ({**field_block("l", "n"), "element": {"type": "file_input"}}, "file_input is not allowed"),
    (table(101), "no more than 100 items"),
    (table(1, 21), "no more than 20 items"),
    (table(1, 1, text=""), "must be more than 0 characters"),
    (table(100, 20, "x" * 6), "in all cells"),
    ({"type": "table", "rows": [*table(1, 2)["rows"], *table(1, 3)["rows"]]}, "same number of cells"),
    ({"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}, "unsupported rich text part"),
    ({"type": "markdown", "text": "m" * 12_001}, "must be less than 12001"),
    ({"type": "divider", "block_id": "d" * 256}, "must be less than 256"),
    ({"type": "marquee"}, "unsupported block type: marquee"),
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_what_slack_takes_passes(block: Json) -> None:
    assert check_blocks([block]) == []


@pytest.mark.parametrize(("block", "why"), BAD, ids=[why for _, why in BAD])
def test_what_slack_refuses_is_refused(block: Json, why: str) -> None:
    found = check_blocks([block])
    assert len(found) == 1
    assert why in found[0]


def test_rules_between_blocks() -> None:
    assert check_blocks([section()] * 50) == []
    assert "no more than 50 items" in check_blocks([section()] * 51)[0]
    assert "block_id must be unique" in check_blocks([section(block_id="a"), section(block_id="a")])[0]
    assert "only one table" in check_blocks([table(), table()])[0]
    focused = [field_block("l", name, focus_on_load=True) for name in "ab"]
    assert "focus_on_load" in check_blocks(focused)[0]
    assert "array" in check_blocks({"type": "section"})[0]
    assert "object" in check_blocks(["section"])[0]


VIEWS: list[tuple[Json, str]] = [
    ({**dialog(LIST[0]), "title": plain("t" * 25)}, "must be less than 25"),
    ({**dialog(LIST[0]), "submit": plain("s" * 25)}, "must be less than 25"),
    ({**dialog(LIST[0]), "close": plain("c" * 25)}, "must be less than 25"),
    ({**dialog(LIST[0]), "private_metadata": "p" * 3_001}, "must be less than 3001"),
    ({**dialog(LIST[0]), "callback_id": "c" * 256}, "must be less than 256"),
    ({**dialog(LIST[0]), "type": "home"}, "unsupported view type: home"),
    ({**dialog(LIST[0]), "state": {}}, "additional property 'state'"),
    ({"type": "modal", "blocks": LIST}, "missing required field: title"),
    ({"type": "modal", "title": plain("t")}, "missing required field: blocks"),
    ({"type": "modal", "title": plain("t"), "blocks": [field_block("l", "n")]}, "required field: submit"),
    (dialog(), "no fewer than 1 items"),
    (dialog(*[section()] * 101), "no more than 100 items"),
    (dialog(table()), "table is not allowed in a modal"),
    (dialog({"type": "markdown", "text": "m"}), "markdown is not allowed in a modal"),
]


@pytest.mark.parametrize(("view", "why"), VIEWS, ids=[why for _, why in VIEWS])
def test_dialogs_that_slack_refuses(view: Json, why: str) -> None:
    found = check_view(view, "modal")
    assert why in found[0]
    assert len(found) == 1


def test_dialogs_and_homes_that_slack_takes() -> None:
    assert check_view(dialog(*[section()] * 100), "modal") == []
    assert check_view(dialog(field_block("l", "n")), "modal") == []
    assert check_view({"type": "home", "blocks": [*LIST, field_block("l", "n")]}, "home") == []
    assert "additional property 'title'" in check_view({"type": "home", "blocks": LIST, "title": plain("t")}, "home")[0]
    assert "object" in check_view([], "modal")[0]
    assert is_too_large(dialog(*[section(text=mrkdwn("x" * 3_000))] * 90))


def test_suggested_options() -> None:
    assert check_options({"options": []}) == []
    assert check_options({"options": options(100)}) == []
    assert "no more than 100" in check_options({"options": options(101)})[0]
    assert check_options(None) != []


def test_slack_fills_in_ids_and_flags() -> None:
    given = [section(accessory={"type": "button", "text": plain("b")})]
    first, again = finish_blocks(given), finish_blocks(given)
    assert given[0]["accessory"]["text"] == plain("b")
    assert first[0]["accessory"]["text"]["emoji"] is True
    assert first[0]["text"]["verbatim"] is False
    assert first[0]["block_id"] != again[0]["block_id"]
    assert first[0]["accessory"]["action_id"]
