"""The bodies of responses to invokes: a press, a dialog, a search."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.chat.fallback import sentence
from bot.chat.types import Json
from bot.teams import cards, forms, limits
from bot.teams.payloads import Interaction
from bot.teams.text import cut
from handlers.framework.events import Press, Submit
from handlers.framework.fallback_messages import form_labels
from handlers.framework.screens import (
    Button,
    Buttons,
    Errors,
    Form,
    Notice,
    Options,
    Paragraph,
    Response,
    Screen,
    strip_markup,
)

NAME: Final = "Switchboard"  # the title of a dialog without one
DONE: Final = "✓"  # for an outcome without words, as Teams takes no empty text
MOST_RESULTS: Final = 15
_MESSAGE: Final = "application/vnd.microsoft.activity.message"
_SEARCH: Final = "application/vnd.microsoft.search.searchResponse"


def card(screen: Screen) -> Json:
    """Replaces the card that was pressed."""
    return {"statusCode": 200, "type": cards.KIND, "value": cards.card(screen)}


def message_response(text: str) -> Json:
    """Shows a text to the person who pressed, and leaves the card as it is."""
    return {"statusCode": 200, "type": _MESSAGE, "value": cut(text, limits.WORDS) or DONE}


def search_response(options: Options) -> Json:
    """The options of a choice for what was typed."""
    results = [{"title": option.label, "value": option.value} for option in options.options[:MOST_RESULTS]]
    return {"statusCode": 200, "type": _SEARCH, "value": {"results": results}}


def dialog(interaction: Interaction, outcome: Response) -> Json | None:
    """What a dialog shows next; None: it closes."""
    match outcome:
        case Form():
            return _form(interaction, outcome)
        case Errors():
            return _errors(interaction, outcome)
        case Notice():
            restored = forms.restore_form(interaction.data) if interaction.data else None
            return _form(interaction, restored, notes=lines(outcome.screen)) if restored else _screen(outcome.screen)
        case Screen():
            return _screen(outcome)
        case _:
            return None


def _errors(interaction: Interaction, errors: Errors) -> Json:
    """The form again, with what was typed and each reason below its field."""
    event = interaction.event
    form = errors.form
    if form is not None and isinstance(event, Press | Submit):
        form = form.with_values(event.values)
    elif interaction.data:
        form = forms.restore_form(interaction.data)
    return _form(interaction, form, errors.fields) if form is not None else _screen(errors_screen(errors))


def _form(
    interaction: Interaction, form: Form, errors: Mapping[str, str] | None = None, notes: list[str] | None = None
) -> Json:
    sealed = replace(form, state={**form.state, **interaction.extras})
    labels = form_labels(interaction.event.actor)
    drawn = forms.card(
        sealed, errors=errors, notes=notes or (), missing=labels.missing, redraw=labels.redraw, optional=labels.optional
    )
    return _continue(form.title, drawn)


def _screen(screen: Screen) -> Json:
    return _continue(screen.title, cards.dialog(screen))


def _continue(title: str, content: Json) -> Json:
    shown = {"title": cut(title, limits.DIALOG_TITLE) or NAME, "card": cards.attachment(content)}
    return {"task": {"type": "continue", "value": {**shown, "height": "medium", "width": "medium"}}}


def is_plain_text(screen: Screen) -> bool:
    """Whether a screen is nothing but text."""
    return all(isinstance(block, Paragraph) for block in screen.blocks)


def lines(screen: Screen) -> list[str]:
    return [
        *([screen.title] if screen.title else []),
        *(strip_markup(b.text) for b in screen.blocks if isinstance(b, Paragraph)),
    ]


def words_of(outcome: Response) -> str:
    """The text of an outcome that has no card."""
    match outcome:
        case Notice():
            return sentence(outcome.screen)
        case Errors():
            return " ".join(outcome.fields.values())
        case _:
            return ""


def errors_screen(errors: Errors) -> Screen:
    """The reasons alone, where there is no form to show them in."""
    return Screen(NAME, tuple(Paragraph((text,)) for text in errors.fields.values()))


def form_button_screen(interaction: Interaction, form: Form) -> Screen:
    """A screen with a button that opens the form: Teams opens dialogs only for presses of buttons made for it."""
    event = interaction.event
    if not isinstance(event, Press):
        return Screen(form.title, ())
    button = Button(form.title, event.action, event.value, style="primary", form=True)
    return Screen(form.title, (Buttons((button,)),))
