"""What Slack sends, read: signatures, bodies of every wrong form, words, who acts and where."""

import logging
import time
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from bot.chat.inbound import Malformed
from bot.slack import mentions
from bot.slack.payloads import AppUninstalled, Interaction, UnhandledPayload, understand
from handlers.framework.events import Actor, Address, Command, File, Mention
from tests.bot.slack.peer import TEAM, Rig, sign

COMMAND = {
    "team_id": TEAM, "user_id": "UADA", "user_name": "ada", "channel_id": "CGENERAL", "command": "/numbers",
    "text": "list", "trigger_id": "1.2.3", "response_url": "https://hooks.slack.com/commands/1",
}  # fmt: skip
FORM_KIND = "application/x-www-form-urlencoded"


def read(payload: dict[str, Any]) -> Any:
    return understand(payload, lambda url: url.startswith("https://hooks.slack.com/"), lambda team, user: None)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def dropped(files: Any, **more: Any) -> Any:
    event = {"type": "message", "channel_type": "im", "channel": "D1", "ts": "1.2", "user": "UADA", "files": files}
    return read({"type": "event_callback", "team_id": TEAM, "event": {**event, "subtype": "file_share", **more}})


def test_a_message_that_is_only_a_file() -> None:
    file = {"id": "F1", "name": "n.csv", "mimetype": "text/csv", "size": 12, "url_private": "https://evil.example/"}
    for more in ({}, {"text": ""}):
        event = dropped([file], **more).event
        assert (event.words, event.id) == ((), "D1:1.2")
        assert event.files == (File("F1", "n.csv", 12, "text/csv", "F1"),)  # the address is Slack's to say when asked


def test_files_of_which_little_is_said() -> None:
    named_by_id = {"id": "F2", "mode": "file_access", "file_access": "check_file_info"}
    odd = [None, 5, {}, {"id": 7}, {"id": "F3", "mode": "tombstone"}, {"id": "F4", "size": -1, "name": 5}]
    files = dropped([named_by_id, *odd]).event.files
    assert [(f.id, f.name, f.size, f.mime) for f in files] == [("F2", "", None, ""), ("F4", "", None, "")]
    assert len(dropped([{"id": f"F{n}"} for n in range(50)]).event.files) == 10
    assert dropped("F1", text="hello").event.files == ()
    with pytest.raises(Malformed):
        dropped([])


# ── Bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Slack_Signature": ""},
        {"X_Slack_Signature": "v0=" + "0" * 64},
        {"X_Slack_Signature": "v0=ä"},
        {"X_Slack_Request_Timestamp": ""},
        {"X_Slack_Request_Timestamp": "soon"},
        {"X_Slack_Request_Timestamp": "٣"},
        {"X_Slack_Request_Timestamp": "9" * 4000},
        {"X_Slack_Request_Timestamp": "1"},
        sign(b"x", secret="another secret"),
    ],
)
async def test_unsigned_and_stale_is_refused_and_reaches_nobody(
    pair: Rig, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    for body in (urlencode(COMMAND), "ssl_check=1", "{", ""):
        status, text = await pair.post(body, FORM_KIND, **headers)
        assert (status, orjson.loads(text)) == (401, {"error": "The request is not signed by Slack, or too old."})
    assert pair.handler.got == []
    assert caplog.records == []


async def test_five_minutes_old_is_too_old_and_one_minute_is_not(pair: Rig) -> None:
    body = urlencode(COMMAND).encode()
    for age, status in ((60, 200), (310, 401), (-310, 401)):
        old = sign(body, stamp=str(int(time.time()) - age))
        assert (await pair.post(body, FORM_KIND, **old))[0] == status


async def test_what_is_signed_but_no_text_counts_as_unsigned(pair: Rig) -> None:
    assert (await pair.post(b"\xff\xfe" * 10))[0] == 401


GARBAGE = [
    ("{", "application/json"),
    ("[]", "application/json"),
    ("null", "application/json"),
    ("", "application/json"),
    ('{"a":' * 5000 + "1" + "}" * 5000, "application/json"),
    ("[" * 100_000, "application/json"),
    ("payload=%7B", FORM_KIND),
    ("payload=[1]", FORM_KIND),
    ("", FORM_KIND),
    ("a=1&" * 500, FORM_KIND),
    ("text=hello", FORM_KIND),
    (urlencode(COMMAND), "text/plain"),
    (urlencode(COMMAND), ""),
    ('{"type":5}', "application/json"),
    ('{"type":"event_callback"}', "application/json"),
    ('{"type":"event_callback","event":[]}', "application/json"),
    ('{"type":"event_callback","team_id":"T","event":{"type":"app_home_opened"}}', "application/json"),
    ('{"type":"event_callback","team_id":"T","event":{"type":"message","channel_type":"im"}}', "application/json"),
    ('{"type":"url_verification"}', "application/json"),
]


@pytest.mark.parametrize(("body", "kind"), GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_gets_one_sentence_and_no_traceback(
    pair: Rig, body: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        status, text = await pair.post(body, kind)
    assert status == 400
    assert orjson.loads(text)["error"].count(".") == 1
    assert pair.handler.got == []
    assert [r for r in caplog.records if r.exc_info or r.levelno >= logging.WARNING] == []


async def test_a_megabyte_is_too_large(pair: Rig) -> None:
    status, text = await pair.post(b"payload=" + b"x" * 1_000_000, FORM_KIND)
    assert (status, "smaller" in text) == (413, True)


INTERACTIONS: dict[str, dict[str, Any]] = {
    "block_actions": {
        "user": {"id": "UADA", "team_id": TEAM}, "team": {"id": TEAM}, "trigger_id": "1.2", "channel": {"id": "C1"},
        "actions": [{"type": "button", "action_id": "get#0", "block_id": "b", "value": "1", "action_ts": "1"}],
    },
    "view_submission": {
        "user": {"id": "UADA", "team_id": TEAM}, "team": {"id": TEAM},
        "view": {"id": "V1", "callback_id": "edit", "title": {}, "blocks": [], "state": {"values": {}}},
    },
    "block_suggestion": {"user": {"id": "UADA"}, "team": {"id": TEAM}, "block_id": "b", "action_id": "a", "value": ""},
    "shortcut": {"user": {"id": "UADA"}, "team": {"id": TEAM}, "callback_id": "get_number", "trigger_id": "1.2"},
}  # fmt: skip


@pytest.mark.parametrize("wrong", [None, 5, [], {}, "", [5], {"id": 5}, True])
@pytest.mark.parametrize("kind", [*INTERACTIONS, "command", "event"])
def test_fields_of_the_wrong_type_are_malformed_or_do_not_matter(kind: str, wrong: Any) -> None:
    event = {"type": "message", "channel_type": "im", "user": "U", "channel": "D", "ts": "1", "text": "x"}
    callback = {"type": "event_callback", "team_id": TEAM, "event": event, "authorizations": [{"team_id": TEAM}]}
    whole: dict[str, Any] = (
        COMMAND if kind == "command" else callback if kind == "event" else {"type": kind, **INTERACTIONS[kind]}
    )
    assert isinstance(read(whole), Interaction)
    for source in (whole, whole.get("view", {}), whole.get("event", {})):
        for key in source:
            changed = {**source, key: wrong}
            payload = (
                changed if source is whole else {**whole, "view" if source is whole.get("view") else "event": changed}
            )
            try:
                read(payload)
            except Malformed as fault:
                assert str(fault).endswith(".")  # noqa: PT017 - either is right


def test_what_is_not_ours_is_acknowledged() -> None:
    assert isinstance(read({"type": "message_action"}), UnhandledPayload)
    assert isinstance(read({"type": "view_closed"}), UnhandledPayload)
    assert isinstance(read({"ssl_check": "1"}), UnhandledPayload)
    assert isinstance(read({"type": "event_callback", "event": {"type": "team_join"}}), UnhandledPayload)


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("  list \u00a0 max\u2003x ", ("list", "max", "x")),
        ("assign 020 <@U123|max>", ("assign", "020", Mention("U123", "max"))),
        ("<@W9>", (Mention("W9"),)),
        ("@max", ("@max",)),
        ("forward <tel:+442079460900|020 7946 0900> off", ("forward", "020", "7946", "0900", "off")),
        ("<tel:+442079460900>", ("+442079460900",)),
        ("<mailto:a@b.example|a@b.example> <mailto:c@d.example>", ("a@b.example", "c@d.example")),
        ("see <https://x.example/a?b&amp;c|x>/y <https://x.example/&amp;>", ("see", "x/y", "https://x.example/&")),
        ("<#C1|general> <#C2>", ("#general", "#C2")),
        ("<!channel> <!subteam^S1|@ops> <!here|here>", ("@channel", "@ops", "here")),
        ("a &lt;b&gt; &amp;amp; c", ("a", "<b>", "&amp;", "c")),
        ("<>", ()),
        ("< x", ("<", "x")),
        ("a<@U1>b", ("a", Mention("U1"), "b")),
    ],
)
def test_words_and_mentions(text: str, found: tuple[str | Mention, ...]) -> None:
    assert mentions.split(text) == found


def test_our_own_mention_is_left_out() -> None:
    assert mentions.split("<@UBOT> numbers <@U1>", without="UBOT") == ("numbers", Mention("U1"))


# ── Who and where ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_command() -> None:
    found = read({**COMMAND, "is_enterprise_install": "false", "enterprise_id": "E1"})
    where = Address("slack", TEAM, "UADA", "CGENERAL", "https://hooks.slack.com/commands/1")
    assert found.event == Command(Actor("slack", TEAM, "UADA", "ada"), "1.2.3", "numbers", ("list",), where)
    assert found.org is None
    assert read({**COMMAND, "is_enterprise_install": "true", "enterprise_id": "E1"}).org == "E1"


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "https://hooks.slack.com.evil.example/", "http://127.0.0.1/", ""]
)
def test_a_response_url_elsewhere_is_left_out(url: str) -> None:
    assert read({**COMMAND, "response_url": url}).event.where.reply is None
    kept = orjson.dumps({"s": {}, "r": url}).decode()
    submission = {"type": "view_submission", **INTERACTIONS["view_submission"]}
    submission["view"] = {**submission["view"], "private_metadata": kept}
    assert read(submission).event.where.reply is None


