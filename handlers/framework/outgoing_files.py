"""The body of an effect that is a file (`handlers.context.send_file`), as a platform's sender reads it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from handlers.framework.vocabulary import Address, unpack_address
from store.engine.blobs import BlobGone, Blobs
from store.engine.effects import Effect


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file on its way. `size` in bytes; the content is `text`, or else in the blob `blob`."""

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
