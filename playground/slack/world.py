"""What the pretend Slack knows: workspaces, people, channels, messages, views, and the phones beside them.

Plain data and queries on it; ``api`` decides who may do what. Times are Slack's ``ts``
strings: seconds since 1970 with six decimals, unique in a world, growing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import orjson

KEPT_MESSAGES = 2_000  # a channel, oldest dropped first: a demo left running must not grow for ever
KEPT_FILES = 500
KEPT_BYTES = 256 * 1024**2  # of all files together
KEPT_CALLS = 200  # entries of the phones' and the mailbox's lists

Json = dict[str, Any]


@dataclass(slots=True)
class Workspace:
    """A workspace and the app's installation in it. ``token`` is the bot's; ``scopes`` what it was granted."""

    id: str
    name: str
    domain: str
    bot_user: str
    bot_id: str
    token: str
    scopes: list[str]
    installed: bool = True


@dataclass(slots=True)
class User:
    """A person or bot. ``name`` is the handle, ``role`` the line the page shows below the real name."""

    id: str
    team: str
    name: str
    real_name: str
    email: str = ""
    locale: str = "en-US"
    tz: str = "Europe/Berlin"
    is_bot: bool = False
    deleted: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    home_team: str = ""  # a Slack Connect outsider's own workspace
    role: str = ""


@dataclass(slots=True)
class Channel:
    """A channel, or with ``is_im`` the conversation of the bot with ``user``. ``members`` are user ids."""

    id: str
    team: str
    name: str
    members: list[str] = field(default_factory=list)
    is_im: bool = False
    is_private: bool = False
    is_archived: bool = False
    user: str = ""
    topic: str = ""


@dataclass(slots=True)
class Message:
    """One message; ``ephemeral_to`` names the one person who sees it, ``bot_id`` the bot that wrote it."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    bot_id: str = ""
    ephemeral_to: str = ""
    thread_ts: str = ""
    metadata: Json | None = None
    files: list[str] = field(default_factory=list)
    edited: str = ""
    state: Json = field(default_factory=dict)


@dataclass(slots=True)
class File:
    """A file; ``shown`` are the channels it was shared in. Its bytes are in ``World.contents`` until they are too many.
    ``length`` is what an upload was announced with; ``state`` is ``announced``, ``uploaded`` or ``hosted``."""

    id: str
    team: str
    user: str
    name: str
    title: str = ""
    mime: str = "application/octet-stream"
    length: int = 0
    ticket: str = ""
    born: float = 0.0
    state: str = "hosted"
    shown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class View:
    """An open dialog or a published home. ``body`` is what the app sent, ``state`` what was typed into it."""

    id: str
    team: str
    user: str
    body: Json
    hash: str
    root: str = ""
    previous: str = ""
    state: Json = field(default_factory=dict)

    @property
    def type(self) -> str:
        """``modal`` or ``home``."""
        return str(self.body["type"])

    @property
    def blocks(self) -> list[Json]:
        """The blocks on show."""
        blocks: list[Json] = self.body["blocks"]
        return blocks


@dataclass(slots=True)
class Hook:
    """A ``response_url``: the channel and person that it answers, when it was made, and how often it was used."""

    id: str
    team: str
    channel: str
    user: str
    born: float
    uses: int = 0
    message_ts: str = ""


@dataclass(slots=True)
class Ring:
    """A call or text message that reached a phone outside Slack. ``kind`` is ``call`` or ``sms``."""

    number: str
    text: str
    kind: str
    at: float


@dataclass(slots=True)
class Mail:
    """A mail that reached somebody's mailbox."""

    to: str
    subject: str
    text: str
    at: float


T = TypeVar("T")


def _rebuild(kind: type[T], data: Json) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # only dataclasses are passed
    return kind(**{key: value for key, value in data.items() if key in known})