def test_an_organisation_wide_installation_has_no_team() -> None:
    payload = {**INTERACTIONS["block_actions"], "type": "block_actions", "team": None}
    found = read({**payload, "enterprise": {"id": "E1"}, "is_enterprise_install": True})
    assert (found.event.actor.workspace, found.event.actor.outsider, found.org) == (TEAM, False, "E1")


def test_somebody_of_another_company_is_an_outsider() -> None:
    payload = {**INTERACTIONS["block_actions"], "type": "block_actions"}
    assert read({**payload, "user": {"id": "UX", "team_id": "T0OTHER"}}).event.actor == Actor(
        "slack", TEAM, "UX", None, outsider=True
    )
    event = {"type": "app_mention", "user": "UX", "user_team": "T0OTHER", "channel": "C1", "ts": "1", "text": "hi"}
    callback = {"type": "event_callback", "team_id": "T0OTHER", "event": event, "authorizations": [{"team_id": TEAM}]}
    assert read(callback).event.actor == Actor("slack", TEAM, "UX", None, outsider=True)


@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"channel_type": "channel"},
        {"user": "UBOT"},
    ],
)
def test_what_nobody_says_to_us_is_ignored(event: dict[str, Any]) -> None:
    message = {
        "type": "message",
        "channel_type": "im",
        "user": "U1",
        "channel": "D1",
        "ts": "1.2",
        "text": "x",
        **event,
    }
    us = [{"team_id": TEAM, "user_id": "UBOT"}]
    assert isinstance(
        read({"type": "event_callback", "team_id": TEAM, "event": message, "authorizations": us}), UnhandledPayload
    )


def test_the_same_submission_has_the_same_id_and_another_try_has_another() -> None:
    def submit(value: str) -> str:
        state = {"values": {"code": {"a": {"type": "plain_text_input", "value": value}}}}
        view = {**INTERACTIONS["view_submission"]["view"], "state": state}
        found: str = read({"type": "view_submission", **INTERACTIONS["view_submission"], "view": view}).event.id
        return found

    assert submit("1234") == submit("1234")
    assert submit("1234") != submit("1235")


def test_removal_names_the_workspace_and_the_organisation() -> None:
    def callback(event: dict[str, Any], **more: Any) -> Any:
        return read({"type": "event_callback", "team_id": TEAM, "event_time": 7, "event": event, **more})

    assert callback({"type": "app_uninstalled"}) == AppUninstalled((TEAM,), 7.0)
    assert callback({"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}) == AppUninstalled((TEAM,), 7.0)
    assert isinstance(callback({"type": "tokens_revoked", "tokens": {"oauth": ["UADA"]}}), UnhandledPayload)
    whole = [{"team_id": None, "enterprise_id": "E1", "is_enterprise_install": True}]
    assert callback({"type": "app_uninstalled"}, authorizations=whole) == AppUninstalled((TEAM, "E1"), 7.0)
