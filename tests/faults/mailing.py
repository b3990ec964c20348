"""A process that answers an email ticket and hands the mail to a server, until it is killed.

    python -m tests.faults.mailing STORE_URL SMTP_PORT before|during

`before`: it says "answered" once the reply is kept, and sends nothing. `during`: it sends.
"""

import asyncio
import sys

from bot.mail.smtp import Mailer
from bot.settings import Mail
from handlers.support.mail_status import MailStatusRecorder
from store.engine import keys
from store.engine.effects import Effect, RetryPolicy, SendResult, Sent
from store.engine.outbox import Outbox, new_owner
from store.server.connection import Store
from tests.handlers.office import Office
from tests.handlers.world import World

CONVERSATION = "mail:acme:ticket:1"


async def shown(effect: Effect, in_doubt: bool) -> SendResult:
    return Sent()


def outbox(world: World, port: int) -> Outbox:
    """As the bot has it, with a short lease."""
    settings = Mail("127.0.0.1", port, None, None, False, "Switchboard <bot@switchboard.example.com>")
    return Outbox(
        world.store,
        {"mail": Mailer(settings, lambda: world.now), "slack.post": shown, "slack.screen": shown, "slack.home": shown},
        owner=new_owner(),
        lease=4.0,
        send_timeout=3.0,
        period=0.05,
        policy=RetryPolicy(first=0.05, doubt=0.05),
        ended={"mail": MailStatusRecorder(world.services()).record},
    )


async def wake(world: World) -> None:
    """As when the lease of who wrote the mail is over."""
    await world.store.call("ZADD", keys.wake((await world.snapshot()).tag), 0, f"ob|{CONVERSATION}")


async def main(url: str, port: int, stage: str) -> None:
    world = World(await Store.open(url))
    office = await Office.open(world)
    await office.create("UMAX", "email", Email="max@elsewhere.example.org")
    await office.fill("USAM", "desk.reply", 1, {"reply": "Try again."})
    sys.stdout.write("answered\n")
    sys.stdout.flush()
    if stage == "during":
        await wake(world)
        await outbox(world, port).run()
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
