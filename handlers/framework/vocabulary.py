"""What comes in from a platform and what goes back: plain data, the same for every platform.

In: `Command`, `Press`, `Submit`, `OptionsRequest`, `HomeRequest`, `ChatMessage`.
Out: `Screen`, `Notice`, `Form`, `Errors`, `Done`, `Nothing`, `Options`.

A `Screen` or `Form` holds text in the reader's language already; a platform's renderer draws it, escapes what people
typed and cuts what is over its limits. Nothing here can be shown by one platform only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field as Tag
from pydantic import TypeAdapter

# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── Where and who ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Address:
    """Where something can be said: a person in private, or a channel; with both, a person alone, but in that channel.
    `reply` is the platform's own way back to what
    the person acted on, opaque to handlers and only good for a while; `user` remains. On a `Submit` it leads to the
    screen that the form was opened from, and is absent where there is none to draw anew."""

    platform: str
    workspace: str
    user: str | None = None
    channel: str | None = None
    reply: str | None = None

    @property
    def conversation(self) -> str:
        """What is kept in order: everything said to one person, or to one channel."""
        return f"{self.platform}:{self.workspace}:{self.user or self.channel}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the platform vouches for it (signed), before anything is known of their rights. `also`: further
    ids by which the platform vouches for the same person."""

    platform: str
    workspace: str
    user: str
    name: str | None = None
    locale: str | None = None
    client: Literal["desktop", "mobile"] = "desktop"
    outsider: bool = False  # of another company, in a shared channel
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody named in a command by the platform's own id."""

    user: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """Something dropped into the chat. `size` (bytes; None: unknown), `name` and `mime` are what the sender's side
    claims; `ref` is the platform's own way to the content, opaque, and only good in the workspace it came from."""

    id: str
    name: str
    size: int | None
    mime: str
    ref: str = default(repr=False)  # may open the file by itself
    url: str = default(default="", repr=False)  # where whoever may see it opens it

    @property
    def kind(self) -> str:
        """What it seems to be, as a lower-case ending ("csv"); "" where nothing says."""
        ending = self.name.rpartition(".")[2].lower() if "." in self.name else ""
        return ending if ending.isalnum() and len(ending) <= LONGEST_ENDING else _KINDS.get(self.mime.lower(), "")


LONGEST_ENDING = 10
_KINDS = {"text/csv": "csv", "application/csv": "csv", "text/plain": "txt", "application/json": "json"}


# ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Command:
    """`/numbers assign 020 7946 0900 @max`: `name` "numbers", `words` the rest, mentions kept apart from text."""

    actor: Actor
    id: str  # the same when the platform sends it again
    name: str
    words: tuple[str | Mention, ...]
    where: Address


@dataclass(frozen=True, slots=True)
class Press:
    """A button, a menu's option, or a live field of a form (then `values` holds what is typed so far)."""

    actor: Actor
    id: str
    action: str
    value: str
    where: Address
    form: str | None = None
    state: Mapping[str, str] = default(default_factory=dict)
    values: Mapping[str, str] = default(default_factory=dict)
    stamp: str = ""  # when it was, by the platform: a later one sorts after it; "" where it doesn't say


