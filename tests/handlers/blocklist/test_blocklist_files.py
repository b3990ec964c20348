"""Blocklist files dropped into the chat, and sent out of it."""

import asyncio
import io

import pytest

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from handlers.blocklist import csv_file
from handlers.framework.effects import unpack_screen
from handlers.framework.ports import FileGone, FileTooLarge, ImportContext, Unavailable
from handlers.framework.screens import Screen
from store.blocklist.blocklist import Blocklist
from store.engine.blobs import Blobs
from store.engine.effects import Effect
from tests.handlers.world import World, button, company, words

FEW = """\
number,direction,reason,expires
0121 496 0777,in,rude,
+4870*,,,2027-06-30
anonymous,,,
+441214960778,allow,,
"""


async def entries(world: World) -> list[BlocklistEntry]:
    return [entry async for entry in world.blocklist.export(await world.snapshot())]


async def told(world: World) -> list[Screen]:
    """What the outbox holds as screens."""
    return [unpack_screen(e.body["screen"]) for e in await world.effects() if e.kind == "slack.screen"]


async def dropped(world: World, text: str | bytes, name: str = "block.csv", user: str = "UADA") -> Screen:
    """The last that is said of a file once it was read."""
    await world.drop(user, name, text.encode() if isinstance(text, str) else text)
    await world.work()
    return (await told(world))[-1]


async def test_a_file_is_shown_before_it_is_imported_and_twice_changes_nothing(world: World) -> None:
    await world.drop("UADA", "block.csv", FEW.encode())
    await world.work()
    reading, preview = await told(world)
    assert "I am reading block.csv. Nothing is changed" in words(reading)
    assert "block.csv holds 4 lines" in words(preview)
    assert "New: 4 · there already: 0 · refused: 0" in words(preview)
    assert await entries(world) == []
    assert "block.csv is being imported" in words(await world.press("UADA", button(preview, "Import")))
    await world.work()
    (report,) = await told(world)
    assert "Added: 4 · there already: 0 · refused: 0" in words(report)
    found = {entry.key: entry for entry in await entries(world)}
    assert set(found) == {"number|+441214960777", "prefix|+4870", "anonymous", "allow|+441214960778"}
    one = found["number|+441214960777"]
    assert (one.direction, one.reason, one.by, one.source) == (Direction.INBOUND, "rude", "ada", "import")
    before = await entries(world)
    again = await dropped(world, FEW)
    assert "New: 0 · there already: 4" in words(again)
    await world.press("UADA", button(again, "Import"))
    await world.work()
    assert "Added: 0 · there already: 4" in words((await told(world))[-1])
    assert await entries(world) == before


async def test_what_needs_a_second_yes_is_named_and_left_out_without_it(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.effects()
    text = "number,direction\n020 7946 0900,\n999,in\n0121 496 0777,\n"
    preview = await dropped(world, text)
    assert "2 lines need a second yes" in words(preview)
    assert "your own number 020 7946 0900" in words(preview)
    assert "999 is an emergency number" in words(preview)
    all_ = button(preview, "Import these too")
    assert all_.confirm is not None
    assert "020 7946 0900" in all_.confirm.text
    await world.press("UADA", button(preview, "Import"))
    await world.work()
    assert [e.value for e in await entries(world)] == ["+441214960777"]
    await world.effects()
    preview = await dropped(world, text, "again.csv")
    await world.press("UADA", button(preview, "Import these too"))
    await world.work()
    assert len(await entries(world)) == 3


LINES = {
    "4.42E+11": "A spreadsheet shortened the number",
    "=cmd()": "holds a formula",
    "1" * 100: "too long for a phone number",
    "hello": "There is no phone number in that",
    "999": "Emergency numbers can't be blocked for outbound",
    "+44*": "at least 4 digits",
    "0121 496 0777 x12": "extension",
    "0121 496 0778,sideways": "inbound, outbound or both",
    "0121 496 0779,,=1+1": "reason holds a formula",
    "0121 496 0780,,,2020-01-01": "over already",
    "0121 496 0781,,,soon": "Type when it ends",
    "+44 121 496 0999,": "is in line 2 already",
    "0121 496 0782,,,,more": "more cells than the header",
    "0121 496 0783,,{}".format("x" * 300): "at most 200 characters",
    "+4870*,allow": "whole numbers",
}


@pytest.mark.parametrize("line", LINES)
async def test_a_line_is_refused_with_its_number_and_the_reason(world: World, line: str) -> None:
    preview = await dropped(world, f"number,direction,reason,expires\n01214960999,,,\n{line}\n")
    assert "New: 1 · there already: 0 · refused: 1" in words(preview)
    assert "Line 3: " in words(preview)
    assert LINES[line] in words(preview)


WRONG: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "Expected a header such as number,direction,reason,expires"),
    "a near column": ("nummber\n1", "did you mean “number”?"),
    "no header": ("+441214960777\n", "is not known"),
    "a column twice": ("number,phone\n", "twice"),
    "no number": ("reason\nx\n", "“number” is missing"),
    "not text": (b"number\n\xff\xfe\n", "Not text in UTF-8"),
    "UTF-16": ("number\n+441214960777\n".encode("utf-16"), "UTF-16"),
    "an open quote": ('number,reason\n+441214960777,"open\n', "quotation mark is open"),
    "a quote inside": ('number,reason\n+441214960777,"a"b\n', "can't be read as CSV"),
    "nothing but zeros": (b"\0" * 4000, "not known"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "UTF-8"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_file_is_refused_whole(world: World, name: str) -> None:
    content, expected = WRONG[name]
    said = words(await dropped(world, content))
    assert "block.csv was not imported" in said
    assert expected in said
    assert await entries(world) == []


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + FEW,
        FEW.replace("\n", "\r\n"),
        FEW.replace(",", ";"),
        FEW.replace(",", "\t"),
        FEW.replace("rude", '"rude"').replace("0121 496 0777", '"(0121) 496-0777"'),
        FEW.replace("number,direction,reason,expires", "Phone Number, CALLS ,Note,expires_on"),
        FEW.replace("anonymous", "\n\n,,,\nanonymous"),
    ],
)
async def test_the_forms_a_spreadsheet_writes(world: World, text: str) -> None:
    assert "New: 4 · there already: 0 · refused: 0" in words(await dropped(world, text))


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (FileGone(), "not there any more"),
        (FileTooLarge(), "larger than 50 MB"),
        (Unavailable("x"), "could not be fetched"),
    ],
)
async def test_a_file_that_cannot_be_had(world: World, problem: Exception, expected: str) -> None:
    await world.drop("UADA", "block.csv", b"x")
    world.files.contents["block.csv"] = problem
    for _ in range(4):
        await world.work()
        world.later(minutes=1)
    assert expected in words((await told(world))[-1])


