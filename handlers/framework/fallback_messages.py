"""The sentences that a platform adapter shows if a response is late or failed."""

from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from handlers.framework.events import Actor
from handlers.framework.screens import Paragraph, Screen
from handlers.wording import choose_language, words_in

FallbackReason = Literal["slow", "failed", "late", "finished", "file_gone", "file_declined", "file_failed"]
FALLBACK_REASONS: tuple[FallbackReason, ...] = get_args(FallbackReason)

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class FormLabels:
    """What a platform adapter writes into a dialog: the error of an empty required field, the button that redraws the
    dialog, and the mark of an optional field."""

    missing: str
    redraw: str
    optional: str


def form_labels(actor: Actor) -> FormLabels:
    words = words_in(choose_language(actor.locale), _UTC)
    return FormLabels(words("form.missing"), words("form.redraw"), words("form.optional"))


def fallback_screen(why: FallbackReason, actor: Actor, reference: str = "") -> Screen:
    """`reference`: the correlation id, by which the operator finds the fault in the log."""
    words = words_in(choose_language(actor.locale), _UTC)
    return Screen(words(f"answer.{why}.title"), (Paragraph(words.text(f"answer.{why}", reference=reference)),))
