"""The legs of calls: their data, their status callbacks, and their form in the API."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.twilio.errors import DebuggerEntry, TwimlError
from playground.twilio.webhooks import KEPT, Sender, Webhook
from playground.twilio.world import API, Json, World, country_of, rfc2822


@dataclass
class Leg:
    """One leg. Times are seconds since 1970, 0 for what has not happened; `callback` is the URL that gets `events`."""

    sid: str
    frm: str
    to: str
    direction: str
    began: float
    parent: str = ""
    status: str = "ringing"
    answered: float = 0.0
    ended: float = 0.0
    callback: str = ""
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)
    sequence: int = 0

    @property
    def seconds(self) -> int:
        """Seconds from the answer to the end."""
        return max(0, round(self.ended - self.answered)) if self.answered and self.ended else 0


@dataclass
class Exchange:
    """What all calls of an account have in common."""

    account_sid: str
    world: World
    sender: Sender
    now: Callable[[], float]
    changed: Callable[[], None]
    troubles: list[DebuggerEntry] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)  # numbers at which nothing rings
    holding: bool = False
    held: list[Webhook] = field(default_factory=list)
    callbacks: deque[Webhook] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def tell(self, webhook: Webhook, call: str) -> None:
        """Sends a status callback, or keeps it while callbacks are held."""
        self.callbacks.append(webhook)
        if self.holding:
            self.held.append(webhook)
            return
        try:
            await self.sender.deliver(webhook)
        except TwimlError as wrong:
            self.troubles.append(DebuggerEntry(wrong.code, wrong.why, call, webhook.url))


def places(role: str, number: str) -> dict[str, str]:
    """The country, and empty city, state and zip, of a number in a role such as From."""
    country = country_of(number)
    return {f"{role}City": "", f"{role}State": "", f"{role}Zip": "", f"{role}Country": country}


def call_json(account: str, leg: Leg, world: World) -> Json:
    """The API's Call resource."""
    uri = f"/{API}/Accounts/{account}/Calls/{leg.sid}"
    number = world.owned(leg.frm if leg.direction == "outbound-api" else leg.to)
    under = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")
    return {
        "sid": leg.sid,
        "date_created": rfc2822(leg.began),
        "date_updated": rfc2822(leg.ended or leg.began),
        "parent_call_sid": leg.parent or None,
        "account_sid": account,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.frm,
        "from_formatted": leg.frm,
        "phone_number_sid": number["sid"] if number else None,
        "status": leg.status,
        "start_time": rfc2822(leg.answered or leg.began),
        "end_time": rfc2822(leg.ended) if leg.ended else None,
        "duration": str(leg.seconds) if leg.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "api_version": API,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{name.title()}.json" for name in under},
    }
