"""What handlers return: screens and their blocks, forms and their fields, as plain data that every platform can draw.

The text is in the reader's language; a platform's renderer escapes what people typed and cuts what exceeds its limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
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


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TextField:
    """`live`: the text is sent as a `Press` of action `name` while it is typed, on platforms that do so."""

    name: str
    label: str
    value: str = ""
    hint: str | None = None
    placeholder: str | None = None
    required: bool = False
    multiline: bool = False
    max_length: int = 150
    live: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of several. `live`: choosing sends a `Press` of action `name` at once, to redraw the form. `suggest`:
    too many to list; typing sends an `OptionsRequest`. `open`: radio buttons (at most ten)."""

    name: str
    label: str
    options: tuple[Option, ...]
    value: str | None = None
    hint: str | None = None
    placeholder: str | None = None
    required: bool = False
    live: bool = False
    suggest: bool = False
    open: bool = False
    kind: Literal["choice"] = "choice"


@dataclass(frozen=True, slots=True)
class Checkbox:
    """A box; its value is "yes" or ""."""

    name: str
    label: str
    text: str
    value: str = ""
    hint: str | None = None
    kind: Literal["tick"] = "tick"


@dataclass(frozen=True, slots=True)
class FilesField:
    """Up to `most` files (at most ten), which come as `Submit.files`. `fallback`: the text shown instead by platforms
    whose dialogs take no files."""

    name: str
    label: str
    fallback: str
    hint: str | None = None
    most: int = 10
    kind: Literal["files"] = "files"


FormField = TextField | Choice | Checkbox | FilesField


@dataclass(frozen=True, slots=True)
class Form:
    """A dialog. `state` comes back with the submission, untrusted: ids and versions, never rights."""

    id: str
    title: str
    submit: str
    parts: tuple[FormField | Paragraph | FactSet | Divider | Buttons, ...]
    state: Mapping[str, str] = default(default_factory=dict)
    close: str = ""

    def with_values(self, values: Mapping[str, str]) -> "Form":
        """The same form with these values in its fields."""
        return replace(
            self,
            parts=tuple(
                replace(p, value=values[p.name])
                if isinstance(p, TextField | Choice | Checkbox) and p.name in values
                else p
                for p in self.parts
            ),
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """The form stays open with its values, each sentence at its field; one at "" is for the whole form. `form`: what
    to draw, for platforms (and errors) that must redraw it."""

    fields: Mapping[str, str]
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The dialog closes. Its result is sent through the outbox."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to show."""


@dataclass(frozen=True, slots=True)
class Options:
    """The answer to `OptionsRequest`."""

    options: tuple[Option, ...]


Response = Screen | Notice | Form | Errors | Done | Nothing | Options
