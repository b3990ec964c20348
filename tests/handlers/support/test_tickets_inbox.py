"""The inbox as a list: in the chat and on the home screen, by view, page and star, kept up to date."""

import pytest

from handlers.framework.screens import Button, Buttons, ListItem, Screen, strip_markup
from tests.handlers.office import Office
from tests.handlers.world import company, screen, words


def rows(shown: Screen) -> list[str]:
    return [
        f"{b.title} | {strip_markup(b.details[0])}"
        for b in shown.blocks
        if isinstance(b, ListItem) and "SB-" in b.title
    ]


def buttons(shown: Screen) -> dict[str, Button]:
    """By what they say; those of rows by ticket and what they say."""
    found: dict[str, Button] = {}
    for block in shown.blocks:
        if isinstance(block, Buttons):
            found |= {button.label: button for button in block.buttons}
        if isinstance(block, ListItem) and "SB-" in block.title:
            number = next(word for word in block.title.split() if word.startswith("SB-"))
            found |= {f"{number} {b.label}": b for b in (*block.menu, *((block.button,) if block.button else ()))}
    return found


async def inbox(office: Office, user: str) -> Screen:
    return screen(await office.world.type(user, "inbox", name="support"))


async def press(office: Office, user: str, button: Button) -> Screen:
    return screen(await office.world.press(user, button))


async def test_whose_turn_it_is_and_since_when(office: Office) -> None:
    waiting, answered, pending, closed, free = [await office.create("UMAX", "email") for _ in range(5)]
    for ticket in (waiting, answered, pending, closed):
        await office.press("USAM", "desk.claim", ticket.number)
    office.world.later(minutes=5)
    await office.fill("USAM", "desk.reply", answered.number, {"reply": "On it."})
    await office.press("USAM", "desk.pend", pending.number)
    await office.press("USAM", "desk.close", closed.number)
    shown = await inbox(office, "UMAX")
    said = {row.split()[0]: row.partition(" | ")[2] for row in rows(shown)}
    assert "4 open" in words(shown)
    assert said["SB-1"].startswith("with Sam, waiting for an answer since")
    assert said["SB-2"].startswith("Sam answered")
    assert said["SB-3"].startswith("waiting for you since")
    assert said[free.display_number].startswith("new, waiting for a specialist since")
    (line,) = rows(await press(office, "UMAX", buttons(shown)["Closed tickets"]))
    assert "closed" in line
    # A super admin sees whose it is.
    assert all("| Max Miller · " in row for row in rows(await inbox(office, "UADA")))


async def test_pages_and_favorites(office: Office) -> None:
    for _ in range(12):
        await office.create("UMAX", "email")
        office.world.later(minutes=1)
    second = await press(office, "UMAX", buttons(await inbox(office, "UMAX"))["Next"])
    assert [row.split()[0] for row in rows(second)] == ["SB-2", "SB-1"]
    opened = await press(office, "UMAX", buttons(second)["SB-1 Open"])
    starred = await press(office, "UMAX", buttons(opened)["Add to favorites"])
    assert starred.title == "★ SB-1"
    favorites = await press(office, "UMAX", buttons(second)["Favorites"])
    assert [row.split()[:2] for row in rows(favorites)] == [["★", "SB-1"]]
    await press(office, "UMAX", buttons(starred)["Remove from favorites"])
    assert "No favorites" in words(await press(office, "UMAX", buttons(second)["Favorites"]))
    assert rows(await inbox(office, "UADA"))[0].startswith("SB-12"), "the star was the reader's own"


async def test_home_lists_tickets_and_is_drawn_anew_when_a_line_changes(office: Office) -> None:
    assert "No tickets yet" in words(await office.world.home("UMAX"))
    made = []
    for _ in range(7):
        made.append(await office.create("UMAX", "email"))
        office.world.later(minutes=1)
    home = await office.world.home("UMAX")
    assert [row.split()[0] for row in rows(home)] == ["SB-7", "SB-6", "SB-5", "SB-4", "SB-3"]
    more = await press(office, "UMAX", buttons(home)["Next"])
    assert [row.split()[0] for row in rows(more)] == ["SB-2", "SB-1"]
    assert "numbers" in words(more), "and the rest of it"
    await office.press("UMAX", "inbox.star", 2)
    assert rows(await press(office, "UMAX", buttons(more)["Favorites"]))[0].startswith("★ SB-2")

    async def redrawn() -> set[str]:
        return {e.body["to"]["user"] for e in await office.world.effects() if e.kind == "slack.home"}

    await redrawn()
    await office.press("USAM", "desk.claim", made[0].number)
    assert await redrawn() == {"UMAX"}
    await office.fill("USAM", "desk.note", made[0].number, {"note": "to ourselves"})
    assert await redrawn() == set(), "nothing on the list has changed"
    await office.world.home("UADA")
    await office.fill("USAM", "desk.reply", made[0].number, {"reply": "On it."})
    assert await redrawn() == {"UMAX", "UADA"}


async def test_home_of_who_can_write_no_ticket_has_none(office: Office) -> None:
    assert "All tickets" not in buttons(await office.world.home("UNOOR"))
    await office.world.apply(company(subscription={"line": "sales", "tier": "free"}))
    assert "All tickets" not in buttons(await office.world.home("UMAX"))


@pytest.mark.parametrize(
    "value", ["", "|||", "x|y|z", "9999999999|open|0|", "0|open|99999999|", "0|nowhere|0|", "0|fav|-1|", "²|all|²|"]
)
async def test_a_made_up_place_is_the_beginning(office: Office, value: str) -> None:
    await office.create("UMAX", "email")
    for action in ("inbox.all", "inbox.next", "home.all", "home.later"):
        assert "SB-1" in words(await office.press("UMAX", action, value)) or value == "0|fav|-1|"


async def test_nobody_stars_or_finds_what_is_not_theirs(office: Office) -> None:
    await office.create("UMAX", "email")
    assert "There is no ticket" in words(await office.press("UNOOR", "inbox.star", 1))
    assert "There is no ticket" in words(await office.press("UMAX", "inbox.star", 77))
    assert rows(await inbox(office, "UNOOR")) == []


async def test_a_tickets_own_screen_is_drawn_anew_in_its_place(office: Office) -> None:
    await office.create("UMAX", "email")
    opened = screen(await office.press("UMAX", "inbox.ticket", 1))
    assert opened.title == "SB-1"
    closed = await press(office, "UMAX", buttons(opened)["Close this ticket"])
    assert "Reopen this ticket" in buttons(closed)
    assert "Close this ticket" not in buttons(closed)
    at_desk = screen(await office.press("USAM", "inbox.ticket", 1))
    reopened = await press(office, "USAM", buttons(at_desk)["Reopen this ticket"])
    assert "Claim" in buttons(reopened)
    # A dialog that it opens is of the same ticket.
    assert "SB-1" in words(await office.press("USAM", "desk.reply", "1|here"))
    assert "There is no ticket" in words(await office.press("USAM", "desk.claim", "|here"))


async def test_a_screen_of_long_messages_keeps_its_buttons(office: Office) -> None:
    await office.create("UMAX", "email", Description="x" * 2_900)
    for n in range(12):
        await office.below("UMAX", 1, "person", f"{n} " + "y" * 30_000, message=f"m{n}")
    shown = screen(await office.press("UMAX", "inbox.ticket", 1))
    assert len(shown.blocks) < 45
    assert "The whole text is in the thread" in words(shown)
    assert {"Reply", "Close this ticket", "Add to favorites"} <= set(buttons(shown))
