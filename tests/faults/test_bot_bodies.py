"""What nobody at Slack ever sends, posted to a real process: refused in a sentence, nothing changed, nothing told."""

import asyncio
import time
from collections.abc import AsyncIterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest

from playground.slack import payloads
from playground.slack.delivery import AppRequest
from playground.slack.find import visible_text
from tests.bot.slack.peer import SECRET, TEAM, sign
from tests.faults.bot import Process, Rig, answered, company, number, rigged, shown
from tests.servers import eventually

pytestmark = pytest.mark.slow

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path, limit=3) as made:
        await made.start()
        yield made


def command(**fields: Any) -> dict[str, Any]:
    """A command as Slack sends it; None leaves a field out."""
    given = {
        "command": "/numbers",
        "text": "get GB",
        "team_id": TEAM,
        "user_id": "UADA",
        "trigger_id": "1.2.3",
        "channel_id": "CGENERAL",
        **fields,
    }
    return {name: value for name, value in given.items() if value is not None}


def submission(**fields: Any) -> dict[str, Any]:
    """A dialog as Slack sends it, that would get a number."""
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "numbers.get",
        "title": {"type": "plain_text", "text": "Get a number"},
        "blocks": [],
        "private_metadata": "",
        "state": {"values": {}},
    }
    given = {
        "type": "view_submission",
        "team": {"id": TEAM},
        "user": {"id": "UADA", "team_id": TEAM},
        "trigger_id": "1.2.3",
        "view": {**view, **fields.pop("view", {})},
        **fields,
    }
    return {name: value for name, value in given.items() if value is not None}


GOOD: Final = urlencode(command()).encode()
DEEP: Final = b"[" * 100_000 + b"]" * 100_000

# Name, body, content type, headers in place of the signature's.
REFUSED: Final[list[tuple[str, bytes, str, dict[str, str]]]] = [
    ("unsigned", GOOD, FORM, {"X-Slack-Signature": "", "X-Slack-Request-Timestamp": ""}),
    ("without a time", GOOD, FORM, {"X-Slack-Request-Timestamp": ""}),
    ("stale", GOOD, FORM, sign(GOOD, stamp=str(int(time.time()) - 301))),
    ("from the future", GOOD, FORM, sign(GOOD, stamp=str(int(time.time()) + 3_600))),
    ("another secret", GOOD, FORM, sign(GOOD, secret="not-the-secret")),
    ("another body's signature", GOOD, FORM, sign(b"text=list")),
    ("a time that is no number", GOOD, FORM, sign(GOOD, stamp="yesterday")),
    ("a time that is no whole number", GOOD, FORM, sign(GOOD, stamp="1e9")),
    ("a signature that is none", GOOD, FORM, {"X-Slack-Signature": "v0=ż"}),
    ("not JSON", b"{command:", JSON, {}),
    ("no object", b'["/numbers"]', JSON, {}),
    ("nothing", b"", JSON, {}),
    ("an empty form", b"", FORM, {}),
    ("not UTF-8", b"text=\xff\xfe", FORM, {}),
    ("deep nesting", b'{"type": "view_submission", "view": ' + DEEP + b"}", JSON, {}),
    ("deep nesting in a form", urlencode({"payload": DEEP.decode()}).encode(), FORM, {}),
    ("more than a megabyte", urlencode(command(text="x" * 1_100_000)).encode(), FORM, {}),
    ("thousands of fields", b"&".join(b"a%d=b" % n for n in range(5_000)), FORM, {}),
    ("another content type", GOOD, "text/plain", {}),
    ("no content type", GOOD, "", {}),
    ("a payload of no kind", orjson.dumps({"hello": "there"}), JSON, {}),
    *(
        (f"a command without {name}", urlencode(command(**{name: None})).encode(), FORM, {})
        for name in ("team_id", "user_id", "trigger_id")
    ),
    *(
        (f"a command with {name} of a wrong type", orjson.dumps(command(**{name: wrong})), JSON, {})
        for name, wrong in (("team_id", 7), ("user_id", ["UADA"]), ("text", {"a": 1}), ("command", None))
    ),
    *(
        (f"a dialog with {name} {what}", urlencode({"payload": orjson.dumps(body).decode()}).encode(), FORM, {})
        for name, what, body in (
            ("its view", "left out", submission() | {"view": None}),
            ("its view", "of a wrong type", submission() | {"view": "V1"}),
            ("its user", "of a wrong type", submission(user="UADA")),
            ("its title", "of a wrong type", submission(view={"title": 3})),
            ("its blocks", "of a wrong type", submission(view={"blocks": {"a": 1}})),
            ("its name", "of a wrong type", submission(view={"callback_id": 5})),
        )
    ),
    ("a press of nothing", orjson.dumps({"type": "block_actions", "user": {"id": "UADA"}, "actions": []}), JSON, {}),
    ("an event of nothing", orjson.dumps({"type": "event_callback", "team_id": TEAM, "event": 4}), JSON, {}),
]


