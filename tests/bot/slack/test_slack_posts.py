"""Posts and what is said below them; the other side is the pretend Slack, the ledger on a real store."""

import pytest

from handlers.framework.effects import pack_address, pack_screen, post_removal_effect
from handlers.framework.events import Address, ChatMessage, MessageDeletion, MessageEdit
from handlers.framework.screens import Paragraph, Screen
from playground.slack.find import visible_text
from playground.slack.world import Channel, Message
from store.engine.accounts import AccountSnapshot
from store.engine.effects import Drop, Effect, InDoubt, Retry, Sent
from store.engine.posts import Ledger, MessageRef
from store.server.connection import Store
from tests import instance_of, present
from tests.bot.slack.peer import TEAM, Rig
from tests.handlers.world import company

DESK = Address("slack", TEAM, channel="CGENERAL")
ADA = Address("slack", TEAM, "UADA")
TAG = "021"


def put(key: str, text: str | None, to: Address = DESK, below: str | None = None, id: str = "e1") -> Effect:
    screen = None if text is None else pack_screen(Screen("", (Paragraph((text,)),)))
    body = {"account": "acme", "tag": TAG, "to": pack_address(to), "key": key, "screen": screen, "below": below}
    return Effect(to.conversation, "post", body, id)


def seen(pair: Rig, user: str = "UMAX", where: str = "general") -> list[Message]:
    return pair.slack.messages(user, where)


def texts(pair: Rig, user: str = "UMAX", where: str = "general") -> list[str]:
    return [visible_text(message) for message in seen(pair, user, where)]


async def test_a_post_is_changed_where_it_stands(pair: Rig, store: Store) -> None:
    assert await pair.send(put("ticket:1:desk", "new")) == Sent()
    assert await pair.send(put("ticket:1:desk", "claimed", id="e2")) == Sent()
    assert texts(pair) == ["claimed"]
    (card,) = seen(pair)
    assert await Ledger(store).find(TAG, "acme", "ticket:1:desk") == MessageRef("slack", TEAM, f"CGENERAL:{card.ts}")
    assert await pair.send(put("ticket:1:desk", None, id="e3")) == Sent()
    assert texts(pair) == []
    assert await pair.send(put("ticket:1:desk", None, id="e3")) == Sent()
    assert await Ledger(store).find(TAG, "acme", "ticket:1:desk") is None


async def test_what_stands_where_the_desk_was_is_posted_where_it_is(pair: Rig, store: Store) -> None:
    await Ledger(store).record(TAG, "acme", "ticket:1:desk", MessageRef("teams", "tenant", "19:desk/1"))
    await Ledger(store).record(TAG, "acme", "ticket:2:desk", MessageRef("slack", TEAM, "COLD:1.2"))
    for number in (1, 2):
        lonely = await pair.send(put(f"ticket:{number}:m1", "x", below=f"ticket:{number}:desk", id=f"m{number}"))
        assert isinstance(lonely, Drop)
        assert await pair.send(put(f"ticket:{number}:desk", f"card {number}", id=f"e{number}")) == Sent()
    assert texts(pair) == ["card 1", "card 2"]
    assert present(await Ledger(store).find(TAG, "acme", "ticket:1:desk")).platform == "slack"


async def test_a_card_leaves_the_channel_that_the_desk_has_left(pair: Rig) -> None:
    world = pair.slack.world
    world.add_channel(Channel("CNEW", TEAM, "new", ["UMAX"]))
    new = Address("slack", TEAM, channel="CNEW")
    await pair.send(put("ticket:1:desk", "card"))
    await pair.send(put("ticket:2:desk", "another", id="e2"))
    pair.slack.faults.add("chat.delete", "ratelimited", retry_after=7)
    assert await pair.send(put("ticket:1:desk", "card", new, id="e3")) == Retry(7.0, "ratelimited")
    for _ in range(2):
        assert await pair.send(put("ticket:1:desk", "card", new, id="e3")) == Sent()
    assert (texts(pair), texts(pair, where="new")) == (["another"], ["card"])
    await pair.send(put("ticket:1:desk", "claimed", new, id="e4"))
    assert texts(pair, where="new") == ["claimed"]
    pair.slack.faults.add("chat.delete", "refuse", code="channel_not_found")
    assert await pair.send(put("ticket:2:desk", "another", new, id="e5")) == Sent(), "what it left stays where it is"
    assert (texts(pair), texts(pair, where="new")) == (["another"], ["claimed", "another"])


