"""Forms as dialogs of Teams: how they look, that what was typed survives, and that what comes back is checked."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from bot.teams import forms, limits
from handlers.framework.screens import (
    Button,
    Buttons,
    Checkbox,
    Choice,
    Confirm,
    Divider,
    Form,
    Link,
    Option,
    Paragraph,
    TextField,
)
from tests import present
from tests.bot.render.teams_samples import ALL, ANY_FORM, CODE, DELETE, EDIT, FORMS, GET, WORDS
from tests.bot.render.teams_schema import fits, pressable, problems, said, things

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Json = dict[str, Any]


def inputs(card: Json) -> dict[str, Json]:
    return {thing["id"]: thing for thing in things(card) if thing["type"].startswith("Input.")}


def sent(card: Json, press: str | None = None, **typed: str) -> Json:
    """What a client sends when a button (the last one, or by its name) is pressed, with what was typed."""
    action = next(a for a in reversed(pressable(card)) if press in {None, a["title"]} and "data" in a)
    values = {name: field["value"] for name, field in inputs(card).items() if field.get("value")}
    data: Json = orjson.loads(orjson.dumps({**values, **typed, **action["data"]}))
    return data


@pytest.mark.parametrize("name", FORMS)
def test_a_form_looks_as_it_did(name: str, shown: SnapshotAssertion) -> None:
    made = forms.card(FORMS[name])
    assert problems(made) == []
    assert made == shown


def test_a_form_with_reasons_looks_as_it_did(shown: SnapshotAssertion) -> None:
    errors = {"forwarding": "020 7946 0900 can't forward to itself.", "gone": "This number is gone."}
    made = forms.card(EDIT, errors=errors, notes=["Robin has changed this meanwhile."], missing="Fill this in.")
    assert problems(made) == []
    assert made == shown


@QUICK
@given(ANY_FORM, st.dictionaries(st.sampled_from(["one", "two", ""]), WORDS), st.lists(WORDS, max_size=2))
def test_any_form_becomes_a_dialog_that_teams_takes(form: Form, errors: dict[str, str], notes: list[str]) -> None:
    made = forms.card(form, errors=errors, notes=notes)
    assert problems(made) == []
    orjson.dumps(made)


@QUICK
@given(ANY_FORM)
def test_what_is_in_a_form_comes_back_from_it_and_draws_it_again(form: Form) -> None:
    made = forms.card(form)
    assume("actions" in made)
    data = sent(made)
    id, state, values = forms.read_submission(data)
    assert (id, state) == (form.id, form.state)
    for part in form.parts:
        if isinstance(part, TextField) and len(part.value) <= min(part.max_length, limits.INPUT):
            assert values.get(part.name, "") == part.value
        if isinstance(part, Checkbox):
            assert values[part.name] == part.value
        if isinstance(part, Choice) and part.value in {option.value for option in part.options}:
            assert values[part.name] == part.value
    found = forms.restore_form(data)
    if "shape" in data:
        assert found is not None
        assert forms.read_submission(sent(forms.card(found)))[2] == values
    else:
        assert not fits(forms.card(form)) or found is None


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reason_stands_at_its_field_and_what_was_typed_stays() -> None:
    data = sent(forms.card(EDIT), forwarding="*020 7946 0900*", person="ada")
    form = present(forms.restore_form(data))
    made = forms.card(form, errors={"forwarding": "This is *the* number itself."})
    assert {name: field["value"] for name, field in inputs(made).items()} == {
        "person": "ada",
        "forwarding": "*020 7946 0900*",
    }
    at = next(i for i, thing in enumerate(made["body"]) if thing.get("id") == "forwarding")
    below = made["body"][at + 1]
    assert below["inlines"][0] == {"type": "TextRun", "text": "This is *the* number itself.", "color": "Attention"}
    assert made["body"][at]["errorMessage"] == "This is *the* number itself."


def test_a_reason_at_no_field_stands_above_the_form() -> None:
    made = forms.card(EDIT, errors={"": "All 3 numbers are used.", "offer": "It is taken."}, notes=["Look again."])
    assert [thing["text"] for thing in made["body"][:3]] == ["Look again.", "All 3 numbers are used.", "It is taken."]


def test_an_emptied_field_stays_empty() -> None:
    data = sent(forms.card(EDIT))
    del data["forwarding"]
    form = present(forms.restore_form(data))
    assert "value" not in inputs(forms.card(form))["forwarding"]


def test_what_must_be_filled_in_is_asked_for_by_the_client_where_it_can_be() -> None:
    confirm = inputs(forms.card(DELETE, missing="Fill this in."))["confirm"]
    assert (confirm["isRequired"], confirm["errorMessage"]) == (True, "Fill this in.")
    # A form that can be redrawn, or has buttons, would not be let go of while a field is empty.
    assert "isRequired" not in inputs(forms.card(GET))["country"]
    assert "isRequired" not in inputs(forms.card(CODE))["code"]


def test_what_may_be_left_out_says_so_where_nothing_is_marked() -> None:
    parts = (TextField("a", "A", required=True), TextField("b", "B", hint="A hint"), TextField("c", "C"))
    keep = Buttons((Button("Keep", "keep"),))
    unmarked, marked = Form("f", "F", "Go", (*parts, keep)), Form("f", "F", "Go", parts)
    texts = [thing.get("label") or thing["text"] for thing in forms.card(unmarked, optional="Or not.")["body"][:-1]]
    assert texts == ["A", "B", "A hint", "Or not.", "C", "Or not."]
    # Where the client marks the others, or all are alike, there is nothing to say.
    for form in (marked, replace(unmarked, parts=(*parts[1:], keep))):
        assert "Or not." not in said(forms.card(form, optional="Or not."))


# ── Live fields and buttons ─────────────────────────────────────────────────────────────────────────────────────


def test_a_live_choice_has_a_button_that_draws_the_form_again() -> None:
    made = forms.card(GET, redraw="Show what is there")
    data = sent(made, "Show what is there", country="DE", area="30")
    assert forms.button(data) == ("country", "DE")
    assert forms.read_submission(data) == ("numbers.get", {}, {"country": "DE", "area": "30", "number.GB": "any"})
    assert forms.button(sent(made)) is None
    assert [a["title"] for a in pressable(forms.card(GET))] == ["↻ Country", "Get a number"]


def test_a_button_in_a_form_sends_the_form_too() -> None:
    data = sent(forms.card(CODE), "Send a new code", code="12")
    assert forms.button(data) == ("own.resend", "")
    assert forms.read_submission(data) == ("own.code", {"number": "+442079460111"}, {"code": "12"})


def test_a_button_that_asks_first_sends_the_form_with_its_yes() -> None:
    sure = Confirm("Sure?", "It goes.", "Go", "Stay")
    parts = (TextField("a", "A", "typed"), Buttons((Button("Leave", "leave", "1", confirm=sure),)))
    made = forms.card(Form("f", "T", "Save", parts, {"k": "v"}))
    assert problems(made) == []
    assert forms.button(sent(made, "Go")) == ("leave", "1")
    assert forms.read_submission(sent(made, "Go")) == ("f", {"k": "v"}, {"a": "typed"})


def test_a_choice_is_seen_at_once_listed_or_searched() -> None:
    fields = inputs(forms.card(ALL))
    assert {name: field["style"] for name, field in fields.items() if field["type"] == "Input.ChoiceSet"} == {
        "whom": "filtered",
        "via": "expanded",
        "many": "filtered",
    }
    assert fields["whom"]["choices.data"] == {"type": "Data.Query", "dataset": "whom"}
    assert fields["whom"]["choices"] == [{"title": "Max", "value": "m"}]
    assert fields["via"]["choices"][1] == {"title": "Call ∗me∗ · slow", "value": forms.EMPTY}
    assert fields["sure"]["title"].endswith("Calls to ˍMaxˍ would stop.")
    assert "Nothing is on offer." in said(forms.card(ALL))


def test_a_searched_choice_keeps_who_is_chosen() -> None:
    form = Form("f", "T", "Save", (Choice("whom", "Who", (), "zoe", suggest=True),))
    assert inputs(forms.card(form))["whom"]["choices"] == [{"title": "zoe", "value": "zoe"}]


def test_a_very_long_choice_is_cut_and_keeps_what_is_chosen() -> None:
    options = tuple(Option(str(i), f"Person {i}") for i in range(1000))
    made = forms.card(Form("f", "T", "Save", (Choice("who", "Who", options, "999"),)))
    field = inputs(made)["who"]
    assert len(field["choices"]) == limits.OPTIONS + 1
    assert field["value"] == "999"
    assert fits(made)


def test_a_form_too_large_to_travel_twice_goes_without_its_shape() -> None:
    form = Form("f", "T", "Save", tuple(TextField(f"n{i}", "L", "é" * 2000, max_length=4000) for i in range(4)))
    data = sent(forms.card(form))
    assert forms.restore_form(data) is None
    assert forms.read_submission(data)[2]["n3"] == "é" * 2000


def test_a_form_with_nothing_to_send_has_no_button_to_send_it() -> None:
    assert "actions" not in forms.card(Form("f", "T", "", (Paragraph(("x",)),)))
    assert forms.card(Form("f", "T", "", ()))["body"][0]["text"] == "–"
    assert forms.card(Form("f", "T", "", (TextField("a", "A"),)))["actions"][0]["title"] == "–"


def test_a_line_stands_above_what_follows_it() -> None:
    made = forms.card(Form("f", "T", "OK", (Divider(), Paragraph(("",)), TextField("a", "A"), Divider())))
    assert [thing.get("separator") for thing in made["body"]] == [True]


def test_names_that_the_data_need_are_refused() -> None:
    for name in ("form", "state", "value"):
        with pytest.raises(ValueError, match="names"):
            forms.card(Form("f", "T", "OK", (TextField(name, "A"),)))
    with pytest.raises(ValueError, match="names"):
        forms.card(Form("f", "T", "OK", (TextField("a", "A"), Checkbox("a", "A", "x"))))


# ── What comes back ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        None,
        "x",
        [],
        {},
        {"form": 1},
        {"form": ""},
        {"form": "f" * 256},
        {"form": "f\ud800"},
        {"form": "f", "state": []},
        {"form": "f", "state": None},
        {"form": "f", "state": {"a": 1}},
        {"form": "f", "state": {"a": "x" * 6001}},
        {"form": "f", "state": {"a": "x" * 3001, "b": "y" * 3001}},
        {"form": "f", "a": 1},
        {"form": "f", "a": True},
        {"form": "f", "a": ["x"]},
        {"form": "f", "a": {"b": "c"}},
        {"form": "f", "a": "x" * 4001},
        {"form": "f", "a" * 256: "x"},
        {"form": "f", "a": "\udfff"},
        {"form": "f", "\ud800": "x"},
        {"form": "f", **{f"n{i}": "x" for i in range(101)}},
    ],
)
def test_foreign_data_is_no_form(data: Any) -> None:
    with pytest.raises(ValueError, match="form"):
        forms.read_submission(data)
    assert data is None or not isinstance(data, dict) or forms.restore_form(data) is None


def test_what_was_not_filled_in_is_left_out() -> None:
    assert forms.read_submission({"form": "f", "a": None, "b": "", "c": forms.EMPTY}) == ("f", {}, {"b": "", "c": ""})


@pytest.mark.parametrize("data", [{"live": 1}, {"live": ""}, {"live": "c", "c": 7}, {"action": 7}, {"action": ""}])
def test_foreign_data_is_no_button(data: Json) -> None:
    with pytest.raises(ValueError, match="button"):
        forms.button(data)


def test_a_shape_that_was_tampered_with_is_none() -> None:
    data = sent(forms.card(EDIT))
    assert forms.restore_form(data) == EDIT
    tampered: list[Any] = [
        None,
        "x",
        {},
        {**data["shape"], "id": "another"},
        {**data["shape"], "state": {"number": "+1"}},
        {**data["shape"], "parts": [{"kind": "text", "name": "form", "label": "x"}]},
        {**data["shape"], "parts": [{"kind": "text", "name": "a", "label": "\ud800"}]},
        {**data["shape"], "parts": [{"kind": "unknown"}]},
    ]
    for shape in tampered:
        assert forms.restore_form({**data, "shape": shape}) is None


def test_a_shape_can_lead_nowhere_that_a_form_of_ours_can_not() -> None:
    bad = replace(
        EDIT, parts=(Paragraph((Link("x", "javascript:alert(1)"),)), Buttons((Button("y", "z", url="data:,"),)))
    )
    data = sent(forms.card(bad))
    form = present(forms.restore_form(data))
    assert all("url" not in action for action in pressable(forms.card(form)))
