"""Effects, which travel through the outbox as JSON: built here by handlers, and parsed here by the senders."""

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
ORPHANED_POSTS = "gone"  # the conversation in which posts are deleted whose place the ledger has forgotten
MAIL = "mail"  # the kind of effects that go to the mail server

_SCREEN: TypeAdapter[Screen] = TypeAdapter(Annotated[Screen, Tag()])


def pack_screen(screen: Screen) -> dict[str, Any]:
    """A screen as data for JSON."""
    data: dict[str, Any] = orjson.loads(orjson.dumps(screen))
    return data


def unpack_screen(data: Mapping[str, Any]) -> Screen:
    """Inverse of `pack_screen`. Raises ValueError if the data is no screen."""
    return _SCREEN.validate_python(data)


def pack_address(address: Address) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(orjson.dumps(address))
    return data


def unpack_address(data: Mapping[str, Any]) -> Address:
    return Address(**{k: data.get(k) for k in ("platform", "workspace", "user", "channel", "reply")})  # type: ignore[arg-type] # our own JSON


# ── Building ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def screen_effect(dedup_key: str, to: Address, screen: Screen, redraw: dict[str, str] | None = None) -> Effect:
    """An effect that sends a screen. `redraw`: the press whose response replaces what `to.reply` leads to, if the
    platform still can; else the screen is sent to the person."""
    body: dict[str, Any] = {"to": pack_address(to), "screen": pack_screen(screen), "replace": False}
    if redraw:
        body["redraw"] = redraw
    return Effect(
        conv=to.conversation, kind=f"{to.platform}.screen", body=body, id=effect_id(dedup_key, "say", to.conversation)
    )


def file_effect(dedup_key: str, to: Address, name: str, title: str, comment: str, content: str | Blob) -> Effect:
    """An effect that sends a file, with a comment, to a person in private.

    Args:
        name: as it is saved, with its ending.
        content: text (1 to `TEXT_IN_EFFECT` bytes of UTF-8; else ValueError), or a blob, which is deleted once it was
            sent.
    """
    packed: dict[str, Any] = {"blob": content.ref, "size": content.size} if isinstance(content, Blob) else {}
    if isinstance(content, str):
        if not 0 < len(content.encode()) <= TEXT_IN_EFFECT:
            raise ValueError("nothing, or too long for an effect: put it into a blob")
        packed = {"text": content}
    body = {"to": pack_address(to), "name": name, "title": title, "comment": comment, **packed}
    return Effect(
        conv=to.conversation,
        kind=f"{to.platform}.file",
        body=body,
        id=effect_id(dedup_key, "file", to.conversation, name),
    )


def post_effect(
    snapshot: AccountSnapshot, dedup_key: str, to: Address, key: str, screen: Screen | None, *, below: str | None = None
) -> Effect:
    """An effect that updates the post with this key, or creates it if there is none; `screen` None deletes it.

    Args:
        key: unique in the account: "ticket:142:desk" (kind, number, and which post of it).
        below: the key of the post that it replies to, sent to the same conversation before.
    """
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": pack_screen(screen) if screen is not None else None, "below": below}
    conv = to.conversation
    return Effect(conv=conv, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "put", key, conv))


def post_removal_effect(snapshot: AccountSnapshot, dedup_key: str, key: str, place: MessageRef) -> Effect:
    """An effect that deletes a post at its place, which the ledger may have forgotten; the effect does not tell whose
    conversation that is."""
    to = Address(place.platform, place.workspace, channel=ORPHANED_POSTS)
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": None, "below": None, "at": place.field()}
    return Effect(conv=to.conversation, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "gone", key))


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail. `thread`: mail programs group mails of one thread; "" is none. `key`: of the record that is told how
    delivery ended ("ticket:142:m7:mail"); "" is none."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None
    thread: str = ""
    key: str = ""


def mail_effect(snapshot: AccountSnapshot, dedup_key: str, conv: str, letter: OutgoingMail) -> Effect:
    """An effect that sends a mail, if mail is configured (`Services.mail`). `conv`: mails of one are sent in order."""
    body: dict[str, Any] = {"to": letter.to, "subject": letter.subject, "text": letter.text}
    body |= {"reply_to": letter.reply_to, "thread": letter.thread, "key": letter.key, "account": snapshot.account.id}
    return Effect(conv=conv, kind=MAIL, body=body, id=effect_id(dedup_key, "mail", letter.key or letter.to))


def home_effects(dedup_key: str, seen: Mapping[tuple[str, str], LastSeen]) -> list[Effect]:
    """Effects that redraw the home screens of these people where they are open."""
    effects = []
    for to in (Address(platform, at.workspace, user=at.user) for (_, platform), at in seen.items() if at.home):
        conv, body = f"home:{to.conversation}", {"to": pack_address(to)}
        effects.append(Effect(conv, f"{to.platform}.home", body, effect_id(dedup_key, "home", conv)))
    return effects


def effect_id(*parts: str) -> str:
    """An idempotency key: the same parts give the same one (24 hex digits)."""
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
        """Raises ValueError if the effect is no file."""
        match effect.body:
            case {"to": dict(to), "name": str(name), "title": str(title), "comment": str(comment), **content}:
                match content:
                    case {"text": str(text)}:
                        return cls(unpack_address(to), name, title, comment, len(text.encode()), text)
                    case {"blob": str(blob), "size": int(size)}:
                        return cls(unpack_address(to), name, title, comment, size, blob=blob)
        raise ValueError("Not a file.")

    async def read(self, blobs: Blobs) -> AsyncIterator[bytes]:
        """Yield the content. Raises `BlobGone`, at the first chunk or a later one."""
        if self.blob is None:
            yield self.text.encode()
            return
        async for chunk in blobs.read(self.blob):
            yield chunk

    async def is_available(self, blobs: Blobs) -> bool:
        """Whether the content is complete in the store."""
        try:
            return self.blob is None or (await blobs.find(self.blob)).size == self.size
        except BlobGone:
            return False

    async def delete_content(self, blobs: Blobs) -> None:
        """Delete the blob, once the file was delivered."""
        if self.blob is not None:
            await blobs.delete(self.blob)