@dataclass(slots=True)
class World:
    """Everything the pretend Slack keeps. ``listeners`` are called after each change."""

    app_id: str = "A0SWITCH"
    client_id: str = "1000.2000"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    app_token: str = field(default_factory=lambda: f"xapp-1-{secrets.token_hex(16)}")
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)  # by file; not saved: a restart forgets what was in them
    read: dict[str, dict[str, str]] = field(default_factory=dict)
    phone: list[Ring] = field(default_factory=list)
    mail: list[Mail] = field(default_factory=list)
    last_ts: int = 0
    base_url: str = ""  # where the routes are served
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def add_workspace(
        self,
        id: str = "T0WORLD",
        name: str = "Acme",
        *,
        token: str = "",
        scopes: Iterable[str] = (),
        bot_name: str = "switchboard",
    ) -> Workspace:
        """Adds a workspace with the app installed: a bot user ``U<id>BOT`` and a token, made up unless given."""
        bot_user, bot_id = f"U{id[1:]}BOT", f"B{id[1:]}BOT"
        made = Workspace(
            id,
            name,
            name.lower().replace(" ", "-"),
            bot_user,
            bot_id,
            token or f"xoxb-{id}-{secrets.token_hex(8)}",
            sorted(scopes),
        )
        self.workspaces[id] = made
        self.users[bot_user] = User(bot_user, id, bot_name.lower(), bot_name, is_bot=True)
        return made

    def add_user(self, user: User) -> User:
        """Adds a person (or replaces the one of that id)."""
        self.users[user.id] = user
        return user

    def add_channel(self, channel: Channel, *, bot: bool = True) -> Channel:
        """Adds a channel; ``bot`` says whether the app's bot is a member of it."""
        self.channels[channel.id] = channel
        bot_user = self.workspaces[channel.team].bot_user
        if bot and bot_user not in channel.members:
            channel.members.append(bot_user)
        return channel

    def im(self, user: User) -> Channel:
        """The conversation of the bot with ``user``, opened if there is none yet."""
        id_ = f"D{user.id[1:]}"
        if id_ not in self.channels:
            bot_user = self.workspaces[user.team].bot_user
            self.channels[id_] = Channel(id_, user.team, "", [bot_user, user.id], is_im=True, user=user.id)
        return self.channels[id_]

    def workspace_of(self, token: str) -> Workspace | None:
        """The workspace whose bot carries ``token``."""
        return next((w for w in self.workspaces.values() if secrets.compare_digest(w.token, token)), None)

    def user(self, who: str) -> User:
        """A user by id, handle (``ada``) or real name. Raises ``LookupError``."""
        if who in self.users:
            return self.users[who]
        wanted = who.removeprefix("@").lower()
        for user in self.users.values():
            if wanted in (user.name.lower(), user.real_name.lower()):
                return user
        raise LookupError(f"nobody is called {who!r}")

    def channel(self, where: str, team: str = "") -> Channel:
        """A channel by id or ``#name``. Raises ``LookupError``."""
        if where in self.channels:
            return self.channels[where]
        wanted = where.removeprefix("#").lower()
        for channel in self.channels.values():
            if channel.name == wanted and team in ("", channel.team) and not channel.is_im:
                return channel
        raise LookupError(f"no channel is called {where!r}")

    def next_ts(self, now: float) -> str:
        """A new ``ts`` for a message written at ``now`` (seconds since 1970)."""
        self.last_ts = max(self.last_ts + 1, int(now * 1_000_000))
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    def post(self, message: Message) -> Message:
        """Appends a message to its channel."""
        kept = self.messages.setdefault(message.channel, [])
        kept.append(message)
        if len(kept) > KEPT_MESSAGES:
            del kept[: len(kept) - KEPT_MESSAGES]
        self.touch()
        return message

    def message(self, channel: str, ts: str) -> Message | None:
        """The message ``ts`` of ``channel``."""
        return next((m for m in reversed(self.messages.get(channel, ())) if m.ts == ts), None)

    def keep(self, file: File, content: bytes) -> File:
        """Stores a file with its content; the oldest contents are dropped where all together are too large."""
        self.files[file.id] = file
        self.contents[file.id] = content
        while len(self.files) > KEPT_FILES:
            oldest = next(iter(self.files))
            self.files.pop(oldest)
            self.contents.pop(oldest, None)
        while sum(map(len, self.contents.values())) > KEPT_BYTES and len(self.contents) > 1:
            self.contents.pop(next(iter(self.contents)))
        return file

    def remove(self, message: Message) -> None:
        """Removes a message."""
        self.messages[message.channel] = [m for m in self.messages[message.channel] if m is not message]
        self.touch()

    def visible(self, channel: str, user: str) -> list[Message]:
        """The messages of ``channel`` that ``user`` sees, oldest first."""
        return [m for m in self.messages.get(channel, ()) if m.ephemeral_to in ("", user)]

    def dialogs(self, user: str) -> list[View]:
        """The stack of dialogs that ``user`` has open, the topmost last."""
        return [view for view in self.views.values() if view.user == user]

    def close_dialogs(self, views: Iterable[View]) -> None:
        """Closes dialogs."""
        for view in list(views):
            self.views.pop(view.id, None)
        self.touch()

    def ring(self, ring: Ring) -> None:
        """Adds a call or text message to the phone."""
        self.phone = [*self.phone[1 - KEPT_CALLS :], ring]
        self.touch()

    def deliver_mail(self, mail: Mail) -> None:
        """Puts a mail into the mailbox."""
        self.mail = [*self.mail[1 - KEPT_CALLS :], mail]
        self.touch()

    def touch(self) -> None:
        """Calls the listeners."""
        for listener in tuple(self.listeners):
            listener()

    def dump(self) -> bytes:
        """The world as JSON."""
        kept = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("listeners", "contents", "base_url")
        }
        return orjson.dumps(kept, option=orjson.OPT_INDENT_2)

    def save(self, path: Path) -> None:
        """Writes the world to ``path`` atomically."""
        draft = path.with_suffix(".new")
        draft.write_bytes(self.dump())
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> World:
        """Reads what ``save`` wrote. Raises ``ValueError`` for a file that isn't that, ``OSError`` for none."""
        data = orjson.loads(path.read_bytes())
        if not isinstance(data, dict) or "workspaces" not in data:
            raise ValueError(f"{path} holds no pretend Slack")
        world = _rebuild(cls, data)
        world.workspaces = {key: _rebuild(Workspace, raw) for key, raw in data["workspaces"].items()}
        world.users = {key: _rebuild(User, raw) for key, raw in data["users"].items()}
        world.channels = {key: _rebuild(Channel, raw) for key, raw in data["channels"].items()}
        world.messages = {key: [_rebuild(Message, raw) for raw in rows] for key, rows in data["messages"].items()}
        world.homes = {key: _rebuild(View, raw) for key, raw in data["homes"].items()}
        world.views = {key: _rebuild(View, raw) for key, raw in data["views"].items()}
        world.hooks = {key: _rebuild(Hook, raw) for key, raw in data["hooks"].items()}
        world.files = {key: _rebuild(File, raw) for key, raw in data.get("files", {}).items()}
        world.phone = [_rebuild(Ring, raw) for raw in data["phone"]]
        world.mail = [_rebuild(Mail, raw) for raw in data["mail"]]
        return world
