"""What is said travels as effects through the outbox: built here, packed as JSON, and read here by the senders."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from hashlib import blake2s
from typing import Annotated, Any

import orjson
from pydantic import Field as Tag
from pydantic import TypeAdapter

from handlers.framework.events import Address
from handlers.framework.screens import Screen
from store.engine.accounts import AccountSnapshot
from store.engine.blobs import Blob, BlobGone, Blobs
from store.engine.contacts import LastSeen
from store.engine.effects import Effect
from store.engine.posts import MessageRef

TEXT_IN_EFFECT = 256 * 1024  # bytes of a file that travels with its effect
ORPHANED_POSTS = "gone"  # a conversation of its own, in which posts are taken away whose place the ledger has forgotten
MAIL = "mail"  # the kind of effects that the mail server is handed

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


# ── Building ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def screen_effect(dedup_key: str, to: Address, screen: Screen, redraw: dict[str, str] | None = None) -> Effect:
    """A screen on its way. `redraw`: the press whose answer takes the place of what `to.reply` leads to, while that
    can be done; else the screen is said to the person."""
    body: dict[str, Any] = {"to": pack_address(to), "screen": pack_screen(screen), "replace": False}
    if redraw:
        body["redraw"] = redraw
    return Effect(
        conv=to.conversation, kind=f"{to.platform}.screen", body=body, id=effect_id(dedup_key, "say", to.conversation)
    )


def file_effect(dedup_key: str, to: Address, name: str, title: str, comment: str, content: str | Blob) -> Effect:
    """A file on its way to a person in private. `comment` is said with it.

    Args:
        name: as it is saved, with its ending.
        content: short text (1 to `TEXT_IN_EFFECT` bytes of UTF-8; else ValueError), or what was put into
            `services.blobs`, which is deleted once it was sent.
    """
    kept: dict[str, Any] = {"blob": content.ref, "size": content.size} if isinstance(content, Blob) else {}
    if isinstance(content, str):
        if not 0 < len(content.encode()) <= TEXT_IN_EFFECT:
            raise ValueError("nothing, or too long for an effect: put it into a blob")
        kept = {"text": content}
    body = {"to": pack_address(to), "name": name, "title": title, "comment": comment, **kept}
    return Effect(
        conv=to.conversation,
        kind=f"{to.platform}.file",
        body=body,
        id=effect_id(dedup_key, "file", to.conversation, name),
    )


def post_effect(
    snapshot: AccountSnapshot, dedup_key: str, to: Address, key: str, screen: Screen | None, *, below: str | None = None
) -> Effect:
    """A post on its way: the screen goes where the post of that key is already, or is posted and known by the key from
    then on; None takes it away.

    Args:
        key: "ticket:142:desk": kind, number, and what it is of it. One of its own in the account.
        below: the key of the post at the head of the thread, which went to the same conversation before.
    """
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": pack_screen(screen) if screen is not None else None, "below": below}
    conv = to.conversation
    return Effect(conv=conv, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "put", key, conv))


def post_removal_effect(snapshot: AccountSnapshot, dedup_key: str, key: str, place: MessageRef) -> Effect:
    """A post that goes from where it stands, when nothing is to lead there any more but this: the ledger may have
    forgotten it, and whose conversation it is in stays unsaid."""
    to = Address(place.platform, place.workspace, channel=ORPHANED_POSTS)
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": None, "below": None, "at": place.field()}
    return Effect(conv=to.conversation, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "gone", key))


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail. `thread`: mails of one thread lie together in mail programs; "" is none. `key`: of the record that is
    told how it ended ("ticket:142:m7:mail"); "" is none."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None
    thread: str = ""
    key: str = ""


def mail_effect(snapshot: AccountSnapshot, dedup_key: str, conv: str, letter: OutgoingMail) -> Effect:
    """A mail on its way, where mail is configured (`Services.mail`). `conv`: mails of one go out in order."""
    body: dict[str, Any] = {"to": letter.to, "subject": letter.subject, "text": letter.text}
    body |= {"reply_to": letter.reply_to, "thread": letter.thread, "key": letter.key, "account": snapshot.account.id}
    return Effect(conv=conv, kind=MAIL, body=body, id=effect_id(dedup_key, "mail", letter.key or letter.to))


def home_effects(dedup_key: str, seen: Mapping[tuple[str, str], LastSeen]) -> list[Effect]:
    """The home screens of these people that are open, drawn anew."""
    return [
        _home(dedup_key, Address(platform, at.workspace, user=at.user)) for (_, platform), at in seen.items() if at.home
    ]


def _home(dedup_key: str, to: Address) -> Effect:
    conv = f"home:{to.conversation}"
    return Effect(
        conv=conv, kind=f"{to.platform}.home", body={"to": pack_address(to)}, id=effect_id(dedup_key, "home", conv)
    )


def effect_id(*parts: str) -> str:
    """The same for the same change, so that a repeat is recognised on the other side too."""
    return blake2s("|".join(parts).encode(), digest_size=12).hexdigest()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """The body of a `file_effect`. `size` in bytes; the content is `text`, or else in the blob `blob`."""

    to: Address
    name: str
    title: str
    comment: str
    size: int
    text: str = ""
    blob: str | None = None

    @classmethod
    def from_effect(cls, effect: Effect) -> "OutgoingFile":
        """Raises ValueError where the effect is no file."""
        match effect.body:
            case {"to": dict(to), "name": str(name), "title": str(title), "comment": str(comment), **content}:
                match content:
                    case {"text": str(text)}:
                        return cls(unpack_address(to), name, title, comment, len(text.encode()), text)
                    case {"blob": str(blob), "size": int(size)}:
                        return cls(unpack_address(to), name, title, comment, size, blob=blob)
        raise ValueError("Not a file.")

    async def read(self, blobs: Blobs) -> AsyncIterator[bytes]:
        """The content. Raises `BlobGone`, at the first chunk or a later one."""
        if self.blob is None:
            yield self.text.encode()
            return
        async for chunk in blobs.read(self.blob):
            yield chunk

    async def is_available(self, blobs: Blobs) -> bool:
        """Whether the content is there still."""
        try:
            return self.blob is None or (await blobs.find(self.blob)).size == self.size
        except BlobGone:
            return False

    async def delete_content(self, blobs: Blobs) -> None:
        """It arrived: the content is no longer needed."""
        if self.blob is not None:
            await blobs.delete(self.blob)