async def test_others_than_super_admins_are_told(world: World) -> None:
    await world.drop("UMAX", "block.csv", FEW.encode())
    await world.work()
    (only,) = await told(world)
    assert "Only super admins" in words(only)
    assert await entries(world) == []


async def test_a_super_admin_no_more_imports_nothing(world: World) -> None:
    preview = await dropped(world, FEW)
    await world.press("UADA", button(preview, "Import"))
    people = [p.model_dump(by_alias=True) for p in company().people]
    for person in people:
        person["super_admin"] = person["id"] != "ada"
    await world.apply(company(people=people))
    await world.work()
    assert await entries(world) == []


async def test_many_refused_lines_come_as_a_file(world: World) -> None:
    text = "number\n" + "".join(f"=x{n}\n" for n in range(50)) + "0121 496 0777\n"
    preview = await dropped(world, text)
    assert "50 lines are refused" in words(preview)
    assert "And 40 more, all in the file" in words(preview)
    await world.press("UADA", button(preview, "Import"))
    await world.work()
    (file,) = [e for e in await world.effects() if e.kind == "slack.file"]
    lines = (await content(world, file)).splitlines()
    assert len(lines) == 51
    assert lines[0] == "\ufeffLine,Written,Why"
    assert lines[1].startswith("2,'=x0,")


async def content(world: World, file: Effect) -> str:
    return b"".join([c async for c in Blobs(world.store).read(file.body["blob"])]).decode()


# ── In steps ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of six lines are long ones."""
    monkeypatch.setattr(csv_file, "IMPORT_DETAILED", 5)


def long(count: int, start: int = 0) -> str:
    return "number\n" + "".join(f"+44121{n:07}\n" for n in range(start, start + count))


@pytest.mark.usefixtures("small")
async def test_a_long_file_is_kept_compact_and_pressed_twice_runs_once(world: World) -> None:
    preview = await dropped(world, long(20_000))
    assert "kept without who and when" in words(preview)
    start = button(preview, "Import")
    await asyncio.gather(*(world.press(user, start) for user in ("UADA", "UROBIN")))
    await asyncio.gather(world.work(), world.work())
    assert "Added: 20,000 · there already: 0" in words((await told(world))[-1])
    assert len(await entries(world)) == 20_000
    preview = await dropped(world, long(20_000, 10_000), "more.csv")
    assert "New: 10,000 · there already: 10,000" in words(preview)
    assert "Added: 20,000" in words(await world.press("UADA", start))  # a stale press shows how it ended


@pytest.mark.usefixtures("small")
async def test_an_import_can_be_stopped_and_says_what_was_added(world: World) -> None:
    preview = await dropped(world, long(40_000))
    progress = await world.press("UADA", button(preview, "Import"))
    assert "was stopped. Added: 0" in words(await world.press("UADA", button(progress, "Stop")))
    await world.work()
    assert await entries(world) == []
    assert "was stopped" in words(await world.press("UADA", button(preview, "Import")))


