"""What people do, and what reaches the bot: shapes as Slack's, signed, with what the screen then shows."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.find import find_control, visible_text
from playground.slack.pretend import PretendSlack
from tests.playground.bot import LIST, Bot, button, dialog, field_block, plain
from tests.playground.conftest import Clock

Json = dict[str, Any]


async def test_a_command_arrives_signed_with_everything_slack_sends(slack: PretendSlack, bot: Bot) -> None:
    outcome = await slack.command("ada", "general", "/numbers", "assign 020 7946 0900 @max in #general <now>")
    assert outcome.ok
    sent = bot.got[0]
    assert sent["text"] == "assign 020 7946 0900 <@UMAX|max> in <#CGENERAL|general> &lt;now&gt;"
    assert {k: sent[k] for k in ("command", "team_id", "channel_id", "channel_name", "user_id", "user_name")} == {
        "command": "/numbers",
        "team_id": "T0WORLD",
        "channel_id": "CGENERAL",
        "channel_name": "general",
        "user_id": "UADA",
        "user_name": "ada",
    }
    assert sent["api_app_id"] == slack.world.app_id
    assert sent["is_enterprise_install"] == "false"
    assert sent["response_url"].startswith(f"{slack.base_url}/slack-hooks/commands/T0WORLD/")
    assert slack.last("ada", "general").text.startswith("You said 020 7946 0900")
    assert slack.messages("max", "general") == []


async def test_without_should_escape_the_text_is_as_typed(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "", "/raw @max & #general https://example.com")
    assert bot.got[0]["text"] == "@max & #general https://example.com"
    assert bot.got[0]["channel_name"] == "directmessage"


async def test_a_command_that_nobody_registered_is_not_sent(slack: PretendSlack, bot: Bot) -> None:
    assert (await slack.command("ada", "general", "/weather")).error == "invalid_command"
    assert bot.got == []


async def test_a_slow_or_broken_app_shows_slacks_error(slack: PretendSlack, bot: Bot) -> None:
    bot.slow = 1.0
    late = await slack.command("ada", "general", "/numbers", "list")
    assert late.notice == '/numbers failed with the error "operation_timeout"'
    bot.slow, bot.status = 0.0, 500
    broken = await slack.command("ada", "general", "/numbers", "list")
    assert broken.notice == '/numbers failed with the error "dispatch_failed"'
    bot.status = 200
    assert (await slack.command("ada", "general", "/numbers", "wrong")).error == "invalid_blocks"
    assert "at least one of text and fields" in slack.troubles[0]


async def test_a_dialog_opens_keeps_what_was_typed_and_is_sent(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "forward")
    assert "Forwarding number" in visible_text(slack.dialog("ada"))
    assert (await slack.submit("ada", {"Forwarding number": "+4"})).errors == {
        "to": "Must be at least 3 characters.",
        "why": "Please complete this required field.",
    }
    assert len(bot.got) == 1
    refused = await slack.submit("ada", {"Forwarding number": "wrong", "Reason": "because"})
    assert refused.errors == {"to": "That is no number."}
    assert bot.got[-1]["view"]["hash"] == slack.dialog("ada").hash
    assert (await slack.submit("ada", {"Forwarding number": "020 7946 0111"})).ok
    assert bot.submitted == {
        "to": {"to": {"type": "plain_text_input", "value": "020 7946 0111"}},
        "why": {"why": {"type": "plain_text_input", "value": "because"}},
    }
    with pytest.raises(LookupError, match="no dialog"):
        slack.dialog("ada")


async def test_an_update_keeps_values_where_ids_stay(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "forward")
    await slack.submit("ada", {"Forwarding number": "again", "Reason": "because"})
    view = slack.dialog("ada")
    assert view.state["to"]["to"]["value"] == "again"
    assert view.state["why"]["why"]["value"] == "because"


async def test_push_stacks_three_dialogs_and_clear_closes_all(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "forward")
    await slack.submit("ada", {"Forwarding number": "sure?", "Reason": "x"})
    first, second = slack.world.dialogs("UADA")
    assert (second.previous, second.root) == (first.id, first.id)
    await slack.submit("ada", {"Type yes": "sure?"})
    assert (await slack.submit("ada", {"Type yes": "sure?"})).error == "push_limit_reached"
    await slack.submit("ada", {"Type yes": "all"})
    assert slack.world.dialogs("UADA") == []


async def test_an_answer_that_names_no_input_is_trouble(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "forward")
    outcome = await slack.submit("ada", {"Forwarding number": "bad answer", "Reason": "x"})
    assert outcome.notice == "We had some trouble connecting. Try again?"
    assert "no input blocks" in slack.troubles[0]


async def test_a_button_on_an_ephemeral_message_carries_no_message(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "list")
    shown = slack.last("ada", "general")
    assert (await slack.press("ada", shown, "Delete", within="0901")).ok
    sent = bot.got[-1]
    assert sent["type"] == "block_actions"
    assert sent["container"] == {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": "CGENERAL",
        "is_ephemeral": True,
    }
    assert "message" not in sent
    assert sent["state"] == {"values": {}}
    assert sent["actions"][0]["selected_option"]["value"] == "delete:2"
    assert sent["user"] == {"id": "UADA", "username": "ada", "name": "ada", "team_id": "T0WORLD"}
    with pytest.raises(LookupError, match="not before them"):
        await slack.press("max", shown, "Get a number")
    with pytest.raises(LookupError, match="say within which"):
        await slack.press("ada", shown, "Delete")


async def test_saying_no_to_a_confirmation_sends_nothing(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "list")
    await slack.press("ada", slack.last("ada", "general"), "Forget it", confirm=False)
    assert len(bot.got) == 1


async def test_a_press_in_a_dialog_can_push(slack: PretendSlack, bot: Bot) -> None:
    trigger = slack.trigger(slack.world.user("ada"))
    actions = {"type": "actions", "block_id": "a", "elements": [button("Get a number", "get")]}
    opened = await bot.call("views.open", trigger_id=trigger, view=dialog(actions))
    assert opened["ok"]
    await slack.press("ada", slack.dialog("ada"), "Get a number")
    sent = bot.got[-1]
    assert sent["container"] == {"type": "view", "view_id": opened["view"]["id"]}
    assert "response_url" not in sent
    assert "channel" not in sent
    assert slack.dialog("ada").previous == opened["view"]["id"]


async def test_all_kinds_of_inputs_have_slacks_state(slack: PretendSlack, bot: Bot) -> None:
    def block(name: str, **element: Any) -> Json:
        return {**field_block(name, name), "element": {"action_id": name, **element}, "optional": True}

    options = [{"text": plain(word), "value": word.lower()} for word in ("One", "Two")]
    view = dialog(
        block("country", type="static_select", options=options, initial_option=options[0]),
        block("boxes", type="checkboxes", options=options),
        block("radio", type="radio_buttons", options=options),
        block("who", type="users_select"),
        block("where", type="external_select", min_query_length=2),
        block("day", type="datepicker"),
        block("count", type="number_input", is_decimal_allowed=False, max_value="9"),
        block("mail", type="email_text_input"),
    )
    opened = await bot.call("views.open", trigger_id=slack.trigger(slack.world.user("ada")), view=view)
    assert opened["ok"], opened
    refused = await slack.submit("ada", {"count": "10", "mail": "nobody"})
    assert refused.errors == {"count": "Must be at most 9.", "mail": "Please enter a valid email address."}
    await slack.fill(
        "ada", {"boxes": ["One"], "radio": "two", "who": "max", "where": "Bergen", "day": "2026-11-22", "count": 3}
    )
    one = {"text": {"type": "plain_text", "text": "One", "emoji": True}, "value": "one"}
    values = slack.dialog("ada").state
    assert values["country"]["country"] == {"type": "static_select", "selected_option": one}
    assert values["boxes"]["boxes"] == {"type": "checkboxes", "selected_options": [one]}
    assert values["radio"]["radio"]["selected_option"]["value"] == "two"
    assert values["who"]["who"] == {"type": "users_select", "selected_user": "UMAX"}
    assert values["where"]["where"]["selected_option"]["value"] == "bergen"
    assert values["day"]["day"] == {"type": "datepicker", "selected_date": "2026-11-22"}
    assert values["count"]["count"] == {"type": "number_input", "value": "3"}
    with pytest.raises(LookupError, match="not among"):
        await slack.fill("ada", {"country": "Three"})
    assert (await slack.suggest("ada", slack.dialog("ada"), "where", "b")).sent is None


async def test_what_is_chosen_in_a_message_is_its_state_for_that_person(slack: PretendSlack, bot: Bot) -> None:
    options = [{"text": plain(word), "value": word.lower()} for word in ("Germany", "France")]
    choice = {"type": "static_select", "action_id": "country", "options": options, "placeholder": plain("Country")}
    actions = {"type": "actions", "block_id": "a", "elements": [choice, button("Other", "other")]}
    posted = await bot.call("chat.postMessage", channel="CGENERAL", text="Where?", blocks=[actions])
    await slack.press("ada", slack.last("ada", "general"), "Country", "France")
    done = next(got for got in bot.got if got["type"] == "block_actions")
    assert done["actions"][0]["selected_option"]["value"] == "france"
    assert done["state"]["values"]["a"]["country"]["selected_option"]["value"] == "france"
    assert done["message"]["ts"] == posted["ts"]
    await bot.call("chat.update", channel="CGENERAL", ts=posted["ts"], text="Where now?", blocks=[actions])
    await slack.settled()
    bot.got.clear()
    await slack.press("ada", slack.last("ada", "general"), "Other")
    await slack.press("max", slack.last("max", "general"), "Other")
    chosen = [got["state"]["values"].get("a", {}).get("country") for got in bot.got if got["type"] == "block_actions"]
    assert chosen[0]["selected_option"]["value"] == "france"
    assert chosen[1]["selected_option"] is None


async def test_closing_a_dialog_tells_the_app_that_asked_for_it(slack: PretendSlack, bot: Bot) -> None:
    for everything in (False, True):
        trigger = slack.trigger(slack.world.user("ada"))
        await bot.call("views.open", trigger_id=trigger, view={**dialog(LIST[2]), "notify_on_close": True})
        await slack.dismiss("ada", everything=everything)
        assert (bot.got[-1]["type"], bot.got[-1]["is_cleared"]) == ("view_closed", everything)
        assert slack.world.dialogs("UADA") == []


async def test_home_is_published_on_opening_and_its_buttons_work(slack: PretendSlack, bot: Bot) -> None:
    await slack.open_home("ada")
    event = bot.got[0]["event"]
    assert (event["type"], event["tab"], "view" in event) == ("app_home_opened", "home", False)
    home = slack.home("ada")
    await slack.press("ada", home, "Edit", within="0900")
    assert bot.got[-1]["container"] == {"type": "view", "view_id": home.id}
    await slack.press("ada", home, "Get a number")
    assert slack.dialog("ada").previous == ""
    await slack.open_home("ada")
    assert bot.got[-1]["event"]["view"]["id"] == home.id


async def test_messages_reach_the_bot_as_events(slack: PretendSlack, bot: Bot) -> None:
    await slack.say("ada", "", "hello")
    await slack.say("ada", "general", "@switchboard hi & bye")
    await slack.settled()
    kinds = [(got["event"]["type"], got["event"]["channel_type"]) for got in bot.got]
    assert sorted(kinds) == [("app_mention", "channel"), ("message", "channel"), ("message", "im")]
    mention = next(got for got in bot.got if got["event"]["type"] == "app_mention")
    assert mention["event"]["text"] == "<@U0WORLDBOT> hi &amp; bye"
    assert mention["authorizations"][0]["user_id"] == "U0WORLDBOT"
    with pytest.raises(LookupError):
        await slack.say("max", "quiet", "not in there")


async def test_a_bot_hears_itself_and_its_edits(slack: PretendSlack, bot: Bot) -> None:
    posted = await bot.call("chat.postMessage", channel="CGENERAL", text="one")
    await bot.call("chat.update", channel="CGENERAL", ts=posted["ts"], text="two")
    await bot.call("chat.delete", channel="CGENERAL", ts=posted["ts"])
    await slack.settled()
    subtypes = {got["event"].get("subtype", "") for got in bot.got}
    assert subtypes == {"", "message_changed", "message_deleted"}
    assert next(g for g in bot.got if "subtype" not in g["event"])["event"]["bot_id"] == "B0WORLDBOT"


async def test_events_are_retried_three_times_with_reason(slack: PretendSlack, bot: Bot) -> None:
    bot.status = 503
    await slack.say("ada", "", "hello")
    await slack.settled(quiet=0.2)
    retries = [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h in bot.headers]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_shortcuts_and_the_url_check(slack: PretendSlack, bot: Bot) -> None:
    assert await slack.verify_url()
    await slack.shortcut("ada", "get_number")
    assert bot.got[-1]["type"] == "shortcut"
    message = await slack.say("ada", "general", "call 020 7946 0900")
    await slack.settled()
    await slack.shortcut("ada", "block_number", message)
    assert bot.got[-1]["type"] == "message_action"
    assert bot.got[-1]["message"]["text"] == "call 020 7946 0900"
    with pytest.raises(LookupError):
        await slack.shortcut("ada", "block_number")


async def test_the_same_delivery_can_be_repeated(slack: PretendSlack, bot: Bot) -> None:
    await slack.command("ada", "general", "/numbers", "forward")
    outcome = await slack.submit("ada", {"Forwarding number": "020 7946 0111", "Reason": "x"})
    await slack.repeat(outcome)
    assert bot.got[-1] == bot.got[-2]


async def test_uninstalling_kills_the_token_and_says_so(slack: PretendSlack, bot: Bot) -> None:
    slack.uninstall("T0WORLD")
    await slack.settled()
    assert sorted(got["event"]["type"] for got in bot.got) == ["app_uninstalled", "tokens_revoked"]
    assert (await bot.call("auth.test"))["error"] == "token_revoked"
    assert (await slack.command("ada", "general", "/numbers")).error == "invalid_command"
    code = slack.install("ada")
    arguments = {"client_id": slack.world.client_id, "client_secret": slack.world.client_secret, "code": code}
    granted = await bot.call("oauth.v2.access", **arguments)
    assert (granted["access_token"], granted["authed_user"]) == (bot.token, {"id": "UADA"})
    assert (await bot.call("oauth.v2.access", **arguments))["error"] == "invalid_code"
    assert (await bot.call("auth.test"))["ok"]


async def test_clock_stops_triggers_after_three_seconds(slack: PretendSlack, bot: Bot, clock: Clock) -> None:
    trigger = slack.trigger(slack.world.user("ada"))
    clock.at += 3.1
    late = await bot.call("views.open", trigger_id=trigger, view=dialog(LIST[2]))
    assert late["error"] == "expired_trigger_id"


def test_a_control_is_found_by_what_is_written_on_it() -> None:
    row = {**button("Edit", "edit"), "accessibility_label": "Edit 0900"}
    blocks: list[Json] = [
        {"type": "section", "block_id": "s", "text": plain("Numbers"), "accessory": row},
        {"type": "actions", "block_id": "a", "elements": [button("Edit", "other")]},
    ]
    assert find_control(blocks, "Edit 0900").element is row
    assert find_control(blocks, "Edit", within="0900").element is row
    assert find_control(blocks, "other").element["action_id"] == "other"
    with pytest.raises(LookupError, match="no control 'Delete'"):
        find_control(blocks, "Delete")
