"""The numbers workflow whole: the real bot on a real store, and people who do things in the pretend Slack."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.accounts_file import read_accounts
from bot.app import Overrides, running
from bot.settings import Settings
from bot.slack.settings import Settings as SlackSettings
from bot.wiring import Repositories, clock
from handlers.framework.ports import CodeDelivery
from playground.server import serve
from playground.slack.find import visible_text
from playground.slack.people import ActionResult
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel, User, View, World
from tests.bot.slack.peer import MANIFEST, SCOPES, SECRET, TEAM
from tests.servers import eventually

ACCOUNTS = f"""
accounts:
  - id: acme
    name: Acme
    created_on: 2024-03-05
    country: GB
    timezone: Europe/London
    subscription: {{line: both, tier: professional}}
    workspaces: [{{platform: slack, id: {TEAM}}}]
    people:
      - {{id: ada, name: Ada, slack: UADA, seat: sales, super_admin: true}}
      - {{id: robin, name: Robin, slack: UROBIN, seat: sales, super_admin: true}}
      - {{id: max, name: Max, slack: UMAX, seat: sales}}
      - {{id: lena, name: Lena, slack: ULENA, seat: service}}
      - {{id: noor, name: Noor, slack: UNOOR}}
    inventory: ["+442079460900", "+442079460901", "+442079460902", "+442079460903", "+4930901820000"]
