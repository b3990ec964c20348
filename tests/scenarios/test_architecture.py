"""The journeys of docs/architecture.md, gone: each passes the files that the page lists."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from playground.twilio.server import serve_twilio
from tests import ROOT
from tests.scenarios import blocklist, tickets
from tests.scenarios.company import INVENTORY, provided
from tests.scenarios.stage import Stage, stage
from tests.servers import Farm

PAGE = (ROOT / "docs" / "architecture.md").read_text()
LINE = INVENTORY[0]


@contextmanager
def journey(title: str) -> Iterator[None]:
    """Fails where a file that the page lists under that title had no function called."""
    passed: set[str] = set()

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            passed.add(frame.f_code.co_filename)

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
    section = PAGE.split(f"\n### {title}\n", 1)[1].split("\n#", 1)[0]
    listed = re.findall(r"`([\w/]+\.py)`", section)
    assert len(listed) >= 8
    assert [name for name in listed if str(ROOT / name) not in passed] == []


async def test_a_command(farm: Farm) -> None:
    async with stage(farm, ("slack",)) as made:
        cast = made.cast("slack")
        await cast.has(provided(LINE))
        with journey("A command"):
            await cast.ada.types("numbers assign 020 7946 0900 @max")
            await cast.ada.sees("020 7946 0900 now belongs to Max")
            await cast.max.is_told("Ada gave you the number 020 7946 0900")


async def test_a_press_and_a_form(farm: Farm) -> None:
    async with stage(farm, ("teams",)) as made:
        ada = made.cast("teams").ada
        await made.has(provided(LINE))
        await ada.types("numbers")
        with journey("A press"):
            await ada.presses("Edit", near="0900", dialog="Edit number")
        await ada.fills({"Assigned to": "Noor", "Forwarding number": "020 7946 0111"})
        with journey("A form"):
            await ada.sends("Save")
            await ada.has_no_dialog()


async def test_a_ticket(both: Stage) -> None:
    cast = replace(both.cast("teams"), robin=both.person("Robin", "slack"))
    await both.opens_desk("slack", "Robin")
    await cast.max.types("support contact", dialog="Contact us")
    await cast.max.fills({"How can we help you?": "Chat with the team"})
    await cast.max.sends("Next")
    await cast.max.is_asked("Chat with the team")
    await cast.max.fills({"Overview": "Nobody hears me", "Description": "Since nine, all of us."})
    with journey("A ticket"):
        await cast.max.sends("Send message")
        await cast.robin.sees(tickets.HEAD)
        await cast.max.is_told(tickets.HEAD)


async def test_a_deadline(both: Stage) -> None:
    cast = replace(both.cast("slack"), robin=both.person("Robin", "teams"))
    await both.opens_desk("teams", "Robin")
    await tickets._asks(cast, "Request a callback", "Submit", **{"Phone number": "020 7946 0333"})
    await cast.robin.sees(tickets.HEAD)
    with journey("A deadline"):
        await cast.ada.types("numbers block 020 7946 0333")
        await cast.robin.sees("this number is on the blocklist")


async def test_a_call(farm: Farm) -> None:
    async with serve_twilio() as carrier, stage(farm, ("slack",), carrier) as made:
        cast = made.cast("slack")
        await cast.has(provided(LINE, "max").model_copy(update={"forwarding": "+442079460111"}))
        with journey("A call"):
            call = await cast.calls(LINE)
            assert call.dialled == "+442079460111"
            await call.decline()


async def test_a_file(farm: Farm) -> None:
    async with stage(farm, ("slack",)) as made:
        ada = made.cast("slack").ada
        with journey("A file"):
            await ada.drops("blocked.csv", blocklist.FILE)
            await ada.is_told("New: 2")
