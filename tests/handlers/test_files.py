"""Files dropped into the chat: who takes them, and what is said where nobody does."""

from collections.abc import Iterator

import pytest

from handlers.framework.context import Context
from handlers.framework.effects import TEXT_IN_EFFECT, file_effect, unpack_screen
from handlers.framework.events import Address, ChatMessage, File
from handlers.framework.screens import Paragraph, Response, Screen, strip_markup
from handlers.workflows import ROUTES
from store.engine import keys
from store.engine.effects import Effect
from tests import present
from tests.handlers.world import World, company, words


def csv(name: str = "numbers.csv", mime: str = "text/csv") -> File:
    return File("F1", name, 10, mime, "ref")


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("numbers.csv", "", "csv"),
        ("Numbers.CSV", "application/octet-stream", "csv"),
        ("numbers", "text/csv", "csv"),
        ("numbers", "TEXT/CSV", "csv"),
        ("numbers.csv.exe", "text/csv", "exe"),
        ("a.b c", "text/csv", "csv"),
        ("x." + "y" * 80, "", ""),
        ("", "", ""),
    ],
)
def test_the_kind_of_a_file(name: str, mime: str, kind: str) -> None:
    assert csv(name, mime).kind == kind


@pytest.fixture
def taken() -> Iterator[list[ChatMessage]]:
    """What a handler that wants files of the kind "list" got."""
    got: list[ChatMessage] = []

    async def take(ctx: Context, event: ChatMessage) -> Response:
        got.append(event)
        return Screen("Taken", (Paragraph((f"{len(event.files)} taken",)),))

    ROUTES.file("list")(take)
    yield got
    del ROUTES.files["list"]


async def told(world: World, user: str = "UADA") -> list[Screen]:
    snapshot = present(await world.accounts.at("slack", "T0WORLD"))
    waiting = await world.store.call("LRANGE", keys.outbox(snapshot.tag, f"slack:T0WORLD:{user}"), 0, -1)
    return [unpack_screen(Effect.decode(entry).body["screen"]) for entry in waiting]


async def test_a_file_goes_to_who_claims_its_kind_and_is_answered_once(world: World, taken: list[ChatMessage]) -> None:
    for _ in range(5):
        await world.drop("UADA", "numbers.list", b"x", "block these", id="D1:1.1")
    assert [f.name for f in taken[0].files] == ["numbers.list"]
    assert taken[0].words == ("block", "these")
    assert [screen.title for screen in await told(world)] == ["Taken"]


async def test_the_first_file_that_somebody_wants_decides(world: World, taken: list[ChatMessage]) -> None:
    await world.say("UADA", "", files=(csv("photo.gif", ""), csv("a.list"), csv("b.list")))
    assert len(taken) == 1


async def test_with_no_use_for_it_the_answer_says_what_can_be_used(world: World, taken: list[ChatMessage]) -> None:
    await world.drop("UADA", "photo.gif", b"x")
    (screen,) = await told(world)
    said = words(screen)
    assert "photo.gif goes along if you contact us within 60 minutes" in said
    assert "LIST" in said
    assert taken == []


async def test_where_there_is_nobody_to_contact_it_is_of_no_use(world: World, taken: list[ChatMessage]) -> None:
    await world.apply(company(subscription={"line": "sales", "tier": "free"}))
    await world.drop("UADA", "photo.gif", b"x")
    (screen,) = await told(world)
    (block,) = screen.blocks
    assert isinstance(block, Paragraph)
    assert "can't do anything with photo.gif" in strip_markup(block.text)
    assert "LIST" in strip_markup(block.text)
    assert taken == []


async def test_words_that_are_a_command_are_one_beside_any_file(world: World) -> None:
    await world.drop("UADA", "photo.gif", b"x", "numbers list")
    (screen,) = await told(world)
    assert screen.title.startswith("Phone numbers")


def test_a_file_on_its_way() -> None:
    to = Address("teams", "tenant", user="29:ada")
    one = file_effect("salt", to, "a.csv", "A list", "Here it is.", "number\n")
    assert (one.kind, one.conv) == ("teams.file", to.conversation)
    assert (
        one.id == file_effect("salt", to, "a.csv", "", "", "x").id != file_effect("salt", to, "b.csv", "", "", "x").id
    )
    assert one.body["text"] == "number\n"
    for content in ("", "ä" * (TEXT_IN_EFFECT // 2 + 1)):
        with pytest.raises(ValueError, match="blob"):
            file_effect("salt", to, "a.csv", "A", "", content)
