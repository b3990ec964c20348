"""Files on their way: content that is too large for an effect, in compressed chunks, until it was sent or is too old.

A blob lies in one hash of its account's cell. Its size is written last: what was not put wholly can't be read, and
goes away by itself.
"""

import zlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from store.engine.accounts import AccountSnapshot
from store.engine.keys import AccountKeys
from store.server.connection import Store, StoreUnavailable
from store.server.scripts import script

_PUT = script("engine/blob_put")

CHUNK: Final = 64 * 1024  # bytes before compression, of all chunks but the last
LIFE: Final = timedelta(hours=24)
_LEVEL: Final = 1  # lists of numbers shrink to half at any level


class BlobGone(Exception):
    """It was deleted, is too old, or was never put wholly."""


class BlobTooLarge(Exception):
    """More bytes came than it may have."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that was put. `ref` leads to it from anywhere in the process: ours alone, never to be taken from input.
    `size` in bytes, `chunks` of `CHUNK` bytes each."""

    ref: str
    size: int
    chunks: int


class Blobs:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(
        self,
        snapshot: AccountSnapshot,
        name: str,
        content: bytes | AsyncIterable[bytes],
        *,
        limit: int,
        life: timedelta = LIFE,
    ) -> Blob:
        """Keeps `content`, of any chunk sizes, for `life` from its last chunk on.

        Args:
            name: its own for this content (a change's id, say): putting the same once more leaves the same.
            limit: bytes.

        Raises:
            BlobTooLarge: `content` has more than `limit` bytes; nothing is left of it.
            StoreUnavailable: what is left of it goes away by itself.
        """
        key, seconds = snapshot.keys.blob(name), int(life.total_seconds())
        size = count = 0
        try:
            async for chunk in _cut(content, limit):
                size += len(chunk)
                await self._store.run(_PUT, [key], [seconds, count, zlib.compress(chunk, _LEVEL)])
                count += 1
        except StoreUnavailable:
            raise
        except BaseException:
            await self._store.call("UNLINK", key)
            raise
        await self._store.run(_PUT, [key], [seconds, "size", size, "chunks", count])
        return Blob(f"{snapshot.tag}|{snapshot.account.id}|{name}", size, count)

    async def find(self, ref: str) -> Blob:
        """What is known of a blob. Raises `BlobGone`."""
        size, count = await self._store.call("HMGET", _key(ref), "size", "chunks")
        if size is None or count is None:
            raise BlobGone
        return Blob(ref, int(size), int(count))

    async def read(self, ref: str, start: int = 0) -> AsyncIterator[bytes]:
        """The content from chunk `start` on, a chunk a round trip. Raises `BlobGone`, in the middle too."""
        blob, key = await self.find(ref), _key(ref)
        for number in range(start, blob.chunks):
            chunk = await self._store.call("HGET", key, number)
            if chunk is None:
                raise BlobGone
            yield zlib.decompress(chunk)

    async def delete(self, ref: str) -> None:
        """Takes it away; doing so again does no harm."""
        await self._store.call("UNLINK", _key(ref))


def _key(ref: str) -> str:
    tag, account, name = ref.split("|", 2)
    return AccountKeys(tag, account).blob(name)


async def _cut(content: bytes | AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    """The same bytes in chunks of `CHUNK`, the last one shorter. Raises `BlobTooLarge` past `limit` bytes."""
    kept, size = bytearray(), 0
    async for part in _parts(content):
        size += len(part)
        if size > limit:
            raise BlobTooLarge
        kept += part
        while len(kept) >= CHUNK:
            yield bytes(kept[:CHUNK])
            del kept[:CHUNK]
    if kept:
        yield bytes(kept)


async def _parts(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    async for part in content:
        yield part
