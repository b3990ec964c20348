"""The bot in this process with both platforms on, a pretend one for each, and the people of the scenarios at them."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import yaml

from bot.app import App, Overrides, running
from bot.settings import Settings, Twilio
from bot.slack.settings import Settings as SlackSettings
from bot.teams.settings import Settings as TeamsSettings
from bot.wiring import Repositories
from domain.numbers.number import Number
from handlers.framework.ports import CodeDelivery
from playground.server import serve
from playground.slack.pretend import PretendSlack
from playground.slack.world import Channel, User, World
from playground.twilio.calls import Call
from playground.twilio.pretend import PretendTwilio
from store.engine.effects import Effect, SendResult, Sent
from tests import ROOT, present
from tests.bot.teams.peer import PretendTeams, pretend_teams
from tests.scenarios import company
from tests.scenarios.actors import Person, flat
from tests.scenarios.slack import CHANNEL, SlackPerson
from tests.scenarios.teams import TeamsPerson
from tests.servers import Farm, eventually, free_port

_MANIFEST: Final[dict[str, Any]] = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
_SECRET: Final = "a-signing-secret"


@dataclass
class Cast:
    """Who acts, and the things around them that are on no chat platform. Steps get this and nothing else."""

    ada: Person  # super admin
    robin: Person  # super admin
    max: Person  # colleague with a seat
    noor: Person  # colleague without one
    lena: Person  # super admin who reads Polish
    stage: "Stage"

    async def has(self, *numbers: Number) -> None:
        await self.stage.has(*numbers)

    async def records(self, **changes: Any) -> None:
        await self.stage.records(**changes)

    async def code(self, number: str) -> str:
        """The verification code that the phone rang with last."""
        await eventually(lambda: any(n == number for n, _, _ in self.stage.rings), f"{number} rings")
        text = next(t for n, t, _ in reversed(self.stage.rings) if n == number)
        return "".join(re.findall(r"\d", text)[:6])

    async def calls(self, to: str, frm: str = "+441214960199") -> Call:
        """Somebody outside calls one of the company's numbers, from their phone."""
        assert self.stage.carrier is not None
        return await self.stage.carrier.call(frm, to)

    async def talks(self, to: str, seconds: float) -> None:
        """A whole call: it rings, is answered, is talked so long, and the carrier has told all of it."""
        call = await self.calls(to)
        await call.answer()
        await call.hang_up(seconds=seconds)
        assert self.stage.carrier is not None
        await self.stage.carrier.settled()

    async def mail(self) -> str:
        """The last mail that went out: to whom, about what, and what it says."""
        await eventually(lambda: self.stage.mails, "a mail goes out")
        last = self.stage.mails[-1]
        return flat(f"{last['to']} {last['subject']} {last['text']}")


@dataclass
class Stage:
    """Everything that runs. `listed`: the platforms on which the records know the people."""

    app: App
    slack: PretendSlack
    teams: PretendTeams
    listed: tuple[str, ...]
    rings: list[tuple[str, str, CodeDelivery]] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)
    carrier: PretendTwilio | None = None

    def person(self, name: str, platform: str) -> Person:
        if platform == "teams":
            return TeamsPerson(self.teams, self.teams.world.user(company.teams_id(name)))
        return SlackPerson(self.slack, self.slack.world.user(company.slack_id(name)))

    def cast(self, platform: str) -> Cast:
        """Everybody on one platform."""
        ada, robin, max_, noor, lena = (self.person(name, platform) for name, *_ in company.PEOPLE)
        return Cast(ada, robin, max_, noor, lena, self)

    async def has(self, *numbers: Number) -> None:
        """The company has these numbers from an import."""
        snapshot = present(await self.app.kept.accounts.get("acme"))
        report = await self.app.kept.numbers.import_rows(snapshot, list(numbers), datetime.now(UTC))
        assert all(problem is None for _, problem in report), report

    async def records(self, *, admins: tuple[str, ...] | None = None, by_email: bool = False, **changes: Any) -> None:
        """The account's records are changed by whoever runs the bot. `by_email`: they name no platform's ids."""
        account = company.company(() if by_email else self.listed, admins, **changes)
        await self.app.kept.accounts.apply([account], datetime.now(UTC))

    async def opens_desk(self, platform: str, specialist: str, **changes: Any) -> None:
        """The company has a desk there, and somebody who answers."""
        people = [
            company.person(name, seat, admin, language, self.listed) | {"specialist": name == specialist}
            for name, seat, admin, language, _ in company.PEOPLE
        ]
        await self.records(people=people, desk=company.desk(platform), **changes)

    async def settled(self) -> None:
        """Nothing is under way: not towards the bot, not from it, nothing waits to be sent."""
        async with asyncio.timeout(10):
            while True:
                calls = len(self.teams.calls)
                await self.slack.settled(quiet=0.02)
                if len(self.teams.calls) == calls and (await self.app.outbox.stats()).depth == 0:
                    return

    async def numbers(self) -> Sequence[Number]:
        snapshot = present(await self.app.kept.accounts.get("acme"))
        return await self.app.kept.numbers.all(snapshot)


