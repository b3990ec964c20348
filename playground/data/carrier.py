"""The pretend Twilio of the demo: it owns the numbers of the account and sends their calls to the demo."""

from collections.abc import Callable, Iterable
from pathlib import Path

from playground.phones import pretty
from playground.twilio.pretend import PretendTwilio
from playground.twilio.world import World

INBOUND = "/voice/inbound"
OUTBOUND = "/voice/outbound"
STATUS = "/voice/status"


def twilio(
    path: Path,
    url: str,
    numbers: Iterable[str],
    region: str,
    ring: Callable[[str, str, str], None],
    *,
    now: Callable[[], float],
    fresh: bool,
) -> PretendTwilio:
    """The carrier as the last run left it in `path`, or a new one, pointed at the demo's address of this run.

    Args:
        path: the file with its state; `fresh` deletes it first.
        url: the demo's own address.
        numbers: in E.164; the carrier owns them beside those that were bought.
        region: that of numbers shown without a country code.
        ring: called with a number as people write it, a text, and `sms` or `call`, when a phone is to ring.
        now: seconds since 1970.
    """
    if fresh:
        path.unlink(missing_ok=True)
    try:
        world = World.load(path)
    except (OSError, ValueError, LookupError, TypeError):
        world = World()

    def phone(number: str, text: str, via: str) -> None:
        ring(pretty(number, region), text, via)

    made = PretendTwilio(world=world, phone=phone, now=now, path=path, base_url=f"{url}/twilio")
    bought = [str(one["phone_number"]) for one in world.numbers.values()]
    for number in dict.fromkeys((*numbers, *bought)):
        made.own(number, voice_url=url + INBOUND, status_callback=url + STATUS)
    made.application.voice_url, made.application.status_callback = url + OUTBOUND, url + STATUS
    return made
