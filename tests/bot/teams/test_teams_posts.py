"""Posts and what is said below them; the other side is the pretend Teams, the ledger on a real store."""

from typing import Any

import pytest

from handlers.framework.effects import pack_address, pack_screen, post_removal_effect
from handlers.framework.events import Address, ChatMessage, MessageDeletion, MessageEdit
from handlers.framework.screens import Paragraph, Screen
from store.engine.accounts import AccountSnapshot
from store.engine.effects import Drop, Effect, Retry, Sent
from store.engine.posts import Ledger, MessageRef
from store.server.connection import Store
from tests import instance_of, present
from tests.bot.teams.rig import Rig
from tests.bot.teams.world import TENANT, Message
from tests.handlers.world import company

TAG = "021"


@pytest.fixture
async def desk(pair: Rig) -> Address:
    """A channel that the bot was added to."""
    place = pair.peer.add_place("desk", ["Ada", "Max"])
    await pair.complete(pair.peer.install("Ada", "desk"))
    pair.handler.got.clear()
    return Address("teams", TENANT, channel=place.id)


def put(key: str, text: str | None, to: Address, below: str | None = None) -> Effect:
    screen = None if text is None else pack_screen(Screen("", (Paragraph((text,)),)))
    body = {"account": "acme", "tag": TAG, "to": pack_address(to), "key": key, "screen": screen, "below": below}
    return Effect(to.conversation, "teams.post", body, f"id-{key}")


def cards(pair: Rig, user: str = "Max", where: str = "desk") -> list[Message]:
    return [m for m in pair.peer.messages(user, where) if m.sender.startswith("28:")]


def texts(pair: Rig, user: str = "Max", where: str = "desk") -> list[str]:
    return [message.words() for message in cards(pair, user, where)]


async def test_a_post_is_changed_where_it_stands(pair: Rig, desk: Address, store: Store) -> None:
    assert await pair.send(put("ticket:1:desk", "new", desk)) == Sent()
    assert await pair.send(put("ticket:1:desk", "claimed", desk)) == Sent()
    assert texts(pair) == ["claimed"]
    (card,) = cards(pair)
    assert await Ledger(store).find(TAG, "acme", "ticket:1:desk") == MessageRef(
        "teams", TENANT, f"{desk.channel}/{card.id}"
    )
    for _ in range(2):
        assert await pair.send(put("ticket:1:desk", None, desk)) == Sent()
    assert texts(pair) == []


async def test_what_stands_where_the_desk_was_is_posted_where_it_is(pair: Rig, desk: Address, store: Store) -> None:
    await Ledger(store).record(TAG, "acme", "ticket:1:desk", MessageRef("slack", "T1", "CDESK:1.2"))
    await Ledger(store).record(TAG, "acme", "ticket:2:desk", MessageRef("teams", TENANT, "19:old@thread.tacv2/7"))
    for number in (1, 2):
        assert isinstance(await pair.send(put(f"ticket:{number}:m1", "x", desk, f"ticket:{number}:desk")), Drop)
        assert await pair.send(put(f"ticket:{number}:desk", f"card {number}", desk)) == Sent()
    assert texts(pair) == ["card 1", "card 2"]


async def test_a_card_leaves_the_channel_that_the_desk_has_left(pair: Rig, desk: Address) -> None:
    place = pair.peer.add_place("new", ["Ada", "Max"])
    await pair.complete(pair.peer.install("Ada", "new"))
    new = Address("teams", TENANT, channel=place.id)
    await pair.send(put("ticket:1:desk", "card", desk))
    for _ in range(2):
        assert await pair.send(put("ticket:1:desk", "card", new)) == Sent()
    assert (texts(pair), texts(pair, where="new")[-1:]) == ([], ["card"])


async def test_below_a_post_goes_its_story(pair: Rig, desk: Address) -> None:
    await pair.send(put("ticket:1:desk", "card", desk))
    assert await pair.send(put("ticket:1:m1", "Ada: hello", desk, "ticket:1:desk")) == Sent()
    card, answer = cards(pair)
    assert answer.conversation == f"{desk.channel};messageid={card.id}"
    assert await pair.send(put("ticket:1:m1", "Ada: hello again", desk, "ticket:1:desk")) == Sent()
    assert texts(pair) == ["card", "Ada: hello again"]
    assert isinstance(await pair.send(put("ticket:2:m1", "x", desk, "ticket:2:desk")), Drop)


async def test_a_post_that_somebody_took_away_comes_again(pair: Rig, desk: Address) -> None:
    await pair.send(put("ticket:1:desk", "card", desk))
    pair.peer.world.messages.remove(cards(pair)[0])
    assert await pair.send(put("ticket:1:desk", "claimed", desk)) == Sent()
    assert texts(pair) == ["claimed"]
    pair.peer.refused.clear()  # asked for by taking it away