async def die(world: World, monkeypatch: pytest.MonkeyPatch, name: str, step: int) -> None:
    """A process dies after its nth call of that method of the blocklist, and another one takes over."""
    method, taken = getattr(Blocklist, name), 0

    async def dies(*args: object, **more: object) -> object:
        nonlocal taken
        taken += 1
        made = await method(*args, **more)
        if taken == step:
            raise KeyboardInterrupt
        return made

    with monkeypatch.context() as patched:
        patched.setattr(Blocklist, name, dies)
        with pytest.raises(KeyboardInterrupt):
            await world.work()
    await world.work_after(seconds=20)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("step", [1, 2, 3, 8])
async def test_a_process_that_dies_in_the_middle_is_followed_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    preview = await dropped(world, long(40_000))
    await world.press("UADA", button(preview, "Import"))
    await die(world, monkeypatch, "bulk", step)
    assert "Added: 40,000 · there already: 0" in words((await told(world))[-1])
    assert len(await entries(world)) == 40_000


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("step", [1, 2, 3])
async def test_what_an_import_added_itself_before_it_died_is_not_there_already(
    world: World, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    await world.type("UADA", "add +442079461005", name="blocklist")
    lines = "".join(f"+44207946{1_000 + n},fraud {n}\n" for n in range(1_200))
    preview = await dropped(world, f"number,reason\n{lines}")
    await world.press("UADA", button(preview, "Import"))
    before = len(await entries(world))
    await die(world, monkeypatch, "put", step)
    assert (before, len(await entries(world))) == (1, 1_200)
    assert "Added: 1,199 · there already: 1" in words((await told(world))[-1])


@pytest.mark.usefixtures("small")
async def test_a_process_that_stops_in_the_middle_gives_the_rest_back_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = await dropped(world, long(40_000))
    await world.press("UADA", button(preview, "Import"))
    taken = asyncio.Event()
    bulk = Blocklist.bulk

    async def tells(*args: object, **more: object) -> object:
        made = await bulk(*args, **more)  # type: ignore[arg-type] # handed on as it came
        if len(await entries(world)) > 10_000:
            taken.set()
            await asyncio.sleep(60)
        return made

    with monkeypatch.context() as patched:
        patched.setattr(Blocklist, "bulk", tells)
        process = asyncio.create_task(world.work())
        await taken.wait()
        process.cancel()
        await asyncio.gather(process, return_exceptions=True)
    await world.work()
    assert "Added: 40,000 · there already: 0" in words((await told(world))[-1])


# ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def exported(world: World) -> str:
    await world.type("UADA", "export", name="blocklist")
    await world.work()
    (file,) = [e for e in await world.effects() if e.kind == "slack.file"]
    return await content(world, file)


REASONS = ["=1+1", "+1", "-1", "@x", "'quoted", "a, b", 'say "no"', "ordinary", "ś 日本"]


async def test_an_export_carries_no_formula_and_comes_back_as_it_went(world: World) -> None:
    snapshot = await world.snapshot()
    some = [
        BlocklistEntry(
            kind=EntryKind.NUMBER, value=f"+44121496{n:04}", reason=reason, by="ada", at=world.now, source="import"
        )
        for n, reason in enumerate(REASONS)
    ]
    some.append(
        BlocklistEntry(kind=EntryKind.PREFIX, value="+4870", direction=Direction.INBOUND, by="ada", at=world.now)
    )
    some.append(BlocklistEntry(kind=EntryKind.ALLOW, value="+441214960777", by="ada", at=world.now))
    some.append(BlocklistEntry(kind=EntryKind.ANONYMOUS, direction=Direction.INBOUND, by="ada", at=world.now))
    await world.blocklist.put(snapshot, some, world.now)
    text = await exported(world)
    for line in text.splitlines()[1:]:
        reason = line.split(",")[2].strip('"')
        assert not reason.startswith(("=", "+", "-", "@")), line
    assert f"New: 0 · there already: {len(some)} · refused: 0" in words(await dropped(world, text))
    for entry in some:
        await world.type("UADA", f"x {entry.key}", name="blocklist")
        assert await world.blocklist.get(snapshot, entry.key) is not None
    found: dict[str, BlocklistEntry] = {}
    digest = csv_file.read_file(io.BytesIO(text.encode()), asked(world))
    for piece in digest:
        if isinstance(piece, bytes):
            found |= {e.key: e for e in csv_file.read_frame(piece).entries}
    assert {k: (e.direction, e.reason, e.until) for k, e in found.items()} == {
        e.key: (e.direction, e.reason, e.until) for e in some
    }


def asked(world: World) -> ImportContext:
    return ImportContext(company(), frozenset(), "ada", world.now)


async def test_an_empty_export_says_so(world: World) -> None:
    assert "nothing to export" in words(await world.type("UADA", "export", name="blocklist"))


async def test_import_asks_for_the_file_first(world: World) -> None:
    said = words(await world.type("UADA", "import", name="blocklist"))
    assert "Drop a CSV file" in said
    assert "number,direction,reason,expires" in said
