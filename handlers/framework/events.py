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