@dataclass(frozen=True, slots=True)
class Submit:
    """A form sent off. `state` is what `Form.state` held; both it and `values` are untrusted. `files`: by field, what
    was put into it in the dialog itself; the platform vouches that it is the sender's."""

    actor: Actor
    id: str
    form: str
    state: Mapping[str, str]
    values: Mapping[str, str]
    where: Address
    files: Mapping[str, tuple[File, ...]] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptionsRequest:
    """Somebody types into a `Choice` with `suggest`: which options fit?"""

    actor: Actor
    field: str
    text: str
    form: str | None = None
    state: Mapping[str, str] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HomeRequest:
    """The home screen came into view; or it is drawn `anew` because something changed, and nobody may be looking."""

    actor: Actor
    where: Address
    anew: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message to the bot, in private or by mention. `words` as in `Command`; none where there are only files.

    `text` is the whole as its reader sees it, without markup. `message` is the platform's name for it in its
    conversation, `thread` that of the message it hangs below. `overheard`: it was not said to the bot, but in a
    conversation that the bot is in; only what hangs below a post of ours (`services.posts`) is of interest then.
    `flat`: the conversation has no threads, so that it may be meant for any post of ours in it.
    """

    actor: Actor
    id: str
    words: tuple[str | Mention, ...]
    where: Address
    files: tuple[File, ...] = ()
    text: str = ""
    message: str = ""
    thread: str | None = None
    overheard: bool = False
    unthreaded: bool = False


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """Somebody changed what they had said; `text` is what it says now. The rest as in `ChatMessage`."""

    actor: Actor
    id: str
    message: str
    text: str
    where: Address
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class MessageDeletion:
    """Somebody took back what they had said. The rest as in `ChatMessage`."""

    actor: Actor
    id: str
    message: str
    where: Address
    thread: str | None = None


Inbound = Command | Press | Submit | OptionsRequest | HomeRequest | ChatMessage | MessageEdit | MessageDeletion


def event_label(event: Inbound) -> tuple[str, str]:
    """Kind and name of what came in, for logs and metrics. The name may be anything that somebody made up."""
    match event:
        case Command():
            return "command", event.name
        case Press():
            return "press", event.action
        case Submit():
            return "submit", event.form
        case OptionsRequest():
            return "suggest", event.field
        case HomeRequest():
            return "opened", "home"
        case ChatMessage():
            return "said", "message"
        case MessageEdit():
            return "edited", "message"
        case MessageDeletion():
            return "removed", "message"


# ── Out: pieces of a screen ─────────────────────────────────────────────────────────────────────────────────────


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

# ── Out: fields of a form ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TextField:
    """`live`: what is typed is sent as a `Press` of action `name` while it is typed, where the platform does that."""

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
    """One of some. `live`: choosing sends a `Press` of action `name` at once, to redraw the form. `suggest`: too many
    to list; typing asks for `OptionsRequest`. `open`: all options are seen at once (radio buttons; at most ten)."""

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
    """Up to `most` files (at most ten), which come as `Submit.files`. `elsewhere`: what is said in its place by a
    platform whose dialogs take none."""

    name: str
    label: str
    fallback: str
    hint: str | None = None
    most: int = 10
    kind: Literal["files"] = "files"


FormField = TextField | Choice | Checkbox | FilesField

# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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


@dataclass(frozen=True, slots=True)
class Form:
    """A dialog. `state` travels with it and comes back untrusted: ids and versions, never rights."""

    id: str
    title: str
    submit: str
    parts: tuple[FormField | Paragraph | FactSet | Divider | Buttons, ...]
    state: Mapping[str, str] = default(default_factory=dict)
    close: str = ""

    def with_values(self, values: Mapping[str, str]) -> "Form":
        """The same form with what the person had typed."""
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
    """The form stays, with what was typed; each sentence at its field. A sentence at "" is for the form as a whole.
    `form` is the form again, for platforms (and errors) that must redraw it."""

    fields: Mapping[str, str]
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """It is done; the dialog closes. What is said about it travels through the outbox."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Taken note of; nothing to show."""


@dataclass(frozen=True, slots=True)
class Options:
    """The answer to `OptionsRequest`."""

    options: tuple[Option, ...]


Response = Screen | Notice | Form | Errors | Done | Nothing | Options

# ── On the way through the outbox ───────────────────────────────────────────────────────────────────────────────

_SCREEN: TypeAdapter[Screen] = TypeAdapter(Annotated[Screen, Tag()])


def pack_screen(screen: Screen) -> dict[str, Any]:
    """A screen as JSON-able data."""
    data: dict[str, Any] = orjson.loads(orjson.dumps(screen))
    return data


def unpack_screen(data: Mapping[str, Any]) -> Screen:
    """The screen that `pack_screen` took apart; ValueError where it is none."""
    return _SCREEN.validate_python(data)


def pack_address(address: Address) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(orjson.dumps(address))
    return data


def unpack_address(data: Mapping[str, Any]) -> Address:
    return Address(**{k: data.get(k) for k in ("platform", "workspace", "user", "channel", "reply")})  # type: ignore[arg-type] # our own JSON
