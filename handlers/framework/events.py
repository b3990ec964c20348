"""What comes in from a platform: plain data, the same for every platform.

`Command`, `Press`, `Submit`, `OptionsRequest`, `HomeRequest`, `ChatMessage`, `MessageEdit`, `MessageDeletion`; and who
acts where (`Actor`, `Address`). What goes back is in `screens` and `forms`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Literal


@dataclass(frozen=True, slots=True)
class Address:
    """Where something can be sent: to a person in private, or to a channel; with both, to a person so that nobody else
    in that channel sees it.

    `reply` is the platform's reference to what the person acted on, opaque to handlers and valid for a while only. On a
    `Submit` it leads to the screen that the form was opened from; None if there is none to draw anew.
    """

    platform: str
    workspace: str
    user: str | None = None
    channel: str | None = None
    reply: str | None = None

    @property
    def conversation(self) -> str:
        """The key of what is sent in order: everything to one person, or to one channel."""
        return f"{self.platform}:{self.workspace}:{self.user or self.channel}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by the platform's signed request; nothing is known of their rights yet. `other_ids`: further ids of the
    same person on the platform."""

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
    """A person mentioned in a command, by the platform's id."""

    user: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file in a message. `size` (bytes; None: unknown), `name` and `mime` are claims of the sender's client; `ref` is
    the platform's reference to the content, opaque, and valid in the workspace that it came from only."""

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


# ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    """A button, an option of a menu, or a live field of a form (then `values` holds what is typed so far)."""

    actor: Actor
    id: str
    action: str
    value: str
    where: Address
    form: str | None = None
    state: Mapping[str, str] = default(default_factory=dict)
    values: Mapping[str, str] = default(default_factory=dict)
    stamp: str = ""  # the platform's time: a later one sorts after it; "" if it gives none


@dataclass(frozen=True, slots=True)
class Submit:
    """A submitted form. `state` is what `Form.state` held; it and `values` are untrusted. `files`: by field, those
    uploaded in the dialog, which the platform attests are the sender's."""

    actor: Actor
    id: str
    form: str
    state: Mapping[str, str]
    values: Mapping[str, str]
    where: Address
    files: Mapping[str, tuple[File, ...]] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptionsRequest:
    """The text typed into a `Choice` with `suggest`; answered with the `Options` that fit."""

    actor: Actor
    field: str
    text: str
    form: str | None = None
    state: Mapping[str, str] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HomeRequest:
    """The home screen was opened; or, if `anew`, is to be redrawn because something changed, open or not."""

    actor: Actor
    where: Address
    anew: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message to the bot, in private or by mention. `words` as in `Command`; none where there are only files.

    `text` is the whole message as its readers see it, without markup. `message` is the platform's id of it in the
    conversation, `thread` the id of the message that it replies to. `overheard`: it was not sent to the bot but in a
    conversation that the bot is in; it matters only if it replies to a post of ours (`services.posts`).
    `unthreaded`: the conversation has no threads, so that it may be meant for any post of ours in it.
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
    """An edited message; `text` is the new text. The rest as in `ChatMessage`."""

    actor: Actor
    id: str
    message: str
    text: str
    where: Address
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class MessageDeletion:
    """A deleted message. The rest as in `ChatMessage`."""

    actor: Actor
    id: str
    message: str
    where: Address
    thread: str | None = None


Inbound = Command | Press | Submit | OptionsRequest | HomeRequest | ChatMessage | MessageEdit | MessageDeletion


def event_label(event: Inbound) -> tuple[str, str]:
    """Kind and name of an event, for logs and metrics. The name is untrusted."""
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
