"""Accounts: applied whole or not at all, claimed once, found by workspace."""

import asyncio
import re

import orjson
import pytest

from store.engine import keys
from store.engine.accounts import AccountConflict, Accounts
from store.server.connection import Store
from tests import present
from tests.handlers.world import INVENTORY, NOW, WORKSPACE, World, company

OTHER = {"id": "other", "name": "Other", "people": [], "workspaces": [], "inventory": []}


async def test_applying_twice_changes_nothing(store: Store) -> None:
    accounts = Accounts(store)
    ((_, created),) = await accounts.apply([company()], NOW)
    assert created
    snapshot = present(await accounts.at("slack", WORKSPACE))
    assert await Accounts(store).apply([company()], NOW) == [("acme", [])]
    again = present(await Accounts(store).at("slack", WORKSPACE))
    assert again.rev == snapshot.rev
    assert again.account == company()
    assert await accounts.ids() == ["acme"]


async def test_what_changed_is_told_by_line(world: World) -> None:
    people = [p.model_dump(exclude_defaults=True) for p in company().people if p.id != "noor"]
    people[2]["seat"] = "view"
    ((_, lines),) = await world.accounts.apply([company(people=people, name="Acme plc", inventory=INVENTORY[:-1])], NOW)
    assert "name: Acme Ltd → Acme plc" in lines
    assert "people: removed noor" in lines
    assert any(line.startswith("people: max: seat sales → view") for line in lines)
    assert f"inventory: removed {INVENTORY[-1]}" in lines


async def test_a_process_that_holds_an_older_record_sees_the_workspace_move(store: Store) -> None:
    first, second = Accounts(store), Accounts(store)
    await first.apply([company()], NOW)
    assert (await second.at("slack", WORKSPACE)) is not None
    taken_over = company(**OTHER | {"workspaces": [{"platform": "slack", "id": WORKSPACE}]})
    await first.apply([company(workspaces=[]), taken_over], NOW)
    second.forget("acme")
    assert present(await second.at("slack", WORKSPACE)).account.id == "other"


@pytest.mark.parametrize(
    ("claim", "what"),
    [
        ({"workspaces": [{"platform": "slack", "id": WORKSPACE}]}, f"slack workspace {WORKSPACE}"),
        ({"inventory": INVENTORY[:1]}, f"number {INVENTORY[0]}"),
    ],
)
async def test_two_accounts_cannot_claim_the_same(world: World, claim: dict[str, object], what: str) -> None:
    with pytest.raises(AccountConflict, match=re.escape(what)):
        await world.accounts.apply([company(**OTHER | claim)], NOW)
    assert await world.accounts.get("other") is None
    with pytest.raises(AccountConflict, match="acme and other"):
        await Accounts(world.store).check([company(), company(**OTHER | claim)])


async def test_of_two_that_claim_at_once_one_wins(store: Store) -> None:
    claims = [company(id=f"a{n}", people=[]) for n in range(8)]
    outcomes = await asyncio.gather(*(Accounts(store).apply([claim], NOW) for claim in claims), return_exceptions=True)
    won = [o for o in outcomes if not isinstance(o, BaseException)]
    assert len(won) == 1
    assert all(isinstance(o, AccountConflict) for o in outcomes if o not in won)
    owner = await store.call("GET", keys.dir_workspace("slack", WORKSPACE))
    assert {await store.call("GET", keys.dir_number(e)) for e in INVENTORY} == {owner}


async def test_a_claim_without_a_record_gives_no_right(store: Store) -> None:
    await store.call("SET", keys.dir_workspace("slack", "TLOST"), "ghost")
    assert await Accounts(store).at("slack", "TLOST") is None
    await Accounts(store).apply([company()], NOW)
    await store.call("SET", keys.dir_workspace("slack", "TLOST"), "acme")
    assert await Accounts(store).at("slack", "TLOST") is None


async def test_what_a_newer_version_applied_is_read_without_what_this_one_does_not_know(world: World) -> None:
    snapshot = present(await world.accounts.get("acme"))
    doc = orjson.loads(await world.store.call("HGET", snapshot.keys.account, "doc"))
    doc["account"] |= {"mood": "calm"}
    doc["account"]["people"][0] |= {"shoe_size": 44}
    await world.store.call("HSET", snapshot.keys.account, "doc", orjson.dumps(doc))
    assert present(await Accounts(world.store).get("acme")).account == snapshot.account
