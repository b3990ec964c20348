"""The page's own endpoints: one person's screen as a stream, what they do as posts, and nobody else's business."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import orjson
import pytest

from playground.slack.pretend import PretendSlack
from tests import instance_of
from tests.playground.bot import Bot

Json = dict[str, Any]


class Screen:
    """A browser's side of the page, without the browser."""

    def __init__(self, client: aiohttp.ClientSession, slack: PretendSlack, user: str) -> None:
        self.client, self.base, self.user = client, slack.base_url, user

    async def look(self) -> Json:
        """The state that the stream opens with."""
        async with self.client.get(f"{self.base}/play/events", params={"user": self.user}) as stream:
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            async for line in stream.content:
                if line.startswith(b"data: "):
                    return instance_of(dict, orjson.loads(line[6:]))
        raise AssertionError("the stream ended")

    async def do(self, action: str, **body: Any) -> Json:
        async with self.client.post(f"{self.base}/play/{action}", json={"user": self.user, **body}) as response:
            assert response.status == 200, await response.text()
            return instance_of(dict, await response.json())


@pytest.fixture
def ada(slack: PretendSlack, bot: Bot) -> Screen:
    assert bot.client is not None
    return Screen(bot.client, slack, "UADA")


@pytest.fixture
def max_(slack: PretendSlack, bot: Bot) -> Screen:
    assert bot.client is not None
    return Screen(bot.client, slack, "UMAX")


def messages(state: Json, channel: str) -> list[Json]:
    found: list[Json] = next(c for c in state["channels"] if c["id"] == channel)["messages"]
    return found


async def test_an_answer_is_on_the_screen_of_who_asked_alone(ada: Screen, max_: Screen) -> None:
    assert (await ada.do("send", channel="CGENERAL", text="/numbers list"))["ok"]
    assert [m["text"] for m in messages(await ada.look(), "CGENERAL")] == ["Two numbers"]
    assert messages(await max_.look(), "CGENERAL") == []
    assert "CQUIET" not in {c["id"] for c in (await max_.look())["channels"]}
    shown = messages(await ada.look(), "CGENERAL")[0]
    assert (await max_.do("hide", channel="CGENERAL", ts=shown["ts"]))["ok"]
    assert messages(await ada.look(), "CGENERAL") == [shown]
    await ada.do("hide", channel="CGENERAL", ts=shown["ts"])
    assert messages(await ada.look(), "CGENERAL") == []


async def test_a_menu_a_dialog_its_errors_and_its_end(ada: Screen, bot: Bot) -> None:
    await ada.do("send", channel="CGENERAL", text="/numbers list")
    row = messages(await ada.look(), "CGENERAL")[0]
    where = {"channel": "CGENERAL", "ts": row["ts"], "block_id": row["blocks"][1]["block_id"], "action_id": "more"}
    assert (await ada.do("press", **where, option="delete:2"))["ok"]
    assert bot.got[-1]["actions"][0]["selected_option"]["value"] == "delete:2"
    gone = await ada.do("press", **where, option="delete:9")
    assert (gone["error"], gone["notice"]) == ("stale", "That is not there any more.")
    await ada.do("send", channel="CGENERAL", text="/numbers forward")
    view = (await ada.look())["dialogs"][0]
    typed = [
        {"block_id": "to", "action_id": "to", "value": "wrong"},
        {"block_id": "why", "action_id": "why", "value": "b"},
    ]
    assert (await ada.do("submit", view=view["id"], values=typed))["errors"] == {"to": "That is no number."}
    typed[0]["value"] = "020 7946 0111"
    assert (await ada.do("submit", view=view["id"], values=typed))["ok"]
    assert (await ada.look())["dialogs"] == []
    assert (await ada.do("submit", view=view["id"], values=typed))["error"] == "stale"


async def test_failures_are_read_as_slack_words_them(ada: Screen, bot: Bot) -> None:
    bot.slow = 1.0
    late = await ada.do("send", channel="CGENERAL", text="/numbers list")
    assert late["notice"] == '/numbers failed with the error "operation_timeout"'
    unknown = await ada.do("send", channel="CGENERAL", text="/weather")
    assert unknown["notice"] == "/weather is not a valid command."
    assert (await ada.do("send", channel="CNOWHERE", text="hello"))["notice"] == "no channel is called 'CNOWHERE'"


async def test_home_messages_and_what_is_unread(ada: Screen, slack: PretendSlack, bot: Bot) -> None:
    await ada.do("open", tab="home")
    await slack.settled()
    assert (await ada.look())["home"]["body"]["blocks"][0]["text"]["text"] == "Your numbers"
    posted = await bot.call("chat.postMessage", channel="UADA", text="news")
    assert next(c for c in (await ada.look())["channels"] if c["im"])["unread"] == 1
    await ada.do("read", channel="DADA", ts=posted["ts"])
    assert next(c for c in (await ada.look())["channels"] if c["im"])["unread"] == 0
    await ada.do("send", channel="DADA", text="in a thread", thread_ts=posted["ts"])
    assert messages(await ada.look(), "DADA")[-1]["thread_ts"] == posted["ts"]


