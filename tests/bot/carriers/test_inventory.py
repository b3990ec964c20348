"""The carrier that hands out the operator's own numbers."""

from datetime import UTC, datetime

import pytest

from bot.carriers.inventory import Inventory
from domain.accounts.account import Account
from handlers.framework.ports import CodeDelivery, Offer
from store.engine.effects import Drop, Effect, Sent
from tests.domain import samples

LONDON = ["+442079460900", "+442079460901", "+442079460958"]
BIRMINGHAM = ["+441214960111"]
BERLIN = ["+4930901820000"]


@pytest.fixture
def account() -> Account:
    return samples.account(inventory=[*BERLIN, *LONDON, *BIRMINGHAM])


async def test_the_account_s_own_country_comes_first(account: Account) -> None:
    assert await Inventory().countries(account) == ["GB", "DE"]


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("", LONDON + BIRMINGHAM),
        (" ", LONDON + BIRMINGHAM),
        ("020", LONDON),
        ("20", LONDON),
        ("0121", BIRMINGHAM),
        ("99", []),
    ],
)
async def test_offers_of_a_country_and_area(account: Account, area: str, expected: list[str]) -> None:
    assert await Inventory().offers(account, "GB", area, 0, 10) == [Offer(e164, "GB") for e164 in expected]


async def test_offers_come_in_pages_and_a_steady_order(account: Account) -> None:
    pages = [await Inventory().offers(account, "GB", "", start, 2) for start in (0, 2, 4)]
    assert [offer.e164 for page in pages for offer in page] == LONDON + BIRMINGHAM
    assert await Inventory().offers(account, "FR", "", 0, 10) == []


async def test_only_what_the_inventory_has_is_offered(account: Account) -> None:
    assert await Inventory().offered(account, LONDON[0])
    assert not await Inventory().offered(account, "+442079460999")


def test_without_an_inventory_calling_is_not_set_up(account: Account) -> None:
    assert Inventory().ready(account)
    assert not Inventory().ready(account.model_copy(update={"inventory": ()}))


async def test_a_code_goes_to_the_phone_where_there_is_one(account: Account) -> None:
    rung: list[tuple[str, str, CodeDelivery]] = []

    async def phone(number: str, text: str, via: CodeDelivery) -> None:
        rung.append((number, text, via))

    body = {"to": "+442079460111", "extension": "12", "text": "Your code is 1 2 3", "via": "call", "expires": 2e9}
    effect = Effect("code:+442079460111", "code", body, "e1")
    assert Inventory(phone).can_send(account) == ("call", "sms")
    assert await Inventory(phone).send_code(effect, False) == Sent()
    assert rung == [("+442079460111 ext. 12", "Your code is 1 2 3", "call")]
    assert Inventory().can_send(account) == ()
    assert isinstance(await Inventory().send_code(effect, False), Drop)


async def test_a_code_that_waited_too_long_is_not_sent_any_more() -> None:
    rung: list[str] = []

    async def phone(number: str, text: str, via: CodeDelivery) -> None:
        rung.append(number)

    body = {"to": "+442079460111", "text": "Your code is 1 2 3", "via": "sms", "expires": 1_000.0}
    late = Inventory(phone, lambda: datetime.fromtimestamp(1_000, UTC))
    assert isinstance(await late.send_code(Effect("code:x", "code", body, "e1"), False), Drop)
    assert rung == []
