"""Twilio as the carrier: finds, buys, routes and releases numbers, and sends verification codes.

A purchase writes its account into the number's friendly name (`Switchboard ACCOUNT`). Numbers of the Twilio account
without that mark are never taken for ours, changed or released.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import phonenumbers

from bot.carriers.setup import INBOUND, STATUS
from bot.carriers.twilio_client import LONG, connect, translate_errors
from bot.carriers.twiml import voice_of
from bot.settings import Twilio
from domain.accounts.account import Account
from domain.numbers.number import Needs
from domain.phone import area_matches, country_of
from handlers.framework.ports import CarrierNumber, CarrierRefusal, CodeDelivery, Offer, Unavailable
from store.engine.effects import Drop, Effect, InDoubt, Retry, SendResult, Sent

DIALOG: Final = 2.0  # seconds for whatever a person waits for
LOOK: Final = 4.0  # seconds for a read that nobody waits for
BUY: Final = 10.0  # a whole purchase with its addresses; BUY + LOOK must fit into the lease of an order
SHOWN: Final = 30  # numbers of a kind that a search returns
COUNTRIES_KEPT: Final = 3600.0  # seconds for which the list of countries is cached
SILENT: Final = 5.0  # seconds during which dialogs don't ask again after Twilio did not answer
MOST_NUMBERS: Final = 10_000
MARK: Final = "Switchboard "
KINDS: Final = ("local", "national", "mobile")  # in the order in which they are offered


async def _none(_account: str) -> Sequence[str]:
    return ()


class TwilioCarrier:
    """`handlers.framework.ports.Carrier` and `Seller`, and the sender of effects of kind "code". Close at the end.

    Args:
        public_url: where Twilio reaches this bot; None buys numbers without URLs for their calls.
        own: returns an account's numbers in use, the first choice to send codes from.
    """

    name = "twilio"

    def __init__(
        self,
        settings: Twilio,
        public_url: str | None,
        own: Callable[[str], Awaitable[Sequence[str]]] = _none,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._transport = connect(settings)
        self._public = public_url
        self._own = own
        self._now = now
        self._kinds: dict[str, tuple[str, ...]] = {}
        self._kinds_until = 0.0
        self._silent_until = 0.0

    async def aclose(self) -> None:
        await self._transport.aclose()

    # ── What is on offer ────────────────────────────────────────────────────────────────────────────────────────

    def ready(self, account: Account) -> bool:
        """Numbers can be bought for every account with calling."""
        return account.calling

    async def countries(self, account: Account) -> Sequence[str]:
        """Regions with numbers on sale, the account's own first."""
        found = await self._dialog(self._sold())
        return sorted(found, key=lambda region: (region != account.country, region))

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """What a search of the country and area finds, ordered by kind, on one page: a later `start` finds nothing."""
        return (await self._dialog(self._search(country, area)))[:limit] if start == 0 else []

    async def offered(self, account: Account, e164: str) -> Offer | None:
        """The number, if it is on sale now."""
        country = country_of(e164)
        if not country:
            return None
        found = await self._dialog(self._search(country, "", e164))
        return next((offer for offer in found if offer.e164 == e164), None)

    def can_send(self, account: Account) -> Sequence[CodeDelivery]:
        return ("call", "sms")

    async def _dialog(self, asked: Any) -> Any:
        """Await `asked` for `DIALOG` seconds, since a person waits.

        Raises Unavailable after that, and at once for the next `SILENT` seconds, so that the next step of the same
        dialog does not wait as well.
        """
        clock = asyncio.get_running_loop().time
        if clock() < self._silent_until:
            asked.close()
            raise Unavailable("did not answer just now")
        try:
            async with asyncio.timeout(DIALOG):
                return await asked
        except TimeoutError:
            self._silent_until = clock() + SILENT
            raise Unavailable("no answer in time") from None
        except Unavailable:
            self._silent_until = clock() + SILENT
            raise
        except CarrierRefusal as no:
            raise Unavailable(f"refuses the search: {no.code}") from None

    async def _sold(self) -> dict[str, tuple[str, ...]]:
        """The kinds of numbers on sale, by country."""
        clock = asyncio.get_running_loop().time
        if clock() >= self._kinds_until:
            with translate_errors(changes=False, seconds=DIALOG):
                found = await self._client.available_phone_numbers.list_async(limit=300, page_size=300)
                self._kinds = {one.country_code: tuple(one.subresource_uris or {}) for one in found}
            self._kinds_until = clock() + COUNTRIES_KEPT
        return self._kinds

    async def _search(self, country: str, area: str, e164: str = "") -> list[Offer]:
        kinds = (await self._sold()).get(country, ())
        wanted = [kind for kind in KINDS if kind in kinds]
        rows = await asyncio.gather(*(self._of_kind(country, kind, area, e164) for kind in wanted))
        found: dict[str, Offer] = {}
        for one in (one for row in rows for one in row):
            if area and not area_matches(one.phone_number, area):
                continue
            needs: Needs = "" if one.address_requirements in (None, "", "none") else "address"
            found.setdefault(one.phone_number, Offer(one.phone_number, country, ordered=True, needs=needs))
        return list(found.values())

    async def _of_kind(self, country: str, kind: str, area: str, e164: str) -> list[Any]:
        digits = "".join(c for c in area if c.isdigit()).lstrip("0")
        code = phonenumbers.country_code_for_region(country)
        more: dict[str, Any] = {}
        if e164:
            more["contains"] = e164
        elif digits and country in ("US", "CA") and len(digits) == 3:
            more["area_code"] = int(digits)
        elif digits:
            more["contains"] = f"+{code}{digits}"
        with translate_errors(changes=False, seconds=DIALOG):
            shelf = getattr(self._client.available_phone_numbers(country), kind)
            try:
                rows: list[Any] = await shelf.list_async(voice_enabled=True, limit=SHOWN, page_size=SHOWN, **more)
            except AttributeError:
                rows = []
        return rows

    # ── Buying and releasing ────────────────────────────────────────────────────────────────────────────────────

    async def buy(self, account: Account, e164: str, country: str, needs: Needs) -> CarrierNumber:
        """See `Seller`. Where the number needs an address, one of the Twilio account is given."""
        try:
            async with asyncio.timeout(BUY):
                return await self._bought_with(account, e164, country, needs)
        except TimeoutError:
            raise InDoubt("no answer in time") from None

    async def _bought_with(self, account: Account, e164: str, country: str, needs: Needs) -> CarrierNumber:
        address = await self._address(country) if needs == "address" else None
        try:
            return await self._buy(account, e164, address)
        except CarrierRefusal as no:
            # A refusal bought nothing, so a second try can't buy twice.
            if no.reason != "address" or address is not None or not (address := await self._address(country)):
                raise
            return await self._buy(account, e164, address)

    async def _buy(self, account: Account, e164: str, address: str | None) -> CarrierNumber:
        more = {"address_sid": address} if address else {}
        with translate_errors(changes=True):
            made = await self._client.incoming_phone_numbers.create_async(
                phone_number=e164, friendly_name=f"{MARK}{account.id}"[:64], **self._urls(), **more
            )
            return self._bought(made)

    async def _address(self, country: str) -> str | None:
        """The id of an address to give: one of the country, else the first; None if the Twilio account has none."""
        with translate_errors(changes=False, seconds=LOOK):
            here = await self._client.addresses.list_async(iso_country=country, limit=20, page_size=20)
            found = here or await self._client.addresses.list_async(limit=1, page_size=1)
            return str(found[0].sid) if found else None

    async def find(self, e164: str) -> CarrierNumber | None:
        with translate_errors(changes=False, seconds=LOOK):
            found = await self._client.incoming_phone_numbers.list_async(phone_number=e164, limit=20, page_size=20)
            # Twilio's filter is a pattern, so its results are compared.
            return next((self._bought(one) for one in found if one.phone_number == e164), None)

    async def route_calls(self, id: str) -> None:
        with translate_errors(changes=True):
            await self._client.incoming_phone_numbers(id).update_async(**self._urls())

    async def release(self, id: str) -> None:
        try:
            with translate_errors(changes=True):
                await self._client.incoming_phone_numbers(id).delete_async()
        except CarrierRefusal as no:
            if no.reason != "unknown":
                raise

    async def owned(self) -> list[CarrierNumber]:
        """Every number of the Twilio account, for the doctor. Raises Unavailable, CarrierRefusal."""
        with translate_errors(changes=False, seconds=LONG):
            found = await self._client.incoming_phone_numbers.list_async(limit=MOST_NUMBERS, page_size=1000)
            return [self._bought(one) for one in found]

    async def usage(self) -> dict[str, tuple[str, str]]:
        """This month's bill: (amount, unit) by Twilio's category (calls, phonenumbers, totalprice), and its price by
        `CATEGORY.price`. Raises Unavailable, CarrierRefusal."""
        with translate_errors(changes=False, seconds=LOOK):
            found = await self._client.usage.records.this_month.list_async(limit=1000, page_size=1000)
            return {str(one.category): (str(one.usage), str(one.usage_unit)) for one in found} | {
                f"{one.category}.price": (str(one.price), str(one.price_unit)) for one in found
            }

    def _urls(self) -> dict[str, str]:
        if self._public is None:
            return {}
        return {
            "voice_url": self._public + INBOUND,
            "voice_method": "POST",
            "status_callback": self._public + STATUS,
            "status_callback_method": "POST",
        }

    def _bought(self, one: Any) -> CarrierNumber:
        wanted = self._urls()
        wrong = next((f"{name} {getattr(one, name)}" for name in wanted if getattr(one, name) != wanted[name]), "")
        name = str(one.friendly_name or "")
        return CarrierNumber(
            e164=str(one.phone_number),
            id=str(one.sid),
            account=name.removeprefix(MARK) if name.startswith(MARK) else None,
            approved=one.status in (None, "in-use"),
            routed_here=not wrong,
            routed_to=wrong,
        )

    # ── Validating a caller id, sending codes ─────────────────────────────────────────────────────────────────────

    @property
    def validates(self) -> bool:
        """Twilio shows only caller ids that it has validated, and reports that they are to PUBLIC_URL."""
        return self._public is not None

    async def validate(self, account: Account, person: str, e164: str, extension: str | None) -> str | None:
        query = urlencode({"validated": e164, "extension": extension or "", "account": account.id, "person": person})
        more = {"extension": extension} if extension else {}
        try:
            with translate_errors(changes=True, seconds=DIALOG):
                asked = await self._client.validation_requests.create_async(
                    phone_number=e164,
                    friendly_name=f"{MARK}{account.id}"[:64],
                    status_callback=f"{self._public}{STATUS}?{query}",
                    status_callback_method="POST",
                    **more,
                )
                return str(asked.validation_code)
        except CarrierRefusal as no:
            if no.reason == "known":
                return None
            raise

    async def send_code(self, effect: Effect, in_doubt: bool) -> SendResult:
        """Send an effect of kind "code". One in doubt is sent again: it is the same code, and hearing it twice does no
        harm."""
        body = effect.body
        if self._now().timestamp() >= body["expires"]:
            return Drop("the code had expired before it could be sent")
        text = body["via"] == "sms"
        try:
            sender = await self._sender(body["account"], "sms" if text else "voice", body["to"])
            if sender is None:
                return Drop(f"no number of the Twilio account can send it ({body['via']})")
            with translate_errors(changes=True):
                if text:
                    await self._client.messages.create_async(to=body["to"], from_=sender, body=body["text"])
                else:
                    more = {"send_digits": f"ww{body['extension']}"} if body.get("extension") else {}
                    await self._client.calls.create_async(to=body["to"], from_=sender, twiml=code_twiml(body), **more)
        except Unavailable as error:
            return Retry(error.after, f"the carrier {error}")
        except CarrierRefusal as no:
            return Drop(f"the carrier refused to send it ({no.code})")
        return Sent()

    async def _sender(self, account: str, can: str, to: str) -> str | None:
        """A number to send from: one of the account's own, else one of no account, else any; None if there is none."""
        with translate_errors(changes=False, seconds=LOOK):
            found = await self._client.incoming_phone_numbers.list_async(limit=1000, page_size=1000)
            able = [one for one in found if (one.capabilities or {}).get(can) and one.phone_number != to]
        own = set(await self._own(account))
        mine = [one for one in able if one.phone_number in own]
        nobodys = [one for one in able if not str(one.friendly_name or "").startswith(MARK)]
        chosen = next(iter(mine or nobodys or able), None)
        return None if chosen is None else str(chosen.phone_number)


def code_twiml(body: dict[str, Any]) -> str:
    """TwiML that says the sentence twice, the code digit by digit with pauses."""
    from twilio.twiml.voice_response import VoiceResponse

    slowly = body["text"].replace(" ".join(body["code"]), ", ".join(body["code"]))
    answer = VoiceResponse()
    answer.pause(length=1)
    answer.say(slowly, language=voice_of(body["language"])[1], loop=2)
    return str(answer)
