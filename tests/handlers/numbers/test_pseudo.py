"""Screens read in the pseudo-locale: every word stands in the brackets of a catalogue, or is a name or a number."""

import re

import pytest

from handlers.framework.events import Address, Command, HomeRequest, Press
from handlers.framework.screens import Response
from handlers.wording import PSEUDO
from tests.handlers.world import WORKSPACE, World, buttons, form, screen, words

DATA = {"Acme", "Ltd", "Ada", "Robin", "Max", "Miller", "Noor", "Ola", "Mia", "Kim", "desk", "kim", "example", "com"}
DATA.add("Nov")  # a date, in the form of its language


@pytest.fixture
async def world(world: World) -> World:
    for text in ("get GB", "get GB", "assign 02079460900 max", "forward 02079460900 02079460111"):
        await world.type("UADA", text)
    code = form(await world.submit("UADA", form(await world.type("UADA", "register 020 7946 0958")), {"Label": "desk"}))
    await world.submit("UADA", code, {"Verification code": "123456"})
    gone = form(await world.type("UADA", "delete 02079460901"))
    await world.submit("UADA", gone, {"Type the number to confirm": "+442079460901"})
    return world


async def typed(world: World, user: str, text: str) -> Response:
    where = Address("slack", WORKSPACE, user=user)
    event = Command(world.actor(user, locale=PSEUDO), world.id(), "numbers", tuple(text.split()), where)
    return await world.router.handle(event)


def outside(text: str) -> set[str]:
    """Words that no catalogue has said."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = shorter
    return set(re.findall(r"[^\W\d_]{2,}", text)) - DATA


@pytest.mark.parametrize("user", ["UADA", "UMAX", "UNOOR"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "list miller", "list 99999", "usage", "help", "frobnicate", "get", "register", "history 02079460900"),
        *("undo 1", "assign", "forward 1 2", "delete 02079460900", "get Atlantis", "forward 02079460900 999"),
    ],
)
async def test_nothing_is_said_outside_the_catalogues(world: World, user: str, text: str) -> None:
    shown = await typed(world, user, text)
    assert outside(words(shown)) <= {"Atlantis", "frobnicate", "miller"}
    for button in buttons(shown if not hasattr(shown, "blocks") else screen(shown)):  # type: ignore[arg-type] # a form or a screen
        assert outside(button.label) == set(), button
        assert outside(button.spoken or "") == set(), button


@pytest.mark.parametrize("user", ["UADA", "UMAX", "UNOOR"])
async def test_the_home_screen_and_every_dialog_behind_it(world: World, user: str) -> None:
    actor = world.actor(user, locale=PSEUDO)
    home = screen(await world.router.handle(HomeRequest(actor, Address("slack", WORKSPACE, user=user))))
    assert outside(words(home)) == set()
    for button in buttons(home):
        where = Address("slack", WORKSPACE, user=user)
        shown = await world.router.handle(Press(actor, world.id(), button.action, button.value, where))
        assert outside(words(shown)) == set(), button
