"""The bot's own few sentences: what a platform says when an answer is late or could not be made."""

from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from handlers.framework.vocabulary import Actor, Paragraph, Screen
from handlers.wording import choose, speaker

Why = Literal["slow", "failed", "late", "finished", "file_gone", "file_declined", "file_failed"]
WHYS: tuple[Why, ...] = get_args(Why)

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class FormWords:
    """What a platform says by itself in a dialog: of a required field left empty, on a button that redraws, and of a
    field that need not be filled in."""

    missing: str
    redraw: str
    optional: str


def form_words(actor: Actor) -> FormWords:
    words = speaker(choose(actor.locale), _UTC)
    return FormWords(words("form.missing"), words("form.redraw"), words("form.optional"))


def aside(why: Why, actor: Actor, reference: str = "") -> Screen:
    """`reference`: the correlation id that leads from a fault to its line in the log."""
    words = speaker(choose(actor.locale), _UTC)
    return Screen(words(f"answer.{why}.title"), (Paragraph(words.text(f"answer.{why}", reference=reference)),))
