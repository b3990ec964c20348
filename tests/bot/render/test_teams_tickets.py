"""What the handlers of support show is taken by Teams: its size, its buttons, its schema."""

from bot.teams import cards, forms
from tests.bot.render.teams_schema import fits, pressable, problems
from tests.bot.render.teams_tickets import CODES, gathered
from tests.servers import Farm


async def test_every_screen_of_support_is_a_card_that_teams_takes(farm: Farm) -> None:
    screens, dialogs = await gathered(farm)
    made = {name: cards.card(screen) for name, screen in screens.items()}
    drawn = made | {f"dialog {name}": forms.card(form) for name, form in dialogs.items()}
    assert {name: found for name, card in drawn.items() if (found := problems(card))} == {}
    assert [name for name, card in drawn.items() if not fits(card)] == []
    behind = {name: [a for a in pressable(card) if a.get("mode") == "secondary"] for name, card in made.items()}
    assert not any(behind.values()), "whatever can be done is in sight, or in a menu of ours"
    assert CODES["Links"] in [action.get("url") for action in pressable(made["desk-new"])]
