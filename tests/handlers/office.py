"""A company with a desk: who writes, who answers, and what each of them is shown."""

from collections.abc import Mapping
from typing import Any

from domain.support.ticket import Message, Ticket
from handlers.framework.effects import unpack_screen
from handlers.framework.events import Address, ChatMessage, File, MessageDeletion, MessageEdit
from handlers.framework.screens import Form, Response, Screen
from store.engine.effects import Effect
from store.engine.posts import Ledger, MessageRef
from store.support.tickets import Tickets
from tests import present
from tests.handlers.world import PEOPLE, WORKSPACE, World, company, form, words

SPECIALISTS: list[dict[str, Any]] = [
    {"id": "sam", "name": "Sam", "slack": "USAM", "seat": "core", "specialist": True},
    {"id": "lena", "name": "Lena", "slack": "ULENA", "seat": "core", "specialist": True},
]
POLICY = {"levels": [{"people": ["lena"], "minutes": 10}, {"people": ["robin"], "minutes": 10}], "repeat": 1}
DESK = Address("slack", WORKSPACE, channel="CDESK")
TYPED = {"Overview": "Nobody can log in", "Description": "All of us, since nine."}


class Office:
    """The world with a desk. Posts are where they were put: `CDESK:KEY` and `D-USER:KEY`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tickets = Tickets(world.cell)

    @classmethod
    async def open(cls, world: World, **changes: Any) -> "Office":
        office = cls(world)
        await office.apply(**changes)
        return office

    async def apply(self, **changes: Any) -> None:
        data: dict[str, Any] = {
            "subscription": {"line": "sales", "tier": "enterprise"},
            "premium_support": True,
            "people": [*PEOPLE, *SPECIALISTS],
            "desk": {"platform": "slack", "workspace": WORKSPACE, "channel": "CDESK"},
            "escalation": POLICY,
        }
        await self.world.apply(company(**{**data, **changes}))

    async def blank(self, user: str, channel: str = "email") -> Form:
        """The empty form of a channel."""
        chosen = form(await self.world.press_raw(user, "support.contact", ""))
        return form(await self.world.submit_raw(user, chosen.id, chosen.state, {"channel": channel}))

    async def send(self, user: str, channel: str = "email", **more: Any) -> Response:
        """The form filled in and sent off. `id`: of the submission; anything else by label is typed over."""
        id = more.pop("id", None)
        blank = await self.blank(user, channel)
        own = {"Email": f"{user.lower()}@example.com"} if channel.endswith("email") else {}
        return await self.world.submit(user, blank, {**TYPED, **own, **more}, id)

    async def create(self, user: str, channel: str = "email", **more: Any) -> Ticket:
        await self.send(user, channel, **more)
        return await self.last()

    async def last(self) -> Ticket:
        return [filed.value async for filed in self.tickets.walk(await self.world.snapshot())][-1]

    async def count(self) -> int:
        return len([filed async for filed in self.tickets.walk(await self.world.snapshot())])

    async def get(self, number: int) -> Ticket:
        return present(await self.tickets.get(await self.world.snapshot(), number)).value

    async def timeline(self, number: int) -> list[Message]:
        """All of it, in order."""
        raws = await self.world.store.call("HVALS", (await self.world.snapshot()).keys.timeline(number))
        return sorted(map(Message.model_validate_json, raws), key=lambda message: message.id)

    async def press(self, user: str, action: str, number: int | str, **more: Any) -> Response:
        return await self.world.press_raw(user, action, str(number), **more)

    async def fill(self, user: str, action: str, number: int | str, values: Mapping[str, str]) -> Response:
        """Opens a ticket's dialog and sends it off, fields by name."""
        opened = form(await self.press(user, action, number))
        return await self.world.submit_raw(user, opened.id, opened.state, values)

    async def below(
        self,
        user: str,
        number: int,
        what: str,
        text: str,
        *,
        message: str,
        id: str | None = None,
        files: tuple[File, ...] = (),
    ) -> Response:
        """Something written in the thread of the ticket's card (`desk`) or of the person's head (`person`)."""
        where, thread = await self._thread(user, number, what)
        actor = self.world.actor(user)
        said = ChatMessage(actor, id or self.world.id(), (text,), where, files, text, message, thread, overheard=True)
        return await self.world.router.handle(said)

    async def edit(self, user: str, number: int, what: str, message: str, text: str) -> Response:
        where, thread = await self._thread(user, number, what)
        return await self.world.router.handle(
            MessageEdit(self.world.actor(user), self.world.id(), message, text, where, thread)
        )

    async def delete(self, user: str, number: int, what: str, message: str) -> Response:
        where, thread = await self._thread(user, number, what)
        return await self.world.router.handle(
            MessageDeletion(self.world.actor(user), self.world.id(), message, where, thread)
        )

    async def _thread(self, user: str, number: int, what: str) -> tuple[Address, str]:
        snapshot = await self.world.snapshot()
        where = DESK if what == "desk" else Address("slack", WORKSPACE, user=user)
        thread = f"{what}-head-{number}"
        await Ledger(self.world.store).record(
            snapshot.tag, "acme", f"ticket:{number}:{what}", MessageRef("slack", WORKSPACE, thread)
        )
        return where, thread


def shown(effect: Effect) -> str:
    """What an effect shows, as words, with what its controls say."""
    data = effect.body.get("screen")
    if data is None:
        return "(taken away)"
    drawn: Screen = unpack_screen(data)
    return f"{words(drawn)}\n{drawn.summary}"


def to_desk(effects: list[Effect]) -> list[str]:
    return [shown(e) for e in effects if e.kind != "mail" and e.body.get("to", {}).get("channel") == "CDESK"]


def to_person(effects: list[Effect], user: str) -> list[str]:
    return [shown(e) for e in effects if e.kind != "mail" and e.body.get("to", {}).get("user") == user]


def key_of(effect: Effect) -> str:
    return str(effect.body.get("key", ""))