async def test_a_post_whose_place_is_forgotten_is_taken_away(pair: Rig, store: Store) -> None:
    await pair.complete(pair.peer.install("Ada"))
    before = texts(pair, "Ada", "")
    await pair.send(put("ticket:1:person", "your ticket", Address("teams", TENANT, "29:ada")))
    ledger = Ledger(store)
    place = present(await ledger.find(TAG, "acme", "ticket:1:person"))
    await ledger.remove(TAG, "acme", "ticket:1:person")
    made = post_removal_effect(AccountSnapshot(company(), 1, TAG), "erased", "ticket:1:person", place)
    assert texts(pair, "Ada", "") == [*before, "your ticket"]
    for _ in range(2):
        assert await pair.send(made) == Sent()
        assert texts(pair, "Ada", "") == before


async def test_in_a_chat_of_two_what_goes_below_goes_after(pair: Rig) -> None:
    await pair.complete(pair.peer.install("Ada"))
    ada = Address("teams", TENANT, "29:ada")
    await pair.send(put("ticket:1:person", "your ticket", ada))
    assert await pair.send(put("ticket:1:m1", "Sam: hello", ada, "ticket:1:person")) == Sent()
    assert [t for t in texts(pair, "Ada", "") if t in {"your ticket", "Sam: hello"}] == ["your ticket", "Sam: hello"]


async def test_in_a_chat_of_two_what_goes_below_says_below_what(pair: Rig, desk: Address) -> None:
    await pair.complete(pair.peer.install("Ada"))
    ada, about = Address("teams", TENANT, "29:ada"), "SB-1 · Nobody can log in"
    for text in ("Sam: hello", "Sam: hello again"):
        said = put("ticket:1:m1", text, ada, "ticket:1:person")
        said.body["screen"]["about"] = about
        assert await pair.send(said) == Sent()
        assert texts(pair, "Ada", "")[-1].split("\n")[-2:] == [about, text], "also where it was changed"
    await pair.send(put("ticket:1:desk", "card", desk))
    below = put("ticket:1:m1", "Sam: hello", desk, "ticket:1:desk")
    below.body["screen"]["about"] = about
    await pair.send(below)
    assert about not in "".join(texts(pair, "Max", "desk")), "a thread says so itself"


async def test_teams_is_slowed_down_for(pair: Rig, desk: Address) -> None:
    pair.peer.fail(429, after=7, method="POST", path="activities")
    assert await pair.send(put("ticket:1:desk", "card", desk)) == Retry(7.0, "Fault")


async def test_a_team_that_took_the_app_away_is_told(pair: Rig, desk: Address) -> None:
    lost: list[tuple[str, str, str]] = []

    async def tell(account: str, key: str, why: str) -> None:
        lost.append((account, key, why))

    sender: Any = pair.teams.senders["post"]
    sender._lost = tell  # given at wiring, which the rig has done
    await pair.peer.uninstall("Ada", "desk")
    outcome = instance_of(Drop, await pair.send(put("ticket:1:desk", "card", desk)))
    assert lost == [("acme", "ticket:1:desk", outcome.reason)]


async def test_messages_below_a_post_are_heard_with_their_changes(pair: Rig, desk: Address) -> None:
    await pair.send(put("ticket:1:desk", "card", desk))
    (card,) = cards(pair)
    await pair.complete(pair.peer.say("Ada", "look at this, @Max &amp; all", "desk", thread=card.id, aside=True))
    (heard,) = pair.handler.got
    said = pair.peer.world.messages[-1]
    thread, name = f"{desk.channel}/{card.id}", f"{desk.channel}/{said.id}"
    assert isinstance(heard, ChatMessage)
    assert (heard.thread, heard.message, heard.overheard) == (thread, name, True)
    assert heard.text == "look at this, @Max & all"
    await pair.complete(pair.peer.edit("Ada", said, "never mind", thread=card.id))
    changed = instance_of(MessageEdit, pair.handler.last)
    assert (changed.thread, changed.message, changed.text) == (thread, name, "never mind")
    await pair.complete(pair.peer.take_back("Ada", said, thread=card.id))
    removed = instance_of(MessageDeletion, pair.handler.last)
    assert (removed.thread, removed.message) == (thread, name)
    assert len({heard.id, changed.id, removed.id}) == 3


async def test_what_is_said_elsewhere_in_a_channel_is_nobodys_business(pair: Rig, desk: Address) -> None:
    await pair.complete(pair.peer.say("Ada", "lunch?", "desk", aside=True))
    assert pair.handler.got == []


async def test_a_mention_below_a_post_is_said_to_us(pair: Rig, desk: Address) -> None:
    await pair.send(put("ticket:1:desk", "card", desk))
    (card,) = cards(pair)
    await pair.complete(pair.peer.say("Ada", "@Switchboard help", "desk", thread=card.id))
    (heard,) = pair.handler.got
    assert isinstance(heard, ChatMessage)
    assert (heard.overheard, heard.thread, heard.words) == (False, None, ("help",))


async def test_a_slash_command_in_a_channel_is_said_to_us(pair: Rig, desk: Address) -> None:
    await pair.complete(pair.peer.say("Ada", "numbers", "desk", targeted=True))
    assert not instance_of(ChatMessage, pair.handler.last).overheard


async def test_nonsense_is_dropped(pair: Rig) -> None:
    assert isinstance(await pair.send(Effect("c", "teams.post", {"key": 1}, "e")), Drop)