async def test_below_a_post_goes_its_story(pair: Rig) -> None:
    await pair.send(put("ticket:1:desk", "card"))
    assert await pair.send(put("ticket:1:m1", "Ada: hello", below="ticket:1:desk", id="e2")) == Sent()
    card, answer = seen(pair)
    assert answer.thread_ts == card.ts
    assert await pair.send(put("ticket:1:m1", "Ada: hello again", below="ticket:1:desk", id="e3")) == Sent()
    assert texts(pair) == ["card", "Ada: hello again"]
    assert isinstance(await pair.send(put("ticket:2:m1", "x", below="ticket:2:desk", id="e4")), Drop)


async def test_a_post_that_somebody_took_away_comes_again(pair: Rig) -> None:
    await pair.send(put("ticket:1:desk", "card"))
    pair.slack.world.remove(seen(pair)[0])
    assert await pair.send(put("ticket:1:desk", "claimed", id="e2")) == Sent()
    assert texts(pair) == ["claimed"]


async def test_a_post_to_a_person_is_a_direct_message(pair: Rig, store: Store) -> None:
    assert await pair.send(put("ticket:1:person", "your ticket", ADA)) == Sent()
    assert texts(pair, "UADA", "") == ["your ticket"]
    assert present(await Ledger(store).find(TAG, "acme", "ticket:1:person")).message.startswith("D")


async def test_a_post_whose_place_is_forgotten_is_taken_away(pair: Rig, store: Store) -> None:
    await pair.send(put("ticket:1:person", "your ticket", ADA))
    ledger = Ledger(store)
    place = present(await ledger.find(TAG, "acme", "ticket:1:person"))
    await ledger.remove(TAG, "acme", "ticket:1:person")
    made = post_removal_effect(AccountSnapshot(company(), 1, TAG), "erased", "ticket:1:person", place)
    assert "UADA" not in str(made)
    for _ in range(2):
        assert await pair.send(made) == Sent()
        assert texts(pair, "UADA", "") == []


async def test_a_card_left_behind_goes_and_the_new_one_stays_known(pair: Rig, store: Store) -> None:
    ledger, new = Ledger(store), MessageRef("teams", "tenant", "19:desk@thread.tacv2/7")
    await pair.send(put("ticket:1:desk", "card"))
    old = present(await ledger.find(TAG, "acme", "ticket:1:desk"))
    await ledger.record(TAG, "acme", "ticket:1:desk", new)
    made = post_removal_effect(AccountSnapshot(company(), 1, TAG), "moved", "ticket:1:desk", old)
    assert await pair.send(made) == Sent()
    assert texts(pair) == []
    assert await ledger.find(TAG, "acme", "ticket:1:desk") == new


@pytest.mark.parametrize("below", [None, "ticket:1:desk"])
async def test_what_may_have_been_posted_is_looked_for_first(pair: Rig, store: Store, below: str | None) -> None:
    await pair.send(put("ticket:1:desk", "card", id="head"))
    key = "ticket:1:m1" if below else "ticket:2:desk"
    await pair.send(put(key, "once", below=below, id="e2"))
    await Ledger(store).remove(TAG, "acme", key)  # the process died before it took note
    assert await pair.send(put(key, "once", below=below, id="e2"), in_doubt=True) == Sent()
    assert texts(pair) == ["card", "once"]
    assert await Ledger(store).find(TAG, "acme", key) is not None
    # And what had not arrived is posted.
    assert await pair.send(put("ticket:3:desk", "other", id="e3"), in_doubt=True) == Sent()
    assert texts(pair) == ["card", "once", "other"]


async def test_in_doubt_and_unable_to_look_it_waits(pair: Rig) -> None:
    pair.slack.faults.add("conversations.history", "error")
    with pytest.raises(InDoubt):
        await pair.send(put("ticket:1:desk", "card"), in_doubt=True)
    assert texts(pair) == []


