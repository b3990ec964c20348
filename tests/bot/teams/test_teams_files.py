"""Files on Teams: read where Teams put them, offered and put into OneDrive once, and never with a token of ours."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.teams.file_sender import PIECE
from bot.teams.files import Files
from handlers.framework.effects import file_effect
from handlers.framework.events import Address, ChatMessage, File
from handlers.framework.ports import FileGone, FileTooLarge, Unavailable
from store.engine.blobs import Blob, BlobGone, Blobs
from store.engine.effects import Drop, Effect, Retry, Sent
from store.server.connection import Store
from tests import instance_of
from tests.bot.teams.rig import Rig, rig, to
from tests.bot.teams.world import TENANT
from tests.handlers.world import World
from tests.servers import serving

CSV = "number,reason\r\n+442079460900,spam\r\n"


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Rig]:
    async with rig(store, installed=("Ada", "Max")) as made:
        yield made
        assert made.peer.refused == []


async def dropped(pair: Rig, content: str | bytes = CSV, name: str = "numbers.csv", text: str = "") -> File:
    assert (await pair.peer.say("Ada", text, files={name: content})).status == 200
    await pair.quiet()
    return instance_of(ChatMessage, pair.handler.last).files[0]


async def read(pair: Rig, file: File, limit: int = 10_000_000) -> bytes:
    return b"".join([chunk async for chunk in pair.teams.files.read(file, TENANT, limit)])


# ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_comes_in_and_is_read(pair: Rig) -> None:
    content = random.Random(1).randbytes(500_001)
    file = await dropped(pair, content, "a list ä.csv", "these please")
    assert (file.name, file.size, file.kind) == ("a list ä.csv", None, "csv")
    assert await read(pair, file, limit=500_001) == content
    assert file.ref not in repr(file), "an address that opens a file is in no log"


async def test_only_a_file_and_no_words(pair: Rig) -> None:
    await dropped(pair)
    assert instance_of(ChatMessage, pair.handler.last).words == ()
    await dropped(pair, text="home")
    assert isinstance(pair.handler.last, ChatMessage), "a file is never a wish for the home card"


async def test_the_same_message_comes_to_the_handler_once(pair: Rig) -> None:
    answer = await pair.peer.say("Ada", "", files={"numbers.csv": CSV})
    await pair.complete(pair.peer.repeat(answer, 4))
    assert len(pair.handler.got) == 1


async def test_too_large_and_gone(pair: Rig) -> None:
    file = await dropped(pair)
    with pytest.raises(FileTooLarge):
        await read(pair, file, limit=len(CSV) - 1)
    for status in (401, 403, 404, 410):
        pair.peer.fail(status, path="/drive/")
        with pytest.raises(FileGone):
            await read(pair, file)
    pair.peer.fail(503, path="/drive/")
    with pytest.raises(Unavailable):
        await read(pair, file)


ADDRESSES = [
    ("https://contoso-my.sharepoint.com/x?tempauth=1", True),
    ("https://contoso.sharepoint.com:443/x", True),
    ("https://northeurope1-mediap.svc.ms/x", True),
    ("http://contoso.sharepoint.com/x", False),
    ("https://contoso.sharepoint.com:8443/x", False),
    ("https://sharepoint.com.evil.example/x", False),
    ("https://evilsharepoint.com/x", False),
    ("https://user@contoso.sharepoint.com/x", False),
    ("https://evil.example/.sharepoint.com", False),
    ("https://169.254.169.254/x", False),
    ("http://127.0.0.1:1/x", False),
    ("file:///etc/passwd", False),
    ("https://[::1", False),
    ("", False),
]


@pytest.mark.parametrize(("url", "good"), ADDRESSES)
async def test_files_are_fetched_from_teams_own_places(pair: Rig, url: str, good: bool) -> None:
    files = Files(pair.teams.client, local=False)
    assert files.trusted(url) is good
    if not good:
        with pytest.raises(FileGone):
            await anext(files.read(File("F", "x.csv", 1, "", url), TENANT, 10))


async def test_pages_and_ways_elsewhere_are_refused(pair: Rig) -> None:
    came = []

    async def serve(request: web.Request) -> web.Response:
        came.append(dict(request.headers))
        if request.path == "/away":
            raise web.HTTPFound("https://evil.example/x")
        return web.Response(text="<h1>Sign in</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    async with serving(app) as url:
        for path, why in (("/away", "away"), ("/page", "page")):
            with pytest.raises(Unavailable, match=why):
                await read(pair, File("F", "x.csv", 1, "", url + path))
    assert [name for headers in came for name in headers if name in {"Authorization", "Cookie"}] == []


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sending(content: str | Blob = CSV, where: Address | None = None, salt: str = "salt") -> Effect:
    return file_effect(salt, where or to(), "numbers.csv", "Blocked numbers", "Your list.", content)


async def blob_of(store: Store, content: bytes) -> Blob:
    world = World(store)
    await world.apply()
    return await Blobs(store).put(await world.snapshot(), "export", content, limit=len(content))


async def test_a_file_is_offered_taken_and_shown(pair: Rig) -> None:
    assert await pair.send(sending()) == Sent()
    (offer,) = pair.peer.offers("Ada")
    content = offer.activity["attachments"][0]["content"]
    assert (content["description"], content["sizeInBytes"]) == ("Blocked numbers Your list.", len(CSV))
    assert pair.peer.downloads("Ada") == {}
    assert (await pair.peer.decide("Ada", True)).status == 200
    await pair.quiet()
    assert pair.peer.downloads("Ada") == {"numbers.csv": CSV.encode()}
    assert pair.peer.offers("Ada") == [], "the file has taken its offer's place"


async def test_a_long_one_goes_in_pieces_from_its_blob_which_is_deleted(pair: Rig, store: Store) -> None:
    content = random.Random(2).randbytes(2 * PIECE + 12_345)
    blob = await blob_of(store, content)
    assert await pair.send(sending(blob)) == Sent()
    await pair.complete(pair.peer.decide("Ada", True))
    assert pair.peer.downloads("Ada") == {"numbers.csv": content}
    assert puts(pair) == 3
    with pytest.raises(BlobGone):
        await Blobs(store).find(blob.ref)
    assert await pair.send(sending(blob, salt="other")) == Drop("its content is gone")


def puts(pair: Rig) -> int:
    return len([call for call in pair.peer.calls if call.method == "PUT" and call.path.startswith("/drive/")])


async def test_an_answer_that_comes_again_and_again_acts_once(pair: Rig) -> None:
    await pair.send(sending())
    await pair.send(sending(), in_doubt=True)  # the outbox did not see how the first ended
    first, second = pair.peer.offers("Ada")
    answer = await pair.peer.decide("Ada", True, first)
    await asyncio.gather(pair.peer.repeat(answer, 2), pair.peer.decide("Ada", True, second))
    await pair.quiet()
    await pair.complete(pair.peer.decide("Ada", False, second))
    assert pair.peer.downloads("Ada") == {"numbers.csv": CSV.encode()}
    assert puts(pair) == 1


async def test_who_takes_it_and_declines_it_at_once_gets_one_of_both(pair: Rig) -> None:
    await pair.send(sending())
    await pair.send(sending(), in_doubt=True)
    first, second = pair.peer.offers("Ada")
    await asyncio.gather(pair.peer.decide("Ada", True, first), pair.peer.decide("Ada", False, second))
    await pair.quiet()
    declined = [message for message in pair.peer.said("Ada") if "declined" in message.words()]
    assert len(pair.peer.downloads("Ada")) == puts(pair) == 1 - bool(declined)


async def test_declined(pair: Rig, store: Store) -> None:
    blob = await blob_of(store, b"x" * 100)
    await pair.send(sending(blob))
    (offer,) = pair.peer.offers("Ada")
    answer = await pair.complete(pair.peer.decide("Ada", False))
    assert "It is declined." in pair.peer.words("Ada")
    with pytest.raises(BlobGone):
        await Blobs(store).find(blob.ref)
    await pair.complete(pair.peer.repeat(answer))
    assert len(pair.peer.said("Ada")) == 1
    assert offer.edits == 2


async def test_an_offer_that_was_never_made(pair: Rig) -> None:
    await pair.send(sending())
    await pair.complete(pair.peer.decide("Ada", True, context={"offer": "f" * 24}))
    assert "It is gone." in pair.peer.words("Ada")
    assert pair.peer.downloads("Ada") == {}


async def test_somebody_elses_offer(pair: Rig) -> None:
    await pair.send(sending())
    await pair.send(sending(where=to("29:max"), salt="theirs"))
    theirs = pair.peer.offers("Max")[0].activity["attachments"][0]["content"]["acceptContext"]
    await pair.complete(pair.peer.decide("Ada", True, context=theirs))
    assert (pair.peer.downloads("Ada"), pair.peer.downloads("Max")) == ({}, {})
    await pair.complete(pair.peer.decide("Max", True))
    assert list(pair.peer.downloads("Max")) == ["numbers.csv"]


@pytest.mark.parametrize(
    "value",
    [
        {"type": "other"},
        {"context": None},
        {"action": "maybe"},
        {"context": {"offer": 5}},
        {"context": {"offer": "a:busy"}},
    ],
)
async def test_answers_to_nothing(pair: Rig, value: Any) -> None:
    await pair.send(sending())
    assert (await pair.peer.decide("Ada", True, **value)).status == 200
    await pair.quiet()
    assert len(pair.peer.offers("Ada")) == 1


@pytest.mark.parametrize("info", [None, {}, {"uploadUrl": 5}, {"uploadUrl": "https://a b/"}])
async def test_an_answer_without_a_place_is_malformed(pair: Rig, info: Any) -> None:
    await pair.send(sending())
    assert (await pair.peer.decide("Ada", True, uploadInfo=info)).status == 400


async def test_nothing_is_put_to_a_foreign_place(pair: Rig) -> None:
    await pair.send(sending())
    place = {"uploadUrl": "https://evil.example/x", "contentUrl": "https://a.sharepoint.com/x", "uniqueId": "1"}
    await pair.complete(pair.peer.decide("Ada", True, uploadInfo=place))
    assert "It failed." in "".join(m.words() for m in pair.peer.said("Ada"))
    assert len(pair.peer.offers("Ada")) == 1, "it is offered again"
    await pair.complete(pair.peer.decide("Ada", True))
    assert list(pair.peer.downloads("Ada")) == ["numbers.csv"]


async def test_onedrive_that_fails_for_a_moment_and_for_good(pair: Rig) -> None:
    await pair.send(sending())
    pair.peer.fail(503, path="/drive/upload")
    await pair.complete(pair.peer.decide("Ada", True))
    assert list(pair.peer.downloads("Ada")) == ["numbers.csv"]
    await pair.send(sending(salt="second"))
    pair.peer.fail(507, 3, path="/drive/upload")
    await pair.complete(pair.peer.decide("Ada", True))
    assert len(pair.peer.offers("Ada")) == 1


async def test_what_cannot_be_sent(pair: Rig) -> None:
    pair.peer.fail(500, path="/activities")
    assert isinstance(await pair.send(sending()), Retry)
    channel = Address("teams", TENANT, channel="19:general@thread.tacv2")
    assert await pair.send(sending(where=channel)) == Drop("no person to offer it to")
    assert await pair.send(Effect("c", "teams.file", {"to": 5}, "id")) == Drop("not a file")


async def test_with_tokens_onedrive_gets_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(store, signed=True) as pair:
        monkeypatch.setattr(Files, "trusted", lambda _self, _url: True)
        assert await read(pair, await dropped(pair)) == CSV.encode()
        assert await pair.send(sending()) == Sent()
        await pair.complete(pair.peer.decide("Ada", True))
        assert pair.peer.downloads("Ada") == {"numbers.csv": CSV.encode()}
        assert pair.peer.refused == []
