"""Files on Slack: what is dropped into the chat is read with a token that Slack alone sees; what is sent comes once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.background_tasks import BackgroundTasks
from bot.slack.file_sender import FileSender
from handlers.framework.effects import file_effect
from handlers.framework.events import Address, ChatMessage, File
from handlers.framework.ports import FileGone, FileTooLarge, Unavailable
from playground.slack.methods_files import new_id
from playground.slack.world import User
from store.engine import keys
from store.engine.blobs import Blob, BlobGone, Blobs
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from store.server.connection import Store
from tests import instance_of
from tests.bot.slack.peer import TEAM, Rig, rig
from tests.handlers.world import World
from tests.servers import serving

CSV = "number,reason\r\n+442079460900,spam\r\n"
TO = Address("slack", TEAM, user="UADA")


async def dropped(pair: Rig, content: str | bytes = CSV, name: str = "numbers.csv", **more: Any) -> File:
    await pair.slack.say("ada", "", more.pop("text", ""), files={name: content}, **more)
    await pair.slack.settled()
    return instance_of(ChatMessage, pair.handler.last).files[0]


async def read(pair: Rig, file: File, workspace: str = TEAM, limit: int = 10_000_000) -> bytes:
    return b"".join([chunk async for chunk in pair.adapter.files.read(file, workspace, limit)])


@asynccontextmanager
async def foreign() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Another server: its address, and the headers of everything that comes to it."""
    came: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(dict(request.headers))
        return web.Response(text=CSV)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with serving(app) as url:
        yield url, came


# ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_comes_in_and_is_read(pair: Rig) -> None:
    content = random.Random(1).randbytes(700_001)
    file = await dropped(pair, content, "a list ä.csv", text="these please")
    assert (file.name, file.size, file.kind) == ("a list ä.csv", 700_001, "csv")
    chunks = [chunk async for chunk in pair.adapter.files.read(file, TEAM, 700_001)]
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 64 * 1024


async def test_a_file_named_by_its_id_alone_is_looked_up_before_the_handler_sees_it(pair: Rig) -> None:
    file = await dropped(pair, veiled=True)
    assert (file.name, file.size, file.mime) == ("numbers.csv", len(CSV), "text/csv")
    assert await read(pair, file) == CSV.encode()
    pair.slack.faults.add("files.info", "error", times=3)
    assert (await dropped(pair, veiled=True)).name == ""


async def test_the_same_event_comes_to_the_handler_once(pair: Rig) -> None:
    await dropped(pair)
    await pair.slack.repeat_event(pair.slack.messages("ada")[0], 4)
    assert len(pair.handler.got) == 1


async def test_too_large_by_what_slack_says_and_by_what_comes(pair: Rig) -> None:
    file = await dropped(pair)
    with pytest.raises(FileTooLarge):
        await read(pair, file, limit=len(CSV) - 1)
    assert not pair.slack.journal.of("files.content")
    assert await read(pair, file, limit=len(CSV)) == CSV.encode()


async def test_gone_foreign_and_forged(pair: Rig) -> None:
    file = await dropped(pair)
    world = pair.slack.world
    world.add_workspace("T0OTHER", "Globex", scopes=world.workspaces[TEAM].scopes)
    eve = world.add_user(User("UEVE", "T0OTHER", "eve", "Eve"))
    await pair.slack.say("eve", "", "", files={"theirs.csv": "secret"})
    (theirs,) = pair.slack.messages("eve")[0].files
    for ref in (theirs, "F0", "", "../x", "https://evil.example/x", new_id()):
        with pytest.raises(FileGone):
            await read(pair, File("F", "x.csv", 1, "", ref))
    del world.contents[file.ref]
    with pytest.raises(FileGone):
        await read(pair, file)
    with pytest.raises(Unavailable, match="not_installed"):
        await read(pair, file, workspace="T0NOBODY")
    assert eve.team != TEAM


