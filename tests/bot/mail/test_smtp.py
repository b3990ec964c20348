"""Mail, handed to a real SMTP server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from bot.mail.smtp import Mailer
from bot.settings import Mail
from store.engine.effects import Drop, Effect, Retry, Sent
from tests import instance_of
from tests.bot.mail.letterbox import Mailbox, served
from tests.servers import free_port

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BODY = {
    "to": "robin@example.com",
    "subject": "Acme asks for 2 more numbers",
    "text": "Ada asks for 2 more numbers.\n.\nZażółć",
    "reply_to": "ada@example.com",
}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from served(Mailbox())


def mailer(port: int, username: str | None = None, password: str | None = None) -> Mailer:
    sender = "Switchboard <bot@switchboard.example.com>"
    return Mailer(Mail("127.0.0.1", port, username, password, False, sender), lambda: NOW)


def effect(id: str = "e1", **changes: object) -> Effect:
    return Effect("mail:robin@example.com", "mail", {**BODY, **changes}, id)


async def test_a_mail_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    assert await mailer(mailbox.port)(effect(), False) == Sent()
    (mail,) = mailbox.taken
    assert (mail["From"], mail["To"]) == ("Switchboard <bot@switchboard.example.com>", "robin@example.com")
    assert (mail["Reply-To"], mail["Subject"]) == ("ada@example.com", "Acme asks for 2 more numbers")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Sun, 22 Nov 2026 09:30:00 +0000"
    assert mail.get_content().replace("\r\n", "\n") == BODY["text"] + "\n"


async def test_a_repeat_is_recognised_by_its_id_and_another_mail_has_another(mailbox: Mailbox) -> None:
    send = mailer(mailbox.port)
    await send(effect("one"), False)
    await send(effect("one"), True)
    await send(effect("two"), False)
    first, again, other = (mail["Message-ID"] for mail in mailbox.taken)
    assert first == again != other
    assert first.endswith("@switchboard.example.com>")


@pytest.mark.parametrize("field", ["to", "reply_to"])
async def test_an_address_cannot_bring_a_header_with_it(mailbox: Mailbox, field: str) -> None:
    for address in ("a@example.com\r\nBcc: b@example.com", "nobody", "a b@example.com", "@example.com"):
        assert isinstance(await mailer(mailbox.port)(effect(**{field: address}), False), Drop)
    assert mailbox.taken == []


async def test_a_subject_cannot_bring_a_header_with_it(mailbox: Mailbox) -> None:
    subject = "Hello\r\nBcc: b@example.com\n\nText \u2028 " + "x" * 500
    assert await mailer(mailbox.port)(effect(subject=subject), False) == Sent()
    (mail,) = mailbox.taken
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Hello Bcc: b@example.com Text")
    assert len(mail["Subject"]) == 200


@pytest.mark.parametrize("step", ["recipient", "content"])
@pytest.mark.parametrize(("code", "verdict"), [(451, Retry), (550, Drop)])
async def test_what_passes_is_tried_again_and_what_stays_is_dropped(
    mailbox: Mailbox, step: str, code: int, verdict: type
) -> None:
    setattr(mailbox, step, f"{code} not now, call +442079460958")
    outcome = await mailer(mailbox.port)(effect(), False)
    assert isinstance(outcome, verdict)
    assert isinstance(outcome, Retry | Drop)
    assert str(code) in outcome.reason
    assert "7946" not in outcome.reason, "what a server says goes into logs"


async def test_a_server_that_is_away_is_asked_again() -> None:
    assert isinstance(await mailer(free_port())(effect(), False), Retry)


def _only(name: str, password: str) -> Callable[..., AuthResult]:
    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (name.encode(), password.encode()))

    return authenticate


@pytest.fixture
def guarded() -> Iterator[Mailbox]:
    yield from served(Mailbox(), authenticator=_only("me", "p@ss"), auth_required=True, auth_require_tls=False)


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS:UserWarning"
)  # all of it stays on this machine
async def test_it_signs_in_and_keeps_a_mail_while_the_password_is_wrong(guarded: Mailbox) -> None:
    assert await mailer(guarded.port, "me", "p@ss")(effect(), False) == Sent()
    outcome = instance_of(Retry, await mailer(guarded.port, "me", "other")(effect(), False))
    assert "other" not in outcome.reason


async def test_a_password_never_crosses_a_network_in_the_clear(mailbox: Mailbox) -> None:
    far = Mail("mail.example.com", 587, "me", "pw", False, "bot@example.com")
    assert Mailer(far, lambda: NOW)._server()["start_tls"] is True
    assert mailer(mailbox.port)._server()["start_tls"] is None


async def test_the_probe_says_who_answers(mailbox: Mailbox) -> None:
    assert await mailer(mailbox.port).probe() == f"127.0.0.1:{mailbox.port} answers 250"


@pytest.mark.parametrize(
    "said",
    [
        "Zażółć gęślą jaźń",
        "ログインできません",
        "لا أستطيع تسجيل الدخول",
        "\u2067שלום\u2069 abc",
        "🙈 " * 60,
        "x" * 2_000,
    ],
)
async def test_every_script_arrives_whatever_the_servers_on_the_way_take(mailbox: Mailbox, said: str) -> None:
    assert await mailer(mailbox.port)(effect(subject=f"[SB-1] {said}", text=f"{said}\n\n> {said}"), False) == Sent()
    (mail,), (raw,) = mailbox.taken, mailbox.raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322"
    assert mail["Subject"] == f"[SB-1] {said}"[:200].strip()
    assert mail.get_content().replace("\r\n", "\n") == f"{said}\n\n> {said}\n"


async def test_mails_of_a_thread_refer_to_the_same_and_are_each_their_own(mailbox: Mailbox) -> None:
    send = mailer(mailbox.port)
    for id, thread in (("one", "acme|ticket:1"), ("two", "acme|ticket:1"), ("three", "acme|ticket:2")):
        await send(effect(id, thread=thread), False)
    first, second, other = mailbox.taken
    assert first["References"] == first["In-Reply-To"] == second["References"] != other["References"]
    assert len({mail["Message-ID"] for mail in mailbox.taken} | {first["References"]}) == 4


async def test_what_the_server_says_is_told_without_the_address(mailbox: Mailbox) -> None:
    mailbox.recipient = "550 5.1.1 <robin@example.com>: no such mailbox, robin@example.com"
    outcome = instance_of(Drop, await mailer(mailbox.port)(effect(), False))
    assert "550" in outcome.reason
    assert "no such mailbox" in outcome.reason
    assert "robin" not in outcome.reason


@pytest.fixture
def plain() -> Iterator[Mailbox]:
    yield from served(Mailbox(), enable_SMTPUTF8=False)


async def test_an_address_that_the_server_can_not_take_is_given_up(mailbox: Mailbox, plain: Mailbox) -> None:
    assert await mailer(mailbox.port)(effect(to="zoë@example.com"), False) == Sent()
    assert mailbox.taken[0]["To"] == "zoë@example.com"
    assert isinstance(await mailer(plain.port)(effect(to="zoë@example.com"), False), Drop)
    assert plain.taken == []
    assert await mailer(plain.port)(effect(to="zoe@zażółć.example.com"), False) == Sent()
    assert plain.taken[0]["To"] == "zoe@xn--za-6ja4f8n1l.example.com"
