"""What Teams posts, and what the handlers are told of it; and what is none of Teams'."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from handlers.framework.events import ChatMessage, HomeRequest, Mention, MessageEdit, OptionsRequest, Press, Submit
from handlers.framework.screens import Nothing
from store.engine import keys
from tests import instance_of
from tests.bot.teams.peer import PretendTeams
from tests.bot.teams.rig import GO, OPEN, Rig, form, screen
from tests.bot.teams.world import BOT, TENANT, Json

Change = Callable[[Json], Any]


def message(peer: PretendTeams, **more: Any) -> Json:
    ada = peer.world.user("Ada")
    return peer.activity("message", ada, peer.world.personal(ada), **{"text": "numbers", **more})


def invoke(peer: PretendTeams, name: str, value: Any, **more: Any) -> Json:
    ada = peer.world.user("Ada")
    return peer.activity("invoke", ada, peer.world.personal(ada), name=name, value=value, **more)


async def test_a_message_tells_who_where_and_in_which_language(pair: Rig) -> None:
    await pair.peer.say("Ada", "  numbers   get GB ")
    said = instance_of(ChatMessage, pair.handler.last)
    assert said.words == ("numbers", "get", "GB")
    assert (said.actor.platform, said.actor.workspace, said.actor.user) == ("teams", TENANT, "29:ada")
    assert (said.actor.other_ids, said.actor.name, said.actor.locale) == (("aad-ada",), "Ada", "en-GB")
    assert (said.where.user, said.where.channel, said.where.conversation) == ("29:ada", None, f"teams:{TENANT}:29:ada")


@pytest.mark.parametrize(
    ("platform", "client"), [("Windows", "desktop"), ("Web", "desktop"), ("iOS", "mobile"), ("Android", "mobile")]
)
async def test_the_kind_of_client_is_told(pair: Rig, platform: str, client: str) -> None:
    pair.peer.world.user("Ada").platform = platform
    await pair.peer.say("Ada", "numbers")
    assert pair.handler.last.actor.client == client


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@Switchboard numbers list", ("numbers", "list")),
        ("numbers assign 020 7946 0900 @Max", ("numbers", "assign", "020", "7946", "0900", Mention("29:max", "Max"))),
        ("@Switchboard assign 0900 @Max now", ("assign", "0900", Mention("29:max", "Max"), "now")),
        ("numbers&nbsp;list&amp;more", ("numbers", "list&more")),
        ("numbers\nlist", ("numbers", "list")),
        ("<at>Nobody</at> list", ("@Nobody", "list")),
        ("a < b", ("a", "<", "b")),
        ("", ()),
    ],
)
async def test_words_and_mentions_are_told_apart(pair: Rig, text: str, words: tuple[str | Mention, ...]) -> None:
    await pair.peer.say("Ada", text)
    assert instance_of(ChatMessage, pair.handler.last).words == words


async def test_in_a_channel_it_is_said_for_the_one_who_asked(pair: Rig) -> None:
    pair.peer.add_place("general", ["Ada", "Max"])
    await pair.complete(pair.peer.install("Ada", "general"))
    pair.handler.answer = screen("only for Ada", GO)
    await pair.complete(pair.peer.say("Ada", "numbers", "general", thread="17"))
    said = instance_of(ChatMessage, pair.handler.last)
    assert said.words == ("numbers",)
    assert (said.where.user, said.where.channel) == ("29:ada", "19:general@thread.tacv2;messageid=17")
    assert "only for Ada" in pair.peer.words("Ada", "general")
    assert pair.peer.said("Max", "general") == []
    assert pair.peer.refused == []


async def test_a_slash_command_is_a_message_for_us_alone(pair: Rig) -> None:
    pair.peer.add_place("project", ["Ada", "Max"], "groupChat")
    await pair.peer.install("Ada", "project")
    await pair.peer.say("Ada", "/numbers list", "project", targeted=True)
    assert instance_of(ChatMessage, pair.handler.last).words == ("/numbers", "list")


async def test_what_bots_say_is_left_alone_and_what_is_changed_later_is_not_said_again(pair: Rig) -> None:
    peer = pair.peer
    await peer.say("Ada", "numbers get GB")
    before = len(pair.handler.got)
    assert (await peer.edit("Ada", peer.messages("Ada")[-1], "numbers delete")).status == 200
    edited = message(
        peer, timestamp="2026-01-01T09:00:05.000Z", channelData={"tenant": {"id": TENANT}, "eventType": "editMessage"}
    )
    assert (await peer.post(edited)).status == 200
    assert (await peer.post(message(peer, **{"from": {"id": BOT, "name": "Switchboard"}}))).status == 200
    assert [type(event) for event in pair.handler.got[before:]] == [MessageEdit, MessageEdit]
    before = len(pair.handler.got)
    for kind in ("messageReaction", "typing", "event", "endOfConversation", "something new"):
        assert (await peer.post(message(peer, type=kind))).status == 200
    assert len(pair.handler.got) == before


async def test_the_same_message_five_times_is_heard_once(pair: Rig) -> None:
    pair.handler.answer = screen("heard")
    answer = await pair.peer.say("Ada", "numbers")
    assert [a.status for a in await pair.peer.repeat(answer, 4)] == [200] * 4
    await pair.quiet()
    assert len([e for e in pair.handler.got if isinstance(e, ChatMessage)]) == 1
    assert len(pair.peer.said("Ada")) == 1


async def test_the_same_press_bears_the_same_id(pair: Rig) -> None:
    await pair.show(screen("here", GO))
    pair.handler.answer = screen("there", GO)
    answer = await pair.peer.press("Ada", "Go")
    await pair.peer.repeat(answer, 4)
    await pair.peer.press("Ada", "Go")
    ids = [e.id for e in pair.handler.got if isinstance(e, Press)]
    assert len(ids) == 6
    assert len(set(ids)) == 2


async def test_a_number_of_another_conversation_is_another_message(pair: Rig) -> None:
    pair.peer.add_place("project", ["Ada"], "groupChat")
    await pair.peer.install("Ada", "project")
    await pair.peer.say("Ada", "numbers", id="17")
    await pair.peer.say("Ada", "numbers", "project", id="17")
    assert len({e.id for e in pair.handler.got if isinstance(e, ChatMessage)}) == 2


async def test_a_press_tells_which_message_it_was_on(pair: Rig) -> None:
    await pair.show(screen("here", GO))
    shown = pair.peer.last("Ada").id
    await pair.peer.press("Ada", "Go")
    press = instance_of(Press, pair.handler.last)
    assert (press.action, press.value, press.form) == ("go", "1", None)
    assert shown in (press.where.reply or "")


async def test_a_dialog_tells_form_state_values_and_where_it_was_opened(pair: Rig) -> None:
    await pair.show(screen("here", OPEN))
    shown = pair.peer.last("Ada").id
    pair.handler.answer = form()
    await pair.peer.press("Ada", "Open")
    opened = pair.handler.last
    pair.handler.answer = Nothing()
    await pair.peer.submit("Ada", {"Name": "Mia"})
    submit = pair.handler.last
    assert isinstance(opened, Press)
    assert isinstance(submit, Submit)
    assert (submit.form, submit.state, submit.values) == ("edit", {"number": "+442079460900"}, {"name": "Mia"})
    assert submit.where.reply == opened.where.reply
    assert shown in (submit.where.reply or "")
    assert not pair.peer.has_dialog("Ada")


async def test_a_dialog_sent_off_by_two_clicks_is_one_submission(pair: Rig) -> None:
    await pair.open(form())
    for name in ("Mia", "Mia", "Kim"):
        await pair.peer.submit("Ada", {"Name": name})
    ids = [e.id for e in pair.handler.got if isinstance(e, Submit)]
    assert ids[0] == ids[1] != ids[2]


async def test_the_way_back_of_another_persons_dialog_leads_nowhere(pair: Rig) -> None:
    await pair.complete(pair.peer.install("Max"))
    await pair.open(form())
    data = dict(pair.peer.dialog("Ada").card["actions"][0]["data"])  # type: ignore[index] # it has one
    maxs = pair.peer.world.user("Max")
    theirs = pair.peer.activity(
        "invoke", maxs, pair.peer.world.personal(maxs), name="task/submit", value={"data": data}
    )
    await pair.peer.post(theirs)
    submit = instance_of(Submit, pair.handler.last)
    assert submit.where.reply is None
    assert "~way" not in submit.state


async def test_a_search_asks_for_what_fits(pair: Rig) -> None:
    value = {"queryText": "ma", "queryOptions": {"skip": 0, "top": 15}, "dataset": "person"}
    answer = await pair.peer.post(invoke(pair.peer, "application/search", value))
    assert answer.body["value"] == {"results": []}
    suggest = instance_of(OptionsRequest, pair.handler.last)
    assert (suggest.field, suggest.text) == ("person", "ma")


async def test_home_is_the_home_card(pair: Rig) -> None:
    pair.handler.answer = screen("my home")
    await pair.complete(pair.peer.say("Ada", "Home"))
    assert isinstance(pair.handler.last, HomeRequest)
    assert "my home" in pair.peer.words("Ada")
    tag = keys.cell_of(f"teams:{TENANT}")
    store = pair.teams.conversations._store
    kept = await store.call("HGET", keys.places(tag, "teams", TENANT), "h|29:ada")
    assert kept.decode() == pair.peer.last("Ada").id


async def test_somebody_of_another_tenant_is_an_outsider(pair: Rig) -> None:
    await pair.peer.post(message(pair.peer, channelData={"tenant": {"id": "another"}}))
    assert (pair.handler.last.actor.outsider, pair.handler.last.actor.workspace) == (True, TENANT)


# ── Bad input ───────────────────────────────────────────────────────────────────────────────────────────────────


def without(*path: str) -> Change:
    def change(activity: Json) -> None:
        for key in path[:-1]:
            activity = activity[key]
        del activity[path[-1]]

    return change


def with_(key: str, value: Any) -> Change:
    return lambda activity: activity.__setitem__(key, value)


def no_tenant(activity: Json) -> None:
    del activity["conversation"]["tenantId"]
    activity["channelData"] = {}


WRONG: dict[str, Change] = {
    "no type": without("type"),
    "a type that is a number": with_("type", 7),
    "no sender": without("from"),
    "a sender without an id": with_("from", {"name": "Ada"}),
    "a sender that is a text": with_("from", "29:ada"),
    "an endless sender": with_("from", {"id": "29:" + "a" * 10_000}),
    "no conversation": without("conversation"),
    "a conversation without an id": without("conversation", "id"),
    "a conversation that is a list": with_("conversation", [1]),
    "no tenant": no_tenant,
    "no recipient": without("recipient"),
    "no id": without("id"),
    "an id that is a number": with_("id", 17),
    "no service URL": without("serviceUrl"),
    "a service URL that is none": with_("serviceUrl", "teams"),
    "a service URL elsewhere": with_("serviceUrl", "https://example.com/"),
    "a service URL of a file": with_("serviceUrl", "file:///etc/passwd"),
    "a service URL with a query": with_("serviceUrl", "http://127.0.0.1/?x=1"),
    "a text that is a list": with_("text", ["numbers"]),
}


@pytest.mark.parametrize("why", WRONG)
async def test_what_is_no_activity_is_refused_in_one_sentence(pair: Rig, why: str, logged: Callable[[], str]) -> None:
    activity = message(pair.peer)
    WRONG[why](activity)
    before = len(pair.handler.got)
    answer = await pair.peer.post(activity)
    assert answer.status == 400
    assert set(answer.body) == {"error"}
    assert len(answer.body["error"]) < 200
    assert len(pair.handler.got) == before
    assert "Traceback" not in logged()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"text"', b"\xff", b"[" * 5_000, b"null"])
async def test_what_is_no_json_object_is_refused(pair: Rig, body: bytes, logged: Callable[[], str]) -> None:
    assert (await pair.peer.post_raw(body)).status == 400
    assert "Traceback" not in logged()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Origin": "https://example.com"},
        {"Host": "switchboard.example.com"},
        {"Host": "["},
    ],
)
async def test_no_page_in_a_browser_can_post(pair: Rig, headers: dict[str, str]) -> None:
    """Nothing else keeps it out where no token is asked for."""
    assert (await pair.peer.post(message(pair.peer), headers=headers)).status in {400, 403}
    assert not any(isinstance(event, ChatMessage) for event in pair.handler.got)


async def test_half_a_character_is_refused(pair: Rig) -> None:
    """JSON can spell it, nothing can keep it."""
    raw = orjson.dumps(message(pair.peer, text="numbers HERE")).replace(b"HERE", rb"\ud800")
    assert (await pair.peer.post_raw(raw)).status == 400


async def test_what_is_too_large_is_refused(pair: Rig) -> None:
    assert (await pair.peer.post(message(pair.peer, text="x" * 1_100_000))).status == 413


NO_PRESS: list[Any] = [
    None,
    7,
    "go",
    [],
    {},
    {"action": 7},
    {"action": "go", "value": {"a": 1}},
    {"action": "x" * 10_000},
    {"verb": "go"},
    {"action": "go", "value": "x" * 10_000},
]
NO_DIALOG: list[Any] = [
    None,
    7,
    [],
    {},
    {"form": 7},
    {"form": "edit", "state": "x"},
    {"form": "edit", "name": 7},
    {"form": "edit", "name": {"a": 1}},
    {"form": "edit", "name": "x" * 50_000},
    {"form": "edit", "state": {"~way": 7}},
    {"form": "edit", "state": {"a": "x" * 50_000}},
    {"form": "edit", "live": 7},
    {"form": "edit", "action": ["go"]},
]


@pytest.mark.parametrize("data", NO_PRESS)
@pytest.mark.parametrize("kind", ["adaptiveCard/action", "task/fetch"])
async def test_a_press_that_is_none_of_ours_is_a_press_of_nothing(
    pair: Rig, kind: str, data: Any, logged: Callable[[], str]
) -> None:
    value = {"action": {"type": "Action.Execute", "verb": "go", "data": data}} if "Card" in kind else {"data": data}
    answer = await pair.peer.post(invoke(pair.peer, kind, value))
    press = pair.handler.last
    assert answer.status == 200
    assert isinstance(press, Press)
    assert (press.action, press.value) == ("", "")
    assert "Traceback" not in logged()


@pytest.mark.parametrize("data", NO_DIALOG)
async def test_a_dialog_that_is_none_of_ours_is_a_press_of_nothing(
    pair: Rig, data: Any, logged: Callable[[], str]
) -> None:
    answer = await pair.peer.post(invoke(pair.peer, "task/submit", {"data": data}))
    press = pair.handler.last
    assert answer.status == 200
    assert isinstance(press, Press)
    assert press.action == ""
    assert "Traceback" not in logged()


@pytest.mark.parametrize("way", ["", "x", "17.", ".17", "17.0123456789abcdef", "17.ä", "." * 500])
async def test_a_way_back_that_is_made_up_leads_nowhere(pair: Rig, way: str) -> None:
    await pair.peer.post(invoke(pair.peer, "task/submit", {"data": {"form": "edit", "state": {"~way": way}}}))
    assert instance_of(Submit, pair.handler.last).where.reply is None


@pytest.mark.parametrize("name", ["signin/verifyState", "composeExtension/query", "x" * 300])
async def test_an_invoke_that_we_know_nothing_of_is_not_implemented(pair: Rig, name: str) -> None:
    answer = await pair.peer.post(invoke(pair.peer, name, {}))
    assert answer.status == 501
    assert len(answer.body["error"]) < 200


async def test_a_value_that_is_none_is_a_press_of_nothing(pair: Rig) -> None:
    for value in (None, 7, "x", [1]):
        assert (await pair.peer.post(invoke(pair.peer, "task/submit", value))).status == 200
    assert (
        await pair.peer.post(invoke(pair.peer, "application/search", {"queryText": 7, "dataset": []}))
    ).status == 400
