"""Blobs: whole or not there, in bounded chunks, gone when their time is over."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from store.engine.accounts import AccountSnapshot
from store.engine.blobs import CHUNK, BlobGone, Blobs, BlobTooLarge
from store.server.connection import Store


async def whole(blobs: Blobs, ref: str, start: int = 0) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(ref, start)])


async def pieces(content: bytes, most: int) -> AsyncIterator[bytes]:
    at = 0
    while at < len(content):
        size = random.Random(at).randint(1, most)
        yield content[at : at + size]
        at += size


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
async def test_what_is_put_is_read(store: Store, snapshot: AccountSnapshot, size: int) -> None:
    blobs, content = Blobs(store), random.Random(size).randbytes(size)
    for source in (content, pieces(content, CHUNK // 3), pieces(content, 3 * CHUNK)):
        blob = await blobs.put(snapshot, "one", source, limit=size)
        assert (blob.size, blob.chunks) == (size, -(-size // CHUNK))
        assert await blobs.find(blob.ref) == blob
        assert await whole(blobs, blob.ref) == content
        assert await whole(blobs, blob.ref, 1) == content[CHUNK:]


async def test_chunks_are_small_and_compressed(store: Store, snapshot: AccountSnapshot) -> None:
    content = b"".join(b"+44%010d\r\n" % n for n in range(20_000))
    blob = await Blobs(store).put(snapshot, "list", content, limit=len(content))
    key = snapshot.keys.blob("list")
    sizes = [int(await store.call("HSTRLEN", key, n)) for n in range(blob.chunks)]
    assert max(sizes) <= CHUNK
    assert sum(sizes) < len(content) * 0.5


async def test_too_much_leaves_nothing(store: Store, snapshot: AccountSnapshot) -> None:
    blobs, read = Blobs(store), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += CHUNK
            yield bytes(CHUNK)

    with pytest.raises(BlobTooLarge):
        await blobs.put(snapshot, "big", endless(), limit=10 * CHUNK)
    assert read == 11 * CHUNK
    assert await store.call("EXISTS", snapshot.keys.blob("big")) == 0


async def test_half_a_blob_is_none(store: Store, snapshot: AccountSnapshot) -> None:
    blobs, blocked = Blobs(store), asyncio.Event()

    async def stops() -> AsyncIterator[bytes]:
        yield bytes(CHUNK)
        blocked.set()
        await asyncio.sleep(60)

    putting = asyncio.create_task(blobs.put(snapshot, "half", stops(), limit=CHUNK))
    await blocked.wait()
    key = snapshot.keys.blob("half")
    assert 0 < await store.call("TTL", key) <= 24 * 3600
    with pytest.raises(BlobGone):
        await blobs.find(f"{snapshot.tag}|acme|half")
    putting.cancel()
    await asyncio.wait([putting])
    assert await store.call("EXISTS", key) == 0


async def test_its_time_ends_and_deleting_is_repeatable(store: Store, snapshot: AccountSnapshot) -> None:
    blobs = Blobs(store)
    blob = await blobs.put(snapshot, "short", b"x", limit=1, life=timedelta(seconds=1))
    await asyncio.sleep(1.2)
    with pytest.raises(BlobGone):
        await whole(blobs, blob.ref)
    blob = await blobs.put(snapshot, "other", b"x" * 2 * CHUNK, limit=2 * CHUNK)
    reading = blobs.read(blob.ref)
    await anext(reading)
    for _ in range(2):
        await blobs.delete(blob.ref)
    with pytest.raises(BlobGone):
        await anext(reading)
