"""What goes back to a platform, as plain data: screens and their pieces.

A `Screen` holds text in the reader's language already; a platform's renderer draws it, escapes what people typed and
cuts what is over its limits. Nothing here can be shown by one platform only. Forms are in `forms`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# ── Text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bold:
    text: str
    kind: Literal["bold"] = "bold"


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment, shown in the reader's own zone; `fallback` where the platform can't."""

    at: datetime
    style: Literal["date", "time", "datetime"]
    fallback: str
    kind: Literal["when"] = "when"


TextPart = str | Bold | Link | Timestamp
# Plain strings are what people see, never markup: the renderer escapes them.
Text = tuple[TextPart, ...]


def strip_markup(text: Text) -> str:
    """The words alone, for notifications, screen readers and places that show no markup."""
    return "".join(p if isinstance(p, str) else p.fallback if isinstance(p, Timestamp) else p.text for p in text)


# ── Pieces of a screen ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Confirm:
    """Asked before a press counts. Names the thing."""

    title: str
    text: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Button:
    """`action` and `value` come back as a `Press` (`value` up to 100 characters, untrusted). `form`: pressing it opens
    a form, which some platforms must know before the click. `url` buttons only open the page."""

    label: str
    action: str
    value: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"
    form: bool = False
    confirm: Confirm | None = None
    spoken: str | None = None  # what a screen reader says, where the label alone is not distinct
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Text
    quiet: bool = False  # smaller, for asides
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class FactSet:
    pairs: tuple[tuple[str, Text], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Meter:
    """Used of a limit: words that read alone ("2 of 3 numbers"), a bar beside them, a quiet note."""

    label: str
    used: int
    limit: int
    note: str = ""
    kind: Literal["meter"] = "meter"


@dataclass(frozen=True, slots=True)
class Question:
    """A small question about what it stands with, with its short answers beside it. It counts for less than the
    screen's own buttons, which stay in sight however many questions there are."""

    text: str
    answers: tuple[Button, ...]
    kind: Literal["question"] = "question"


@dataclass(frozen=True, slots=True)
class ListItem:
    """One thing of a list: a strong title, details, and what can be done with it: one button in sight, or a menu, or
    both, the button for what is wanted most."""

    title: str
    details: tuple[Text, ...]
    menu: tuple[Button, ...] = ()
    button: Button | None = None
    spoken: str | None = None  # of the menu: "Actions for 020 7946 0900"
    question: Question | None = None
    kind: Literal["row"] = "row"


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, one a label, of what is counted in `unit`; drawn as text where a platform has no chart. `alt`: what it
    shows, for whoever does not see it."""

    title: str
    bars: tuple[tuple[str, int], ...]
    unit: str
    alt: str
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Buttons:
    """`light`: they only change what is shown beside them (a view, a page), the primary one is what is shown now. They
    count for less than what acts, and stay in sight however many buttons there are."""

    buttons: tuple[Button, ...]
    light: bool = False
    kind: Literal["buttons"] = "buttons"


@dataclass(frozen=True, slots=True)
class Divider:
    kind: Literal["divider"] = "divider"


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    kind: Literal["heading"] = "heading"


Block = Paragraph | FactSet | Meter | ListItem | Table | Chart | Buttons | Question | Divider | Heading


@dataclass(frozen=True, slots=True)
class Screen:
    """Answers a command; after a press it takes the place of what was pressed."""

    title: str
    blocks: tuple[Block, ...]
    summary: str = ""  # state and action in one line, for notifications; made from the blocks when empty
    about: str = ""  # what a post goes below, named: for where there are no threads
    kind: Literal["screen"] = "screen"


@dataclass(frozen=True, slots=True)
class Notice:
    """Said to the one who acted, beside what is on the screen, which stays."""

    screen: Screen
