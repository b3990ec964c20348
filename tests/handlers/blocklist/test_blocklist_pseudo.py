"""The blocklist's screens in the pseudo-locale: every word is a catalogue's, or a name, a number, or what was typed."""

import pytest

from handlers.framework.events import Address, Command, Press
from handlers.framework.screens import Screen
from handlers.wording import PSEUDO
from tests.handlers.numbers.test_pseudo import outside
from tests.handlers.world import WORKSPACE, World, buttons, screen, words

TYPED = {"rude", "frobnicate", "hello", "block", "csv", "cmd"}


@pytest.fixture
async def world(world: World) -> World:
    await world.type("UADA", "get GB")
    for text in ("add 0121 496 0777 rude", "add +4870*", "add anonymous"):
        await world.type("UADA", text, name="blocklist")
    return world


@pytest.mark.parametrize("user", ["UADA", "UMAX"])
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "list rude",
            "list 9999",
            "add",
            "add hello",
            "add 0121 496 0777",
            "add 020 7946 0900",
            "add +4420794609*",
        ),
        *("remove", "remove 0121 496 0777", "check", "check 0121 496 0777", "check +48701234567", "check anonymous"),
        *("import", "export", "help", "frobnicate", "add 999", "add +44*"),
    ],
)
async def test_nothing_is_said_outside_the_catalogues(world: World, user: str, text: str) -> None:
    where = Address("slack", WORKSPACE, user=user)
    event = Command(world.actor(user, locale=PSEUDO), world.id(), "blocklist", tuple(text.split()), where)
    shown = await world.router.handle(event)
    assert outside(words(shown)) <= TYPED
    for button in buttons(shown if not hasattr(shown, "blocks") else screen(shown)):  # type: ignore[arg-type] # a form or a screen
        assert outside(button.label) == set(), button
        assert outside(button.spoken or "") == set(), button
        if button.confirm:
            assert outside(f"{button.confirm.title} {button.confirm.text} {button.confirm.yes}") == set(), button


@pytest.mark.parametrize("action", ["blocklist.more", "blocklist.allow", "blocklist.search", "blocklist.switch_off"])
async def test_what_lies_behind_buttons(world: World, action: str) -> None:
    actor = world.actor("UADA", locale=PSEUDO)
    where = Address("slack", WORKSPACE, user="UADA", reply="here")
    shown = await world.router.handle(Press(actor, world.id(), action, "", where))
    assert outside(words(shown)) <= TYPED
    if isinstance(shown, Screen):
        assert all(outside(button.label) == set() for button in buttons(shown))
