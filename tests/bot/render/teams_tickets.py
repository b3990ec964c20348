"""The screens of support as a company's tickets make them: drawn by the real handlers, over a real store."""

import asyncio
from typing import Final

from domain.support.ticket import Ticket
from handlers.framework.effects import unpack_screen
from handlers.framework.screens import Form, Screen
from store.engine.effects import Effect
from store.server.connection import Store
from tests.handlers.office import Office, key_of
from tests.handlers.world import World, screen
from tests.servers import Farm, farm

SILENT: Final = {
    "Overview": "Nobody can call us",
    "Description": "All our numbers have been silent since nine.\nCallers hear a busy tone; we can call out.",
    "Business critical": "yes",
    "Impact": "outage",
    "Who and since when": "Everybody in London, since 9:00",
}
CODES: Final = {
    "Overview": "Verification codes come late",
    "Description": "The text message comes after ten minutes, when the code is no longer good.",
    "Links": "https://status.example.com/incidents/2026/11/20/verification",
}
PORTING: Final = {
    "Overview": "Porting our old number",
    "Description": "We would like to keep 020 7946 0100 when we leave our old carrier.",
    "Phone number": "020 7946 0958",
}
MUFFLED: Final = {"Overview": "Voices sound muffled", "Description": "On every call since Thursday, to landlines only."}
# Lena first, then Ola, who reads Polish.
POLICY: Final = {"levels": [{"people": ["lena"], "minutes": 10}, {"people": ["ola"], "minutes": 10}], "repeat": 1}


def tickets() -> tuple[dict[str, Screen], dict[str, Form]]:
    """`gathered`, on a server of its own."""
    with farm() as servers:
        return asyncio.run(gathered(servers))


async def gathered(servers: Farm) -> tuple[dict[str, Screen], dict[str, Form]]:
    """The screens, and the dialogs, by name."""
    store = await Store.open(servers.fresh("embedded"))
    try:
        world = World(store)
        await world.apply()
        return await _gathered(await Office.open(world, escalation=POLICY))
    finally:
        await store.aclose()


async def _gathered(office: Office) -> tuple[dict[str, Screen], dict[str, Form]]:
    world = office.world
    screens: dict[str, Screen] = {}
    forms = {"ticket": await office.blank("UADA", "premium_email"), "callback": await office.blank("UMAX", "callback")}
    forms["channels"] = _form(await world.press_raw("UADA", "support.contact", ""))

    codes = await office.create("UMAX", "email", **CODES)
    made = await world.effects()
    screens["desk-new"], screens["head-new"] = _post(made, codes, "desk"), _post(made, codes, "person")
    await office.press("USAM", "desk.claim", codes.number)
    await office.fill("USAM", "desk.note", codes.number, {"note": "The carrier's queue was long this morning."})
    world.later(minutes=12)
    await office.fill("USAM", "desk.reply", codes.number, {"reply": "A code is good for 20 minutes from now on."})
    made = await world.effects()
    screens["desk-note"], screens["desk-reply"] = _entry(made, "carrier's queue"), _entry(made, "20 minutes", "desk")
    screens["head-answered"] = _post(made, codes, "person")

    porting = await office.create("UMAX", "callback", **PORTING)
    await world.type("UADA", f"block {PORTING['Phone number']}")
    await office.press("USAM", "desk.claim", porting.number)
    screens["desk-callback"] = _post(await world.effects(), porting, "desk")
    screens["queue"] = screen(await world.type("USAM", "queue", name="support"))

    silent = await office.create("UADA", "premium_email", **SILENT)
    made = await world.effects()
    screens["desk-critical"], screens["head-critical"] = _post(made, silent, "desk"), _post(made, silent, "person")
    await world.work()
    await world.work_after(minutes=10)
    screens["escalation"] = _told(await world.effects(), "UOLA")
    await world.work_after(minutes=5)
    screens["desk-half"] = _entry(await world.effects(), "Half")

    muffled = await office.create("UADA", "premium_email", **MUFFLED)
    await world.work_after(minutes=60)
    made = await world.effects()
    screens["breach"], screens["desk-breached"] = _told(made, "ULENA", muffled), _post(made, muffled, "desk")
    screens["breach-entry"] = _entry(made, "missed its first response", "desk")

    screens["inbox"] = screen(await world.type("UADA", "inbox", name="support"))
    screens["timeline"] = screen(await office.press("UMAX", "inbox.ticket", codes.number))
    await office.press("USAM", "desk.claim", silent.number)
    await office.fill("USAM", "desk.reply", silent.number, {"reply": "Calls reach you again. We keep looking."})
    await office.press("USAM", "desk.close", codes.number)
    made = await world.effects()
    screens["desk-closed"], screens["head-closed"] = _post(made, codes, "desk"), _post(made, codes, "person")
    screens["report"] = screen(await world.type("USAM", "report", name="support"))
    return screens, forms


def _form(outcome: object) -> Form:
    assert isinstance(outcome, Form), outcome
    return outcome


def _shown(effect: Effect) -> Screen:
    found: Screen = unpack_screen(effect.body["screen"])
    return found


def _post(made: list[Effect], ticket: Ticket, what: str) -> Screen:
    """The card (`desk`) or the head (`person`) of a ticket as it was drawn last."""
    return [_shown(effect) for effect in made if key_of(effect) == f"ticket:{ticket.number}:{what}"][-1]


def _entry(made: list[Effect], text: str, what: str = "") -> Screen:
    """The first post below a card that says so."""
    posts = [effect for effect in made if ":m" in key_of(effect) and key_of(effect).endswith(what)]
    return next(shown for shown in map(_shown, posts) if text in shown.summary)


def _told(made: list[Effect], user: str, ticket: Ticket | None = None) -> Screen:
    """A line to somebody whom the policy names."""
    lines = [effect for effect in made if effect.body.get("to", {}).get("user") == user and "screen" in effect.body]
    opens = f"'{ticket.number}'" if ticket is not None else ""
    return next(
        shown
        for shown in map(_shown, lines)
        if any("inbox.ticket" in (said := str(block)) and opens in said for block in shown.blocks)
    )
