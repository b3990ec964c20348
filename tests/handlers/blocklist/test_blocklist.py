"""The blocklist on a real store: who may, what is said, what happens twice or to two at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain.blocklist import BlocklistEntry, Direction, EntryKind
from handlers.framework.screens import Button, Checkbox, Done, Form, Notice, Screen
from tests.handlers.world import World, button, buttons, company, errors, form, screen, words

NUMBER = "+441214960777"
TYPED = "0121 496 0777"


async def entries(world: World) -> list[BlocklistEntry]:
    return [entry async for entry in world.blocklist.export(await world.snapshot())]


async def said(world: World, text: str, user: str = "UADA", name: str = "blocklist") -> str:
    return words(await world.type(user, text, name=name))


async def block(world: World, text: str = TYPED) -> None:
    assert "is blocked" in await said(world, f"block {text}", name="numbers")


# ── Adding ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_whole_command_blocks_at_once_with_its_reason(world: World) -> None:
    shown = await world.type("UADA", f"block {TYPED} sells nothing")
    assert "0121 496 0777 is blocked: calls from it and to it are rejected" in words(shown)
    (entry,) = await entries(world)
    assert (entry.value, entry.direction, entry.reason, entry.by) == (NUMBER, Direction.BOTH, "sells nothing", "ada")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("add +4870* premium", EntryKind.PREFIX, "+4870"),
        ("add 0121 496*", EntryKind.PREFIX, "+44121496"),
        ("add anonymous", EntryKind.ANONYMOUS, ""),
        ("add +44 121 496 0777", EntryKind.NUMBER, NUMBER),
    ],
)
async def test_numbers_starts_and_anonymous_callers(world: World, text: str, kind: EntryKind, value: str) -> None:
    await world.type("UADA", text, name="blocklist")
    (entry,) = await entries(world)
    assert (entry.kind, entry.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add hello", "There is no phone number in that"),
        ("add +44*", "at least 4 digits"),
        ("add +4*4", "star can only come last"),
        ("add 999", "Emergency numbers can't be blocked for outbound"),
        ("add 4.42E+11", "no phone number"),
        (f"add {TYPED} " + "x" * 201, "at most 200 characters"),
        ("add " + "1" * 100, "too long"),
        ("remove", "/blocklist remove NUMBER"),
        ("remove 0121 496 0999", "is not blocked"),
        ("check +4870*", "whole number"),
        ("check hello", "no phone number"),
        ("frobnicate", "I don't know “frobnicate”"),
        ("chek", "Did you mean check?"),
    ],
)
async def test_what_cannot_be_done_is_said(world: World, text: str, expected: str) -> None:
    assert expected in await said(world, text)
    assert await entries(world) == []


async def test_an_incomplete_command_opens_the_dialog(world: World) -> None:
    for text, name in (("block", "numbers"), ("add", "blocklist"), ("blocklist add", "switchboard")):
        assert form(await world.type("UADA", text, name=name)).title == "Add number"


async def test_the_dialog_with_direction_reason_and_expiry(world: World) -> None:
    opened = form(await world.type("UADA", "add", name="blocklist"))
    typed = {"Phone number": TYPED, "Direction": "Inbound", "Reason": "rude", "Expires": "30 days"}
    assert isinstance(await world.submit("UADA", opened, typed), Done)
    (entry,) = await entries(world)
    assert (entry.direction, entry.reason) == (Direction.INBOUND, "rude")
    assert entry.until is not None
    assert round((entry.until - world.now).total_seconds() / 86_400) == 30
    (line,) = await world.said("UADA")
    assert "calls from it are rejected" in line
    assert "It ends" in line


async def test_a_date_brings_a_field_for_it_and_keeps_what_was_typed(world: World) -> None:
    opened = form(await world.type("UADA", "add", name="blocklist"))
    values = {"number": TYPED, "direction": "inbound", "reason": "rude", "expires": "date"}
    redrawn = form(await world.press_raw("UADA", "expires", "date", form=opened.id, values=values))
    kept = {getattr(p, "name", ""): getattr(p, "value", "") for p in redrawn.parts}
    assert {k: kept[k] for k in values} == values
    assert errors(await world.submit("UADA", redrawn, {"Last day": "yesterday"}))["date"]
    assert "over already" in errors(await world.submit("UADA", redrawn, {"Last day": "2020-01-01"}))["date"]
    assert isinstance(await world.submit("UADA", redrawn, {"Last day": "2027-06-30"}), Done)
    (entry,) = await entries(world)
    assert entry.until == datetime(2027, 6, 30, 23, tzinfo=UTC)


async def test_values_that_no_form_offers_are_refused(world: World) -> None:
    opened = form(await world.type("UADA", "add", name="blocklist"))
    for name, value in (("direction", "sideways"), ("expires", "soon"), ("number", "=cmd()"), ("number", "")):
        values = {"number": TYPED, "direction": "both", "reason": "", "expires": "never", name: value}
        assert name in errors(await world.submit_raw("UADA", opened.id, {}, values))
    assert await entries(world) == []


async def test_what_is_there_already_changes_nothing_and_is_said(world: World) -> None:
    await block(world)
    before = await entries(world)
    assert "blocked already" in await said(world, f"add {TYPED} again")
    opened = form(await world.type("UADA", "add", name="blocklist"))
    assert "blocked already" in errors(await world.submit("UADA", opened, {"Phone number": NUMBER}))["number"]
    assert await entries(world) == before


async def test_the_same_request_five_times_blocks_once_and_answers_alike(world: World) -> None:
    assert len({words(await world.type("UADA", f"block {TYPED} x", id="same")) for _ in range(5)}) == 1
    opened = form(await world.type("UADA", "add", name="blocklist"))
    for _ in range(5):
        assert isinstance(await world.submit("UADA", opened, {"Phone number": "+4870*"}, id="sub"), Done)
    assert len(await entries(world)) == 2


async def test_two_admins_at_once_block_once(world: World) -> None:
    both = await asyncio.gather(*(world.type(user, f"block {TYPED}") for user in ("UADA", "UROBIN")))
    texts = [words(outcome) for outcome in both]
    assert sum("is blocked: calls" in text for text in texts) == 1
    assert sum("blocked already" in text for text in texts) == 1


# ── What is one's own ───────────────────────────────────────────────────────────────────────────────────────────


async def own(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.type("UADA", "assign 020 7946 0900 max")


async def test_ones_own_number_turns_the_dialog_to_a_warning_and_keeps_what_was_typed(world: World) -> None:
    await own(world)
    warned = form(await world.type("UADA", "block 020 7946 0900 a mistake"))
    assert "This is your own number 020 7946 0900. Calls to Max" in words(warned)
    assert any(isinstance(part, Checkbox) for part in warned.parts)
    again = form(await world.submit("UADA", warned, {"Direction": "Inbound"}))
    kept = {getattr(p, "name", ""): getattr(p, "value", "") for p in again.parts}
    assert (kept["number"], kept["reason"], kept["direction"]) == ("020 7946 0900", "a mistake", "inbound")
    assert await entries(world) == []
    values = {"number": "020 7946 0900", "direction": "inbound", "reason": "", "expires": "never", "sure": "yes"}
    assert isinstance(await world.submit_raw("UADA", again.id, again.state, values), Done)
    assert len(await entries(world)) == 1


async def test_the_box_counts_for_the_number_it_was_ticked_for(world: World) -> None:
    await own(world)
    await world.type("UADA", "get GB")
    warned = form(await world.type("UADA", "block 020 7946 0900"))
    values = {"number": "020 7946 0901", "direction": "both", "reason": "", "expires": "never", "sure": "yes"}
    assert isinstance(await world.submit_raw("UADA", warned.id, warned.state, values), Form)
    assert await entries(world) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add +44*", "at least"),
        ("add +4420794609*", "covers 1 of your own numbers: 020 7946 0900"),
        ("add +44 20 7946 0958", ""),
    ],
)
async def test_starts_that_cover_ones_own(world: World, text: str, expected: str) -> None:
    await own(world)
    assert expected in words(await world.type("UADA", text, name="blocklist"))


async def test_an_emergency_number_for_inbound_is_asked_about(world: World) -> None:
    opened = form(await world.type("UADA", "add", name="blocklist"))
    assert "direction" in errors(await world.submit("UADA", opened, {"Phone number": "999"}))
    warned = form(await world.submit("UADA", opened, {"Phone number": "999", "Direction": "Inbound"}))
    assert "999 is an emergency number" in words(warned)


async def test_a_registered_number_is_ones_own_too(world: World) -> None:
    code = form(await world.submit("UMAX", form(await world.type("UMAX", "register 020 7946 0958")), {}))
    await world.submit("UMAX", code, {"Verification code": "123456"})
    assert "own number 020 7946 0958. Calls to Max" in words(await world.type("UADA", "block 020 7946 0958"))


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_empty_list_says_what_to_do(world: World) -> None:
    shown = await world.type("UADA", "", name="blocklist")
    assert "Nothing is blocked yet" in words(shown)
    assert button(shown, "Add number").form
    assert button(shown, "Check").form


async def test_the_list_says_who_when_why_and_until(world: World) -> None:
    await block(world, f"{TYPED} rude caller")
    text = words(await world.type("UROBIN", "blocked"))
    assert "0121 496 0777" in text
    assert "Both directions · rude caller · Ada, " in text


async def test_five_hundred_entries_are_paged_and_searched(world: World) -> None:
    snapshot = await world.snapshot()
    some = [
        BlocklistEntry(
            kind=EntryKind.NUMBER, value=f"+44121496{n:04}", by="ada", at=world.now, reason="odd" if n % 2 else ""
        )
        for n in range(500)
    ]
    await world.blocklist.put(snapshot, some, world.now)
    shown = screen(await world.type("UADA", "list", name="blocklist"))
    assert "1–10 of 500" in words(shown)
    second = await world.press("UADA", button(shown, "Next"))
    assert "11–20 of 500" in words(second)
    assert "1–10 of 500" in words(await world.press("UADA", button(second, "Previous")))
    assert "1 entry fits “496 0123”" in await said(world, "list 496 0123")
    assert "250 entries fit “odd”" in await said(world, "list odd")
    assert "500 entries fit “Ada”" in await said(world, "list Ada")
    assert "No entry fits “nothing”" in await said(world, "list nothing")


async def test_a_million_imported_numbers_page_and_answer(world: World) -> None:
    snapshot = await world.snapshot()
    for start in range(0, 30_000, 5_000):
        await world.blocklist.bulk(snapshot, range(441_000_000_000 + start, 441_000_005_000 + start), Direction.BOTH)
    shown = screen(await world.type("UADA", "list", name="blocklist"))
    assert "1–10 of 30,000" in words(shown)
    assert "imported" in words(shown)
    assert "11–20 of 30,000" in words(await world.press("UADA", button(shown, "Next")))
    assert "1 entry fits" in await said(world, "list +441000000007")


@pytest.mark.parametrize("cursor", ["", "x", "d:-1", "d:99999999", "b:9:9:9:9", "b:1:1", "|||", "i:0:0:0:0", "😀"])
async def test_a_cursor_that_somebody_made_up(world: World, cursor: str) -> None:
    await block(world)
    assert "Blocklist" in words(await world.press_raw("UADA", "blocklist.next", f"{cursor}|"))


# ── Removing ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_removing_names_the_number_and_can_be_undone(world: World) -> None:
    await block(world, f"{TYPED} rude")
    shown = await world.type("UADA", "list", name="blocklist")
    remove = button(shown, "Remove", near="0121")
    assert remove.confirm is not None
    assert "0121 496 0777" in remove.confirm.text
    before = await entries(world)
    gone = await world.press("UADA", remove, id="r")
    assert "0121 496 0777 is no longer on the blocklist" in words(gone)
    assert await entries(world) == []
    assert "is back as it was" in words(await world.press("UADA", button(gone, "Undo")))
    assert await entries(world) == before


async def test_removing_by_command_asks_in_a_dialog(world: World) -> None:
    await block(world)
    asked = form(await world.type("UADA", f"unblock {TYPED}"))
    assert "0121 496 0777" in words(asked)
    assert asked.submit == "Remove"
    assert isinstance(await world.submit("UADA", asked, {}, id="x"), Done)
    assert isinstance(await world.submit("UADA", asked, {}, id="x"), Done)
    assert await entries(world) == []
    assert "no longer on the blocklist" in await world.told("UADA")


async def test_a_stale_press_explains_itself(world: World) -> None:
    await block(world)
    remove = button(await world.type("UADA", "list", name="blocklist"), "Remove", near="0121")
    await world.press("UADA", remove)
    assert "is not on the list any more" in words(await world.press("UROBIN", remove))
    undo = Button("Undo", "blocklist.undo", f"number|{NUMBER}")
    await world.press("UADA", undo)
    assert "blocked already" in words(await world.press("UROBIN", undo))


@pytest.mark.parametrize(
    "key", ["", "x", "number|", "number|+44121496077", "number|abc", "prefix|+", "allow|*", "a|b|c"]
)
@pytest.mark.parametrize("action", ["blocklist.remove", "blocklist.undo", "blocklist.unblock", "import.start"])
async def test_ids_from_screens_may_be_anything(world: World, action: str, key: str) -> None:
    await block(world)
    assert isinstance(await world.press_raw("UADA", action, key), Notice)
    assert len(await entries(world)) == 1


# ── Checking ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_check_says_for_both_directions_by_which_rule(world: World) -> None:
    assert "no rule is about it" in await said(world, f"check {TYPED}")
    await world.type("UADA", "add 0121 496* junk", name="blocklist")
    text = await said(world, f"check {TYPED}")
    assert text.count("Rejected by the rule +44121496*") == 2
    assert "junk" in text
    allow = form(await world.press_raw("UADA", "blocklist.allow", ""))
    assert isinstance(await world.submit("UADA", allow, {"Phone number": TYPED}), Done)
    assert (await said(world, f"check {TYPED}")).count("on the allow list") == 2
    opened = form(await world.type("UADA", "add", name="blocklist"))
    await world.submit("UADA", opened, {"Phone number": TYPED, "Direction": "Outbound"})
    text = await said(world, f"check {TYPED}")
    assert "A call from it: Let through: it is on the allow list" in text
    assert "A call to it: Rejected: the number itself is blocked" in text


async def test_check_in_the_dialog_and_anonymous(world: World) -> None:
    opened = form(await world.type("UADA", "check", name="blocklist"))
    assert "let through" in words(await world.submit("UADA", opened, {"Phone number": "anonymous"})).lower()
    await world.press_raw("UADA", "blocklist.anonymous_on", "")
    assert "callers without a number are blocked" in await said(world, "check anonymous")


async def test_an_entry_stops_at_the_second_and_is_cleared_away(world: World) -> None:
    opened = form(await world.type("UADA", "add", name="blocklist"))
    await world.submit("UADA", opened, {"Phone number": TYPED, "Expires": "1 day"})
    world.later(hours=23, minutes=59, seconds=59)
    assert "the number itself" in await said(world, f"check {TYPED}")
    world.later(seconds=1)
    assert "no rule is about it" in await said(world, f"check {TYPED}")
    assert len(await entries(world)) == 1
    await world.work()
    assert await entries(world) == []


# ── Switches ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_feature_is_switched_off_and_on(world: World) -> None:
    await block(world)
    more = await world.press_raw("UADA", "blocklist.more", "")
    off = await world.press("UADA", button(more, "Switch off"))
    assert "switched off: nothing is blocked" in words(off)
    assert "switched off" in await said(world, f"check {TYPED}")
    assert "switched off" in await said(world, "add 0121 496 0778")
    assert "was first" in words(await world.press_raw("UROBIN", "blocklist.switch_off", ""))
    await world.press("UADA", button(await world.type("UADA", "", name="blocklist"), "Switch on"))
    assert "the number itself" in await said(world, f"check {TYPED}")


async def test_anonymous_callers_are_switched(world: World) -> None:
    more = await world.press_raw("UADA", "blocklist.more", "")
    assert "without a number are let through" in words(more)
    on = await world.press("UADA", button(more, "Reject them"))
    assert "without a number are rejected" in words(on)
    off = await world.press("UADA", button(on, "Let them through"))
    assert "without a number are let through" in words(off)
    assert await entries(world) == []


async def test_an_account_without_the_feature_is_told(world: World) -> None:
    await world.apply(company(features={"blocklist": False}))
    for text in ("", "add", f"check {TYPED}", "export", "import"):
        assert "features: blocklist: false" in await said(world, text)
    assert "Blocklist" not in [b.label for b in buttons(screen(await world.type("UADA", "")))]


@pytest.mark.parametrize("user", ["UMAX", "UNOOR"])
@pytest.mark.parametrize("text", ["", "add", f"add {TYPED}", "remove", f"check {TYPED}", "import", "export", "list x"])
async def test_only_super_admins(world: World, user: str, text: str) -> None:
    assert "Only super admins can do this. Ask Ada" in await said(world, text, user)


@pytest.mark.parametrize(
    "action",
    [
        *("blocklist.show", "blocklist.add", "blocklist.remove", "blocklist.undo", "blocklist.more", "blocklist.allow"),
        *("blocklist.switch_off", "blocklist.anonymous_on", "blocklist.check", "blocklist.search", "blocklist.next"),
        *("blocklist.import", "blocklist.export", "import.start", "import.cancel", "import.show", "blocklist.news"),
    ],
)
async def test_presses_of_others_do_nothing(world: World, action: str) -> None:
    assert "Only super admins" in words(await world.press_raw("UMAX", action, f"number|{NUMBER}"))


async def test_the_numbers_list_and_home_lead_there(world: World) -> None:
    for shown in (await world.type("UADA", ""), await world.home("UADA")):
        assert "Nothing is blocked yet" in words(await world.press("UADA", button(shown, "Blocklist")))
    assert "Blocklist" not in [b.label for b in buttons(await world.home("UMAX"))]


async def test_help_and_the_other_name(world: World) -> None:
    assert "/blocklist check NUMBER" in await said(world, "help")
    assert "Nothing is blocked yet" in await said(world, "blocklist", name="switchboard")
    assert isinstance(await world.type("UADA", "0121 496", name="blocklist"), Screen)