async def test_an_answer_that_is_lost_leaves_one_post(pair: Rig) -> None:
    pair.slack.faults.add("chat.postMessage", "lost")
    with pytest.raises(InDoubt):
        await pair.send(put("ticket:1:desk", "card"))
    assert await pair.send(put("ticket:1:desk", "card"), in_doubt=True) == Sent()
    assert texts(pair) == ["card"]


async def test_slack_is_slowed_down_for(pair: Rig) -> None:
    pair.slack.faults.add("chat.postMessage", "ratelimited", retry_after=7)
    assert await pair.send(put("ticket:1:desk", "card")) == Retry(7.0, "ratelimited")


async def test_a_channel_that_is_closed_to_us_is_told(pair: Rig) -> None:
    lost: list[tuple[str, str, str]] = []

    async def tell(account: str, key: str, why: str) -> None:
        lost.append((account, key, why))

    pair.adapter.senders["post"]._lost = tell  # type: ignore[attr-defined] # given at wiring, which the rig has done
    secret = Channel("CSECRET", TEAM, "secret", ["UADA"], is_private=True)
    pair.slack.world.add_channel(secret, bot=False)
    away = Address("slack", TEAM, channel="CSECRET")
    assert await pair.send(put("ticket:1:desk", "card", away)) == Drop("channel_not_found")
    assert lost == [("acme", "ticket:1:desk", "channel_not_found")]


async def test_nonsense_is_dropped(pair: Rig) -> None:
    assert isinstance(await pair.send(Effect("c", "post", {"key": 1}, "e")), Drop)


# ── What people say below ───────────────────────────────────────────────────────────────────────────────────────


async def test_messages_below_a_post_are_heard_with_their_changes(pair: Rig) -> None:
    await pair.send(put("ticket:1:desk", "card"))
    (card,) = seen(pair)
    pair.handler.got.clear()
    said = await pair.slack.say(
        "UADA", "general", "look at <https://example.com/a|this> & that, @max", thread_ts=card.ts
    )
    await pair.slack.settled()
    thread, name = f"CGENERAL:{card.ts}", f"CGENERAL:{said.ts}"
    (heard,) = pair.handler.got
    assert isinstance(heard, ChatMessage)
    assert (heard.thread, heard.message, heard.overheard, heard.where) == (thread, name, True, DESK)
    assert heard.text.startswith("look at ")
    await pair.slack.change("UADA", said, "never mind")
    await pair.slack.settled()
    changed = instance_of(MessageEdit, pair.handler.last)
    assert (changed.thread, changed.message, changed.text, changed.actor.user) == (thread, name, "never mind", "UADA")
    await pair.slack.take_back("UADA", said)
    await pair.slack.settled()
    removed = instance_of(MessageDeletion, pair.handler.last)
    assert (removed.thread, removed.message, removed.actor.user) == (thread, name, "UADA")
    assert len({heard.id, changed.id, removed.id}) == 3


async def test_below_a_post_to_a_person_it_is_said_to_us(pair: Rig) -> None:
    await pair.send(put("ticket:1:person", "your ticket", ADA))
    (head,) = seen(pair, "UADA", "")
    await pair.slack.say("UADA", "", "more about it", thread_ts=head.ts)
    await pair.slack.settled()
    heard = instance_of(ChatMessage, pair.handler.last)
    assert (heard.thread, heard.overheard, heard.text) == (f"{head.channel}:{head.ts}", False, "more about it")


async def test_what_is_said_elsewhere_in_a_channel_is_nobodys_business(pair: Rig) -> None:
    pair.handler.got.clear()
    root = await pair.slack.say("UADA", "general", "lunch?")
    await pair.slack.change("UADA", root, "dinner?")
    await pair.slack.take_back("UADA", root)
    await pair.slack.settled()
    assert pair.handler.got == []


async def test_a_mention_below_a_post_is_said_to_us_once(pair: Rig) -> None:
    await pair.send(put("ticket:1:desk", "card"))
    (card,) = seen(pair)
    pair.handler.got.clear()
    await pair.slack.say("UADA", "general", "@switchboard help", thread_ts=card.ts)
    await pair.slack.settled()
    (heard,) = pair.handler.got
    assert isinstance(heard, ChatMessage)
    assert (heard.overheard, heard.thread, heard.words) == (False, None, ("help",))