async def test_a_page_instead_of_the_file_is_refused(pair: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await dropped(pair)
    wrong = pair.slack.world.workspaces[TEAM].scopes
    wrong.remove("files:read")
    with pytest.raises(Unavailable, match="missing_scope"):
        await read(pair, file)
    wrong.append("files:read")

    async def other_token(workspace: str) -> str:
        return "xoxb-old"

    monkeypatch.setattr(pair.adapter.display, "token", other_token)
    with pytest.raises(Unavailable, match="page"):
        await read(pair, file)
    html = await dropped(pair, "<p>mine</p>", "page.html")
    monkeypatch.undo()
    assert await read(pair, html) == b"<p>mine</p>"


async def test_the_token_goes_to_slack_alone(pair: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await dropped(pair)
    async with foreign() as (url, came):
        shown = pair.slack.world.files[file.ref]
        forged = {"id": shown.id, "name": shown.name, "mimetype": "text/csv", "url_private_download": f"{url}/file"}
        monkeypatch.setattr("playground.slack.methods_files.file_json", lambda _world, _file: forged)
        with pytest.raises(FileGone):
            await read(pair, file)
        monkeypatch.undo()

        async def led_away(*_: object) -> web.Response:
            raise web.HTTPFound(f"{url}/file")

        monkeypatch.setattr("playground.slack.methods_files.content", led_away)
        with pytest.raises(Unavailable, match="away"):
            await read(pair, file)
        assert came == []


@pytest.mark.parametrize(("kind", "why"), [("error", "http_500"), ("lost", "ClientPayloadError")])
async def test_what_breaks_on_the_way_is_unavailable(pair: Rig, kind: Any, why: str) -> None:
    file = await dropped(pair, b"x" * 200_000)
    pair.slack.faults.add("files.content", kind)
    with pytest.raises(Unavailable, match=why):
        await read(pair, file)
    assert await read(pair, file) == b"x" * 200_000


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sending(content: str | Blob = CSV, to: Address = TO, name: str = "numbers.csv") -> Effect:
    return file_effect("salt", to, name, "Blocked numbers", "Your list & <all> of it.", content)


def shown(pair: Rig) -> list[tuple[str, bytes]]:
    """Every file that the bot has put before Ada."""
    world = pair.slack.world
    files = [world.files[id] for m in pair.slack.messages("ada") if m.bot_id for id in m.files]
    return [(file.name, world.contents[file.id]) for file in files]


async def test_a_short_file_arrives_with_its_comment(pair: Rig) -> None:
    assert await pair.send(sending()) == Sent()
    assert shown(pair) == [("numbers.csv", CSV.encode())]
    message = pair.slack.last("ada")
    assert message.text == "Your list &amp; &lt;all&gt; of it."
    assert pair.slack.world.files[message.files[0]].title == "Blocked numbers"


async def test_a_long_one_comes_from_its_blob_which_is_deleted(pair: Rig, store: Store) -> None:
    world = World(store)
    await world.apply()
    snapshot = await world.snapshot()
    content = random.Random(2).randbytes(3_000_000)
    blob = await Blobs(store).put(snapshot, "export", content, limit=len(content))
    assert await pair.send(sending(blob)) == Sent()
    assert shown(pair) == [("numbers.csv", content)]
    with pytest.raises(BlobGone):
        await Blobs(store).find(blob.ref)
    assert await pair.send(sending(blob, name="other.csv")) == Drop("its content is gone")


async def test_an_answer_that_was_lost_is_looked_for_and_nothing_is_shown_twice(pair: Rig) -> None:
    pair.slack.faults.add("files.completeUploadExternal", "lost")
    with pytest.raises(InDoubt):
        await pair.send(sending())
    assert await pair.send(sending(), in_doubt=True) == Sent()
    assert shown(pair) == [("numbers.csv", CSV.encode())]


@pytest.mark.parametrize("method", ["conversations.open", "files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", ["error", "ratelimited"])
async def test_what_slack_cannot_do_now_is_done_later(pair: Rig, method: str, kind: Any) -> None:
    pair.slack.faults.add(method, kind, retry_after=7)
    assert instance_of(Retry, await pair.send(sending())).after == (7.0 if kind == "ratelimited" else None)
    assert await pair.send(sending()) == Sent()
    assert len(shown(pair)) == 1
    uploads = [call for call in pair.slack.journal.of("files.upload") if not call.error]
    assert len(uploads) == 1, "what was uploaded is not uploaded again"


async def test_an_upload_that_slack_has_forgotten_is_made_anew(pair: Rig, store: Store) -> None:
    effect = sending()
    await store.call("SET", keys.dir_upload(effect.id), "FGONE")
    assert await pair.send(effect) == Retry(None, "file_not_found")
    assert await pair.send(effect) == Sent()
    assert len(shown(pair)) == 1


async def test_an_upload_that_breaks_is_begun_anew(pair: Rig) -> None:
    pair.slack.faults.add("files.upload", "error")
    assert isinstance(await pair.send(sending()), Retry)
    assert await pair.send(sending()) == Sent()
    assert len(shown(pair)) == 1


async def test_a_long_upload_goes_on_beside_the_tries(pair: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.file_sender.HOLD", 0.05)
    pair.slack.faults.add("files.upload", "hang", seconds=0.4)
    outcomes = []
    for _ in range(20):
        outcomes.append(await pair.send(sending()))
        if outcomes[-1] == Sent():
            break
    assert outcomes[0] == Retry(2.0, "still uploading")
    assert outcomes[-1] == Sent()
    assert len(pair.slack.journal.of("files.getUploadURLExternal")) == 1
    assert len(shown(pair)) == 1


STEPS = ["conversations.open", "files.getUploadURLExternal", "files.upload", "files.completeUploadExternal"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_dies_at_any_step_leaves_one_file(pair: Rig, store: Store, step: str) -> None:
    """The request was under way, and is done by Slack after its sender has died; another process takes over."""
    pair.slack.faults.add(step, "hang", seconds=0.2)
    dying = FileSender(pair.adapter.client, pair.adapter.display, store, work := BackgroundTasks())
    sent = asyncio.create_task(dying(sending(), False))
    await asyncio.sleep(0.1)
    sent.cancel()
    await work.drain(0.0)
    await asyncio.sleep(0.3)
    assert await pair.send(sending(), in_doubt=True) == Sent()
    assert shown(pair) == [("numbers.csv", CSV.encode())]


async def test_refusals_are_final(pair: Rig) -> None:
    assert await pair.send(sending(to=Address("slack", TEAM, user="UNOBODY"))) == Drop("user_not_found")
    pair.slack.world.workspaces[TEAM].scopes.remove("files:write")
    assert await pair.send(sending()) == Drop("missing_scope")
    assert await pair.send(Effect("c", "slack.file", {"to": {}}, "id")) == Drop("not a file")
    assert shown(pair) == []


async def test_an_upload_goes_nowhere_but_to_slack(pair: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with foreign() as (url, came):
        monkeypatch.setattr(pair.adapter.client, "_files", "https://files.slack.com/")
        assert await pair.send(sending()) == Drop("a foreign upload address")
        assert (url != "", came) == (True, [])


async def test_over_socket_mode_too(store: Store) -> None:
    async with rig(store, app_token="xapp-test") as pair:
        pair.slack.world.app_token = "xapp-test"
        assert await pair.send(sending()) == Sent()
