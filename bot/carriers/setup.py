"""The carriers that the settings ask for, as the rest of the bot takes them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.carriers.inventory import Inventory, Phone
from bot.settings import Settings
from handlers.framework.ports import Carrier, Seller
from store.engine.accounts import Accounts, AccountSnapshot
from store.engine.effects import Sender
from store.numbers.records import Numbers


class CarrierSetup:
    """`carrier` and `seller` as handlers want them, `send_code` as the outbox does. Close at the end."""

    def __init__(
        self,
        carrier: Carrier,
        send_code: Sender,
        accounts: Accounts,
        seller: Seller | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.carrier = carrier
        self.send_code = send_code
        self.seller = seller
        self._accounts = accounts
        self._close = close
        self._numbers: Numbers | None = None

    def set_numbers(self, numbers: Numbers) -> None:
        """Where it finds the numbers of an account; the store's parts are made after the senders."""
        self._numbers = numbers

    async def numbers_of(self, account: str) -> Sequence[str]:
        """The account's numbers in use."""

        async def of(snapshot: AccountSnapshot) -> Sequence[str]:
            return [] if self._numbers is None else [n.e164 for n in await self._numbers.all(snapshot)]

        return await self._accounts.run_on_current(account, of) or []

    async def aclose(self) -> None:
        if self._close is not None:
            await self._close()


def set_up_carriers(
    settings: Settings, accounts: Accounts, phone: Phone | None, now: Callable[[], datetime]
) -> CarrierSetup:
    """The inventory, and Twilio where its account is set; the SDK is imported only then."""
    inventory = Inventory(phone, now)
    if settings.twilio is None:
        return CarrierSetup(inventory, inventory.send_code, accounts)
    from bot.carriers.combined import CombinedCarrier
    from bot.carriers.twilio import TwilioCarrier

    async def own(account: str) -> Sequence[str]:
        return await made.numbers_of(account)

    seller = TwilioCarrier(settings.twilio, settings.public_url, own, now)
    made = CarrierSetup(CombinedCarrier(inventory, seller), seller.send_code, accounts, seller, seller.aclose)
    return made
