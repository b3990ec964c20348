"""A real mail server that takes what comes, or answers as it is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port


@dataclass
class Mailbox:
    """`taken` and `raw`: the messages as they came, parsed and as bytes."""

    recipient: str = "250 OK"
    content: str = "250 OK"
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.content.startswith("250"):
            raw = cast("bytes", envelope.content)
            self.raw.append(raw)
            self.taken.append(message_from_bytes(raw, policy=policy.default))
        return self.content


def served(mailbox: Mailbox, **options: Any) -> Iterator[Mailbox]:
    """The mailbox, at a port of its own; `options` as aiosmtpd's controller takes them."""
    mailbox.port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
