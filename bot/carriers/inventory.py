"""The carrier that needs no contract: numbers that the operator owns, listed in the account's inventory.

It places no calls. A verification code goes to `phone` (the demo's phone panel); without one, nothing can be sent, and
registering a number says what to configure.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from domain.accounts.account import Account
from domain.phone import area_matches, country_of
from handlers.framework.ports import CodeDelivery, Offer
from store.engine.effects import Drop, Effect, SendResult, Sent

# Delivers a text to a number as it is dialled, by call or SMS.
Phone = Callable[[str, str, CodeDelivery], Awaitable[None]]


class Inventory:
    """`handlers.framework.ports.Carrier` over `account.inventory`."""

    name = "inventory"

    def __init__(self, phone: Phone | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._phone = phone
        self._now = now

    def ready(self, account: Account) -> bool:
        """Calling is set up once there are numbers to hand out."""
        return bool(account.inventory)

    async def countries(self, account: Account) -> Sequence[str]:
        """Regions of the inventory, the account's own first, the others by their code."""
        return sorted(_by_country(account.inventory), key=lambda region: (region != account.country, region))

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """The inventory's numbers of a country and area, in the file's order."""
        found = _fitting(account.inventory, country, area)
        return [Offer(e164, country) for e164 in found[start : start + limit]]

    async def count(self, account: Account, country: str, area: str) -> int:
        """How many numbers of a country and area the inventory has."""
        return len(_fitting(account.inventory, country, area))

    async def offered(self, account: Account, e164: str) -> Offer | None:
        """The number, if the inventory has it."""
        return Offer(e164, country_of(e164) or account.country) if e164 in account.inventory else None

    def can_send(self, account: Account) -> Sequence[CodeDelivery]:
        return ("call", "sms") if self._phone else ()

    async def send_code(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Send an effect of kind "code": {"to", "extension", "text", "via", "expires" (seconds since 1970), …}.

        One in doubt is sent again: it is the same code, and hearing it twice does no harm.
        """
        if self._phone is None:
            return Drop("no carrier can call or write")
        body = effect.body
        if self._now().timestamp() >= body["expires"]:
            return Drop("the code had expired before it could be sent")
        dialled = body["to"] + (f" ext. {body['extension']}" if body.get("extension") else "")
        await self._phone(dialled, body["text"], body["via"])
        return Sent()


def _fitting(inventory: tuple[str, ...], country: str, area: str) -> list[str]:
    numbers = _by_country(inventory).get(country, ())
    return [e164 for e164 in numbers if not area.strip() or area_matches(e164, area)]


@lru_cache(maxsize=256)
def _by_country(inventory: tuple[str, ...]) -> dict[str, list[str]]:
    """The numbers of an inventory by region."""
    found: dict[str, list[str]] = {}
    for e164 in inventory:
        if region := country_of(e164):
            found.setdefault(region, []).append(e164)
    return found