async def test_changes_are_streamed(ada: Screen, slack: PretendSlack) -> None:
    got: list[Json] = []
    async with ada.client.get(f"{slack.base_url}/play/events?user=UADA") as stream:

        async def read() -> None:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    got.append(orjson.loads(line[6:]))
                if got and got[-1]["phone"]:
                    return

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        slack.phone_ring("+44 20 7946 0111", "Your code is 123456", "call")
        slack.mail("robin@example.com", "More", "Please")
        await asyncio.wait_for(reading, 2)
    assert (got[-1]["phone"][0]["kind"], got[-1]["mail"][0]["to"]) == ("call", "robin@example.com")


async def test_closing_ends_open_pages(ada: Screen, slack: PretendSlack) -> None:
    async with ada.client.get(f"{slack.base_url}/play/events?user=UADA") as stream:
        await stream.content.readline()
        await slack.close()
        await asyncio.wait_for(stream.content.read(), 1)


async def test_only_this_machines_own_page_is_answered(ada: Screen, slack: PretendSlack) -> None:
    send: Json = {"user": "UADA", "channel": "CGENERAL", "text": "/numbers list"}
    url = f"{slack.base_url}/play/send"
    for headers in ({"Host": "rebound.example"}, {"Origin": "https://evil.example"}):
        async with ada.client.post(url, json=send, headers=headers) as response:
            assert response.status == 403
    async with ada.client.post(url, data="x") as response:
        assert response.status == 415
    for body in ({"user": "UNOBODY"}, {"user": "U0WORLDBOT"}):
        async with ada.client.post(url, json=body) as response:
            assert response.status == 404
    for wrong in (b"[]", b"{", b'{"user": "UADA"}'):
        headers = {"Content-Type": "application/json"}
        async with ada.client.post(f"{slack.base_url}/play/fly", data=wrong, headers=headers) as response:
            assert response.status == 400


async def test_the_files_are_served_and_nothing_else(ada: Screen, slack: PretendSlack) -> None:
    async with ada.client.get(slack.base_url) as response:
        page = await response.text()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "http://" not in page
    assert "https://" not in page
    for name in ("app.js", "blocks.js", "style.css", "icon.svg"):
        async with ada.client.get(f"{slack.base_url}/play/static/{name}") as response:
            assert response.status == 200
    for name in ("..%2fworld.py", "world.py", "none.js"):
        async with ada.client.get(f"{slack.base_url}/play/static/{name}") as response:
            assert response.status == 404
    async with ada.client.get(f"{slack.base_url}/play/people") as response:
        assert [p["name"] for p in await response.json()] == ["ada", "max"]


async def test_a_dropped_file_is_seen_and_can_be_saved_by_whoever_sees_it(
    ada: Screen, max_: Screen, slack: PretendSlack, bot: Bot
) -> None:
    assert messages(await ada.look(), "DADA") == []
    form = aiohttp.FormData({"user": "UADA", "channel": "DADA", "text": "these"}, quote_fields=False)
    form.add_field("file", io.BytesIO(b"x" * 3_000_000), filename="a list ä.csv")
    async with ada.client.post(f"{ada.base}/play/drop", data=form) as response:
        assert (await response.json())["ok"]
    (shown,) = messages(await ada.look(), "DADA")
    (file,) = shown["files"]
    assert (shown["text"], file["name"], file["size"]) == ("these", "a list ä.csv", 3_000_000)
    address = f"{ada.base}/play/file/{file['id']}"
    async with ada.client.get(address, params={"user": "UADA"}) as saved:
        assert await saved.read() == b"x" * 3_000_000
        assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20list%20%C3%A4.csv"
        assert saved.content_type == "application/octet-stream"
    async with ada.client.get(address, params={"user": "UMAX"}) as refused:
        assert refused.status == 404
    del slack.world.contents[file["id"]]
    async with ada.client.get(address, params={"user": "UADA"}) as gone:
        assert gone.status == 404
    await slack.settled()
    (told,) = [body["event"] for body in bot.got if body.get("event", {}).get("files")]
    assert (told["subtype"], told["files"][0]["mimetype"]) == ("file_share", "text/csv")


async def test_a_foreign_page_drops_nothing(ada: Screen, slack: PretendSlack) -> None:
    form = aiohttp.FormData({"user": "UADA", "channel": "DADA"})
    form.add_field("file", b"x", filename="a.csv")
    headers = {"Origin": "https://evil.example"}
    async with ada.client.post(f"{ada.base}/play/drop", data=form, headers=headers) as response:
        assert response.status == 403
    assert slack.world.files == {}
