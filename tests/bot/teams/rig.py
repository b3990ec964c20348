"""The bot's Teams side and a pretend Teams, each on a port of its own, with a handler that a test writes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from bot.chat.types import Wiring
from bot.teams.adapter import Teams
from bot.teams.client import Cloud
from bot.teams.settings import Settings
from handlers.framework.effects import pack_address, pack_screen
from handlers.framework.events import Address
from handlers.framework.screens import Button, Buttons, Form, Nothing, Paragraph, Screen, TextField
from store.engine.effects import Effect
from store.server.connection import Store
from tests.bot.handler import Answer, Handler, apologize
from tests.bot.teams.peer import PretendTeams, pretend_teams
from tests.bot.teams.world import APP, TENANT
from tests.servers import eventually, serving

Found = TypeVar("Found")
SECRET = "a-client-secret"


def screen(text: str, *buttons: Button) -> Screen:
    return Screen("A screen", (Paragraph((text,)), *((Buttons(buttons),) if buttons else ())))


def form(**more: Any) -> Form:
    return Form(
        "edit", "Edit", "Save", (TextField("name", "Name", required=True, **more),), {"number": "+442079460900"}
    )


GO = Button("Go", "go", "1")
OPEN = Button("Open", "open", "2", form=True)


@dataclass
class Rig:
    """Both sides, wired to each other."""

    teams: Teams
    peer: PretendTeams
    handler: Handler
    seen: list[tuple[str, str, float]]
    installed: list[tuple[str, str | None, tuple[str, ...]]]

    async def quiet(self) -> None:
        """Until nothing that an answer began is under way."""
        await eventually(lambda: not self.teams.work, "the end of what was begun")

    async def complete(self, step: Awaitable[Found]) -> Found:
        """What somebody does, and all that it begins."""
        found = await step
        await self.quiet()
        return found

    async def open(self, answer: Answer) -> None:
        """Ada presses a button that opens a dialog, and this is the answer."""
        await self.show(screen("here", OPEN))
        self.handler.answer = answer
        await self.peer.press("Ada", "Open")

    async def show(self, shown: Screen, user: str = "Ada", where: str = "") -> None:
        """The bot says it to somebody who has written to it."""
        self.handler.answer = shown
        await self.peer.say(user, "numbers", where)
        await self.quiet()
        self.handler.answer = Nothing()

    async def send(self, effect: Effect, in_doubt: bool = False) -> Any:
        return await self.teams.senders[effect.kind.partition(".")[2]](effect, in_doubt)


def effect(to: Address, shown: Screen | None = None, **more: Any) -> Effect:
    """As handlers write it: a screen, or the home card to be drawn anew."""
    if shown is None:
        return Effect(f"home:{to.conversation}", "teams.home", {"to": pack_address(to)}, "id-1")
    body = {"to": pack_address(to), "screen": pack_screen(shown), "replace": False, **more}
    return Effect(to.conversation, "teams.screen", body, "id-1")


def to(user: str = "29:ada", **more: Any) -> Address:
    return Address("teams", TENANT, user, **more)


def cloud(peer: PretendTeams) -> Cloud:
    """Microsoft's services as the pretend Teams plays them."""
    return Cloud(login=peer.url, keys=f"{peer.url}/v1/.well-known/keys", service=peer.url)


@asynccontextmanager
async def rig(
    store: Store,
    *,
    signed: bool = False,
    handling: float = 2.0,
    answered: float = 3.0,
    installed: Sequence[str] = ("Ada",),
    before: Callable[[PretendTeams], object] | None = None,
) -> AsyncIterator[Rig]:
    """A running pair; the app is `installed` for those already. `signed`: with tokens, as in earnest."""
    async with pretend_teams(secret=SECRET if signed else None, unauthenticated=not signed) as peer:
        handler, seen, greeted = Handler(), [], []
        if before is not None:
            before(peer)

        async def greet(tenant: str, user: str | None, also: tuple[str, ...]) -> None:
            greeted.append((tenant, user, also))

        settings = Settings(APP, SECRET, TENANT) if signed else Settings(None, None, None, unauthenticated=True)
        wiring = Wiring(store, handler, apologize, observe=lambda *measured: seen.append(measured), installed=greet)
        teams = Teams(settings, wiring, handling=handling, answered=answered, cloud=cloud(peer))
        app = web.Application()
        app.add_routes(teams.routes())
        try:
            async with serving(app) as root:
                peer.bot_url = f"{root}/api/messages"
                for user in installed:
                    assert (await peer.install(user)).status == 200
                greeted.clear()
                yield Rig(teams, peer, handler, seen, greeted)
        finally:
            await teams.drain(5.0)
            await teams.aclose()
            await asyncio.sleep(0)
