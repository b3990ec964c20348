"""The operator's own numbers first, then those that a carrier sells."""

from collections.abc import Sequence
from typing import Final

from bot.carriers.inventory import Inventory
from bot.carriers.twilio import TwilioCarrier
from domain.accounts.account import Account
from handlers.framework.ports import CodeDelivery, Offer, Unavailable

LISTED: Final = 99  # countries


class CombinedCarrier:
    """`handlers.framework.ports.Carrier` over an inventory and a carrier that sells."""

    name = "inventory and twilio"

    def __init__(self, inventory: Inventory, seller: TwilioCarrier) -> None:
        self._inventory = inventory
        self._seller = seller

    def ready(self, account: Account) -> bool:
        return self._inventory.ready(account) or self._seller.ready(account)

    async def countries(self, account: Account) -> Sequence[str]:
        """The countries of both, the account's own first; only the inventory's while the carrier does not answer."""
        own = await self._inventory.countries(account)
        try:
            sold = await self._seller.countries(account)
        except Unavailable:
            sold = [account.country]
        # A screen's list is bounded; the command takes every country by its name.
        chosen = dict.fromkeys((account.country, *own, *sold) if account.country in {*own, *sold} else (*own, *sold))
        return sorted([*chosen][:LISTED], key=lambda region: (region != account.country, region))

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """The inventory's pages of `limit`, then the carrier's, which is asked only after the inventory's last page.

        Raises Unavailable if the carrier does not answer.
        """
        own = await self._inventory.offers(account, country, area, start, limit)
        if own:
            return own
        before = await self._inventory.count(account, country, area)
        return await self._seller.offers(account, country, area, start - -(-before // limit) * limit, limit)

    async def offered(self, account: Account, e164: str) -> Offer | None:
        return await self._inventory.offered(account, e164) or await self._seller.offered(account, e164)

    def can_send(self, account: Account) -> Sequence[CodeDelivery]:
        return self._seller.can_send(account)
