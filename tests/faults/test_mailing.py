"""A process is killed between an answer and its mail: the mail goes out, and what is repeated has the same name."""

import asyncio
import sys
from collections.abc import Iterator

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from store.server.connection import Store
from tests import ROOT, present
from tests.bot.mail.letterbox import Mailbox, served
from tests.faults.mailing import outbox, wake
from tests.handlers.office import Office
from tests.handlers.world import World
from tests.servers import Farm


class Slow(Mailbox):
    """Takes a mail and, while it is `stuck`, says nothing."""

    stuck = True

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        answer = await super().handle_DATA(server, session, envelope)
        while self.stuck:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.02)
        return answer


@pytest.fixture
def mailbox() -> Iterator[Slow]:
    box = Slow()
    for _ in served(box):
        yield box
        box.stuck = False


@pytest.mark.parametrize("stage", ["before", "during"])
async def test_the_mail_goes_out_under_one_name_and_its_record_says_so(farm: Farm, mailbox: Slow, stage: str) -> None:
    url = farm.fresh("embedded")
    words = ["-m", "tests.faults.mailing", url, str(mailbox.port), stage]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"answered\n"
        while stage == "during" and not mailbox.taken:  # noqa: ASYNC110 - filled from another thread
            await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    mailbox.stuck = False
    world = World(await Store.open(url))
    office = Office(world)
    if stage == "before":
        await wake(world)
    sending = outbox(world, mailbox.port)
    task = asyncio.create_task(sending.run())
    snapshot = await world.snapshot()
    async with asyncio.timeout(30):
        while True:
            found = present(await office.tickets.message(snapshot, 1, 2))
            assert found.value.mail is not None, "queued with the answer"
            if found.value.mail.state != "queued":
                break
            await asyncio.sleep(0.05)
    await sending.drain(2.0)
    task.cancel()
    await world.store.aclose()
    assert found.value.mail.state == "sent"
    assert len(mailbox.taken) == (1 if stage == "before" else 2)
    assert len({mail["Message-ID"] for mail in mailbox.taken}) == 1
    assert all("Try again." in mail.get_content() for mail in mailbox.taken)
