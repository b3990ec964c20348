"""Blobs: file contents that are too large for an effect, in compressed chunks with a TTL, until they are sent.

A blob is a hash in its account's cell. Its size is written last, so a blob that was written in part can't be read, and
expires.
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
    """The blob was deleted, has expired, or was written only in part."""


class BlobTooLarge(Exception):
    """The content exceeds the limit."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob. `ref`: its reference, never to be taken from input; `size`: bytes; `chunks`: how many, of `CHUNK`
    bytes each."""

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
        """Store `content`, in chunks of any size, for `life` after its last chunk.

        Args:
            name: unique for this content, such as a change's id; storing it again changes nothing.
            limit: bytes.

        Raises:
            BlobTooLarge: `content` exceeds `limit`; nothing is stored.
            StoreUnavailable: what was stored expires.
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
        """The blob of a reference. Raises `BlobGone`."""
        size, count = await self._store.call("HMGET", _key(ref), "size", "chunks")
        if size is None or count is None:
            raise BlobGone
        return Blob(ref, int(size), int(count))

    async def read(self, ref: str, start: int = 0) -> AsyncIterator[bytes]:
        """The content from chunk `start` on, a round trip for each chunk. Raises `BlobGone`, also midway."""
        blob, key = await self.find(ref), _key(ref)
        for number in range(start, blob.chunks):
            chunk = await self._store.call("HGET", key, number)
            if chunk is None:
                raise BlobGone
            yield zlib.decompress(chunk)

    async def delete(self, ref: str) -> None:
        """Delete the blob. Idempotent."""
        await self._store.call("UNLINK", _key(ref))


def _key(ref: str) -> str:
    tag, account, name = ref.split("|", 2)
    return AccountKeys(tag, account).blob(name)


async def _cut(content: bytes | AsyncIterable[bytes], limit: int) -> AsyncIterator[bytes]:
    """The same bytes in chunks of `CHUNK`, the last one shorter. Raises `BlobTooLarge` past `limit` bytes."""
    buffer, size = bytearray(), 0
    async for part in _parts(content):
        size += len(part)
        if size > limit:
            raise BlobTooLarge
        buffer += part
        while len(buffer) >= CHUNK:
            yield bytes(buffer[:CHUNK])
            del buffer[:CHUNK]
    if buffer:
        yield bytes(buffer)


async def _parts(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    async for part in content:
        yield part
