"""Who hears what is said below our posts: the handler that claims them, and nobody else."""

from collections.abc import Iterator

import pytest

from handlers.framework.context import Context
from handlers.framework.effects import post_effect
from handlers.framework.events import Address, ChatMessage, MessageDeletion, MessageEdit
from handlers.framework.screens import Nothing, Notice, Paragraph, Response, Screen
from handlers.workflows import ROUTES
from store.engine.accounts import AccountSnapshot
from store.engine.posts import Ledger, MessageRef
from tests.handlers.world import WORKSPACE, World, company

DESK = Address("slack", WORKSPACE, channel="CDESK")
HEAD = "CDESK:1.1"
Heard = list[tuple[str, str, str]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Claims posts of a kind that only this test knows."""
    got: Heard = []

    async def below(ctx: Context, event: ChatMessage | MessageEdit | MessageDeletion, key: str) -> Response:
        got.append((type(event).__name__, ctx.person.id, key))
        return Notice(Screen("Heard", (Paragraph(("heard",)),)))

    ROUTES.threads["probe"] = below
    yield got
    del ROUTES.threads["probe"]


async def note(world: World, key: str, message: str = HEAD) -> None:
    snapshot = await world.snapshot()
    await Ledger(world.store).record(snapshot.tag, "acme", key, MessageRef("slack", WORKSPACE, message))


async def test_below_a_claimed_post_its_handler_hears_everything(world: World, heard: Heard) -> None:
    await note(world, "probe:1:desk")
    ada = world.actor("UADA")
    said = ChatMessage(ada, "i1", ("hi",), DESK, text="hi", message="CDESK:1.2", thread=HEAD, overheard=True)
    assert isinstance(await world.router.handle(said), Notice)
    await world.router.handle(MessageEdit(ada, "i2", "CDESK:1.2", "ho", DESK, HEAD))
    await world.router.handle(MessageDeletion(world.actor("UMAX"), "i3", "CDESK:1.2", DESK, HEAD))
    assert heard == [
        (kind, who, "probe:1:desk")
        for kind, who in (("ChatMessage", "ada"), ("MessageEdit", "ada"), ("MessageDeletion", "max"))
    ]


async def test_what_hangs_below_nothing_of_ours_is_let_pass_unasked(world: World, heard: Heard) -> None:
    await note(world, "unclaimed:1:desk", "CDESK:5.5")
    for user in ("UADA", "UGUEST", "UBOT", "USTRANGER"):
        actor = world.actor(user)
        for thread in ("CDESK:9.9", "CDESK:5.5"):
            said = ChatMessage(
                actor, "i1", ("numbers",), DESK, text="numbers", message="CDESK:2", thread=thread, overheard=True
            )
            assert await world.router.handle(said) == Nothing()
        assert await world.router.handle(MessageEdit(actor, "i2", "CDESK:2", "x", DESK, "CDESK:9.9")) == Nothing()
        assert await world.router.handle(MessageDeletion(actor, "i3", "CDESK:2", DESK, None)) == Nothing()
    assert heard == []
    assert world.members.asked == 0
    assert await world.effects() == []


async def test_another_accounts_post_is_not_found(world: World, heard: Heard) -> None:
    snapshot = await world.snapshot()
    await Ledger(world.store).record(snapshot.tag, "globex", "probe:1:desk", MessageRef("slack", WORKSPACE, HEAD))
    said = ChatMessage(
        world.actor("UADA"), "i1", ("hi",), DESK, text="hi", message="CDESK:2", thread=HEAD, overheard=True
    )
    assert await world.router.handle(said) == Nothing()
    assert heard == []


async def test_a_post_moves_and_goes(world: World) -> None:
    snapshot = await world.snapshot()
    posts, ledger = world.posts, Ledger(world.store)
    await note(world, "ticket:1:desk")
    await note(world, "ticket:1:desk", "CDESK:2.2")  # taken away by somebody, and posted anew
    await note(world, "ticket:1:person", "D1:3.3")
    assert await posts.find(snapshot, "slack", WORKSPACE, HEAD) is None
    assert await posts.find(snapshot, "slack", WORKSPACE, "CDESK:2.2") == "ticket:1:desk"
    assert set(await posts.places(snapshot, "ticket:1")) == {"ticket:1:desk", "ticket:1:person"}
    await ledger.remove(snapshot.tag, "acme", "ticket:1:person")
    assert set(await posts.places(snapshot, "ticket:1")) == {"ticket:1:desk"}
    assert await posts.find(snapshot, "slack", WORKSPACE, "D1:3.3") is None
    assert await ledger.find(snapshot.tag, "acme", "ticket:1:person") is None


def test_posts_of_a_conversation_keep_their_order() -> None:
    snapshot = AccountSnapshot(company(), 1, "021")
    head = post_effect(snapshot, "change", DESK, "ticket:1:desk", Screen("", ()))
    below = post_effect(snapshot, "change", DESK, "ticket:1:m1", Screen("", ()), below="ticket:1:desk")
    gone = post_effect(snapshot, "later", DESK, "ticket:1:m1", None)
    assert {e.conv for e in (head, below, gone)} == {DESK.conversation}
    assert {e.kind for e in (head, below, gone)} == {"slack.post"}
    assert len({e.id for e in (head, below, gone)}) == 3
