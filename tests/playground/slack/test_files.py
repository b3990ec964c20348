"""Files of the pretend Slack: as strict as Slack about who may, how many bytes, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.slack.pretend import PretendSlack
from playground.slack.world import User, World
from tests.playground.bot import Bot, Json


@pytest.fixture
def allowed(world: World) -> list[str]:
    """The workspace's scopes, with those for files."""
    scopes = world.workspaces["T0WORLD"].scopes
    scopes += ["files:read", "files:write"]
    return scopes


async def announced(bot: Bot, **more: str) -> Json:
    given = {"filename": "a.csv", "length": "3", **more}
    assert bot.client is not None
    headers = {"Authorization": f"Bearer {bot.token}"}
    async with bot.client.post(f"{bot.api}files.getUploadURLExternal", data=given, headers=headers) as response:
        found: Json = await response.json()
        return found


async def put(bot: Bot, url: str, content: bytes) -> int:
    assert bot.client is not None
    async with bot.client.post(url, data=content) as response:
        return response.status


async def test_scopes(slack: PretendSlack, bot: Bot) -> None:
    assert (await announced(bot))["error"] == "missing_scope"
    refused = await bot.call("files.completeUploadExternal", files=[{"id": "F1"}], channel_id="DADA")
    assert (refused["error"], refused["needed"]) == ("missing_scope", "files:write")


@pytest.mark.parametrize("wrong", [{"length": "0"}, {"length": "-1"}, {"length": "x"}, {"filename": ""}])
async def test_announcing(slack: PretendSlack, bot: Bot, allowed: list[str], wrong: dict[str, str]) -> None:
    assert (await announced(bot, **wrong))["error"] == "invalid_arguments"


async def test_an_upload_takes_what_was_announced_once_and_in_time(
    slack: PretendSlack, bot: Bot, allowed: list[str]
) -> None:
    made = await announced(bot)
    assert await put(bot, made["upload_url"], b"four") == 400
    assert await put(bot, made["upload_url"], b"no") == 400
    early = await bot.call("files.completeUploadExternal", files=[{"id": made["file_id"]}], channel_id="DADA")
    assert early["error"] == "file_not_found"
    assert await put(bot, made["upload_url"], b"abc") == 200
    assert await put(bot, made["upload_url"], b"abc") == 404
    assert await put(bot, f"{made['upload_url']}x", b"abc") == 404
    late = await announced(bot)
    slack.now.at += 601  # type: ignore[attr-defined] # the tests' own clock
    assert await put(bot, late["upload_url"], b"abc") == 404


async def test_completing_needs_a_conversation_and_happens_once(
    slack: PretendSlack, bot: Bot, allowed: list[str]
) -> None:
    made = await announced(bot)
    await put(bot, made["upload_url"], b"abc")
    slack.world.im(slack.world.user("ada"))
    files = [{"id": made["file_id"], "title": "A list"}]
    wrong = {"UADA": "invalid_channel", "": "invalid_channel", "CNONE": "channel_not_found", "CQUIET": "not_in_channel"}
    for where, error in wrong.items():
        answer = await bot.call("files.completeUploadExternal", files=files, channel_id=where)
        assert answer["error"] == error
    for none in ([], "F1", [{"title": "x"}]):
        answer = await bot.call("files.completeUploadExternal", files=none, channel_id="DADA")
        assert answer["error"] == "invalid_arguments"
    done = await bot.call("files.completeUploadExternal", files=files, channel_id="DADA", initial_comment="Here")
    assert done["files"] == [{"id": made["file_id"], "title": "A list"}]
    again = await bot.call("files.completeUploadExternal", files=files, channel_id="DADA")
    assert again["error"] == "file_not_found"
    assert slack.downloads("ada") == {"a.csv": b"abc"}
    assert slack.last("ada").text == "Here"


async def test_contents_are_for_the_workspaces_own_token(
    slack: PretendSlack, bot: Bot, allowed: list[str], world: World
) -> None:
    await slack.say("ada", "", "", files={"a.csv": "abc"})
    (id_,) = slack.last("ada").files
    assert bot.client is not None
    headers = {"Authorization": f"Bearer {bot.token}"}
    async with bot.client.post(f"{bot.api}files.info", data={"file": id_}, headers=headers) as response:
        file = (await response.json())["file"]
    assert (file["mimetype"], file["size"], file["ims"]) == ("text/csv", 3, ["DADA"])
    async with bot.client.get(file["url_private_download"], headers=headers) as content:
        assert await content.read() == b"abc"
    other = world.add_workspace("T0OTHER", "Globex", scopes=allowed)
    world.add_user(User("UEVE", "T0OTHER", "eve", "Eve"))
    for token in ("", "xoxb-wrong", other.token):
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        async with bot.client.get(file["url_private_download"], headers=shown) as page:
            assert (page.content_type, page.status) == ("text/html", 200), "a page to sign in at, as Slack's"
    answer = await bot.call("files.info", token=other.token)
    assert answer["error"] in {"invalid_arguments", "file_not_found"}


async def test_a_saved_world_forgets_contents(slack: PretendSlack, tmp_path: Path) -> None:
    await slack.say("ada", "", "", files={"a.csv": "abc"})
    slack.world.save(tmp_path / "world.json")
    loaded = World.load(tmp_path / "world.json")
    (file,) = loaded.files.values()
    assert (file.name, loaded.contents) == ("a.csv", {})
