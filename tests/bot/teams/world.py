"""What the pretend Teams keeps: people, conversations, messages and dialogs."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Json = dict[str, Any]
Kind = Literal["personal", "groupChat", "channel"]
TOGGLE: Final = "Action.ToggleVisibility"
FAR: Final = 1_000

TENANT: Final = "00000000-0000-0000-0000-000000000001"
APP: Final = "11111111-1111-1111-1111-111111111111"
BOT: Final = f"28:{APP}"


@dataclass
class User:
    """Somebody of a tenant; `platform` is what their client says of itself (Windows, Mac, Web, iOS, Android)."""

    id: str
    name: str
    email: str = ""
    aad: str = ""
    locale: str = "en-GB"
    platform: str = "Windows"
    tenant: str = TENANT
    role: str = "user"

    def account(self) -> Json:
        return {"id": self.id, "name": self.name, **({"aadObjectId": self.aad} if self.aad else {})}

    def member(self) -> Json:
        """As the roster shows them."""
        shown = {**self.account(), "tenantId": self.tenant, "userRole": self.role, "givenName": self.name}
        return {**shown, **({"email": self.email, "userPrincipalName": self.email} if self.email else {})}


@dataclass
class Message:
    """`to`: the one person who sees it (a targeted message), None for all. `sender` is a user's id or the bot's."""

    id: str
    conversation: str
    sender: str
    text: str = ""
    card: Json | None = None
    to: str | None = None
    edits: int = 0
    activity: Json = field(default_factory=dict)
    notice: bool = False  # what an answer to a press has said

    def words(self) -> str:
        """Everything that can be read on it."""
        return "\n".join(
            filter(None, (self.text if self.card is None else "", *(texts(self.card) if self.card else ())))
        )


@dataclass
class Dialog:
    """Open before one person. `text` instead of a card: a sentence. `values`: what stands in the inputs, by id."""

    user: str
    conversation: str
    title: str = ""
    card: Json | None = None
    text: str = ""
    message: str | None = None  # that it was opened from
    values: dict[str, str] = field(default_factory=dict)

    def words(self) -> str:
        return "\n".join(filter(None, (self.title, self.text, *(texts(self.card) if self.card else ()))))


@dataclass
class Drive:
    """A file in somebody's OneDrive. `opens`: the secret in the address that opens or takes it; `size`: of an upload
    that was agreed on, None for what is there."""

    id: str
    owner: str
    name: str
    opens: str
    content: bytes = b""
    size: int | None = None

    @property
    def ending(self) -> str:
        return self.name.rpartition(".")[2] if "." in self.name else ""


@dataclass
class Conversation:
    id: str
    kind: Kind
    members: list[str]
    name: str = ""
    team: str | None = None
    tenant: str = TENANT
    installed: bool = True


class World:
    """Everything the pretend Teams knows."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.conversations: dict[str, Conversation] = {}
        self.messages: list[Message] = []
        self.dialogs: dict[str, Dialog] = {}
        self.drive: dict[str, Drive] = {}  # by id
        self._ids = itertools.count(1_790_000_000_000)

    def next_id(self) -> str:
        return str(next(self._ids))

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def user(self, name: str) -> User:
        """By id, or name in any case."""
        for user in self.users.values():
            if name == user.id or name.casefold() == user.name.casefold():
                return user
        raise LookupError(f"there is no {name!r}")

    def personal(self, user: User) -> Conversation:
        """A person's chat with the bot; there from the first look on, not installed."""
        id = f"a:{user.id.removeprefix('29:')}-{user.tenant[-4:]}"
        if id not in self.conversations:
            self.conversations[id] = Conversation(id, "personal", [user.id], tenant=user.tenant, installed=False)
        return self.conversations[id]

    def place(self, user: User, where: str = "") -> Conversation:
        """A conversation by id or name; empty: the person's chat with the bot."""
        if not where:
            return self.personal(user)
        for conversation in self.conversations.values():
            if where in (conversation.id, conversation.name):
                if user.id not in conversation.members:
                    raise LookupError(f"{user.name} is not in {where}")
                return conversation
        raise LookupError(f"there is no {where!r}")

    def message(self, conversation: str, id: str) -> Message | None:
        root = conversation.partition(";")[0]
        return next(
            (m for m in self.messages if m.id == id and m.conversation.partition(";")[0] == root and not m.notice), None
        )

    def seen(self, user: User, conversation: Conversation) -> list[Message]:
        """What a person sees in a conversation, oldest first."""
        return [
            m
            for m in self.messages
            if m.conversation.partition(";")[0] == conversation.id and (m.to in (None, user.id) or m.sender == user.id)
        ]


