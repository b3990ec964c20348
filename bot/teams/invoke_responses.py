"""Outcomes as Teams takes them: the answers to a press, to a dialog, to a search."""

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
from handlers.framework.forms import Errors, Form, Options, Response
from handlers.framework.screens import Button, Buttons, Notice, Paragraph, Screen, strip_markup

NAME: Final = "Switchboard"  # of a dialog that bears no other
DONE: Final = "✓"  # said where there is nothing to say, and Teams wants something
MOST_RESULTS: Final = 15
_MESSAGE: Final = "application/vnd.microsoft.activity.message"
_SEARCH: Final = "application/vnd.microsoft.search.searchResponse"


# ── A press ─────────────────────────────────────────────────────────────────────────────────────────────────────


def card(screen: Screen) -> Json:
    """Takes the place of the card that was pressed."""
    return {"statusCode": 200, "type": cards.KIND, "value": cards.card(screen)}


def message_response(text: str) -> Json:
    """Said to the one who pressed, the card as it was."""
    return {"statusCode": 200, "type": _MESSAGE, "value": cut(text, limits.WORDS) or DONE}


def search_response(options: Options) -> Json:
    """What a choice offers for what was typed."""
    results = [{"title": option.label, "value": option.value} for option in options.options[:MOST_RESULTS]]
    return {"statusCode": 200, "type": _SEARCH, "value": {"results": results}}


# ── A dialog ────────────────────────────────────────────────────────────────────────────────────────────────────


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
    """The form again, with what was typed and each reason at its field."""
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


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def is_plain_text(screen: Screen) -> bool:
    """Whether a screen is nothing but text."""
    return all(isinstance(block, Paragraph) for block in screen.blocks)


def lines(screen: Screen) -> list[str]:
    return [
        *([screen.title] if screen.title else []),
        *(strip_markup(b.text) for b in screen.blocks if isinstance(b, Paragraph)),
    ]


def words_of(outcome: Response) -> str:
    """What an outcome says that has no card of its own."""
    match outcome:
        case Notice():
            return sentence(outcome.screen)
        case Errors():
            return " ".join(outcome.fields.values())
        case _:
            return ""


def errors_screen(errors: Errors) -> Screen:
    """The sentences, where there is no form to show them in."""
    return Screen(NAME, tuple(Paragraph((text,)) for text in errors.fields.values()))


def form_button_screen(interaction: Interaction, form: Form) -> Screen:
    """The button that opens a form: only a press of one that Teams knows to do so can."""
    event = interaction.event
    if not isinstance(event, Press):
        return Screen(form.title, ())
    button = Button(form.title, event.action, event.value, style="primary", form=True)
    return Screen(form.title, (Buttons((button,)),))
