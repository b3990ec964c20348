"""Outgoing mail: sends effects of kind "mail" to the SMTP server of the settings."""

import re
from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from typing import Final

import aiosmtplib

from bot.settings import Mail
from bot.telemetry import mask
from bot.variables import is_loopback
from store.engine.effects import Drop, Effect, Retry, SendResult, Sent

TIMEOUT: Final = 8.0  # seconds for each step of the conversation; the outbox bounds the whole
SUBJECT_LENGTH: Final = 200
_ADDRESS: Final = re.compile(r"<?[^\s<>]+@[^\s<>]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class Mailer:
    """Sends the effects of `handlers.framework.effects.mail_effect`: {"to", "subject", "text", "reply_to", "thread"},
    the last two optional."""

    def __init__(self, mail: Mail, now: Callable[[], datetime]) -> None:
        self._mail = mail
        self._now = now

    async def __call__(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Send a mail. One in doubt is sent again under the same Message-ID: SMTP can't look it up, and mail programs
        show only one of two messages with the same id.
        """
        try:
            message = self.compose(effect)
        except (KeyError, ValueError) as error:
            return Drop(f"no mail can be made of it: {error}")
        try:
            await aiosmtplib.send(message, timeout=TIMEOUT, **self._server())  # type: ignore[arg-type] # a plain dict
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _verdict(error.recipients[0].code, error.recipients[0].message)
        except aiosmtplib.SMTPAuthenticationError as error:
            # The operator can mend it, and the mail is still wanted then.
            return Retry(None, f"the mail server refuses our name and password ({error.code})")
        except aiosmtplib.SMTPNotSupported:
            return Drop("the mail server takes no such address")
        except aiosmtplib.SMTPResponseException as error:
            return _verdict(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Retry(None, f"the mail server can't be reached: {type(error).__name__}")
        return Sent()

    def compose(self, effect: Effect) -> EmailMessage:
        """The message. No text can add a header. Raises ValueError for an address that is invalid."""
        body = effect.body
        message = EmailMessage(policy=SMTP)
        message["From"] = _address(self._mail.sender)
        message["To"] = _address(str(body["to"]))
        if body.get("reply_to"):
            message["Reply-To"] = _address(str(body["reply_to"]))
        message["Subject"] = _CONTROL.sub(" ", str(body["subject"])).strip()[:SUBJECT_LENGTH]
        message["Date"] = format_datetime(self._now())
        message["Message-ID"] = self._name(effect.id)
        if body.get("thread"):
            # Mail programs group messages that refer to the same one, even if it was never sent.
            root = self._name(f"thread {body['thread']}")
            message["In-Reply-To"] = root
            message["References"] = root
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
        # Seven bits: not every server on the way takes eight.
        message.set_content(str(body["text"]), cte="quoted-printable")
        return message

    def _name(self, of: str) -> str:
        """The Message-ID for an effect's id or a thread."""
        domain = parseaddr(self._mail.sender)[1].rpartition("@")[2]
        return f"<{sha256(of.encode()).hexdigest()[:32]}@{domain}>"

    async def probe(self) -> str:
        """Connect, sign in and send NOOP; return the answer. Raises SMTPException, OSError or TimeoutError."""
        async with aiosmtplib.SMTP(timeout=TIMEOUT, **self._server()) as server:  # type: ignore[arg-type] # a plain dict
            answer = await server.noop()
            return f"{self._mail.host}:{self._mail.port} answers {answer.code}"

    def _server(self) -> dict[str, object]:
        mail = self._mail
        # A password is never sent unencrypted over a network; without one, TLS is used where it is offered.
        must = not mail.tls and mail.username is not None and not is_loopback(mail.host)
        return {
            "hostname": mail.host,
            "port": mail.port,
            "username": mail.username,
            "password": mail.password,
            "use_tls": mail.tls,
            "start_tls": False if mail.tls else True if must else None,
        }


def _address(text: str) -> Address:
    if _CONTROL.search(text):
        raise ValueError("an address holds a line break")
    name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or any(c.isspace() for c in address):
        raise ValueError("an address is none")
    if not domain.isascii():
        domain = domain.encode("idna").decode()  # which every server takes
    return Address(name, local, domain)


def _verdict(code: int, words: str) -> SendResult:
    # Servers repeat the address; the reason is logged and shown to the desk.
    reason = mask(_ADDRESS.sub("•••", f"the mail server said {code} {_CONTROL.sub(' ', words)}"))[:200]
    return Drop(reason) if 500 <= code < 600 else Retry(None, reason)
