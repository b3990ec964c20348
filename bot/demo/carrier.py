"""The pretend Twilio of the demo: it has the numbers of the account's inventory, and sends their calls to the demo."""

from collections.abc import Callable
from pathlib import Path

from domain.accounts.account import Account
from domain.phone import pretty
from playground.twilio.pretend import PretendTwilio
from playground.twilio.world import World

INBOUND = "/voice/inbound"
OUTBOUND = "/voice/outbound"
STATUS = "/voice/status"


def twilio(
    path: Path,
    url: str,
    account: Account,
    ring: Callable[[str, str, str], None],
    *,
    now: Callable[[], float],
    fresh: bool,
) -> PretendTwilio:
    """The carrier as the last run left it in `path`, or a new one; `url` is the demo's own, wherever it was before."""
    if fresh:
        path.unlink(missing_ok=True)
    try:
        world = World.load(path)
    except (OSError, ValueError, LookupError, TypeError):
        world = World()

    def phone(number: str, text: str, via: str) -> None:
        ring(pretty(number, account.country), text, via)

    made = PretendTwilio(world=world, phone=phone, now=now, path=path, base_url=f"{url}/twilio")
    bought = [str(one["phone_number"]) for one in world.numbers.values()]
    for number in dict.fromkeys((*account.inventory, *bought)):
        made.own(number, voice_url=url + INBOUND, status_callback=url + STATUS)
    made.application.voice_url, made.application.status_callback = url + OUTBOUND, url + STATUS
    return made