async def test_bodies_that_slack_never_sends(rig: Rig) -> None:
    (process,) = rig.processes
    before = await rig.type("")
    wrong = []
    async with aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as ask:
        for name, body, kind, instead in REFUSED:
            headers = {k: v for k, v in {**sign(body), "Content-Type": kind, **instead}.items() if v}
            async with ask.post(f"{process.url}/slack/events", data=BytesIO(body), headers=headers) as answer:
                text = (await answer.text()).strip()
                sentence = orjson.loads(text)["error"] if text.startswith("{") else text
                if not (400 <= answer.status < 500 and sentence.endswith(".") and "\n" not in sentence):
                    wrong.append((name, answer.status, text[:200]))
                if ("sign" in name or name in {"stale", "another secret"}) and answer.status not in (401, 403):
                    wrong.append((name, answer.status, "may be 401 or 403 only"))
    assert wrong == []
    assert await rig.type("") == before
    check_log(rig, process)


def check_log(rig: Rig, process: Process, *words: str) -> None:
    """JSON, nothing of what people wrote, no number, no secret, no traceback."""
    assert process.lines
    raw = process.log.read_text()
    assert "Traceback" not in raw
    for secret in (SECRET, rig.token, rig.slack.world.client_secret):
        assert secret not in raw
    for n in range(8):
        digits = number(n)[1:]
        assert all(form not in raw for form in (digits, shown(n), shown(n).replace(" ", ""), digits[2:], digits[-7:]))
    for word in words:
        assert word not in raw


async def test_the_log_and_the_metrics_of_a_days_work(rig: Rig) -> None:
    (process,) = rig.processes
    await rig.get(2)
    await rig.type(f"assign {shown(0)} @p1")
    await rig.edit(0)
    sent = await rig.slack.submit("ada", {"Assigned to": "P2", "Forwarding number": "nonsense words"})
    assert "forwarding" in sent.errors
    assert (await rig.slack.submit("ada", {"Forwarding number": number(7)})).ok
    await rig.slack.say("p1", "", "hello my secret diary")
    await rig.type(f"forward {shown(0)} {shown(5)}")
    await rig.type("frobnicate")
    await rig.slack.settled(quiet=0.5)
    rig.slack.faults.add("chat.postMessage", "refuse", code="channel_not_found")
    await rig.type(f"assign {shown(1)} @p3")  # given up at once, and written down
    await rig.slack.settled()
    rig.slack.journal.calls.clear()
    await eventually(lambda: any("given_up" in line["event"] for line in process.lines), "a line in the log")
    check_log(rig, process, "nonsense", "diary", "frobnicate")
    done = [line for line in process.lines if "given_up" in line["event"]]
    assert done[0]["reason"] == "channel_not_found"
    assert done[0]["correlation"]
    assert all({"event", "level", "at"} <= line.keys() for line in process.lines)

    shown_by = await rig.metrics(process)
    for line in (
        'switchboard_ack_seconds_count{handler="command numbers"}',
        'switchboard_ack_seconds_count{handler="submit numbers.edit"}',
        'switchboard_ack_seconds_count{handler="press numbers.edit"}',
        'switchboard_handler_seconds_count{handler="command numbers",outcome="screen"}',
        'switchboard_store_seconds_count{script="commit"}',
        'switchboard_effects_total{kind="slack.screen",result="drop"} 1.0',
        "switchboard_outbox_depth ",
        "switchboard_outbox_oldest_age_seconds ",
        "switchboard_outbox_given_up ",
    ):
        assert line in shown_by, line
    assert not any(form in shown_by for form in (rig.token, SECRET, number(0)[1:]))

    status, said = await rig.switchboard("doctor")
    assert status == 0, said
    assert "given up at" in said
    assert "slack.screen to slack:T0WORLD:UP3: channel_not_found" in said
    assert rig.token not in said
    assert await process.stop() == 0
    again = await rig.start()
    await eventually(lambda: _given_up(rig, again), "the gauge of what was given up")