@asynccontextmanager
async def stage(farm: Farm, listed: tuple[str, ...], carrier: PretendTwilio | None = None) -> AsyncIterator[Stage]:
    """The whole, ready, on an empty store. `carrier`: where calls come from and go to; else there are none."""
    rings: list[tuple[str, str, CodeDelivery]] = []
    mails: list[dict[str, Any]] = []

    async def phone(number: str, text: str, via: CodeDelivery) -> None:
        rings.append((number, text, via))

    async def mail(effect: Effect, in_doubt: bool) -> SendResult:
        mails.append(effect.body)
        return Sent()

    async def prepare(kept: Repositories) -> None:
        await kept.accounts.apply([company.company(listed), company.next_door()], datetime.now(UTC))

    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(serve(_slack()))
        teams = await stack.enter_async_context(pretend_teams())
        settings = Settings(
            redis_url=farm.fresh("embedded"),
            port=0,
            platforms={
                "slack": SlackSettings(
                    _SECRET, None, None, slack.world.client_id, slack.world.client_secret, slack.api_url
                ),
                "teams": TeamsSettings(None, None, unauthenticated=True),
            },
        )
        if carrier is not None:
            port = free_port()
            settings = replace(
                settings,
                port=port,
                public_url=f"http://127.0.0.1:{port}",
                twilio=Twilio(carrier.account_sid, carrier.auth_token, carrier.base_url),
            )
        app = await stack.enter_async_context(running(settings, Overrides(phone=phone, mail=mail, prepare=prepare)))
        slack.delivery.url = f"{app.url}/slack/events"
        teams.bot_url = f"{app.url}/api/messages"
        if carrier is not None:
            for number in (*company.INVENTORY, *company.GERMAN):
                carrier.own(number, voice_url=f"{app.url}/voice/inbound", status_callback=f"{app.url}/voice/status")
        made = Stage(app, slack, teams, listed, rings, mails, carrier)
        await _install(slack, app.url)
        if "teams" in listed:
            await _move_in(teams)
        await made.settled()  # whoever is greeted has been
        yield made
        assert (slack.troubles, teams.refused) == ([], [])


def _slack() -> PretendSlack:
    """A workspace with everybody in it, and the one next door. Without rate limits: people here type fast."""
    world = World()
    scopes = _MANIFEST["oauth_config"]["scopes"]["bot"]
    world.add_workspace(company.WORKSPACE, "Acme", scopes=scopes)
    world.add_workspace(company.OTHER_WORKSPACE, "Globex", scopes=scopes)
    people = [(company.WORKSPACE, name, locale) for name, _, _, _, locale in company.PEOPLE]
    people.append((company.OTHER_WORKSPACE, company.STRANGER, "en-GB"))
    for team, name, locale in people:
        email = f"{name.lower()}@example.com"
        world.add_user(User(company.slack_id(name), team, name.lower(), name, email, locale, "Europe/London"))
    for team in (company.WORKSPACE, company.OTHER_WORKSPACE):
        members = [user.id for user in world.users.values() if user.team == team and not user.is_bot]
        world.add_channel(Channel(f"C{team}", team, CHANNEL, members))
    desk = Channel(
        company.DESK_ID, company.WORKSPACE, company.DESK, [company.slack_id(name) for name in company.AT_DESK]
    )
    world.add_channel(desk)
    return PretendSlack(world, _MANIFEST, events_url="", signing_secret=_SECRET, retry_delays=(0.05,), limited=False)


async def _install(slack: PretendSlack, url: str) -> None:
    """Both workspaces get the app, as people do it in a browser."""
    async with aiohttp.ClientSession(url, cookie_jar=aiohttp.DummyCookieJar()) as browser:
        for name in ("Ada", company.STRANGER):
            async with browser.get("/slack/install") as page:
                state = page.cookies["slack-app-oauth-state"].value
            query = {"state": state, "code": slack.install(company.slack_id(name))}
            cookie = {"Cookie": f"slack-app-oauth-state={state}"}
            async with browser.get("/slack/oauth_redirect", params=query, headers=cookie) as page:
                assert page.status == 200, await page.text()


async def _move_in(teams: PretendTeams) -> None:
    """Everybody has the app, and so has a channel of theirs; the one next door has it in another tenant."""
    for name, _, _, _, locale in company.PEOPLE:
        email = f"{name.lower()}@example.com"
        teams.add_user(company.teams_id(name), name, email, f"aad-{name.lower()}", locale=locale)
        await teams.install(name)
    teams.add_user(company.teams_id(company.STRANGER), company.STRANGER, tenant=company.OTHER_TENANT)
    await teams.install(company.STRANGER)
    teams.add_place(CHANNEL, [name for name, *_ in company.PEOPLE])
    await teams.install("Ada", CHANNEL)
    teams.add_place(company.DESK, company.AT_DESK)
    await teams.install(company.AT_DESK[0], company.DESK)
