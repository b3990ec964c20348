"""A company on a real store, and people of it who type and press: what the handlers answer, without any platform."""

import io
import itertools
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.accounts.account import Account
from domain.numbers.number import Number
from domain.people import Profile
from domain.phone import area_matches, country_of
from handlers.blocklist.csv_file import read_file
from handlers.blocklist.upload_job import ExpiryJob, UploadJob
from handlers.framework import events, ports, screens
from handlers.framework.effects import unpack_screen
from handlers.framework.router import Router
from handlers.framework.screens import Checkbox, Choice, Errors, Form, Response, TextField
from handlers.support.ticket_job import TicketJob as TicketClock
from handlers.workflows import ROUTES
from store.blocklist.blocklist import Blocklist
from store.blocklist.uploads import Uploads
from store.calls.records import Calls
from store.engine import keys
from store.engine.accounts import Accounts, AccountSnapshot
from store.engine.blobs import Blobs
from store.engine.commit import Cell, Change, Changes
from store.engine.contacts import Contacts
from store.engine.deadlines import Deadlines
from store.engine.effects import Effect
from store.engine.posts import Posts
from store.numbers.orders import Orders
from store.numbers.records import Numbers
from store.numbers.registered import RegisteredNumbers
from store.server.connection import Store
from store.support.promise_records import PromiseRecords
from store.support.questions import Questions
from store.support.tickets import Tickets
from tests import instance_of, present
from tests.domain.samples import account

WORKSPACE = "T0WORLD"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
INVENTORY = [f"+44207946{n:04}" for n in range(900, 912)] + ["+4930901820000"]

PEOPLE = [
    {"id": "ada", "name": "Ada", "email": "ada@example.com", "slack": "UADA", "seat": "sales", "super_admin": True},
    {"id": "robin", "name": "Robin", "email": "robin@example.com", "slack": "UROBIN", "super_admin": True},
    {"id": "max", "name": "Max Miller", "slack": "UMAX", "seat": "sales"},
    {"id": "noor", "name": "Noor", "slack": "UNOOR"},
    {"id": "ola", "name": "Ola", "slack": "UOLA", "seat": "core", "language": "pl"},
    {"id": "mia", "name": "Mia", "email": "mia@example.com", "seat": "service"},
]


def company(**changes: Any) -> Account:
    data: dict[str, Any] = {
        "name": "Acme Ltd",
        "created_on": "2024-06-01",
        "workspaces": [{"platform": "slack", "id": WORKSPACE}],
        "customer_success": {"name": "Kim", "email": "kim@example.com"},
        "people": PEOPLE,
        "inventory": INVENTORY,
        "pricing_url": "https://example.com/pricing",
    }
    return account(**{**data, **changes})


class Shelf:
    """The carrier port over an account's inventory."""

    name = "shelf"
    ways: tuple[ports.CodeDelivery, ...] = ("call", "sms")

    def ready(self, account: Account) -> bool:
        return bool(account.inventory)

    async def countries(self, account: Account) -> Sequence[str]:
        return sorted({c for e in account.inventory if (c := country_of(e))}, key=lambda c: (c != account.country, c))

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[ports.Offer]:
        fitting = [e for e in account.inventory if country_of(e) == country and (not area or area_matches(e, area))]
        return [ports.Offer(e, country) for e in fitting[start : start + limit]]

    async def offered(self, account: Account, e164: str) -> ports.Offer | None:
        return ports.Offer(e164, country_of(e164) or "") if e164 in account.inventory else None

    def can_send(self, account: Account) -> Sequence[ports.CodeDelivery]:
        return self.ways