# ── Reading cards ───────────────────────────────────────────────────────────────────────────────────────────────


def parts(thing: Any) -> Iterator[Json]:
    """Every element and action of a card, and the card, outermost first."""
    if isinstance(thing, dict):
        if "type" in thing:
            yield thing
        for name, value in thing.items():
            if name not in {"data", "msteams", "fallback"}:
                yield from parts(value)
    elif isinstance(thing, list):
        for each in thing:
            yield from parts(each)


def texts(thing: Any) -> list[str]:
    """What can be read on an element: texts, facts, labels, titles of controls."""
    found: list[str] = []
    for part in parts(thing):
        kind = part["type"]
        if kind in {"TextBlock", "TextRun", "Badge"}:
            found.append(str(part.get("text", "")))
        elif kind == "FactSet":
            found += [f"{fact.get('title', '')}: {fact.get('value', '')}" for fact in part.get("facts", ())]
        elif kind.startswith("Input."):
            found += [str(part[name]) for name in ("label", "title", "errorMessage") if part.get(name)]
    return found


def actions(card: Json) -> list[tuple[Json, list[Json]]]:
    """Every action, each with what it stands in, outermost first."""
    found: list[tuple[Json, list[Json]]] = []

    def walk(thing: Any, within: list[Json]) -> None:
        if isinstance(thing, list):
            for each in thing:
                walk(each, within)
        elif isinstance(thing, dict):
            kind = str(thing.get("type", ""))
            if kind.startswith("Action."):
                found.append((thing, within))
            inside = [*within, thing] if kind else within
            for name, value in thing.items():
                if name not in {"data", "msteams", "fallback"}:
                    walk(value, inside)

    walk(card, [])
    return found


def find(card: Json, label: str, near: str = "", *, toggles: bool = False) -> Json:
    """The action with that title; `near`: the one that stands closest to that text. What lies behind a menu or a
    question is found too. Of several, one that the bot hears of; or, with `toggles`, one that only shows something.
    LookupError for none."""
    named = [(action, within) for action, within in actions(card) if action.get("title") == label]
    if not named:
        raise LookupError(f"no {label!r} among {[a.get('title') for a, _ in actions(card)]}")

    def distance(within: list[Json]) -> int:
        for steps, container in enumerate(reversed(within)):
            if any(near in text for text in texts(container)):
                return steps
        return FAR

    action, within = min(named, key=lambda pair: (distance(pair[1]), (pair[0]["type"] == TOGGLE) is not toggles))
    if distance(within) == FAR:
        raise LookupError(f"no {label!r} near {near!r}")
    if action["type"] == TOGGLE and not toggles:
        return answering(card, action) or action
    return action


def answering(card: Json, toggle: Json) -> Json | None:
    """The "yes" of the question that a button shows; None where it shows no question."""
    targets = [t if isinstance(t, str) else t.get("elementId") for t in toggle.get("targetElements", ())]
    for part in parts(card):
        if part.get("id") in targets:
            return next((action for action, _ in actions(part) if action["type"] != TOGGLE), None)
    return None


def inputs(card: Json) -> dict[str, Json]:
    """The inputs of a card by id."""
    return {part["id"]: part for part in parts(card) if str(part["type"]).startswith("Input.") and "id" in part}


def standing(card: Json) -> dict[str, str]:
    """What stands in the inputs of a card that nobody has touched."""
    found = {}
    for id, part in inputs(card).items():
        value = str(part.get("value", ""))
        if part["type"] == "Input.Toggle" and not value:
            value = str(part.get("valueOff", "false"))
        found[id] = value
    return found
