"""Screens and their blocks, as plain data that every platform can draw. Forms are in `forms`.

The text is in the reader's language; a platform's renderer escapes what people typed and cuts what exceeds its limits.
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
    """A moment, shown in the reader's time zone; `fallback` on platforms that can't."""

    at: datetime
    style: Literal["date", "time", "datetime"]
    fallback: str
    kind: Literal["when"] = "when"


TextPart = str | Bold | Link | Timestamp
# Strings are shown as they are; the renderer escapes them.
Text = tuple[TextPart, ...]


def strip_markup(text: Text) -> str:
    """The plain text, for notifications, screen readers and places without markup."""
    return "".join(p if isinstance(p, str) else p.fallback if isinstance(p, Timestamp) else p.text for p in text)


# ── Blocks of a screen ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Confirm:
    """A question asked before a press counts. It names the thing."""

    title: str
    text: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Button:
    """`action` and `value` come back as a `Press` (`value`: at most 100 characters, untrusted). `form`: opens a form,
    which some platforms must know before the click. `url`: it opens the page and sends no press."""

    label: str
    action: str
    value: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"
    form: bool = False
    confirm: Confirm | None = None
    spoken: str | None = None  # for screen readers, if the label alone is ambiguous
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Text
    quiet: bool = False  # smaller
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class FactSet:
    pairs: tuple[tuple[str, Text], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of a limit is used: a label that is complete ("2 of 3 numbers"), a bar, a quiet note."""

    label: str
    used: int
    limit: int
    note: str = ""
    kind: Literal["meter"] = "meter"


@dataclass(frozen=True, slots=True)
class Question:
    """A small question about the block before it, with its short answers as buttons. The screen's own buttons stay
    visible however many questions there are."""

    text: str
    answers: tuple[Button, ...]
    kind: Literal["question"] = "question"


@dataclass(frozen=True, slots=True)
class ListItem:
    """An item of a list: a bold title, details, and its actions: a button for the most wanted one, a menu, or both."""

    title: str
    details: tuple[Text, ...]
    menu: tuple[Button, ...] = ()
    button: Button | None = None
    spoken: str | None = None  # the menu's name for screen readers: "Actions for 020 7946 0900"
    question: Question | None = None
    kind: Literal["row"] = "row"


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart of (label, value), counted in `unit`; text on platforms without charts. `alt`: the text for screen
    readers."""

    title: str
    bars: tuple[tuple[str, int], ...]
    unit: str
    alt: str
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Buttons:
    """`light`: they choose what is shown (a view, a page), and the primary one is the current choice. They stay visible
    however many buttons there are."""

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
    """Answers a command; after a press it replaces the screen that the button was on."""

    title: str
    blocks: tuple[Block, ...]
    summary: str = ""  # one line for notifications; made from the blocks if empty
    about: str = ""  # what a post replies to, for conversations without threads
    kind: Literal["screen"] = "screen"


@dataclass(frozen=True, slots=True)
class Notice:
    """Shown to the person who acted, beside the screen that the button was on."""

    screen: Screen
