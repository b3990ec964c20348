"""Email tickets carry their replies by mail, and the desk sees whether they arrived."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.mail.smtp import Mailer
from bot.settings import Mail
from domain.support.ticket import Message
from handlers.framework.router import Router
from handlers.framework.screens import Done
from handlers.support.mail_status import MailStatusRecorder
from handlers.workflows import ROUTES
from store.engine import keys
from store.engine.effects import Effect, RetryPolicy, SendResult, Sent
from store.engine.outbox import Outbox, new_owner
from store.server.connection import Store
from tests import present
from tests.bot.mail.letterbox import Mailbox, served
from tests.handlers.office import SPECIALISTS, Office, key_of, shown, to_desk
from tests.handlers.world import PEOPLE, World, errors
from tests.servers import Farm

CANARY = "canary-41c0"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(params=["embedded", "cluster"])
async def world(request: pytest.FixtureRequest, farm: Farm) -> AsyncIterator[World]:
    store = await Store.open(farm.fresh(request.param))
    world = World(store)
    await world.apply()
    yield world
    await store.aclose()


@pytest.fixture
async def office(world: World) -> Office:
    return await Office.open(world)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from served(Mailbox())


def mailer(mailbox: Mailbox) -> Mailer:
    return Mailer(
        Mail("127.0.0.1", mailbox.port, None, None, False, "Switchboard <bot@switchboard.example.com>"), lambda: NOW
    )


def mails(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if effect.kind == "mail"]


async def entry(office: Office, number: int, id: int) -> Message:
    return present(await office.tickets.message(await office.world.snapshot(), number, id)).value


async def answered(office: Office) -> list[Effect]:
    """Sam answers an email ticket of Max, SB-1: what becomes of the answer."""
    await office.create("UMAX", "email", Email="max@elsewhere.example.org")
    await office.world.effects()
    await office.fill("USAM", "desk.reply", 1, {"reply": "Try again."})
    return await office.world.effects()


async def delivered(office: Office, mailbox: Mailbox, effects: list[Effect]) -> None:
    """Each mail handed to the server, and its end told, as the outbox does it."""
    told = MailStatusRecorder(office.world.services())
    for effect in mails(effects):
        outcome = await mailer(mailbox)(effect, False)
        assert isinstance(outcome, Sent) or hasattr(outcome, "reason")
        await told.record(effect, None if isinstance(outcome, Sent) else outcome.reason)


async def test_an_answer_goes_out_with_the_reply_and_names_the_ticket(office: Office, mailbox: Mailbox) -> None:
    ticket = await office.create("UMAX", "email", Email="max@elsewhere.example.org")
    await office.world.effects()
    await office.fill("USAM", "desk.reply", ticket.number, {"reply": "Try **again** now.\nSam's tip"})
    effects = await office.world.effects()
    (mail,) = mails(effects)
    assert "is on its way" not in shown(effects[0])
    await delivered(office, mailbox, effects)
    (got,) = mailbox.taken
    assert got["To"] == "max@elsewhere.example.org"
    assert got["Subject"] == "[SB-1] Nobody can log in"
    text = got.get_content().replace("\r\n", "\n")
    assert text.startswith("Sam answered SB-1:\n\nTry **again** now.\nSam's tip\n\nPlease answer in the chat")
    assert text.rstrip().endswith("> All of us, since nine.")
    assert mail.conv == "mail:acme:ticket:1"
    assert (await entry(office, 1, 2)).mail is not None


async def test_the_desk_sees_on_the_entry_where_its_mail_stands(office: Office, mailbox: Mailbox) -> None:
    effects = await answered(office)
    (posted,) = [shown(e) for e in effects if key_of(e) == "ticket:1:m2:desk"]
    assert "On its way by mail to m***@elsewhere.example.org" in posted
    (theirs,) = [shown(e) for e in effects if key_of(e) == "ticket:1:m2:person"]
    assert "mail" not in theirs
    await delivered(office, mailbox, effects)
    after = await office.world.effects()
    assert [key_of(e) for e in after] == ["ticket:1:m2:desk"], "in place, and nothing else moves"
    assert "Sent by mail to m***@elsewhere.example.org" in shown(after[0])
    # Told again, as after a crash: nothing new.
    await MailStatusRecorder(office.world.services()).record(mails(effects)[0], None)
    assert await office.world.effects() == []


async def test_a_mail_that_is_refused_is_told_once_where_somebody_acts(office: Office, mailbox: Mailbox) -> None:
    mailbox.recipient = "550 5.1.1 <max@elsewhere.example.org> no such mailbox"
    effects = await answered(office)
    await delivered(office, mailbox, effects)
    after = await office.world.effects()
    said = "\n".join(to_desk(after))
    assert "The mail to m***@elsewhere.example.org did not arrive: the mail server said 550" in said
    assert "max@elsewhere" not in said
    (mine,) = [shown(e) for e in after if e.body["to"].get("user") == "USAM"]
    assert "did not arrive" in mine
    assert not [e for e in after if e.body["to"].get("user") == "UMAX" and "arrive" in shown(e)]
    event, noted = await entry(office, 1, 3), await entry(office, 1, 2)
    assert (event.what, event.internal) == ("mail_failed", True)
    assert noted.mail is not None
    assert noted.mail.state == "failed"
    await MailStatusRecorder(office.world.services()).record(mails(effects)[0], "again")
    assert await office.world.effects() == []
    assert (await office.get(1)).messages == 3


async def test_killed_between_the_two_notes_of_a_refusal_both_are_there_once(office: Office) -> None:
    (mail,) = mails(await answered(office))
    told = MailStatusRecorder(office.world.services())
    snapshot = await office.world.snapshot()
    ticket, message = await office.get(1), await entry(office, 1, 2)
    await told._report_failure(snapshot, ticket, message, mail.id, "550", office.world.now)  # and then it dies
    await MailStatusRecorder(office.world.services()).record(mail, "550")
    assert (await office.get(1)).messages == 3
    assert present((await entry(office, 1, 2)).mail).state == "failed"


@pytest.mark.parametrize("channel", ["email", "premium_email"])
async def test_a_note_never_goes_by_mail(office: Office, channel: str) -> None:
    await office.create("UMAX", channel)
    await office.world.effects()
    await office.fill("USAM", "desk.note", 1, {"note": CANARY})
    for action in ("claim", "pend", "resume"):
        await office.press("USAM", f"desk.{action}", 1)
    await office.fill("ULENA", "desk.note", 1, {"note": CANARY})
    await office.below("USAM", 1, "desk", CANARY, message="C:1")
    assert mails(await office.world.effects()) == []
    await office.fill("USAM", "desk.reply", 1, {"reply": "Done."})
    await office.press("USAM", "desk.close", 1)
    sent = mails(await office.world.effects())
    assert len(sent) == 2
    assert CANARY not in str([effect.body for effect in sent])


async def test_only_email_tickets_and_only_what_the_desk_did(office: Office) -> None:
    for channel in ("chat", "premium_chat"):
        made = await office.create("UMAX", channel, Email="max@example.com")
        await office.fill("USAM", "desk.reply", made.number, {"reply": "Hello"})
    made = await office.create("UMAX", "email", Email="somebody@else.example.org")
    await office.fill("UMAX", "ticket.reply", made.number, {"reply": "Hello?"})
    await office.press("UMAX", "ticket.close", made.number)
    assert mails(await office.world.effects()) == [], "nobody is mailed because somebody typed their address"


async def test_the_word_that_it_arrived_goes_to_ones_own_address_alone(office: Office, mailbox: Mailbox) -> None:
    await office.apply(people=_people(email="max@example.com"))
    await office.create("UMAX", "email", Email="Max@Example.com")
    effects = await office.world.effects()
    await delivered(office, mailbox, effects)
    (got,) = mailbox.taken
    text = got.get_content().replace("\r\n", "\n")
    assert "your request has arrived. It is ticket SB-1: Nobody can log in" in text
    assert "First response by 23 Nov" in text, "with its promise"
    assert await office.world.effects() == [], "its record alone: the card has the first entry"
    assert present((await entry(office, 1, 1)).mail).state == "sent"


def _people(**of_max: Any) -> list[dict[str, Any]]:
    everybody: list[Any] = [*PEOPLE, *SPECIALISTS]
    return [{**person, **of_max} if person["id"] == "max" else person for person in everybody]


async def test_closing_and_downgrading_are_told_with_the_reason(office: Office, mailbox: Mailbox) -> None:
    await office.create("UADA", "premium_email", **{"Business critical": "yes", "Impact": "login"})
    await office.world.effects()
    await office.fill("USAM", "desk.downgrade", 1, {"reason": "One person only."})
    await office.press("USAM", "desk.close", 1)
    await delivered(office, mailbox, await office.world.effects())
    downgraded, closed = [mail.get_content() for mail in mailbox.taken]
    assert "ordinary request" in downgraded
    assert "One person only." in downgraded
    assert "Sam closed SB-1." in closed
    assert "open the ticket again" in closed


async def test_without_mail_nothing_waits_and_what_comes_later_goes(office: Office) -> None:
    from dataclasses import replace

    world = office.world
    world.router = Router(replace(world.services(), mail=False), ROUTES)
    await office.create("UMAX", "email", Email="max@elsewhere.example.org")
    await office.fill("USAM", "desk.reply", 1, {"reply": "One"})
    assert mails(await world.effects()) == []
    assert (await entry(office, 1, 2)).mail is None
    world.router = world.another()
    await office.fill("USAM", "desk.reply", 1, {"reply": "Two"})
    (mail,) = mails(await world.effects())
    assert "Two" in mail.body["text"]


@pytest.mark.parametrize(
    "address",
    ["a@example.com\nBcc: b@example.com", "a@example.com\r\n\r\nHi", "a@example.com, b@example.com", "a@b\u2028c.d"],
)
async def test_an_address_with_a_header_in_it_is_refused_at_its_field(office: Office, address: str) -> None:
    outcome = await office.send("UMAX", "email", Email=address)
    assert set(errors(outcome)) == {"email"}
    assert await office.count() == 0


async def test_an_overview_can_not_bring_a_header_to_the_wire(office: Office, mailbox: Mailbox) -> None:
    typed = "Help\r\nBcc: b@example.com"
    assert isinstance(await office.send("UMAX", "email", Overview=typed, Email="max@elsewhere.example.org"), Done)
    await office.fill("USAM", "desk.reply", 1, {"reply": "Bcc: c@example.com\r\n.\r\nRCPT TO:<d@example.com>"})
    await delivered(office, mailbox, await office.world.effects())
    (got,) = mailbox.taken
    assert got["Bcc"] is None
    assert got["Subject"] == "[SB-1] Help Bcc: b@example.com"
    assert "\n.\n" in got.get_content().replace("\r\n", "\n")


async def test_what_is_said_is_in_the_persons_language(office: Office, mailbox: Mailbox) -> None:
    await office.create("UMAX", "email", Email="max@elsewhere.example.org", Overview="Nie działa gęśl")
    await office.apply(people=_people(language="pl"))
    await office.fill("USAM", "desk.reply", 1, {"reply": "Już działa."})
    await delivered(office, mailbox, await office.world.effects())
    (got,) = mailbox.taken
    assert got["Subject"] == "[SB-1] Nie działa gęśl"
    assert got.get_content().startswith("Sam odpowiada na zgłoszenie SB-1:")


@asynccontextmanager
async def _outbox(office: Office, send: Any, ended: Any) -> AsyncIterator[Outbox]:
    async def taken(effect: Effect, in_doubt: bool) -> SendResult:
        return Sent()

    import asyncio

    outbox = Outbox(
        office.world.store,
        {"mail": send, "slack.post": taken, "slack.screen": taken, "slack.home": taken},
        owner=new_owner(),
        lease=2.0,
        send_timeout=1.0,
        period=0.05,
        policy=RetryPolicy(first=0.05, doubt=0.05),
        ended={"mail": ended},
    )
    running = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        await outbox.drain(1.0)
        running.cancel()


async def test_the_outbox_tells_how_a_mail_ended_and_repeats_nothing_while_the_record_waits(
    office: Office, mailbox: Mailbox
) -> None:
    import asyncio

    from store.server.connection import StoreUnavailable

    await office.create("UMAX", "email", Email="max@elsewhere.example.org")
    await office.fill("USAM", "desk.reply", 1, {"reply": "Try again."})
    told, away, noted = MailStatusRecorder(office.world.services()), [2], asyncio.Event()

    async def ended(effect: Effect, reason: str | None) -> None:
        if away[0]:
            away[0] -= 1
            raise StoreUnavailable("away")
        await told.record(effect, reason)
        noted.set()

    snapshot = await office.world.snapshot()
    await office.world.store.call("HDEL", keys.owners(snapshot.tag), "mail:acme:ticket:1")  # whoever wrote it has died
    await office.world.store.call("ZADD", keys.wake(snapshot.tag), 0, "ob|mail:acme:ticket:1")
    async with _outbox(office, mailer(mailbox), ended):
        async with asyncio.timeout(20):
            await noted.wait()
        assert away == [0]
    assert len(mailbox.taken) == 1
    assert present((await entry(office, 1, 2)).mail).state == "sent"