"""
PEOPLE = ("ada", "robin", "max", "lena", "noor")


def make_world() -> World:
    world = World()
    world.add_workspace(TEAM, "Acme", scopes=SCOPES, bot_name="Switchboard")
    for name in PEOPLE:
        locale = "pl-PL" if name == "lena" else "en-GB"
        world.add_user(User(f"U{name.upper()}", TEAM, name, name.title(), f"{name}@example.com", locale=locale))
    world.add_channel(Channel("CGENERAL", TEAM, "general", [f"U{name.upper()}" for name in PEOPLE]))
    return world


class Office:
    """What people do, in a few words each. Waits for what the bot does after its answers."""

    def __init__(self, slack: PretendSlack) -> None:
        self.slack = slack

    async def type(self, who: str, text: str) -> str:
        """A command in the channel; what it is answered with, or nothing where a dialog opens instead."""
        before = self.slack.messages(who, "#general")
        outcome = await self.slack.command(who, "#general", "/numbers", text)
        assert outcome.ok, outcome
        await self.slack.settled()
        after = self.slack.messages(who, "#general")
        return visible_text(after[-1]) if len(after) > len(before) else ""

    async def press(self, who: str, name: str, within: str = "") -> None:
        """Something on the newest message in the channel."""
        pressed = await self.slack.press(who, self.slack.last(who, "#general"), name, within=within)
        assert pressed.ok, pressed
        await self.slack.settled()

    async def edit(self, who: str, number: str) -> View:
        await self.type(who, "")
        await self.press(who, "Edit", number)
        await self.until(lambda: self.slack.world.dialogs(self.slack.world.user(who).id))
        return self.slack.dialog(who)

    async def submit(self, who: str, **values: str) -> ActionResult:
        """Fields by their labels, with `_` for a space."""
        outcome = await self.slack.submit(who, {name.replace("_", " "): value for name, value in values.items()})
        await self.slack.settled()
        return outcome

    def dialogs(self, who: str) -> list[View]:
        return self.slack.world.dialogs(self.slack.world.user(who).id)

    def reads(self, who: str) -> str:
        """Everything before somebody: channel, direct messages, home."""
        shown = [visible_text(m) for m in (*self.slack.messages(who, "#general"), *self.slack.messages(who))]
        return "\n".join(shown)

    def home(self, who: str) -> str:
        return visible_text(self.slack.home(who))

    async def until(self, true: Callable[[], object]) -> None:
        await eventually(true, "what follows", 5.0)


@asynccontextmanager
async def office(folder: Path, *, phone: bool = True) -> AsyncIterator[Office]:
    """The bot and Slack, as they are before anybody does anything."""
    slack = PretendSlack(
        make_world(), MANIFEST, events_url="", signing_secret=SECRET, limited=False, retry_delays=(0.1,)
    )

    async def ring(number: str, text: str, via: CodeDelivery) -> None:
        slack.phone_ring(number, text, via)

    async def prepare(kept: Repositories) -> None:
        path = folder / "accounts.yaml"
        path.write_text(ACCOUNTS)
        await kept.accounts.apply(list(read_accounts(path).accounts), clock(Settings())())

    async with serve(slack):
        token = slack.world.workspaces[TEAM].token
        platform = SlackSettings(SECRET, token, None, None, None, slack.api_url)
        settings = Settings(data_dir=folder / "data", port=0, platforms={"slack": platform})
        async with running(settings, Overrides(phone=ring if phone else None, prepare=prepare)) as app:
            slack.delivery.url = f"{app.url}/slack/events"
            yield Office(slack)
            await slack.settled()
    assert slack.troubles == []
    assert slack.journal.refused() == []


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def test_a_number_from_getting_it_to_its_history(acme: Office) -> None:
    await acme.slack.open_home("ada")
    assert "No numbers yet" in acme.home("ada")
    await acme.slack.open_home("max")
    assert "You have no number yet" in acme.home("max")

    assert "020 7946 0900* is yours to use" in await acme.type("ada", "get GB")
    await acme.until(lambda: "020 7946 0900" in acme.home("ada"))
    assert "now belongs to Max" in await acme.type("ada", "assign 020 7946 0900 @max")
    await acme.until(lambda: "Ada gave you the number" in acme.reads("max"))
    await acme.until(lambda: "020 7946 0900" in acme.home("max"))
    assert "now ring 020 7946 0111" in await acme.type("ada", "forward (020) 7946-0900 +44 20 7946 0111")

    # A mistake in a field keeps the dialog, what was chosen and what was typed.
    await acme.edit("ada", "020 7946 0900")
    wrong = await acme.submit("ada", Assigned_to="Noor", Forwarding_number="999")
    assert "emergency" in wrong.errors["forwarding"]
    kept = str(acme.slack.dialog("ada").state)
    assert "noor" in kept
    assert "999" in kept
    assert (await acme.submit("ada", Forwarding_number="020 7946 0222")).ok
    assert acme.dialogs("ada") == []
    assert "Provided · Noor · forwards to 020 7946 0222" in await acme.type("robin", "list 0900")
    await acme.until(lambda: "Ada took the number" in acme.reads("max"))
    await acme.until(lambda: "Ada gave you the number" in acme.reads("noor"))

    assert await acme.type("ada", "delete 02079460900") == ""
    refused = await acme.submit("ada", Type_the_number_to_confirm="020 7946 0901")
    assert "That is not the number" in refused.errors["confirm"]
    assert (await acme.submit("ada", Type_the_number_to_confirm="+44 (0)20 7946 0900")).ok
    await acme.until(lambda: "is deleted" in acme.reads("ada"))
    await acme.until(lambda: "Ada deleted your number" in acme.reads("noor"))
    assert "0 of 3 numbers" in await acme.type("ada", "usage")
    assert "is back, as it was" in await acme.type("ada", "undo")
    await acme.until(lambda: "Provided · Noor" in acme.home("ada"))

    told = await acme.type("ada", "history 020 7946 0900")
    events = ("deletion undone", "deleted", "edited", "forwarding", "assigned", "acquired")
    assert [event for event in events if event in told] == list(events)
    places = [told.index(f"\n{event}") for event in events]
    assert places == sorted(places)  # the newest first


async def test_two_admins_edit_the_same_number(acme: Office) -> None:
    await acme.type("ada", "get GB")
    await acme.edit("ada", "020 7946 0900")
    await acme.edit("robin", "020 7946 0900")
    assert (await acme.submit("ada", Assigned_to="Max", Forwarding_number="020 7946 0111")).ok
    await acme.until(lambda: "020 7946 0900* belongs to Max" in acme.reads("ada"))

    assert (await acme.submit("robin", Assigned_to="Noor", Forwarding_number="020 7946 0222")).ok
    again = acme.slack.dialog("robin")
    news = " ".join(visible_text(again).split())
    assert "Ada changed this number meanwhile. It now belongs to Max and forwards to 020 7946 0111." in news
    typed = str(again.state)
    assert "020 7946 0222" in typed
    assert "noor" in typed
    assert "Provided · Max · forwards to 020 7946 0111" in await acme.type("ada", "")

    assert (await acme.submit("robin")).ok
    assert acme.dialogs("robin") == []
    assert "Provided · Noor · forwards to 020 7946 0222" in await acme.type("ada", "")


async def test_a_number_of_ones_own_with_a_code_from_the_phone(acme: Office) -> None:
    await acme.slack.open_home("max")
    assert await acme.type("max", "register 020 7946 0958") == ""
    assert (await acme.submit("max", Label="desk", Send_the_code_by="Text message")).ok
    await acme.until(lambda: acme.slack.world.phone)
    ring = acme.slack.world.phone[-1]
    assert (ring.number, ring.kind) == ("+442079460958", "sms")
    code = ring.text.split()[0]
    assert "You have no number yet" in acme.home("max")

    wrong = await acme.submit("max", Verification_code="000000" if code != "000000" else "111111")
    assert "code" in wrong.errors
    assert (await acme.submit("max", Verification_code=f"{code[:3]} {code[3:]}")).ok
    await acme.until(lambda: "is registered: you can call from it" in acme.reads("max"))
    await acme.until(lambda: "020 7946 0958" in acme.home("max"))
    assert "Registered · you · desk · default caller ID" in acme.home("max")
    assert "020 7946 0958" not in await acme.type("ada", "")

    await acme.type("max", "")
    await acme.press("max", "Delete", "020 7946 0958")
    await acme.until(lambda: acme.dialogs("max"))
    assert (await acme.submit("max")).ok
    await acme.until(lambda: "is no longer registered" in acme.reads("max"))
    await acme.until(lambda: "You have no number yet" in acme.home("max"))


async def test_registering_where_nothing_can_call_says_what_to_configure(tmp_path: Path) -> None:
    async with office(tmp_path, phone=False) as acme:
        assert "TWILIO_ACCOUNT_SID" in await acme.type("max", "register 020 7946 0958")
        assert acme.dialogs("max") == []


async def test_a_dialog_that_was_opened_by_a_command_confirms_where_it_can_be_read(acme: Office) -> None:
    assert await acme.type("ada", "get") == ""
    await acme.slack.fill("ada", {"Country": "Germany"})
    await acme.slack.settled()
    assert "+49 30 901820000" in visible_text(acme.slack.dialog("ada"))
    assert (await acme.submit("ada", Number="+49 30 901820000")).ok
    await acme.until(lambda: "+49 30 901820000* is yours to use" in acme.reads("ada"))
    assert "1 of 3 numbers" in await acme.type("ada", "")


async def test_everybody_reads_their_own_language(acme: Office) -> None:
    await acme.type("ada", "get GB")
    await acme.slack.open_home("lena")  # from here on her language is known
    assert "now belongs to Lena" in await acme.type("ada", "assign 02079460900 @lena")
    assert "020 7946 0900" in await acme.type("lena", "")
    assert "Numery telefonów" in acme.reads("lena")
    assert "Phone numbers" in await acme.type("robin", "")


async def test_what_is_written_to_the_bot_is_answered_there(acme: Office) -> None:
    await acme.slack.say("ada", "", "numbers get GB")
    await acme.until(lambda: "020 7946 0900* is yours to use" in acme.reads("ada"))
    await acme.slack.say("ada", "", "hello")
    await acme.until(lambda: "/numbers forward NUMBER NUMBER" in acme.reads("ada"))
    await acme.slack.say("max", "", "numbers get GB")
    await acme.until(lambda: "Only super admins can do this" in acme.reads("max"))
    await asyncio.sleep(0.2)
    assert "1 of 3 numbers" in await acme.type("ada", "")