@dataclass
class Drawer:
    """The files port: contents by `ref`; an exception takes the place of the content."""

    contents: dict[str, bytes | Exception] = field(default_factory=dict)
    read_by: list[str] = field(default_factory=list)

    async def read(self, file: events.File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        self.read_by.append(workspace)
        content = self.contents.get(file.ref, ports.FileGone())
        if isinstance(content, Exception):
            raise content
        if len(content) > limit:
            raise ports.FileTooLarge
        for at in range(0, len(content), 64 * 1024):
            yield content[at : at + 64 * 1024]


@dataclass
class Members:
    """The directory port: what a platform knows of users whom the account does not list."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    silent: bool = False
    asked: int = 0

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        self.asked += 1
        if self.silent:
            raise ports.Unavailable
        return self.profiles.get(user)


class Inline:
    """The reading port without a process of its own."""

    async def read(
        self, content: AsyncIterable[bytes], asked: ports.ImportContext
    ) -> AsyncGenerator[bytes | ports.FileSummary, None]:
        whole = b"".join([chunk async for chunk in content])
        for piece in read_file(io.BytesIO(whole), asked):
            yield piece


class World:
    """The company's bot. `now` moves by `later`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.written: list[tuple[str, str]] = []
        self.accounts = Accounts(store)
        cell = Cell(store, "test", 15_000, lambda tag, conv: self.written.append((tag, conv)))
        self.numbers = Numbers(cell, self.accounts)
        self.blocklist = Blocklist(cell)
        self.members = Members(
            {
                "UMIA": Profile("UMIA", "Mia", "mia@example.com"),
                "UNEW": Profile("UNEW", "Newcomer", "new@example.com"),
                "UBOT": Profile("UBOT", "Helper", bot=True),
                "UGUEST": Profile("UGUEST", "Guest", guest=True),
                "UGONE": Profile("UGONE", "Gone", deleted=True),
            }
        )
        self.files = Drawer()
        self.carrier = Shelf()
        self.articles: ports.Articles = ports.NoArticles()
        self.codes = itertools.count(123_456)
        self.cell = Cell(store, "test", 15_000, lambda tag, conv: self.written.append((tag, conv)))
        self.posts = Posts(self.cell)
        self.router = self.another()
        self._ids = itertools.count(1)

    def another(self) -> Router:
        """A second process: nothing shared but the store."""
        return Router(self.services(), ROUTES)

    def services(self, store: Store | None = None) -> ports.Services:
        """What a process of its own has."""
        store = store or self.store
        accounts = Accounts(store)
        cell = Cell(store, "test", 15_000, lambda tag, conv: self.written.append((tag, conv)))
        numbers, blocklist = Numbers(cell, accounts), Blocklist(cell)
        return ports.Services(
            accounts=accounts,
            changes=Changes(cell),
            contacts=Contacts(cell),
            numbers=numbers,
            registered=RegisteredNumbers(cell),
            orders=Orders(cell, numbers),
            calls=Calls(cell, blocklist),
            asking=Questions(cell),
            articles=self.articles,
            carrier=self.carrier,
            directory=self.members,
            files=self.files,
            blobs=Blobs(store),
            posts=Posts(cell),
            tickets=Tickets(cell),
            outcomes=PromiseRecords(cell),
            blocklist=blocklist,
            uploads=Uploads(cell, blocklist),
            blocklist_reader=Inline(),
            now=lambda: self.now,
            mail=True,
            platforms=("slack",),
            draw_code=lambda: (f"{next(self.codes):06}", "salt"),
        )

    async def work(self) -> None:
        """What deadlines have come is done, as a process would do it; what fails is raised."""
        deadlines = Deadlines(self.store, lambda: self.now)
        services = self.services()
        for job in (UploadJob(services, deadlines), ExpiryJob(services, deadlines), TicketClock(services, deadlines)):
            job.register()
        snapshot = await self.snapshot()
        while found := await deadlines._take(snapshot.tag):
            for due in found:
                await deadlines._handlers[due.kind](due)

    async def snapshot(self, id: str = "acme") -> AccountSnapshot:
        return present(await self.accounts.get(id))

    async def work_after(self, **time: float) -> None:
        """Time passes, then what has come is done."""
        self.later(**time)
        await self.work()

    async def apply(self, account: Account | None = None) -> None:
        await self.accounts.apply([account or company()], self.now)

    async def provide(self, e164: str = INVENTORY[0], **more: Any) -> Number:
        """A provided number, Max's and forwarded unless `more` says otherwise."""
        given = {"forwarding": "+442079460111", "person": "max", **more}
        number = Number(e164=e164, source="provided", since=NOW, **given)
        await self.numbers.add(await self.snapshot(), number, None, 3, Change(None, "ada", NOW))
        return number

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def actor(self, user: str, **more: Any) -> events.Actor:
        return events.Actor("slack", WORKSPACE, user, **more)

    def id(self) -> str:
        return f"id{next(self._ids)}"

    async def type(self, user: str, text: str, id: str | None = None, name: str = "numbers") -> Response:
        """`/numbers TEXT`; `<@UMAX>` is a mention."""
        words = tuple(events.Mention(w[2:-1]) if w.startswith("<@") else w for w in text.split())
        where = events.Address("slack", WORKSPACE, user=user)
        return await self.router.handle(events.Command(self.actor(user), id or self.id(), name, words, where))

    async def say(self, user: str, text: str, id: str | None = None, files: tuple[events.File, ...] = ()) -> Response:
        where = events.Address("slack", WORKSPACE, user=user)
        return await self.router.handle(
            events.ChatMessage(self.actor(user), id or self.id(), tuple(text.split()), where, files)
        )

    async def drop(self, user: str, name: str, content: bytes, text: str = "", id: str | None = None) -> Response:
        """A file of this name dropped into the chat, perhaps with a few words."""
        self.files.contents[name] = content
        return await self.say(user, text, id, (events.File(name, name, len(content), "", name),))

    async def press(self, user: str, button: screens.Button, id: str | None = None) -> Response:
        return await self.press_raw(user, button.action, button.value, id)

    async def press_raw(self, user: str, action: str, value: str, id: str | None = None, **more: Any) -> Response:
        where = events.Address("slack", WORKSPACE, user=user, reply="here")
        return await self.router.handle(events.Press(self.actor(user), id or self.id(), action, value, where, **more))

    async def submit(
        self, user: str, form: Form, values: Mapping[str, str], id: str | None = None, router: Router | None = None
    ) -> Response:
        """Sends a dialog off: what stood in it, with `values` (by label) typed over."""
        return await self.submit_raw(user, form.id, form.state, {**standing(form), **by_name(form, values)}, id, router)

    async def submit_raw(
        self,
        user: str,
        form: str,
        state: Mapping[str, str],
        values: Mapping[str, str],
        id: str | None = None,
        router: Router | None = None,
    ) -> Response:
        where = events.Address("slack", WORKSPACE, user=user, reply="here")
        event = events.Submit(self.actor(user), id or self.id(), form, state, values, where)
        return await (router or self.router).handle(event)

    async def suggest(self, user: str, field: str, text: str) -> Response:
        return await self.router.handle(events.OptionsRequest(self.actor(user), field, text))

    async def home(self, user: str) -> screens.Screen:
        return screen(
            await self.router.handle(
                events.HomeRequest(self.actor(user), events.Address("slack", WORKSPACE, user=user))
            )
        )

    async def effects(self) -> list[Effect]:
        """Everything in the outbox, conversation by conversation; taken out."""
        found: list[Effect] = []
        for tag, conv in dict.fromkeys(self.written):
            rows = await self.store.call("LRANGE", keys.outbox(tag, conv), 0, -1)
            await self.store.call("DEL", keys.outbox(tag, conv), keys.wake(tag), keys.owners(tag))
            found += [Effect.decode(row) for row in rows]
        self.written.clear()
        return found

    async def told(self, user: str) -> str:
        """The one message that the outbox holds for a person."""
        (only,) = await self.said(user)
        return only

    async def said(self, user: str) -> list[str]:
        """What the outbox holds for a person, as words."""
        return [
            words(unpack_screen(e.body["screen"]))
            for e in await self.effects()
            if e.kind == "slack.screen" and e.body["to"]["user"] == user
        ]


def screen(outcome: Response) -> screens.Screen:
    if isinstance(outcome, screens.Notice):
        return outcome.screen
    return instance_of(screens.Screen, outcome)


def form(outcome: Response) -> Form:
    return instance_of(Form, outcome)


def errors(outcome: Response) -> Mapping[str, str]:
    return instance_of(Errors, outcome).fields


def buttons(shown: screens.Screen | Form) -> list[screens.Button]:
    """Every control on it, menus included."""
    found: list[screens.Button] = []
    for block in shown.blocks if isinstance(shown, screens.Screen) else shown.parts:
        match block:
            case screens.Buttons(bs):
                found += bs
            case screens.Question():
                found += block.answers
            case screens.ListItem():
                found += [*block.menu, *([block.button] if block.button else [])]
                found += block.question.answers if block.question else ()
            case _:
                pass
    return found


def button(outcome: Response, label: str, near: str = "") -> screens.Button:
    """The control with that label; `near`: of the row with that text in it."""
    shown = outcome if isinstance(outcome, Form) else screen(outcome)
    if near:
        row = next(b for b in shown.blocks if isinstance(b, screens.ListItem) and near in f"{b.title} {b.details}")  # type: ignore[union-attr] # rows are on screens
        shown = screens.Screen("", (row,))
    found = [b for b in buttons(shown) if b.label == label]
    assert found, f"no {label!r} among {[b.label for b in buttons(shown)]}"
    return found[0]


def standing(form: Form) -> dict[str, str]:
    return {p.name: p.value or "" for p in form.parts if isinstance(p, TextField | Choice | Checkbox)}


def by_name(form: Form, values: Mapping[str, str]) -> dict[str, str]:
    fields = {p.label: p for p in form.parts if isinstance(p, TextField | Choice | Checkbox)}
    named = {}
    for label, value in values.items():
        field = fields[label]
        options = field.options if isinstance(field, Choice) else ()
        named[field.name] = next((o.value for o in options if o.label == value), value)
    return named


def words(outcome: Response) -> str:
    """Everything that can be read on it."""
    if isinstance(outcome, Errors):
        return " ".join(outcome.fields.values())
    shown = outcome if isinstance(outcome, Form) else screen(outcome)
    lines = [shown.title]
    for block in shown.blocks if isinstance(shown, screens.Screen) else shown.parts:
        match block:
            case screens.Paragraph():
                lines.append(screens.strip_markup(block.text))
            case screens.Heading() | screens.Question():
                lines.append(block.text)
            case screens.Meter():
                lines += [block.label, block.note]
            case screens.FactSet():
                lines += [f"{name}: {screens.strip_markup(text)}" for name, text in block.pairs]
            case screens.ListItem():
                lines += [block.title, *map(screens.strip_markup, block.details)]
            case screens.Chart():
                lines += [block.title, block.alt]
            case screens.Table():
                lines += [" ".join(map(screens.strip_markup, row)) for row in block.rows]
            case TextField() | Choice() | Checkbox():
                lines += [block.label, block.hint or ""]
            case _:
                pass
    return "\n".join(lines)
