"""The Web API: answers and refusals as Slack's."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel
from tests.playground.bot import LIST, Bot, dialog, plain
from tests.playground.conftest import SCOPES, Clock

Json = dict[str, Any]
HOME: Json = {"type": "home", "blocks": LIST}
CASES: list[tuple[str, Json, str]] = [
    ("chat.postMessage", {"channel": "CNOWHERE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "CQUIET", "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "COLD", "text": "x"}, "is_archived"),
    ("chat.postMessage", {"channel": "CGENERAL"}, "no_text"),
    ("chat.postMessage", {"channel": "CGENERAL", "text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": "CGENERAL", "text": "x", "thread_ts": "1.0"}, "thread_not_found"),
    ("chat.postMessage", {"channel": "CGENERAL", "text": "x", "metadata": {}}, "invalid_metadata_format"),
    ("chat.postMessage", {"channel": "CGENERAL", "blocks": "[}"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": "UGONE", "text": "x"}, "user_disabled"),
    ("chat.postEphemeral", {"channel": "CGENERAL", "user": "UNOBODY", "text": "x"}, "user_not_found"),
    ("chat.postEphemeral", {"channel": "CGENERAL", "user": "UGONE", "text": "x"}, "user_not_in_channel"),
    ("chat.update", {"channel": "CGENERAL", "ts": "1.0", "text": "x"}, "message_not_found"),
    ("chat.update", {"channel": "UADA", "ts": "1.0", "text": "x"}, "channel_not_found"),
    ("chat.delete", {"channel": "CGENERAL"}, "invalid_arguments"),
    ("conversations.open", {"users": "UGONE"}, "user_disabled"),
    ("conversations.open", {}, "users_list_not_supplied"),
    ("conversations.info", {"channel": "CNOWHERE"}, "channel_not_found"),
    ("conversations.history", {"channel": "CGENERAL", "limit": "0"}, "invalid_limit"),
    ("users.info", {"user": "UNOBODY"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "gone@example.com"}, "users_not_found"),
    ("views.open", {"trigger_id": "1.2.3", "view": dialog(LIST[0])}, "invalid_trigger_id"),
    ("views.open", {"trigger_id": "1.2.3"}, "invalid_arguments"),
    ("views.update", {"view_id": "VNONE", "view": dialog(LIST[0])}, "not_found"),
    ("views.publish", {"user_id": "UNOBODY", "view": HOME}, "user_not_found"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
    ("chat.shout", {}, "unknown_method"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "args", "error"), CASES, ids=[f"{m} {e}" for m, _, e in CASES])
async def test_refusals(slack: PretendSlack, bot: Bot, method: str, args: Json, error: str) -> None:
    slack.world.add_channel(Channel("COLD", "T0WORLD", "old", ["UADA"], is_archived=True))
    answer = await bot.call(method, **args)
    assert (answer["ok"], answer["error"]) == (False, error)


async def test_tokens_and_scopes(slack: PretendSlack, bot: Bot) -> None:
    assert (await bot.call("auth.test", token="xoxb-wrong"))["error"] == "invalid_auth"
    assert (await bot.call("auth.test", token=""))["error"] == "not_authed"
    who = await bot.call("auth.test")
    assert (who["team_id"], who["user_id"], who["bot_id"]) == ("T0WORLD", "U0WORLDBOT", "B0WORLDBOT")
    slack.world.workspaces["T0WORLD"].scopes = ["commands", "users:read"]
    refused = await bot.call("chat.postMessage", channel="CGENERAL", text="x")
    assert (refused["error"], refused["needed"], refused["provided"]) == (
        "missing_scope",
        "chat:write",
        "commands,users:read",
    )
    assert "email" not in (await bot.call("users.info", user="UADA"))["user"]["profile"]


async def test_another_workspace_is_another_world(slack: PretendSlack, bot: Bot) -> None:
    other = slack.world.add_workspace("T0OTHER", "Other", scopes=SCOPES)
    for method, args in (
        ("users.info", {"user": "UADA"}),
        ("chat.postMessage", {"channel": "CGENERAL", "text": "x"}),
        ("conversations.history", {"channel": "CGENERAL"}),
    ):
        assert not (await bot.call(method, token=other.token, **args))["ok"]
    trigger = slack.trigger(slack.world.user("ada"))
    opened = await bot.call("views.open", token=other.token, trigger_id=trigger, view=dialog(LIST[0]))
    assert opened["error"] == "invalid_trigger_id"


async def test_bodies(slack: PretendSlack, bot: Bot) -> None:
    assert bot.client is not None
    headers = {"Authorization": f"Bearer {bot.token}"}

    async def post(method: str, **how: Any) -> Json:
        assert bot.client is not None
        async with bot.client.post(bot.api + method, **how) as response:
            found: Json = await response.json()
            return found

    form = {"token": bot.token, "channel": "CGENERAL", "text": "form", "blocks": '[{"type":"divider"}]'}
    assert (await post("chat.postMessage", data=form))["ok"]
    assert (await post("chat.postMessage", json=form))["error"] == "not_authed"
    assert (await post("chat.postMessage", data=b"{", headers={**headers, "Content-Type": "application/json"}))[
        "error"
    ] == "invalid_json"
    assert (await post("chat.postMessage", data=b"x", headers={**headers, "Content-Type": "text/plain"}))[
        "error"
    ] == "invalid_post_type"
    assert (await post("users.info", json={"user": "UADA"}, headers=headers))["error"] == "user_not_found"
    async with bot.client.get(bot.api + "users.info?user=UADA", headers=headers) as response:
        assert (await response.json())["user"]["profile"]["email"] == "ada@example.com"


async def test_a_message_keeps_metadata_and_is_read_back(slack: PretendSlack, bot: Bot) -> None:
    metadata = {"event_type": "ticket", "event_payload": {"id": "SB-1"}}
    posted = await bot.call("chat.postMessage", channel="CGENERAL", text="one", blocks=LIST, metadata=metadata)
    await bot.call("chat.postEphemeral", channel="CGENERAL", user="UADA", text="psst")
    reply = await bot.call("chat.postMessage", channel="CGENERAL", text="two", thread_ts=posted["ts"])
    assert reply["message"]["thread_ts"] == posted["ts"]
    history = await bot.call("conversations.history", channel="CGENERAL", include_all_metadata="1")
    assert [(m["text"], m.get("metadata")) for m in history["messages"]] == [("one", metadata)]
    replies = await bot.call("conversations.replies", channel="CGENERAL", ts=posted["ts"])
    assert [m["text"] for m in replies["messages"]] == ["one", "two"]
    found = await bot.call("chat.getPermalink", channel="CGENERAL", message_ts=posted["ts"])
    assert found["permalink"].endswith(f"/archives/CGENERAL/p{posted['ts'].replace('.', '')}")


async def test_updating(slack: PretendSlack, bot: Bot) -> None:
    posted = await bot.call("chat.postMessage", channel="UADA", text="one", blocks=LIST)
    assert posted["channel"] == "DADA"
    where = {"channel": "DADA", "ts": posted["ts"]}
    assert (await bot.call("chat.update", **where))["error"] == "no_text"
    assert (await bot.call("chat.update", **where, text="x" * 4_001))["error"] == "msg_too_long"
    assert "blocks" not in (await bot.call("chat.update", **where, text="two"))["message"]
    theirs = await slack.say("ada", "", "mine")
    assert (await bot.call("chat.update", channel="DADA", ts=theirs.ts, text="x"))["error"] == "cant_update_message"
    hidden = await bot.call("chat.postEphemeral", channel="CGENERAL", user="UADA", text="psst")
    gone = await bot.call("chat.delete", channel="CGENERAL", ts=hidden["message_ts"])
    assert gone["error"] == "message_not_found"
    assert (await bot.call("chat.delete", **where))["ok"]


async def test_people_and_conversations(slack: PretendSlack, bot: Bot) -> None:
    found = await bot.call("users.lookupByEmail", email="MAX@example.com")
    assert (found["user"]["id"], "locale" in found["user"]) == ("UMAX", False)
    assert (await bot.call("users.info", user="UMAX", include_locale="true"))["user"]["locale"] == "pl-PL"
    first = await bot.call("users.list", limit="2")
    rest = await bot.call("users.list", limit="2", cursor=first["response_metadata"]["next_cursor"])
    assert {u["id"] for u in first["members"] + rest["members"]} == {"UADA", "UMAX", "UGONE", "U0WORLDBOT"}
    opened = await bot.call("conversations.open", users="UMAX", return_im=True)
    assert (opened["channel"]["id"], opened["channel"]["user"]) == ("DMAX", "UMAX")
    info = await bot.call("conversations.info", channel="CQUIET")
    assert (info["channel"]["name"], info["channel"]["is_member"]) == ("quiet", False)
    members = await bot.call("conversations.members", channel="CGENERAL")
    assert members["members"] == ["UADA", "UMAX", "U0WORLDBOT"]
    assert {c["name"] for c in (await bot.call("conversations.list"))["channels"]} == {"general", "quiet"}
    assert (await bot.call("bots.info"))["bot"]["app_id"] == slack.world.app_id


async def test_dialogs(slack: PretendSlack, bot: Bot, clock: Clock) -> None:
    trigger = slack.trigger(slack.world.user("ada"))
    view = {**dialog(LIST[0]), "external_id": "one"}
    wrong = await bot.call("views.open", trigger_id=trigger, view={**view, "title": plain("t" * 25)})
    assert wrong["error"] == "invalid_arguments"
    assert wrong["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    opened = (await bot.call("views.open", trigger_id=trigger, view=view))["view"]
    assert opened["root_view_id"] == opened["id"]
    again = await bot.call("views.open", trigger_id=trigger, view=dialog(LIST[0]))
    assert again["error"] == "exchanged_trigger_id"
    updated = await bot.call("views.update", external_id="one", hash=opened["hash"], view=view)
    assert updated["view"]["hash"] != opened["hash"]
    stale = await bot.call("views.update", view_id=opened["id"], hash=opened["hash"], view=view)
    assert stale["error"] == "hash_conflict"
    second = slack.trigger(slack.world.user("ada"), opened["id"])
    assert (await bot.call("views.push", trigger_id=second, view=view))["error"] == "duplicate_external_id"
    pushed = await bot.call("views.push", trigger_id=second, view=dialog(LIST[0]))
    assert pushed["view"]["previous_view_id"] == opened["id"]
    outside = slack.trigger(slack.world.user("max"))
    assert (await bot.call("views.push", trigger_id=outside, view=dialog(LIST[0])))["error"] == "invalid_trigger_id"
    big = dialog(*[{"type": "section", "text": plain("x" * 3_000)}] * 90)
    assert (await bot.call("views.open", trigger_id=outside, view=big))["error"] == "view_too_large"


async def test_home(slack: PretendSlack, bot: Bot) -> None:
    first = (await bot.call("views.publish", user_id="UADA", view=HOME))["view"]
    second = (await bot.call("views.publish", user_id="UADA", view=HOME, hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    stale = await bot.call("views.publish", user_id="UADA", view=HOME, hash=first["hash"])
    assert stale["error"] == "hash_conflict"


async def test_a_channel_takes_about_a_message_a_second(slack: PretendSlack, bot: Bot) -> None:
    assert bot.client is not None
    for _ in range(10):
        assert (await bot.call("chat.postMessage", channel="CGENERAL", text="x"))["ok"]
    body = {"channel": "CGENERAL", "text": "x"}
    headers = {"Authorization": f"Bearer {bot.token}"}
    async with bot.client.post(bot.api + "chat.postMessage", json=body, headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["error"] == "ratelimited"
    assert (await bot.call("chat.postMessage", channel="UADA", text="x"))["ok"]


async def test_faults_and_the_journal(slack: PretendSlack, bot: Bot) -> None:
    assert bot.client is not None
    post = {"channel": "CGENERAL", "text": "x"}
    slack.faults.add("chat.postMessage", "ratelimited", times=2, retry_after=7)
    headers = {"Authorization": f"Bearer {bot.token}"}
    for _ in range(2):
        async with bot.client.post(bot.api + "chat.postMessage", json=post, headers=headers) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "7")
    slack.faults.add("*", "error")
    assert (await bot.call("chat.postMessage", **post))["error"] == "internal_error"
    slack.faults.add("chat.postMessage", "refuse", code="account_inactive")
    assert (await bot.call("chat.postMessage", **post))["error"] == "account_inactive"
    slack.faults.add("chat.postMessage", "lost")
    with pytest.raises(aiohttp.ClientError):
        await bot.call("chat.postMessage", **post)
    slack.faults.add("chat.postMessage", "hang", seconds=0.2)
    started = bot.call("chat.postMessage", **post)
    assert (await started)["ok"]
    assert [m.text for m in slack.messages("ada", "general")] == ["x", "x"]
    assert slack.journal.count("chat.postMessage") == 2
    assert [call.answered for call in slack.journal.of("chat.postMessage") if call.ok] == [False, True]
    assert slack.journal.of("chat.postMessage")[-1].seconds >= 0.2
    assert [call.error for call in slack.journal.refused()] == ["account_inactive"]