async def _given_up(rig: Rig, process: Process) -> bool:
    return "switchboard_outbox_given_up 1.0" in await rig.metrics(process)


async def test_sixty_at_once_against_a_limit_of_three_give_three(rig: Rig) -> None:
    outcomes = await asyncio.gather(
        *(rig.slack.command("ada" if n % 2 else "robin", "#general", "/numbers", "get GB") for n in range(60))
    )
    said = [answered(outcome) for outcome in outcomes]
    assert sum("is yours to use" in text for text in said) == 3
    assert all("All 3 numbers of the account are used" in text for text in said if "is yours to use" not in text)
    assert "3 of 3 numbers" in await rig.type("")


async def test_the_same_dialog_sent_five_times_at_once_acts_once(rig: Rig) -> None:
    assert (await rig.slack.command("ada", "#general", "/numbers", "get")).ok
    await rig.dialog("ada")
    sent = payloads.submission(rig.slack, rig.slack.world.user("ada"), rig.slack.dialog("ada"))
    replies = await asyncio.gather(*(rig.slack.deliver(sent) for _ in range(5)))
    assert [(reply.error, reply.answer) for reply in replies] == [("", {"response_action": "clear"})] * 5
    await eventually(lambda: got(rig), "the confirmation")
    await rig.slack.settled(quiet=0.5)
    assert got(rig) == 1
    assert "1 of 3 numbers" in await rig.type("")


def got(rig: Rig) -> int:
    return sum("is yours to use" in text for text in rig.heard("ada"))


async def test_a_press_on_somebody_elses_old_message_is_refused(rig: Rig) -> None:
    await rig.get(1)
    await rig.type("")
    listed = rig.slack.last("ada", "#general")
    for entry in ("Edit", "Delete"):
        pressed = await rig.slack.press("ada", listed, entry, within=shown(0))
        await rig.dialog("ada")
        await rig.slack.dismiss("ada", everything=True)
        assert pressed.sent is not None
        before = len(rig.heard("p1"))
        assert (await rig.slack.deliver(by_somebody_else(rig, pressed.sent, "p1"))).error == ""
        await rig.slack.settled(quiet=0.3)
        (said,) = rig.heard("p1")[before:]
        assert "Only super admins can do this" in said
    assert rig.slack.world.dialogs("UP1") == []


def by_somebody_else(rig: Rig, sent: AppRequest, who: str) -> AppRequest:
    """The same press, as it would come from another person who has the message before them."""
    payload = deepcopy(sent.payload)
    somebody, channel = rig.slack.world.user(who), rig.slack.world.channel("#general")
    payload["user"] |= {"id": somebody.id, "username": somebody.name, "name": somebody.name}
    payload["trigger_id"] = rig.slack.trigger(somebody)
    payload["response_url"] = rig.slack.hook("actions", channel, somebody, payload["container"]["message_ts"])
    return AppRequest(sent.kind, payload)


async def test_a_dialog_from_before_a_right_was_taken_away_changes_nothing_and_keeps_what_was_typed(rig: Rig) -> None:
    await rig.get(1)
    await rig.edit(0, by="robin")
    await rig.apply(company(admins=("ada",), limit=3))
    sent = await rig.slack.submit("robin", {"Assigned to": "P1", "Forwarding number": "020 7946 0111"})
    assert sent.error == ""
    kept = rig.slack.dialog("robin")
    assert "Only super admins can do this. Ask Ada." in visible_text(kept)
    typed = orjson.dumps(kept.state).decode()
    assert "020 7946 0111" in typed
    assert '"value":"p1"' in typed
    assert "Provided · nobody · no forwarding" in await rig.type("")
