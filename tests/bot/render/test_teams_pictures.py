"""Cards in Microsoft's own renderer: nothing is cut off on a telephone, controls work, typed text is only text."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from bot.teams import cards, forms
from handlers.framework.screens import (
    Checkbox,
    Choice,
    FactSet,
    Form,
    Heading,
    ListItem,
    Option,
    Paragraph,
    Screen,
    Table,
    TextField,
)
from tests.bot.render.teams_pictures import DARK, LIGHT, Json, Missing, draw, renderer, samples, support
from tests.bot.render.teams_samples import ALL, ASKS, CODE, DELETE, LIST, NASTY

pytestmark = [pytest.mark.browser]

# What stands outside of a card that is 320 px wide.
BEYOND: Final = """() => [...document.querySelectorAll('#card *')].filter(e => {
    const box = e.getBoundingClientRect(); return box.width && (box.right > 311 || box.left < 9);
}).map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def tickets() -> dict[str, Json]:
    """Cards and dialogs of support, made on a thread of their own: the browser has this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(support).result()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    try:
        with renderer(tmp_path_factory.mktemp("adaptivecards")) as ready:
            yield ready
    except Missing as why:
        pytest.skip(f"cards are not drawn: {why}")


def _pressed(page: Page) -> list[dict[str, Any]]:
    """What reached us: all but what only shows and hides."""
    found: list[dict[str, Any]] = page.evaluate("window.pressed")
    return [press for press in found if press["data"]]


@pytest.mark.parametrize("name", samples())
def test_everything_is_drawn_and_within_the_width_of_a_telephone(page: Page, name: str) -> None:
    for theme in (LIGHT, DARK):
        draw(page, samples()[name], theme=theme, width=320)
        assert page.evaluate(BEYOND) == []


def test_support_is_drawn_and_within_the_width_of_a_telephone(page: Page, tickets: dict[str, Json]) -> None:
    for name, card in tickets.items():
        draw(page, card, width=320)
        assert (name, page.evaluate(BEYOND)) == (name, [])


def test_a_rows_menu_opens_below_it_and_its_buttons_act(page: Page) -> None:
    draw(page, cards.card(LIST))
    edit = page.get_by_role("button", name="Edit")
    assert edit.count() == 0
    page.get_by_role("button", name="Actions for 020 7946 0901").click()
    assert edit.count() == 1
    edit.click()
    page.get_by_role("button", name="Undo").click()
    opened, undone = _pressed(page)
    assert opened["type"] == "Action.Submit"
    assert opened["data"] == {"msteams": {"type": "task/fetch"}, "action": "numbers.edit", "value": "+442079460901"}
    assert undone["data"] == {"action": "list.undo", "value": "+442079460911"}


def test_a_question_can_be_answered_with_no(page: Page) -> None:
    draw(page, cards.card(ASKS))
    page.get_by_role("button", name="Remove all").click()
    assert page.get_by_text("All 14 numbers go.").is_visible()
    page.get_by_role("button", name="Keep them").click()
    assert not page.get_by_text("All 14 numbers go.").is_visible()
    assert _pressed(page) == []
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("button", name="Remove all").last.click()
    assert [press["data"] for press in _pressed(page)] == [{"action": "blocklist.clear", "value": ""}]


def test_what_is_typed_into_a_dialog_is_sent_and_what_is_missing_is_asked_for(page: Page) -> None:
    draw(page, forms.card(DELETE, missing="Type the number, please."))
    page.get_by_role("button", name="Delete").click()
    assert page.get_by_text("Type the number, please.").is_visible()
    assert _pressed(page) == []
    page.get_by_label("Type the number to confirm").fill("020 7946 0900")
    page.get_by_role("button", name="Delete").click()
    [press] = _pressed(page)
    assert forms.read_submission({**press["values"], **press["data"]}) == (
        "numbers.delete",
        {"number": "+442079460900", "version": "7"},
        {"confirm": "020 7946 0900"},
    )


def test_a_button_beside_an_empty_field_is_not_held_up_by_it(page: Page) -> None:
    draw(page, forms.card(CODE))
    page.get_by_role("button", name="Send a new code").click()
    [press] = _pressed(page)
    assert forms.button(press["data"]) == ("own.resend", "")


def test_boxes_and_choices_come_back_as_they_stand(page: Page) -> None:
    draw(page, forms.card(ALL))
    page.get_by_role("checkbox").first.uncheck()
    page.get_by_role("checkbox").last.check()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Send message").click()
    [press] = _pressed(page)
    _, _, values = forms.read_submission({**press["values"], **press["data"]})
    assert (values["sure"], values["default"], values["via"]) == ("", "yes", "sms")
    assert values["text"] == "line one\nline two"


@pytest.mark.parametrize("typed", [typed for typed in NASTY if typed.strip()])
def test_typed_text_is_only_text_wherever_it_stands(page: Page, typed: str) -> None:
    places = (
        Heading(typed),
        Paragraph((typed,)),
        ListItem(typed, ((typed,),)),
        FactSet(((typed, (typed,)),)),
        Table((typed, typed), (((typed,), (typed,)),)),
    )
    draw(page, cards.card(Screen(typed, places)))
    marks = "#card :is(a, em, strong, code, li, img, h1, h2, blockquote, pre, hr, s, at, b)"
    assert page.locator(marks).count() == 0
    assert _bare(page.locator("#card").inner_text()).count(_bare(typed)) == 11


def _bare(text: str) -> str:
    """Without what nobody sees."""
    return "".join(text.replace("\u2060", "").replace("\x00", "").split())


@pytest.mark.parametrize("typed", [typed for typed in NASTY if typed.strip()])
def test_typed_text_in_a_box_is_only_text(page: Page, typed: str) -> None:
    parts = (
        Checkbox("tick", typed, typed),
        Choice("choice", typed, (Option("a", typed),), open=True),
        TextField("text", typed, typed, hint=typed),
    )
    draw(page, forms.card(Form("f", "T", typed, parts), errors={"text": typed}))
    assert page.locator("#card :is(a, em, strong, code, li, img, h1, h2, blockquote, pre, hr, s, at, b)").count() == 0
    # The labels, the button, the hint and the reason show it as it is; a box's words have marks that look alike.
    assert _bare(page.locator("#card").inner_text()).count(_bare(typed)) >= 6
