"""References to the message that somebody acted in, opaque to the handlers. In a dialog they travel through the
person's client, so they are sealed for the person and the conversation.
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import blake2s
from typing import Final

import orjson

_LENGTH: Final = 16  # hexadecimal digits of the seal


@dataclass(frozen=True, slots=True)
class MessageReference:
    """A message of ours. `group`: in a channel or group chat, and there for one person alone."""

    conversation: str
    activity: str
    group: bool = False


def pack(reference: MessageReference) -> str:
    """As `Address.reply`."""
    return orjson.dumps([reference.conversation, reference.activity, reference.group]).decode()


def unpack(reply: str) -> MessageReference | None:
    """From our own `Address.reply`; None for another platform's."""
    try:
        match orjson.loads(reply):
            case [str(conversation), str(activity), bool(group)]:
                return MessageReference(conversation, activity, group)
    except orjson.JSONDecodeError:
        pass
    return None


class Seal:
    """Seals activity ids with a MAC. `secret` None: with a key of this process, so seals end with it."""

    def __init__(self, secret: str | None) -> None:
        self._key = blake2s(secret.encode(), person=b"ways").digest() if secret else secrets.token_bytes(32)

    def close(self, activity: str, *owner: str) -> str:
        """An activity's id as it travels through a client. `owner`: tenant, person, conversation."""
        return f"{activity}.{self._mark(activity, owner)}"

    def open(self, sealed: str, *owner: str) -> str | None:
        """The activity's id; None where it was not sealed for this owner."""
        activity, _, mark = sealed.rpartition(".")
        is_valid = mark.isascii() and hmac.compare_digest(mark, self._mark(activity, owner))
        return activity if is_valid and activity else None

    def _mark(self, activity: str, owner: tuple[str, ...]) -> str:
        content = orjson.dumps([activity, *owner])
        return blake2s(content, key=self._key, digest_size=_LENGTH // 2).hexdigest()
