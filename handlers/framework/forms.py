"""Forms, the answers to a submission, and `Response`: everything that a handler may return to a platform."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from typing import Literal

from handlers.framework.screens import Buttons, Divider, FactSet, Notice, Paragraph, Screen


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
