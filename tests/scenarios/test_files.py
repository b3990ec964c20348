"""A file goes in and another comes out, on each platform: what a handler writes once."""

import random
from collections.abc import Iterator

import pytest

from handlers.framework.context import Context
from handlers.framework.effects import file_effect, screen_effect
from handlers.framework.events import Address, ChatMessage
from handlers.framework.ports import FileGone, FileTooLarge
from handlers.framework.screens import Nothing, Paragraph, Response, Screen
from handlers.workflows import ROUTES
from tests.scenarios.stage import Cast

LIMIT = 2_000_000


@pytest.fixture(autouse=True)
def sorting() -> Iterator[list[ChatMessage]]:
    """The bot sorts lists: a file of the kind "list" comes back sorted."""
    came: list[ChatMessage] = []

    async def sort(ctx: Context, event: ChatMessage) -> Response:
        came.append(event)
        to = Address(ctx.actor.platform, ctx.actor.workspace, user=ctx.actor.user)
        (file,) = event.files
        content = b""
        try:
            async for chunk in ctx.services.files.read(file, ctx.actor.platform, ctx.actor.workspace, LIMIT):
                content += chunk
        except (FileGone, FileTooLarge) as no:
            return Screen("Not sorted", (Paragraph((f"That did not work: {type(no).__name__}",)),))
        lines = sorted(content.splitlines(keepends=True))
        blob = await ctx.services.blobs.put(ctx.snapshot, f"sorted-{event.id}", b"".join(lines), limit=LIMIT)
        done = Screen("Sorted", (Paragraph((f"{len(lines)} lines are sorted",)),))
        effects = (
            screen_effect(event.id, to, done),
            file_effect(event.id, to, f"sorted-{file.name}", "Sorted", "Here.", blob),
        )
        await ctx.services.changes.send_once(ctx.snapshot, event.id, effects)
        return Nothing()

    ROUTES.file("list")(sort)
    yield came
    del ROUTES.files["list"]


async def test_a_file_in_and_a_file_out(cast: Cast) -> None:
    lines = [f"{n:012}\r\n" for n in random.Random(1).sample(range(10**9), 60_000)]
    await cast.ada.drops("numbers.list", "".join(lines), "sort this")
    await cast.ada.sees("60000 lines are sorted")
    assert await cast.ada.gets_file("sorted-numbers.list") == "".join(sorted(lines)).encode()


async def test_the_same_message_five_times_acts_once(cast: Cast) -> None:
    await cast.ada.drops("numbers.list", "b\na\n")
    await cast.ada.repeats()
    assert await cast.ada.gets_file("sorted-numbers.list") == b"a\nb\n"
    await cast.stage.settled()
    assert cast.ada.times_told("2 lines are sorted") == 1


async def test_a_file_that_nobody_wants_and_one_that_is_too_large(cast: Cast) -> None:
    await cast.ada.drops("holiday.gif", b"GIF89a")
    await cast.ada.sees("holiday.gif goes along if you contact us", "What I read myself:")
    await cast.ada.drops("numbers.list", b"x\n" * (LIMIT // 2 + 1))
    await cast.ada.sees("That did not work: FileTooLarge")


async def test_two_people_get_their_own(cast: Cast) -> None:
    await cast.ada.drops("a.list", "2\n1\n")
    await cast.max.drops("b.list", "4\n3\n")
    assert await cast.ada.gets_file("sorted-a.list") == b"1\n2\n"
    assert await cast.max.gets_file("sorted-b.list") == b"3\n4\n"
    assert await cast.max._take("sorted-a.list") is None
